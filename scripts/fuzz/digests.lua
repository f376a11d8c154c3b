--- What simulated worlds that a real program starts make of random calls: for determinism.sh, which compares processes.
--
-- usage: luasync digests.lua FIRST LAST CALLS THREADS
--
-- Prints for each seed how its world ran, and the digests of its threads, into which the results of all calls and how
-- much memory Lua had now and then have gone.

local sync = require "luasync"
local folder = arg[0]:match "^(.*/)" or "./"
local world = dofile(folder .. "world.lua")
local plan = dofile(folder .. "worker.lua").plan(folder)

for seed = tonumber(arg[1]), tonumber(arg[2]) do
  local main = world.make(plan, seed, tonumber(arg[3]), tonumber(arg[4]))
  local report = sync.simulate(main, { seed = seed })
  print(seed, report.steps, report.virtual_time, report.schedule)
  io.write(report.output, report.deadlock or "", report.livelock or "", report.message or "", "\n")
end

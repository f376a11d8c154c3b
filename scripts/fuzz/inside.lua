--- Simulated worlds inside a real program: several at a time, each twice, compared.
--
-- usage: luasync inside.lua SEED CALLS THREADS

local sync = require "luasync"
local folder = arg[0]:match "^(.*/)" or "./"
local worker = dofile(folder .. "worker.lua")
local world = dofile(folder .. "world.lua")

local seed, calls, threads = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local WORLDS = 12

local plan = worker.plan(folder)

--- Simulates some worlds; each must repeat where nothing of it depends on another.
-- @return the names of those that did not, how many calls were made
local function simulate(number)
  local differ, made = {}, 0
  for i = 1, WORLDS do
    local own = seed * 1000 + number * 100 + i
    local options = i % 4 > 0 and { seed = own } or nil
    local first = sync.simulate(world.make(plan, own, calls, i % 3 + 1), options)
    local second = sync.simulate(world.make(plan, own, calls, i % 3 + 1), options)
    made = made + world.calls(first) + world.calls(second)
    for _, field in ipairs { "schedule", "output", "steps", "deadlock", "livelock", "virtual_time" } do
      if first[field] ~= second[field] then differ[#differ + 1] = ("world %d: %s"):format(own, field) break end
    end
  end
  return differ, made
end

-- Which room a world gets, and so its addresses, is sure only while one simulates.
local all, total = {}, 0
for number = 1, threads do all[number] = sync.Thread { target = simulate, args = { number } }:start() end
for _, thread in ipairs(all) do
  local differ, made = thread:result()
  total = total + made
  if threads == 1 and differ[1] then io.stderr:write("FUZZ: not repeated: ", table.concat(differ, "; "), "\n") end
end
print("CALLS " .. total)

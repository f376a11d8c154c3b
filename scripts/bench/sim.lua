--- sim.lua [SECONDS]: how many simulated worlds, and steps in them, one second holds. Run by luasync; prints one line.
-- The script in each world: three threads of six operations each (lock, shared read, shared write, unlock, put, get),
-- started and joined by its main thread. Every world has another seed. Steps are counted from the script, three times
-- six, not from the report: starting and joining come on top, unpaid.
local sync = require "luasync"

local seconds = tonumber(arg[1]) or 2

local function worker(lock, shared, queue)
  lock:acquire()
  local x = shared.x
  shared.x = x + 1
  lock:release()
  queue:put(x)
  queue:get()
end

local function world()
  local lock, shared, queue = sync.Lock(), sync.Shared { x = 0 }, sync.Queue()
  local threads = {}
  for i = 1, 3 do threads[i] = sync.spawn(worker, lock, shared, queue) end
  for i = 1, 3 do threads[i]:join() end
  assert(shared.x == 3)
end

local worlds, t = 0, sync.monotonic()
local elapsed
repeat
  for _ = 1, 20 do
    worlds = worlds + 1
    sync.simulate(world, { seed = worlds })
  end
  elapsed = sync.monotonic() - t
until elapsed >= seconds
print(("simulated worlds: %.0f/s, steps: %.0f/s, %.1f us each world (%d worlds, 3 threads of 6 operations)"):format(
  worlds / elapsed, worlds * 18 / elapsed, elapsed / worlds * 1e6, worlds))

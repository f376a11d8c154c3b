--- sim.lua [SECONDS]: how many simulated worlds, and steps in them, one second holds. Run by luasync; a line for each
-- of two scripts. In both, three threads do six operations each, and a main thread starts and joins them; steps are
-- counted from the script, three times six: starting and joining come on top, unpaid. "locks" takes and gives back a
-- lock three times; "mixed" takes a lock, reads and writes a shared table, gives the lock back, puts and gets.
local sync = require "luasync"

local seconds = tonumber(arg[1]) or 2

local function locks()
  local lock = sync.Lock()
  local function worker()
    for _ = 1, 3 do
      lock:acquire()
      lock:release()
    end
  end
  local threads = {}
  for i = 1, 3 do threads[i] = sync.spawn(worker) end
  for i = 1, 3 do threads[i]:join() end
end

local function mixed_worker(lock, shared, queue)
  lock:acquire()
  local x = shared.x
  shared.x = x + 1
  lock:release()
  queue:put(x)
  queue:get()
end

local function mixed()
  local lock, shared, queue = sync.Lock(), sync.Shared { x = 0 }, sync.Queue()
  local threads = {}
  for i = 1, 3 do threads[i] = sync.spawn(mixed_worker, lock, shared, queue) end
  for i = 1, 3 do threads[i]:join() end
  assert(shared.x == 3)
end

--- Runs `world` again and again, every time with another seed, or with none.
local function measure(name, world, seeded)
  local worlds, start = 0, sync.monotonic()
  local elapsed
  repeat
    for _ = 1, 20 do
      worlds = worlds + 1
      sync.simulate(world, seeded and { seed = worlds } or nil)
    end
    elapsed = sync.monotonic() - start
  until elapsed >= seconds
  print(("simulated worlds, %-6s %-11s %6.0f/s, steps: %7.0f/s, %.1f us each world"):format(
    name, seeded and "seeded:" or "in turns:", worlds / elapsed, worlds * 18 / elapsed, elapsed / worlds * 1e6))
end

for _, seeded in ipairs { false, true } do
  measure("locks", locks, seeded)
  measure("mixed", mixed, seeded)
end

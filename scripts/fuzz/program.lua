--- A fuzzed program: some threads that make calls, and the main thread that keeps them from waiting for ever.
--
-- usage: luasync [--seed N] program.lua SEED CALLS THREADS [how]
--
-- Prints what the threads made of it and how many calls they have made; in a simulated world the same for the same
-- seed. `how` is "log" (each call is
-- printed) or "signals" (the process sends itself SIGQUIT now and then).

local sync = require "luasync"
local folder = arg[0]:match "^(.*/)" or "./"
local worker = dofile(folder .. "worker.lua")

local seed, calls, count, how = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3]), arg[4]
local STUCK = 60                  -- seconds without a sign of life: a hang
local PAUSE = 0.002               -- between two interrupts

math.randomseed(seed)
sync.set_excepthook(function() end)

local common, progress, ready = sync.Shared {}, sync.Atomic(), sync.Atomic()
local plan = worker.plan(folder)
local objects = { common }
for _, name in ipairs { "Lock", "RLock", "Condition", "Event", "Queue", "PriorityQueue", "Semaphore", "Local" } do
  objects[#objects + 1] = sync[name]()
end
for _ = 1, 3 do
  objects[#objects + 1] = sync.Thread { target = function(...) return ... end, args = { objects[2] }, daemon = true }
end

local workers = {}
for number = 1, count do
  workers[number] = sync.Thread {
    target = worker.run, daemon = true, name = "worker " .. number,
    args = { { plan = plan, seed = seed, number = number, calls = calls, common = common, progress = progress,
               ready = ready, objects = objects, log = how == "log" } },
  }
  workers[number]:start()
end

--- For run.lua, as late as may be: a run that ends otherwise counts for nothing. The debug library may have led a
-- thread to the count itself.
local function print_calls() print("CALLS " .. math.min(math.max(progress:get(), 0), calls * count)) end

local function ended()
  for _, thread in ipairs(workers) do
    if thread:is_alive() then return false end
  end
  return true
end

local pid
if how == "signals" then
  local file = io.open "/proc/self/stat"
  pid = file:read "n"
  file:close()
end

-- Any of this may be interrupted by the workers, who have the main thread among their objects.
local seen, since = -1, 0
local function watch()
  while not ended() do
    sync.sleep(PAUSE)
    local all = sync.enumerate()
    local victim = all[math.random(#all)]
    if victim ~= sync.main_thread() and ready:get() >= count then victim:interrupt() end
    if pid and math.random(50) == 1 then os.execute("kill -QUIT " .. pid) end
    local now = progress:get()
    since = now == seen and since + PAUSE or 0
    seen = now
    -- wait() takes its lock again before it can be interrupted, as in Python; whoever held it may have ended.
    if since > STUCK / 10 and sync.dump():find "waiting in reacquire" then
      print_calls()
      os.exit(0)
    end
    if since > STUCK then
      io.stderr:write("STUCK after ", now, " calls\n", tostring(sync.dump()), "\n")
      os.exit(98)
    end
  end
end
repeat until pcall(watch)

for number, thread in ipairs(workers) do
  print(number, pcall(thread.result, thread))
end
print_calls()
-- Threads that are no daemons may wait for what nobody does any more.
local alone = true
for _, thread in ipairs(sync.enumerate()) do
  alone = alone and (thread.daemon or thread == sync.main_thread())
end
if not alone or seed % 3 > 0 then os.exit(0, seed % 3 == 1) end

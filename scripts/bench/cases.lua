--- cases.lua NAME ARGS…: the measured side of `make bench`, one figure (or one family of them) per process.
-- Prints `name=value` lines. Run by run.lua in turn with floor.c and the peers; each can be run by hand as well.
local sync = require "luasync"

local now = sync.monotonic
local here = arg[0]:match("^(.*/)") or "./"
local case = {}

local function report(name, value) print(("%s=%.6g"):format(name, value)) end

--- A figure of /proc/self/status in KiB (VmRSS, VmHWM).
local function memory(field)
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^" .. field .. ":%s*(%d+)")
    if kib then return tonumber(kib) end
  end
  error("no " .. field .. " in /proc/self/status")
end

-- ---- queues: every consumer adds up what it gets, so a lost or doubled message cannot pass for speed

local function put_ints(q, n)
  for i = 1, n do q:put(i) end
end

local function sum_ints(q, n)
  local sum = 0
  for _ = 1, n do sum = sum + q:get() end
  return sum
end

--- Small integers, one producer, one consumer: ns per message.
function case.ints(n, maxsize)
  local q = sync.Queue(maxsize or 0)
  local t = now()
  local consumer = sync.spawn(sum_ints, q, n)
  local producer = sync.spawn(put_ints, q, n)
  producer:join()
  local sum = consumer:result()
  t = now() - t
  assert(sum == n * (n + 1) // 2, "messages lost")
  report("ns", t / n * 1e9)
end

local function count_until_zero(q)
  local count = 0
  while q:get() ~= 0 do count = count + 1 end
  return count
end

--- Four producers, four consumers: millions per second, and the smallest consumer's part of a fair share.
function case.mesh(n)
  local q, producers, consumers = sync.Queue(), {}, {}
  local each = n // 4
  local t = now()
  for i = 1, 4 do consumers[i] = sync.spawn(count_until_zero, q) end
  for i = 1, 4 do producers[i] = sync.spawn(put_ints, q, each) end
  for i = 1, 4 do producers[i]:join() end
  for _ = 1, 4 do q:put(0) end
  local sum, least = 0, math.huge
  for i = 1, 4 do
    local count = consumers[i]:result()
    sum, least = sum + count, math.min(least, count)
  end
  t = now() - t
  assert(sum == each * 4, "messages lost")
  report("rate", sum / t / 1e6)
  report("share", least / each)
end

local function put_jobs(q, n)
  for i = 1, n do q:put { id = i, name = "job", x = 1.5, tags = { "a", "b" } } end
end

local function sum_jobs(q, n)
  local sum = 0
  for _ = 1, n do
    local job = q:get()
    sum = sum + job.id
  end
  return sum
end

--- The job table through a queue: millions per second, ns each.
function case.job(n)
  local q = sync.Queue()
  local t = now()
  local consumer = sync.spawn(sum_jobs, q, n)
  local producer = sync.spawn(put_jobs, q, n)
  producer:join()
  local sum = consumer:result()
  t = now() - t
  assert(sum == n * (n + 1) // 2, "messages lost")
  report("rate", n / t / 1e6)
  report("ns", t / n * 1e9)
end

-- ---- what crosses, beside plain data in the same run: medians of rounds that take turns

local function drain(q, n, done)
  for _ = 1, n do
    for _ = 1, q:get() do q:get() end
    done:put(true)
  end
end

--- Runs each maker's items through a queue to another thread, in turn, so many each time.
-- @return by maker: seconds an item in each round
local function in_turn(makers, n)
  local rounds, each = 15, n // 15
  local q, done, times = sync.Queue(), sync.Queue(), {}
  local reader = sync.spawn(drain, q, (rounds + 1) * #makers, done)
  for round = 0, rounds do -- the first one warms up
    for number, make in ipairs(makers) do
      local t = now()
      q:put(each)
      for i = 1, each do q:put(make(i)) end
      done:get()
      times[number] = times[number] or {}
      if round > 0 then times[number][round] = (now() - t) / each end
    end
  end
  reader:join()
  return times
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function report_ratio(name, times, others)
  local list = {}
  for i, time in ipairs(times) do list[i] = time / others[i] end
  report(name, median(list))
end

--- Instances with two fields, of a class with so many methods, against plain tables.
function case.instance(n, methods)
  local class = {}
  class.__index = class
  for i = 1, methods do class["method" .. i] = function(self, x) return self.n + x * i end end
  local times = in_turn({
    function(i) return setmetatable({ n = i, name = "object" }, class) end,
    function(i) return { n = i, name = "object" } end,
  }, n)
  report_ratio("x", times[1], times[2])
  report("ns", median(times[1]) * 1e9)
end

--- A new function with three captured locals: microseconds, and against what Lua itself takes for dump and load.
function case.closure(n)
  local times = in_turn({ function(i)
    local a, b, c = i, "text", 1.5
    return function() return a, b, c end
  end }, n)
  local own = {}
  for round = 1, #times[1] do
    local t, each = now(), n // 15
    for i = 1, each do
      local a, b, c = i, "text", 1.5
      local f = load(string.dump(function() return a, b, c end), "f", "b")
      debug.setupvalue(f, 1, a)
      debug.setupvalue(f, 2, b)
      debug.setupvalue(f, 3, c)
    end
    own[round] = (now() - t) / each
  end
  report_ratio("x", times[1], own)
  report("us", median(times[1]) * 1e6)
end

local function answer(ping, pong, n)
  for _ = 1, n do pong:put(ping:get()) end
end

--- There and back over two queues: microseconds.
function case.roundtrip(n)
  local ping, pong = sync.Queue(), sync.Queue()
  local other = sync.spawn(answer, ping, pong, n)
  local t = now()
  for i = 1, n do
    ping:put(i)
    pong:get()
  end
  report("us", (now() - t) / n * 1e6)
  other:join()
end

local function put_strings(q, n)
  local text = ("x"):rep(1 << 20)
  for _ = 1, n do q:put(text) end
end

--- Peak memory after a fifth of the messages is compared with the peak at the end.
local function sum_strings(q, n, peak)
  local sum, early = 0, nil
  for i = 1, n do
    sum = sum + #q:get()
    if i == n // 5 then early = peak() end
  end
  return sum, peak() / early
end

--- Strings of 1 MiB, four at most in the queue: GB/s, and the growth of peak memory over the last four fifths of them.
function case.strings(n)
  local q = sync.Queue(4)
  local function peak() return memory("VmHWM") end
  local t = now()
  local consumer = sync.spawn(sum_strings, q, n, peak)
  local producer = sync.spawn(put_strings, q, n)
  producer:join()
  local sum, growth = consumer:result()
  t = now() - t
  assert(sum == n << 20, "messages lost")
  report("gbs", sum / t / 1e9)
  report("growth", growth)
  report("mib", memory("VmHWM") / 1024)
end

-- ---- locks and signals; the loop is part of the figure, as it is part of the floor

local function time_pairs(n, lock)
  local t = now()
  for _ = 1, n do
    lock:acquire()
    lock:release()
  end
  report("ns", (now() - t) / n * 1e9)
end

function case.lock(n) time_pairs(n, sync.Lock()) end

function case.rlock(n) time_pairs(n, sync.RLock()) end

function case.semaphore(n) time_pairs(n, sync.Semaphore(1)) end

--- Two questions per turn, to stand beside two empty calls.
function case.event(n)
  local event = sync.Event()
  local t = now()
  for _ = 1, n do
    event:is_set()
    event:is_set()
  end
  report("ns", (now() - t) / n * 1e9)
end

local function fight(lock, from, to)
  local clock = sync.monotonic
  sync.sleep(math.max(0, from - clock()))
  local n = 0
  repeat
    for _ = 1, 100 do
      lock:acquire()
      lock:release()
    end
    n = n + 100
  until clock() >= to
  return n
end

--- One lock, several threads, for some milliseconds: millions of pairs per second, the smallest part of a fair share.
function case.contended(threads, ms)
  local lock, list = sync.Lock(), {}
  local from = now() + 0.02
  for i = 1, threads do list[i] = sync.spawn(fight, lock, from, from + ms / 1000) end
  local sum, least = 0, math.huge
  for i = 1, threads do
    local n = list[i]:result()
    sum, least = sum + n, math.min(least, n)
  end
  report("rate", sum / ms / 1e3)
  report("share", least * threads / sum)
end

-- ---- shared tables

--- Reads of a number and of a short string: ns each.
function case.shared_read(n)
  local shared = sync.Shared { number = 1, text = "short" }
  local x
  local t = now()
  for _ = 1, n do x = shared.number end
  report("number", (now() - t) / n * 1e9)
  assert(x == 1)
  t = now()
  for _ = 1, n do x = shared.text end
  report("text", (now() - t) / n * 1e9)
  assert(x == "short")
end

--- Writes of the same: ns each.
function case.shared_write(n)
  local shared = sync.Shared { number = 1, text = "short" }
  local t = now()
  for i = 1, n do shared.number = i end
  report("number", (now() - t) / n * 1e9)
  assert(shared.number == n)
  t = now()
  for _ = 1, n do shared.text = "other" end
  report("text", (now() - t) / n * 1e9)
  assert(shared.text == "other")
end

-- ---- threads

local function nothing() end

--- What an event costs while a timeline is recorded: ns, of two events a turn.
function case.recorded(n)
  local lock, queue, shared = sync.Lock(), sync.Queue(), sync.Shared { x = 0 }
  local function locks() for _ = 1, n do lock:acquire() lock:release() end end
  local function items() for i = 1, n do queue:put(i) queue:get() end end
  local function writes() for i = 1, 2 * n do shared.x = i end end
  local function ns(work)
    local best = math.huge
    for _ = 1, 3 do
      local t = os.clock() -- one thread: its processor time
      work()
      best = math.min(best, os.clock() - t)
    end
    return best / (2 * n) * 1e9
  end
  local works = { lock = locks, queue = items, shared = writes }
  local plain = {}
  for name, work in pairs(works) do plain[name] = ns(work) end
  sync.trace.start()
  for name, work in pairs(works) do report(name, ns(work) - plain[name]) end
end

--- Spawn and join, one after the other: microseconds.
function case.spawn(n)
  local t = now()
  for _ = 1, n do sync.spawn(nothing):join() end
  report("us", (now() - t) / n * 1e6)
end

local function wait_at(ready, event)
  ready:release()
  event:wait()
end

--- Many threads blocked on one Event: seconds until all are there, KiB each, seconds until all are awake and joined.
function case.blocked(n)
  local ready, event, threads = sync.Semaphore(0), sync.Event(), {}
  local before, t = memory("VmRSS"), now()
  for i = 1, n do threads[i] = sync.spawn(wait_at, ready, event) end
  for _ = 1, n do ready:acquire() end
  report("start", now() - t)
  sync.sleep(0.2) -- let the last ones reach the event
  report("kib", (memory("VmRSS") - before) / n)
  t = now()
  event:set()
  for i = 1, n do threads[i]:join() end
  report("wake", now() - t)
end

local function do_work(file, name, n) dofile(file)[name](n) end

local function time_work(threads, name, n)
  local list = {}
  local t = now()
  for i = 1, threads do list[i] = sync.spawn(do_work, here .. "work.lua", name, n) end
  for i = 1, threads do list[i]:result() end
  return now() - t
end

--- The work of one thread before and after, against two threads doing it at once: 2 is perfect.
function case.scale(name, n)
  time_work(2, name, n // 4) -- the first pages of a process cost more than all later ones
  local before, both, after = time_work(1, name, n), time_work(2, name, n), time_work(1, name, n)
  report("x", (before + after) / both)
end

local run = case[arg[1]] or error(("no case '%s'"):format(arg[1]))
local args = {}
for i = 2, #arg do args[i - 1] = math.tointeger(tonumber(arg[i])) or arg[i] end
run(table.unpack(args))

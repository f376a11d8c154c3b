local sync = require "luasync"
local command = require "spec.command"

-- Lines of the scripts are counted in the reports: each begins on its first line.
local philosophers = [[
local sync = require "luasync"
local gate = sync.Barrier and sync.Barrier(3) or { wait = function() sync.sleep(0.1) end }
local function dine(left, right)
  left:acquire()
  gate:wait()
  right:acquire()
end
local A, B, C = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }, sync.RLock{ name = "C" }
local t = {
  sync.Thread{ name = "P1", target = dine, args = { A, B } }:start(),
  sync.Thread{ name = "P2", target = dine, args = { B, C } }:start(),
  sync.Thread{ name = "P3", target = dine, args = { C, A } }:start() }
for i = 1, 3 do t[i]:join() end]]

local function both(text, check)
  for _, option in ipairs { false, "--virtual" } do
    local result = command.text(text, table.unpack { option or nil })
    check(result, option or "real world")
  end
end

describe("a circle in a simulated run that goes on", function()
  local script = [[
local sync = require "luasync"
local A, B = sync.RLock { name = "A" }, sync.RLock { name = "B" }
local function both(x, y) x:acquire() sync.sleep(0.05) y:acquire() end
sync.Thread { name = "T1", daemon = true, target = both, args = { A, B } }:start()
sync.Thread { name = "T2", daemon = true, target = both, args = { B, A } }:start()
for _ = 1, 3 do sync.sleep(1) end]]

  it("is warned of once", function()
    for _, option in ipairs { "--virtual", "--seed=1", "--seed=2" } do
      local result = command.text(script, option)
      assert.equal(0, result.code)
      local rest, count = result.err:gsub("luasync: warning: 2 threads wait for each other, the others go on\n", "")
      assert.equal(1, count)
      assert.matches("T2 waits for RLock 'A' held by T1", rest, 1, true)
      assert.matches("T1 waits for RLock 'B' held by T2", rest, 1, true)
    end
    assert.equal("", command.text(script, "--virtual", "--no-deadlock-check").err)
  end)

  it("stands in the output of simulate", function()
    local report = sync.simulate(assert(load(script)))
    assert.is_true(report.ok)
    assert.matches("2 threads wait for each other", report.output, 1, true)
  end)

  it("is no warning where everybody waits: that is a deadlock", function()
    local result = command.text(script:gsub("for _.*", "sync.Event():wait()"), "--virtual")
    assert.equal(3, result.code)
    assert.is_nil(result.err:find "warning")
  end)
end)

local function expect_deadlock(text, ...)
  local parts = { ... }
  both(text, function(result, world)
    assert.equal(3, result.code, world .. ": " .. result.err)
    -- a busy machine may keep main from its wait until a circle of the others is warned of
    local report = world == "--virtual" and "^luasync: deadlock: " or "luasync: deadlock: "
    assert.matches(report, result.err, 1, false, world)
    for _, part in ipairs(parts) do
      part = part:gsub("FILE", result.name)
      assert.matches(part, result.err, 1, true, world)
    end
    assert.equal(world == "--virtual", result.replay ~= nil)
  end)
end

local function expect_quiet(text, ...)
  local options = { ... }
  local result = command.text(text, table.unpack(options))
  assert.equal("", result.err)
  assert.equal(0, result.code)
  return result.out
end

describe("deadlock", function()
  it("tells the circle in one sentence, and of each thread what it waits for and its traceback", function()
    expect_deadlock(philosophers,
      "deadlock: all 4 threads wait",
      "  P1 waits for Lock 'B' held by P2 (FILE:4) → P2 waits for RLock 'C' held by P3 (FILE:4) → "
        .. "P3 waits for Lock 'A' held by P1 (FILE:4)\n",
      "Thread P1: waiting in acquire of Lock 'B' (locked by P2), held by P2 (FILE:4), since 0.",
      "Thread P3: waiting in acquire of Lock 'A'", "FILE:6: in function <FILE:3>",
      "Thread MainThread: waiting in join of Thread 'P1'")
  end)

  it("is found where a single thread waits for what nobody can give it", function()
    for _, case in ipairs {
      { "sync.Event():wait()", "waiting in wait of Event 'Event-1' (unset)" },
      { "local l = sync.Lock() l:acquire() l:acquire()", "held by MainThread (FILE:1)" },
      { "sync.Queue():get()", "waiting in get of Queue 'Queue-1' (0 items)" },
      { "local q = sync.Queue(1) q:put(1) q:put(2)", "waiting in put of Queue 'Queue-1' (1 of 1 items)" },
      { "local q = sync.Queue() q:put(1) q:join()", "waiting in join of Queue 'Queue-1'" },
      { "sync.Semaphore(0):acquire()", "waiting in acquire of Semaphore 'Semaphore-1' (value 0)" },
      { "local c = sync.Condition() c:acquire() c:wait()", "waiting in wait of Condition 'Condition-1'" },
    } do
      expect_deadlock("local sync = require 'luasync' " .. case[1],
        "deadlock: the only thread waits, and nothing can wake it", case[2])
    end
  end)

  it("is found when the last thread that could have helped ends, or times out", function()
    expect_deadlock([[
      local sync = require "luasync"
      local q = sync.Queue{ name = "empty" }
      sync.spawn(function() sync.sleep(0.05) end)
      sync.spawn(function() sync.Event():wait(0.1) end)
      q:get()]], "waiting in get of Queue 'empty'")
  end)

  it("is found after the main script, and counts daemons that wait as well", function()
    expect_deadlock([[
      local sync = require "luasync"
      local q = sync.Queue()
      sync.Thread{ target = function() q:get() end, daemon = true }:start()
      sync.Thread{ name = "waits", target = function() q:get() end }:start()]], "Thread waits: waiting in get",
      "(daemon): waiting in get")
    expect_quiet([[
      local sync = require "luasync"
      local q = sync.Queue()
      sync.Thread{ target = function() q:get() end, daemon = true }:start()]])
  end)

  it("says that the owner of a lock has ended", function()
    expect_deadlock([[
local sync = require "luasync"
local l = sync.Lock{ name = "L" }
sync.Thread{ name = "gone", target = function()
  l:acquire()
end }:start():join()
l:acquire()]], "  MainThread waits for Lock 'L' held by gone, which has ended (FILE:4)\n")
  end)

  it("says lost wake-up, with the lines of the notify or set and of the wait", function()
    expect_deadlock([[
local sync = require "luasync"
local c = sync.Condition{ name = "C" }
sync.spawn(function() c:acquire()
  c:notify()
c:release() end):join()
sync.Thread{ name = "late", target = function() c:acquire()
  c:wait()
end }:start():join()]],
      "lost wake-up: the notify of Condition 'C' at FILE:4 woke nobody, and late began to wait at FILE:7 after it")
    expect_deadlock([[
local sync = require "luasync"
local e = sync.Event{ name = "E" }
e:set()
e:clear()
e:wait()]],
      "lost wake-up: the set of Event 'E' at FILE:3 woke nobody, and MainThread began to wait at FILE:5 after it")
  end)

  it("does not call a set lost that a wait has found", function()
    local report = sync.simulate(function()
      local e = sync.Event()
      e:set()
      e:wait()
      e:clear()
      e:wait()
    end)
    assert.matches("waiting in wait of Event", report.deadlock, 1, true)
    assert.falsy(report.deadlock:find("lost wake-up", 1, true))
  end)

  it("says that main stands at the end of its script", function()
    local report = sync.simulate(function()
      sync.Thread { name = "T", target = function() sync.Event():wait() end }:start()
    end)
    assert.matches("Thread MainThread: waiting in join of Thread 'T' (started), since 0.000 s at the end of the script",
      report.deadlock, 1, true)
  end)

  it("knows that a notified thread waits for the lock, not for a notify", function()
    expect_deadlock([[
local sync = require "luasync"
local l = sync.Lock{ name = "L" }
local c = sync.Condition(l)
local ready = sync.Event()
sync.Thread{ name = "W", target = function() c:acquire() ready:set() c:wait() end }:start()
ready:wait()
l:acquire()
c:notify()
c:notify()
sync.Queue():get()]], "Thread W: waiting in reacquire of Lock 'L' (locked by MainThread), held by MainThread (FILE:7)")
    local result = command.text([[
local sync = require "luasync"
local c = sync.Condition()
sync.spawn(function() c:acquire() c:wait() end)
sync.sleep(0.1)
c:acquire() c:notify() c:notify()
sync.Event():wait()]], "--virtual")
    assert.equal(3, result.code)
    assert.is_nil(result.err:find("lost wake-up", 1, true))
  end)

  it("reports to the caller of simulate", function()
    local report = sync.simulate(function()
      local l = sync.Lock { name = "L" }
      l:acquire()
      sync.Thread { name = "T", target = function() l:acquire() end }:start():join()
    end)
    assert.is_false(report.ok)
    assert.is_nil(report.error)
    assert.matches("T waits for Lock 'L' held by MainThread", report.deadlock, 1, true)
    assert.matches("MainThread waits for the end of Thread 'T'", report.deadlock, 1, true)
  end)

  it("has the line of a block that holds a lock, not that of a function that has had it before", function()
    local script = [[
local sync = require "luasync"
local lock = sync.Lock{ name = "L" }
local function f()
  lock:acquire()
end
f()
lock:release()
lock:with(function()
  sync.spawn(function() lock:acquire() end):join()
end)]]
    both(script, function(result, world)
      assert.matches("Lock 'L' held by MainThread %(.-:8%)\n", result.err, 1, false, world)
      assert.equal(3, result.code)
    end)
  end)

  it("is not looked for with --no-deadlock-check", function()
    local path = command.script "require 'luasync'.Event():wait()"
    local result = command.run({ "--no-deadlock-check", path }, "timeout 0.4")
    os.remove(path)
    assert.equal(124, result.code)
    assert.equal("", result.err)
  end)
end)

describe("a circle of some threads", function()
  -- Goes on until stderr, which is a file, has n warnings, or for ten seconds.
  local warned = [[local sync = require "luasync"
local function until_warned(n)
  local text = ""
  for _ = 1, 200 do
    if select(2, text:gsub("warning", "")) >= n then break end
    sync.sleep(0.05)
    local file = io.open "/proc/self/fd/2"
    text = file:read "a"
    file:close()
  end
end ]]

  local function script(rest)
    return warned .. ([[
local sync = require "luasync"
local A, B, gate = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }, sync.Barrier(2)
local function cross(x, y, pause) x:acquire() gate:wait() sync.sleep(pause) y:acquire() end
%s
until_warned(1)
sync.sleep(0.1)
print "the rest goes on"
os.exit(0)]]):format(rest)
  end
  local start = [[sync.Thread{ name = "%s", target = cross, args = { %s } }:start() ]]

  it("is warned of while the rest goes on, once, whichever thread waits last", function()
    for _, pauses in ipairs { { 0, 0 }, { 0, 0.02 }, { 0.3, 0 }, { 0, 0.3 } } do
      local order = start:format("T1", "A, B, " .. pauses[1]) .. start:format("T2", "B, A, " .. pauses[2])
      local result = command.text(script(order))
      assert.equal(0, result.code)
      assert.equal("the rest goes on\n", result.out)
      local _, times = result.err:gsub("luasync: warning: 2 threads wait for each other, the others go on", "")
      assert.equal(1, times, result.err)
      assert.matches("T1 waits for Lock 'B' held by T2 (" .. result.name, result.err, 1, true)
      assert.matches("T2 waits for Lock 'A' held by T1 (" .. result.name, result.err, 1, true)
    end
  end)

  it("is warned of beside others, though a report asks those that run", function()
    local result = command.text(warned .. [[
local sync = require "luasync"
local function cross(x, y, n) x:acquire() n:add(1) while n:get() < 2 do end y:acquire() end
for i = 1, 30 do
  local A, B, n = sync.Lock{ name = "A" .. i }, sync.Lock{ name = "B" .. i }, sync.Atomic()
  for _, args in ipairs { { A, B, n }, { B, A, n } } do
    sync.Thread{ target = cross, args = args, daemon = true }:start()
  end
  sync.sleep(0.01)
end
until_warned(30)]])
    for i = 1, 30 do
      local _, times = result.err:gsub("others go on\n[^\n]* waits for Lock '[AB]" .. i .. "'", "")
      assert.equal(1, times, i)
    end
  end)

  it("is seen through RLocks and joins", function()
    local result = command.text(warned .. [[
local sync = require "luasync"
local l = sync.RLock{ name = "R" }
sync.Thread{ name = "outer", target = function()
  l:acquire()
  sync.Thread{ name = "inner", target = function() l:acquire() end }:start():join()
end }:start()
until_warned(1)
os.exit(0)]])
    assert.matches("outer waits for the end of Thread 'inner'", result.err, 1, true)
    assert.matches("inner waits for RLock 'R' held by outer", result.err, 1, true)
  end)

  it("is not imagined where another thread releases a lock", function()
    assert.equal("went on\n", expect_quiet [[
      local sync = require "luasync"
      local signal = sync.Lock()
      signal:acquire()
      local waiter = sync.spawn(function() signal:acquire() print "went on" end)
      sync.spawn(function() sync.sleep(0.5) signal:release() end)
      waiter:join()]])
    assert.equal("again\n", expect_quiet [[
      local sync = require "luasync"
      local own = sync.Lock()
      own:acquire()
      sync.spawn(function() sync.sleep(0.5) own:release() end)
      own:acquire()
      print "again"]])
    expect_quiet [[
      local sync = require "luasync"
      local a, b = sync.Lock(), sync.Lock()
      a:acquire() b:acquire() a:release() b:release()
      local helper = sync.spawn(function()
        a:acquire() sync.sleep(0.1) a:release() sync.sleep(0.5) a:release() b:release()
      end)
      sync.sleep(0.05)
      local one = sync.spawn(function() sync.sleep(0.1) a:acquire(true, 1) b:acquire(true, 5) end)
      local two = sync.spawn(function() sync.sleep(0.1) b:acquire(true, 1) a:acquire(true, 5) end)
      one:join() two:join() helper:join()]]
  end)

  it("is not imagined where a wait has a timeout", function()
    expect_quiet [[
      local sync = require "luasync"
      local a, b = sync.Lock(), sync.Lock()
      local function cross(x, y)
        x:acquire() sync.sleep(0.05)
        if y:acquire(true, 0.5) then y:release() end
        x:release()
      end
      local s, t = sync.spawn(cross, a, b), sync.spawn(cross, b, a)
      s:join() t:join()]]
  end)
end)

describe("no deadlock", function()
  it("is where a daemon reads from outside", function()
    local path = command.script [[
      local sync = require "luasync"
      local q = sync.Queue()
      sync.Thread{ target = function() q:put(io.read()) end, daemon = true }:start()
      print(q:get())]]
    local later = command.run({ path }, "{ sleep 0.4; echo line; } |", "")
    os.remove(path)
    assert.equal("line\n", later.out)
    assert.equal("", later.err)
  end)

  it("is where somebody sleeps or has a timeout", function()
    local text = [[
      local sync = require "luasync"
      local e, c = sync.Event(), sync.Condition()
      sync.spawn(function() sync.sleep(0.05) c:acquire() c:wait(0.05) c:release() e:set() end)
      e:wait()
      print "set"]]
    assert.equal("set\n", expect_quiet(text))
    assert.equal("set\n", expect_quiet(text, "--virtual"))
  end)

  it("is under heavy contention, however often all but one wait", function()
    local out = expect_quiet [[
      local sync = require "luasync"
      local lock, rlock, condition = sync.Lock(), sync.RLock(), sync.Condition()
      local semaphore, ping, pong, sum = sync.Semaphore(1), sync.Queue(1), sync.Queue(1), sync.Shared{ n = 0 }
      local function work(i)
        for k = 1, 400 do
          lock:acquire() rlock:acquire() semaphore:acquire()
          sum.n = sum.n + 1
          semaphore:release() rlock:release() lock:release()
          if i % 2 == 0 then ping:put(k) pong:get() else ping:get() pong:put(k) end
          condition:acquire() condition:notify_all() condition:wait(0.0001) condition:release()
        end
      end
      local t = {}
      for i = 1, 8 do t[i] = sync.spawn(work, i) end
      for i = 1, 8 do t[i]:join() end
      print(sum.n)]]
    assert.equal("3200\n", out)
  end)

  it("is where threads start and end all the time", function()
    expect_quiet [[
      local sync = require "luasync"
      for i = 1, 300 do
        local q = sync.Queue()
        local t = sync.spawn(function() q:put(q:get()) end)
        sync.spawn(function() q:put(i) end)
        t:join()
        assert(q:get() == i)
      end]]
  end)
end)

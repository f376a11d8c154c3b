-- Rules of Python's modules that come out otherwise here, each by its id: what stands in the place of what is missing.
-- The reference has a line for each of them (`python`).
local sync = require "luasync"
local support = require "spec.support"
local command = require "spec.command"

--- Asserts that the object has none of these fields.
local function without(object, ...)
  for _, name in ipairs { ... } do assert(object[name] == nil, name) end
end

describe("In place of Python's", function()
  it("LK13 older names of a lock's methods there are none", function()
    without(sync.Lock(), "acquire_lock", "release_lock", "locked_lock")
  end)

  it("RL09 hooks for Condition, Condition itself gives back all levels and takes as many again", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local lock = s.RLock { name = "R" }
      local condition = s.Condition(lock)
      assert(lock._is_owned == nil and lock._release_save == nil and lock._acquire_restore == nil)
      for _ = 1, 3 do lock:acquire() end
      s.spawn(function() condition:with(function() condition:notify() end) end)
      assert(condition:wait() and tostring(lock):find "3 deep")
      for _ = 1, 3 do lock:release() end
      assert(not lock:locked())
    end)
  end)

  it("TH11 run(), the target is called once, and let go with its arguments when it has run", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local kept = setmetatable({ {} }, { __mode = "v" })
      local thread = s.Thread { target = function(t) return t ~= nil end, args = { kept[1] } }
      assert(thread.run == nil and thread:start():result() == true)
      collectgarbage()
      assert(kept[1] == nil and not pcall(thread.start, thread))
    end)
  end)

  it("TH12 subclasses, a thread has a target, and no method can be replaced", function()
    local message = support.error_of(function() sync.Thread(5) end)
    assert.matches("^bad argument #1 to '[%a.]+' %(function expected, got number%)$", message)
    local thread = sync.Thread(print)
    assert.is_false(pcall(function() thread.run = print end))
    assert.is_false(pcall(function() thread.start = print end))
  end)

  it("TH23 SystemExit, a return ends the thread alone, and os.exit the program", function()
    local result = command.text [[
      local sync = require "luasync"
      sync.set_excepthook(function() print "hook" end)
      sync.spawn(function() do return end end):join()
      sync.spawn(function() os.exit(7) end):join()
      sync.sleep(30)
    ]]
    assert.same({ 7, "", "" }, { result.code, result.out, result.err })
  end)

  it("TH24 kill, suspend and priorities, as in Python, there is nothing but interrupt", function()
    without(sync.Thread(print), "kill", "terminate", "suspend", "resume", "cancel", "priority", "group")
  end)

  it("EX10 atexit, what is closed or collected at the end of main runs once, after the threads", function()
    assert.equal("thread\nclosed\ncollected\n", command.output [[
      local sync = require "luasync"
      local once = setmetatable({}, { __gc = function() print "collected" end })
      local done = sync.Event()
      sync.spawn(function() done:wait() print "thread" end)
      local last <close> = setmetatable({}, { __close = function() done:set() sync.settle() print "closed" end })
      assert(once)
    ]])
  end)

  it("TI06 a timer's attributes, the thread tells, also where its function has failed", function()
    local loud = support.quiet()
    local timer = sync.Timer(0.001, function() error("late", 0) end)
    without(timer, "interval", "args", "kwargs", "finished")
    assert.is_true(timer:start():join(support.LONG))
    loud()
    assert.is_false(timer:is_alive())
    assert.same({ false, "late" }, { pcall(timer.result, timer) })
    local cancelled = sync.Timer(1000, print):start()
    cancelled:cancel()
    assert.is_true(cancelled:join(support.LONG))
  end)

  it("LO06 class attributes, defaults and functions stand in the table that a Local is made of", function()
    support.in_both_worlds(function()
      local kept = require "luasync".Local { n = 1, add = function(self, k) self.n = self.n + k return self.n end }
      assert(kept:add(1) == 2)
      local function other() return kept:add(5), kept.n end
      local a, b = require "luasync".spawn(other):result()
      assert(a == 6 and b == 6 and kept.n == 2)
    end)
  end)

  it("LO07 __dict__ there is a field like others", function()
    local kept = sync.Local()
    assert.is_nil(kept.__dict__)
    kept.__dict__ = 1
    assert.equal(1, kept.__dict__)
    assert.is_nil(support.finish(support.start(function() return kept.__dict__ end)))
  end)

  it("QU14 the exceptions Empty, Full and ShutDown there are results", function()
    local queue = sync.Queue(1)
    assert.same({ nil, "empty" }, { queue:get(false) })
    queue:put(1)
    assert.same({ nil, "full" }, { queue:put(2, false) })
    queue:shutdown(true)
    assert.same({ nil, "shutdown" }, { queue:get() })
    assert.same({ nil, "shutdown" }, { queue:put(2) })
    without(sync, "Empty", "Full", "ShutDown")
  end)

  it("QU15 a queue's attributes there are maxsize and is_shutdown, to be read only", function()
    local queue = sync.Queue(3)
    without(queue, "mutex", "not_empty", "not_full", "all_tasks_done", "queue", "unfinished_tasks")
    assert.same({ 3, false }, { queue.maxsize, queue.is_shutdown })
    for _, name in ipairs { "maxsize", "is_shutdown", "mutex" } do
      support.raises("cannot set field '" .. name .. "' of a queue", function() queue[name] = 1 end)
    end
    queue:put(1)
    assert.is_false(queue:join(0))
  end)

  it("MO09 ExceptHookArgs, a hook gets the thread, the error and the traceback", function()
    local report = sync.simulate(function()
      local s = require "luasync"
      local seen = s.Queue()
      s.set_excepthook(function(...) seen:put(table.pack(...)) end)
      s.Thread { name = "F", target = function() error { 5 } end }:start():join()
      local got = seen:get()
      return got.n, got[1].name, got[2][1], type(got[3])
    end)
    assert.same({ n = 4, 3, "F", 5, "string" }, report.results)
  end)

  it("MO10 settrace and setprofile, debug.sethook is for its own thread", function()
    without(sync, "settrace", "setprofile", "gettrace", "getprofile", "settrace_all_threads")
    support.in_both_worlds(function()
      debug.sethook(function() end, "", 1000000)
      local hook = require "luasync".spawn(function() return debug.gethook() == nil end):result()
      debug.sethook()
      assert(hook)
    end)
  end)

  it("MO11 stack_size, calls may be nested as deep in a thread as in main #noapicheck", function()
    assert.is_nil(sync.stack_size)
    local function depth()
      local n = 0
      local function down()
        n = n + 1
        return (down())
      end
      local _, message = pcall(down)
      return n > 10000 and message:find "stack overflow" ~= nil
    end
    assert.is_true(depth())
    assert.is_true(support.finish(support.start(depth)))
  end)

  it("MO13 ThreadError and BrokenBarrierError, misuse is an error with position, an outcome is a result", function()
    without(sync, "ThreadError", "BrokenBarrierError")
    support.raises("release unlocked lock", function() sync.Lock():release() end)
    local barrier = sync.Barrier(2)
    barrier:abort()
    assert.same({ nil, "broken" }, { barrier:wait() })
  end)

  it("MO14 import *, the module is a table, and nothing is added to the globals", function()
    assert.equal("true\n", command.output [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local sync = require "luasync"
      for _, name in ipairs { "Thread", "Lock", "Event", "Timer", "Barrier", "Local", "Queue", "Pool" } do
        assert(sync[name], name)
      end
      for name in pairs(_G) do assert(before[name], name) end
      print(rawequal(sync, require "luasync"))
    ]])
  end)

  it("PE01 thread_name_prefix, workers have the name of their pool and a number", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local pool <close> = s.Pool(1, { name = "P" })
      assert(pool:submit(function() return require "luasync".current_thread().name end):result() == "P_1")
    end)
  end)

  it("PE14 an initializer, a Local's function runs once in each worker, and an error of it is the task's", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local runs = s.Atomic(0)
      local home = s.current_thread().ident
      local kept = s.Local(function(self)
        if s.current_thread().ident ~= home then
          if runs:add(1) == 1 then error("not yet", 0) end
          self.made = runs:get()
        end
      end)
      local pool <close> = s.Pool(1)
      local function task() return kept.made end
      local ok, why = pcall(function() return pool:submit(task):result() end)
      assert(not ok and why == "not yet")
      for _ = 1, 3 do assert(pool:submit(task):result() == 2) end
    end)
  end)

  it("FU05 exception(), pcall of result tells", function()
    support.in_both_worlds(function()
      local pool <close> = require "luasync".Pool(1)
      local future = pool:submit(function() error { code = 4 } end)
      assert(future.exception == nil)
      local ok, why = pcall(future.result, future)
      assert(not ok and why.code == 4)
    end)
  end)

  it("FU06 add_done_callback, a thread waits for the future", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local pool <close> = s.Pool(1)
      local go = s.Event()
      local future = pool:submit(function() go:wait() return 3 end)
      assert(future.add_done_callback == nil)
      local called = s.spawn(function() return future:result() + 1 end)
      go:set()
      assert(called:result() == 4)
    end)
  end)

  it("FU07 set_result and set_exception, only its task gives a future its outcome, which stays", function()
    support.in_both_worlds(function()
      local pool <close> = require "luasync".Pool(1)
      local future = pool:submit(function() return 1, nil, 3 end)
      assert(future.set_result == nil and future.set_exception == nil)
      for _ = 1, 2 do
        local got = table.pack(future:result())
        assert(got.n == 3 and got[1] == 1 and got[2] == nil and got[3] == 3)
      end
      assert(not future:cancel() and future:result() == 1)
    end)
  end)

  it("FU08 set_running_or_notify_cancel, a task that was cancelled never begins", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local pool <close> = s.Pool(1)
      local go, begun = s.Event(), s.Atomic(0)
      local first = pool:submit(function() go:wait() end)
      local second = pool:submit(function() begun:add(1) end)
      assert(second.set_running_or_notify_cancel == nil and second:cancel())
      go:set()
      first:result()
      assert(pool:submit(function() return begun:get() end):result() == 0 and not second:running())
    end)
  end)

  it("FU12 as_completed, select in a loop has them in the order of their ends", function()
    local report = sync.simulate(function()
      local s = require "luasync"
      local pool <close> = s.Pool(3)
      local open, order = {}, {}
      for i, seconds in ipairs { 3, 1, 2 } do
        open[i] = pool:submit(function()
          require "luasync".sleep(seconds)
          return seconds
        end)
      end
      while open[1] do
        local future = table.remove(open, (s.select(open)))
        order[#order + 1] = future:result()
      end
      return table.concat(order, " "), s.as_completed == nil
    end)
    assert.is_true(report.ok, report.error)
    assert.same({ "1 2 3", true }, { report.results[1], report.results[2] })
  end)

  it("FU13 iterators, select and wait keep no future", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      local pool <close> = s.Pool(1)
      local weak = setmetatable({}, { __mode = "v" })
      do
        local future = pool:submit(function() return 1 end)
        weak[1] = future
        assert(s.select { future } == 1 and #s.wait { future } == 1)
      end
      collectgarbage()
      collectgarbage()
      assert(weak[1] == nil)
    end)
  end)

  it("FU14 CancelledError and BrokenExecutor, 'cancelled' is a result, and a task's error its own value", function()
    support.in_both_worlds(function()
      local s = require "luasync"
      assert(s.CancelledError == nil and s.InvalidStateError == nil and s.BrokenThreadPool == nil)
      local pool <close> = s.Pool(1)
      local go = s.Event()
      pool:submit(go.wait, go)
      local future = pool:submit(print)
      assert(future:cancel())
      local value, why = future:result()
      go:set()
      assert(value == nil and why == "cancelled")
      assert(select(2, pcall(function() return pool:submit(error, 42):result() end)) == 42)
    end)
  end)
end)

local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

describe("Thread:interrupt", function()
  --- Starts fn in a thread, waits until it is blocked, interrupts it.
  -- @return pcall's results of fn in that thread
  local function interrupted(fn, ...)
    local thread = support.start_blocked(function() return pcall(fn) end)
    assert.is_true(thread:interrupt(...))
    return support.finish(thread)
  end

  local lock, rlock = sync.Lock(), sync.RLock()
  local event, semaphore, full, empty, busy = sync.Event(), sync.Semaphore(0), sync.Queue(1), sync.Queue(), sync.Queue()
  local simple, forever = sync.SimpleQueue(), nil
  local stop = sync.Event()

  setup(function()
    lock:acquire()
    rlock:acquire()
    full:put(1)
    busy:put(1)
    forever = sync.Thread { daemon = true, target = function() stop:wait() end }:start()
  end)

  teardown(function()
    stop:set()
    assert.is_true(forever:join(LONG))
    lock:release()
    rlock:release()
  end)

  local calls = {
    ["sleep"] = function() sync.sleep(20) end,
    ["Lock:acquire"] = function() lock:acquire() end,
    ["Lock:acquire with a timeout"] = function() lock:acquire(true, 20) end,
    ["Lock:hold"] = function() lock:hold() end,
    ["Lock:with"] = function() lock:with(print) end,
    ["RLock:acquire"] = function() rlock:acquire() end,
    ["Event:wait"] = function() event:wait() end,
    ["Event:wait with a timeout"] = function() event:wait(20) end,
    ["Semaphore:acquire"] = function() semaphore:acquire() end,
    ["Queue:get"] = function() empty:get() end,
    ["Queue:get with a timeout"] = function() empty:get(true, 20) end,
    ["Queue:items"] = function() for _ in empty:items() do print "never" end end,
    ["Queue:put"] = function() full:put(2) end,
    ["Queue:join"] = function() busy:join() end,
    ["SimpleQueue:get"] = function() simple:get() end,
    ["Thread:join"] = function() forever:join() end,
    ["Thread:result"] = function() forever:result(20) end,
    ["Condition:wait"] = function()
      local condition = sync.Condition()
      condition:acquire()
      condition:wait()
    end,
    ["Condition:wait_for"] = function()
      local condition = sync.Condition()
      condition:acquire()
      condition:wait_for(function() return false end)
    end,
  }

  for name, call in pairs(calls) do
    it("ends a blocked " .. name .. " with an error", function()
      local ok, message = interrupted(call)
      assert.is_false(ok)
      assert.matches("interrupted", message, 1, true)
    end)
  end

  it("ends running Lua code with an error #notsan", function()
    local running = sync.Event()
    local thread = support.start(function()
      return pcall(function()
        running:set()
        while true do end
      end)
    end)
    running:wait(LONG)
    assert.is_true(thread:interrupt())
    local ok, message = support.finish(thread)
    assert.is_false(ok)
    assert.matches("interrupted", message, 1, true)
  end)

  it("ends running Lua code in a coroutine #notsan", function()
    local running = sync.Event()
    local thread = support.start(function()
      return pcall(coroutine.wrap(function()
        running:set()
        while true do end
      end))
    end)
    running:wait(LONG)
    thread:interrupt()
    assert.is_false((support.finish(thread)))
  end)

  it("raises the message in place of 'interrupted'", function()
    local _, message = interrupted(calls.sleep, "time to go")
    assert.matches("time to go", message, 1, true)
    _, message = interrupted(calls.sleep, { reason = { "deep" } })
    assert.same({ reason = { "deep" } }, message)
    _, message = interrupted(calls.sleep, 42)
    assert.equal(42, message)
    _, message = interrupted(calls.sleep, false)
    assert.is_false(message)
    _, message = interrupted(calls.sleep, lock)
    assert.equal(lock, message)
  end)

  it("refuses a message that cannot cross, and interrupts nobody", function()
    local go_on = sync.Event()
    local thread = support.start_blocked(function() return go_on:wait(20) end)
    local text = support.error_of(function() thread:interrupt(coroutine.create(print)) end)
    assert.matches("cannot send a coroutine", text, 1, true)
    go_on:set()
    assert.is_true(support.finish(thread))
  end)

  it("is an error like any other: the thread may go on", function()
    local go_on = sync.Queue()
    local thread = support.start_blocked(function()
      local first = pcall(go_on.get, go_on)
      return first, go_on:get(true, 20)
    end)
    thread:interrupt()
    go_on:put "next"
    local first, second = support.finish(thread)
    assert.is_false(first)
    assert.equal("next", second)
  end)

  it("not caught, it is the thread's error", function()
    local restore = support.quiet()
    local thread = support.start_blocked(function() sync.sleep(20) end)
    thread:interrupt "stop it"
    assert.is_true(thread:join(LONG))
    local ok, message = pcall(thread.result, thread)
    restore()
    assert.is_false(ok)
    assert.matches("stop it", message, 1, true)
  end)

  it("releases what is held by hold and with", function()
    local guard = sync.Lock()
    local ok = interrupted(function()
      local _ <close> = guard:hold()
      sync.sleep(20)
    end)
    assert.is_false(ok)
    assert.is_false(guard:locked())
    interrupted(function() guard:with(sync.sleep, 20) end)
    assert.is_false(guard:locked())
  end)

  it("leaves the line: what comes later goes to the others", function()
    local queue = sync.Queue()
    local first = support.start_blocked(function() return pcall(queue.get, queue) end)
    local second = support.start_blocked(function() return queue:get(true, 20) end)
    first:interrupt()
    assert.is_false((support.finish(first)))
    queue:put "item"
    assert.equal("item", support.finish(second))
    assert.equal(0, queue:qsize())
  end)

  it("an interrupted put adds nothing", function()
    local queue = sync.Queue(1)
    queue:put "first"
    local thread = support.start_blocked(function() return pcall(queue.put, queue, "second") end)
    thread:interrupt()
    assert.is_false((support.finish(thread)))
    assert.equal("first", queue:get())
    assert.is_nil((queue:get(false)))
    queue:task_done()
    assert.is_true(queue:join(0))
  end)

  it("is false for a thread that has ended", function()
    local thread = sync.spawn(function() end)
    thread:join()
    assert.is_false(thread:interrupt())
    assert.is_false(thread:interrupt "late")
  end)

  it("before start is an error", function()
    support.raises("cannot interrupt thread before it is started", function() sync.Thread(print):interrupt() end)
  end)

  it("one is pending at most", function()
    local running = sync.Event()
    local thread = support.start(function()
      local subject = ("a"):rep(5000)
      local raised = 0
      local function try(fn)
        if not pcall(fn) then raised = raised + 1 end
      end
      try(function()
        running:set()
        subject:find ".-b"  -- a long call into C, which nothing interrupts
        sync.sleep(0.001)
      end)
      for _ = 1, 20 do
        try(function() sync.sleep(0.001) end)
      end
      return raised
    end)
    running:wait(LONG)
    sync.sleep(0.005)
    for _ = 1, 3 do assert.is_true(thread:interrupt()) end
    assert.equal(1, support.finish(thread))
  end)

  it("a thread may interrupt itself", function()
    local ok, message = support.finish(support.start(function()
      return pcall(function()
        sync.current_thread():interrupt "by myself"
        sync.sleep(20)
      end)
    end))
    assert.is_false(ok)
    assert.matches("by myself", message, 1, true)
  end)

  it("keeps no lock that hold() has just taken, whatever else the statement gives values to #notsan", function()
    local kept = 0
    for i = 1, 300 do
      local held, ready = sync.Lock(), sync.Event()
      local thread = support.start(pcall, function()
        ready:set()
        while true do
          local _ <close>, _, _, _ = held:hold(), 1, {}, "s"
        end
      end)
      ready:wait()
      for _ = 1, i % 50 * 20 do end
      thread:interrupt()
      support.finish(thread)
      if held:locked() then kept = kept + 1 end
    end
    assert.equal(0, kept)
  end)

  it("reaches a loop that calls hold() and never closes anything #notsan", function()
    local held, ready = sync.RLock(), sync.Event()
    local thread = support.start(pcall, function()
      ready:set()
      while true do held:hold() held:release() end
    end)
    ready:wait()
    thread:interrupt "enough"
    assert.same({ false, "enough" }, { support.finish(thread) })
  end)

  describe("is not overtaken by the wake-up that follows:", function()
    -- make(sync) returns what blocks, and what would wake it.
    local cases = {
      ["Lock:acquire"] = function(sync_)
        local held = sync_.Lock()
        held:acquire()
        return function() held:acquire() end, function() held:release() assert(not held:locked()) end
      end,
      ["Event:wait"] = function(sync_)
        local flag = sync_.Event()
        return function() flag:wait() end, function() flag:set() end
      end,
      ["Semaphore:acquire"] = function(sync_)
        local units = sync_.Semaphore(0)
        return function() units:acquire() end, function() units:release() assert(units:acquire(false)) end
      end,
      ["Condition:wait"] = function(sync_)
        local condition = sync_.Condition()
        return function() condition:with(function() condition:wait() end) end,
               function() condition:with(function() condition:notify() end) end
      end,
      ["Queue:get"] = function(sync_)
        local queue = sync_.Queue()
        return function() queue:get() end, function() queue:put "kept" assert(queue:get(false) == "kept") end
      end,
      ["Queue:put"] = function(sync_)
        local queue = sync_.Queue(1)
        queue:put "first"
        return function() queue:put "second" end, function() queue:get() assert(queue:empty()) end
      end,
      ["Queue:join"] = function(sync_)
        local queue = sync_.Queue()
        queue:put "first"
        return function() queue:join() end, function() queue:task_done() end
      end,
      ["Thread:join"] = function(sync_)
        local go = sync_.Event()
        local thread = sync_.spawn(function() go:wait() end)
        return function() thread:join() end, function() go:set() thread:join() end
      end,
    }
    for name, make in pairs(cases) do
      it(name, function()
        local function try()
          local sync_ = require "luasync"
          local block, wake = make(sync_)
          local thread = sync_.spawn(pcall, block)
          sync_.sleep(0.02)
          assert(thread:interrupt "stop")
          wake()
          return thread:result()
        end
        for _ = 1, 3 do assert.same({ false, "stop" }, { try() }) end
        for seed = 0, 5 do
          local report = sync.simulate(try, seed > 0 and { seed = seed } or nil)
          assert.same({ false, "stop", n = 2 }, report.results, report.error)
        end
      end)
    end

    it("the next in line gets it", function()
      local function try()
        local sync_ = require "luasync"
        local condition, notified = sync_.Condition(), {}
        local function wait() return condition:with(function() return condition:wait(5) end) end
        for i = 1, 2 do
          notified[i] = sync_.spawn(pcall, wait)
          sync_.sleep(0.02)
        end
        condition:with(function()
          notified[1]:interrupt()
          condition:notify()
        end)
        local ok = notified[1]:result()
        return ok, select(2, notified[2]:result())
      end
      assert.same({ false, true }, { try() })
      assert.same({ false, true, n = 2 }, sync.simulate(try).results)
    end)
  end)

  it("the main thread's running Lua code may be interrupted too #notsan", function()
    local main, running = sync.main_thread(), sync.Event()
    local function spin()
      running:set()
      while true do end
    end
    for _, call in ipairs { pcall, function(...) return coroutine.wrap(pcall)(...) end } do
      running:clear()
      local thread = support.start(function()
        running:wait()
        return main:interrupt "enough"
      end)
      assert.same({ false, "enough" }, { call(spin) })
      assert.is_true(support.finish(thread))
    end
  end)

  it("the main thread may be interrupted too", function()
    local main_waits = sync.Event()
    local helper = support.start(function()
      main_waits:wait(20)
      return sync.main_thread():interrupt "main"
    end)
    local ok, message = pcall(function()
      main_waits:set()
      sync.sleep(20)
    end)
    assert.is_false(ok)
    assert.matches("main", message, 1, true)
    assert.is_true(support.finish(helper))
  end)
end)

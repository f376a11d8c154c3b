local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

describe("Thread:result", function()
  local restore

  before_each(function() restore = support.quiet() end)
  after_each(function() restore() end)

  --- Runs fn(...) in a thread; returns what pcall(thread.result) says.
  local function outcome(fn, ...)
    local thread = support.start(fn, ...)
    assert.is_true(thread:join(LONG))
    return pcall(thread.result, thread)
  end

  it("TH13 is all that the target returned", function()
    local results = table.pack(outcome(function(...) return ... end, 1, nil, "x", { y = 2 }, nil))
    assert.same({ n = 6, true, 1, nil, "x", { y = 2 }, nil }, results)
    assert.equal(1, select("#", outcome(function() end)))
  end)

  it("may be taken more than once, by many threads", function()
    local thread = sync.spawn(function() return { 42 } end)
    local first, second = thread:result(), thread:result()
    assert.same({ 42 }, first)
    assert.same({ 42 }, second)
    local elsewhere = support.finish(support.start(function() return thread:result()[1] end))
    assert.equal(42, elsewhere)
  end)

  it("waits for the end", function()
    local go_on = sync.Event()
    local thread = sync.spawn(function()
      go_on:wait(20)
      return "done"
    end)
    local reader = support.start_blocked(function() return thread:result() end)
    go_on:set()
    assert.equal("done", support.finish(reader))
    assert.equal("done", thread:result(0))
  end)

  it("is nil, 'timeout' when the time is up", function()
    local go_on = sync.Event()
    local thread = sync.spawn(function() go_on:wait(20) end)
    local seconds, value, reason = support.timed(thread.result, thread, 0.03)
    assert.is_nil(value)
    assert.equal("timeout", reason)
    support.took(0.03, seconds)
    assert.same({ nil, "timeout" }, { thread:result(0) })
    go_on:set()
    support.finish(thread)
  end)

  it("raises the error value: a string as it was, with the position it got there", function()
    local ok, message = outcome(function() error "oops" end)
    assert.is_false(ok)
    local text, position = support.split(message)
    assert.equal("oops", text)
    assert.matches("thread_result_spec%.lua:%d+$", position)
    local _, bare = outcome(function() error("bare", 0) end)
    assert.equal("bare", bare)
  end)

  it("raises the error value: any value that can cross", function()
    local _, raised = outcome(function() error { code = 7 } end)
    assert.same({ code = 7 }, raised)
    _, raised = outcome(function() error(42) end)
    assert.equal(42, raised)
    _, raised = outcome(function() error(false) end)
    assert.is_false(raised)
    local ok
    ok, raised = outcome(function() error(nil) end)
    assert.is_false(ok)
    assert.is_nil(raised)
    local lock = sync.Lock()
    _, raised = outcome(function() error(lock) end)
    assert.equal(lock, raised)
  end)

  it("raises an error object with its metatable", function()
    local Problem = { __tostring = function(self) return "problem " .. self.code end }
    local ok, raised = outcome(function(sample)
      error(setmetatable({ code = 9 }, getmetatable(sample)))
    end, setmetatable({}, Problem))
    assert.is_false(ok)
    assert.equal("problem 9", tostring(raised))
    assert.equal(Problem, getmetatable(raised))
  end)

  it("raises the error each time it is asked", function()
    local thread = support.start(error, "again", 0)
    assert.is_true(thread:join(LONG))
    for _ = 1, 3 do
      local ok, message = pcall(thread.result, thread)
      assert.is_false(ok)
      assert.equal("again", message)
    end
  end)

  it("raises Lua's own errors with file and line", function()
    local ok, message = outcome(function()
      local empty = {}
      return empty.none.field
    end)
    assert.is_false(ok)
    assert.matches("thread_result_spec%.lua:%d+: attempt to index a nil value %(field 'none'%)", message)
  end)

  it("of an unstarted thread is an error, as join", function()
    support.raises("cannot join thread before it is started", function() sync.Thread(print):result() end)
    support.raises("cannot join thread before it is started", function() sync.Thread(print):result(0) end)
  end)

  it("of the own thread is an error, as join", function()
    support.raises("cannot join current thread", function() sync.current_thread():result() end)
  end)

  it("TO03 checks the timeout, running or ended", function()
    local thread = sync.spawn(function() return 1 end)
    support.refuses_bad_timeouts(function(t) thread:result(t) end)
    assert.equal(1, support.finish(thread))
    support.refuses_bad_timeouts(function(t) thread:result(t) end)
  end)

  it("of values that cannot cross is an error that says where", function()
    local ok, message = outcome(function() return 1, { deep = coroutine.create(print) } end)
    assert.is_false(ok)
    assert.matches("cannot send a coroutine (at results[2].deep)", message, 1, true)
  end)

  it("of an error value that cannot cross is an error that says where", function()
    local ok, message = outcome(function() error { co = coroutine.create(print) } end)
    assert.is_false(ok)
    assert.matches("cannot send a coroutine (at error.co)", message, 1, true)
  end)

  it("a stack overflow in a thread is an error like any other #noapicheck", function()
    local ok, message = outcome(function()
      local function dive() return 1 + dive() end
      return dive()
    end)
    assert.is_false(ok)
    assert.matches("stack overflow", message, 1, true)
  end)

  it("says that an error cannot be sent where not even the reason can", function()
    assert.same({ false, "cannot send the error value of a thread" }, { outcome(function()
      error(setmetatable({}, { __transfer = function() error(coroutine.create(print)) end }))
    end) })
  end)

  it("functions and objects come home as results", function()
    local lock, add = select(2, outcome(function(a)
      local guard = require "luasync".Lock { name = "made there" }
      return guard, function(b) return a + b end
    end, 40))
    assert.equal("Lock 'made there' (unlocked)", tostring(lock))
    assert.is_true(lock:acquire(false))
    assert.equal(42, add(2))
  end)
end)

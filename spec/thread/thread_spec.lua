local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

local function nothing() end

describe("Thread", function()
  describe("constructor", function()
    it("TH01 takes a table or a function with its arguments", function()
      local function list(...) return select("#", ...), ... end
      local named = sync.Thread { target = list, args = { 1, "x" }, name = "named", daemon = true }
      assert.equal("named", named.name)
      assert.is_true(named.daemon)
      assert.same({ 2, 1, "x" }, { support.finish(named:start()) })
      assert.same({ 3, 1, nil, "x" }, { support.finish(sync.Thread(list, 1, nil, "x"):start()) })
    end)

    it("TH01 args honours n", function()
      local function count(...) return select("#", ...) end
      local thread = sync.Thread { target = count, args = table.pack(nil, 2, nil) }
      assert.equal(3, support.finish(thread:start()))
      assert.equal(0, support.finish(sync.Thread { target = count, args = { n = 0, "ignored" } }:start()))
      assert.equal(0, support.finish(sync.Thread { target = count }:start()))
    end)

    it("TH02 without a target runs nothing", function()
      local thread = sync.Thread { name = "idle" }
      assert.equal(thread, thread:start())
      assert.is_true(thread:join(LONG))
      assert.equal(0, select("#", thread:result()))
    end)

    it("TH02 refuses a target that cannot be called", function()
      support.bad_argument(1, "Thread", function() sync.Thread(42) end)
      support.bad_argument(1, "Thread", function() sync.Thread("print") end)
      support.error_of(function() sync.Thread { target = 42 } end)
      support.error_of(function() sync.Thread { target = "print" } end)
      support.error_of(function() sync.Thread { target = sync.Lock() } end)
    end)

    it("TH03 a list of args changed before start is seen", function()
      local args = { 1, 2 }
      local thread = sync.Thread { target = table.pack, args = args }
      args[1], args[3] = "changed", "added"
      assert.same({ "changed", 2, "added", n = 3 }, support.finish(thread:start()))
      for problem, n in pairs {
        ["its n must not be negative"] = -1, ["its n must be an integer"] = 1.5, ["too many"] = 1000000,
      } do
        support.raises("field 'args': " .. problem, function() sync.Thread { target = print, args = { n = n } } end)
      end
    end)

    it("TH03 refuses args, name and daemon of another type", function()
      support.error_of(function() sync.Thread { target = nothing, args = 5 } end)
      support.error_of(function() sync.Thread { target = nothing, args = "five" } end)
      support.error_of(function() sync.Thread { target = nothing, name = {} } end)
    end)

    it("leaves nothing behind when it fails", function()
      local before = sync.active_count()
      pcall(sync.Thread, 42)
      pcall(sync.Thread, { target = 42 })
      assert.equal(before, sync.active_count())
    end)

    it("takes a library function as target", function()
      assert.equal("ABC", support.finish(sync.Thread(string.upper, "abc"):start()))
    end)
  end)

  describe("name", function()
    it("TH04 defaults to Thread-N", function()
      local first, second = sync.Thread(nothing), sync.Thread(nothing)
      local n = tonumber(first.name:match "^Thread%-(%d+)")
      assert.is_truthy(n)
      assert.equal(n + 1, tonumber(second.name:match "^Thread%-(%d+)"))
    end)

    it("TH04 N counts only threads without a name", function()
      local first = sync.Thread(nothing)
      assert.equal("own", sync.Thread { target = nothing, name = "own" }.name)
      local second = sync.Thread(nothing)
      assert.equal(tonumber(first.name:match "%d+") + 1, tonumber(second.name:match "%d+"))
    end)

    it("TH04 begins with 1, and adds the function's name where it is known", function()
      local out = support.output [[
        local sync = require "luasync"
        function worker() end
        print(sync.Thread { target = worker }.name)
        print(sync.Thread { name = "X", target = worker }.name)
        print(sync.Thread(print).name)
      ]]
      assert.equal("Thread-1 (worker)\nX\nThread-2 (print)\n", out)
    end)

    it("TH05 may be read and written at any time, by anybody", function()
      local stop = sync.Event()
      local thread = sync.Thread { name = "before", target = function()
        stop:wait(20)
        return sync.current_thread().name
      end }
      assert.equal("before", thread.name)
      thread.name = "between"
      thread:start()
      assert.equal("between", thread.name)
      thread:setName "during"
      assert.equal("during", thread:getName())
      stop:set()
      assert.equal("during", support.finish(thread))
      thread.name = "after"
      assert.equal("after", thread:getName())
    end)

    it("TH05 need not be the only one", function()
      local a, b = sync.Thread { name = "twin" }, sync.Thread { name = "twin" }
      assert.equal(a.name, b.name)
      assert.is_false(a == b)
    end)

    it("TH05 refuses a name that is no string", function()
      local thread = sync.Thread { name = "kept", target = nothing }
      support.error_of(function() thread.name = {} end)
      support.error_of(function() thread.name = nil end)
      support.error_of(function() thread:setName(true) end)
      assert.equal("kept", thread.name)
    end)

    it("TH05 is the OS thread's name too, cut to its limit", function()
      local function os_name(thread)
        local file = assert(io.open("/proc/self/task/" .. thread.native_id .. "/comm"))
        local name = file:read "l"
        file:close()
        return name
      end
      local stop = sync.Event()
      local thread = sync.Thread { name = "a name of more than fifteen bytes",
        target = function() stop:wait(20) end }:start()
      assert.equal("a name of more ", os_name(thread))
      thread.name = "short"
      assert.equal("short", os_name(thread))
      stop:set()
      support.finish(thread)
    end)
  end)

  describe("daemon", function()
    it("TH06 is inherited unless given", function()
      assert.is_false(sync.main_thread().daemon)
      assert.is_false(sync.Thread(nothing).daemon)
      local inherited, given = support.finish(sync.Thread { daemon = true, target = function()
        return sync.Thread(print).daemon, sync.Thread { daemon = false }.daemon
      end }:start())
      assert.is_true(inherited)
      assert.is_false(given)
      assert.is_true(sync.Thread { target = nothing, daemon = true }:isDaemon())
    end)

    it("TH07 may be written before start only", function()
      local thread = sync.Thread(nothing)
      thread.daemon = true
      assert.is_true(thread.daemon)
      thread.daemon = false
      assert.is_false(thread:isDaemon())
      thread:start()
      local message = "cannot set daemon status of active thread"
      support.raises(message, function() thread.daemon = true end)
      support.finish(thread)
      support.raises(message, function() thread.daemon = true end)
      assert.is_false(thread.daemon)
      support.raises(message, function() sync.main_thread().daemon = true end)
    end)
  end)

  describe("start", function()
    it("TH08 returns the thread", function()
      local thread = sync.Thread(nothing)
      assert.equal(thread, thread:start())
      support.finish(thread)
    end)

    it("TH08 twice is an error, also after the end", function()
      local thread = sync.Thread(nothing):start()
      support.raises("threads can only be started once", function() thread:start() end)
      support.finish(thread)
      support.raises("threads can only be started once", function() thread:start() end)
      support.raises("threads can only be started once", function() sync.main_thread():start() end)
    end)

    it("TH09 returns when the thread runs: ident and native_id are set", function()
      local stop = sync.Event()
      local thread = sync.Thread(function()
        stop:wait(20)
        return sync.get_ident(), sync.get_native_id()
      end)
      assert.is_nil(thread.ident)
      assert.is_nil(thread.native_id)
      assert.is_false(thread:is_alive())
      thread:start()
      assert.equal("integer", math.type(thread.ident))
      assert.equal("integer", math.type(thread.native_id))
      assert.is_true(thread.ident ~= 0)
      assert.is_true(thread:is_alive())
      stop:set()
      local ident, native_id = support.finish(thread)
      assert.equal(thread.ident, ident)
      assert.equal(thread.native_id, native_id)
    end)

    it("may be called by another thread than the creator", function()
      local thread = sync.Thread(function() return "ran" end)
      support.finish(support.start(function() thread:start() end))
      assert.equal("ran", support.finish(thread))
    end)
  end)

  describe("is_alive", function()
    it("TH19 is true from start to end", function()
      local stop = sync.Event()
      local thread = sync.Thread(function() stop:wait(20) end)
      assert.is_false(thread:is_alive())
      assert.is_false(thread:isAlive())
      thread:start()
      assert.is_true(thread:is_alive())
      assert.is_true(thread:isAlive())
      stop:set()
      support.finish(thread)
      assert.is_false(thread:is_alive())
      assert.is_false(thread:isAlive())
    end)
  end)

  describe("join", function()
    it("TH14 is true when ended, false when timed out", function()
      local stop = sync.Event()
      local thread = sync.spawn(function() stop:wait(20) end)
      local seconds, ended = support.timed(thread.join, thread, 0.03)
      assert.is_false(ended)
      support.took(0.03, seconds)
      assert.is_false(thread:join(0))
      stop:set()
      assert.is_true(thread:join())
      assert.is_true(thread:join(0))
      assert.is_true(thread:join(math.huge))
    end)

    it("TH15 many threads may join one, many times", function()
      local stop = sync.Event()
      local thread = sync.spawn(function() stop:wait(20) end)
      local joiners = {}
      for i = 1, 4 do
        joiners[i] = support.start_blocked(function() return thread:join(), thread:join() end)
      end
      stop:set()
      for _, joiner in ipairs(joiners) do
        local first, second = support.finish(joiner)
        assert.is_true(first)
        assert.is_true(second)
      end
    end)

    it("TH16 before start is an error, before any look at the timeout", function()
      local message = "cannot join thread before it is started"
      support.raises(message, function() sync.Thread(nothing):join() end)
      support.raises(message, function() sync.Thread(nothing):join(-1) end)
    end)

    it("TH16 on the own thread is an error", function()
      support.raises("cannot join current thread", function() sync.current_thread():join() end)
      support.raises("cannot join current thread", function() sync.main_thread():join(0) end)
      local ok, message = support.finish(support.start(function()
        return pcall(function() sync.current_thread():join() end)
      end))
      assert.is_false(ok)
      assert.equal("cannot join current thread", (support.split(message)))
    end)

    it("TO03 checks the timeout, running or ended", function()
      local stop = sync.Event()
      local thread = sync.spawn(function() stop:wait(20) end)
      support.refuses_bad_timeouts(function(t) thread:join(t) end)
      assert.is_true(thread:is_alive())
      stop:set()
      support.finish(thread)
      support.refuses_bad_timeouts(function(t) thread:join(t) end)
    end)

    it("TH18 does not raise the thread's error", function()
      local restore = support.quiet()
      local thread = sync.spawn(error, "oops")
      assert.is_true(thread:join(LONG))
      restore()
      pcall(thread.result, thread)
    end)

    it("TH20 afterwards the thread is neither alive nor listed", function()
      local thread = sync.spawn(nothing)
      thread:join()
      assert.is_false(thread:is_alive())
      for _, other in ipairs(sync.enumerate()) do
        assert.is_false(other == thread)
      end
    end)
  end)

  it("TH21 ident and native_id are kept after the end", function()
    local thread = sync.spawn(nothing)
    local ident, native_id = thread.ident, thread.native_id
    support.finish(thread)
    assert.equal(ident, thread.ident)
    assert.equal(native_id, thread.native_id)
  end)

  it("TH21 ident, native_id and unknown fields cannot be written", function()
    local thread = sync.Thread(nothing)
    support.error_of(function() thread.ident = 1 end)
    support.error_of(function() thread.native_id = 1 end)
    support.error_of(function() thread.nonsense = 1 end)
    assert.is_nil(thread.nonsense)
  end)

  it("TH25 shows its name", function()
    local thread = sync.Thread { name = "shown", target = nothing }
    assert.matches("^Thread 'shown'", tostring(thread))
    support.finish(thread:start())
    assert.matches("^Thread 'shown'", tostring(thread))
  end)

  it("TH26 dropping the handle does not stop it", function()
    local done, go_on = sync.Queue(), sync.Event()
    for _ = 1, 10 do
      sync.spawn(function()
        go_on:wait(20)
        done:put(true)
      end)
    end
    collectgarbage()
    collectgarbage()
    go_on:set()
    for _ = 1, 10 do assert.is_true(done:get(true, LONG)) end
  end)

  it("TH26 a thread that is started and never joined leaks no OS thread", function()
    local function os_threads()
      local file = assert(io.open "/proc/self/status")
      local text = file:read "a"
      file:close()
      return tonumber(text:match "Threads:%s*(%d+)")
    end
    local KEPT = 64 -- for the next threads: src/real/workers.c
    local before = os_threads()
    for _ = 1, 10 do
      for _ = 1, 50 do sync.spawn(nothing) end
      support.wait_until(function()
        collectgarbage()
        return os_threads() <= before + KEPT
      end)
    end
  end)

  it("is equal to itself in every thread, and to no other", function()
    local thread = sync.Thread(nothing)
    local queue = sync.Queue()
    queue:put(thread)
    assert.is_true(queue:get() == thread)
    assert.is_false(thread == sync.Thread(nothing))
    local me = support.start(function(other)
      queue:put(sync.current_thread())
      return sync.current_thread() ~= other
    end, thread)
    assert.is_true(support.finish(me))
    assert.is_true(queue:get() == me)
  end)

  it("spawn is a thread already started", function()
    local stop = sync.Event()
    local thread = sync.spawn(function(...)
      stop:wait(20)
      return ...
    end, 1, nil, 3)
    assert.is_true(thread:is_alive())
    stop:set()
    assert.same({ 1, nil, 3 }, { support.finish(thread) })
    support.bad_argument(1, "spawn", function() sync.spawn(42) end)
    support.bad_argument(1, "spawn", function() sync.spawn() end)
  end)

  it("methods refuse another self", function()
    local thread = sync.Thread(nothing)
    support.error_of(function() thread.start() end)
    support.error_of(function() thread.join(sync.Lock()) end)
    support.error_of(function() thread.result {} end)
    support.error_of(function() thread.is_alive(42) end)
  end)

  it("refuses a target and arguments that the debug library has spoilt", function()
    for _, n in ipairs { 2147483647, -5, 0, 1 << 40 } do
      local thread = sync.Thread(print, 1)
      debug.setuservalue(thread, { n = n }, 1)
      assert.matches("not a thread's target and arguments", select(2, pcall(thread.start, thread)), 1, true)
    end
  end)
end)

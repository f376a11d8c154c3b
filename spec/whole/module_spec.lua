local sync = require "luasync"
local support = require "spec.support"

--- Runs fn(...) in a thread and returns its results.
local function elsewhere(fn, ...)
  return support.finish(support.start(fn, ...))
end

--- Whether a list holds a thread.
local function holds(list, thread)
  for _, other in ipairs(list) do
    if other == thread then return true end
  end
  return false
end

describe("the module", function()
  it("has a version", function()
    assert.matches("^luasync %d+%.%d+%.%d+$", sync._VERSION)
  end)

  it("has every name of the contract", function()
    for _, name in ipairs { "Thread", "spawn", "current_thread", "currentThread", "main_thread", "enumerate",
      "active_count", "get_ident", "get_native_id", "cpu_count", "sleep", "time", "monotonic", "set_excepthook",
      "Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Atomic", "Queue", "LifoQueue",
      "PriorityQueue", "SimpleQueue", "Local", "local", "Shared", "update", "snapshot" } do
      assert.is_truthy(sync[name], name)
    end
  end)

  it("adds nothing to the globals of a script", function()
    local out = support.output [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      local sync = require "luasync"
      sync.spawn(function() end):join()
      sync.Lock():with(function() end)
      for name in pairs(_G) do
        if not before[name] then print("added", name) end
      end
      local standard = {}
      for name in ("_G _VERSION arg assert collectgarbage coroutine debug dofile error getmetatable io ipairs load " ..
        "loadfile math next os package pairs pcall print rawequal rawget rawlen rawset require select setmetatable " ..
        "string table tonumber tostring type utf8 warn xpcall"):gmatch "%S+" do
        standard[name] = true
      end
      for name in pairs(_G) do
        if not standard[name] then print("not Lua's", name) end
      end
    ]]
    assert.equal("", out)
  end)
end)

describe("every object", function()
  local makers = {
    Lock = sync.Lock, RLock = sync.RLock, Condition = sync.Condition, Event = sync.Event, Semaphore = sync.Semaphore,
    BoundedSemaphore = sync.BoundedSemaphore, Queue = sync.Queue, LifoQueue = sync.LifoQueue,
    PriorityQueue = sync.PriorityQueue, SimpleQueue = sync.SimpleQueue,
  }
  local all = { Thread = function() return sync.Thread(print) end, Atomic = sync.Atomic, Local = sync.Local,
    Shared = sync.Shared }
  for kind, make in pairs(makers) do all[kind] = make end

  it("takes its name from a trailing table", function()
    for kind, make in pairs(makers) do
      assert.matches("^" .. kind .. " 'given'", tostring(make { name = "given" }))
    end
    for _, kind in ipairs { "Semaphore", "BoundedSemaphore", "Queue", "LifoQueue", "PriorityQueue" } do
      assert.matches("^" .. kind .. " 'given'", tostring(sync[kind](2, { name = "given" })))
    end
  end)

  it("refuses a name with zeros in it, which reports would cut", function()
    support.raises("name contains zeros", function() sync.Lock { name = "a\0b" } end)
    support.raises("name contains zeros", function() sync.Queue(1, { name = "\0" }) end)
    support.raises("name contains zeros", function() sync.Thread { name = "a\0b" } end)
    support.raises("name contains zeros", function() sync.Thread().name = "a\0b" end)
  end)

  it("says so where its finaliser has run before another that uses it", function()
    assert.matches("^false\t[^\n]+object has been finalised%)\n$", support.output [[
      kept = setmetatable({}, { __gc = function(self) print(pcall(function() self.lock:acquire() end)) end })
      kept.lock = require "luasync".Lock()
    ]])
  end)

  it("without a name gets one from its kind and a number of its own", function()
    for kind, make in pairs(makers) do
      local first, second = tostring(make()), tostring(make())
      local pattern = "^" .. kind .. " '" .. kind .. "%-(%d+)'"
      assert.is_truthy(first:match(pattern), first)
      assert.is_truthy(second:match(pattern), second)
      assert.not_equal(first:match(pattern), second:match(pattern))
    end
  end)

  it("keeps its name in every thread", function()
    for _, make in pairs(makers) do
      local object = make()
      assert.equal(tostring(object), elsewhere(function() return tostring(object) end))
    end
  end)

  it("has a __name that Lua's own errors show", function()
    for kind, make in pairs(all) do
      local message = support.error_of(function() ("x"):rep(make()) end)
      assert.matches("got [%w_.]*" .. kind .. "%)$", message)
    end
  end)

  it("has a tostring that begins with its kind", function()
    for kind, make in pairs(all) do
      assert.matches("^" .. kind, tostring(make()))
    end
  end)

  it("is equal to its other proxies and to nothing else", function()
    local queue = sync.Queue()
    for _, make in pairs(all) do
      local object, other = make(), make()
      queue:put { object, other }
      local pair = queue:get()
      assert.is_true(pair[1] == object)
      assert.is_true(pair[2] == other)
      assert.is_false(pair[1] == other)
      assert.is_false(object == 1 or object == "x")
    end
  end)

  it("has a metatable that scripts cannot change", function()
    for kind, make in pairs(all) do
      local object = make()
      local shown, text = getmetatable(object), tostring(object)
      assert.is_false(pcall(setmetatable, object, {}), kind)
      if type(shown) == "table" then     -- a likeness, for those who look for __tostring there
        local old = shown.__tostring
        shown.__tostring = function() return "changed" end
        shown.__index = shown.__tostring
        local now, field = tostring(object), select(2, pcall(function() return object.no_such_field end))
        shown.__tostring, shown.__index = old, nil
        assert.equal(text, now, kind)
        assert.not_equal("changed", field, kind)
      end
    end
  end)
end)

describe("module functions", function()
  it("MO01 current_thread is the caller's, the same every time", function()
    assert.is_true(sync.current_thread() == sync.current_thread())
    assert.is_true(sync.current_thread() == sync.currentThread())
    local seen = sync.Queue()              -- a thread that is its own result would be a cycle
    local thread = support.start(function()
      seen:put(sync.current_thread())
      return sync.current_thread() == sync.currentThread()
    end)
    assert.is_true(support.finish(thread))
    assert.is_true(seen:get() == thread)
  end)

  it("MO01 current_thread in a coroutine is the thread's", function()
    assert.is_true(coroutine.wrap(function() return sync.current_thread() end)() == sync.current_thread())
  end)

  it("MO02 main_thread is MainThread, no daemon, with the process's id", function()
    local main = sync.main_thread()
    assert.equal("MainThread", main.name)
    assert.is_false(main.daemon)
    assert.is_true(main:is_alive())
    assert.is_true(main == sync.current_thread())
    assert.is_true(elsewhere(function() return sync.main_thread() end) == main)
    local file = assert(io.open "/proc/self/stat")
    assert.equal(file:read "n", main.native_id)
    file:close()
  end)

  it("MO03 enumerate lists the living: main, daemons, no unstarted, no finished", function()
    local stop = sync.Event()
    local function wait() stop:wait(20) end
    local unstarted = sync.Thread(print)
    local finished = sync.spawn(wait)
    local running = sync.Thread { target = wait }:start()
    local daemon = sync.Thread { target = wait, daemon = true }:start()
    local list = sync.enumerate()
    assert.is_true(holds(list, sync.main_thread()))
    assert.is_true(holds(list, running))
    assert.is_true(holds(list, daemon))
    assert.is_true(holds(list, finished))
    assert.is_false(holds(list, unstarted))
    stop:set()
    for _, thread in ipairs { finished, running, daemon } do support.finish(thread) end
    list = sync.enumerate()
    for _, thread in ipairs { finished, running, daemon, unstarted } do
      assert.is_false(holds(list, thread))
    end
    assert.is_true(holds(list, sync.main_thread()))
  end)

  it("MO03 enumerate is a new list each time, and the same in every thread", function()
    assert.is_false(rawequal(sync.enumerate(), sync.enumerate()))
    local lists = sync.Queue()
    local thread = support.start(function()
      lists:put(sync.enumerate())
      return #sync.enumerate()
    end)
    local count, list = support.finish(thread), lists:get()
    assert.equal(count, #list)
    assert.is_true(holds(list, thread))
    assert.is_true(holds(list, sync.main_thread()))
  end)

  it("MO04 active_count is the length of that list", function()
    local before = sync.active_count()
    assert.equal(before, #sync.enumerate())
    local stop = sync.Event()
    local threads = {}
    for i = 1, 3 do threads[i] = sync.spawn(function() stop:wait(20) end) end
    assert.equal(before + 3, sync.active_count())
    stop:set()
    for _, thread in ipairs(threads) do support.finish(thread) end
    assert.equal(before, sync.active_count())
  end)

  it("MO05 get_ident and get_native_id are the caller's", function()
    assert.equal("integer", math.type(sync.get_ident()))
    assert.is_true(sync.get_ident() ~= 0)
    assert.equal(sync.current_thread().ident, sync.get_ident())
    assert.equal(sync.main_thread().native_id, sync.get_native_id())
    local stop = sync.Event()
    local thread = sync.spawn(function()
      stop:wait(20)
      return sync.get_ident(), sync.get_native_id()
    end)
    assert.not_equal(thread.ident, sync.get_ident())
    assert.not_equal(thread.native_id, sync.get_native_id())
    stop:set()
    local ident, native_id = support.finish(thread)
    assert.equal(thread.ident, ident)
    assert.equal(thread.native_id, native_id)
  end)

  it("cpu_count is a positive integer", function()
    assert.equal("integer", math.type(sync.cpu_count()))
    assert.is_true(sync.cpu_count() >= 1)
  end)

  it("time is the wall clock in seconds, with a fraction", function()
    assert.equal("float", math.type(sync.time()))
    assert.is_true(math.abs(sync.time() - os.time()) < 5)
  end)

  it("monotonic never goes back, and is the same clock in every thread", function()
    assert.equal("float", math.type(sync.monotonic()))
    local last = sync.monotonic()
    for _ = 1, 1000 do
      local now = sync.monotonic()
      assert.is_true(now >= last)
      last = now
    end
    local there = elsewhere(function() return sync.monotonic() end)
    assert.is_true(last <= there and there <= sync.monotonic())
  end)

  describe("sleep", function()
    it("TO02 lasts as long as it should, and never less", function()
      for _, duration in ipairs { 0, 0.0001, 0.01, 0.03 } do
        support.took(duration, (support.timed(sync.sleep, duration)))
      end
    end)

    it("returns nothing", function()
      assert.equal(0, select("#", sync.sleep(0)))
    end)

    it("TO03 refuses what is no duration", function()
      support.refuses_bad_timeouts(function(t) sync.sleep(t) end)
    end)

    it("lets the other threads run", function()
      local seconds = support.timed(function()
        local threads = {}
        for i = 1, 100 do threads[i] = sync.spawn(sync.sleep, 0.3) end
        for _, thread in ipairs(threads) do support.finish(thread) end
      end)
      assert.is_true(seconds >= 0.3)
      assert.is_true(seconds < 25) -- one after the other: 30
    end)
  end)
end)

describe("set_excepthook", function()
  local original

  before_each(function() original = sync.set_excepthook(function() end) end)
  after_each(function() sync.set_excepthook(original) end)

  --- Lets a thread fail and waits for its end.
  local function fail(name, ...)
    local thread = sync.Thread { name = name, target = error, args = table.pack(...) }:start()
    assert.is_true(thread:join(support.LONG))
    pcall(thread.result, thread)
    return thread
  end

  it("MO07 the default is a function, and each call returns the previous one", function()
    assert.equal("function", type(original))
    local reports = sync.Queue()
    sync.set_excepthook(function() reports:put "first" end)
    local previous = sync.set_excepthook(function() reports:put "second" end)
    previous()
    assert.equal("first", reports:get(false))
    fail("F", "oops")
    assert.equal("second", reports:get(false))
  end)

  it("MO06 is called with the thread, its error and a traceback", function()
    local reports = sync.Queue()
    sync.set_excepthook(function(thread, problem, traceback) reports:put { thread, problem, traceback } end)
    local thread = sync.Thread { name = "failing", target = function() error "oops" end }:start()
    thread:join(support.LONG)
    pcall(thread.result, thread)
    local report = reports:get(false)
    assert.is_true(report[1] == thread)
    assert.matches("module_spec%.lua:%d+: oops$", report[2])
    assert.matches("stack traceback:", report[3], 1, true)
    assert.matches("module_spec%.lua:%d+:", report[3])
  end)

  it("MO06 gets error values that are no strings as they are", function()
    local reports = sync.Queue()
    sync.set_excepthook(function(_, problem) reports:put { problem } end)
    fail("table", { code = 7 })
    assert.same({ { code = 7 } }, reports:get(false))
    fail("nil", nil)
    assert.same({}, reports:get(false))
  end)

  it("MO08 runs in the failing thread, before it counts as ended", function()
    local reports = sync.Queue()
    sync.set_excepthook(function(thread)
      reports:put { sync.current_thread() == thread, thread:is_alive(), sync.current_thread().name }
    end)
    fail("me", "oops")
    assert.same({ true, true, "me" }, reports:get(false))
  end)

  it("MO07 is looked up when the thread fails", function()
    local reports, go_on = sync.Queue(), sync.Event()
    local thread = sync.spawn(function()
      go_on:wait(20)
      error "oops"
    end)
    sync.set_excepthook(function() reports:put "later" end)
    go_on:set()
    thread:join(support.LONG)
    pcall(thread.result, thread)
    assert.equal("later", reports:get(false))
  end)

  it("is not called when nothing fails, nor for an error in pcall", function()
    local called = sync.Event()
    sync.set_excepthook(function() called:set() end)
    support.finish(sync.spawn(function() pcall(error, "caught") end))
    assert.is_false(called:is_set())
  end)

  it("MO07 a hook that raises ends neither the process nor the join", function()
    local result = support.run [[
      local sync = require "luasync"
      sync.set_excepthook(function() error "broken hook" end)
      local thread = sync.spawn(error, "oops")
      print(thread:join(20))
      print(pcall(thread.result, thread))
    ]]
    assert.equal("true\nfalse\toops\n", result.out)
    assert.matches("broken hook", result.err, 1, true)
  end)

  it("nil restores the default, which reports on stderr", function()
    local result = support.run [[
      local sync = require "luasync"
      sync.set_excepthook(function() print "own" end)
      local own = sync.set_excepthook(nil)
      local thread = sync.Thread { name = "N", target = error, args = { "oops" } }:start()
      thread:join()
      pcall(thread.result, thread)
      own()
    ]]
    assert.equal("own\n", result.out)
    assert.matches("Exception in thread N:", result.err, 1, true)
    assert.matches("oops", result.err, 1, true)
    assert.equal(0, result.code)
  end)

  it("the default may be called by an own hook", function()
    local result = support.run [[
      local sync = require "luasync"
      local default = sync.set_excepthook(nil)
      assert(type(default) == "function")
      sync.set_excepthook(function(thread, problem, traceback)
        print("seen", problem)
        default(thread, problem, traceback)
      end)
      sync.Thread { name = "D", target = error, args = { "oops" } }:start():join()
    ]]
    assert.equal("seen\toops\n", result.out)
    assert.matches("Exception in thread D:", result.err, 1, true)
  end)

  it("refuses what cannot be called", function()
    support.bad_argument(1, "set_excepthook", function() sync.set_excepthook(42) end)
    support.bad_argument(1, "set_excepthook", function() sync.set_excepthook {} end)
  end)
end)

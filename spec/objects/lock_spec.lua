local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

describe("Lock", function()
  local lock

  before_each(function()
    lock = sync.Lock()
  end)

  it("LK01 is created unlocked and takes no arguments but a table with its name", function()
    assert.is_false(lock:locked())
    assert.equal("Lock 'A' (unlocked)", tostring(sync.Lock { name = "A" }))
    support.error_of(function() sync.Lock(1) end)
    support.error_of(function() sync.Lock("A") end)
  end)

  it("LK02 acquire is true when taken, false when it timed out", function()
    assert.is_true(lock:acquire())
    local seconds, taken = support.timed(lock.acquire, lock, true, 0.03)
    assert.is_false(taken)
    support.took(0.03, seconds)
  end)

  it("LK02 a number in place of blocking is the timeout", function()
    assert.is_true(lock:acquire(0.01))
    local seconds, taken = support.timed(lock.acquire, lock, 0.03)
    assert.is_false(taken)
    support.took(0.03, seconds)
    assert.is_false(lock:acquire(0))
  end)

  it("LK02 nil arguments are arguments left out", function()
    assert.is_true(lock:acquire(nil, nil))
    assert.is_false(lock:acquire(nil, 0.01))
  end)

  it("LK02 timeout 0 is one try", function()
    assert.is_true(lock:acquire(true, 0))
    assert.is_false(lock:acquire(true, 0))
  end)

  it("LK02 math.huge waits for ever", function()
    assert.is_true(lock:acquire(true, math.huge))
    lock:release()
    lock:acquire()
    local waiter = support.start_blocked(function() return lock:acquire(true, math.huge) end)
    lock:release()
    assert.is_true(support.finish(waiter))
  end)

  it("TO05 a timeout of thousands of years is legal and does not end early", function()
    lock:acquire()
    for _, years in ipairs { 1e300, 2 ^ 63, math.maxinteger } do
      local waiter = support.start_blocked(function() return lock:acquire(true, years) end)
      lock:release()
      assert.is_true(support.finish(waiter))
    end
  end)

  it("LK03 acquire(false) never blocks", function()
    assert.is_true(lock:acquire(false))
    local seconds, taken = support.timed(lock.acquire, lock, false)
    assert.is_false(taken)
    assert.is_true(seconds < support.LONG)
  end)

  it("LK04 acquire(false, t) is an error for any t, and takes nothing", function()
    for _, timeout in ipairs { 0, 1, 0.5, math.huge } do
      support.raises("can't specify a timeout for a non-blocking call", function() lock:acquire(false, timeout) end)
    end
    assert.is_false(lock:locked())
    assert.is_true(lock:acquire(false, nil))
  end)

  it("TO03 checks the timeout, also when the lock is free", function()
    support.refuses_bad_timeouts(function(t) lock:acquire(true, t) end)
    assert.is_false(lock:locked())
    support.raises("timeout must be a non-negative number", function() lock:acquire(-1) end)
    support.raises("timeout must be a non-negative number", function() lock:acquire(0 / 0) end)
    assert.is_false(lock:locked())
  end)

  it("LK05 acquire twice by one thread waits for another's release", function()
    assert.is_true(lock:acquire())
    assert.is_false(lock:acquire(0.01))
    local main_waits = sync.Event()
    local helper = support.start(function()
      main_waits:wait()
      sync.sleep(0.01)
      lock:release()
    end)
    main_waits:set()
    assert.is_true(lock:acquire(true, LONG))
    support.finish(helper)
    assert.is_true(lock:locked())
  end)

  it("LK06 any thread may release", function()
    lock:acquire()
    support.finish(support.start(function() lock:release() end))
    assert.is_false(lock:locked())
    assert.is_true(lock:acquire(false))
  end)

  it("LK06 release returns nothing", function()
    lock:acquire()
    assert.equal(0, select("#", lock:release()))
  end)

  it("LK07 release of an unlocked lock is an error", function()
    support.raises("release unlocked lock", function() lock:release() end)
    lock:acquire()
    lock:release()
    support.raises("release unlocked lock", function() lock:release() end)
    assert.is_true(lock:acquire(false))
  end)

  it("LK08 waiters are woken first come, first served", function()
    lock:acquire()
    local order = sync.Queue()
    local threads = {}
    for i = 1, 5 do
      threads[i] = support.start_blocked(function()
        lock:acquire()
        order:put(i)
        lock:release()
      end)
    end
    lock:release()
    for i = 1, 5 do
      assert.equal(i, order:get(true, LONG))
    end
    for _, thread in ipairs(threads) do support.finish(thread) end
  end)

  it("LK08 one release lets exactly one waiter through", function()
    lock:acquire()
    local through = sync.Atomic(0)
    local threads = {}
    for i = 1, 3 do
      threads[i] = support.start_blocked(function()
        lock:acquire()
        through:add(1)
      end)
    end
    for n = 1, 3 do
      lock:release()
      support.wait_until(function() return through:get() >= n end)
      sync.sleep(0.01)
      assert.equal(n, through:get())
    end
    for _, thread in ipairs(threads) do support.finish(thread) end
  end)

  it("LK09 locked is a boolean snapshot, seen by every thread", function()
    lock:acquire()
    assert.is_true(lock:locked())
    assert.is_true(support.finish(support.start(function() return lock:locked() end)))
    lock:release()
    assert.is_false(support.finish(support.start(function() return lock:locked() end)))
  end)

  it("LK11 a timed-out acquire leaves the lock and the line as they were", function()
    lock:acquire()
    assert.is_false(lock:acquire(0.01))
    assert.is_true(lock:locked())
    local patient = support.start_blocked(function() return lock:acquire(true, 20) end)
    assert.is_false(lock:acquire(0.01))
    lock:release()
    assert.is_true(support.finish(patient))
  end)

  it("LK11 a waiter that gave up does not swallow the wake-up", function()
    lock:acquire()
    local hasty = support.start(function() return lock:acquire(true, 0.05) end)
    support.blocked(hasty)
    local patient = support.start_blocked(function() return lock:acquire(true, 20) end)
    assert.is_false(support.finish(hasty))
    lock:release()
    assert.is_true(support.finish(patient))
  end)

  it("LK12 dropping a held lock is legal", function()
    for _ = 1, 100 do
      sync.Lock():acquire()
    end
    collectgarbage()
    collectgarbage()
  end)

  it("LK15 what was written before release is seen after acquire", function()
    local box = sync.Shared { value = 0 }
    lock:acquire()
    local reader = support.start_blocked(function()
      lock:acquire()
      return box.value
    end)
    box.value = 42
    lock:release()
    assert.equal(42, support.finish(reader))
  end)

  it("RL11 a lock whose owner ended stays locked, and anybody may release it", function()
    support.finish(sync.Thread { name = "gone", target = function() lock:acquire() end }:start())
    assert.is_true(lock:locked())
    assert.is_false(lock:acquire(0.01))
    lock:release()
    assert.is_true(lock:acquire(false))
  end)

  it("LK06 a release of a lock that was handed over counts: the next in line gets it", function()
    local handed, lost = 0, 0
    for seed = 0, 60 do
      local report = sync.simulate(function()
        local lent, got = sync.Lock(), sync.Atomic()
        local function taker() lent:acquire() got:add(1) end
        lent:acquire()
        local first, second = sync.spawn(taker), sync.spawn(taker)
        sync.sleep(0.05)
        lent:release()
        if not lent:acquire(false) then error "no race" end
        sync.sleep(0.05)                -- the first is back at the head of the line, starving
        lent:release()
        lent:release()
        first:join()
        second:join()
        return got:get()
      end, seed > 0 and { seed = seed } or nil)
      if report.ok and report.results[1] == 2 then handed = handed + 1
      elseif not tostring(report.error):find("no race", 1, true)
        and not tostring(report.error):find("release unlocked lock", 1, true) then lost = lost + 1 end
    end
    assert.equal(0, lost)
    assert.is_true(handed > 0)
  end)

  it("LK06 of two releases at the same time one at most gives back one acquisition #slow", function()
    for _ = 1, 300 do
      local racing, here, go = sync.Lock(), sync.Atomic(), sync.Atomic()
      racing:acquire()
      local waiter = support.start(function() here:add(1) racing:acquire() end)
      local function release()
        here:add(1)
        while go:get() == 0 do end
        return (pcall(racing.release, racing))
      end
      local a, b = support.start(release), support.start(release)
      support.wait_until(function() return here:get() == 3 end)
      go:set(1)
      local both = support.finish(a) and support.finish(b)
      support.finish(waiter)
      assert.equal(not both, racing:locked())
    end
  end)

  describe("hold and with", function()
    it("LK10 hold releases at the end of the block", function()
      do
        local _ <close> = lock:hold()
        assert.is_true(lock:locked())
      end
      assert.is_false(lock:locked())
    end)

    it("LK10 hold releases when the block raises", function()
      local problem = {}
      local ok, raised = pcall(function()
        local _ <close> = lock:hold()
        error(problem)
      end)
      assert.is_false(ok)
      assert.equal(problem, raised)
      assert.is_false(lock:locked())
    end)

    it("LK10 the error of a block that has given the lock back is not lost", function()
      for _, kind in ipairs { "Lock", "RLock", "Condition", "BoundedSemaphore" } do
        local object = sync[kind]()
        local function given_back(problem)
          object:release()
          if problem then error(problem, 0) end
        end
        local function held(problem)
          local _ <close> = object:hold()
          given_back(problem)
        end
        for _, call in ipairs { held, function(...) object:with(given_back, ...) end } do
          assert.same({ false, "mine" }, { pcall(call, "mine") })
          local ok, problem = pcall(call)
          assert.is_false(ok)
          assert.matches("release", problem)
        end
      end
    end)

    it("LK10 hold releases on break and on return", function()
      for i = 1, 3 do
        local _ <close> = lock:hold()
        if i == 2 then break end
      end
      assert.is_false(lock:locked())
      local function locked_inside()
        local _ <close> = lock:hold()
        return lock:locked()
      end
      assert.is_true(locked_inside())
      assert.is_false(lock:locked())
    end)

    it("LK10 hold waits for the lock", function()
      lock:acquire()
      local thread = support.start_blocked(function()
        local _ <close> = lock:hold()
        return "held"
      end)
      lock:release()
      assert.equal("held", support.finish(thread))
      assert.is_false(lock:locked())
    end)

    it("LK10 with calls the function holding the lock and returns its results", function()
      local function body(...)
        return lock:locked(), select("#", ...), ...
      end
      local results = table.pack(lock:with(body, 1, nil, "x", nil))
      assert.same({ n = 6, true, 4, 1, nil, "x", nil }, results)
      assert.is_false(lock:locked())
      assert.equal(0, select("#", lock:with(function() end)))
    end)

    it("LK10 with releases when the function raises, and passes the error on", function()
      local problem = { code = 7 }
      local ok, raised = pcall(lock.with, lock, function() error(problem) end)
      assert.is_false(ok)
      assert.equal(problem, raised)
      assert.is_false(lock:locked())
    end)

    it("LK10 with something that is no function is an error and takes nothing", function()
      support.bad_argument(1, "with", function() lock:with(42) end)
      support.bad_argument(1, "with", function() lock:with() end)
      assert.is_false(lock:locked())
    end)
  end)

  describe("as a value", function()
    it("shows its name and its owner", function()
      local named = sync.Lock { name = "A" }
      assert.equal("Lock 'A' (unlocked)", tostring(named))
      named:acquire()
      assert.equal("Lock 'A' (locked by MainThread)", tostring(named))
      named:release()
      support.finish(sync.Thread { name = "worker-1", target = function() named:acquire() end }:start())
      assert.equal("Lock 'A' (locked by worker-1)", tostring(named))
      named:release()
      assert.equal("Lock 'A' (unlocked)", tostring(named))
    end)

    it("without a name gets one from its kind and number", function()
      local other = sync.Lock()
      assert.matches("^Lock 'Lock%-%d+' %(unlocked%)$", tostring(lock))
      assert.not_equal(tostring(lock), tostring(other))
    end)

    it("refuses a name that is no string", function()
      support.error_of(function() sync.Lock { name = {} } end)
      support.error_of(function() sync.Lock { name = true } end)
    end)

    it("is equal to itself after a trip, and to no other", function()
      local queue = sync.Queue()
      queue:put(lock)
      assert.is_true(queue:get() == lock)
      assert.is_false(lock == sync.Lock())
      queue:put(lock)
      assert.is_true(support.finish(support.start(function() return queue:get() == lock end)))
    end)

    it("methods refuse another self", function()
      support.error_of(function() lock.acquire() end)
      support.error_of(function() lock.release(42) end)
      support.error_of(function() lock.release {} end)
      support.error_of(function() lock.locked(sync.Event()) end)
      support.error_of(function() lock.acquire(io.stdout) end)
      assert.is_false(lock:locked())
    end)
  end)
end)

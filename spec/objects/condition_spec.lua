local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

describe("Condition's lock", function()
  it("is taken and given back without memory, which could be short", function()
    local condition = sync.Condition()
    local function use()
      condition:acquire()
      condition:release()
      do local _ <close> = condition:hold() end
      condition:with(type, 1)
    end
    collectgarbage()
    collectgarbage "stop"
    use()                                   -- what the calls themselves need
    local before = collectgarbage "count"
    for _ = 1, 100 do use() end
    local after = collectgarbage "count"
    collectgarbage "restart"
    assert.equal(before, after)
  end)
end)

describe("the debug library", function()
  it("cannot finalise an object in the midst of its use", function()
    local condition = sync.Condition()
    local asked = 0
    condition:with(function()
      assert.is_true(condition:wait_for(function()
        asked = asked + 1
        debug.getmetatable(condition).__gc(condition)
        if asked == 1 then sync.spawn(function() condition:with(function() condition:notify() end) end) end
        return asked > 1
      end, 20))
    end)
    assert.matches("0 waiting", tostring(condition), 1, true)
  end)
end)

describe("Condition", function()
  local condition

  before_each(function()
    condition = sync.Condition()
  end)

  --- Starts `count` threads that wait one after the other.
  -- Each puts its number into the queue once it is woken (or its number negated on a timeout).
  local function start_waiters(count, woken, timeout)
    local waiting = sync.Atomic(0)
    local threads = {}
    for i = 1, count do
      threads[i] = support.start(function()
        condition:acquire()
        waiting:add(1)
        local notified = condition:wait(timeout)
        woken:put(notified and i or -i)
        condition:release()
      end)
      support.wait_until(function() return waiting:get() == i end)
      -- The waiter holds the lock from its count up to its place in the line.
      condition:acquire()
      condition:release()
    end
    return threads
  end

  local function notify(...)
    condition:acquire()
    condition:notify(...)
    condition:release()
  end

  local function finish_all(threads)
    for _, thread in ipairs(threads) do support.finish(thread) end
  end

  describe("lock", function()
    it("CO01 without a lock makes an RLock", function()
      assert.is_true(condition:acquire())
      assert.is_true(condition:acquire(false))
      condition:release()
      condition:release()
      support.raises("cannot release un-acquired lock", function() condition:release() end)
    end)

    it("CO01 shares a given Lock or RLock", function()
      for _, make in ipairs { sync.Lock, sync.RLock } do
        local lock = make()
        local shared = sync.Condition(lock)
        shared:acquire()
        assert.is_true(lock:locked())
        lock:release()
        lock:acquire()
        shared:notify()
        shared:release()
        assert.is_false(lock:locked())
      end
    end)

    it("CO01 two conditions may share one lock", function()
      local lock = sync.Lock()
      local full, empty = sync.Condition(lock), sync.Condition(lock)
      local waiting = sync.Event()
      local thread = support.start(function()
        local _ <close> = full:hold()
        waiting:set()
        return full:wait(20)
      end)
      waiting:wait(LONG)
      empty:with(function() empty:notify_all() end)
      assert.is_true(thread:is_alive())
      empty:with(function() full:notify() end)
      assert.is_true(support.finish(thread))
    end)

    it("CO02 anything else as lock is refused by the constructor", function()
      support.bad_argument(1, "Condition", function() sync.Condition(5) end)
      support.bad_argument(1, "Condition", function() sync.Condition("lock") end)
      support.bad_argument(1, "Condition", function() sync.Condition(sync.Semaphore()) end)
      support.bad_argument(1, "Condition", function() sync.Condition(sync.Event()) end)
      support.bad_argument(1, "Condition", function() sync.Condition(condition) end)
    end)

    it("CO03 acquire and release are those of the lock", function()
      local plain = sync.Condition(sync.Lock())
      assert.is_true(plain:acquire())
      assert.is_false(plain:acquire(false))
      assert.is_false(plain:acquire(true, 0.01))
      assert.is_false(plain:acquire(0.01))
      support.raises("can't specify a timeout for a non-blocking call", function() plain:acquire(false, 1) end)
      support.refuses_bad_timeouts(function(t) plain:acquire(true, t) end)
      plain:release()
      support.raises("release unlocked lock", function() plain:release() end)
    end)

    it("CO03 hold and with take and release the lock", function()
      local lock = sync.Lock()
      local guarded = sync.Condition(lock)
      do
        local _ <close> = guarded:hold()
        assert.is_true(lock:locked())
      end
      assert.is_false(lock:locked())
      assert.same({ "a", "b" }, { guarded:with(function(...) return ... end, "a", "b") })
      local ok, message = pcall(guarded.with, guarded, error, "oops")
      assert.is_false(ok)
      assert.equal("oops", message)
      assert.is_false(lock:locked())
      support.bad_argument(1, "with", function() guarded:with(42) end)
    end)
  end)

  describe("wait", function()
    it("CO04 without holding the lock is an error", function()
      support.raises("cannot wait on un-acquired lock", function() condition:wait() end)
      support.raises("cannot wait on un-acquired lock", function() condition:wait(0.01) end)
    end)

    it("CO05 gives up all levels of an RLock and takes them back", function()
      local waiting = sync.Event()
      local thread = support.start(function()
        for _ = 1, 3 do condition:acquire() end
        waiting:set()
        local notified = condition:wait(20)
        local levels = 0
        while pcall(condition.release, condition) do levels = levels + 1 end
        return notified, levels
      end)
      waiting:wait(LONG)
      assert.is_true(condition:acquire(true, LONG))
      condition:notify()
      condition:release()
      local notified, levels = support.finish(thread)
      assert.is_true(notified)
      assert.equal(3, levels)
    end)

    it("CO05 takes all levels back after a timeout too", function()
      for _ = 1, 3 do condition:acquire() end
      assert.is_false(condition:wait(0.01))
      for _ = 1, 3 do condition:release() end
      support.raises("cannot release un-acquired lock", function() condition:release() end)
    end)

    it("CO06 is true if notified, false if timed out", function()
      local woken = sync.Queue()
      local threads = start_waiters(1, woken, 20)
      notify()
      assert.equal(1, woken:get(true, LONG))
      finish_all(threads)
      condition:acquire()
      local seconds, notified = support.timed(condition.wait, condition, 0.03)
      assert.is_false(notified)
      support.took(0.03, seconds)
      condition:release()
    end)

    it("CO06 taking the lock back may last longer than the timeout", function()
      local function take_in_time() -- false: a busy machine came to it when the time was over
        local waiting = sync.Event()
        local thread = support.start(function()
          condition:acquire()
          waiting:set()
          local began = sync.monotonic()
          local notified = condition:wait(0.01)
          local ended = sync.monotonic()
          condition:release()
          return notified, began, ended
        end)
        waiting:wait(LONG)
        condition:acquire()
        local taken = sync.monotonic()
        sync.sleep(0.02)
        local given = sync.monotonic()
        condition:release()
        local notified, began, ended = support.finish(thread)
        assert.is_false(notified)
        if taken - began >= 0.01 then return false end
        assert.is_true(ended >= given)
        return true
      end
      local times = 0
      repeat times = times + 1 until take_in_time() or times == 100
      assert.is_true(times < 100)
    end)

    it("CO07 with timeout 0 is a poll that lets others take the lock", function()
      condition:acquire()
      local seconds, notified = support.timed(condition.wait, condition, 0)
      assert.is_false(notified)
      assert.is_true(seconds < support.LONG)
      local other = support.start_blocked(function()
        local taken = condition:acquire()
        condition:release()
        return taken
      end)
      support.wait_until(function()
        condition:wait(0)
        return not other:is_alive()
      end)
      assert.is_true(support.finish(other))
      condition:release()
    end)

    it("TO03 checks its timeout and then still holds the lock", function()
      condition:acquire()
      support.refuses_bad_timeouts(function(t) condition:wait(t) end)
      support.refuses_bad_timeouts(function(t) condition:wait_for(function() return true end, t) end)
      condition:release()
      support.raises("cannot release un-acquired lock", function() condition:release() end)
    end)

    it("CO20 with a plain Lock too, only its owner may wait or notify", function()
      local lock = sync.Lock()
      local plain = sync.Condition(lock)
      lock:acquire()
      local wait_ok, wait_message, notify_ok, notify_message = support.finish(support.start(function()
        local wait_ok, wait_message = pcall(plain.wait, plain, 0.01)
        return wait_ok, wait_message, pcall(plain.notify, plain)
      end))
      assert.is_false(wait_ok)
      assert.matches("cannot wait on un-acquired lock", wait_message, 1, true)
      assert.is_false(notify_ok)
      assert.matches("cannot notify on un-acquired lock", notify_message, 1, true)
      assert.is_true(lock:locked())
      plain:notify()
      lock:release()
    end)

    it("CO21 with the default RLock, only its owner may wait or notify", function()
      condition:acquire()
      local wait_ok, notify_ok, all_ok = support.finish(support.start(function()
        return (pcall(condition.wait, condition, 0.01)), (pcall(condition.notify, condition)),
          (pcall(condition.notify_all, condition))
      end))
      assert.is_false(wait_ok)
      assert.is_false(notify_ok)
      assert.is_false(all_ok)
      condition:release()
    end)
  end)

  describe("notify", function()
    it("CO09 without the lock is an error", function()
      support.raises("cannot notify on un-acquired lock", function() condition:notify() end)
      support.raises("cannot notify on un-acquired lock", function() condition:notify(0) end)
      support.raises("cannot notify on un-acquired lock", function() condition:notify_all() end)
      support.raises("cannot notify on un-acquired lock", function() condition:notifyAll() end)
    end)

    it("CO09 returns nothing", function()
      condition:acquire()
      assert.equal(0, select("#", condition:notify()))
      assert.equal(0, select("#", condition:notify_all()))
      condition:release()
    end)

    it("CO08 wakes the oldest first", function()
      local woken = sync.Queue()
      local threads = start_waiters(4, woken, 20)
      for i = 1, 4 do
        notify()
        assert.equal(i, woken:get(true, LONG))
      end
      finish_all(threads)
    end)

    it("CO08 waiters woken together leave in the order they came", function()
      local woken = sync.Queue()
      local threads = start_waiters(5, woken, 20)
      notify(5)
      for i = 1, 5 do
        assert.equal(i, woken:get(true, LONG))
      end
      finish_all(threads)
    end)

    it("CO10 wakes exactly n", function()
      local woken = sync.Queue()
      local threads = start_waiters(5, woken, 20)
      notify(3)
      for i = 1, 3 do
        assert.equal(i, woken:get(true, LONG))
      end
      assert.is_nil((woken:get(true, 0.02)))
      notify(100)
      assert.equal(4, woken:get(true, LONG))
      assert.equal(5, woken:get(true, LONG))
      finish_all(threads)
    end)

    it("CO11 with n <= 0 wakes nobody", function()
      local woken = sync.Queue()
      local threads = start_waiters(1, woken, 20)
      notify(0)
      notify(-1)
      notify(math.mininteger)
      assert.is_nil((woken:get(true, 0.02)))
      notify(1)
      assert.equal(1, woken:get(true, LONG))
      finish_all(threads)
    end)

    it("CO11 is never stored: notify before wait is lost", function()
      condition:acquire()
      condition:notify()
      condition:notify_all()
      assert.is_false(condition:wait(0.01))
      condition:release()
    end)

    it("CO12 notify_all and notifyAll wake all who wait", function()
      for _, name in ipairs { "notify_all", "notifyAll" } do
        local woken = sync.Queue()
        local threads = start_waiters(4, woken, 20)
        condition:acquire()
        condition[name](condition)
        condition:release()
        for i = 1, 4 do
          assert.equal(i, woken:get(true, LONG))
        end
        finish_all(threads)
      end
    end)

    it("CO13 a notified waiter does not return until the notifier releases the lock", function()
      local woken = sync.Queue()
      local threads = start_waiters(1, woken, 20)
      condition:acquire()
      condition:notify()
      assert.is_nil((woken:get(true, 0.02)))
      condition:release()
      assert.equal(1, woken:get(true, LONG))
      finish_all(threads)
    end)

    it("CO14 a waiter that timed out has left the line", function()
      local woken = sync.Queue()
      local hasty = start_waiters(1, woken, 0.02)
      assert.equal(-1, woken:get(true, LONG))
      finish_all(hasty)
      local patient = start_waiters(1, woken, 20)
      notify()
      assert.equal(1, woken:get(true, LONG))
      finish_all(patient)
    end)

    it("CO14 a waiter chosen by notify is notified, however late it gets the lock", function()
      local woken = sync.Queue()
      local threads = start_waiters(1, woken, 0.2)
      condition:acquire()
      condition:notify()
      sync.sleep(0.25)
      condition:release()
      assert.equal(1, woken:get(true, LONG))
      finish_all(threads)
    end)

    it("CO15 nobody wakes without being notified", function()
      local woken = sync.Queue()
      local threads = start_waiters(3, woken, 20)
      for _ = 1, 20 do
        condition:acquire()
        condition:release()
      end
      assert.is_nil((woken:get(true, 0.02)))
      notify(3)
      finish_all(threads)
      assert.equal(3, woken:qsize())
    end)

    it("refuses a count that is no integer", function()
      condition:acquire()
      support.bad_argument(1, "notify", function() condition:notify("many") end)
      support.bad_argument(1, "notify", function() condition:notify(1.5) end)
      support.bad_argument(1, "notify", function() condition:notify {} end)
      condition:release()
    end)
  end)

  it("CO22 an interrupted wait owns the lock on the way out and leaves the line", function()
    local waiting, go_on = sync.Event(), sync.Event()
    local thread = support.start(function()
      condition:acquire()
      waiting:set()
      local ok, message = pcall(condition.wait, condition)
      local owned = pcall(condition.notify, condition, 0)
      go_on:wait(20)
      condition:release()
      return ok, message, owned
    end)
    waiting:wait(LONG)
    condition:acquire()
    condition:release()
    assert.is_true(thread:interrupt("enough"))
    go_on:set()
    local ok, message, owned = support.finish(thread)
    assert.is_false(ok)
    assert.matches("enough", message, 1, true)
    assert.is_true(owned)
    local woken = sync.Queue()
    local threads = start_waiters(1, woken, 20)
    notify()
    assert.equal(1, woken:get(true, LONG))
    finish_all(threads)
  end)

  it("CO24 shows its kind and name", function()
    assert.matches("^Condition 'C'", tostring(sync.Condition { name = "C" }))
    assert.matches("^Condition 'D'", tostring(sync.Condition(sync.Lock(), { name = "D" })))
    assert.matches("^Condition 'Condition%-%d+'", tostring(condition))
  end)

  it("methods refuse another self", function()
    support.error_of(function() condition.wait() end)
    support.error_of(function() condition.wait(sync.Event()) end)
    support.error_of(function() condition.notify {} end)
    support.error_of(function() condition.acquire(sync.Lock()) end)
  end)
end)

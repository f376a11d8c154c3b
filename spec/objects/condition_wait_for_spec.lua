local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

describe("Condition:wait_for", function()
  local condition

  before_each(function()
    condition = sync.Condition()
  end)

  it("CO16 returns the predicate's last value", function()
    condition:acquire()
    local value = {}
    assert.equal(value, condition:wait_for(function() return value end))
    assert.equal("yes", condition:wait_for(function() return "yes" end, 1))
    assert.is_false(condition:wait_for(function() return false end, 0.01))
    assert.is_nil(condition:wait_for(function() return nil end, 0.01))
    condition:release()
  end)

  it("CO16 waits until the predicate is true", function()
    local state = sync.Shared { n = 0 }
    local waiting = sync.Event()
    local thread = support.start(function()
      local _ <close> = condition:hold()
      waiting:set()
      return condition:wait_for(function() return state.n >= 3 and state.n end, 20)
    end)
    waiting:wait(LONG)
    for i = 1, 3 do
      assert.is_true(thread:is_alive())
      condition:acquire()
      state.n = i
      condition:notify()
      condition:release()
    end
    assert.equal(3, support.finish(thread))
  end)

  it("CO17 looks at the lock first, then at the predicate", function()
    local calls = 0
    support.raises("cannot wait on un-acquired lock", function()
      condition:wait_for(function()
        calls = calls + 1
        return true
      end)
    end)
    assert.equal(0, calls)
  end)

  it("CO18 has one deadline across wake-ups", function()
    local stop = sync.Event()
    local pest = support.start(function()
      while not stop:wait(0.002) do
        condition:acquire()
        condition:notify_all()
        condition:release()
      end
    end)
    condition:acquire()
    local seconds, value = support.timed(condition.wait_for, condition, function() return false end, 0.05)
    condition:release()
    stop:set()
    support.finish(pest)
    assert.is_false(value)
    support.took(0.05, seconds)
  end)

  it("CO18 asks the predicate once more after the timeout", function()
    condition:acquire()
    local calls = 0
    local value = condition:wait_for(function()
      calls = calls + 1
      return calls > 1 and "late"
    end, 0.01)
    assert.equal("late", value)
    assert.equal(2, calls)
    condition:release()
  end)

  it("CO18 with timeout 0 asks the predicate twice at most", function()
    condition:acquire()
    local calls = 0
    assert.is_false(condition:wait_for(function()
      calls = calls + 1
      return false
    end, 0))
    assert.is_true(calls == 1 or calls == 2)
    condition:release()
  end)

  it("CO18 the predicate runs with the lock held", function()
    local lock = sync.Lock()
    local plain = sync.Condition(lock)
    plain:acquire()
    assert.is_true(plain:wait_for(function() return lock:locked() end))
    plain:release()
  end)

  it("CO19 an error in the predicate propagates with the lock still held", function()
    condition:acquire()
    local problem = {}
    local ok, raised = pcall(condition.wait_for, condition, function() error(problem) end)
    assert.is_false(ok)
    assert.equal(problem, raised)
    condition:notify()
    condition:release()
    support.raises("cannot release un-acquired lock", function() condition:release() end)
  end)

  it("refuses a predicate that cannot be called", function()
    condition:acquire()
    support.bad_argument(1, "wait_for", function() condition:wait_for(true) end)
    support.bad_argument(1, "wait_for", function() condition:wait_for() end)
    condition:release()
  end)
end)

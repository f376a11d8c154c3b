local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

-- Calls by constant names, which error messages can tell.
local by_name = {
  Semaphore = function(value) local semaphore = sync.Semaphore(value) return semaphore end,
  BoundedSemaphore = function(value) local semaphore = sync.BoundedSemaphore(value) return semaphore end,
}

for _, kind in ipairs { "Semaphore", "BoundedSemaphore" } do
  describe(kind, function()
    local make = sync[kind]

    it("SE01 begins with its value, 1 by default", function()
      assert.equal(1, make():value())
      assert.equal(3, make(3):value())
      assert.equal(0, make(0):value())
      assert.equal("integer", math.type(make(2.0):value()))
      assert.equal(1, make { name = "S" }:value())
    end)

    it("SE01 refuses a negative value", function()
      support.raises("semaphore initial value must be >= 0", function() make(-1) end)
      support.raises("semaphore initial value must be >= 0", function() make(math.mininteger) end)
    end)

    it("SE02 refuses a value that is no integer", function()
      support.bad_argument(1, kind, function() by_name[kind](0.5) end)
      support.bad_argument(1, kind, function() by_name[kind](0 / 0) end)
      support.bad_argument(1, kind, function() by_name[kind](math.huge) end)
      support.bad_argument(1, kind, function() by_name[kind]("many") end)
      support.bad_argument(1, kind, function() by_name[kind](true) end)
    end)

    it("SE03 acquire takes one, and is false when none is left", function()
      local semaphore = make(2)
      assert.is_true(semaphore:acquire())
      assert.is_true(semaphore:acquire(true, 1))
      assert.equal(0, semaphore:value())
      assert.is_false(semaphore:acquire(false))
      assert.is_false(semaphore:acquire(true, 0))
      assert.is_false(semaphore:acquire(0))
      local seconds, taken = support.timed(semaphore.acquire, semaphore, true, 0.03)
      assert.is_false(taken)
      support.took(0.03, seconds)
      assert.is_false(semaphore:acquire(0.01))
      assert.equal(0, semaphore:value())
    end)

    it("SE03 acquire blocks while the value is 0", function()
      local semaphore = make(1)
      semaphore:acquire()
      local thread = support.start_blocked(function() return semaphore:acquire() end)
      semaphore:release()
      assert.is_true(support.finish(thread))
      assert.equal(0, semaphore:value())
    end)

    it("SE04 acquire(false, t) is an error for any t, and takes nothing", function()
      local semaphore = make(1)
      for _, timeout in ipairs { 0, 1, math.huge } do
        support.raises("can't specify a timeout for a non-blocking call",
          function() semaphore:acquire(false, timeout) end)
      end
      assert.equal(1, semaphore:value())
    end)

    it("TO03 checks the timeout, also when a unit is free", function()
      local semaphore = make(1)
      support.refuses_bad_timeouts(function(t) semaphore:acquire(true, t) end)
      support.raises("timeout must be a non-negative number", function() semaphore:acquire(-1) end)
      assert.equal(1, semaphore:value())
      semaphore:acquire()
      support.refuses_bad_timeouts(function(t) semaphore:acquire(true, t) end)
      assert.equal(0, semaphore:value())
    end)

    it("SE06 release(n) adds n and wakes up to n", function()
      local semaphore = make(5)
      for _ = 1, 5 do semaphore:acquire() end
      local woken = sync.Queue()
      local threads = {}
      for i = 1, 4 do
        threads[i] = support.start_blocked(function()
          semaphore:acquire()
          woken:put(i)
        end)
      end
      assert.equal(0, select("#", semaphore:release(3)))
      local seen = {}
      for _ = 1, 3 do seen[woken:get(true, LONG)] = true end
      assert.same({ true, true, true }, seen)
      assert.is_nil((woken:get(true, 0.02)))
      semaphore:release(2)
      assert.equal(4, woken:get(true, LONG))
      for _, thread in ipairs(threads) do support.finish(thread) end
      assert.equal(1, semaphore:value())
    end)

    it("SE06 release(n) with n < 1 is an error", function()
      local semaphore = make(0)
      support.raises("n must be one or more", function() semaphore:release(0) end)
      support.raises("n must be one or more", function() semaphore:release(-3) end)
      assert.equal(0, semaphore:value())
    end)

    it("SE06 release refuses an n that is no integer", function()
      local semaphore = make(5)
      semaphore:acquire()
      support.bad_argument(1, "release", function() semaphore:release(2.5) end)
      support.bad_argument(1, "release", function() semaphore:release("one") end)
      support.bad_argument(1, "release", function() semaphore:release {} end)
      assert.equal(4, semaphore:value())
    end)

    it("SE08 waiters are woken first come, first served", function()
      local semaphore = make(1)
      semaphore:acquire()
      local woken = sync.Queue()
      local threads = {}
      for i = 1, 4 do
        threads[i] = support.start_blocked(function()
          semaphore:acquire()
          woken:put(i)
        end)
      end
      for i = 1, 4 do
        semaphore:release()
        assert.equal(i, woken:get(true, LONG))
      end
      for _, thread in ipairs(threads) do support.finish(thread) end
      assert.equal(0, semaphore:value())
    end)

    it("SE08 a waiter that gave up does not swallow a unit", function()
      local semaphore = make(1)
      semaphore:acquire()
      local hasty = support.start_blocked(function() return semaphore:acquire(true, 0.05) end)
      local patient = support.start_blocked(function() return semaphore:acquire(true, 20) end)
      assert.is_false(support.finish(hasty))
      semaphore:release()
      assert.is_true(support.finish(patient))
      assert.equal(0, semaphore:value())
    end)

    it("SE09 hold takes one and gives it back, also on error", function()
      local semaphore = make(2)
      do
        local _ <close> = semaphore:hold()
        assert.equal(1, semaphore:value())
      end
      assert.equal(2, semaphore:value())
      local ok = pcall(function()
        local _ <close> = semaphore:hold()
        error "oops"
      end)
      assert.is_false(ok)
      assert.equal(2, semaphore:value())
    end)

    it("SE09 with takes one and gives it back, also on error", function()
      local semaphore = make(2)
      local results = table.pack(semaphore:with(function(...) return semaphore:value(), ... end, "x", nil))
      assert.same({ n = 3, 1, "x", nil }, results)
      local problem = {}
      local ok, raised = pcall(semaphore.with, semaphore, function() error(problem) end)
      assert.is_false(ok)
      assert.equal(problem, raised)
      support.bad_argument(1, "with", function() semaphore:with(nil) end)
      assert.equal(2, semaphore:value())
    end)

    it("SE10 shows its kind, name and value", function()
      local semaphore = sync[kind](2, { name = "S" })
      assert.matches("^" .. kind .. " 'S' %(value 2", tostring(semaphore))
      semaphore:acquire()
      assert.matches("^" .. kind .. " 'S' %(value 1", tostring(semaphore))
      assert.matches("^" .. kind .. " '" .. kind .. "%-%d+' %(value 1", tostring(make()))
      if kind == "Semaphore" then
        assert.equal("Semaphore 'S' (value 1)", tostring(semaphore))
      end
    end)

    it("any thread may release", function()
      local semaphore = make(1)
      semaphore:acquire()
      support.finish(support.start(function() semaphore:release() end))
      assert.equal(1, semaphore:value())
    end)

    it("methods refuse another self", function()
      local semaphore = make(1)
      support.error_of(function() semaphore.acquire() end)
      support.error_of(function() semaphore.release(sync.Lock()) end)
      support.error_of(function() semaphore.value {} end)
      assert.equal(1, semaphore:value())
    end)
  end)
end

describe("Semaphore", function()
  it("SE07 has no upper bound and needs no acquire before release", function()
    local semaphore = sync.Semaphore(0)
    semaphore:release()
    semaphore:release(1000)
    assert.equal(1001, semaphore:value())
    assert.is_true(semaphore:acquire(false))
  end)
end)

describe("BoundedSemaphore", function()
  local message = "semaphore released too many times"

  it("BS01 release above the initial value is an error", function()
    local semaphore = sync.BoundedSemaphore(2)
    support.raises(message, function() semaphore:release() end)
    semaphore:acquire()
    semaphore:release()
    support.raises(message, function() semaphore:release() end)
    assert.equal(2, semaphore:value())
  end)

  it("BS01 a failed release changes nothing", function()
    local semaphore = sync.BoundedSemaphore(3)
    semaphore:acquire()
    support.raises(message, function() semaphore:release(2) end)
    assert.equal(2, semaphore:value())
    support.raises(message, function() semaphore:release(math.maxinteger) end)
    assert.equal(2, semaphore:value())
    semaphore:release(1)
    assert.equal(3, semaphore:value())
  end)

  it("BS02 n < 1 is checked first", function()
    support.raises("n must be one or more", function() sync.BoundedSemaphore(1):release(0) end)
  end)

  it("BS03 an initial value of 0 is legal, and then every release is an error", function()
    local semaphore = sync.BoundedSemaphore(0)
    assert.is_false(semaphore:acquire(false))
    support.raises(message, function() semaphore:release() end)
    assert.equal(0, semaphore:value())
  end)
end)

local sync = require "luasync"
local support = require "spec.support"

describe("Atomic", function()
  it("begins with its value, 0 by default", function()
    assert.equal(0, sync.Atomic():get())
    assert.equal(5, sync.Atomic(5):get())
    assert.equal(-1, sync.Atomic(-1):get())
    assert.equal("integer", math.type(sync.Atomic():get()))
  end)

  it("set, add, exchange and compare_exchange give what the contract says", function()
    local atomic = sync.Atomic(10)
    assert.equal(0, select("#", atomic:set(20)))
    assert.equal(20, atomic:get())
    assert.equal(23, atomic:add(3))
    assert.equal(21, atomic:add(-2))
    assert.equal(21, atomic:exchange(1))
    assert.equal(1, atomic:get())
    assert.is_false(atomic:compare_exchange(2, 3))
    assert.equal(1, atomic:get())
    assert.is_true(atomic:compare_exchange(1, 3))
    assert.equal(3, atomic:get())
  end)

  it("carries the extremes of the integers", function()
    local atomic = sync.Atomic(math.maxinteger)
    assert.equal(math.maxinteger, atomic:get())
    assert.equal(math.mininteger, atomic:add(1))
    assert.equal(math.mininteger, atomic:exchange(0))
  end)

  it("loses no addition of many threads", function()
    local atomic = sync.Atomic(0)
    local threads = {}
    for i = 1, 4 do
      threads[i] = support.start(function()
        for _ = 1, 2000 do atomic:add(1) end
      end)
    end
    for _, thread in ipairs(threads) do support.finish(thread) end
    assert.equal(8000, atomic:get())
  end)

  it("compare_exchange lets one of many win", function()
    local atomic, won = sync.Atomic(0), sync.Atomic(0)
    local threads = {}
    for i = 1, 4 do
      threads[i] = support.start(function()
        for round = 0, 199 do
          while atomic:get() < round do sync.sleep(0) end
          if atomic:compare_exchange(round, round + 1) then won:add(1) end
        end
      end)
    end
    for _, thread in ipairs(threads) do support.finish(thread) end
    assert.equal(200, won:get())
    assert.equal(200, atomic:get())
  end)

  it("refuses anything that is no number, and changes nothing", function()
    local atomic = sync.Atomic(7)
    support.bad_argument(1, "Atomic", function() sync.Atomic("x") end)
    support.bad_argument(1, "Atomic", function() sync.Atomic(true) end)
    support.bad_argument(1, "add", function() atomic:add("x") end)
    support.bad_argument(1, "add", function() atomic:add() end)
    support.bad_argument(1, "set", function() atomic:set {} end)
    support.bad_argument(1, "set", function() atomic:set(nil) end)
    support.bad_argument(1, "exchange", function() atomic:exchange("x") end)
    support.error_of(function() atomic:compare_exchange({}, 1) end)
    support.error_of(function() atomic:compare_exchange(7) end)
    assert.equal(7, atomic:get())
  end)

  it("crosses by reference and is equal to itself there", function()
    local atomic = sync.Atomic(1)
    local queue = sync.Queue()
    queue:put(atomic)
    assert.is_true(queue:get() == atomic)
    assert.is_false(atomic == sync.Atomic(1))
    support.finish(support.start(function() atomic:set(9) end))
    assert.equal(9, atomic:get())
    assert.matches("^Atomic", tostring(atomic))
  end)
end)

local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

describe("Event", function()
  local event

  before_each(function()
    event = sync.Event()
  end)

  it("EV01 begins unset and takes no arguments but a table with its name", function()
    assert.is_false(event:is_set())
    assert.equal("Event 'E' (unset)", tostring(sync.Event { name = "E" }))
    support.error_of(function() sync.Event(true) end)
  end)

  it("EV02 is_set is a boolean, in every thread the same", function()
    local function seen()
      return support.finish(support.start(function() return event:is_set() end))
    end
    assert.is_false(seen())
    event:set()
    assert.is_true(event:is_set())
    assert.is_true(seen())
  end)

  it("EV03 set wakes all who wait and is idempotent", function()
    local threads = {}
    for i = 1, 5 do
      threads[i] = support.start_blocked(function() return event:wait() end)
    end
    assert.equal(0, select("#", event:set()))
    for i = 1, 5 do
      assert.is_true(support.finish(threads[i]))
    end
    event:set()
    assert.is_true(event:is_set())
  end)

  it("EV04 clear is idempotent and wakes nobody", function()
    assert.equal(0, select("#", event:clear()))
    event:set()
    event:clear()
    event:clear()
    assert.is_false(event:is_set())
    local thread = support.start_blocked(function() return event:wait(20) end)
    event:clear()
    assert.is_false(thread:join(0.02))
    event:set()
    assert.is_true(support.finish(thread))
  end)

  it("EV05 wait is true at once if set", function()
    event:set()
    assert.is_true(event:wait())
    assert.is_true(event:wait(0))
    assert.is_true(event:wait(nil))
    assert.is_true(event:wait(math.huge))
    assert.is_true(event:wait(10))
    assert.is_true(event:is_set())
  end)

  it("EV05 wait is true if woken, false if timed out", function()
    local seconds, set = support.timed(event.wait, event, 0.03)
    assert.is_false(set)
    support.took(0.03, seconds)
    local thread = support.start_blocked(function() return event:wait(20) end)
    event:set()
    assert.is_true(support.finish(thread))
  end)

  it("EV05 wait without a timeout, with nil and with math.huge lasts until set", function()
    for _, timeout in ipairs { "none", "nil", "huge" } do
      event:clear()
      local thread = support.start_blocked(function()
        if timeout == "none" then return event:wait() end
        return event:wait(timeout == "huge" and math.huge or nil)
      end)
      assert.is_false(thread:join(0))
      event:set()
      assert.is_true(support.finish(thread))
    end
  end)

  it("EV06 a waiter woken by set is woken, even if clear follows at once", function()
    for _ = 1, 20 do
      local thread = support.start_blocked(function() return event:wait(20) end)
      event:set()
      event:clear()
      assert.is_true(support.finish(thread))
      assert.is_false(event:is_set())
    end
  end)

  it("EV07 wait(0) polls", function()
    local seconds, set = support.timed(event.wait, event, 0)
    assert.is_false(set)
    assert.is_true(seconds < support.LONG)
  end)

  it("TO03 checks the timeout, set or not", function()
    support.refuses_bad_timeouts(function(t) event:wait(t) end)
    event:set()
    support.refuses_bad_timeouts(function(t) event:wait(t) end)
  end)

  it("EV08 isSet is is_set", function()
    assert.is_false(event:isSet())
    event:set()
    assert.is_true(event:isSet())
  end)

  it("EV09 any thread may set, clear and wait", function()
    support.finish(support.start(function() event:set() end))
    assert.is_true(event:wait(LONG))
    support.finish(support.start(function() event:clear() end))
    assert.is_false(event:is_set())
  end)

  it("EV10 shows set or unset", function()
    local named = sync.Event { name = "E" }
    assert.equal("Event 'E' (unset)", tostring(named))
    named:set()
    assert.equal("Event 'E' (set)", tostring(named))
    assert.matches("^Event 'Event%-%d+' %(unset%)$", tostring(event))
  end)

  it("EV03 a waiter that timed out does not keep the others from being woken", function()
    local hasty = support.start_blocked(function() return event:wait(0.03) end)
    local patient = support.start_blocked(function() return event:wait(20) end)
    assert.is_false(support.finish(hasty))
    event:set()
    assert.is_true(support.finish(patient))
  end)

  it("methods refuse another self", function()
    support.error_of(function() event.set() end)
    support.error_of(function() event.wait(sync.Lock()) end)
    support.error_of(function() event.is_set {} end)
    support.error_of(function() event.clear "event" end)
  end)
end)

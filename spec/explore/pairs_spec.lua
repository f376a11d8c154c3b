--- Two threads, one call each, on one object: in how many ways can they differ? Two calls that change places have one
-- execution more than those that do not. A call that is not announced, or touches more than it says, has too few here,
-- and a search would miss what only the others lead to.
local sync = require "luasync"

-- How an object is made; the calls of one thread, each with the numbers of executions with itself and those above it.
local OBJECTS = {
  { "sync.Event()", {
    { "o:set()", 3 },
    { "o:clear()", 3, 3 },
    { "o:is_set()", 3, 3, 2 },
    { "o:wait(0)", 3, 3, 2, 2 },
    { "o:wait(1)", 2, 1, 1, 1, 2 },
    { "sync.select({ o }, 0)", 3, 3, 2, 2, 1, 2 },
    { "sync.select({ o }, 1)", 2, 1, 1, 1, 2, 1, 2 },
  } },
  { "sync.Atomic(0)", {
    { "o:get()", 2 },
    { "o:set(1)", 3, 3 },
    { "o:add(1)", 3, 3, 3 },
    { "o:exchange(1)", 3, 3, 3, 3 },
    { "o:compare_exchange(0, 1)", 3, 3, 3, 3, 3 },
  } },
  { "sync.Lock()", {
    { "o:acquire()", 2 },
    { "o:with(function() end)", 2, 4 },
    { "o:acquire(false)", 3, 4, 3 },
    { "o:acquire(true, 1)", 2, 3, 2, 2 },
    { "o:locked()", 3, 4, 3, 3, 2 },
    { "sync.select({ o }, 0)", 3, 4, 3, 3, 3, 3 },
    { "sync.select({ o }, 1)", 2, 3, 2, 2, 3, 2, 2 },
  } },
  { "sync.RLock()", {
    { "o:acquire()", 2 },
    { "o:with(function() end)", 2, 4 },
    { "o:acquire(false)", 3, 4, 3 },
    { "o:acquire(true, 1)", 2, 3, 2, 2 },
    { "o:locked()", 3, 4, 3, 3, 2 },
    { "sync.select({ o }, 0)", 3, 4, 3, 3, 3, 3 },
  } },
  { "sync.Semaphore(1)", {
    { "o:acquire()", 2 },
    { "o:acquire(false)", 3, 3 },
    { "o:acquire(true, 1)", 2, 2, 2 },
    { "o:release()", 3, 3, 3, 3 },
    { "o:value()", 3, 3, 3, 3, 2 },
    { "sync.select({ o }, 0)", 3, 3, 3, 3, 3, 3 },
    { "sync.select({ o }, 1)", 2, 2, 2, 3, 3, 2, 2 },
  } },
  { "sync.Condition()", {
    { "o:with(o.notify, o)", 5 },
    { "o:with(o.notify_all, o)", 5, 5 },
    { "o:with(o.wait, o)", 6, 6, 2 },
    { "o:with(o.wait, o, 1)", 6, 6, 2, 8 },
  } },
  { "sync.RWLock()", {
    { "o:read() o:release()", 3 },
    { "o:write() o:release()", 7, 8 },
    { "o:read(0)", 2, 4, 2 },
    { "o:write(0)", 4, 4, 3, 3 },
    { "o:read(1)", 2, 3, 2, 2, 2 },
    { "o:write(1)", 5, 5, 3, 3, 3, 3 },
  } },
  { "sync.Barrier(2)", {
    { "o:wait()", 2 },
    { "o:wait(0)", 2, 3 },
    { "o:wait(1)", 2, 3, 2 },
    { "o:abort()", 2, 3, 2, 3 },
    { "o:reset()", 2, 3, 2, 3, 3 },
    { "return o.broken", 2, 3, 2, 3, 3, 2 },
    { "return o.n_waiting", 2, 3, 2, 3, 3, 2, 2 },
  } },
  { "sync.Queue(1)", {
    { "o:put(1)", 2 },
    { "o:put(1, false)", 3, 3 },
    { "o:put(1, true, 1)", 2, 2, 2 },
    { "o:get()", 2, 2, 2, 1 },
    { "o:get(false)", 3, 3, 3, 1, 3 },
    { "o:get(true, 1)", 2, 2, 2, 1, 1, 3 },
    { "o:qsize()", 3, 3, 3, 1, 3, 1, 2 },
    { "o:empty()", 3, 3, 3, 1, 3, 1, 2, 2 },
    { "o:full()", 3, 3, 3, 1, 3, 1, 2, 2, 2 },
    { "o:join()", 2, 2, 2, 1, 3, 1, 2, 2, 2, 2 },
    { "o:shutdown()", 3, 3, 3, 1, 3, 1, 3, 3, 3, 3, 3 },
    { "sync.select({ o }, 0)", 3, 3, 3, 1, 3, 1, 3, 3, 3, 3, 3, 3 },
    { "sync.select({ o }, 1)", 2, 2, 2, 1, 1, 3, 1, 1, 1, 1, 2, 1, 3 },
  } },
  { "sync.Shared{ n = 0 }", {
    { "return o.n", 2 },
    { "o.n = 1", 3, 3 },
    { "o.m = 1", 2, 2, 3 },
    { "sync.update(o, 'n', function(n) return n + 1 end)", 3, 3, 2, 3 },
    { "return #o", 2, 2, 3, 2, 2 },
    { "pairs(o)(o)", 2, 2, 3, 2, 2, 2 },
    { "sync.snapshot(o)", 2, 3, 3, 3, 2, 2, 2 },
  } },
  { "sync.Pool(1):submit(function() end)", {
    { "o:cancel()", 30 },
    { "o:done()", 32, 28 },
    { "o:running()", 32, 28, 28 },
    { "o:result()", 19, 14, 14, 4 },
    { "o:result(0)", 32, 28, 28, 8, 28 },
    { "o:result(1)", 19, 14, 14, 4, 14, 4 },
    { "sync.select({ o }, 0)", 32, 28, 28, 8, 28, 8, 28 },
    { "sync.wait({ o })", 19, 14, 14, 4, 14, 4, 14, 4 },
    { "sync.wait({ o }, 0)", 32, 28, 28, 8, 28, 8, 28, 8, 28 },
  } },
  { "sync.Thread{ target = function() end, daemon = true }", {
    { "o:start()", 14 },
    { "o:is_alive()", 12, 3 },
    { "o:interrupt()", 12, 5, 5 },
  } },
  { "sync.Timer(1, function() end)", {
    { "o:start()", 2 },
    { "o:cancel()", 1, 3 },
    { "o:is_alive()", 2, 3, 3 },
  } },
}

--- Main leaves the second call to a thread, a daemon unless it is `joined`.
local function explore(strategy, make, first, second, joined)
  local code = ([[
    local sync = require "luasync"
    local o = %s
    sync.Thread{ daemon = %s, target = function() %s end }:start()
    %s
  ]]):format(make, not joined, first, second)
  local report = sync.explore(assert(load(code)), { strategy = strategy })
  assert.is_true(report.complete, code)
  return report, code
end

local function assert_same(make, first, second, joined)
  local dpor, code = explore("dpor", make, first, second, joined)
  local states = explore("states", make, first, second, joined)
  assert.same({ states.executions, states.interleavings }, { dpor.executions, dpor.interleavings }, code)
end

describe("explore knows which calls change places", function()
  for _, object in ipairs(OBJECTS) do
    local make, calls = table.unpack(object)
    it(make, function()
      for i, call in ipairs(calls) do
        local found = { call[1] }
        for j = 1, i do found[j + 1] = explore("dpor", make, call[1], calls[j][1]).executions end
        assert.same(call, found)
      end
    end)

    it(make .. ", by states as by traces #noasan #notsan", function()
      for i, call in ipairs(calls) do
        for j = 1, i do
          for _, joined in ipairs{ false, true } do
            assert_same(make, call[1], calls[j][1], joined)
            assert_same(make, calls[j][1], call[1], joined)
          end
        end
      end
    end)
  end
end)

-- sync.update: a value of a Shared, or of one of its tables, is replaced by what a function makes of it.
local sync = require "luasync"
local support = require "spec.support"

--- The keys and values that pairs shows, as a plain table.
local function walk(shared)
  local copy = {}
  for key, value in pairs(shared) do copy[key] = value end
  return copy
end

describe("update", function()
  it("replaces a value and returns the new one", function()
    local shared = sync.Shared { n = 1 }
    assert.equal(11, sync.update(shared, "n", function(n, more) return n + more end, 10))
    assert.equal(11, shared.n)
    assert.equal("new", sync.update(shared, "absent", function(old) return old == nil and "new" end))
    assert.equal("new", shared.absent)
    assert.is_nil(sync.update(shared, "n", function() return nil end))
    assert.is_nil(shared.n)
  end)

  it("passes all arguments on", function()
    local shared = sync.Shared()
    local seen
    sync.update(shared, 1, function(...)
      seen = table.pack(...)
      return true
    end, nil, 2, nil)
    assert.same({ n = 4, nil, nil, 2, nil }, seen)
  end)

  it("makes a plain table Shared", function()
    local shared = sync.Shared()
    local inner = sync.update(shared, "list", function() return { 1 } end)
    inner[2] = 2
    assert.equal(2, #shared.list)
  end)

  it("is atomic", function()
    local shared = sync.Shared { n = 0 }
    local threads = {}
    for i = 1, 4 do
      threads[i] = support.start(function()
        for _ = 1, 500 do
          sync.update(shared, "n", function(n) return n + 1 end)
        end
      end)
    end
    for _, thread in ipairs(threads) do support.finish(thread) end
    assert.equal(2000, shared.n)
  end)

  it("changes nothing when the function raises, and passes the error on", function()
    local shared = sync.Shared { n = 1 }
    local problem = {}
    local ok, raised = pcall(sync.update, shared, "n", function() error(problem) end)
    assert.is_false(ok)
    assert.equal(problem, raised)
    assert.equal(1, shared.n)
    assert.equal(2, sync.update(shared, "n", function(n) return n + 1 end))
  end)

  it("refuses a result that cannot be shared, and stays usable", function()
    local shared = sync.Shared { n = 1 }
    support.error_of(function() sync.update(shared, "n", function() return coroutine.create(print) end) end)
    support.raises("cannot share a table with a metatable", function()
      sync.update(shared, "n", function() return setmetatable({}, {}) end)
    end)
    assert.equal(1, shared.n)
    shared.n = 2
    assert.equal(2, shared.n)
  end)

  it("the function touching the same table is an error", function()
    local shared = sync.Shared { n = 1, m = 2 }
    local touches = {
      function() return shared.n end,
      function() return shared.m end,
      function() shared.m = 3 end,
      function() return #shared end,
      function() return sync.update(shared, "m", function() return 3 end) end,
      function() return sync.snapshot(shared) end,
      function() return next(walk(shared)) end,
    }
    for _, touch in ipairs(touches) do
      assert.is_false((pcall(sync.update, shared, "n", touch)))
      assert.equal(1, shared.n)
      assert.equal(2, shared.m)
    end
  end)

  it("the function blocking is an error", function()
    local shared = sync.Shared { n = 1 }
    local queue, event, lock, condition = sync.Queue(), sync.Event(), sync.Lock(), sync.Condition()
    local full, undone, none, pool = sync.Queue(1), sync.Queue(), sync.Semaphore(0), sync.Pool(1)
    lock:acquire()
    full:put(1)
    undone:put(1)
    local future = pool:submit(event.wait, event)
    local thread, scope = sync.spawn(event.wait, event), sync.Scope()
    scope:spawn(event.wait, event)
    local blocks = {
      function() return queue:get() end,
      function() return full:put(2) end,
      function() return undone:join() end,
      function() return event:wait() end,
      function() return lock:acquire() end,
      function() return none:acquire() end,
      function() return condition:with(condition.wait, condition) end,
      function() return sync.Barrier(2):wait() end,
      function() return sync.select { queue, event } end,
      function() return future:result() end,
      function() return sync.wait { future } end,
      function() return pool:map(print, { 1 }) end,
      function() return pool:shutdown() end,
      function() return thread:join() end,
      function() return thread:result() end,
      function() return scope:join() end,
      function() return sync.settle() end,
      function() return sync.sleep(0.01) end,
    }
    for i, block in ipairs(blocks) do
      local ok, message = pcall(sync.update, shared, "n", block)
      assert.is_false(ok)
      assert.matches("cannot block inside update$", message, nil, nil, i)
      assert.equal(1, shared.n)
    end
    event:set()
    scope:join()
    pool:shutdown()
  end)

  it("of two tables by two threads that touch each other's is refused to one of them", function()
    local refused = 0
    for seed = 1, 12 do
      local report = sync.simulate(function()
        local a, b = sync.Shared { n = 0 }, sync.Shared { n = 0 }
        local function cross(one, other)
          return pcall(sync.update, one, "n", function(n) return n + 1 + 0 * other.n end)
        end
        local thread = sync.spawn(cross, b, a)
        local mine, why = cross(a, b)
        local theirs, their_why = thread:result()
        return mine, theirs, a.n + b.n, not mine and why or their_why
      end, { seed = seed })
      assert.is_true(report.ok, report.deadlock)
      local mine, theirs, sum, why = table.unpack(report.results, 1, 4)
      assert.equal((mine and 1 or 0) + (theirs and 1 or 0), sum)
      assert.is_true(mine or theirs)
      if sum == 1 then
        refused = refused + 1
        assert.matches("cannot block inside update$", why)
      end
    end
    assert.is_true(refused > 0)
  end)

  it("refuses other arguments", function()
    local shared = sync.Shared()
    support.bad_argument(1, "update", function() sync.update({}, "n", print) end)
    support.bad_argument(1, "update", function() sync.update(nil, "n", print) end)
    support.bad_argument(3, "update", function() sync.update(shared, "n", 42) end)
    support.error_of(function() sync.update(shared, nil, function() return 1 end) end)
  end)
end)

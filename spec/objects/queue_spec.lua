local sync = require "luasync"
local support = require "spec.support"

local LONG = support.LONG

-- Calls by constant names, which error messages can tell.
local by_name = {
  Queue = function(maxsize) local queue = sync.Queue(maxsize) return queue end,
  LifoQueue = function(maxsize) local queue = sync.LifoQueue(maxsize) return queue end,
  PriorityQueue = function(maxsize) local queue = sync.PriorityQueue(maxsize) return queue end,
}

-- What Queue, LifoQueue and PriorityQueue have in common.
for _, kind in ipairs { "Queue", "LifoQueue", "PriorityQueue" } do
  describe(kind, function()
    local make = sync[kind]

    it("QU01 has no bound by default, and with 0 or less", function()
      for _, queue in ipairs { make(), make(0), make(-1), make { name = "q" } } do
        for i = 1, 100 do assert.is_true(queue:put(i, false)) end
        assert.is_false(queue:full())
        assert.equal(100, queue:qsize())
      end
    end)

    it("QU01 refuses a maxsize that is no integer", function()
      support.bad_argument(1, kind, function() by_name[kind](2.5) end)
      support.bad_argument(1, kind, function() by_name[kind](0 / 0) end)
      support.bad_argument(1, kind, function() by_name[kind]("x") end)
      support.bad_argument(1, kind, function() by_name[kind](true) end)
    end)

    it("QU02 put is true, and refuses nil", function()
      local queue = make()
      assert.is_true(queue:put(1))
      assert.is_true(queue:put_nowait(2))
      support.bad_argument(1, "put", function() queue:put(nil) end)
      support.bad_argument(1, "put", function() queue:put() end)
      support.bad_argument(1, "put", function() queue:put(nil, false) end)
      support.bad_argument(1, "put_nowait", function() queue:put_nowait(nil) end)
      assert.equal(2, queue:qsize())
    end)

    it("QU02 put blocks while full", function()
      local queue = make(1)
      queue:put(1)
      local thread = support.start_blocked(function() return queue:put(2) end)
      assert.equal(1, queue:get())
      assert.is_true(support.finish(thread))
      assert.equal(2, queue:get())
    end)

    it("QU03 put on a full queue is nil, 'full'", function()
      local queue = make(2)
      queue:put(1)
      queue:put(2)
      assert.same({ nil, "full" }, { queue:put(3, false) })
      assert.same({ nil, "full" }, { queue:put_nowait(3) })
      assert.same({ nil, "full" }, { queue:put(3, true, 0) })
      assert.same({ nil, "full" }, { queue:put(3, 0) })
      for _, arguments in ipairs { { true, 0.03 }, { 0.03 }, { nil, 0.03 } } do
        local seconds, done, reason = support.timed(queue.put, queue, 3, arguments[1], arguments[2])
        assert.is_nil(done)
        assert.equal("full", reason)
        support.took(0.03, seconds)
      end
      assert.equal(2, queue:qsize())
    end)

    it("QU04 get blocks while empty", function()
      local queue = make()
      local thread = support.start_blocked(function() return queue:get() end)
      queue:put(7)
      assert.equal(7, support.finish(thread))
    end)

    it("QU04 get on an empty queue is nil, 'empty'", function()
      local queue = make()
      assert.same({ nil, "empty" }, { queue:get(false) })
      assert.same({ nil, "empty" }, { queue:get_nowait() })
      assert.same({ nil, "empty" }, { queue:get(true, 0) })
      assert.same({ nil, "empty" }, { queue:get(0) })
      for _, arguments in ipairs { { true, 0.03 }, { 0.03 }, { nil, 0.03 } } do
        local seconds, item, reason = support.timed(queue.get, queue, arguments[1], arguments[2])
        assert.is_nil(item)
        assert.equal("empty", reason)
        support.took(0.03, seconds)
      end
    end)

    it("QU05 checks the timeout always, also where nothing has to wait", function()
      local queue = make()
      support.refuses_bad_timeouts(function(t) queue:put(1, true, t) end)
      assert.equal(0, queue:qsize())
      queue:put(1)
      support.refuses_bad_timeouts(function(t) queue:get(true, t) end)
      support.raises("timeout must be a non-negative number", function() queue:get(-1) end)
      support.raises("timeout must be a non-negative number", function() queue:put(2, -1) end)
      assert.equal(1, queue:qsize())
      queue:get()
      support.refuses_bad_timeouts(function(t) queue:get(true, t) end)
    end)

    it("TO06 checks but ignores a timeout given with false", function()
      local queue = make(1)
      assert.same({ nil, "empty" }, { queue:get(false, 20) })
      assert.is_true(queue:put(1, false, 20))
      assert.same({ nil, "full" }, { queue:put(2, false, 20) })
      support.refuses_bad_timeouts(function(t) queue:put(2, false, t) end)
      support.refuses_bad_timeouts(function(t) queue:get(false, t) end)
      assert.equal(1, queue:qsize())
    end)

    it("QU06 qsize, #, empty and full are snapshots", function()
      local queue = make(2)
      assert.is_true(queue:empty())
      assert.is_false(queue:full())
      assert.equal(0, queue:qsize())
      queue:put(1)
      assert.is_false(queue:empty())
      assert.is_false(queue:full())
      assert.equal(1, #queue)
      queue:put(2)
      assert.is_true(queue:full())
      assert.equal(2, queue:qsize())
      assert.equal(2, #queue)
      assert.equal(2, support.finish(support.start(function() return #queue end)))
    end)

    it("QU07 task_done above the number of puts is an error", function()
      local queue = make()
      support.raises("task_done() called too many times", function() queue:task_done() end)
      queue:put(1)
      assert.equal(0, select("#", queue:task_done()))
      support.raises("task_done() called too many times", function() queue:task_done() end)
      assert.is_true(queue:join(0))
    end)

    it("QU08 task_done counts puts, not gets", function()
      local queue = make()
      queue:put(1)
      queue:task_done()
      assert.is_true(queue:join(0))
      assert.equal(1, queue:qsize())
    end)

    it("QU09 join is true at once on a fresh queue, again and again", function()
      local queue = make()
      assert.is_true(queue:join())
      assert.is_true(queue:join(0))
      queue:put(1)
      queue:get()
      queue:task_done()
      assert.is_true(queue:join())
      assert.is_true(queue:join())
    end)

    it("QU09 join waits until all is done, for every joiner", function()
      local queue = make()
      for i = 1, 3 do queue:put(i) end
      local joiners = {}
      for i = 1, 3 do joiners[i] = support.start_blocked(function() return queue:join() end) end
      for _ = 1, 2 do
        queue:get()
        queue:task_done()
      end
      assert.is_false(joiners[1]:join(0.01))
      queue:get()
      assert.is_false(joiners[1]:join(0.01))
      queue:task_done()
      for _, joiner in ipairs(joiners) do assert.is_true(support.finish(joiner)) end
    end)

    it("QU09 join with a timeout is false when the time is up", function()
      local queue = make()
      queue:put(1)
      assert.is_false(queue:join(0))
      local seconds, done = support.timed(queue.join, queue, 0.03)
      assert.is_false(done)
      support.took(0.03, seconds)
      support.refuses_bad_timeouts(function(t) queue:join(t) end)
      queue:task_done()
      support.refuses_bad_timeouts(function(t) queue:join(t) end)
    end)

    it("QU10 items put while joining extend the wait", function()
      local queue = make()
      queue:put(1)
      local joiner = support.start_blocked(function() return queue:join() end)
      queue:put(2)
      queue:task_done()
      assert.is_false(joiner:join(0.02))
      queue:task_done()
      assert.is_true(support.finish(joiner))
    end)

    it("QU11 getters are woken first come, first served", function()
      local queue, got = make(), sync.Queue()
      local threads = {}
      for i = 1, 4 do
        threads[i] = support.start_blocked(function() got:put { i, queue:get() } end)
      end
      for i = 1, 4 do
        queue:put(i * 10)
        assert.same({ i, i * 10 }, got:get(true, LONG))
      end
      for _, thread in ipairs(threads) do support.finish(thread) end
    end)

    it("QU11 putters are woken first come, first served", function()
      local queue, done = make(1), sync.Queue()
      queue:put(0)
      local threads = {}
      for i = 1, 4 do
        threads[i] = support.start_blocked(function()
          queue:put(i)
          done:put(i)
        end)
      end
      for i = 1, 4 do
        assert.equal(i - 1, queue:get())
        assert.equal(i, done:get(true, LONG))
      end
      for _, thread in ipairs(threads) do support.finish(thread) end
    end)

    it("QU11 a getter that gave up does not swallow an item", function()
      local queue = make()
      local hasty = support.start_blocked(function() return queue:get(true, 0.05) end)
      local patient = support.start_blocked(function() return queue:get(true, 20) end)
      assert.is_nil((support.finish(hasty)))
      queue:put(1)
      assert.equal(1, support.finish(patient))
    end)

    it("QU12 maxsize can be read, not written", function()
      assert.equal(0, make().maxsize)
      local queue = make(5)
      assert.equal(5, queue.maxsize)
      support.error_of(function() queue.maxsize = 6 end)
      support.error_of(function() queue.is_shutdown = true end)
      support.error_of(function() queue.nonsense = 1 end)
      assert.equal(5, queue.maxsize)
    end)

    it("QU13 a put that fails leaves the queue usable and its counts right", function()
      local queue = make(1)
      for _, item in ipairs { coroutine.create(print), { 1, coroutine.create(print) }, io.tmpfile() } do
        support.error_of(function() queue:put(item) end)
        support.error_of(function() queue:put(item, false) end)
        assert.equal(0, queue:qsize())
        assert.is_true(queue:join(0))
      end
      assert.is_true(queue:put(1))
      assert.equal(1, queue:get())
    end)

    it("shows its kind, name and size", function()
      local named = sync[kind] { name = "Q" }
      assert.equal(kind .. " 'Q' (0 items)", tostring(named))
      for i = 1, 3 do named:put(i) end
      assert.equal(kind .. " 'Q' (3 items)", tostring(named))
      local bounded = sync[kind](10, { name = "inbox" })
      for i = 1, 3 do bounded:put(i) end
      assert.equal(kind .. " 'inbox' (3 of 10 items)", tostring(bounded))
      assert.matches("^" .. kind .. " '" .. kind .. "%-%d+' %(0 items%)$", tostring(make()))
    end)

    it("is equal to itself after a trip through itself", function()
      local queue = sync.Queue()
      queue:put(queue)
      assert.is_true(queue:get() == queue)
      assert.is_false(queue == make())
    end)

    it("methods refuse another self", function()
      local queue = make()
      support.error_of(function() queue.put() end)
      support.error_of(function() queue.get {} end)
      support.error_of(function() queue.join(sync.Lock()) end)
      support.error_of(function() queue.task_done(42) end)
      support.error_of(function() queue.qsize "q" end)
    end)
  end)
end

describe("Queue", function()
  it("QU04 gives the items in the order they were put", function()
    local queue = sync.Queue()
    for i = 1, 100 do queue:put(i) end
    for i = 1, 100 do assert.equal(i, queue:get()) end
    -- Once more, with the ends chasing each other through a growing ring.
    local expected = 1
    for i = 1, 1000 do
      queue:put(i)
      if i % 3 == 0 then
        assert.equal(expected, queue:get())
        expected = expected + 1
      end
    end
    for i = expected, 1000 do assert.equal(i, queue:get()) end
    assert.is_true(queue:empty())
  end)

  it("QU11 between one producer and one consumer the order is strict", function()
    local queue = sync.Queue(3)
    local consumer = support.start(function()
      local last = 0
      for item in queue:items() do
        if item ~= last + 1 then return false, item, last end
        last = item
      end
      return last
    end)
    for i = 1, 2000 do queue:put(i) end
    queue:shutdown()
    assert.equal(2000, support.finish(consumer))
  end)

  it("QU02 carries false and empty things as items", function()
    local queue = sync.Queue()
    for _, item in ipairs { false, 0, "", 0.0, true } do
      queue:put(item)
      assert.equal(item, queue:get(false))
    end
    queue:put(false)
    local item, reason = queue:get(false)
    assert.is_false(item)
    assert.is_nil(reason)
  end)

  it("copies an item when it is put", function()
    local queue = sync.Queue()
    local item = { n = 1 }
    queue:put(item)
    item.n = 2
    local copy = queue:get()
    assert.equal(1, copy.n)
    assert.not_equal(item, copy)
  end)

  it("lets go of an item when it is taken", function()
    local queue = sync.Queue()
    for i = 1, 200 do
      queue:put(("x"):rep(1e5) .. i)
      if i > 5 then queue:get() end
    end
    assert.equal(5, queue:qsize())
  end)

  it("QU16 items gives what is inside until shutdown", function()
    local queue = sync.Queue()
    local consumer = support.start(function()
      local seen = {}
      for item in queue:items() do seen[#seen + 1] = item end
      return seen
    end)
    for _, item in ipairs { 1, false, "three" } do queue:put(item) end
    assert.is_true(consumer:is_alive())
    queue:shutdown()
    assert.same({ 1, false, "three" }, support.finish(consumer))
  end)

  it("QU16 items ends at once on a drained, shut-down queue", function()
    local queue = sync.Queue()
    queue:shutdown()
    for item in queue:items() do error("an item: " .. tostring(item)) end
  end)
end)

describe("SimpleQueue", function()
  local queue

  before_each(function()
    queue = sync.SimpleQueue()
  end)

  it("QI01 takes no arguments but a table with its name", function()
    assert.matches("^SimpleQueue 'S' %(0 items%)$", tostring(sync.SimpleQueue { name = "S" }))
    support.error_of(function() sync.SimpleQueue(5) end)
  end)

  it("QI01 has no bound and gives the items in the order they were put", function()
    for i = 1, 1000 do assert.is_true(queue:put(i)) end
    assert.equal(1000, queue:qsize())
    for i = 1, 1000 do assert.equal(i, queue:get()) end
  end)

  it("QI02 put never blocks", function()
    assert.is_true(queue:put(1, true))
    assert.is_true(queue:put(2, true, 1))
    assert.is_true(queue:put(3, false))
    assert.is_true(queue:put_nowait(4))
    support.bad_argument(1, "put", function() queue:put(nil) end)
    assert.equal(4, #queue)
  end)

  it("QI03 get is Queue's", function()
    assert.same({ nil, "empty" }, { queue:get(false) })
    assert.same({ nil, "empty" }, { queue:get_nowait() })
    local seconds, item, reason = support.timed(queue.get, queue, true, 0.03)
    assert.is_nil(item)
    assert.equal("empty", reason)
    support.took(0.03, seconds)
    local thread = support.start_blocked(function() return queue:get() end)
    queue:put "item"
    assert.equal("item", support.finish(thread))
  end)

  it("QI04 has qsize and empty", function()
    assert.is_true(queue:empty())
    assert.equal(0, queue:qsize())
    queue:put(1)
    assert.is_false(queue:empty())
    assert.equal(1, queue:qsize())
  end)

  it("TO03 checks the timeout, with an item or without", function()
    support.refuses_bad_timeouts(function(t) queue:get(true, t) end)
    queue:put(1)
    support.refuses_bad_timeouts(function(t) queue:get(true, t) end)
    support.refuses_bad_timeouts(function(t) queue:put(2, true, t) end)
    assert.equal(1, queue:qsize())
  end)

  it("QI05 put is legal from a finaliser", function()
    setmetatable({}, { __gc = function() queue:put "finalised" end })
    collectgarbage()
    collectgarbage()
    assert.equal("finalised", queue:get(false))
  end)
end)

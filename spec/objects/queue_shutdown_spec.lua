local sync = require "luasync"
local support = require "spec.support"

local SHUTDOWN = { nil, "shutdown" }

for _, kind in ipairs { "Queue", "LifoQueue", "PriorityQueue" } do
  describe(kind .. ":shutdown", function()
    local queue

    before_each(function()
      queue = sync[kind](2)
    end)

    it("QS01 may be called any number of times, in any order", function()
      assert.is_false(queue.is_shutdown)
      assert.equal(0, select("#", queue:shutdown()))
      assert.is_true(queue.is_shutdown)
      queue:shutdown(true)
      queue:shutdown(false)
      queue:shutdown()
      assert.is_true(queue.is_shutdown)
    end)

    it("QS01 is seen by every thread", function()
      queue:shutdown()
      assert.is_true(support.finish(support.start(function() return queue.is_shutdown end)))
    end)

    it("QS02 puts are then nil, 'shutdown', full or not", function()
      queue:put(1)
      queue:shutdown()
      assert.same(SHUTDOWN, { queue:put(2) })
      assert.same(SHUTDOWN, { queue:put_nowait(2) })
      assert.same(SHUTDOWN, { queue:put(2, false) })
      assert.same(SHUTDOWN, { queue:put(2, true, 1) })
      assert.equal(1, queue:qsize())
      local full = sync[kind](1)
      full:put(1)
      full:shutdown()
      assert.same(SHUTDOWN, { full:put(2) })
      assert.same(SHUTDOWN, { full:put_nowait(2) })
      assert.equal(1, full:qsize())
    end)

    it("QS02 still checks the arguments", function()
      queue:shutdown()
      support.refuses_bad_timeouts(function(t) queue:put(1, true, t) end)
      support.refuses_bad_timeouts(function(t) queue:get(true, t) end)
      support.bad_argument(1, "put", function() queue:put(nil) end)
    end)

    it("QS03 gets still give what is inside, then nil, 'shutdown'", function()
      queue:put(1)
      queue:put(1)
      queue:shutdown()
      assert.equal(1, queue:get())
      assert.equal(1, queue:get_nowait())
      assert.same(SHUTDOWN, { queue:get() })
      assert.same(SHUTDOWN, { queue:get_nowait() })
      assert.same(SHUTDOWN, { queue:get(false) })
      assert.same(SHUTDOWN, { queue:get(true, 1) })
      assert.same(SHUTDOWN, { queue:get(0) })
    end)

    it("QS04 wakes blocked putters, whose items are not added", function()
      queue:put(1)
      queue:put(2)
      local putters = {}
      for i = 1, 3 do
        putters[i] = support.start_blocked(function() return queue:put(10 + i) end)
      end
      queue:shutdown()
      for _, putter in ipairs(putters) do
        assert.same(SHUTDOWN, { support.finish(putter) })
      end
      assert.equal(2, queue:qsize())
      queue:task_done()
      queue:task_done()
      assert.is_true(queue:join(0))
    end)

    it("QS04 wakes blocked getters", function()
      local getters = {}
      for i = 1, 3 do
        getters[i] = support.start_blocked(function() return queue:get() end)
      end
      queue:shutdown()
      for _, getter in ipairs(getters) do
        assert.same(SHUTDOWN, { support.finish(getter) })
      end
    end)

    it("QS05 immediate drains, and counts the drained as done", function()
      queue:put(1)
      queue:put(2)
      local joiner = support.start_blocked(function() return queue:join() end)
      queue:shutdown(true)
      assert.equal(0, queue:qsize())
      assert.same(SHUTDOWN, { queue:get() })
      assert.is_true(support.finish(joiner))
    end)

    it("QS05 immediate after a gentle one drains too", function()
      queue:put(1)
      queue:shutdown()
      assert.equal(1, queue:qsize())
      queue:shutdown(true)
      assert.equal(0, queue:qsize())
      assert.same(SHUTDOWN, { queue:get() })
    end)

    it("QS05 immediate wakes blocked putters", function()
      queue:put(1)
      queue:put(2)
      local putter = support.start_blocked(function() return queue:put(3) end)
      queue:shutdown(true)
      assert.same(SHUTDOWN, { support.finish(putter) })
      assert.equal(0, queue:qsize())
    end)

    it("QS06 join keeps waiting for an item that was fetched and is not done", function()
      queue:put(1)
      queue:put(2)
      queue:get()
      queue:shutdown(true)
      assert.is_false(queue:join(0.01))
      local joiner = support.start_blocked(function() return queue:join() end)
      queue:task_done()
      assert.is_true(support.finish(joiner))
    end)

    it("QS07 after an immediate one with nothing in flight, task_done is an error", function()
      queue:put(1)
      queue:shutdown(true)
      assert.is_true(queue:join())
      support.raises("task_done() called too many times", function() queue:task_done() end)
    end)

    it("QS07 an immediate one drops no more tasks than there are", function()
      queue:put(1)
      queue:task_done()
      queue:shutdown(true)
      assert.is_true(queue:join(0))
      support.raises("task_done() called too many times", function() queue:task_done() end)
    end)

    it("QS08 join, task_done, qsize, empty and full work on", function()
      queue:put(1)
      queue:put(2)
      queue:shutdown()
      assert.equal(2, queue:qsize())
      assert.is_true(queue:full())
      assert.is_false(queue:join(0))
      queue:get()
      queue:get()
      assert.is_true(queue:empty())
      queue:task_done()
      queue:task_done()
      assert.is_true(queue:join())
    end)
  end)
end

describe("Queue:shutdown", function()
  it("ends all consumers that loop over items, and loses nothing", function()
    local queue = sync.Queue(4)
    local consumers = {}
    for i = 1, 4 do
      consumers[i] = support.start(function()
        local count = 0
        for _ in queue:items() do
          count = count + 1
          queue:task_done()
        end
        return count
      end)
    end
    for i = 1, 200 do queue:put(i) end
    queue:shutdown()
    local total = 0
    for _, consumer in ipairs(consumers) do total = total + support.finish(consumer) end
    assert.equal(200, total)
    assert.is_true(queue:join(0))
  end)
end)

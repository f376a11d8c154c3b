local sync = require "luasync"
local support = require "spec.support"

describe("select", function()
  it("takes an item, and says from which queue", function()
    local a, b = sync.Queue(), sync.LifoQueue()
    b:put "item"
    assert.same({ 2, "item" }, { sync.select { a, b } })
    assert.equal(0, b:qsize())
    local waiting = support.start_blocked(function() return sync.select { a, b } end)
    a:put(false)
    assert.same({ 1, false }, { support.finish(waiting) })
  end)

  it("takes an event, a lock, a semaphore, the end of a thread", function()
    local never, event = sync.Event(), sync.Event()
    local waiting = support.start_blocked(function() return sync.select { never, event } end)
    event:set()
    assert.same({ 2, true }, { support.finish(waiting) })

    for _, lock in ipairs { sync.Lock(), sync.RLock() } do
      assert.same({ 1, true }, { sync.select { lock } })
      assert.is_true(lock:locked())
      local other = support.start_blocked(function()
        local index, value = sync.select { lock, never }
        return index, value, tostring(lock)
      end)
      lock:release()
      local index, value, shown = support.finish(other)
      assert.same({ 1, true }, { index, value })
      assert.matches("locked by Thread", shown)
    end

    for _, semaphore in ipairs { sync.Semaphore(0), sync.BoundedSemaphore(1) } do
      semaphore:acquire(false)
      local taker = support.start_blocked(function() return sync.select { never, semaphore } end)
      semaphore:release()
      assert.same({ 2, true }, { support.finish(taker) })
      assert.equal(0, semaphore:value())
    end

    local go = sync.Event()
    local thread = support.start(function() go:wait() end)
    local watcher = support.start_blocked(function() return sync.select { never, thread } end)
    go:set()
    assert.same({ 2, true }, { support.finish(watcher) })
    assert.same({ 1, true }, { sync.select { thread } })
  end)

  it("takes an RLock once more where the thread has it", function()
    local lock = sync.RLock { name = "L" }
    lock:acquire()
    sync.select { lock }
    assert.equal("RLock 'L' (locked by MainThread, 2 deep)", tostring(lock))
    lock:release()
    lock:release()
  end)

  it("says timeout, and shutdown of an empty queue", function()
    local a, b = sync.Queue(), sync.Queue()
    assert.same({ nil, "timeout" }, { sync.select({ a, b }, 0) })
    local seconds = support.timed(sync.select, { a, b }, 0.02)
    support.took(0.02, seconds)
    b:put(1)
    b:shutdown()
    assert.same({ 2, 1 }, { sync.select { a, b } })
    local index, value, why = sync.select { a, b }
    assert.same({ 2, nil, "shutdown" }, { index, value, why })
    local waiting = support.start_blocked(function() return sync.select { a, sync.Event() } end)
    a:shutdown(true)
    index, value, why = support.finish(waiting)
    assert.same({ 1, nil, "shutdown" }, { index, value, why })
    support.refuses_bad_timeouts(function(timeout) sync.select({ a }, timeout) end)
  end)

  it("refuses what it cannot take", function()
    support.bad_argument(1, "select", function() sync.select() end)
    support.bad_argument(1, "select", function() sync.select(sync.Queue()) end)
    support.raises("the list is empty", function() sync.select {} end)
    support.raises("cannot select a Shared (at [2])", function() sync.select { sync.Lock(), sync.Shared() } end)
    support.raises("cannot select a table (at [1])", function() sync.select { {} } end)
    support.raises("cannot select a Condition (at [1])", function() sync.select { sync.Condition() } end)
    support.raises("cannot select the current thread", function() sync.select { sync.current_thread() } end)
  end)

  it("takes exactly one of those that are ready", function()
    local a, b, s = sync.Queue(), sync.Queue(), sync.Semaphore(3)
    for i = 1, 10 do
      a:put(i)
      b:put(i)
    end
    for _ = 1, 23 do assert.is_truthy((sync.select({ a, b, s }, 0))) end
    assert.same({ 0, 0, 0 }, { a:qsize(), b:qsize(), s:value() })
    assert.is_nil((sync.select({ a, b, s }, 0)))
  end)

  it("starves none of those that are always ready", function()
    local a, b, c, counts = sync.Event(), sync.Event(), sync.Event(), { 0, 0, 0 }
    a:set() b:set() c:set()
    for _ = 1, 300 do
      local index = sync.select { a, b, c }
      counts[index] = counts[index] + 1
    end
    assert.same({ 100, 100, 100 }, counts)
  end)

  it("takes the first of the list in a simulated world", function()
    for seed = 1, 5 do
      assert.is_true(sync.simulate(function()
        local a, b = sync.Event(), sync.Event()
        a:set() b:set()
        for _ = 1, 10 do assert(sync.select { b, a } == 1) end
      end, { seed = seed }).ok)
    end
  end)

  it("keeps its place in line: first come, first served", function()
    support.in_both_worlds(function()
      local q, never = sync.Queue(), sync.Event()
      local first = sync.spawn(function() return select(2, sync.select { never, q }) end)
      sync.settle()
      local second = sync.spawn(function() return q:get() end)
      sync.settle()
      q:put "one"
      sync.settle()
      q:put "two"
      assert(first:result() == "one" and second:result() == "two")
    end)
  end)

  it("what it does not take goes to the next in line", function()
    support.in_both_worlds(function()
      local q, s, event, lock = sync.Queue(), sync.Semaphore(0), sync.Event(), sync.Lock()
      lock:acquire()
      local picky = sync.spawn(function() return (sync.select { q, s, lock, event }) end)
      sync.settle()
      local getter = sync.spawn(function() return q:get() end)
      local taker = sync.spawn(function() return s:acquire() end)
      local locker = sync.spawn(function() return lock:acquire() end)
      sync.settle()
      q:put "item"
      s:release()
      lock:release()
      local took = picky:result()
      if took == 1 then q:put "item" elseif took == 2 then s:release() else lock:release() end
      assert(getter:result() == "item" and taker:result() and locker:result())
    end)
  end)

  it("delivers each item exactly once under random interrupts and shutdown", function()
    support.in_both_worlds(function()
      local queues, total = { sync.Queue(), sync.Queue(2), sync.PriorityQueue() }, 150
      local out, stop, torn, hits = sync.Queue(), sync.Event(), sync.Atomic(), sync.Atomic()
      local entered = sync.Semaphore(0) -- an interrupt that came earlier would end the consumer
      local previous = sync.set_excepthook(function() end)
      local consumers, producers = {}, {}
      for c = 1, 4 do
        consumers[c] = sync.spawn(function()
          local function work()
            while not stop:is_set() do
              local ok, index, item = pcall(sync.select, { queues[1], queues[2], queues[3], stop })
              if not ok then hits:add(1) elseif index <= 3 and item then out:put(item) end
            end
          end
          local function again() -- the error of an interrupt that came after select may have cost an item
            if pcall(work) then return end
            torn:add(1)
            return again()
          end
          pcall(entered.release, entered)
          while not pcall(again) do torn:add(1) end
        end)
      end
      local getter = sync.spawn(function()
        for item in queues[1]:items() do out:put(item) end
      end)
      for p = 1, 3 do
        producers[p] = sync.spawn(function()
          for i = 1, total // 3 do queues[p]:put(p * 1000 + i) end
        end)
      end
      local function done()
        return not (producers[1]:is_alive() or producers[2]:is_alive() or producers[3]:is_alive())
      end
      for _ = 1, 4 do entered:acquire() end
      for k = 1, 20000 do -- on a busy machine the first ones meet nobody
        consumers[k % 2 + 1]:interrupt()
        sync.sleep(0.0001)
        if k > 20 and done() and hits:get() + torn:get() > 0 then break end
      end
      for p = 1, 3 do producers[p]:result() end
      assert(sync.settle(20))
      queues[1]:shutdown()
      assert(getter:join(20))
      stop:set()
      for c = 1, 4 do assert(consumers[c]:join(20)) end
      local seen, count = {}, 0
      for _ = 1, out:qsize() do
        local item = out:get()
        assert(not seen[item], item)
        seen[item], count = true, count + 1
      end
      assert(hits:get() + torn:get() > 0)
      assert(count <= total and count + torn:get() >= total, ("%d of %d, %d torn"):format(count, total, torn:get()))
      sync.set_excepthook(previous)
    end)
  end)

  it("conserves units and locks while its waits are interrupted", function()
    support.in_both_worlds(function()
      local s, lock, never = sync.Semaphore(2), sync.Lock(), sync.Queue()
      local inside = sync.Shared { s = 0, lock = 0 }
      local previous = sync.set_excepthook(function() end)
      local threads = {}
      local function change(key, by)
        return sync.update(inside, key, function(n) return n + by end)
      end
      for i = 1, 4 do
        threads[i] = sync.spawn(function()
          for _ = 1, 30 do
            local index = sync.select { never, s, lock }
            local key, most = index == 2 and "s" or "lock", index == 2 and 2 or 1
            assert(change(key, 1) <= most)
            change(key, -1)
            if index == 2 then s:release() else lock:release() end
          end
        end)
      end
      local victims = {}
      for i = 1, 3 do
        victims[i] = sync.spawn(function() return pcall(sync.select, { never, sync.Event() }) end)
      end
      local hopeless = sync.spawn(function()
        s:acquire() s:acquire() lock:acquire()
        local ok, message = pcall(sync.select, { never, s, lock })
        s:release(2)
        lock:release()
        return ok, message
      end)
      for i = 1, 3 do victims[i]:interrupt() end
      for i = 1, 3 do pcall(victims[i].result, victims[i]) end -- taken, wherever the interrupt came
      assert(sync.settle(20)) -- an interrupt before the pcall would leave with what it holds
      hopeless:interrupt "enough"
      local ok, message = hopeless:result()
      assert(not ok and message == "enough", message)
      for i = 1, 4 do assert(threads[i]:join(20)) end
      assert(s:value() == 2 and lock:acquire(false))
      sync.set_excepthook(previous)
    end)
  end)

  it("is interrupted, and leaves nothing behind in the lines", function()
    support.in_both_worlds(function()
      local q, s, lock = sync.Queue(), sync.Semaphore(0), sync.Lock()
      lock:acquire()
      local victim = sync.spawn(function() return pcall(sync.select, { q, s, lock }) end)
      sync.settle()
      victim:interrupt "enough"
      local ok, message = victim:result()
      assert(not ok and message == "enough")
      lock:release()
      q:put(1)
      s:release()
      assert(q:get_nowait() == 1 and s:acquire(false) and lock:acquire(false))
    end)
  end)

  it("is shown with all its objects in the report of a deadlock", function()
    local report = sync.simulate(function()
      sync.select { sync.Queue { name = "jobs" }, sync.Event { name = "stop" } }
    end)
    assert.is_false(report.ok)
    assert.matches("waiting in select of Queue 'jobs' (0 items), Event 'stop' (unset), since", report.deadlock, 1, true)
  end)

  it("a thread that is chosen counts as awake, so no deadlock is reported too early or not at all", function()
    local report = sync.simulate(function()
      local a, b = sync.Queue(), sync.Queue()
      local thread = sync.spawn(function()
        for _ = 1, 20 do
          local _, value = sync.select { a, b }
          a:put(value)
          a:get()
        end
        b:get()
      end)
      for i = 1, 20 do
        b:put(i)
        sync.settle()
      end
      thread:join()
    end)
    assert.is_false(report.ok)
    assert.matches("deadlock", report.deadlock)
    local output = support.run [[
      local sync = require "luasync"
      local a, b = sync.Queue(), sync.Queue()
      local thread = sync.spawn(function()
        for _ = 1, 200 do
          local index, value = sync.select { a, b }
          if index == 1 then b:put(value) b:get() else a:put(value) a:get() end
        end
        sync.select { a, b }
      end)
      for i = 1, 200 do a:put(i) end
      thread:join()
    ]]
    assert.equal(3, output.code)
  end)

  it("learns of a shutdown also where the last item was left for another", function()
    for seed = 1, 60 do
      local report = sync.simulate(function()
        local queue, never = sync.Queue(), sync.Event()
        for _ = 1, 2 do
          sync.spawn(function() sync.select { queue, never } end)
        end
        queue:put(1)
        queue:shutdown()
      end, { seed = seed })
      assert.is_nil(report.deadlock)
    end
  end)

  it("cannot wait inside update", function()
    local shared = sync.Shared { n = 0 }
    support.raises("cannot block inside update", function()
      sync.update(shared, "n", function() sync.select { sync.Event() } end)
    end)
  end)
end)

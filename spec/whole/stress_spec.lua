-- Short random runs of many threads, checked by what must hold whatever the schedule.
-- LUASYNC_STRESS_SEED=n repeats the random choices of a failing run, LUASYNC_STRESS=n makes it n times longer.
local sync = require "luasync"
local support = require "spec.support"

local seed = tonumber(os.getenv "LUASYNC_STRESS_SEED") or os.time()
local factor = tonumber(os.getenv "LUASYNC_STRESS") or 1

describe("stress (seed " .. seed .. ")", function()
  --- Starts `count` threads that call fn(i, random, ...), each with a random function of its own.
  local function start_all(count, fn, ...)
    local threads = {}
    for i = 1, count do
      threads[i] = support.start(function(...)
        math.randomseed(seed, i)
        return fn(i, math.random, ...)
      end, ...)
    end
    return threads
  end

  local function finish_all(threads)
    local total = 0
    for _, thread in ipairs(threads) do total = total + (support.finish(thread) or 0) end
    return total
  end

  it("a lock of either kind excludes", function()
    local locks = { sync.Lock(), sync.RLock(), sync.Semaphore(1), sync.BoundedSemaphore(1), sync.Condition() }
    for _, lock in ipairs(locks) do
      local inside = sync.Shared { n = 0, total = 0 }
      local taken = finish_all(start_all(4, function(_, random)
        local count = 0
        for _ = 1, 200 * factor do
          local way = random(4)
          local got
          if way == 1 then
            got = lock:acquire(false)
          elseif way == 2 then
            got = lock:acquire(true, random() * 0.0005)
          else
            got = lock:acquire()
          end
          if got then
            inside.n = inside.n + 1
            assert(inside.n == 1, "two threads inside")
            inside.total = inside.total + 1
            inside.n = inside.n - 1
            count = count + 1
            lock:release()
          end
        end
        return count
      end))
      assert.equal(taken, inside.total)
      assert.is_true(taken >= 400 * factor * 0.5)
      assert.is_true(lock:acquire(false))
    end
  end)

  it("a semaphore lets no more in than it has", function()
    local semaphore, inside, most = sync.BoundedSemaphore(3), sync.Atomic(0), sync.Atomic(0)
    finish_all(start_all(6, function(_, random)
      for _ = 1, 100 * factor do
        local body = function()
          local n = inside:add(1)
          assert(n <= 3, "too many inside")
          if n > most:get() then most:set(n) end
          if random(10) == 1 then sync.sleep(0.0002) end
          inside:add(-1)
        end
        if random(2) == 1 then
          semaphore:with(body)
        elseif semaphore:acquire(true, 0.001) then
          body()
          semaphore:release()
        end
      end
    end))
    assert.equal(0, inside:get())
    assert.equal(3, semaphore:value())
    assert.is_true(most:get() >= 1)
  end)

  for _, kind in ipairs { "Queue", "LifoQueue", "PriorityQueue" } do
    it("a bounded " .. kind .. " loses no item and doubles none", function()
      local queue = sync[kind](5)
      local each = 300 * factor
      local consumers = start_all(3, function(_, random)
        local sum = 0
        while true do
          local item, reason
          if random(3) == 1 then
            item, reason = queue:get(true, random() * 0.001)
          else
            item, reason = queue:get()
          end
          if item then
            sum = sum + item
            queue:task_done()
          elseif reason == "shutdown" then
            return sum
          end
        end
      end)
      finish_all(start_all(3, function(i, random)
        for n = 1, each do
          local item = i * each + n
          if random(3) == 1 then
            while not queue:put(item, true, random() * 0.001) do end
          else
            assert(queue:put(item))
          end
        end
      end))
      assert.is_true(queue:join(support.LONG))
      queue:shutdown()
      local expected = 0
      for i = 1, 3 do
        for n = 1, each do expected = expected + i * each + n end
      end
      assert.equal(expected, finish_all(consumers))
      assert.equal(0, queue:qsize())
    end)
  end

  it("the items of one producer stay in order", function()
    local queue = sync.Queue(7)
    local producers = start_all(4, function(i)
      for n = 1, 300 * factor do queue:put { i, n } end
    end)
    local last = { 0, 0, 0, 0 }
    for _ = 1, 4 * 300 * factor do
      local item = queue:get(true, support.LONG)
      assert.equal(last[item[1]] + 1, item[2])
      last[item[1]] = item[2]
    end
    finish_all(producers)
  end)

  it("a queue shut down at a random moment tells everybody, and its counts agree", function()
    for _ = 1, 10 * factor do
      local queue = sync.Queue(3)
      local putters = start_all(3, function()
        local count = 0
        while queue:put(1) do count = count + 1 end
        return count
      end)
      local getters = start_all(2, function()
        local count = 0
        for item in queue:items() do count = count + item end
        return count
      end)
      sync.sleep(math.random() * 0.004)
      queue:shutdown()
      assert.equal(finish_all(putters), finish_all(getters))
    end
  end)

  it("what a queue says of itself has been true at some moment", function()
    local queue, stop = sync.Queue(10), sync.Event()
    local other = support.start(function()
      while not stop:is_set() do
        queue:put(1)
        queue:get()
      end
    end)
    local most, full = 0, false
    for _ = 1, 20000 do
      most = math.max(most, #queue)
      full = full or queue:full()
    end
    stop:set()
    support.finish(other)
    assert.is_true(most <= 1)
    assert.is_false(full)
  end)

  it("a queue that is never empty is not called so while it is shut down", function()
    local queues, seen = sync.Queue(), sync.Atomic()
    local other = support.start(function()
      for queue in queues:items() do
        seen:add(1)
        queue:shutdown(true)
      end
    end)
    for round = 1, 100 do
      local queue = sync.Queue()
      for i = 1, 200 do queue:put(i) end
      queues:put(queue)
      while seen:get() < round do end
      local item, reason
      repeat
        item, reason = queue:get_nowait()
        queue:put(item or 0)
      until item == nil
      assert.equal("shutdown", reason)
    end
    queues:shutdown()
    support.finish(other)
  end)

  it("no wake-up of a condition is lost", function()
    local condition = sync.Condition()
    local state = sync.Shared { tokens = 0 }
    local each = 200 * factor
    local takers = start_all(3, function(_, random)
      for _ = 1, each do
        condition:acquire()
        while state.tokens == 0 do
          if random(4) == 1 then condition:wait(0.0005) else condition:wait() end
        end
        state.tokens = state.tokens - 1
        condition:release()
      end
    end)
    finish_all(start_all(3, function(_, random)
      for _ = 1, each do
        condition:with(function()
          state.tokens = state.tokens + 1
          if random(5) == 1 then condition:notify_all() else condition:notify() end
        end)
      end
    end))
    finish_all(takers)
    assert.equal(0, state.tokens)
  end)

  it("two threads that hand a token back and forth never stop", function()
    local ping, pong = sync.Event(), sync.Event()
    local rounds = 500 * factor
    local other = support.start(function()
      for _ = 1, rounds do
        ping:wait()
        ping:clear()
        pong:set()
      end
      return true
    end)
    for _ = 1, rounds do
      ping:set()
      assert.is_true(pong:wait(support.LONG))
      pong:clear()
    end
    assert.is_true(support.finish(other))
  end)

  it("interrupts at random moments leave no lock held and no line broken", function()
    local restore = support.quiet()
    finally(restore)
    local lock, condition, semaphore = sync.Lock(), sync.Condition(), sync.Semaphore(1)
    local queue, full, event, stop = sync.Queue(), sync.Queue(1), sync.Event(), sync.Event()
    full:put(0)
    local victims = start_all(4, function(_, random)
      local works = {
        function() lock:with(function() return random() end) end,
        function() semaphore:with(function() return random() end) end,
        function() condition:with(function() condition:wait(0.001) end) end,
        function() queue:get(true, 0.001) end,
        function() full:put(1, true, 0.001) end,
        function() event:wait(0.001) end,
      }
      -- An interrupt may hit between two calls of pcall too; then this thread ends.
      while not stop:is_set() do
        pcall(function()
          while not stop:is_set() do works[random(#works)]() end
        end)
      end
    end)
    for _ = 1, 300 * factor do
      for _, victim in ipairs(victims) do victim:interrupt() end
      sync.sleep(0.0005)
    end
    stop:set()
    for _, victim in ipairs(victims) do
      assert.is_true(victim:join(support.LONG))
      pcall(victim.result, victim)
    end
    assert.is_false(lock:locked())
    assert.equal(1, semaphore:value())
    assert.is_true(condition:acquire(false))
    condition:notify_all()
    condition:release()
    assert.equal(0, full:get(false))
    local getter = support.start_blocked(function() return queue:get() end)
    queue:put "served"
    assert.equal("served", support.finish(getter))
  end)

  it("threads that start threads all end", function()
    local count = sync.Atomic(0)
    local function tree(depth)
      count:add(1)
      if depth == 0 then return 1 end
      local left, right = sync.spawn(tree, depth - 1), sync.spawn(tree, depth - 1)
      return 1 + left:result() + right:result()
    end
    assert.equal(63, support.finish(support.start(tree, 5)))
    assert.equal(63, count:get())
  end)

  it("objects handed around at random stay alive and stay themselves", function()
    local hub = sync.Queue()
    for i = 1, 10 do hub:put { lock = sync.Lock(), n = i } end
    finish_all(start_all(4, function(_, random)
      local mine = {}
      for _ = 1, 200 * factor do
        if #mine > 0 and random(2) == 1 then
          hub:put(table.remove(mine, random(#mine)))
        else
          local item = hub:get(false)
          if item then
            item.lock:with(function() item.again = { item.lock } end)
            assert(item.again[1] == item.lock)
            mine[#mine + 1] = item
          end
        end
        if random(50) == 1 then collectgarbage() end
      end
      for _, item in ipairs(mine) do hub:put(item) end
    end))
    local sum = 0
    for _ = 1, 10 do
      local item = hub:get(false)
      assert.is_false(item.lock:locked())
      sum = sum + item.n
    end
    assert.equal(55, sum)
    assert.equal(0, hub:qsize())
  end)
end)

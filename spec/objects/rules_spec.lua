-- Rules of Python's modules that no spec of one object has, each by its id.
local sync = require "luasync"
local support = require "spec.support"
local command = require "spec.command"

describe("Locks and signals", function()
  it("LK14 Ctrl-C ends a blocked acquire of the main thread with an error #notsan", function()
    local result = command.text([[
      local sync = require "luasync"
      local lock = sync.Lock()
      lock:acquire()
      local t = sync.spawn(function()
        sync.sleep(0.3)
        os.execute "kill -INT $PPID"
        sync.sleep(0.5) -- the signal is on its way: without another thread this would be a deadlock
      end)
      print(pcall(lock.acquire, lock))
      t:join()
      print(lock:locked(), lock:acquire(false))
    ]])
    assert.equal("false\tinterrupted!\ntrue\tfalse\n", result.out, result.err)
  end)

  it("CO23 notifyAll is notify_all", function()
    local condition = sync.Condition()
    assert.equal(condition.notify_all, condition.notifyAll)
  end)

  it("EV11 set() in a hook of a thread that waits for the same event does not deadlock", function()
    support.in_both_worlds(function()
      local event = sync.Event()
      debug.sethook(function() event:set() event:clear() end, "crl")
      local before = event:wait(0.01)
      debug.sethook()
      event:set()
      assert(not before and event:wait())
    end)
  end)

  it("SE05 a timeout is one deadline, though others are served meanwhile", function()
    local report = sync.simulate(function()
      local semaphore = sync.Semaphore(0)
      for _ = 1, 3 do sync.spawn(semaphore.acquire, semaphore) end
      sync.spawn(function()
        for _ = 1, 3 do
          sync.sleep(0.3)
          semaphore:release()
        end
      end)
      sync.sleep(0.1)
      local start = sync.monotonic()
      return semaphore:acquire(1), sync.monotonic() - start
    end)
    assert.is_false(report.results[1])
    assert.near(1, report.results[2], 1e-3)
  end)

  it("BS04 shows its kind, name and value", function()
    local semaphore = sync.BoundedSemaphore(3, { name = "B" })
    semaphore:acquire()
    assert.equal("BoundedSemaphore 'B' (value 2)", tostring(semaphore))
  end)

  it("BA14 a broken barrier is a result, not an error", function()
    local barrier = sync.Barrier(2)
    barrier:abort()
    assert.same({ true, nil, "broken" }, { pcall(barrier.wait, barrier) })
  end)
end)

describe("Threads", function()
  it("TH17 two that join each other are found", function()
    local report = sync.simulate(function()
      local a, b
      local handles = sync.Queue()
      a = sync.Thread { name = "A", target = function() handles:get():join() end }
      b = sync.Thread { name = "B", target = function(other) other:join() end, args = { a } }
      a:start()
      b:start()
      handles:put(b)
    end)
    assert.is_false(report.ok)
    assert.is_truthy(report.deadlock, report.error)
  end)

  it("TH27 Ctrl-C reaches the main thread only #notsan", function()
    local result = command.text([[
      local sync = require "luasync"
      local done = sync.Event()
      local t = sync.spawn(function() return done:wait(20) end)
      sync.spawn(function()
        sync.sleep(0.3)
        os.execute "kill -INT $PPID"
        sync.sleep(0.5) -- the signal is on its way: without another thread this would be a deadlock
      end)
      print(pcall(sync.sleep, 20))
      done:set()
      print(t:result())
    ]])
    assert.equal("false\tinterrupted!\ntrue\n", result.out, result.err)
  end)

  it("TH28 the older spellings are the same functions", function()
    local thread, event = sync.Thread(print), sync.Event()
    assert.equal(thread.is_alive, thread.isAlive)
    assert.equal(event.is_set, event.isSet)
    assert.is_function(thread.getName)
    assert.is_function(thread.setName)
    assert.is_function(thread.isDaemon)
  end)

  it("EX07 Ctrl-C while threads are waited for at the end ends the program with exit code 1 #notsan", function()
    local result = command.text([[
      local sync = require "luasync"
      sync.spawn(function()
        sync.sleep(0.3)
        os.execute "kill -INT $PPID"
        sync.sleep(60)
      end)
    ]])
    assert.equal(1, result.code)
    assert.equal("luasync: interrupted!\n", result.err)
  end)

  it("MO12 a timeout of any size is legal", function()
    support.in_both_worlds(function()
      local event = sync.Event()
      local waiter = sync.spawn(function() return event:wait(1e300) and event:wait(math.huge) and event:wait(2^53) end)
      sync.sleep(0.01)
      event:set()
      assert(waiter:result() == true)
    end)
  end)
end)

describe("Local", function()
  it("LO11 a turn that is lost inside its function loses no field and mixes none up", function()
    for seed = 1, 20 do
      local report = sync.simulate(function()
        local pause = sync.Lock()
        local kept = sync.Local(function(self)
          self.first = sync.get_ident()
          pause:acquire()
          pause:release()
          self.second = sync.get_ident()
        end)
        local threads = {}
        for i = 1, 4 do
          threads[i] = sync.spawn(function() return kept.first == sync.get_ident() and kept.second == kept.first end)
        end
        for _, thread in ipairs(threads) do assert(thread:result()) end
      end, { seed = seed })
      assert.is_true(report.ok, report.error)
    end
  end)
end)

describe("Queues", function()
  it("QU17 a finaliser that puts into the queue of the call it interrupts does not deadlock", function()
    support.in_both_worlds(function()
      local queue, made = sync.Queue(), 0
      local function canary()
        setmetatable({}, { __gc = function()
          queue:put { "finaliser" }
          made = made + 1
          if made < 50 then canary() end
        end })
      end
      canary()
      while made < 50 do
        queue:put { "main", {} }
        queue:get()
      end
      assert(queue:qsize() == 50)
    end)
  end)

  it("QS09 what an immediate shutdown drains is dropped without a word", function()
    support.in_both_worlds(function()
      local queue = sync.Queue()
      queue:put(sync.Lock())
      queue:put { 1 }
      assert(queue:shutdown(true) == nil and queue:qsize() == 0)
      local item, why = queue:get()
      assert(item == nil and why == "shutdown")
    end)
  end)

  it("QS10 the three bounded kinds can be shut down", function()
    for _, kind in ipairs { "Queue", "LifoQueue", "PriorityQueue" } do
      local queue = sync[kind]()
      queue:shutdown()
      assert.is_true(queue.is_shutdown)
    end
  end)

  it("QI06 an item is let go as soon as it has left the queue", function()
    support.in_both_worlds(function()
      for _, kind in ipairs { "SimpleQueue", "Queue" } do
        local queue = sync[kind]()
        queue:put { sync.Queue { name = "inner" } }
        local weak = setmetatable({ queue:get() }, { __mode = "v" })
        collectgarbage()
        assert(weak[1] == nil)
      end
    end)
  end)
end)

describe("Pool and Future", function()
  it("PE16 a worker keeps nothing of a task that is done", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(1)
      local gone = sync.Event()
      pool:submit(function(argument)
        setmetatable(argument, { __gc = function() gone:set() end })
      end, {}):result()
      assert(pool:submit(function()
        collectgarbage()
        return gone:is_set()
      end):result())
    end)
  end)

  it("FU03 cancelled, running and done say what is", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(1)
      local go, begun = sync.Event(), sync.Event()
      local first = pool:submit(function() begun:set() go:wait() end)
      local second = pool:submit(function() end)
      begun:wait()
      assert(first:running() and not first:done() and not first:cancelled())
      assert(not second:running() and not second:done())
      assert(second:cancel() and second:cancelled() and second:done())
      go:set()
      first:result()
      assert(first:done() and not first:running() and not first:cancelled())
    end)
  end)
end)

local sync = require "luasync"
local support = require "spec.support"

describe("RWLock", function()
  it("lets readers in together, and a writer alone", function()
    support.in_both_worlds(function()
      local lock, state, threads = sync.RWLock(), sync.Shared { readers = 0, writers = 0, most = 0 }, {}
      local function change(key, by)
        return sync.update(state, key, function(n) return n + by end)
      end
      for i = 1, 6 do
        threads[i] = sync.spawn(function()
          for k = 1, 20 do
            if (i + k) % 4 == 0 then
              local _ <close> = lock:hold_write()
              assert(change("writers", 1) == 1 and state.readers == 0)
              change("writers", -1)
            else
              local _ <close> = lock:hold_read()
              local n = change("readers", 1)
              assert(state.writers == 0)
              sync.update(state, "most", math.max, n)
              change("readers", -1)
            end
          end
        end)
      end
      for i = 1, 6 do threads[i]:result() end
      assert(tostring(lock):find "unlocked")
    end)
  end)

  it("two readers hold it at once", function()
    local lock = sync.RWLock()
    assert.is_true(lock:read())
    assert.is_true(support.finish(support.start(function() return lock:read(0) end)))
    lock:release()
  end)

  it("a reader that comes after a waiting writer stands behind it", function()
    local lock, log = sync.RWLock(), sync.Queue()
    lock:read()
    local writer = support.start_blocked(function()
      lock:write()
      log:put "writer"
      lock:release()
    end)
    assert.is_false(support.finish(support.start(function() return lock:read(0) end)))
    local reader = support.start_blocked(function()
      lock:read()
      log:put "reader"
      lock:release()
    end)
    lock:release()
    support.finish(writer)
    support.finish(reader)
    assert.equal("writer", log:get())
    assert.equal("reader", log:get())
  end)

  it("writers are not starved by readers that never leave it free", function()
    support.in_both_worlds(function()
      local lock, stop, threads = sync.RWLock(), sync.Event(), {}
      for i = 1, 4 do
        threads[i] = sync.spawn(function()
          while not stop:is_set() do
            lock:read()
            sync.sleep(0.0005)
            lock:release()
          end
        end)
      end
      sync.sleep(0.001)
      for _ = 1, 10 do
        assert(lock:write(20))
        lock:release()
      end
      stop:set()
      for i = 1, 4 do threads[i]:result() end
    end)
  end)

  it("readers go on when the writer they stood behind gives up", function()
    support.in_both_worlds(function()
      local lock = sync.RWLock()
      lock:read()
      local writer = sync.spawn(function() return pcall(lock.write, lock) end)
      while lock:read(0) do -- until the writer stands in line
        lock:release()
        sync.sleep(0.001)
      end
      local reader = sync.spawn(function()
        local taken = lock:read(20)
        lock:release()
        return taken
      end)
      sync.sleep(0.001)
      writer:interrupt()
      assert(reader:result() == true)
      local ok, message = writer:result()
      assert(not ok and message == "interrupted")
      lock:release()
    end)
  end)

  it("a writer's timeout ends its wait, and readers behind it go on", function()
    local lock = sync.RWLock()
    lock:read()
    local writer = support.start(function() return lock:write(0.05) end)
    assert.is_false(support.finish(writer))
    assert.is_true(support.finish(support.start(function() return lock:read(0) end)))
    assert.is_false(support.finish(support.start(function() return lock:write(0) end)))
    support.refuses_bad_timeouts(function(timeout) lock:write(timeout) end)
    support.refuses_bad_timeouts(function(timeout) lock:read(timeout) end)
  end)

  it("refuses what would be waiting for oneself, and what is not held", function()
    local lock = sync.RWLock()
    support.raises("release unlocked lock", function() lock:release() end)
    lock:read()
    support.raises("cannot upgrade a read lock", function() lock:write() end)
    support.raises("cannot upgrade a read lock", function() lock:write(0) end)
    local ok, message = support.finish(support.start(function() return pcall(lock.release, lock) end))
    assert.is_false(ok)
    assert.equal("release unlocked lock", message)
    lock:release()
    support.raises("release unlocked lock", function() lock:release() end)
    assert.is_true(lock:write())
    lock:release()
    support.raises("no arguments but { name = \"...\" } expected", function() sync.RWLock(5) end)
  end)

  it("hold_read and hold_write give it back at the end of the block, also after an error", function()
    local lock = sync.RWLock { name = "data" }
    pcall(function()
      local _ <close> = lock:hold_write()
      assert.equal("RWLock 'data' (written by MainThread)", tostring(lock))
      error "out"
    end)
    assert.equal("RWLock 'data' (unlocked)", tostring(lock))
    do
      local _ <close> = lock:hold_read()
      assert.equal("RWLock 'data' (read by MainThread)", tostring(lock))
      local other = support.start(function()
        local _ <close> = lock:hold_read()
        return tostring(lock)
      end)
      assert.equal("RWLock 'data' (read by 2 threads)", support.finish(other))
    end
    assert.equal("RWLock 'data' (unlocked)", tostring(lock))
  end)

  it("is named in the report of a deadlock, with its holder", function()
    local report = sync.simulate(function()
      local a, b = sync.RWLock { name = "A" }, sync.RWLock { name = "B" }
      local thread = sync.Thread { name = "other", target = function()
        b:write()
        a:read()
      end }:start()
      a:write()
      sync.sleep(0.1)
      b:read()
      thread:join()
    end)
    assert.is_false(report.ok)
    assert.matches("waits for RWLock 'A' held by MainThread %([^)]*rwlock_spec.lua:%d+%)", report.deadlock)
    assert.matches("waits for RWLock 'B' held by other %([^)]*rwlock_spec.lua:%d+%)", report.deadlock)
    assert.matches("waiting in read of RWLock 'B' %(written by other%)", report.deadlock)
  end)

  it("a reader that needs another one behind a waiting writer is a deadlock that some seed finds", function()
    local function program()
      local lock, go = sync.RWLock(), sync.Event()
      local first = sync.spawn(function()
        lock:read()
        go:wait()
        lock:release()
      end)
      local writer = sync.spawn(function()
        lock:write()
        lock:release()
      end)
      lock:read()
      go:set()
      lock:release()
      first:join()
      writer:join()
    end
    local stuck = 0
    for seed = 1, 50 do
      if not sync.simulate(program, { seed = seed }).ok then stuck = stuck + 1 end
    end
    assert.is_true(stuck > 0 and stuck < 50, stuck)
  end)

  it("cannot be taken inside update where it would have to wait", function()
    local lock, shared = sync.RWLock(), sync.Shared { n = 0 }
    local held, go = sync.Event(), sync.Event()
    local holder = support.start(function()
      lock:write()
      held:set()
      go:wait()
      lock:release()
    end)
    held:wait()
    support.raises("cannot block inside update", function()
      sync.update(shared, "n", function() lock:read() end)
    end)
    go:set()
    support.finish(holder)
    assert.is_true(lock:write())
    lock:release()
  end)

  it("random interrupts lose no hold and leave none behind", function()
    support.in_both_worlds(function()
      local lock, threads, stop = sync.RWLock(), {}, sync.Event()
      local previous = sync.set_excepthook(function() end)
      for i = 1, 4 do
        threads[i] = sync.spawn(function()
          local function work()
            while not stop:is_set() do
              local _ <close> = i % 2 == 0 and lock:hold_write() or lock:hold_read()
              sync.sleep(0.0002)
            end
          end
          local function again() -- an interrupt may come anywhere
            if not pcall(work) and not stop:is_set() then return again() end
          end
          pcall(again)
        end)
      end
      for k = 1, 60 do
        threads[k % 4 + 1]:interrupt()
        sync.sleep(0.0002)
      end
      stop:set()
      for i = 1, 4 do
        assert(threads[i]:join(20))
        pcall(threads[i].result, threads[i]) -- taken
      end
      sync.set_excepthook(previous)
      assert(lock:write(20))
      lock:release()
    end)
  end)
end)

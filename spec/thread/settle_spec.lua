local sync = require "luasync"
local support = require "spec.support"

describe("settle", function()
  it("waits until the others wait or have ended", function()
    support.in_both_worlds(function()
      local inbox, done = sync.Queue(), sync.Shared { n = 0 }
      local threads = {}
      for i = 1, 3 do
        threads[i] = sync.spawn(function()
          for _ in inbox:items() do
            for _ = 1, 2000 do done.x = 1 end
            sync.update(done, "n", function(n) return n + 1 end)
          end
        end)
      end
      for round = 1, 3 do
        for i = 1, 9 do inbox:put(i) end
        assert(sync.settle() == true)
        assert(done.n == 9 * round)
      end
      inbox:shutdown()
      assert(sync.settle())
      for i = 1, 3 do assert(threads[i]:join(0)) end
    end)
  end)

  it("lets no time pass in a simulated world, and counts a sleeper as waiting", function()
    assert.is_true(sync.simulate(function()
      local begin = sync.monotonic()
      local sleeper = sync.spawn(function() sync.sleep(10) end)
      assert(sync.settle())
      assert(sync.monotonic() == begin and sleeper:is_alive())
    end).ok)
  end)

  it("says false when the time is over first", function()
    local stop = sync.Event()
    local busy = support.start(function() while not stop:is_set() do end end)
    assert.is_false(sync.settle(0.02))
    assert.is_false(sync.settle(0))
    stop:set()
    assert.is_true(support.finish(busy) == nil and sync.settle())
    support.refuses_bad_timeouts(function(timeout) sync.settle(timeout) end)
  end)

  it("counts a thread that waits for the system", function()
    local fifo = os.tmpname()
    os.remove(fifo)
    os.execute("mkfifo " .. fifo)
    local reader = support.start(function() return io.open(fifo):read "a" end)
    assert.is_true(sync.settle(support.LONG))
    assert.is_true(reader:is_alive())
    local writer = io.open(fifo, "w")
    writer:write "text"
    writer:close()
    assert.equal("text", support.finish(reader))
    os.remove(fifo)
  end)

  it("two that settle do not wait for each other", function()
    support.in_both_worlds(function()
      local other = sync.spawn(function() return sync.settle() end)
      assert(sync.settle() and other:result())
    end)
  end)

  it("is interrupted", function()
    support.in_both_worlds(function()
      local stop = sync.Event()
      local busy = sync.spawn(function() while not stop:is_set() do end end)
      local inside = sync.Event()
      local settler = sync.spawn(function()
        return pcall(function() inside:set() sync.settle() end)
      end)
      inside:wait()
      settler:interrupt()
      local ok, message = settler:result()
      assert(not ok and message == "interrupted")
      stop:set()
      busy:join()
    end)
  end)

  it("replays in a simulated world", function()
    local function program()
      local q = sync.Queue()
      for i = 1, 3 do sync.spawn(function() q:put(i) end) end
      sync.settle()
      error(table.concat({ q:get(), q:get(), q:get() }, " "), 0)
    end
    for seed = 1, 10 do
      local report = sync.simulate(program, { seed = seed })
      local again = sync.simulate(program, { schedule = report.schedule })
      assert.equal(report.error, again.error)
    end
  end)
end)

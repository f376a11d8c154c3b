local sync = require "luasync"
local support = require "spec.support"

describe("Barrier", function()
  it("BA01 wants at least one party, an integer", function()
    support.bad_argument(1, "Barrier", function() sync.Barrier(0) end)
    support.bad_argument(1, "Barrier", function() sync.Barrier(2.5) end)
    support.bad_argument(1, "Barrier", function() sync.Barrier() end)
    support.bad_argument(2, "Barrier", function() sync.Barrier(2, 42) end)
    support.raises("timeout must be a non-negative number", function() sync.Barrier(2, nil, -1) end)
    support.raises("parties must be > 0", function() sync.Barrier(-1) end)
  end)

  it("BA02 lets all go when all have come, each with an index of its own", function()
    support.in_both_worlds(function()
      local barrier, threads, seen = sync.Barrier(5), {}, {}
      for i = 1, 5 do threads[i] = sync.spawn(function() return barrier:wait() end) end
      for i = 1, 5 do
        local index = threads[i]:result()
        assert(not seen[index] and index >= 1 and index <= 5)
        seen[index] = true
      end
      assert(#seen == 5)
    end)
  end)

  it("is broken by one of two polls at a time, and found broken by the other", function()
    local barrier, start, finish, ROUNDS = sync.Barrier(3), sync.Barrier(2), sync.Barrier(2), 3000
    local function poll()
      local said = {}
      for i = 1, ROUNDS do
        start:wait()
        said[i] = select(2, barrier:wait(0))
        if finish:wait() == 2 then barrier:reset() end
      end
      return said
    end
    local one, other = sync.spawn(poll), sync.spawn(poll)
    local said, too = one:result(), other:result()
    for i = 1, ROUNDS do
      assert.same({ broken = true, timeout = true }, { [said[i]] = true, [too[i]] = true })
    end
  end)

  it("BA02 gives the indices in the order of arrival", function()
    local barrier = sync.Barrier(3)
    local first = support.start_blocked(function() return barrier:wait() end)
    local second = support.start_blocked(function() return barrier:wait() end)
    assert.equal(2, barrier.n_waiting)
    assert.equal(3, barrier:wait())
    assert.equal(1, support.finish(first))
    assert.equal(2, support.finish(second))
  end)

  it("BA03 can be used again and again, and generations never mix", function()
    support.in_both_worlds(function()
      local parties, rounds = 4, 60
      local barrier, here = sync.Barrier(parties), sync.Shared()
      for g = 1, rounds do here[g] = 0 end
      local threads = {}
      for i = 1, parties do
        threads[i] = sync.spawn(function()
          for g = 1, rounds do
            sync.update(here, g, function(n) return n + 1 end)
            barrier:wait()
            assert(here[g] == parties, "went on before all had come")
            assert(g == rounds or here[g + 1] <= parties)
          end
        end)
      end
      for i = 1, parties do threads[i]:result() end
    end)
  end)

  it("BA03 indices are each given once a generation, with more threads than parties", function()
    support.in_both_worlds(function()
      local barrier, counts, threads = sync.Barrier(3), sync.Shared { 0, 0, 0 }, {}
      for i = 1, 6 do
        threads[i] = sync.spawn(function()
          local index = barrier:wait()
          while index do
            if sync.update(counts, index, function(n) return n + 1 end) == 20 then barrier:abort() end
            index = barrier:wait()
          end
        end)
      end
      for i = 1, 6 do threads[i]:result() end
      assert(counts[1] == counts[3] and counts[2] == counts[3])
    end)
  end)

  it("BA04 calls the action once a generation, in the last thread, before anybody goes on", function()
    support.in_both_worlds(function()
      local log = sync.Shared { n = 0 }
      local barrier = sync.Barrier(3, function()
        log.who = sync.current_thread().name
        log.n = log.n + 1
      end)
      local threads = {}
      for i = 1, 3 do
        threads[i] = sync.spawn(function()
          for g = 1, 10 do
            local index = barrier:wait()
            assert(log.n >= g)
            if index == 3 then assert(log.n == g and log.who == sync.current_thread().name) end
            barrier:wait()
            log.n = g
            barrier:wait()
            log.n = g
          end
        end)
      end
      for i = 1, 3 do threads[i]:result() end
    end)
  end)

  it("BA05 breaks when the action fails; the error comes out of that wait", function()
    local barrier = sync.Barrier(2, function() error("no good", 0) end)
    local other = support.start_blocked(function() return barrier:wait() end)
    local ok, message = pcall(barrier.wait, barrier)
    assert.is_false(ok)
    assert.equal("no good", message)
    local index, why = support.finish(other)
    assert.is_nil(index)
    assert.equal("broken", why)
    assert.is_true(barrier.broken)
  end)

  it("BA06 refuses a wait on itself inside its action", function()
    local barrier
    barrier = sync.Barrier(1, function() sync.Shared.b:wait() end)
    assert.is_false((pcall(barrier.wait, barrier)))
    local box = sync.Queue()
    barrier = sync.Barrier(1, function()
      local me = box:get()
      me:wait()
    end)
    box:put(barrier)
    support.raises("cannot wait on a barrier inside its action", function() barrier:wait() end)
    assert.is_true(barrier.broken)
  end)

  it("BA07 BA09 breaks for all when one's time runs out", function()
    local barrier = sync.Barrier(3)
    local other = support.start_blocked(function() return barrier:wait() end)
    assert.same({ nil, "timeout" }, { barrier:wait(0.01) })
    assert.same({ nil, "broken" }, { support.finish(other) })
    assert.same({ nil, "broken" }, { barrier:wait() })
    assert.equal("Barrier 'Barrier-7' (broken)", (tostring(barrier):gsub("%d+", "7")))
  end)

  it("BA07 takes the constructor's timeout where wait has none", function()
    assert.same({ nil, "timeout" }, { sync.Barrier(2, nil, 0.01):wait() })
    support.refuses_bad_timeouts(function(timeout) sync.Barrier(2):wait(timeout) end)
  end)

  it("BA08 wait(0) breaks it unless it is the last one's", function()
    local barrier = sync.Barrier(2)
    assert.same({ nil, "timeout" }, { barrier:wait(0) })
    assert.is_true(barrier.broken)
    assert.equal(1, sync.Barrier(1):wait(0))
  end)

  it("BA10 abort breaks it, also when nobody waits", function()
    local barrier = sync.Barrier(2)
    local other = support.start_blocked(function() return barrier:wait() end)
    barrier:abort()
    barrier:abort()
    assert.same({ nil, "broken" }, { support.finish(other) })
    assert.is_true(barrier.broken)
    assert.equal(0, barrier.n_waiting)
  end)

  it("BA11 reset makes it new; those who waited find it broken", function()
    local barrier = sync.Barrier(2)
    barrier:reset()
    assert.is_false(barrier.broken)
    local other = support.start_blocked(function() return barrier:wait() end)
    barrier:reset()
    assert.same({ nil, "broken" }, { support.finish(other) })
    assert.is_false(barrier.broken)
    barrier:abort()
    barrier:reset()
    local partner = support.start_blocked(function() return barrier:wait() end)
    assert.equal(2, barrier:wait())
    assert.equal(1, support.finish(partner))
  end)

  it("BA12 a reset while others come never leaves one behind", function()
    support.in_both_worlds(function()
      local barrier, threads, stop = sync.Barrier(2), {}, sync.Event()
      for i = 1, 3 do
        threads[i] = sync.spawn(function()
          while not stop:is_set() do barrier:wait() end
        end)
      end
      for _ = 1, 20 do
        barrier:reset()
        sync.sleep(0)
      end
      stop:set()
      barrier:abort()
      for i = 1, 3 do threads[i]:result() end
    end)
  end)

  it("BA13 its fields can be read and not set", function()
    local barrier = sync.Barrier(2)
    assert.equal(2, barrier.parties)
    assert.equal(0, barrier.n_waiting)
    assert.is_false(barrier.broken)
    assert.is_nil(barrier.other)
    support.raises("cannot set field 'parties' of a barrier", function() barrier.parties = 3 end)
  end)

  it("BA15 of one party never waits, and runs the action each time", function()
    local count = sync.Atomic()
    local barrier = sync.Barrier(1, function() count:add(1) end)
    assert.equal(1, barrier:wait())
    assert.equal(1, barrier:wait())
    assert.equal(2, count:get())
  end)

  it("BA16 an interrupted wait leaves it whole, and a replacement will do", function()
    support.in_both_worlds(function()
      local barrier = sync.Barrier(2)
      local victim = sync.spawn(function() return pcall(barrier.wait, barrier) end)
      while barrier.n_waiting == 0 do sync.sleep(0.001) end
      victim:interrupt()
      local ok, message = victim:result()
      assert(not ok and message == "interrupted")
      assert(not barrier.broken and barrier.n_waiting == 0)
      local partner = sync.spawn(function() return barrier:wait() end)
      assert(barrier:wait() + partner:result() == 3)
    end)
  end)

  it("BA17 shows its state", function()
    local barrier = sync.Barrier(3, { name = "start" })
    assert.equal("Barrier 'start' (0 of 3 waiting)", tostring(barrier))
    local other = support.start_blocked(function() return barrier:wait() end)
    assert.equal("Barrier 'start' (1 of 3 waiting)", tostring(barrier))
    barrier:abort()
    support.finish(other)
    assert.equal("Barrier 'start' (broken)", tostring(barrier))
  end)

  it("is named in the report of a deadlock", function()
    local report = sync.simulate(function()
      local barrier = sync.Barrier(3, { name = "gate" })
      sync.spawn(function() barrier:wait() end)
      barrier:wait()
    end)
    assert.is_false(report.ok)
    assert.matches("waiting in wait of Barrier 'gate' %(2 of 3 waiting%)", report.deadlock)
  end)

  it("keeps newcomers at the door while the action runs", function()
    local go, inside = sync.Event(), sync.Event()
    local barrier = sync.Barrier(1, function()
      inside:set()
      go:wait()
    end)
    local first = support.start(function() return barrier:wait() end)
    inside:wait()
    assert.same({ nil, "timeout" }, { barrier:wait(0.01) }) -- breaks it for those to come, not for those who have
    assert.is_true(barrier.broken)
    go:set()
    assert.equal(1, support.finish(first))
  end)

  it("abort during the action breaks the generation that waits for it", function()
    local go, inside = sync.Event(), sync.Event()
    local barrier = sync.Barrier(2, function()
      inside:set()
      go:wait()
    end)
    local function wait() return barrier:wait() end
    local a, b = support.start(wait), support.start(wait)
    inside:wait()
    barrier:abort()
    go:set()
    assert.same({ nil, "broken" }, { support.finish(a) })
    assert.same({ nil, "broken" }, { support.finish(b) })
  end)
end)

local sync = require "luasync"
local support = require "spec.support"

describe("Pool", function()
  it("PE02 takes a number of workers, at least one", function()
    support.raises("workers must be > 0", function() sync.Pool(0) end)
    support.bad_argument(1, "Pool", function() sync.Pool(1.5) end)
    support.bad_argument(1, "Pool", function() sync.Pool("x") end)
    local pool = sync.Pool()
    assert.equal(("(0 of %d workers)"):format(sync.cpu_count()), tostring(pool):match "%(.*%)")
    pool:shutdown()
  end)

  it("PE03 starts workers only when none is idle, and never more than it may", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(2)
      for _ = 1, 5 do
        pool:submit(function() end):result()
        sync.settle()
      end
      assert(tostring(pool):find "1 of 2")
      local go = sync.Event()
      local futures = {}
      for i = 1, 6 do futures[i] = pool:submit(function() go:wait() end) end
      sync.settle()
      assert(tostring(pool):find "2 of 2")
      local running = 0
      for i = 1, 6 do if futures[i]:running() then running = running + 1 end end
      assert(running == 2, running)
      go:set()
    end)
  end)

  it("PE04 its workers are no daemons, and bear its name", function()
    local pool <close> = sync.Pool(1, { name = "crew" })
    local name, daemon = pool:submit(function()
      local me = sync.current_thread()
      return me.name, me.daemon
    end):result()
    assert.same({ "crew_1", false }, { name, daemon })
    local inner = sync.Thread { daemon = true, target = function()
      local p <close> = sync.Pool(1)
      return p:submit(function() return sync.current_thread().daemon end):result()
    end }:start()
    assert.is_false(inner:result())
  end)

  it("PE05 runs tasks in the order they were submitted", function()
    support.in_both_worlds(function()
      local pool, log = sync.Pool(1), sync.Queue()
      for i = 1, 20 do pool:submit(function() log:put(i) end) end
      pool:shutdown()
      for i = 1, 20 do assert(log:get_nowait() == i) end
    end)
  end)

  it("PE06 takes nothing after shutdown", function()
    local pool = sync.Pool(1)
    pool:shutdown()
    support.raises("cannot schedule new futures after shutdown", function() pool:submit(print) end)
    support.raises("cannot schedule new futures after shutdown", function() pool:map(print, { 1 }) end)
    pool:shutdown()
  end)

  it("PE07 refuses what cannot be called, and what cannot cross, in the caller", function()
    local pool <close> = sync.Pool(1)
    support.bad_argument(1, "submit", function() pool:submit(42) end)
    support.bad_argument(1, "map", function() pool:map(nil, {}) end)
    support.raises("cannot send a coroutine (at args[1])", function()
      pool:submit(print, coroutine.create(print))
    end)
    local future = pool:submit(function() return coroutine.create(print) end)
    local ok, message = pcall(future.result, future)
    assert.is_false(ok)
    assert.matches("cannot send a coroutine %(at results%[1%]%)", message)
  end)

  it("PE08 map gives the results in order", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(3)
      local list = {}
      for i = 1, 30 do list[i] = i end
      local squares = pool:map(function(x) return x * x end, list)
      assert(#squares == 30)
      for i = 1, 30 do assert(squares[i] == i * i) end
      assert(next(pool:map(print, {})) == nil)
      assert(pool:map(function() end, { 1 })[1] == nil)
    end)
  end)

  it("PE09 map raises the first error in order, and cancels what has not begun", function()
    support.in_both_worlds(function()
      local pool, done = sync.Pool(1), sync.Atomic()
      local ok, message = pcall(pool.map, pool, function(x)
        if x == 2 then error("two", 0) end
        done:add(1)
      end, { 1, 2, 3, 4, 5, 6, 7, 8 })
      assert(not ok and message == "two")
      pool:shutdown()
      assert(done:get() < 8)
    end)
  end)

  it("PE10 shutdown lets what is queued run, and waits", function()
    support.in_both_worlds(function()
      local pool, done = sync.Pool(2), sync.Atomic()
      for _ = 1, 10 do
        pool:submit(function()
          sync.sleep(0.001)
          done:add(1)
        end)
      end
      pool:shutdown()
      assert(done:get() == 10)
      for _, t in ipairs(sync.enumerate()) do assert(not t.name:find "^Pool") end
    end)
  end)

  it("PE10 shutdown(true, true) cancels what has not begun", function()
    support.in_both_worlds(function()
      local pool, go = sync.Pool(1), sync.Event()
      local first = pool:submit(function() go:wait() return 1 end)
      sync.settle()
      local second = pool:submit(function() return 2 end)
      pool:shutdown(false, true)
      assert(second:cancelled())
      go:set()
      pool:shutdown()
      assert(first:result() == 1)
      local value, why = second:result()
      assert(value == nil and why == "cancelled")
    end)
  end)

  it("PE11 waits at the end of a block", function()
    local done = sync.Atomic()
    pcall(function()
      local pool <close> = sync.Pool(2)
      for _ = 1, 4 do pool:submit(function() done:add(1) end) end
      error "out"
    end)
    assert.equal(4, done:get())
  end)

  it("PE12 PE13 what is queued is done before the program ends, and idle workers do not keep it", function()
    for _, ending in ipairs { "", "pool = nil collectgarbage() collectgarbage()", "pool:shutdown(false)" } do
      local result = support.run(([[
        local sync = require "luasync"
        local pool = sync.Pool(2)
        for i = 1, 5 do pool:submit(function() sync.sleep(0.01) io.write "x" end) end
        %s
      ]]):format(ending))
      assert.same({ 0, "xxxxx", "" }, { result.code, result.out, result.err })
    end
  end)

  it("PE12 a thread that goes on after the main script can still submit", function()
    local result = support.run [[
      local sync = require "luasync"
      local pool = sync.Pool(1)
      pool:submit(function() end):result()
      sync.spawn(function()
        sync.main_thread():join()
        for i = 1, 3 do
          sync.sleep(0.005)
          pool:submit(function() io.write(i) end)
        end
      end)
    ]]
    assert.same({ 0, "123" }, { result.code, result.out })
  end)

  it("PE13 workers end when the pool has been collected", function()
    support.in_both_worlds(function()
      local pool = sync.Pool(2, { name = "gone" })
      pool:submit(function() end):result()
      pool = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      sync.settle()
      for _, t in ipairs(sync.enumerate()) do assert(not t.name:find "^gone") end
    end)
  end)

  it("PE15 a task that waits for a later one in a full pool is a deadlock that is reported", function()
    local report = sync.simulate(function()
      local pool = sync.Pool(1, { name = "full" })
      pool:submit(function()
        return pool:submit(function() end):result()
      end):result()
    end)
    assert.is_false(report.ok)
    assert.matches("Thread full_1: waiting in result of Future 'Future%-2' %(pending%)", report.deadlock)
  end)

  it("refuses to wait for itself", function()
    local pool = sync.Pool(1)
    local future = pool:submit(function() pool:shutdown() end)
    local ok, message = pcall(future.result, future)
    assert.is_false(ok)
    assert.matches("cannot wait for a pool inside one of its tasks", message)
    pool:shutdown()
  end)

  it("any thread may submit, and crosses by reference", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(2)
      local sum, threads = sync.Atomic(), {}
      for i = 1, 3 do
        threads[i] = sync.spawn(function()
          for k = 1, 20 do sum:add(pool:submit(function() return k end):result()) end
        end)
      end
      for i = 1, 3 do threads[i]:result() end
      assert(sum:get() == 3 * 210)
    end)
  end)

  it("keeps nothing of a task that is over", function()
    local pool <close> = sync.Pool(1)
    local weak = setmetatable({}, { __mode = "k" })
    for _ = 1, 20 do weak[pool:submit(function() return {} end)] = true end
    pool:submit(tostring, 1):result()
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)

describe("Future", function()
  it("FU01 FU15 is pending, running, then finished, failed or cancelled", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(1)
      local go = sync.Event()
      local first = pool:submit(function() go:wait() end)
      local second = pool:submit(error, "oops")
      local third = pool:submit(print)
      sync.settle()
      local function state(f) return tostring(f):match "%((.*)%)" end
      assert(state(first) == "running" and first:running() and not first:done())
      assert(state(second) == "pending" and not second:running() and not second:done())
      assert(third:cancel() and state(third) == "cancelled" and third:done() and third:cancelled())
      go:set()
      pcall(second.result, second)
      assert(state(first) == "finished" and first:done() and not first:cancelled())
      assert(state(second) == "failed" and second:done())
    end)
  end)

  it("FU02 cancel works until it has begun", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(1)
      local go = sync.Event()
      local first = pool:submit(function() go:wait() end)
      local second = pool:submit(function() error "never" end)
      sync.settle()
      assert(first:cancel() == false)
      assert(second:cancel() == true and second:cancel() == true)
      go:set()
      first:result()
      assert(first:cancel() == false)
      local value, why = second:result()
      assert(value == nil and why == "cancelled")
    end)
  end)

  it("FU02 is either cancelled or run", function()
    for seed = 1, 30 do
      local report = sync.simulate(function()
        local ran = sync.Atomic()
        local pool = sync.Pool(2)
        local futures, cancelled = {}, 0
        for i = 1, 8 do futures[i] = pool:submit(function() ran:add(1) end) end
        for i = 8, 1, -1 do if futures[i]:cancel() then cancelled = cancelled + 1 end end
        pool:shutdown()
        assert(ran:get() + cancelled == 8)
      end, { seed = seed })
      assert.is_true(report.ok, report.error)
    end
  end)

  it("FU04 result gives all values, raises the error, has a timeout", function()
    local pool <close> = sync.Pool(1)
    local future = pool:submit(function(...) return ... end, 1, nil, 3, nil)
    assert.same({ n = 4, 1, nil, 3 }, table.pack(future:result()))
    assert.same({ n = 4, 1, nil, 3 }, table.pack(future:result()))
    local failing = pool:submit(error, { code = 7 })
    for _ = 1, 2 do
      local ok, err = pcall(failing.result, failing)
      assert.is_false(ok)
      assert.equal(7, err.code)
    end
    local go = sync.Event()
    local slow = pool:submit(function() go:wait() end)
    assert.same({ nil, "timeout" }, { slow:result(0) })
    assert.same({ nil, "timeout" }, { slow:result(0.01) })
    support.refuses_bad_timeouts(function(timeout) slow:result(timeout) end)
    go:set()
    assert.equal(0, select("#", slow:result()))
  end)

  it("a waiting result is interrupted", function()
    local pool <close> = sync.Pool(1)
    local go = sync.Event()
    local future = pool:submit(function() go:wait() end)
    local waiting = support.start_blocked(function() return pcall(future.result, future) end)
    waiting:interrupt "enough"
    local ok, message = support.finish(waiting)
    assert.is_false(ok)
    assert.equal("enough", message)
    go:set()
  end)

  it("can be selected", function()
    local pool <close> = sync.Pool(1)
    local future = pool:submit(function() return 1 end)
    assert.same({ 2, true }, { sync.select { sync.Queue(), future } })
  end)
end)

describe("wait", function()
  it("FU09 waits for all, each once, and says which are done", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(2)
      local go = sync.Event()
      local quick, slow = pool:submit(function() end), pool:submit(function() go:wait() end)
      local done, pending = sync.wait({ quick, slow, quick }, 0.01)
      assert(#done == 1 and done[1] == quick and #pending == 1 and pending[1] == slow)
      go:set()
      done, pending = sync.wait { slow, quick }
      assert(#done == 2 and done[1] == slow and #pending == 0)
      done, pending = sync.wait {}
      assert(#done == 0 and #pending == 0)
    end)
  end)

  it("FU10 with \"first\" for one of them", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(2)
      local go = sync.Event()
      local slow = pool:submit(function() go:wait() end)
      local quick = pool:submit(function() end)
      local done, pending = sync.wait({ slow, quick }, nil, "first")
      assert(#done == 1 and done[1] == quick and pending[1] == slow)
      done = sync.wait({ slow }, 0.01, "first")
      assert(#done == 0)
      go:set()
    end)
    support.bad_argument(3, "wait", function() sync.wait({}, 1, "second") end)
    support.raises("Future expected at [1], got number", function() sync.wait { 1 } end)
    support.refuses_bad_timeouts(function(timeout) sync.wait({}, timeout) end)
  end)

  it("FU11 counts a cancelled one as done", function()
    support.in_both_worlds(function()
      local pool <close> = sync.Pool(1)
      local go = sync.Event()
      pool:submit(function() go:wait() end)
      local future = pool:submit(print)
      future:cancel()
      local done, pending = sync.wait { future }
      assert(#done == 1 and #pending == 0)
      go:set()
    end)
  end)
end)

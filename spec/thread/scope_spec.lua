local sync = require "luasync"
local support = require "spec.support"

describe("Scope", function()
  it("waits at the end of the block for all its threads", function()
    support.in_both_worlds(function()
      local done = sync.Atomic()
      do
        local s <close> = sync.Scope()
        for _ = 1, 5 do
          s:spawn(function()
            sync.sleep(0.001)
            done:add(1)
          end)
        end
      end
      assert(done:get() == 5)
    end)
  end)

  it("the first error interrupts the others and comes out of join, once", function()
    support.in_both_worlds(function()
      local s = sync.Scope()
      local others = {}
      for i = 1, 3 do others[i] = s:spawn(function() sync.sleep(1000) end) end
      s:spawn(function() error({ code = 42 }) end)
      local ok, err = pcall(s.join, s)
      assert(not ok and err.code == 42)
      for i = 1, 3 do assert(not others[i]:is_alive()) end
      assert(s:join() == true)
    end)
  end)

  it("the first error comes out of the block", function()
    support.in_both_worlds(function()
      local ok, err = pcall(function()
        local s <close> = sync.Scope()
        s:spawn(function() sync.Queue():get() end)
        s:spawn(function() error("inside", 0) end)
      end)
      assert(not ok and err == "inside")
    end)
  end)

  it("an error in the block interrupts the threads, waits for them, and goes on", function()
    support.in_both_worlds(function()
      local thread
      local ok, err = pcall(function()
        local s <close> = sync.Scope()
        thread = s:spawn(function() sync.Event():wait() end)
        error("block", 0)
      end)
      assert(not ok and err == "block" and not thread:is_alive())
    end)
  end)

  it("an interrupt of the thread that waits at the end interrupts its threads, and goes on", function()
    support.in_both_worlds(function()
      local inner = sync.Queue()
      local outer = sync.spawn(function()
        return pcall(function()
          local s <close> = sync.Scope()
          inner:put(s:spawn(function() sync.Event():wait() end))
        end)
      end)
      local thread = inner:get()
      sync.settle()
      outer:interrupt "stop it"
      local ok, err = outer:result()
      assert(not ok and err == "stop it" and not thread:is_alive())
    end)
  end)

  it("says nothing of the errors it hands on, nor of its interrupts", function()
    local result = support.run [[
      local sync = require "luasync"
      print(pcall(sync.scope, function(s)
        for _ = 1, 3 do s:spawn(function() sync.sleep(1000) end) end
        s:spawn(function() error("first", 0) end)
      end))
    ]]
    assert.same({ 0, "false\tfirst\n", "" }, { result.code, result.out, result.err })
  end)

  it("an error that is never taken makes the program exit with 1", function()
    local result = support.run [[
      local sync = require "luasync"
      local s = sync.Scope()
      s:spawn(function() error("first", 0) end)
    ]]
    assert.equal(1, result.code)
  end)

  it("an error that the main script does not catch ends it as any other", function()
    local result = support.run [[
      local sync = require "luasync"
      local s <close> = sync.Scope()
      s:spawn(function() error("from inside") end)
    ]]
    assert.equal(1, result.code)
    assert.matches("from inside", result.err)
  end)

  it("refuses threads after its end", function()
    local kept
    sync.scope(function(s) kept = s end)
    support.raises("cannot spawn in a closed scope", function() kept:spawn(print) end)
    support.bad_argument(1, "spawn", function() sync.Scope():spawn(42) end)
    support.bad_argument(1, "scope", function() sync.scope(42) end)
    support.raises('no arguments but { name = "..." } expected', function() sync.Scope(1) end)
  end)

  it("a thread of it that starts another does so in the scope", function()
    support.in_both_worlds(function()
      local count = sync.Atomic()
      sync.scope(function(s)
        local function grow(depth)
          count:add(1)
          if depth > 0 then
            s:spawn(grow, depth - 1)
            s:spawn(grow, depth - 1)
          end
        end
        s:spawn(grow, 3)
      end)
      assert(count:get() == 15)
    end)
  end)

  it("a thread spawned after the failure is interrupted as well", function()
    support.in_both_worlds(function()
      local ok, err = pcall(sync.scope, function(s)
        s:spawn(function() error("first", 0) end)
        sync.settle()
        s:spawn(function() sync.Event():wait() end)
      end)
      assert(not ok and err == "first")
    end)
  end)

  it("join has a timeout, and cannot be called from inside", function()
    local go = sync.Event()
    sync.scope(function(s)
      local inside = s:spawn(function()
        go:wait()
        return pcall(s.join, s)
      end)
      assert.is_false(s:join(0.01))
      assert.is_false(s:join(0))
      go:set()
      local ok, message = inside:result()
      assert.is_false(ok)
      assert.equal("cannot join a scope from one of its threads", message)
      assert.is_true(s:join())
    end)
    support.refuses_bad_timeouts(function(timeout) sync.Scope():join(timeout) end)
  end)

  it("scope returns what the function returns", function()
    assert.same({ 3, nil, "x" }, { sync.scope(function(_, a, b) return a + b, nil, "x" end, 1, 2) })
    assert.equal(0, select("#", sync.scope(function() end)))
  end)

  it("shows how many threads it has", function()
    local go = sync.Event()
    local s = sync.Scope { name = "crawl" }
    assert.equal("Scope 'crawl' (0 threads)", tostring(s))
    s:spawn(function() go:wait() end)
    assert.equal("Scope 'crawl' (1 thread)", tostring(s))
    go:set()
    s:join()
  end)

  it("is named in the report of a deadlock", function()
    local report = sync.simulate(function()
      local s <close> = sync.Scope { name = "S" }
      s:spawn(function() sync.Queue { name = "never" }:get() end)
    end)
    assert.is_false(report.ok)
    assert.matches("waiting in join of Scope 'S' (1 thread, closed)", report.deadlock, 1, true)
  end)

  it("frees what it has referred to", function()
    local weak = setmetatable({}, { __mode = "k" })
    for _ = 1, 50 do
      local s = sync.Scope()
      s:spawn(function() error "x" end)
      pcall(s.join, s)
      weak[s] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)

--- Ways to search that have nothing in common must find the same, in random programs over all kinds of objects: the
-- outcomes, how many executions and interleavings there are, and whether there is a race.
-- LUASYNC_PROGRAMS=first-last draws others than those below; `make stress STRESS=long` has 1-2000.
local sync = require "luasync"
local programs = require "spec.explore.programs"

local first, last = (os.getenv "LUASYNC_PROGRAMS" or "26-60"):match "(%d+)%-(%d+)"
-- Programs that were once counted wrongly: an interrupt of a thread in a line, a hole in a Shared.
local KNOWN = { 695, 942, 964, 1557 }

--- Compares all ways on one program. Where it has more than `most` interleavings not each of them is run by itself:
-- what dfs comes to within so many must be among what the others find, and these count alike.
local function compare(number, most, anew, with_more, left)
  local program = programs.draw(number, (with_more or left) and 3 or 4, with_more)
  local body = programs.body(program, left)
  local text = ("program %d:\n%s"):format(number, programs.text(program))
  local function search(strategy, options)
    options = options or { seconds = 600 }
    options.strategy = strategy
    local r = sync.explore(body, options)
    assert(r.complete or options.executions, text .. "\n" .. strategy .. " is not complete")
    return r
  end
  local states, dpor = search "states", search "dpor"
  assert.equal(programs.findings(states, true), programs.findings(dpor, true), text)
  assert.equal(programs.races(states), programs.races(dpor), text)
  programs.assert_repeats(body, dpor, text)
  programs.assert_repeats(body, states, text)
  if dpor.interleavings > most then
    local some = search("dfs", { executions = most })
    local all = "\n" .. programs.findings(dpor) .. "\n"
    for line in programs.findings(some):gmatch "[^\n]+" do
      assert.is_truthy(all:find("\n" .. line .. "\n", 1, true), text .. "\n" .. line)
    end
    return
  end
  local dfs = search "dfs"
  assert.equal(programs.findings(dfs), programs.findings(dpor), text)
  assert.equal(programs.races(dfs), programs.races(dpor), text)
  assert.equal(dpor.interleavings, dfs.executions, text)
  if anew then
    local slow = search("dfs", { seconds = 600, snapshots = false })
    assert.equal(programs.findings(dfs, true), programs.findings(slow, true), text)
  end
end

--- What all ways say of a program of which they must say the same.
local function agree(body)
  local found = {}
  for i, strategy in ipairs{ "dpor", "states", "dfs" } do
    found[i] = sync.explore(body, { strategy = strategy, seconds = 600 })
    assert.is_true(found[i].complete, strategy)
  end
  local dpor, states, dfs = table.unpack(found)
  assert.same({ dfs.executions, dfs.executions }, { states.interleavings, dpor.interleavings })
  assert.equal(states.executions, dpor.executions)
  assert.equal(programs.findings(dfs), programs.findings(dpor))
  return dpor
end

describe("random programs #noasan #notsan", function()
  it("come to the same by traces, by states and by each interleaving", function()
    for _, number in ipairs(KNOWN) do compare(number, 300) end
    for number = 1, 25 do compare(number, 800, number % 4 == 0) end
    for number = 1, 10 do compare(number, 300, false, true) end
  end)

  it("do so where main leaves them as daemons", function()
    for number = 1, 25 do compare(number, 300, false, number % 2 == 0, true) end
  end)

  it("do so in hundreds #slow", function()
    for number = tonumber(first), tonumber(last) do compare(number, 1500, true) end
    for number = 11, 11 + tonumber(last) // 10 do compare(number, 300, false, true) end
    for number = first + 0, tonumber(last) do compare(number, 300, false, number % 2 == 0, true) end
  end)
end)

describe("a pool #noasan #notsan", function()
  local open = {}
  function open.one_task() sync.Pool(2):submit(function() return 1 end):result() end
  function open.writers()
    local s, pool = sync.Shared{ n = 0 }, sync.Pool(2)
    for i = 1, 2 do pool:submit(function() s.n = i end) end
  end

  it("that is left open when main ends counts alike by traces, by states and by each interleaving", function()
    for _, body in pairs(open) do agree(body) end
  end)

  it("may come to a task before that is cancelled", function()
    agree(function() -- by a task of the same map that fails
      local pool, done = sync.Pool(1), sync.Atomic(0)
      pcall(pool.map, pool, function(i)
        if i == 1 then error "failed" end
        done:add(1)
      end, { 1, 2, 3 })
      pool:shutdown()
      error(done:get(), 0)
    end)
    local r = agree(function() -- by a shutdown
      local pool = sync.Pool(1)
      local one, other = pool:submit(function() end), pool:submit(function() end)
      local looker = sync.spawn(function() return tostring(other:cancelled()) .. tostring(one:cancelled()) end)
      pool:shutdown(true, true)
      error(looker:result(), 0)
    end)
    assert.equal(4, #r.failures)
  end)

  it("has its futures looked at by sync.wait all at once", function()
    local function look()
      local pool = sync.Pool(1)
      local one, other = pool:submit(function() end), pool:submit(function() end)
      local done = sync.wait({ one, other }, 0)
      error(#done == 1 and (done[1] == one and "the first" or "the second") or #done, 0)
    end
    local counts = {}
    for i, strategy in ipairs{ "dpor", "states" } do
      counts[i] = {}
      local r = sync.explore(look, { strategy = strategy })
      for _, f in ipairs(r.failures) do counts[i][f.message] = f.executions end
    end
    assert.same(counts[1], counts[2])
    assert.is_nil(counts[1]["the second"]) -- there is one worker
    agree(look)
  end)
end)

describe("what is open when the program ends #noasan #notsan", function()
  it("may come before what a daemon does after main has waited for it", function()
    local r = agree(function()
      local q, s = sync.Queue(), sync.Shared{}
      sync.Thread{ daemon = true, target = function() q:put(1) s.x = 1 s.y = 2 end }:start()
      q:get()
    end)
    assert.same({ 3, 6 }, { r.executions, r.interleavings })
  end)

  it("hides no deadlock behind a daemon's silent start", function()
    local r = agree(function()
      local lock = sync.Lock()
      sync.Thread{ daemon = true, target = function()
        sync.Timer(2, function() end):start()
        lock:acquire()
      end }:start()
      lock:acquire()
    end)
    assert.equal("deadlock", r.failures[1].kind)
  end)

  it("is waited for where a daemon has started it in time", function()
    agree(function()
      local s = sync.Shared{}
      sync.Thread{ daemon = true, target = function()
        sync.Thread{ daemon = false, target = function() s.x = 1 end }:start()
      end }:start()
      s.y = 1
    end)
  end)

  it("does not hold up a scope that a daemon has opened", function()
    local r = agree(function()
      local n, flag = sync.Atomic(0), sync.Event()
      sync.Thread{ daemon = true, target = function()
        sync.scope(function(scope) scope:spawn(function() n:add(1) end) end)
      end }:start()
      flag:clear()
    end)
    assert.same({ 3, 6 }, { r.executions, r.interleavings })
  end)

  it("is joined by another thread before the scope has any, or while it gets them", function()
    local r = agree(function()
      local n, scope = sync.Atomic(0), sync.Scope()
      local joiner = sync.spawn(function()
        scope:join()
        return n:get()
      end)
      scope:spawn(function() n:add(1) end)
      scope:spawn(function() n:add(2) end)
      error(joiner:result(), 0)
    end)
    assert.equal(4, #r.failures) -- 0, 1, 2 and 3
  end)

  it("is joined until a moment in which its last thread ends", function()
    local r = agree(function()
      local scope = sync.Scope()
      local joiner = sync.spawn(function() return scope:join(1) end)
      scope:spawn(function() sync.sleep(1) end)
      error(joiner:result(), 0)
    end)
    assert.equal(2, #r.failures)
  end)

  it("has a failing start for each of two threads that start the same one", function()
    local r = agree(function()
      local t = sync.Thread(function() end)
      sync.Thread(function() t:start() end):start()
      t:start()
    end)
    assert.equal(2, #r.failures)
  end)

  it("has a failing start where a thread starts the same one again", function()
    local r = agree(function()
      local t = sync.Thread(function() end)
      t:start()
      pcall(t.start, t)
    end)
    assert.equal(2, r.executions) -- the thread has ended by then, or not
  end)

  it("has a join that comes before the start of its thread", function()
    for _, make in ipairs{ sync.Thread, function(fn) return sync.Timer(1, fn) end } do
      local r = agree(function()
        local t = make(function() end)
        local joiner = sync.spawn(function() t:join() end)
        t:start()
        joiner:result()
      end)
      assert.equal(1, #r.failures)
      assert.matches("cannot join thread before it is started", r.failures[1].message, 1, true)
      assert.is_true(r.failing < r.executions)
    end
  end)

  it("is waited for at once where a daemon has started it, in whatever order it ends", function()
    local r = agree(function()
      sync.Thread{ daemon = true, target = function()
        sync.Thread{ daemon = false, target = function() end }:start()
      end }:start()
      sync.Timer(1, function() end):start()
    end)
    assert.same({ 1, 8 }, { r.executions, r.interleavings })
    agree(function()
      local pool = sync.Pool(1)
      sync.Thread{ daemon = true, target = function() pool:submit(function() end) end }:start()
      sync.Timer(1, function() end):start()
    end)
    agree(function()
      local pool = sync.Pool(1)
      sync.Thread{ daemon = true, target = function() pool:submit(function() end) end }:start()
    end)
  end)

  it("has an interrupt that comes before the start of its thread", function()
    local r = agree(function()
      local t = sync.Thread(function() sync.sleep(1) end)
      sync.Thread(function() t:start() end):start()
      t:interrupt()
    end)
    local before = 0
    for _, f in ipairs(r.failures) do before = before + (f.message:find "before it is started" and 1 or 0) end
    assert.equal(1, before)
  end)
end)

describe("an interrupt #noasan #notsan", function()
  it("of a thread that has met others at a barrier may come after another's arrival there", function()
    local function look(daemon)
      return agree(function()
        local barrier = sync.Barrier(2)
        local function meet() barrier:wait() end
        local one = sync.Thread{ daemon = daemon, target = meet }:start()
        sync.Thread{ daemon = daemon, target = meet }:start()
        meet()
        one:interrupt()
      end)
    end
    local r = look(true)
    assert.same({ 36, 93 }, { r.executions, r.interleavings })
    assert.equal(3, #look(false).failures)
  end)

  it("of who leaves a scope is followed by a wait of its own for the scope's threads", function()
    local r = agree(function()
      local owner = sync.spawn(function()
        pcall(sync.scope, function(scope)
          scope:spawn(function() sync.Event():wait() end)
          scope:spawn(function() error "failed" end)
        end)
      end)
      owner:interrupt()
    end)
    assert.same({ 45, 133 }, { r.executions, r.interleavings })
  end)
end)

describe("an outcome #noasan #notsan", function()
  it("is one whatever names its threads have got, which nobody has given", function()
    local r = agree(function()
      local n, m = sync.Atomic(0), sync.Atomic(0)
      sync.spawn(function() n:add(1) sync.spawn(function() error("failed", 0) end) end)
      sync.spawn(function() m:add(1) sync.spawn(function() n:add(1) end) end)
      n:add(2)
    end)
    assert.same({ 1, 6, 12 }, { #r.failures, r.failures[1].executions, r.interleavings })
    r = agree(function()
      local n, m = sync.Atomic(0), sync.Atomic(0)
      sync.spawn(function() n:add(1) sync.spawn(function() sync.Event():wait() end) end)
      sync.spawn(function() m:add(1) sync.spawn(function() n:add(1) end) end)
      n:add(2)
    end)
    assert.same({ 1, 6, 12 }, { #r.failures, r.failures[1].executions, r.interleavings })
  end)

  it("is one whichever thread main waits for at its end", function()
    local r = agree(function()
      local n, m, q = sync.Atomic(0), sync.Atomic(0), sync.Queue()
      sync.spawn(function() n:add(1) sync.spawn(function() q:get() end) end)
      sync.spawn(function() n:add(1) m:add(1) q:get() end)
      m:add(1)
    end)
    assert.equal(1, #r.failures)
  end)

  it("is one error, whichever of two threads fails with it", function()
    local r = agree(function()
      local n = sync.Atomic(0)
      for _ = 1, 2 do sync.spawn(function() if n:add(1) == 1 then error("the first", 0) end end) end
    end)
    assert.same({ 1, 2 }, { #r.failures, r.failures[1].executions })
    r = agree(function()
      sync.Thread{ daemon = true, target = function() sync.spawn(function() error("failed", 0) end) end }:start()
      sync.spawn(function() error("failed", 0) end)
    end)
    assert.equal(1, #r.failures)
  end)

  it("is that of the same thread, whichever of two has failed first", function()
    local r = agree(function()
      local n = sync.Atomic(0)
      for i = 1, 2 do sync.spawn(function() n:add(1) error("failed " .. i, 0) end) end
    end)
    assert.same({ 1, 2 }, { #r.failures, r.failures[1].executions })
    assert.matches("failed 1$", r.failures[1].message)
  end)
end)

describe("the fewest preemptions of a failure #noasan #notsan", function()
  it("are those with which a bounded search first finds it", function()
    local checked = 0
    for number = 3188, 3198 do
      local program = programs.draw(number, 3, number % 2 == 0)
      local body = programs.body(program, number % 3 == 0)
      local r = sync.explore(body, { strategy = "dpor", seconds = 600 })
      for bound = 0, 1 do
        local found = {}
        local bounded = sync.explore(body, { strategy = "bounded", preemptions = bound, seconds = 600 })
        for _, f in ipairs(bounded.failures) do found[f.kind .. f.message] = true end
        for _, f in ipairs(r.failures) do
          if f.fewest and (f.kind == "error" or f.kind == "deadlock") then
            assert.equal(f.preemptions <= bound, found[f.kind .. f.message] or false, programs.text(program))
            checked = checked + 1
          end
        end
      end
    end
    assert.is_true(checked > 10, checked)
  end)
end)

--- The options of sync.explore and --explore: early ticks, outputs, budgets, and what contradicts what.
local sync = require "luasync"
local command = require "spec.command"

local timed = {}

function timed.get()
  local q, n = sync.Queue(), sync.Atomic(0)
  local t = sync.spawn(function() n:add(q:get(true, 1) or 5) end)
  q:put(1)
  n:add(1)
  t:join()
end

function timed.join()
  local l, n = sync.Lock(), sync.Atomic(0)
  local t = sync.spawn(function()
    if l:acquire(true, 1) then
      n:add(1)
      l:release()
    end
  end)
  l:acquire()
  n:add(1)
  l:release()
  t:join(3)
end

function timed.sleeps()
  local n = sync.Atomic(0)
  local t = sync.spawn(function()
    sync.sleep(1)
    n:add(1)
  end)
  local u = sync.spawn(function()
    sync.sleep(2)
    n:set(7)
  end)
  t:join()
  u:join()
  assert(n:get() == 7, "the other way round")
end

-- executions, failing ones, interleavings
local known = { get = { 9, 0, 19 }, join = { 68, 0, 129 }, sleeps = { 22, 5, 220 } }

describe("explore with early ticks", function()
  it("counts the same in every way #noasan #notsan", function()
    for name, numbers in pairs(known) do
      for _, strategy in ipairs{ "dpor", "states", "dfs" } do
        local r = sync.explore(timed[name], { strategy = strategy, early_ticks = math.huge, seconds = 60 })
        local got = { r.executions, r.failing, r.interleavings }
        if strategy == "dfs" then got = { numbers[1], numbers[2], r.executions } end
        assert.same(numbers, got, name .. " " .. strategy)
        assert.is_true(r.complete)
      end
    end
  end)

  it("tells what must be quick for all to be well", function()
    assert.is_true(sync.explore(timed.sleeps).ok)
    assert.is_true(sync.explore(timed.sleeps, { early_ticks = 0 }).ok)
    local r = sync.explore(timed.sleeps, { early_ticks = math.huge })
    assert.equal("error", r.failures[1].kind)
    assert.matches("the other way round\ncorrect only if Thread%-[12] takes less than [%d.]+ s at %S+:%d+$",
      r.failures[1].message)
    local again = sync.simulate(timed.sleeps, { schedule = r.failures[1].schedule })
    assert.matches("the other way round", again.error, 1, true)
    assert.is_nil(again.note)
  end)

  it("repeats a timeout that has come before the thread could try", function()
    local function impatient()
      local q = sync.Queue()
      local t = sync.spawn(function() assert(q:get(true, 1) == 5, "nothing there") end)
      q:put(5)
      t:result()
    end
    local r = sync.explore(impatient, { early_ticks = math.huge })
    assert.same({ true, "error" }, { r.complete, r.failures[1].kind })
    local again = sync.simulate(impatient, { schedule = r.failures[1].schedule })
    assert.matches("nothing there", again.error, 1, true)
    assert.is_nil(again.note)
  end)
end)

describe("explore searches twice where threads wait for times #noasan #notsan", function()
  it("and tells of what the second search finds as a condition", function()
    local r = sync.explore(timed.sleeps)
    assert.same({ true, true, 0 }, { r.ok, r.complete, #r.failures })
    assert.same({ false, true, 22 }, { r.early.ok, r.early.complete, r.early.executions })
    local failure = r.early.failures[1]
    assert.matches("correct only if", failure.message, 1, true)
    assert.is_false(sync.simulate(timed.sleeps, { schedule = failure.schedule }).ok)
    assert.is_nil(sync.explore(timed.sleeps, { early_ticks = 0 }).early)
    assert.is_nil(sync.explore(function() sync.spawn(function() end):join() end).early)
  end)

  it("and believes the second where time stands still in the first", function()
    local function stopped()
      local stop = sync.Event()
      local t = sync.spawn(function() while not stop:is_set() do end end)
      sync.sleep(1)
      stop:set()
      t:join()
      error("at the end")
    end
    local r = sync.explore(stopped)
    assert.same({ false, false, true }, { r.ok, r.complete, r.stands })
    assert.matches("at the end", r.failures[1].message, 1, true)
  end)

  it("and --explore shows both", function()
    local r = command.text([[
      local sync = require "luasync"
      local q = sync.Queue()
      sync.spawn(function() q:put(1) end)
      assert(q:get(true, 2), "no item")]], "--explore")
    assert.equal(0, r.code)
    assert.matches("^PASS %(complete%) [^\n]*\nNOTE error, where a step takes longer than a timeout [^\n]*replay: ",
      r.out)
    assert.matches("\nwhere steps may take longer than timeouts: explored 5 distinct executions: COMPLETE\n"
      .. "explored 1 of 1 distinct executions, all 1 interleavings: COMPLETE", r.out, 1, true)
  end)
end)

describe("explore with outputs", function()
  local function prints()
    local t, u = sync.spawn(function() print "a" end), sync.spawn(function()
      print "b"
      print "c"
    end)
    t:join()
    u:join()
  end

  it("counts executions that print something else as other outcomes", function()
    assert.is_nil(sync.explore(prints).outcomes)
    local r = sync.explore(prints, { outputs = true })
    local texts = {}
    for i, outcome in ipairs(r.outcomes) do
      texts[i] = outcome.output
      assert.same({ true, 1 }, { outcome.ok, outcome.executions })
    end
    assert.same({ "a\nb\nc\n", "b\na\nc\n", "b\nc\na\n" }, texts)
  end)

  it("is an option of the command, too", function()
    local r = command.text([[
local sync = require "luasync"
local n = sync.Atomic(0)
local function add() print(n:add(1)) end
local t, u = sync.spawn(add), sync.spawn(add)
t:join()
u:join()]], "--explore", "--outputs")
    assert.equal(0, r.code)
    assert.matches("\n2 outcomes:\n  2 executions  ends well, prints\n    1\n    2\n", r.out, 1, true)
    assert.matches("\n  2 executions  ends well, prints\n    2\n    1\n", r.out, 1, true)
  end)
end)

describe("explore", function()
  it("estimates how many executions there are before it has seen them #noasan #notsan", function()
    local r = sync.explore(function()
      local n, threads = sync.Atomic(0), {}
      for i = 1, 4 do threads[i] = sync.spawn(function() for _ = 1, 4 do n:add(1) end end) end
      for _, t in ipairs(threads) do t:join() end
    end, { seconds = 30 })
    assert.equal(63063000, r.executions) -- 16! / 4!^4
    assert.is_true(r.estimate > 63063000 / 3 and r.estimate < 63063000 * 3)
  end)
end)

describe("the command line of --explore", function()
  local function complains(text, ...)
    local r = command.text("", ...)
    assert.equal(1, r.code)
    assert.equal(text, r.err:match "^[^:]+: ([^\n]*)")
    assert.equal("", r.out)
  end

  it("says in one line what contradicts what", function()
    complains("options '--explore' and '--seed' exclude each other", "--explore", "--seed", "3")
    complains("options '--replay' and '--explore' exclude each other", "--explore", "--replay", "0 .")
    complains("options '--explore' and '--waits' exclude each other", "--explore", "--waits")
    complains("option '--outputs' needs '--explore'", "--outputs")
  end)

  it("bounds what it does, and names the bound", function()
    local text = [[
local sync = require "luasync"
local n = sync.Atomic(0)
local function add() for _ = 1, 3 do n:add(1) end end
local t, u = sync.spawn(add), sync.spawn(add)
t:join()
u:join()]]
    local r = command.text(text, "--explore=7")
    assert.matches("^PASS %(bounded: at most 7 executions%)   ", r.out)
    assert.matches("\nexplored 7 distinct executions, 7 interleavings: BOUNDED, at most 7 executions (", r.out, 1, true)
    assert.matches("^PASS %(complete%)   ", command.text(text, "--explore").out)
  end)

  it("says in one line why there is nothing to explore", function()
    local r = command.run{ "--explore", "no/such/file.lua" }
    assert.equal(1, r.code)
    assert.matches("^%S+: cannot open no/such/file.lua[^\n]*\n$", r.err)
    assert.equal("", r.out)
    r = command.text("local x = = 1", "--explore")
    assert.equal(1, r.code)
    assert.matches("^%S+: %S+:1: unexpected symbol near '='\n$", r.err)
  end)
end)

describe("explore refuses", function()
  it("early ticks of any number but none and all", function()
    for _, n in ipairs{ 1, -1, 0.5, "0" } do
      assert.error_matches(function() sync.explore(timed.get, { early_ticks = n }) end,
        "field 'early_ticks' must be 0 or math.huge", nil, true)
    end
  end)

  it("outputs where states do not tell them", function()
    assert.error_matches(function() sync.explore(timed.get, { strategy = "states", outputs = true }) end,
      "field 'outputs' does not go with strategy 'states', whose states do not tell what was printed", nil, true)
  end)
end)

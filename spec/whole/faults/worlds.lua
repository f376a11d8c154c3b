--- Cases for faults.lua: simulated worlds and their search, recordings, dumps.
-- @param case function(name, make, call, check, ...), as there
-- @param nothing function that makes nothing
return function(case, nothing)
  local sync = require "luasync"

  local no_world = "cannot make a simulated world"
  local function waits()
    local q = sync.Queue()
    sync.spawn(q.put, q, 1)
    assert(q:get() == 1)
    return { 1 }
  end
  local function sticks()
    local a, b = sync.Lock { name = "A" }, sync.Lock { name = "B" }
    local function take(first, second)
      first:acquire()
      second:acquire()
      second:release()
      first:release()
    end
    local t = sync.spawn(take, a, b)
    take(b, a)
    t:join()
  end
  local function lasts() sync.sleep(math.huge) end
  local function fails() error { code = { 5 } } end
  local stuck = sync.explore(sticks).failures[1].schedule

  for name, opts in pairs { ["with a seed"] = { seed = 1 }, ["in turn"] = {} } do
    case("simulate " .. name, nothing, function() return sync.simulate(waits, opts) end, function(_, report)
      assert(report.ok and report.results[1][1] == 1)
    end, no_world)
  end
  case("simulate, a schedule that is stuck", nothing, function()
    return sync.simulate(sticks, { schedule = stuck })
  end, function(_, report)
    assert(not report.ok and report.deadlock:find "Lock 'A'" and report.message)
  end, no_world)
  case("simulate, a main thread that waits for ever", nothing, function() return sync.simulate(lasts) end,
    function(_, report) assert(not report.ok) end, no_world)
  case("simulate, an error", nothing, function() return sync.simulate(fails, { seed = 1 }) end, function(_, report)
    assert(not report.ok and report.error.code[1] == 5)
  end, no_world)
  case("simulate, a recording", os.tmpname, function(file)
    return sync.simulate(waits, { seed = 1, trace = file .. ".json" })
  end, function(file, report)
    local recording = assert(require "luasync.trace".read(file .. ".json"))
    assert(report.ok and recording:steps() > 0)
    os.remove(file .. ".json")
    os.remove(file)
  end, no_world, "not enough memory for the recording$")
  local function explored(name, fn, opts)
    case("explore, " .. opts.strategy .. ", " .. name, nothing, function() return sync.explore(fn, opts) end,
      function(_, report)
        assert(report.ok == (fn == waits) and report.executions ~= 0)
        if fn == sticks then assert(report.failures[1].kind == "deadlock" and report.failures[1].schedule) end
      end, no_world, "cannot tell states of this program apart") -- for which it has no memory
  end
  -- States are not compared where a sanitizer's stacks do not go back.
  local by_states = pcall(sync.explore, waits, { strategy = "states" })
  for _, strategy in ipairs { "dpor", "dfs", by_states and "states" or nil, by_states and "bounded" or nil } do
    explored("all well", waits, { strategy = strategy })
    if strategy ~= "dfs" then explored("a deadlock", sticks, { strategy = strategy }) end
  end
  for _, strategy in ipairs { "random", "pct", "pos", "urw" } do
    explored("all well", waits, { strategy = strategy, seed = 1, executions = 4 })
  end
  explored("a deadlock", sticks, { strategy = "random", seed = 1, executions = 10 })
  explored("a deadlock, from the start each time", sticks, { strategy = "dpor", snapshots = false })
  case("explore, a recording", os.tmpname, function(file)
    return sync.explore(sticks, { strategy = "dpor", trace = file .. ".json" })
  end, function(file, report)
    local recording = assert(require "luasync.trace".read(file .. ".json"))
    assert(not report.ok and recording:steps() > 0)
    os.remove(file .. ".json")
    os.remove(file)
  end, no_world, "not enough memory for the recording$")
  local testing = require "luasync.testing"
  case("testing.for_each_seed", nothing, function() testing.for_each_seed(1, 2, waits) end, nil, no_world)
  local claim = require "luasync.testing.inside".assert
  case("assert.deadlocks", nothing, function()
    return claim.deadlocks(function() sync.Queue():get() end)
  end, nil, no_world)
  case("explore", nothing, function() return sync.explore(sticks, { outputs = true }) end, function(_, report)
    assert(report.complete and report.failures[1].kind == "deadlock" and report.executions == 3)
  end, no_world)
end

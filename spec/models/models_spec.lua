-- Random programs of a few threads run against each object and against its model (objects.lua): in simulated worlds, in
-- the order that the schedule tells, with exactly the same results; in the real world with the results of some order.
--
-- LUASYNC_MODELS=n runs n programs an object, LUASYNC_MODELS_SEED=n others.
local sync = require "luasync"
local driver = require "spec.models.driver"
local models = require "spec.models.objects"

local PROGRAMS = tonumber(os.getenv "LUASYNC_MODELS") or 1000
local SEED = tonumber(os.getenv "LUASYNC_MODELS_SEED") or 1
local STEPS = 20000 -- of a search for an order

-- Where a call is no method of one object: how that is made, and how each thread calls it by the model's names.
local adapters = {
  Barrier = {
    methods = function(_, b)
      return {
        wait = b.wait, abort = b.abort, reset = b.reset,
        n_waiting = function() return b.n_waiting end,
        broken = function() return b.broken end,
      }
    end,
  },
  Shared = {
    methods = function(s, t)
      return {
        read = function(_, key) return t[key] end,
        write = function(_, key, value) t[key] = value end,
        update = function(_, key, n) return s.update(t, key, function(old) return (old or 0) + n end) end,
      }
    end,
  },
  Local = {
    methods = function(_, t)
      return {
        read = function(_, key) return t[key] end,
        write = function(_, key, value) t[key] = value end,
      }
    end,
  },
  Choice = {
    make = function(s) return { s.Queue(), s.Event(), s.Semaphore(0), s.Lock() } end,
    methods = function(s, it)
      return {
        select = function(_, t) return s.select(it, t) end,
        put = function(_, n) it[1]:put(n) end,
        get = function(_, t) return it[1]:get(true, t) end,
        set = function() it[2]:set() end,
        clear = function() it[2]:clear() end,
        up = function(_, n) it[3]:release(n) end,
        down = function(_, t) return it[3]:acquire(t) end,
        unlock = function() it[4]:release() end,
      }
    end,
  },
  Pool = {
    make = function(s) return { s.Pool(1) } end,
    methods = function(_, it)
      local mine = {}
      local function of(k, fn)
        if mine[k] then return fn(mine[k]) end
        return "none"
      end
      local function ended(f) return f:cancelled() and "cancelled" or "done" end
      return {
        submit = function(_, n)
          mine[#mine + 1] = it[1]:submit(function()
            if n == 3 then error("three", 0) end
            return n
          end)
        end,
        result = function(_, k, t) return of(k, function(f) return f:result(t) end) end,
        cancel = function(_, k) return of(k, function(f) return f:cancel() end) end,
        state = function(_, k)
          return of(k, function(f)
            if f:done() then return ended(f) end
            return f:running() and "running" or f:done() and ended(f) or "pending"
          end)
        end,
        shutdown = function() it[1]:shutdown(false) end,
      }
    end,
  },
  Timer = {
    make = function(s, interval)
      local fired = s.Event()
      return { s.Timer(interval, fired.set, fired), fired }
    end,
    methods = function(s, it)
      return {
        start = function() it[1]:start() end,
        cancel = function() it[1]:cancel() end,
        sleep = function(_, t) s.sleep(t) end,
        fired = function() return s.settle() and it[2]:is_set() end,
        is_alive = function() return s.settle() and it[1]:is_alive() end,
        join = function() return it[1]:join() end,
      }
    end,
  },
  Scope = {
    make = function(s)
      s.set_excepthook(function() end)
      return { s.Scope() }
    end,
    methods = function(s, it)
      local threads = {}
      return {
        spawn = function(_, t, fails)
          local number = #threads + 1
          threads[number] = it[1]:spawn(function()
            s.sleep(t)
            if fails then error("task " .. number, 0) end
          end)
        end,
        sleep = function(_, t) s.sleep(t) end,
        state = function(_, k)
          s.settle()
          if not threads[k] then return "none" end
          if threads[k]:is_alive() then return "alive" end
          local ok, why = pcall(threads[k].result, threads[k])
          return ok and "ended" or tostring(why):find "^task" and "failed" or "interrupted"
        end,
        finish = function() return it[1]:join() end,
      }
    end,
  },
}

--- What each thread runs. What it refers to crosses to each thread of each program: that is little.
local result = driver.result
local function body(object, calls, methods)
  local results = {}
  local fns = methods and methods(require "luasync", object)
  for i, call in ipairs(calls) do
    results[i] = result(pcall(fns and fns[call[1]] or object[call[1]], object, table.unpack(call, 2)))
  end
  return results
end

--- Runs a program on a new object; its threads' results.
local function run(program, make, methods)
  local s = require "luasync"
  local object = make and make(s, table.unpack(program.make)) or s[program.kind](table.unpack(program.make))
  if #program == 1 then return { body(object, program[1], methods) } end
  local threads, results = {}, {}
  for i, calls in ipairs(program) do threads[i] = s.spawn(body, object, calls, methods) end
  for i, thread in ipairs(threads) do results[i] = thread:result() end
  if program.kind == "Pool" then object[1]:shutdown() end
  return results
end

-- What a thread may call, for each kind: T stands for a timeout, N for a small number. `last` is called at the end.
local T, N = "T", "N"
local lock = {
  calls = { { "acquire", true, T }, { "acquire", T }, { "acquire", false }, { "release" }, { "release" },
    { "locked" } },
  last = { { "release" }, { "release" }, { "release" } },
}
local semaphore = {
  make = { N },
  calls = { { "acquire", true, T }, { "acquire", T }, { "acquire", false }, { "release" }, { "release", N },
    { "value" } },
}
local queue = {
  make = { N },
  calls = { { "put", N, true, T }, { "put", N, T }, { "put", N, false }, { "get", true, T }, { "get", T },
    { "get", false }, { "put", N, true, T }, { "get", true, T }, { "task_done" }, { "join", T }, { "qsize" },
    { "full" }, { "empty" }, { "shutdown" }, { "shutdown", true } },
}
local kinds = {
  Lock = lock,
  RLock = lock,
  Condition = {
    calls = { { "acquire", T }, { "acquire", T }, { "acquire", T }, { "wait", T }, { "wait", T }, { "notify" },
      { "notify", N }, { "notify_all" }, { "release" } },
    last = { { "release" }, { "release" }, { "release" }, { "release" }, { "release" }, { "release" } },
  },
  Event = { calls = { { "set" }, { "clear" }, { "is_set" }, { "wait", T }, { "wait", T }, { "wait", 0 } } },
  Semaphore = semaphore,
  BoundedSemaphore = semaphore,
  Barrier = {
    make = { 2 },
    calls = { { "wait", T }, { "wait", T }, { "wait", T }, { "wait", T }, { "wait", 0 }, { "abort" }, { "reset" },
      { "n_waiting" }, { "broken" } },
  },
  RWLock = {
    calls = { { "read", T }, { "write", T }, { "read", 0 }, { "write", 0 }, { "release" }, { "release" },
      { "release" } },
    last = { { "release" }, { "release" }, { "release" }, { "release" } },
  },
  Atomic = {
    make = { 0 },
    calls = { { "get" }, { "set", N }, { "add", N }, { "exchange", N }, { "compare_exchange", N, N } },
  },
  Queue = queue,
  LifoQueue = queue,
  PriorityQueue = queue,
  SimpleQueue = {
    calls = { { "put", N }, { "put", N }, { "get", true, T }, { "get", T }, { "get", false }, { "qsize" },
      { "empty" } },
  },
  Shared = {
    calls = { { "read", N }, { "write", N, N }, { "update", N, N } },
  },
  Local = { calls = { { "read", "x" }, { "write", "x", N } } },
  Choice = {
    searched = true,
    calls = { { "select", T }, { "select", T }, { "select", 0 }, { "put", N }, { "get", T }, { "set" }, { "clear" },
      { "up", N }, { "down", T }, { "unlock" } },
  },
  Pool = {
    searched = true,
    calls = { { "submit", N }, { "submit", N }, { "result", N, T }, { "result", N, 0 }, { "cancel", N }, { "state", N },
      { "shutdown" } },
  },
  Timer = {
    alone = true,
    make = { T },
    calls = { { "start" }, { "cancel" }, { "sleep", T }, { "fired" }, { "is_alive" }, { "join" } },
  },
  Scope = {
    alone = true,
    calls = { { "spawn", T, false }, { "spawn", T, false }, { "spawn", T, true } },
    last = { { "sleep", T }, { "state", 1 }, { "state", 2 }, { "sleep", T }, { "state", 1 }, { "state", 2 },
      { "state", 3 }, { "finish" }, { "state", 1 }, { "state", 2 }, { "state", 3 } },
  },
}

--- Draws a program of that kind.
-- @param timeout function() -> what stands for T
local function draw(kind, threads, length, timeout)
  local k = kinds[kind]
  local function filled(call)
    local copy = {}
    for i, v in ipairs(call) do
      if v == T then copy[i] = timeout()
      elseif v == N then copy[i] = math.random(3)
      else copy[i] = v end
    end
    return copy
  end
  local program = { kind = kind, make = filled(k.make or {}) }
  for t = 1, threads do
    program[t] = {}
    for i = 1, math.random(length) do program[t][i] = filled(k.calls[math.random(#k.calls)]) end
    for _, call in ipairs(k.last or {}) do table.insert(program[t], filled(call)) end
  end
  return program
end

--- A program and its results, to be read.
local function show(program, results, expected)
  local lines = { program.kind .. "(" .. table.concat(program.make, ", ") .. ")" }
  for t, calls in ipairs(program) do
    for i, call in ipairs(calls) do
      local words = {}
      for j, v in ipairs(call) do words[j] = tostring(v) end
      lines[#lines + 1] = ("thread %d: %s -> %s%s"):format(t, table.concat(words, " "), results[t][i],
        expected and expected[t][i] ~= results[t][i] and "  (model: " .. tostring(expected[t][i]) .. ")" or "")
    end
  end
  return table.concat(lines, "\n")
end

local function same(a, b)
  for t = 1, #a do
    for i = 1, math.max(#a[t], #b[t]) do
      if a[t][i] ~= b[t][i] then return false end
    end
  end
  return true
end

--- The program as the model sees it: a pool's worker is a thread that works as often as there are tasks.
local function with_workers(program, results)
  if program.kind ~= "Pool" then return program, results end
  local work, nothing = {}, {}
  for t, calls in ipairs(program) do
    for i, call in ipairs(calls) do
      if call[1] == "submit" and results[t][i] == "" then
        work[#work + 1], nothing[#nothing + 1] = { "work" }, ""
      end
    end
  end
  local more, results_too = { make = program.make, table.unpack(program) }, { table.unpack(results) }
  more[#more + 1], results_too[#results_too + 1] = work, nothing
  return more, results_too
end

--- Whether some order gives the results; nil: nobody knows. Raises where none does.
local function is_explained(n, program, results)
  local more, results_too = with_workers(program, results)
  local found = driver.explain(models[program.kind], more, results_too, STEPS)
  if found == false then error(("program %d: no order gives\n%s"):format(n, show(program, results)), 0) end
  return found
end

local order = {}
for kind in pairs(kinds) do order[#order + 1] = kind end
table.sort(order)

describe("A model says what results are, for", function()
  for _, kind in ipairs(order) do
    local k, adapter = kinds[kind], adapters[kind] or {}
    local make, methods = adapter.make, adapter.methods
    it(kind .. " in simulated worlds", function()
      math.randomseed(SEED)
      local unsure = 0
      for n = 1, PROGRAMS do
        local unique = 0
        local program = draw(kind, k.alone and 1 or 1 + math.random(2), k.searched and 4 or 6, function()
          unique = unique + 1
          return (math.random(4) == 1 and 50 or math.random(3)) + unique / 128
        end)
        local report = sync.simulate(function() return run(program, make, methods) end, { seed = n })
        assert.is_true(report.ok, report.deadlock or report.livelock or tostring(report.error))
        local results = report.results[1]
        if k.searched then
          if not is_explained(n, program, results) then unsure = unsure + 1 end
        else
          local expected = driver.follow(models[kind], program, k.alone and "1" or report.schedule)
          if not same(results, expected) then
            error(("program %d, schedule %s\n%s"):format(n, report.schedule, show(program, results, expected)), 0)
          end
        end
      end
      assert.is_true(unsure <= PROGRAMS // 50, unsure .. " searches were too long")
    end)

    if not k.alone then
      it(kind .. " in the real world", function()
        math.randomseed(SEED)
        local unsure = 0
        for n = 1, PROGRAMS // 4 do
          local program = draw(kind, 1 + math.random(2), 4, function() return 0.0005 end)
          if not is_explained(n, program, run(program, make, methods)) then unsure = unsure + 1 end
        end
        assert.is_true(unsure <= PROGRAMS // 50, unsure .. " searches were too long")
      end)
    end
  end
end)

--- What an exploration says against a program that ends well: races, lost updates, lost wake-ups, and no false alarms.
local sync = require "luasync"
local command = require "spec.command"

local function join_all(threads)
  for _, t in ipairs(threads) do t:join() end
end

-- The failure of that kind that is not an end of an execution.
local function finding(result, kind)
  for _, failure in ipairs(result.failures) do
    if failure.found and failure.kind == kind then return failure end
  end
end

local function lines_of(failure)
  local lines = {}
  for i, n in ipairs(failure.found) do lines[i] = failure.trace[n].line end
  return lines
end

local function here() return debug.getinfo(2, "l").currentline end

describe("explore finds", function()
  it("a race, with both lines, whatever the schedule was", function()
    local line = here()
    local r = sync.explore(function()
      local s = sync.Shared{ x = 0 }
      join_all{ sync.spawn(function() s.x = 1 end),
        sync.spawn(function() return s.x end) }
    end, { executions = 1 })
    assert.is_false(r.ok)
    assert.equal(0, r.failing)
    local race = finding(r, "race")
    local lines = lines_of(race)
    table.sort(lines)
    assert.same({ line + 3, line + 4 }, lines)
    assert.matches("^race on 'x' of Shared 'Shared%-1': nothing orders\n", race.message)
    assert.matches("\n  Thread%-%d.- [sg]ets it at .*verdicts_spec%.lua:%d+\n", race.message)
  end)

  it("a lost update, with its three lines", function()
    local line = here()
    local r = sync.explore(function()
      local s = sync.Shared{ n = 0 }
      local function add()
        local n = s.n
        s.n = n + 1
      end
      join_all{ sync.spawn(add), sync.spawn(add) }
    end)
    assert.same({ 4, true }, { r.executions, r.complete })
    local lost = finding(r, "lost update")
    assert.same({ line + 4, line + 5, line + 5 }, lines_of(lost))
    assert.equal(2, lost.executions)
    assert.is_nil(finding(r, "race")) -- it is the same mistake
    assert.matches("an update of 'n' of Shared 'Shared-1' is lost", lost.message, 1, true)
  end)

  it("an update lost to sync.update", function()
    local r = sync.explore(function()
      local s = sync.Shared{ n = 0 }
      join_all{ sync.spawn(function() s.n = s.n + 1 end),
        sync.spawn(function() sync.update(s, "n", function(n) return n + 1 end) end) }
    end)
    assert.is_table(finding(r, "lost update"))
  end)

  it("two threads that append to one table", function()
    local r = sync.explore(function()
      local s = sync.Shared()
      local function add() table.insert(s, "x") end
      join_all{ sync.spawn(add), sync.spawn(add) }
    end)
    assert.is_table(finding(r, "race"))
  end)

  it("a notify that only time keeps behind the wait", function()
    local line = here()
    local r = sync.explore(function()
      local c = sync.Condition()
      local t = sync.spawn(function()
        local _ <close> = c:hold()
        c:wait()
      end)
      sync.sleep(1)
      local _ <close> = c:hold()
      c:notify()
      c:release()
      t:join()
      c:acquire()
    end)
    local lost = finding(r, "lost wake-up")
    assert.same({ line + 5, line + 9 }, lines_of(lost))
    assert.matches("only time has kept it behind the wait", lost.message, 1, true)
  end)

  it("a table that is looked into before anything is there", function()
    local r = sync.explore(function()
      local lock, s = sync.Lock(), sync.Shared()
      join_all{ sync.spawn(function()
        local _ <close> = lock:hold()
        s.x = 1
      end), sync.spawn(function()
        local _ <close> = lock:hold()
        return s.x
      end) }
    end)
    local race = finding(r, "race")
    assert.equal(1, race.executions)
    assert.matches("nothing says which comes first", race.message, 1, true)
  end)
end)

local clean = {}

function clean.joined_flags()
  local s = sync.Shared()
  local t = sync.spawn(function() s.done = true end)
  t:join()
  assert(s.done)
  s.done = false
end

function clean.updates_and_atomics()
  local s, n, ready = sync.Shared{ x = 0 }, sync.Atomic(0), sync.Atomic(0)
  local function add()
    sync.update(s, "x", function(x) return x + 1 end)
    n:add(1)
  end
  local a, b = sync.spawn(add), sync.spawn(add)
  local c = sync.spawn(function()
    s.y = 1
    ready:set(1)
  end)
  if ready:get() == 1 then assert(s.y == 1) end
  join_all{ a, b, c }
  assert(s.x == 2 and n:get() == 2 and s.y == 1)
end

function clean.locked()
  local lock, s = sync.Lock(), sync.Shared{ n = 0 }
  local function add() lock:with(function() s.n = s.n + 1 end) end
  join_all{ sync.spawn(add), sync.spawn(add) }
  s.n = s.n + 1
end

function clean.rwlock()
  local lock, s = sync.RWLock(), sync.Shared{ n = 0 }
  join_all{ sync.spawn(function()
    lock:write()
    s.n = 1
    lock:release()
  end), sync.spawn(function()
    lock:read()
    local _ = s.n
    lock:release()
  end) }
end

function clean.handed_over()
  local q, e, sem, s = sync.Queue(1), sync.Event(), sync.Semaphore(0), sync.Shared{ n = 0 }
  local t = sync.spawn(function()
    q:get()
    s.n = s.n + 1
    e:set()
    sem:acquire()
    s.n = s.n + 1
  end)
  s.n = 1
  q:put(1)
  e:wait()
  s.n = s.n + 1
  sem:release()
  t:join()
  assert(s.n == 4)
end

function clean.barrier()
  local b, s, threads = sync.Barrier(2), sync.Shared{ 0, 0 }, {}
  for i = 1, 2 do
    threads[i] = sync.spawn(function()
      s[i] = i
      b:wait()
      return s[3 - i]
    end)
  end
  for i = 1, 2 do assert(threads[i]:result() == 3 - i) end
end

function clean.condition()
  local c, s = sync.Condition(), sync.Shared{ ready = false }
  join_all{ sync.spawn(function()
    local _ <close> = c:hold()
    while not s.ready do c:wait() end
  end), sync.spawn(function()
    local _ <close> = c:hold()
    s.ready = true
    c:notify()
  end) }
end

function clean.scope_and_pool()
  local s = sync.Shared{ n = 0 }
  sync.scope(function(scope) scope:spawn(function() s.n = 1 end) end)
  s.n = s.n + 1
  local pool = sync.Pool(1)
  pool:submit(function() s.n = s.n + 1 end):result()
  s.n = s.n + 1
  pool:submit(function() s.n = s.n + 1 end)
  pool:shutdown()
  assert(s.n == 5)
end

function clean.settle()
  local q, s = sync.Queue(), sync.Shared{ n = 0 }
  local t = sync.spawn(function()
    while q:get() ~= "end" do s.n = s.n + 1 end
  end)
  q:put(1)
  q:put(2)
  assert(sync.settle())
  assert(s.n == 2)
  q:put "end"
  t:join()
end

function clean.select()
  local a, b, s = sync.Queue(), sync.Queue(), sync.Shared{ n = 0 }
  local t = sync.spawn(function()
    s.n = 1
    b:put(true)
  end)
  assert(sync.select{ a, b } == 2)
  s.n = s.n + 1
  t:join()
end

describe("explore has nothing to say against #notsan", function()
  for name, program in pairs(clean) do
    it((name:gsub("_", " ")), function()
      local r = sync.explore(program, { seconds = 60 })
      assert.is_nil(r.message)
      assert.is_true(r.complete)
      assert.is_true(r.ok)
    end)
  end
end)

describe("luasync --explore", function()
  it("ends with 1 for a race or a lost update", function()
    local r = command.run{ "--explore=50", "scripts/tutorial/52_event_shared_resource.lua" }
    assert.equal(1, r.code)
    assert.matches("^FAIL lost update ", r.out)
    assert.matches("gets it at scripts/tutorial/52_event_shared_resource.lua:20", r.out, 1, true)
  end)

  it("prints what it has found as data with --json", function()
    local json = require "luasync.trace.json"
    local r = command.run{ "--explore", "--json", "scripts/examples/philosophers.lua" }
    local data = assert(json.decode(r.out))
    assert.equal(3, r.code)
    assert.same({ 7, 1, 168, true, false },
      { data.executions, data.failing, data.interleavings, data.complete, data.ok })
    local failure = data.failures[1]
    assert.same({ "deadlock", 1, 1, true }, { failure.kind, failure.executions, failure.preemptions, failure.fewest })
    assert.matches('^%S+ %-%-replay "[^"]+" scripts/examples/philosophers.lua$', failure.replay)
    assert.equal("acquire", failure.trace[failure.cause.first].operation)
    r = command.run{ "--explore", "--json", "scripts/examples/philosophers_fixed.lua" }
    assert.same({}, json.decode(r.out).failures)
    r = command.run{ "--json", "scripts/examples/philosophers.lua" }
    assert.equal(1, r.code)
    assert.matches("option '--json' needs '--explore'", r.err, 1, true)
  end)

  it("has the fewest preemptions: a search bounded to fewer does not find the failure #noasan #notsan", function()
    -- Readers who count themselves without a lock; without checkpoints no graph of states tells.
    local function guests()
      local s, room, writing = sync.Shared{ readers = 0 }, sync.Lock(), sync.Atomic(0)
      local function read()
        s.readers = s.readers + 1
        if s.readers == 1 then room:acquire() end
        assert(writing:get() == 0, "half a sentence")
        s.readers = s.readers - 1
        if s.readers == 0 then room:release() end
      end
      local function write() room:with(function() writing:add(1) writing:add(-1) end) end
      for _, t in ipairs{ sync.spawn(read), sync.spawn(read), sync.spawn(write) } do t:join() end
    end
    local checked = 0
    for _, failure in ipairs(sync.explore(guests).failures) do
      if failure.fewest and failure.preemptions > 0 then
        local bounded = sync.explore(guests, { strategy = "bounded", preemptions = failure.preemptions - 1 })
        for _, other in ipairs(bounded.failures) do
          assert.is_false(other.kind == failure.kind and other.message == failure.message)
        end
        checked = checked + 1
      end
    end
    assert.is_true(checked > 3)
  end)

  it("has no preemption where only the end of a thread came between #noasan #notsan", function()
    local function holder()
      local lock, flag = sync.Lock(), sync.Atomic()
      local waiter, idler = sync.spawn(function() lock:acquire() end), sync.spawn(function() end)
      lock:acquire()
      flag:add(1)
      waiter:join()
      idler:join()
    end
    for _, strategy in ipairs{ "dpor", "states", "dfs" } do
      local failure = sync.explore(holder, { strategy = strategy }).failures[1]
      assert.same({ "deadlock", 0, true }, { failure.kind, failure.preemptions, failure.fewest }, strategy)
    end
    assert.is_false(sync.explore(holder, { preemptions = 0 }).ok)
  end)

  it("does not take for never what comes behind a state that is known #noasan #notsan", function()
    local fixed = assert(loadfile "scripts/tutorial/13_condition_random_numbers_fixed.lua")
    assert.is_true(sync.explore(fixed, { strategy = "states" }).ok)
  end)

  it("shows of a long execution what matters #notsan", function()
    local r = command.run{ "--explore=3", "scripts/examples/lost_update.lua" }
    assert.equal(1, r.code)
    assert.matches("race on 'count'", r.out, 1, true)
    local _, rows = r.out:gsub("\n", "")
    assert.is_true(rows < 100)
  end)
end)

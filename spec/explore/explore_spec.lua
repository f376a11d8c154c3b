--- sync.explore and --explore: known programs, and what is said of them.
local sync = require "luasync"
local command = require "spec.command"

local function join_all(threads)
  for _, t in ipairs(threads) do t:join() end
end

local programs = {}

function programs.readers()
  local s = sync.Shared{ x = 0 }
  local threads = {}
  for i = 1, 8 do threads[i] = sync.spawn(function() return s.x end) end
  threads[9] = sync.spawn(function() s.x = 1 end)
  join_all(threads)
end

function programs.lastzero()
  local a, threads = sync.Shared(), {}
  for i = 0, 4 do a[i] = 0 end
  threads[1] = sync.spawn(function()
    local i = 4
    while a[i] ~= 0 do i = i - 1 end
  end)
  for j = 1, 4 do threads[j + 1] = sync.spawn(function() a[j] = a[j - 1] + 1 end) end
  join_all(threads)
end

function programs.adders()
  local n, threads = sync.Atomic(0), {}
  for i = 1, 4 do threads[i] = sync.spawn(function() n:add(1) end) end
  join_all(threads)
  assert(n:get() == 4)
end

function programs.lockers()
  local lock, s, threads = sync.Lock(), sync.Shared{ n = 0 }, {}
  for i = 1, 3 do
    threads[i] = sync.spawn(function()
      lock:acquire()
      s.n = s.n + 1
      lock:release()
    end)
  end
  join_all(threads)
end

function programs.lost_update()
  local s, done = sync.Shared{ x = 0 }, sync.Semaphore(0)
  local function add()
    s.x = s.x + 1
    done:release()
  end
  join_all{ sync.spawn(add), sync.spawn(add), sync.spawn(function()
    done:acquire()
    done:acquire()
    assert(s.x == 2, "an update is lost")
  end) }
end

local function philosophers(ordered)
  local forks, threads = {}, {}
  for i = 1, 3 do forks[i] = sync.Lock() end
  for i = 1, 3 do
    local left, right = i, i % 3 + 1
    if ordered then left, right = math.min(left, right), math.max(left, right) end
    threads[i] = sync.spawn(function()
      forks[left]:acquire()
      forks[right]:acquire()
      forks[right]:release()
      forks[left]:release()
    end)
  end
  join_all(threads)
end

function programs.philosophers() philosophers(false) end
function programs.ordered() philosophers(true) end

function programs.lost_wakeup()
  local s, c = sync.Shared{ ready = false }, sync.Condition()
  join_all{ sync.spawn(function()
    if not s.ready then
      c:acquire()
      c:wait()
      c:release()
    end
  end), sync.spawn(function()
    s.ready = true
    c:acquire()
    c:notify()
    c:release()
  end) }
end

function programs.reorder()
  local s = sync.Shared{ a = 0, b = 0 }
  local function write()
    s.a = 1
    s.b = -1
  end
  join_all{ sync.spawn(write), sync.spawn(write), sync.spawn(function()
    local a, b = s.a, s.b
    assert(a == 0 and b == 0 or a == 1 and b == -1, "halves")
  end) }
end

function programs.one_slot()
  local q = sync.Queue(1)
  join_all{ sync.spawn(function() for i = 1, 5 do q:put(i) end end),
    sync.spawn(function() for i = 1, 5 do assert(q:get() == i) end end) }
end

function programs.sleeper()
  local e = sync.Event()
  local t = sync.spawn(function()
    sync.sleep(1)
    e:set()
  end)
  assert(e:wait(2))
  assert(not sync.Event():wait(0.5))
  t:join()
end

-- executions, failing ones, interleavings
local known = {
  readers = { 256, 0, 362880 }, lastzero = { 28, 0, 44300 }, adders = { 24, 0, 24 }, lockers = { 6, 0, 6 },
  lost_update = { 16, 8, 50 }, philosophers = { 7, 1, 168 }, ordered = { 6, 0, 142 }, lost_wakeup = { 3, 1, 8 },
  reorder = { 36, 16, 90 }, one_slot = { 1, 0, 1 },
}

-- No lock or the like orders their accesses, however they end.
local racy = { readers = true, lastzero = true, lost_update = true, lost_wakeup = true, reorder = true }

describe("explore", function()
  for name, numbers in pairs(known) do
    it("counts the executions and interleavings of " .. name, function()
      local r = sync.explore(programs[name], { seconds = 60 })
      assert.same(numbers, { r.executions, r.failing, r.interleavings })
      assert.is_true(r.complete)
      assert.is_true(r.exact)
      assert.equal(numbers[2] == 0 and not racy[name], r.ok)
    end)
  end

  it("agrees with plain depth-first search", function()
    for _, name in ipairs{ "lost_update", "philosophers", "lost_wakeup", "reorder", "lockers" } do
      local r = sync.explore(programs[name], { strategy = "dfs", seconds = 60 })
      assert.is_true(r.complete)
      assert.equal(known[name][3], r.executions, name)
      assert.equal(known[name][2] == 0 and not racy[name], r.ok, name)
    end
  end)

  it("counts the same from the graph of states #noasan #notsan", function()
    for name, numbers in pairs(known) do
      local r = sync.explore(programs[name], { strategy = "states", seconds = 60 })
      assert.same(numbers, { r.executions, r.failing, r.interleavings }, name)
      assert.is_true(r.complete)
      assert.equal("states", r.engine)
      assert.is_true(r.states > 0)
    end
  end)

  it("goes through a loop with a lock state by state #noasan #notsan", function()
    local r = sync.explore(function()
      local lock, s, threads = sync.Lock(), sync.Shared{ n = 0 }, {}
      for i = 1, 3 do
        threads[i] = sync.spawn(function()
          for _ = 1, 5 do
            lock:acquire()
            s.n = s.n + 1
            lock:release()
          end
        end)
      end
      join_all(threads)
    end, { seconds = 60 })
    assert.same({ true, "states", 756756, 756756 }, { r.complete, r.engine, r.executions, r.interleavings })
    assert.is_true(r.states < 3000)
  end)

  it("counts more executions than a float tells apart #noasan #notsan", function()
    local r = sync.explore(function()
      local n, threads = sync.Atomic(0), {}
      for i = 1, 4 do threads[i] = sync.spawn(function() for _ = 1, 10 do n:add(1) end end) end
      join_all(threads)
    end, { strategy = "states", seconds = 60 })
    assert.is_true(r.complete)
    assert.equal(4705360871073570227520.0, r.executions) -- 40! / 10!^4
    assert.equal("4705360871073570227520", r.all_executions)
  end)

  it("sees a loop that waits for a flag whole, though its executions have no end #noasan #notsan", function()
    local r = sync.explore(function()
      local s = sync.Shared{ ready = false }
      join_all{ sync.spawn(function() while not s.ready do end end), sync.spawn(function() s.ready = true end) }
    end, { strategy = "states" })
    assert.same({ true, true }, { r.complete, r.unbounded })
    assert.equal(math.huge, r.interleavings)
  end)

  it("bounds preemptions #noasan #notsan", function()
    local function race()
      local n, threads = sync.Atomic(0), {}
      for i = 1, 2 do threads[i] = sync.spawn(function() n:set(n:get() + 1) end) end
      join_all(threads)
      assert(n:get() == 2, "lost")
    end
    local r = sync.explore(race, { preemptions = 0 })
    assert.same({ true, false, "bounded" }, { r.ok, r.complete, r.engine })
    r = sync.explore(race, { strategy = "bounded", preemptions = 1 })
    assert.is_false(r.ok)
    assert.matches("lost", r.failures[1].message)
    r = sync.explore(race, { strategy = "bounded", preemptions = 9 })
    assert.is_true(r.complete)
  end)

  it("finds nothing wrong with timeouts that nobody needs", function()
    local r = sync.explore(programs.sleeper)
    assert.is_true(r.ok)
    assert.is_true(r.complete)
  end)

  it("names what went wrong, with a schedule that repeats it", function()
    for name, kind in pairs{ philosophers = "deadlock", lost_wakeup = "lost wake-up", lost_update = "error" } do
      local r = sync.explore(programs[name])
      assert.is_nil(r.failures[1].found)
      assert.is_true(r.failures[2] == nil or r.failures[2].found ~= nil)
      assert.equal(kind, r.failures[1].kind)
      assert.equal(r.failing, r.failures[1].executions)
      local again = sync.simulate(programs[name], { schedule = r.failures[1].schedule })
      assert.is_false(again.ok)
      assert.is_nil(again.note)
      if kind == "error" then assert.matches("an update is lost", again.output)
      else assert.is_string(again.deadlock) end
    end
  end)

  it("tells the error of fn, and of a thread that nobody joins with result", function()
    local r = sync.explore(function() error("no good", 0) end)
    assert.equal("error", r.failures[1].kind)
    assert.equal("no good", r.failures[1].message)
    r = sync.explore(programs.lost_update, { seconds = 60 })
    assert.matches("an update is lost", r.failures[1].message)
    assert.matches("^error in 8 of 16 executions: ", r.message)
  end)

  it("tells how likely a failure is, and from where on nothing helps #noasan #notsan", function()
    for _, strategy in ipairs{ "states", "default" } do
      local r = sync.explore(programs.lost_wakeup, { strategy = strategy ~= "default" and strategy or nil })
      assert.equal(0.125, r.chance)
      local failure, chances = r.failures[1], {}
      for _, step in ipairs(failure.trace) do
        if step.operation ~= "start" and step.operation ~= "join" then chances[#chances + 1] = step.chance end
      end
      assert.equal(1, chances[#chances])
      assert.equal(1, failure.trace[failure.no_return].chance)
      assert.is_true(failure.trace[failure.no_return - 1].chance < 1)
    end
    assert.equal(0, sync.explore(programs.ordered).chance)
  end)

  it("draws schedules by other strategies #heavy", function()
    for _, strategy in ipairs{ "random", "pct", "pos", "urw" } do
      local r = sync.explore(programs.lost_update, { strategy = strategy, executions = 200, seed = 3 })
      assert.equal(200, r.runs)
      assert.is_true(r.executions <= 16 and r.executions > 1, strategy) -- the distinct ones
      assert.is_true(r.failing > 0 and r.failing < r.executions, strategy)
      assert.is_true(r.fresh < 0.1, strategy) -- there is little left to be seen
      assert.is_false(r.complete)
      assert.equal(strategy, r.engine)
    end
  end)

  it("stops at its budget and says so", function()
    local r = sync.explore(programs.readers, { executions = 10 })
    assert.equal(10, r.executions)
    assert.is_false(r.complete)
  end)

  it("knows in all executions that fn has failed, also where others go on behind it #noasan #notsan", function()
    local function program()
      local first, n = sync.Atomic(0), sync.Atomic(0)
      local function add() for _ = 1, 5 do n:add(1) end end
      local a = sync.spawn(function() assert(first:add(1) == 1, "not the first") end)
      sync.spawn(function()
        first:add(1)
        add()
      end)
      sync.spawn(add)
      a:result()
    end
    for _, strategy in ipairs{ "dpor", "dfs", "states" } do
      local r = sync.explore(program, { strategy = strategy, seconds = 60 })
      local expected = strategy == "dfs" and { 5544, 4752 } or { 504, 252 } -- 2 * 10! / 5!^2
      assert.same(expected, { r.executions, r.failing }, strategy)
    end
  end)

  it("stops when its seconds are over, whichever engine's turn it is", function()
    local function write()
      local book, threads = sync.Shared{ text = "" }, {}
      local function add(text, letter) return text .. letter end
      for i = 1, 3 do
        threads[i] = sync.spawn(function() for _ = 1, 4 do sync.update(book, "text", add, i) end end)
      end
      join_all(threads)
    end
    local r = sync.explore(write, { seconds = 0.05 }) -- of 34650 executions
    assert.is_false(r.complete)
    assert.is_true(r.executions < 30000, tostring(r.executions))
  end)

  it("leaves no memory behind #noasan #notsan #novalgrind", function()
    local function memory()
      collectgarbage()
      for line in io.lines "/proc/self/status" do
        local size = line:match "VmRSS:%s*(%d+)"
        if size then return tonumber(size) end
      end
    end
    for _ = 1, 20 do sync.explore(programs.philosophers) end
    local before = memory()
    for _ = 1, 200 do sync.explore(programs.philosophers) end
    assert.is_true(memory() - before < 2000)
  end)

  it("refuses options it does not know", function()
    assert.error_matches(function() sync.explore(programs.adders, { depth = 1 }) end, "depth")
    assert.error_matches(function() sync.explore(programs.adders, { executions = 0 }) end, "executions")
    assert.error_matches(function() sync.explore(programs.adders, { strategy = "luck" }) end, "unknown strategy 'luck'")
    assert.error_matches(function() sync.explore(42) end, "function expected")
  end)

  it("takes 1e2 for the integer that it is", function()
    assert.equal(100, sync.explore(programs.adders, { executions = 1e2 }).budget.executions)
    assert.error_matches(function() sync.explore(programs.adders, { executions = 1.5 }) end,
      "field 'executions' must be a positive integer", nil, true)
  end)

  it("refuses options that contradict each other, in one line", function()
    local function message(opts) return select(2, pcall(sync.explore, programs.adders, opts)) end
    for text, opts in pairs{
      ["field 'preemptions' goes with strategy 'bounded', not 'dpor'"] = { strategy = "dpor", preemptions = 2 },
      ["field 'executions' does not go with strategy 'states', which visits states: give 'seconds'"] = {
        strategy = "states", executions = 10 },
      ["field 'seed' does not go with strategy 'dfs', which draws nothing"] = { strategy = "dfs", seed = 1 },
      ["field 'preemptions' must be an integer, 0 or more"] = { preemptions = -1 },
    } do
      assert.matches(text, message(opts), 1, true)
      assert.is_nil(message(opts):find "\n")
    end
  end)
end)

describe("--explore", function()
  it("shows the deadlock of the philosophers, a column for each, and repeats it #noasan #notsan", function()
    local r = command.run{ "--explore", "scripts/examples/philosophers.lua" }
    local out, code = r.out, r.code
    assert.equal(3, code)
    assert.matches("^FAIL deadlock   scripts/examples/philosophers%.lua       replay: ", out)
    assert.matches("\n  step  fails  P1 +P2 +P3\n     1    33%%  A:acquire  :7\n", out)
    assert.matches("\n  point of no return: step 3, P%d's %u:acquire  :7; from here on nothing helps\n", out)
    assert.matches("\na random schedule fails with a probability of 0.333 (1 in 3)\nexplored", out, 1, true)
    assert.matches("\n  preemptions 1 (the fewest for this deadlock)   cause: P", out, 1, true)
    assert.matches("cause: P%d's %u:acquire  :%d before P%d's %u:acquire ", out)
    assert.matches("1 of 7 executions; 6 finish", out, 1, true)
    assert.matches("explored 7 of 7 distinct executions, all 168 interleavings: COMPLETE", out, 1, true)
    local schedule = out:match 'replay: [^\n]*%-%-replay "([^"]+)"'
    local again = command.run{ "--replay", schedule, "scripts/examples/philosophers.lua" }
    assert.equal(3, again.code)
    assert.matches("P1 waits for Lock 'B' held by P2", again.err, 1, true)
  end)

  it("clears the philosophers who take the lower fork first", function()
    local r = command.run{ "--explore", "scripts/examples/philosophers_fixed.lua" }
    local out, code = r.out, r.code
    assert.equal(0, code)
    assert.matches("explored 6 of 6 distinct executions, all 142 interleavings: COMPLETE", out, 1, true)
  end)

  it("ends at a Ctrl-C with what is known #noasan #notsan", function()
    local r = command.text([[
local sync = require "luasync"
os.execute "(sleep 0.3; kill -INT $PPID) &"
local s, threads = sync.Atomic(0), {}
for i = 1, 8 do threads[i] = sync.spawn(function() for _ = 1, 9 do s:add(i) end end) end
for _, t in ipairs(threads) do t:join() end
]], "--explore=1000000000")
    assert.equal(0, r.code)
    assert.matches("BOUNDED, interrupted", r.out, 1, true)
  end)

  it("reports the error of a script with its line, exit code 1", function()
    local r = command.text([[
local sync = require "luasync"
local t = sync.spawn(function() error("bang") end)
t:join()
]], "--explore")
    local out, code = r.out, r.code
    assert.equal(1, code)
    assert.matches(":2: bang", out)
  end)
end)

describe("an explored world that loads a C module", function()
  it("does not close the module's library once in each execution", function()
    local r = sync.explore(function()
      pcall(require, "lfs") -- opened before the first operation, which is where the search goes back to
      setmetatable({}, { __gc = function() end })
      local n = sync.Atomic(0)
      join_all{ sync.spawn(function() n:add(1) end), sync.spawn(function() n:add(1) end) }
    end)
    assert.is_true(r.complete)
    assert.equal(2, r.executions)
  end)
end)

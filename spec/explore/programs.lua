--- Random programs over all kinds of objects, for comparing ways to search.
-- A program is a list of threads, a thread a list of { what, argument, argument }. What each step has come to is the
-- outcome of the execution: main raises it as its error, so that outcomes that differ are groups of failures.
local programs = {}

local KEYS, LOCKS = 2, 2

-- name = function(draw): the arguments of such a step.
local arguments = {
  get = function(draw) return draw(KEYS) end, set = function(draw) return draw(KEYS), draw(3) end,
  erase = function(draw) return draw(KEYS) end, add = function(draw) return draw(KEYS) end,
  length = function() end, snapshot = function() end, atomic = function() end, load = function() end,
  lock = function(draw) return draw(LOCKS) end, unlock = function(draw) return draw(LOCKS) end,
  try = function(draw) return draw(LOCKS) end, within = function(draw) return draw(LOCKS), draw(2) end,
  relock = function() end, down = function() end, up = function() end,
  down_within = function(draw) return draw(2) end, await_within = function(draw) return draw(2) end,
  raise = function() end, clear = function() end, await = function() end, alive = function(draw) return draw(2) end,
  put = function(draw) return draw(3) end, take = function() end, try_take = function() end,
  take_within = function(draw) return draw(2) end, pop = function() end, push = function(draw) return draw(3) end,
  close = function() end, wait = function() end, wait_within = function(draw) return draw(2) end,
  notify = function() end, notify_all = function() end, meet = function() end, read = function() end,
  write = function() end, sleep = function(draw) return draw(2) end, choose = function() end,
  interrupt = function(draw) return draw(2) end,
}

-- Those that came later: programs without them keep their numbers.
local more = {
  join = function(draw) return draw(2) end, join_within = function(draw) return draw(2), draw(2) end,
  choose_thread = function(draw) return draw(2) end, submit = function(draw) return draw(2) end,
  fetch = function(draw) return draw(2) end, withdraw = function(draw) return draw(2) end,
  shut = function() end, later = function(draw) return draw(2) end, cancel = function() end,
  scoped = function(draw) return draw(2) end, scoped_failing = function() end,
}

local function sorted(...)
  local names = {}
  for _, kinds in ipairs{ ... } do
    for name in pairs(kinds) do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end
local some, all = sorted(arguments), sorted(arguments, more)
setmetatable(arguments, { __index = more })

--- The program with this number.
-- @param steps integer: of a thread, at most
-- @param with_more boolean: from all kinds of steps, also those that came later
function programs.draw(number, steps, with_more)
  local names = with_more and all or some
  local state = number * 0x9e3779b97f4a7c15
  local function draw(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % n + 1
  end
  local program, kinds = {}, {}
  for i = 1, 8 do kinds[i] = names[draw(#names)] end -- few kinds, so that threads meet
  for t = 1, 1 + draw(2) do
    program[t] = {}
    for i = 1, 1 + draw(steps - 1) do
      local name = kinds[draw(#kinds)]
      program[t][i] = { name, arguments[name](draw) }
    end
  end
  return program
end

--- The program as a function for sync.explore.
-- @param left boolean: main takes the first thread's steps itself and ends when they are done: the others are daemons
function programs.body(program, left)
  local uses_pool = false
  for _, steps in ipairs(program) do
    for _, step in ipairs(steps) do uses_pool = uses_pool or step[1] == "submit" end
  end
  return function()
    local sync = require "luasync"
    local table_, atomic = sync.Shared{ 1 }, sync.Atomic(0)
    local locks, again = { sync.Lock(), sync.Lock() }, sync.RLock()
    local flag, gate, queue, stack = sync.Event(), sync.Semaphore(1), sync.Queue(1), sync.LifoQueue()
    local condition, barrier, rwlock = sync.Condition(), sync.Barrier(2), sync.RWLock()
    local pool, futures = sync.Pool(1), sync.Queue()
    local threads, timers = {}, sync.Queue()
    local acts = {}
    function acts.get(k) return table_[k] end
    function acts.set(k, v) table_[k] = v end
    function acts.erase(k) table_[k] = nil end
    function acts.add(k) return sync.update(table_, k, function(v) return (v or 0) + 1 end) end
    function acts.length() return #table_ end
    function acts.snapshot() return #sync.snapshot(table_) end
    function acts.atomic() return atomic:add(1) end
    function acts.load() return atomic:get() end
    function acts.lock(i) locks[i]:acquire() end
    function acts.unlock(i) locks[i]:release() end
    function acts.try(i) return locks[i]:acquire(false) end
    function acts.within(i, s) return locks[i]:acquire(true, s) end
    function acts.relock()
      again:acquire()
      again:acquire()
      again:release()
      again:release()
    end
    function acts.down() gate:acquire() end
    function acts.down_within(s) return gate:acquire(true, s) end
    function acts.up() gate:release() end
    function acts.raise() flag:set() end
    function acts.clear() flag:clear() end
    function acts.await() flag:wait() end
    function acts.await_within(s) return flag:wait(s) end
    function acts.put(v) return queue:put(v) end
    function acts.take() return queue:get() end
    function acts.try_take() return queue:get_nowait() end
    function acts.take_within(s) return queue:get(true, s) end
    function acts.push(v) return stack:put(v) end
    function acts.pop() return stack:get() end
    function acts.close() queue:shutdown() end
    local function waiting(s)
      condition:acquire()
      local woken = condition:wait(s)
      condition:release()
      return woken
    end
    function acts.wait() return waiting() end
    acts.wait_within = waiting
    function acts.notify()
      condition:acquire()
      condition:notify()
      condition:release()
    end
    function acts.notify_all()
      condition:acquire()
      condition:notify_all()
      condition:release()
    end
    function acts.meet() return (barrier:wait()) end
    function acts.read()
      rwlock:read()
      rwlock:release()
    end
    function acts.write()
      rwlock:write()
      rwlock:release()
    end
    function acts.sleep(s) sync.sleep(s) end
    function acts.choose() return select("#", sync.select{ queue, flag }) end
    function acts.interrupt(i) threads[i]:interrupt() end
    function acts.alive(i) return threads[i]:is_alive() end
    function acts.join(i) return threads[i]:join() end
    function acts.join_within(i, s) return threads[i]:join(s) end
    function acts.choose_thread(i) return (sync.select{ queue, threads[i] }) == queue end
    function acts.submit(v) futures:put(pool:submit(function() return atomic:add(v) end)) end
    function acts.fetch(s) return futures:get():result(s) end
    function acts.withdraw() return futures:get():cancel() end
    function acts.shut() pool:shutdown() end
    function acts.later(s)
      local timer = sync.Timer(s, function() atomic:add(1) end)
      timer:start()
      timers:put(timer)
    end
    function acts.cancel() timers:get_nowait():cancel() end
    function acts.scoped(n)
      return sync.scope(function(scope)
        for _ = 1, n do scope:spawn(function() atomic:add(1) end) end
        return n
      end)
    end
    function acts.scoped_failing()
      return sync.scope(function(scope)
        scope:spawn(function() flag:wait() end)
        scope:spawn(function() error("failed", 0) end)
      end)
    end
    local function run(steps)
      local said = {}
      for _, step in ipairs(steps) do
        local ok, result = pcall(acts[step[1]], step[2], step[3])
        said[#said + 1] = ok and tostring(result) or "!"
      end
      return table.concat(said, " ")
    end
    if left then
      for i = 2, #program do
        threads[i] = sync.Thread{ target = run, args = { program[i] }, daemon = true }:start()
      end
      error(run(program[1]), 0)
    end
    for i, steps in ipairs(program) do threads[i] = sync.spawn(run, steps) end
    local outcome = {}
    for i, t in ipairs(threads) do outcome[i] = select(2, pcall(t.result, t)) end
    -- That main has ended is no step, but what idle workers wait for: they are to end before.
    if uses_pool then pool:shutdown() end
    error(table.concat(outcome, " | "), 0)
  end
end

--- The text of a program, for a failing spec.
function programs.text(program)
  local lines = {}
  for _, steps in ipairs(program) do
    local words = {}
    for i, step in ipairs(steps) do words[i] = table.concat(step, " ") end
    lines[#lines + 1] = table.concat(words, "; ")
  end
  return table.concat(lines, "\n")
end

--- What a search has found, as text: two that are equal have found the same.
-- @param by_trace boolean: with the number of executions of each outcome
function programs.findings(result, by_trace)
  local lines = {}
  for _, f in ipairs(result.failures) do
    local message = f.message:gsub("0x%x+", "")
    if f.kind == "deadlock" then message = message:match "^[^\n]*" end -- the rest is of the schedule that is shown
    if f.found then goto next end -- what is wrong however an execution ends
    lines[#lines + 1] = by_trace and ("%s: %s (%s)"):format(f.kind, message, f.executions) or f.kind .. ": " .. message
    ::next::
  end
  table.sort(lines)
  if by_trace then
    lines[#lines + 1] = ("%s executions, %s failing, %s interleavings"):format(result.executions, result.failing,
      result.interleavings)
  end
  return table.concat(lines, "\n")
end

--- Asserts that the schedule of each failure of the search comes to the same again.
-- @param text string?: the program's, for a failing spec
function programs.assert_repeats(fn, result, text)
  local assert = require "luassert"
  for _, f in ipairs(result.failures) do
    if f.found then goto next end
    local again = require "luasync".simulate(fn, { schedule = f.schedule })
    local about = ("%s\nschedule %s: %s"):format(text or "", f.schedule, f.message)
    assert.is_nil(again.note, about)
    if f.kind == "error" then
      local message = f.message:gsub("\ncorrect only if .*", ""):gsub("^Exception in thread [^\n]*\n", "")
      local error = again.error or again.thread_errors[1]
      assert.equal(message, tostring(error), about)
    else
      local function first_line(message) return (message:gsub("0x%x+", ""):match "^[^\n]*") end
      assert.equal(first_line(f.message), first_line(again.message or "no failure"), about)
      if f.kind == "deadlock" then assert.is_string(again.deadlock, about) end
    end
    ::next::
  end
end

--- Whether a search has found a race. Which one it tells of several by the same two lines of the program is its own.
function programs.races(result)
  for _, f in ipairs(result.failures) do
    if f.kind == "race" and not f.unordered then return true end
  end
  return false
end

return programs

--- Runs small programs on models of luasync's objects, and compares.
--
-- A program is a list of threads, a thread a list of calls { name, args... }. A model is a function(kit, ...) that
-- returns a table of functions (me, args...), one for each method. It is plain Lua without threads: a call that waits
-- yields in kit.line():wait, and another call's line:choose lets it go on.
--
--   driver.follow(model, program, schedule)   the results, in the order that a simulated world has reported
--   driver.explain(model, program, results)   whether some order gives these results
local driver = {}

local Line = {}
Line.__index = Line

--- Stands in line until it is chosen: true; false: the time ran out first.
-- @param deadline a time of kit.now, or nil
-- @param ahead whether at the head; else at the end
-- @param announced whether to stand in line is an operation of its own
function Line:wait(me, deadline, ahead, announced)
  me.chosen = false
  table.insert(self, ahead and 1 or #self + 1, me)
  if announced then coroutine.yield "operation" end
  while not me.chosen do
    local late = coroutine.yield("wait", deadline)
    if late and not me.chosen then
      if self:remove(me) then return false end
      deadline = nil -- it stands in another line by now
    end
  end
  return true
end

function Line:remove(me)
  for i = 1, #self do
    if self[i] == me then return table.remove(self, i) end
  end
  return nil
end

--- Lets the first in line go on.
-- @return it, or nil
function Line:choose()
  local first = table.remove(self, 1)
  if first then first.chosen = true end
  return first
end

function Line:choose_all()
  while self:choose() do end -- luacheck: ignore 542
end

--- What every model begins with.
local function new_kit()
  local kit = { now = 0 }
  function kit.line() return setmetatable({}, Line) end
  --- The deadline of a call with that timeout; nil: for ever.
  function kit.deadline(timeout) return timeout and timeout ~= math.huge and kit.now + timeout or nil end
  --- Waits until the condition is true, in no line: whoever comes first has it. False: the time ran out.
  function kit.await(is_true, timeout)
    while not is_true() do
      if timeout == 0 or coroutine.yield("await", is_true, timeout) == "late" then return false end
    end
    return true
  end
  --- A number from 1 to n, any.
  function kit.pick(n) return n == 1 and 1 or coroutine.yield("pick", n) end
  --- One more operation within a call: others may run before it.
  function kit.announce() coroutine.yield "operation" end
  return kit
end

--- Makes a run of a program on a model: its threads have not begun.
local function begin(model, program)
  local run = { kit = new_kit(), threads = {} }
  run.object = model(run.kit, table.unpack(program.make or {}))
  for i, calls in ipairs(program) do
    run.threads[i] = { calls = calls, next = 1, results = {} }
  end
  return run
end

--- Runs a thread up to its next operation, to where it waits, or to its end.
-- @return "operation", "wait" or "end"
-- @param how what it is told: whether its time has run out, or what it has picked
local function advance(run, thread, how)
  if thread.routine == nil then
    local call = thread.calls[thread.next]
    if call == nil then return "end" end
    thread.routine = coroutine.create(function() return run.object[call[1]](thread, table.unpack(call, 2)) end)
  end
  local got = table.pack(coroutine.resume(thread.routine, how))
  if coroutine.status(thread.routine) == "suspended" then
    thread.deadline = got[2] == "wait" and got[3] or nil
    thread.waits = got[2] == "wait"
    thread.asks = (got[2] == "await" or got[2] == "pick") and got or nil
    return got[2]
  end
  thread.results[thread.next] = driver.result(table.unpack(got, 1, got.n))
  thread.routine, thread.waits, thread.deadline, thread.asks = nil, false, nil, nil
  thread.next = thread.next + 1
  return thread.calls[thread.next] and "operation" or "end"
end

--- What pcall returned, as one string.
function driver.result(ok, ...)
  if not ok then return "error: " .. tostring((...)):gsub("^[^\n]-:%d+: ", "") end
  local values = table.pack(...)
  for i = 1, values.n do
    local v = values[i]
    values[i] = type(v) == "table" and "{" .. tostring(v[1]) .. "}" or tostring(v)
  end
  return table.concat(values, " ")
end

--- The time goes on to the next deadline.
local function tick(run)
  local next_time
  for _, thread in ipairs(run.threads) do
    local deadline = thread.waits and thread.deadline
    if deadline and deadline > run.kit.now and (not next_time or deadline < next_time) then next_time = deadline end
  end
  run.kit.now = next_time or run.kit.now
end

--- Whether the next call of a thread raises an error before it announces any operation.
local function is_refused(run, thread)
  local call = thread.routine == nil and thread.calls[thread.next]
  return call and run.object.is_refused and run.object.is_refused(thread, call[1])
end

--- @param schedule the text of a report
-- @return for each thread the list of its results
function driver.follow(model, program, schedule)
  local run = begin(model, program)
  local outcome = {}
  for word in schedule:gmatch "%S+" do
    local number, count = word:match "^(%d+)x?(%d*)"
    local thread = run.threads[tonumber(number)]
    if word == "!" then tick(run)
    elseif thread then
      local left = tonumber(count) or math.huge
      local state = "wait"
      if thread.waits then
        state = advance(run, thread, thread.deadline and thread.deadline <= run.kit.now)
        if state == "wait" and thread.deadline and thread.deadline <= run.kit.now then
          state = advance(run, thread, true)
        end
      end
      if not thread.waits then state = "operation" end
      while state == "operation" and (left > 0 or is_refused(run, thread)) do
        if not is_refused(run, thread) then left = left - 1 end
        state = advance(run, thread, false)
      end
    end
  end
  for i, thread in ipairs(run.threads) do outcome[i] = thread.results end
  return outcome
end

--- What a thread may be told when it goes on, in a search: whether its time has run out, what it picks.
local function ways(thread)
  local asks = thread.asks
  if thread.waits then return thread.chosen and { false } or thread.deadline and { true } or {} end
  if asks and asks[2] == "pick" then
    local all = {}
    for i = 1, asks[3] do all[i] = i end
    return all
  end
  if asks and not asks[3]() then return asks[4] and { "late" } or {} end
  return { false }
end

--- Looks for an order of the calls that gives the results.
-- @param results for each thread the list of its results; `order` in it: threads to try first, one for each call
-- @return true; false: there is none; nil: not found in `most` steps
function driver.explain(model, program, results, most)
  local path, steps = {}, 0 -- of { number of the thread, what it is told }
  local function replay()
    local run = begin(model, program)
    for _, step in ipairs(path) do
      steps = steps + 1
      advance(run, run.threads[step[1]], step[2])
    end
    return run
  end
  local function agrees(thread, number)
    for i = 1, thread.next - 1 do
      if thread.results[i] ~= results[number][i] then return false end
    end
    return true
  end
  local function go_on()
    local run = replay()
    local last = path[#path]
    if last and not agrees(run.threads[last[1]], last[1]) then return false end
    local open = false
    for _, thread in ipairs(run.threads) do open = open or thread.calls[thread.next] ~= nil end
    if not open then return true end
    if steps > most then return nil end
    local unsure = false
    for number, thread in ipairs(run.threads) do
      if thread.calls[thread.next] then
        for _, how in ipairs(ways(thread)) do
          path[#path + 1] = { number, how }
          local found = go_on()
          path[#path] = nil
          if found then return true end
          unsure = unsure or found == nil
        end
      end
    end
    if unsure then return nil end
    return false
  end
  return go_on()
end

return driver

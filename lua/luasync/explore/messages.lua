--- What is said of each failure that an exploration has found.
local steps = require "luasync.explore.steps"

local messages = {}

-- The lines of a deadlock's report that matter: what is stuck, the circle, and where the others stand that do not
-- just wait for another thread's end.
local function heart(report)
  local head, threads = report:match "^(.-)\n(Thread .*)$"
  head = (head or report):gsub("%s+$", "")
  local lines = { head }
  for line in (threads or ""):gmatch "[^\n]+" do
    local name, what, where = line:match "^Thread (.-): waiting in (.*), since .- at (%S.*)$"
    if name and not what:find "^join of Thread " and not head:find(name .. " waits for ", 1, true) then
      lines[#lines + 1] = ("  %s waits in %s at %s"):format(name, what, where)
    end
  end
  return table.concat(lines, "\n")
end

-- An error that has ended a thread before: its first lines, without the traceback.
local function error_before(text)
  return "before that: " .. text:gsub("\nstack traceback:.*", ""):gsub("%s+$", "")
end

local function place(step) return ("%s:%d"):format(step.source, step.line) end

local DOES = {
  get = "gets it", set = "sets it", pairs = "asks for its length", snapshot = "takes a snapshot",
  update = "updates it",
}

local function does(step)
  local what, within = DOES[step.operation] or step.operation, steps.within(step)
  if step.operation == "pairs" and step.within == "pairs" then what = "looks which keys there are" end
  if within then what = ("%s in %s"):format(what, within) end
  return ("%s %s at %s"):format(step.thread, what, place(step))
end

local function key_of(step)
  local key = step.key
  if key == nil then return ("%s '%s'"):format(step.kind, step.object) end
  if type(key) ~= "string" then key = ("[%s]"):format(key) end
  return ("'%s' of %s '%s'"):format(key, step.kind, step.object)
end

-- What is said of each kind of finding; first, second, third are its steps.
local found = {}

found["lost update"] = function(_, first, second, third)
  return ("an update of %s is lost\n  %s\n  %s\n  %s, from what it got before"):format(key_of(third), does(first),
    does(second), does(third))
end

function found.race(failure, first, second)
  local which = first.key == nil and second or first
  if failure.unordered then
    return ("%s is looked into before anything is there\n  %s, and never again\n  %s writes there at %s\n  "
      .. "a lock keeps the two apart, but nothing says which comes first"):format(
      key_of{ kind = first.kind, object = first.object }, does(first), second.thread, place(second))
  end
  return ("race on %s: nothing orders\n  %s\n  %s"):format(key_of(which), does(first), does(second))
end

found["lost wake-up"] = function(_, first, second)
  local wait, notify = first, second
  if first.operation == "notify" then wait, notify = second, first end
  local tail = first == wait and "only time has kept it behind the wait" or "it has come before the wait"
  return ("a notify of %s '%s' can be lost\n  %s waits at %s, and looks at nothing before\n  %s notifies at %s: %s")
    :format(wait.kind, wait.object, wait.thread, place(wait), notify.thread, place(notify), tail)
end

-- The steps of a finding.
local function steps_of(failure)
  local list = {}
  for i, n in ipairs(failure.found) do list[i] = failure.trace[n] end
  return table.unpack(list)
end

-- What makes two findings one: the same lines, whatever the key.
local function identity(failure)
  local parts = { failure.kind, tostring(failure.unordered) }
  local lines = {}
  for i, n in ipairs(failure.found) do
    local step = failure.trace[n]
    lines[i] = ("%s %s %s"):format(step.object, step.operation, place(step))
  end
  table.sort(lines)
  return table.concat(parts, " ") .. table.concat(lines, " ")
end

--- Whether a finding says no more than what is told already.
-- @param told table: what is, by what it is about; filled in
-- @param stuck boolean: an execution that ends with a lost wake-up is told of
function messages.is_told(failure, told, stuck)
  if failure.kind == "lost wake-up" then return stuck end
  local id = identity(failure)
  if told[id] then return true end
  told[id] = true
  local last = failure.trace[failure.found[#failure.found]]
  local key = ("%s %s"):format(last.object, last.key)
  if failure.kind == "lost update" then told[key] = true end
  return failure.kind == "race" and told[key]
end

local RANK = { ["lost update"] = 1, ["lost wake-up"] = 2, race = 3 }

--- The order of failures: how executions end comes before what else can be said of them.
function messages.comes_before(a, b)
  local rank_a, rank_b = a.found and RANK[a.kind] or 0, b.found and RANK[b.kind] or 0
  if rank_a ~= rank_b then return rank_a < rank_b end
  if a.executions ~= b.executions then return a.executions > b.executions end
  return a.first < b.first
end

-- How likely a random schedule fails behind each step stands in the steps.
local function give_chances(failure)
  for i, chance in ipairs(failure.chances or {}) do
    if failure.trace[i] then failure.trace[i].chance = chance end
  end
  failure.chances = nil
end

-- What would keep a failure from coming: a thread that is quicker than the clock; or nil.
local function only_if(failure)
  local trace = failure.trace
  for i, step in ipairs(trace) do
    if step.overtaken and trace[i + 1] then
      local at = step.at and step.at.line > 0 and place(step.at) or "here"
      local seconds = trace[i + 1].time - step.time
      return ("correct only if %s takes less than %g s at %s"):format(step.overtaken, seconds, at)
    end
  end
end

-- Whether a thread looks at the clock in the round: then it may wait for a time in vain.
local function looks_at_clock(failure)
  for i = failure.cycle, #failure.trace do
    if failure.trace[i].operation == "clock" then return true end
  end
  return false
end

-- A round of steps that can come again and again.
local function livelock(failure)
  local list, seen, first, last = {}, {}, steps.round(failure)
  for n, row in ipairs(steps.rows(failure.trace)) do
    if first and n >= first and not seen[row[2]] then
      seen[row[2]] = true
      list[#list + 1] = row[2]
    end
  end
  if #list == 0 then return "threads begin and end again and again, for ever" end
  table.sort(list)
  local who = #list == 1 and list[1] .. " goes"
    or ("%s and %s go"):format(table.concat(list, ", ", 1, #list - 1), list[#list])
  local text = ("%s round: after step %d all is as it was before step %d\n%s"):format(who, last, first,
    failure.doomed and "nothing ends that any more"
    or "each thread has its turns all the while; only another order of the steps ends it")
  if not looks_at_clock(failure) then return text end
  return text .. "\nhere no time passes while a thread runs: to wait for a time, sleep"
end

--- Gives a failure its message, and its steps what is known of each.
function messages.give(failure)
  if failure.cycle then failure.message = livelock(failure) end
  if failure.kind == "nondeterminism" then failure.report, failure.before = nil, nil end -- it has been left midway
  if failure.report then failure.message = heart(failure.report) end
  if failure.before then failure.message = failure.message .. "\n" .. error_before(failure.before) end
  failure.before = nil
  if failure.found then failure.message = found[failure.kind](failure, steps_of(failure)) end
  local condition = only_if(failure)
  if condition then failure.message = failure.message .. "\n" .. condition end
  give_chances(failure)
end

return messages

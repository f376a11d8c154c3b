--- What an exploration has found, in words.
--
-- src/explore runs the program and counts; here its groups of failures get the message that a test would print, and
-- the report is laid out: a column for each thread, the replay line, and one line that says how much has been seen.
local messages = require "luasync.explore.messages"
local steps = require "luasync.explore.steps"

local explore = {}

local WIDTH = 100 -- of a report, where nobody says how wide the terminal is

--- A count in words.
-- @param digits string?: all its digits, where a float would not have them
function explore.count(n, digits)
  if digits then return digits end
  return math.type(n) == "integer" and ("%d"):format(n) or ("about %.4g"):format(n)
end

local count = explore.count

-- What the search with early ticks has found: of a program that is known to be right where each step is quicker than
-- any timeout that is a condition, else a failure as any other. Races and the like are left to the first search.
local function finish_early(result)
  local early, ends = result.early, {}
  if not early then return end
  for _, failure in ipairs(early.failures) do
    if not failure.found then ends[#ends + 1] = failure end
  end
  early.failures, early.ok = ends, #ends == 0
  for i, failure in ipairs(ends) do failure.first = i end
  table.sort(ends, messages.comes_before)
  for _, failure in ipairs(ends) do
    failure.first = nil
    messages.give(failure)
    failure.early = true
    failure.note = not result.stands
    if not failure.note then table.insert(result.failures, failure) end
  end
  result.ok = result.ok and #result.failures == 0
end

--- Gives each failure its message and leaves them as a list, the commonest first.
-- @param result table: what src/explore/explore.c has made
-- @return the same table
function explore.finish(result)
  local failures, all, told, stuck = {}, {}, {}, false
  for i, failure in ipairs(result.failures) do
    failure.first = i
    all[i] = failure
    stuck = stuck or not failure.found and failure.kind == "lost wake-up"
  end
  table.sort(all, messages.comes_before)
  for _, failure in ipairs(all) do
    failure.first = nil
    if not failure.found or not messages.is_told(failure, told, stuck) then
      messages.give(failure)
      failures[#failures + 1] = failure
    end
  end
  for _, name in ipairs(require "luasync".__sometimes()) do
    failures[#failures + 1] = {
      kind = "sometimes", executions = result.executions, message = ("'%s' has never held"):format(name),
    }
    result.ok = false
  end
  result.failures = failures
  finish_early(result)
  if result.outcomes then
    table.sort(result.outcomes, function(a, b)
      if a.executions ~= b.executions then return a.executions > b.executions end
      return a.output < b.output
    end)
  end
  local first = failures[1]
  if first and first.cycle then result.message = ("%s: %s"):format(first.kind, first.message)
  elseif first then
    local searched = first.early and result.early or result
    result.message = ("%s in %s of %s executions: %s"):format(first.kind, count(first.executions),
      count(searched.executions, searched.all_executions), first.message)
  end
  if not result.ok then require "luasync.report".show_test(result) end
  return result
end

-- A number of things, with one digit where it is large.
local function about(n)
  if n < 10000 then return ("%.0f"):format(n) end
  local digit, power = ("%.0e"):format(n):match "^(%d)e%+?(%d+)$"
  return digit and ("%s·10^%d"):format(digit, power) or "very many"
end

-- How long something takes, roughly.
local function duration(seconds)
  if seconds < 100 then return ("%.0f s"):format(seconds) end
  if seconds < 6000 then return ("%.0f minutes"):format(seconds / 60) end
  if seconds < 360000 then return ("%.0f hours"):format(seconds / 3600) end
  return ("%s days"):format(about(seconds / 86400))
end

--- The line that shows how far a search is.
-- @param states integer: visited, 0 where nobody looks at them
-- @param executions number: that differ, seen so far
-- @param estimate number: of how many there are; negative: not known
-- @param seconds number: since the beginning
function explore.progress(states, executions, estimate, seconds)
  local rate = executions / math.max(seconds, 0.001)
  local parts = { ("%.0f executions (%.0f/s)"):format(executions, rate) }
  if states > 0 then parts[#parts + 1] = ("%d states"):format(states) end
  if estimate >= 0 and rate > 0 then
    parts[#parts + 1] = ("about %s executions, %s"):format(about(estimate), duration(estimate / rate))
  end
  return "exploring: " .. table.concat(parts, ", ")
end

local function plural(n, word) return (n == 1 or n == "1") and "1 " .. word or ("%s %ss"):format(n, word) end

local function executions(result)
  return plural(count(result.executions, result.all_executions), "distinct execution")
end

-- Why a search is not complete.
local function bound(result)
  if result.interrupted then return "interrupted by Ctrl-C" end
  if result.stands then return "time cannot pass while threads go round" end
  if result.cut then return "some were cut after 10000 steps" end
  if result.preemptions then return ("at most %s"):format(plural(result.preemptions, "preemption")) end
  local most = result.budget
  if not most then return "the budget is used up" end
  if result.runs >= most.executions then return ("at most %s"):format(plural(most.executions, "execution")) end
  return ("at most %g s"):format(most.seconds)
end

-- How much of all a search has seen that is not complete: ", of about 2·10^6, …".
local function seen(result)
  if result.fresh then
    return (" in %s; %.0f of the last %d were new"):format(plural(result.runs, "run"),
      result.fresh * math.min(result.runs, 100), math.min(result.runs, 100))
  end
  if result.estimate and result.estimate > result.executions then
    return (" of about %s"):format(about(result.estimate))
  end
  return ""
end

-- What has been seen of a program in which states come again.
local function endless(result)
  local verdict = result.complete and "COMPLETE" or "BOUNDED, " .. bound(result)
  return ("explored all %s, some of which come again: executions without end; %s (%.3f s)"):format(
    plural(result.states, "state"), verdict, result.seconds)
end

--- The last line of a report.
-- @param result table
function explore.summary(result)
  if result.unbounded then return endless(result) end
  local exact = result.exact and "" or "at least "
  local ways = count(result.interleavings, result.all_interleavings)
  if result.complete then
    local all = count(result.executions, result.all_executions)
    return ("explored %s of %s distinct executions, %s%s interleavings: COMPLETE (%.3f s)"):format(
      all, all, result.exact and "all " or exact, ways, result.seconds)
  end
  if result.interleavings == 0 then
    return ("explored %s, of which %s came to an end: BOUNDED, %s (%.3f s)"):format(plural(result.states, "state"),
      executions(result), bound(result), result.seconds)
  end
  if result.fresh then
    return ("explored %s%s: BOUNDED, %s (%.3f s)"):format(executions(result), seen(result), bound(result),
      result.seconds)
  end
  return ("explored %s%s, %s%s interleavings: BOUNDED, %s (%.3f s)"):format(executions(result), seen(result), exact,
    ways, bound(result), result.seconds)
end

-- "P3's A:acquire :7": one of the two operations that make a failure.

local function cause_of(failure)
  local cause = failure.cause
  local first = cause and failure.trace[cause.first]
  local second = cause and (cause.step or failure.trace[cause.second])
  if not first or not second or not first.line or not second.line then return "" end
  return ("   cause: %s before %s"):format(steps.operation(first), steps.operation(second))
end

local function tail(failure, result)
  local fewest = failure.fewest and (" (the fewest for this %s)"):format(failure.kind) or ""
  local all = plural(count(result.executions, result.all_executions), "execution")
  local counts
  if failure.cycle then return ("  preemptions %d"):format(failure.preemptions) end
  if failure.found and failure.executions > result.executions then -- the other engine has met it as well
    counts = ("  seen in %s runs"):format(count(failure.executions))
  elseif failure.found then counts = ("  seen in %s of %s"):format(count(failure.executions), all)
  else
    counts = ("  this outcome: %s of %s; %s finish"):format(count(failure.executions), all,
      count(result.executions - result.failing))
  end
  return ("  preemptions %d%s%s\n%s"):format(failure.preemptions, fewest, cause_of(failure), counts)
end

-- From where on every schedule fails; nil where that is not known, or only the last step decides.
local function no_return(failure)
  local n = failure.no_return
  if not n or n == 0 then return nil end
  for number, row in ipairs(steps.rows(failure.trace)) do
    if row[1] >= n then
      local step = failure.trace[row[1]]
      local what = step.thread and steps.operation(step) or step.operation
      return ("  point of no return: step %d, %s; from here on nothing helps"):format(number, what)
    end
  end
end

-- How likely a random schedule is to fail.
local function likely(result)
  local chance = result.chance
  if not chance or chance == 0 then return nil end
  if chance == 1 then return "every schedule fails" end
  return ("a random schedule fails with a probability of %.3g (1 in %.3g)"):format(chance, 1 / chance)
end

local OUTCOMES, LINES = 20, 10 -- shown, and lines of each

-- What has been printed in how many executions, the commonest first; nil where nobody asks.
local function outcomes(result)
  if not result.outcomes then return nil end
  local out = { plural(#result.outcomes, "outcome") .. ":" }
  for i, outcome in ipairs(result.outcomes) do
    if i > OUTCOMES then
      out[#out + 1] = ("  … and %d more"):format(#result.outcomes - OUTCOMES)
      break
    end
    out[#out + 1] = ("  %s  %s%s"):format(plural(outcome.executions, "execution"), outcome.kind or "ends well",
      outcome.output == "" and ", prints nothing" or ", prints")
    local lines = 0
    for line in outcome.output:gmatch "[^\n]+" do
      lines = lines + 1
      if lines > LINES then break end
      out[#out + 1] = "    " .. line
    end
    if lines > LINES then out[#out + 1] = "    …" end
  end
  return table.concat(out, "\n")
end

local WHOLE = 3 -- failures that are shown whole, where there are more than one more

-- What failures of threads that do the same have in common: the kind, and where the last step stands.
local function likeness(failure)
  local last = failure.trace and failure.trace[#failure.trace]
  return failure.kind .. (last and last.line and last.source .. last.line or "")
end

-- The failures where they are too many to be shown whole: the simplest first, those that end executions before what
-- else can be said of them, and those that are like one before last.
local function in_order(failures)
  if #failures <= WHOLE + 1 then return failures end
  local list, rank, met, unlike, like = table.move(failures, 1, #failures, 1, {}), {}, {}, {}, {}
  for i, failure in ipairs(failures) do rank[failure] = i end
  table.sort(list, function(a, b)
    if (a.found == nil) ~= (b.found == nil) then return a.found == nil end
    if a.preemptions ~= b.preemptions then return (a.preemptions or 0) < (b.preemptions or 0) end
    if a.trace and b.trace and #a.trace ~= #b.trace then return #a.trace < #b.trace end
    return rank[a] < rank[b]
  end)
  for _, failure in ipairs(list) do
    local key = likeness(failure)
    table.insert(met[key] and like or unlike, failure)
    met[key] = true
  end
  return table.move(like, 1, #like, #unlike + 1, unlike)
end

-- A failure, whole.
local function add_failure(out, failure, result, script, replay, width)
  local early = failure.early and ", where a step takes longer than a timeout" or ""
  if failure.early then result = result.early or result end
  out[#out + 1] = ("%s %s%s   %s%s"):format(failure.note and "NOTE" or "FAIL", failure.kind, early, script,
    failure.schedule and "       " .. replay(failure.schedule) or "")
  if failure.trace then
    out[#out + 1] = steps.columns(failure, width)
    out[#out + 1] = no_return(failure)
  end
  for line in failure.message:gmatch "[^\n]+" do
    line = line:gsub("^luasync: ", "")
    if #line + 2 > width then line = line:gsub(" → ", " →\n    ") end -- each wait of a circle on its own
    out[#out + 1] = "  " .. line
  end
  if failure.trace then out[#out + 1] = tail(failure, result) end
end

-- Whether a thread is stuck at the same place, after as many steps, as in a failure shown before: it is the same for
-- another one of the threads that do the same. Notes what is shown.
local function is_again(failure, shown)
  if failure.kind ~= "deadlock" and failure.kind ~= "lost wake-up" or not failure.trace then return false end
  local key = ("%s %d"):format(likeness(failure), #steps.rows(failure.trace))
  local again = shown[key] or false
  shown[key] = true
  return again
end

-- A failure on two lines.
local function in_short(failure, replay)
  local text = failure.message:gsub("^luasync: ", ""):gsub("^deadlock: ", "")
  text = text:gsub("^(Exception in thread [^\n]*)\n", "%1 ")
  return ("also %s in %s: %s%s"):format(failure.kind, plural(count(failure.executions), "execution"),
    text:match "^[^\n]*", failure.schedule and "\n       " .. replay(failure.schedule) or "")
end

-- What comes of the program where a step may take longer than a timeout.
local function add_early(out, result, script, replay, width)
  local early = result.early
  for i, failure in ipairs(early.failures) do
    if failure.note and i == 1 then add_failure(out, failure, result, script, replay, width)
    elseif failure.note then out[#out + 1] = in_short(failure, replay) end
  end
  if early.failures[1] and early.failures[1].note then out[#out + 1] = "" end
  out[#out + 1] = ("where steps may take longer than timeouts: explored %s: %s"):format(
    early.unbounded and plural(early.states, "state") or executions(early),
    early.complete and "COMPLETE" or "BOUNDED, " .. bound(early))
end

--- The whole report of an exploration.
-- @param result table: after finish
-- @param script string: the name that stands in the report
-- @param replay function(schedule): the line that repeats a schedule
-- @param width integer?: of the terminal
function explore.report(result, script, replay, width)
  local out, shown, short = {}, {}, {}
  width = width or WIDTH
  for i, failure in ipairs(in_order(result.failures)) do
    if is_again(failure, shown) or i > WHOLE and #result.failures > WHOLE + 1 then
      short[#short + 1] = in_short(failure, replay)
    else
      add_failure(out, failure, result, script, replay, width)
      out[#out + 1] = ""
    end
  end
  table.move(short, 1, #short, #out + 1, out)
  if #short > 0 then out[#out + 1] = "(all of them whole: --json)\n" end
  if result.ok then
    out[#out + 1] = ("PASS (%s)   %s"):format(result.complete and "complete" or "bounded: " .. bound(result), script)
  end
  out[#out + 1] = likely(result)
  if result.early then add_early(out, result, script, replay, width) end
  out[#out + 1] = outcomes(result)
  if result.closed == false then
    out[#out + 1] = "(not closed: executions have asked something outside their worlds, others may get other answers)"
  end
  out[#out + 1] = explore.summary(result)
  return table.concat(out, "\n") .. "\n"
end

-- The name of the script, and a function that gives the line that repeats a schedule.
local function script_of(program, script, ...)
  local words = table.pack(...)
  return words[script] or "(command line)", function(schedule)
    local line = require "luasync.command".replay(program, script, schedule, true, table.unpack(words, 1, words.n))
    return (line:gsub("\n$", ""))
  end
end

--- The whole of luasync --explore, once the search is over.
-- @param result table: as the search has made it
-- @param program string: the command as the user called it
-- @param script integer: the index of the script among the words
-- @param ... the words of the command line behind the program
-- @return the report and the exit code
function explore.command(result, program, script, ...)
  local name, replay = script_of(program, script, ...)
  explore.finish(result)
  return explore.report(result, name, replay, result.width), explore.code(result)
end

-- A copy without what JSON has not: a number that is none, or has no end.
local function plain(value)
  if type(value) ~= "table" then
    if math.type(value) == "float" and value - value ~= 0 then return nil end
    return value
  end
  local copy = {}
  for key, item in pairs(value) do copy[key] = plain(item) end
  return copy
end

local ORDER = { "script", "ok", "complete", "executions", "failing", "interleavings", "exact", "engine", "failures",
  "kind", "message", "schedule", "replay", "preemptions", "fewest", "cause", "no_return", "trace",
  "thread", "operation", "object" }

--- The same for --explore --json: the result as data.
function explore.command_json(result, program, script, ...)
  local name, replay = script_of(program, script, ...)
  explore.finish(result)
  local data = plain(result)
  data.script, data.summary = name, explore.summary(result)
  for _, failure in ipairs(data.failures) do
    failure.replay = failure.schedule and replay(failure.schedule):match "^replay: (.*)"
  end
  return require "luasync.trace.json".encode(data, { order = ORDER }) .. "\n", explore.code(result)
end

local STUCK = { deadlock = true, ["lost wake-up"] = true, livelock = true }

--- The exit code that a result stands for.
-- @return integer: 3 where threads were stuck, 1 for other failures, 0
function explore.code(result)
  local code = 0
  for _, failure in ipairs(result.failures) do
    if STUCK[failure.kind] and not failure.found then return 3 end
    code = 1
  end
  return code
end

return explore

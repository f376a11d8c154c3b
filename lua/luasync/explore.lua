--- What an exploration has found, in words.
--
-- src/explore runs the program and counts; here its groups of failures get the message that a test would print, and
-- the report is laid out: a column for each thread, the replay line, and one line that says how much has been seen.
local explore = {}

-- The lines of a deadlock's report that matter: what is stuck, and the circle.
local function heart(report)
  local lines = {}
  for line in report:gmatch "[^\n]+" do
    if line:find "^Thread " then break end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

--- Gives each failure its message and leaves them as a list, the commonest first.
-- @param result table: what src/explore/explore.c has made
-- @return the same table
function explore.finish(result)
  local failures = {}
  for i, failure in ipairs(result.failures) do
    if failure.report then failure.message = heart(failure.report) end
    failure.first = i
    failures[i] = failure
  end
  table.sort(failures, function(a, b)
    if a.executions ~= b.executions then return a.executions > b.executions end
    return a.first < b.first
  end)
  for _, failure in ipairs(failures) do failure.first = nil end
  result.failures = failures
  local first = failures[1]
  result.message = first and ("%s in %d of %d executions: %s"):format(first.kind, first.executions, result.executions,
    first.message) or nil
  return result
end

local WIDTH = 100

-- The threads of a trace, in order of their first step.
local function threads_of(trace)
  local names, seen = {}, {}
  for _, step in ipairs(trace) do
    if step.thread and not seen[step.thread] then
      seen[step.thread] = true
      names[#names + 1] = step.thread
    end
  end
  return names
end

local SILENT = { start = true, join = true, ["end"] = true }

local function cell(step)
  local what = step.operation
  if step.object then what = step.object .. ":" .. what end
  if step.key ~= nil then what = what .. " " .. tostring(step.key) end
  return what .. "  :" .. step.line
end

-- A column for each thread; steps that touch only threads themselves are left out.
local function columns(trace)
  local names, widths, rows, out = threads_of(trace), {}, {}, {}
  for _, name in ipairs(names) do widths[name] = #name end
  for i, step in ipairs(trace) do
    if not step.thread then
      rows[#rows + 1] = { i, nil, "(" .. step.operation .. ")" }
    elseif not SILENT[step.operation] then
      local text = cell(step)
      widths[step.thread] = math.max(widths[step.thread], #text)
      rows[#rows + 1] = { i, step.thread, text }
    end
  end
  local used = {}
  for _, row in ipairs(rows) do if row[2] then used[row[2]] = true end end
  local start, at = {}, 8
  local head = "  step  "
  for _, name in ipairs(names) do
    if used[name] then
      start[name] = at
      head = head .. name .. (" "):rep(widths[name] - #name + 2)
      at = at + widths[name] + 2
    end
  end
  if at > WIDTH then -- too wide: one below the other
    for n, row in ipairs(rows) do
      out[n] = ("  %4d  %s"):format(n, (row[2] and row[2] .. "  " or "") .. row[3])
    end
    return table.concat(out, "\n")
  end
  out[1] = head:gsub("%s+$", "")
  for n, row in ipairs(rows) do
    out[#out + 1] = ("  %4d  "):format(n) .. (" "):rep((start[row[2]] or 8) - 8) .. row[3]
  end
  return table.concat(out, "\n")
end

local function plural(n, word) return n == 1 and "1 " .. word or ("%s %ss"):format(n, word) end

--- The last line of a report.
-- @param result table
function explore.summary(result)
  local exact = result.exact and "" or "at least "
  local ways = math.type(result.interleavings) == "integer" and ("%d"):format(result.interleavings)
    or ("about %.4g"):format(result.interleavings)
  if result.complete then
    return ("explored %d of %d distinct executions, %s%s interleavings: COMPLETE (%.3f s)"):format(
      result.executions, result.executions, result.exact and "all " or exact, ways, result.seconds)
  end
  local why = result.cut and "some were cut after 10000 steps" or "the budget is used up"
  return ("explored %s, %s%s interleavings: BOUNDED, %s (%.3f s)"):format(
    plural(result.executions, "distinct execution"), exact, ways, why, result.seconds)
end

--- The whole report of an exploration.
-- @param result table: after finish
-- @param script string: the name that stands in the report
-- @param replay function(schedule): the line that repeats a schedule
function explore.report(result, script, replay)
  local out = {}
  for _, failure in ipairs(result.failures) do
    out[#out + 1] = ("FAIL %s   %s"):format(failure.kind, script)
    out[#out + 1] = replay(failure.schedule)
    out[#out + 1] = columns(failure.trace)
    for line in failure.message:gmatch "[^\n]+" do out[#out + 1] = "  " .. line:gsub("^luasync: ", "") end
    out[#out + 1] = ("  preemptions %d   this outcome: %d of %s"):format(failure.preemptions, failure.executions,
      plural(result.executions, "execution"))
    out[#out + 1] = ""
  end
  if result.ok then out[#out + 1] = ("PASS   %s"):format(script) end
  out[#out + 1] = explore.summary(result)
  return table.concat(out, "\n") .. "\n"
end

--- The whole of luasync --explore, once the search is over.
-- @param result table: as the search has made it
-- @param program string: the command as the user called it
-- @param script integer: the index of the script among the words
-- @param ... the words of the command line behind the program
-- @return the report and the exit code
function explore.command(result, program, script, ...)
  local words = table.pack(...)
  local name = words[script] or "(command line)"
  explore.finish(result)
  local function replay(schedule)
    local line = require "luasync.command".replay(program, script, schedule, true, table.unpack(words, 1, words.n))
    return (line:gsub("\n$", ""))
  end
  return explore.report(result, name, replay), explore.code(result)
end

--- The exit code that a result stands for.
-- @return integer: 3 where threads were stuck, 1 for other failures, 0
function explore.code(result)
  local code = 0
  for _, failure in ipairs(result.failures) do
    if failure.kind == "deadlock" or failure.kind == "lost wake-up" or failure.kind == "livelock" then return 3 end
    code = 1
  end
  return code
end

return explore

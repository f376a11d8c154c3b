--- The steps of an execution that has been explored, as a picture and in words.
local steps = {}

-- The threads of a trace in the order of their starts, main first.
local function threads_of(trace)
  local names, seen = {}, {}
  local function add(name)
    if name and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for _, step in ipairs(trace) do
    if step.operation == "start" then
      add(step.thread)
      add(step.object)
    end
  end
  for _, step in ipairs(trace) do add(step.thread) end
  return names
end

local SILENT = { start = true, join = true, ["end"] = true }
local INSIDE = { ["luasync/logging.lua"] = true } -- what is done there is no step of the script's

local IN_TABLE = { insert = true, remove = true, concat = true, unpack = true, sort = true, move = true }

--- The function of Lua's that an operation on a Shared is a part of: "table.insert"; or nil.
function steps.within(step)
  return IN_TABLE[step.within] and "table." .. step.within or nil
end

-- An operation on a Shared as a script writes it.
local function shared(step)
  local name, key, within = step.object, step.key, steps.within(step)
  local at = type(key) ~= "string" and ("%s[%s]"):format(name, key)
    or key:find "^[%a_][%w_]*$" and name .. "." .. key or ("%s[%q]"):format(name, key)
  local text = ({
    get = at, set = at .. (step.removes and " = nil" or " = …"),
    pairs = step.within == "pairs" and ("pairs(%s)"):format(name) or "#" .. name,
    snapshot = ("snapshot(%s)"):format(name),
    update = ("update(%s, %s)"):format(name, type(key) == "string" and ("%q"):format(key) or tostring(key)),
  })[step.operation]
  return text and within and ("%s in %s"):format(text, within) or text
end

-- An operation as a script writes it, without what it is done with.
local function words(step)
  local what = step.kind == "Shared" and shared(step)
  if what then return what end
  what = step.operation
  if step.kind == "Atomic" or what == "look" then what = step.call or what end
  return step.object and step.object .. ":" .. what or what
end

local function cell(step)
  local what = words(step)
  return step.line > 0 and what .. "  :" .. step.line or what -- none while an error unwinds
end

local ROWS, AROUND = 60, 5

-- Which rows are shown: of an execution in which something has been found those up to there, where they are many
-- those around each step of that; of another one, where they are many, the last ones.
local function is_shown(rows, n, failure)
  local found = failure.found
  if not found then return #rows <= ROWS or n > #rows - ROWS end
  if rows[n][1] > math.max(table.unpack(found)) then return false end
  if #rows <= ROWS then return true end
  for _, step in ipairs(found) do
    if math.abs(rows[n][1] - step) <= AROUND then return true end
  end
  return false
end

-- How likely something is, in four characters: 100 % and 0 % are certain.
local function percent(chance)
  if chance == 0 or chance == 1 then return ("%d%%"):format(chance * 100 // 1) end
  if chance < 0.005 then return "<1%" end
  if chance >= 0.995 then return ">99%" end
  return ("%.0f%%"):format(chance * 100)
end

-- Adds a line for each row that is shown, and one for each gap.
local function add_rows(out, rows, failure, layout)
  local gap = false
  for n, row in ipairs(rows) do
    if failure.cycle or is_shown(rows, n, failure) then
      out[#out + 1] = layout(n, row)
      gap = false
    elseif not gap then
      out[#out + 1] = "     …"
      gap = true
    end
  end
  local round = failure.cycle and steps.round(failure)
  if round then out[#out + 1] = ("  … and again from step %d on, for ever"):format(round) end
  return table.concat(out, "\n")
end

local function tick(step, next)
  if not next or not step.time then return "(the clock goes on)" end
  return ("(the clock goes on by %g s%s)"):format(next.time - step.time, step.overtaken and ", early" or "")
end

-- How often each thread is started: a second start is a mistake.
local function count_starts(trace)
  local starts = {}
  for _, step in ipairs(trace) do
    if step.operation == "start" then starts[step.object] = (starts[step.object] or 0) + 1 end
  end
  return starts
end

-- Whether the step shows nothing: it touches only threads themselves, is done in a module that comes with luasync, or
-- is main's look, at its end, for threads that daemons have started.
local function is_plain(step, starts)
  if step.operation == "start" then return starts[step.object] == 1 end
  if step.operation == "look" and not step.object and step.line <= 0 then return true end
  return SILENT[step.operation] or INSIDE[step.source]
end

--- The steps of a failure as { number, thread, text }, without those that show nothing.
function steps.rows(trace)
  local rows, starts = {}, count_starts(trace)
  for i, step in ipairs(trace) do
    if not step.thread then rows[#rows + 1] = { i, nil, tick(step, trace[i + 1]) }
    elseif not is_plain(step, starts) then
      rows[#rows + 1] = { i, step.thread, cell(step) }
    end
  end
  return rows
end

--- The round that a livelock goes, as numbers of rows.
-- @return the first and the last; nil where no row shows it
function steps.round(failure)
  local rows = steps.rows(failure.trace)
  for n, row in ipairs(rows) do
    if row[1] >= failure.cycle then return n, #rows end
  end
end

-- Where each thread's column begins, how wide all are, and their heads.
local function layout_of(trace, rows)
  local widths, used, start, at, head = {}, {}, {}, 0, ""
  for _, row in ipairs(rows) do
    local name = row[2]
    if name then
      used[name] = true
      widths[name] = math.max(widths[name] or #name, #row[3])
    end
  end
  for _, name in ipairs(threads_of(trace)) do
    if used[name] then
      start[name] = at
      head = head .. name .. (" "):rep(widths[name] - #name + 2)
      at = at + widths[name] + 2
    end
  end
  return start, at, head
end

--- The picture of a failure: a column for each thread; where that is too wide one below the other.
-- @param failure table: with `trace`, and what has been found in it
-- @param width_most integer: characters in a line
-- @return string, or nil: no step is worth showing
function steps.columns(failure, width_most)
  local trace = failure.trace
  local rows, out = steps.rows(trace), {}
  if #rows == 0 then return nil end
  local start, width, head = layout_of(trace, rows)
  local foreseen = trace[1].chance ~= nil
  local function margin(n)
    local chance = foreseen and (n and percent(trace[rows[n][1]].chance or 0) or "fails") or ""
    return (foreseen and "  %4s  %5s  " or "  %4s  "):format(n or "step", chance)
  end
  if 8 + (foreseen and 7 or 0) + width > width_most then
    if foreseen then out[1] = margin():gsub("%s+$", "") end
    return add_rows(out, rows, failure, function(n, row)
      return margin(n) .. (row[2] and row[2] .. "  " or "") .. row[3]
    end)
  end
  out[1] = (margin() .. head):gsub("%s+$", "")
  return add_rows(out, rows, failure, function(n, row)
    return margin(n) .. (" "):rep(start[row[2]] or 0) .. row[3]
  end)
end

--- A step in words: "P1's A:acquire  :7".
function steps.operation(step) return ("%s's %s"):format(step.thread or "the clock", cell(step)) end

return steps

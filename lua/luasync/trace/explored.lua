--- What an exploration has found, as a timeline: the run that fails beside the nearest one that does not.
local compare = require "luasync.trace.compare"
local explore = require "luasync.explore"
local trace = require "luasync.trace"

local explored = {}

local TRIES = 200    -- for the nearest run that ends well
local MORE = 3       -- failures of other kinds that are drawn as well

local function temporary()
  local name = os.tmpname()
  os.remove(name)
  return name .. ".json"
end

-- The recording of one run; nil where there is none.
local function record(replay, schedule)
  local file = temporary()
  local ok = replay(schedule, file)
  local recording = trace.read(file)
  os.remove(file)
  return recording and recording.doc, ok
end

-- The schedule that goes along with the failing one as far as that can still end well, and then lets each thread run
-- until it must wait; or nil.
local function nearest(replay, schedule)
  local turns = {}
  for turn in schedule:gmatch "%S+" do
    if turn ~= "." then turns[#turns + 1] = turn end
  end
  for k = #turns - 1, math.max(1, #turns - TRIES), -1 do
    local part = table.concat(turns, " ", 1, k) .. " ."
    if replay(part) then return part end
  end
  if replay "0 ." then return "0 ." end
end

-- Adds the run of another recording of the same program.
local function add_run(doc, other, title)
  local run, files = other.runs[1], {}
  for i, file in ipairs(other.files) do
    for k, known in ipairs(doc.files) do
      if known.path == file.path then files[i - 1] = k - 1 end
    end
    if not files[i - 1] then
      doc.files[#doc.files + 1] = file
      files[i - 1] = #doc.files - 1
    end
  end
  for _, place in ipairs(run.places) do place[1] = files[place[1]] or -1 end
  run.title, run.world = title, "explored"
  doc.runs[#doc.runs + 1] = run
end

local function count(n, word) return n == 1 and "1 " .. word or ("%s %ss"):format(explore.count(n), word) end

local function title_of(failure, result)
  return ("%s, %s of %s"):format(failure.kind, explore.count(failure.executions), count(result.executions, "execution"))
end

-- Raises what cannot be drawn.
local function draw(replay, result)
  local failure = result.failures[1]
  if failure and not failure.schedule then failure = nil end -- none of the runs that can be repeated
  local doc = record(replay, failure and failure.schedule)
  if not doc then error("no run of the exploration could be recorded", 0) end
  doc.runs[1].title = failure and title_of(failure, result) or "one of " .. count(result.executions, "execution")
  doc.runs[1].world = "explored"
  doc.runs[1].verdict.text = doc.runs[1].verdict.text or failure and failure.message
  local well = failure and not failure.found and nearest(replay, failure.schedule)
  local other = well and record(replay, well)
  if other then
    add_run(doc, other, "nearest run that ends well")
    doc.compare = compare(doc, 1, 2)
  end
  for i = 2, math.min(#result.failures, 1 + MORE) do
    -- the run of what was found beside how it ends would be drawn twice
    other = not result.failures[i].found and result.failures[i].schedule and record(replay, result.failures[i].schedule)
    if other then add_run(doc, other, title_of(result.failures[i], result)) end
  end
  return doc
end

--- What will keep the file from being written, by its name; or nil.
function explored.problem(file)
  return select(2, trace.can_write(file))
end

--- Draws the first failure beside the nearest run that ends well; without a failure one of the runs.
-- @param replay function(schedule, file): runs the program so, nil: in turn; writes the recording, unless that is nil;
--   true where it ends well
-- @param result table: what an exploration has found
-- @param file string
function explored.write(replay, result, file)
  local ok, problem = trace.write(draw(replay, result), file)
  if not ok then error(problem, 0) end
end

--- The same where a function was explored.
function explored.write_function(fn, result, file)
  local simulate = require "luasync".simulate
  explored.write(function(schedule, name)
    return simulate(fn, { schedule = schedule, trace = name }).ok
  end, result, file)
end

return explored

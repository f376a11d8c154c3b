--- The timeline in plain characters: lanes, and below them the steps. For terminals, reports and mail.
local State = require "luasync.trace.state"
local Run = require "luasync.trace.run"
local lanes = require "luasync.trace.lanes"
local words = require "luasync.trace.words"

local text = {}

local MARKS = { running = "█", ready = "░", waiting = "╱", sleeping = "·", ended = " ", ["not started"] = " " }
-- Where a column covers several steps: what counts most.
local RANK = { running = 5, waiting = 4, ready = 3, sleeping = 2, ended = 1 }

local function width_of(s) return utf8.len(s) or #s end
local function pad(s, width) return s .. (" "):rep(width - width_of(s)) end
-- As much as fits, with an ellipsis.
local function fit(s, width)
  if width_of(s) <= width then return s end
  return s:sub(1, (utf8.offset(s, width) or #s + 1) - 1) .. "…"
end

-- One lane: for each column the mark of the state that counts most in it.
local function draw_lane(entries, view)
  local marks, ranks = {}, {}
  for column = 1, view.columns do marks[column], ranks[column] = " ", 0 end
  for _, entry in ipairs(entries) do
    local from, to = math.max(entry.from, view.first), math.min(entry.open and view.last or entry.to, view.last)
    -- a state from step s to t fills the columns of the steps behind s; what lasts no step is left out
    for column = (from - view.first) // view.per + 1, (to - 1 - view.first) // view.per + 1 do
      local rank = RANK[entry.state] or 0
      if rank > ranks[column] then marks[column], ranks[column] = MARKS[entry.state], rank end
    end
  end
  return table.concat(marks)
end

-- An object's lane: the tag of its owner, or its value, from each change on.
local function draw_object(run, o, entries, tags, view)
  local family, out = run:family(o), {}
  for column = 1, view.columns do out[column] = " " end
  for _, entry in ipairs(entries) do
    local value = entry.value
    local owner = family == "lock" and value or family == "rwlock" and value < 0 and -1 - value or nil
    local label = owner and (owner >= 0 and tags[owner] or "") or family == "flag" and (value > 0 and "set" or "")
      or tostring(value)
    local fill = (owner and owner >= 0 or not owner and value ~= 0) and "─" or " "
    local from = math.max(entry.from, view.first)
    local last = ((entry.open and view.last or entry.to) - 1 - view.first) // view.per + 1
    local at = (from - view.first) // view.per + 1
    for column = at, last do out[column] = fill end
    if width_of(label) <= last - at + 1 then
      for _, c in utf8.codes(label) do
        out[at] = utf8.char(c)
        at = at + 1
      end
    end
  end
  return table.concat(out)
end

-- A Shared's lane: r and w where it is read and written, ! where that write was overwritten unseen.
local function draw_accesses(accesses, view)
  local out = {}
  for column = 1, view.columns do out[column] = " " end
  for _, access in ipairs(accesses) do
    local column = (access.step - 1 - view.first) // view.per + 1
    if access.step > view.first then
      local mark = access.lost and "!" or access.write and "w" or "r"
      if out[column] ~= "!" and (out[column] ~= "w" or mark == "!") then out[column] = mark end
    end
  end
  return table.concat(out)
end

-- The numbers of steps, every 10, 20, 100, 200 …, above the lanes.
local function ruler(view)
  local distance, factor = 10, 2
  while distance // view.per < 8 do
    distance = distance * factor
    factor = factor == 2 and 5 or 2
  end
  local line, at = {}, 1
  for s = -(-view.first // distance) * distance, view.last, distance do
    local column = (s - view.first) // view.per + 1
    if column >= at and column <= view.columns then
      line[#line + 1] = (" "):rep(column - at) .. s
      at = column + #tostring(s)
    end
  end
  return table.concat(line)
end

-- The last line of a name's column is where lanes begin.
local function draw_picture(run, out, opts)
  local picture, tags = lanes.of(run), words.tags(run)
  local name_width, shown = 4, {}
  for x = 0, run.thread_count - 1 do
    if #picture.threads[x] > 0 then shown[#shown + 1] = x end
  end
  local objects = lanes.drawn(run, picture)
  for _, x in ipairs(shown) do
    name_width = math.max(name_width, width_of(words.visible(run:thread(x).name)))
  end
  for _, o in ipairs(objects) do name_width = math.max(name_width, width_of(words.object(run, o))) end
  name_width = math.min(name_width, 24)
  local room = math.max(20, (opts.width or 100) - name_width - 2)
  local first = opts.last and math.max(0, run.steps - opts.last) or 0
  local tail = (run.run.verdict or {}).circle and 4 or 0
  local steps = run.steps - first + tail
  local per = math.max(1, -(-steps // room))
  local view = { first = first, last = run.steps + tail, per = per, columns = math.max(1, -(-steps // per)) }
  local function lane(name, marks)
    out[#out + 1] = (pad(fit(name, name_width), name_width) .. "  " .. marks):gsub(" +$", "")
  end
  lane("step", ruler(view))
  for _, x in ipairs(shown) do lane(words.visible(run:thread(x).name), draw_lane(picture.threads[x], view)) end
  for _, o in ipairs(objects) do
    local accesses = picture.accesses[o]
    lane(words.object(run, o), #accesses > 0 and draw_accesses(accesses, view)
      or draw_object(run, o, picture.objects[o], tags, view))
  end
  local cells = false
  for _, o in ipairs(objects) do cells = cells or #picture.accesses[o] > 0 end
  out[#out + 1] = "█ runs  ░ ready  ╱ waits  · sleeps"
    .. (cells and "  r reads  w writes  ! written over unseen" or "")
    .. (per > 1 and ("   (a column is %d steps)"):format(per) or "")
end

local MOST_STEPS = 20000 -- in words; more are a matter for the page

-- The steps, one a line: number, time, thread and sentence, place.
local function write_steps(run, out, opts)
  local state, items, next_event = State.new(run), words.items(run), 1
  local first = math.max(1, run.steps - (opts.last or MOST_STEPS) + 1)
  local digits = #tostring(run.steps)
  if first > 1 then out[#out + 1] = ("… and %d steps before:"):format(first - 1) end
  for s = 1, run.steps do
    for i = next_event, run.last[s] do state:apply(i) end
    next_event = math.max(next_event, run.last[s] + 1)
    if s >= first then
      local more = words.consequences(run, s, items)
      out[#out + 1] = ("%" .. digits .. "d%s  %s%s  %s"):format(s,
        run.total > 0 and "  " .. words.clock(run, run:step_time(s)) or "", words.step(run, s, state, items),
        more ~= "" and " → " .. more or "", words.place(run, run.events.at[run.main[s]])):gsub(" +$", "")
    end
  end
end

--- The lanes of one run only, as lines: what reports put below their words.
-- @param opts { width = 100, last = only so many of the last steps }
function text.lanes(doc, index, opts)
  local out = {}
  draw_picture(Run.new(doc, index), out, opts or {})
  return table.concat(out, "\n") .. "\n"
end

--- The whole recording as text.
-- @param opts { width = 100, last = only so many of the last steps; default 20,000 }
function text.write(doc, opts)
  opts = opts or {}
  local out = {}
  for index, run in ipairs(doc.runs) do
    local verdict, r = run.verdict or { kind = "done" }, Run.new(doc, index)
    if index > 1 then out[#out + 1] = "" end
    out[#out + 1] = ("%s: %s (%s), %d threads, %d steps%s%s"):format(
      words.visible(doc.files[1] and doc.files[1].name or "timeline"),
      verdict.kind == "done" and "ended well" or verdict.kind,
      words.visible(run.title or run.world or "run"), r.thread_count, r.steps,
      r.total > 0 and ", " .. words.seconds(r.total) or "",
      r.lost > 0 and (", the first %d events are lost"):format(r.lost) or "")
    for line in ((verdict.text or "") .. "\n" .. (verdict.sentence or "")):gmatch "[^\n]+" do
      out[#out + 1] = words.visible(line)
    end
    if run.command then out[#out + 1] = "repeat: " .. words.visible(run.command) end
    out[#out + 1] = ""
    if r.n == 0 then
      out[#out + 1] = "nothing was recorded"
    else
      draw_picture(r, out, opts)
      out[#out + 1] = ""
      write_steps(r, out, opts)
    end
  end
  return table.concat(out, "\n") .. "\n"
end

return text

--- Where time went: the table of `luasync --waits`, from a recording.
--
-- For each object who waited how long, and for whom; for each thread how long
-- it ran, was ready, waited and slept; and the critical path: from the end back
-- to whoever was waited for, again and again.
local Run = require "luasync.trace.run"
local State = require "luasync.trace.state"
local words = require "luasync.trace.words"

local waits = {}

local STATES = { "running", "ready", "waiting", "sleeping" }

-- Whom x waits for at this moment: the number of a thread, and the place where it took what it has. Or nil.
local function holder(run, state, taken, o)
  local owner = o and state:owner(o)
  if not owner then return nil end
  local place = run:object(o).thread and state.threads[owner].place or taken[o]
  return owner, place and words.place(run, place) or ""
end

-- Adds up the time between the events: { threads = {[x] = {running = ns, …}}, pairs = list by object }.
local function measure(run)
  local sums = { threads = {}, pairs = {}, by_key = {}, spans = {} }
  local state, taken, began = State.new(run), {}, {}
  for x = 0, run.thread_count - 1 do
    sums.threads[x] = { running = 0, ready = 0, waiting = 0, sleeping = 0 }
    began[x] = 0
  end
  -- Thread x has done what it does since began[x]: add that up.
  local function spend(x, now)
    local thread, ns = state.threads[x], now - began[x]
    local sum = sums.threads[x]
    if sum[thread.state] then sum[thread.state] = sum[thread.state] + ns end
    if thread.state == "waiting" or thread.state == "sleeping" then
      table.insert(sums.spans, { thread = x, from = began[x], to = now, sleeps = thread.state == "sleeping" })
    end
    if thread.state == "waiting" and thread.waits_for then
      local owner, place = thread.holder, thread.holder_place
      local key = ("%d/%d/%s/%s"):format(thread.waits_for, x, owner or "", place or "")
      local entry = sums.by_key[key]
      if not entry then
        entry = { object = thread.waits_for, thread = x, holder = owner, place = place, ns = 0, times = 0 }
        sums.by_key[key] = entry
        table.insert(sums.pairs, entry)
      end
      entry.ns = entry.ns + ns
      if thread.counted ~= thread.event then entry.times = entry.times + 1 end
      thread.counted = thread.event
    end
    began[x] = now
  end
  local e = run.events
  for i = 1, run.n do
    local now, kind, op = run.time[i], run:kind(i), run:op(i)
    local touched = { kind ~= "handed" and e.th[i] or nil }     -- who is handed something waits on until its wake
    if kind == "wake" then touched = { e.a[i] } end
    if kind == "clock" then for x = 0, run.thread_count - 1 do touched[x + 1] = x end end
    if op == "start" and run:object(e.ob[i]) then touched[#touched + 1] = run:object(e.ob[i]).thread end
    for _, x in ipairs(touched) do
      local thread = state.threads[x]
      if thread and (kind ~= "clock" or thread.deadline and thread.deadline <= now) then spend(x, now) end
    end
    state:apply(i)
    if e.ob[i] >= 0 and (kind == "op" or kind == "handed") and state:owner(e.ob[i]) == e.th[i] then
      taken[e.ob[i]] = e.at[i]
    end
    if kind == "wait" or kind == "moved" then
      local thread = state.threads[e.th[i]]
      thread.holder, thread.holder_place = holder(run, state, taken, thread.waits_for)
    end
    if kind == "wake" and state.threads[e.a[i]] then
      local span = sums.spans[#sums.spans]
      if span and span.thread == e.a[i] then span.waker = e.th[i] end
    end
  end
  for x = 0, run.thread_count - 1 do spend(x, run.total) end
  return sums
end

-- From the end backwards: the thread that runs last, before that whoever woke it out of its last wait, and so on.
local function critical_path(run, sums)
  local by_thread, path = {}, {}
  for _, span in ipairs(sums.spans) do
    by_thread[span.thread] = by_thread[span.thread] or {}
    table.insert(by_thread[span.thread], span)
  end
  local x, now = run.n > 0 and run.events.th[run.main[run.steps]] or 0, run.total
  -- A leg before those that are known; joined with the next one where that is of the same kind.
  local function add(thread, ns, verb)
    local next_leg = path[1]
    if next_leg and next_leg.thread == thread and next_leg.verb == verb then next_leg.ns = next_leg.ns + ns
    else table.insert(path, 1, { thread = thread, ns = ns, verb = verb }) end
  end
  for _ = 1, 100000 do
    if not x or x < 0 or now <= 0 then break end
    local spans, last = by_thread[x] or {}, nil
    while #spans > 0 and not last do
      local span = table.remove(spans)          -- the path goes backwards: later ones are not wanted again
      if span.to <= now and span.to > span.from then last = span end
    end
    local from = last and last.to or 0
    if now > from then add(x, now - from, "") end
    if not last then break end
    if last.waker and last.waker >= 0 and last.waker ~= x then
      x, now = last.waker, last.to
    else
      add(x, last.to - last.from, last.sleeps and "sleeps " or "waits ")
      now = last.from
    end
  end
  return path
end

local function path_line(run, path)
  local parts, shown = {}, 8
  for i, leg in ipairs(path) do
    if #path <= shown or i <= shown / 2 or i > #path - shown / 2 then
      parts[#parts + 1] = ("%s %s%s"):format(words.thread(run, leg.thread), leg.verb,
        words.seconds(leg.ns))
    elseif i == shown // 2 + 1 then
      parts[#parts + 1] = ("… %d more …"):format(#path - shown)
    end
  end
  return #parts > 0 and table.concat(parts, " → ") or "nothing took time"
end

-- Rows as columns; the first is aligned to the left, numbers to the right.
local function align(rows, right)
  local widths, out = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(cell) or #cell) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      local space = (" "):rep(widths[i] - (utf8.len(cell) or #cell))
      cells[i] = right[i] and space .. cell or cell .. space
    end
    out[#out + 1] = (table.concat(cells, "  "):gsub(" +$", ""))
  end
  return table.concat(out, "\n")
end

-- Time without a clock: nothing has lasted. Then the table says so instead of showing zeros.
local function object_rows(run, sums)
  local rows = { { "waited for", "thread", "time", "times", "held by" } }
  table.sort(sums.pairs, function(a, b)
    if a.ns ~= b.ns then return a.ns > b.ns end
    if a.object ~= b.object then return a.object < b.object end
    if a.thread ~= b.thread then return a.thread < b.thread end
    return (a.place or "") < (b.place or "")
  end)
  for _, entry in ipairs(sums.pairs) do
    local object = run:object(entry.object)
    if not object.internal then
      local name = object.thread and "the end of " .. words.thread(run, object.thread)
        or words.object(run, entry.object)
      local held = entry.holder and not object.thread and words.thread(run, entry.holder) or ""
      if held ~= "" and entry.place ~= "" then held = ("%s (%s)"):format(held, entry.place) end
      rows[#rows + 1] = { name, words.thread(run, entry.thread), words.seconds(entry.ns), tostring(entry.times), held }
    end
  end
  return rows
end

local function thread_rows(run, sums)
  local rows = { { "thread", "running", "ready", "waiting", "sleeping" } }
  for x = 0, run.thread_count - 1 do
    local row = { words.visible(run:thread(x).name) }
    for i, name in ipairs(STATES) do row[i + 1] = words.seconds(sums.threads[x][name]) end
    rows[#rows + 1] = row
  end
  return rows
end

--- The table, as text.
-- @param index which run of the recording, default 1
function waits.write(doc, index)
  local run = Run.new(doc, index)
  local sums = measure(run)
  local out = {}
  local objects = object_rows(run, sums)
  out[#out + 1] = #objects > 1 and align(objects, { [3] = true, [4] = true }) or "nobody waited"
  out[#out + 1] = align(thread_rows(run, sums), { [2] = true, [3] = true, [4] = true, [5] = true })
  out[#out + 1] = "critical path: " .. path_line(run, critical_path(run, sums))
  if run.lost > 0 then out[#out + 1] = ("the first %d events are lost"):format(run.lost) end
  return table.concat(out, "\n\n") .. "\n"
end

return waits

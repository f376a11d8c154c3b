--- Where time went: the table of `luasync --waits`, from a recording.
--
-- For each object who waited how long, and for whom; for each thread how long
-- it ran, was ready, waited and slept; and the critical path: from the end back
-- to whoever was waited for, again and again.
local Run = require "luasync.trace.run"
local State = require "luasync.trace.state"
local words = require "luasync.trace.words"

local waits = {}

local MOST = 40             -- rows of the table of objects

local STATES = { "running", "ready", "waiting", "sleeping" }
local RELEASES = { release = true, release_read = true, release_write = true }

-- Whether thread x has object o: a lock, a part of one as a reader or the writer, a unit, a task that it runs.
local function has(run, state, x, o)
  for _, held in ipairs(state.threads[x].holds) do
    if held == o then return true end
  end
  return state:owner(o) == x and not run:object(o).thread
end

-- Who has object o, and where it was taken: "P1 (fork.lua:7)", of many the first two. "": nobody, or nothing to have.
local function holders(run, state, taken, o)
  local out, n = {}, 0
  for x = 0, run.thread_count - 1 do
    if has(run, state, x, o) then
      local place = taken[o] and taken[o][x] and words.place(run, taken[o][x]) or ""
      n = n + 1
      if n <= 2 then out[n] = words.thread(run, x) .. (place ~= "" and " (" .. place .. ")" or "") end
    end
  end
  return table.concat(out, ", ") .. (n > 2 and (" and %d more"):format(n - 2) or "")
end

-- Adds up the time between the events: { threads = {[x] = {running = ns, …}}, pairs = list by object }.
local function measure(run)
  local sums = { threads = {}, pairs = {}, by_key = {}, spans = {} }
  local state, taken, began, told = State.new(run), {}, {}, {}
  for x = 0, run.thread_count - 1 do
    sums.threads[x] = { running = 0, ready = 0, waiting = 0, sleeping = 0 }
    began[x], told[x] = 0, 0
  end
  -- Adds up what thread x has waited since told[x], for whom it waited up to now.
  local function tell(x, now)
    local thread, ns, held = state.threads[x], now - told[x], state.threads[x].held or ""
    told[x] = now
    if ns == 0 and thread.counted == thread.event then return end
    local key = ("%d/%d/%s"):format(thread.waits_for, x, held)
    local entry = sums.by_key[key]
    if not entry then
      entry = { object = thread.waits_for, thread = x, held = held, ns = 0, times = 0 }
      sums.by_key[key] = entry
      table.insert(sums.pairs, entry)
    end
    entry.ns = entry.ns + ns
    if entry.counted ~= thread.event then entry.times = entry.times + 1 end
    entry.counted, thread.counted = thread.event, thread.event
  end
  -- Thread x has done what it does since began[x]: add that up.
  local function spend(x, now)
    local thread, ns = state.threads[x], now - began[x]
    local sum = sums.threads[x]
    if sum[thread.state] then sum[thread.state] = sum[thread.state] + ns end
    if thread.state == "waiting" or thread.state == "sleeping" then
      table.insert(sums.spans, { thread = x, from = began[x], to = now, sleeps = thread.state == "sleeping" })
    end
    if thread.state == "waiting" and thread.waits_for then tell(x, now) end
    began[x], told[x] = now, now
  end
  -- Somebody has taken object o or let go of it: from now on those in line wait for others. Where nobody has it for a
  -- moment, they go on waiting for whoever had it; `taker` leaves the line.
  local function pass_on(o, taker, now)
    local held
    for _, x in ipairs(state.objects[o].line) do
      local thread = state.threads[x]
      held = held or holders(run, state, taken, o)
      if x ~= taker and held ~= "" and held ~= thread.held then
        if thread.held and now > told[x] then tell(x, now) end
        thread.held = held
      end
    end
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
    local o, who = e.ob[i], state.threads[e.th[i]]
    if o >= 0 and who and (kind == "op" or kind == "handed") then
      local x = RELEASES[op] and state.threads[e.a[i]] and e.a[i] or e.th[i] -- a Lock may be released by another
      taken[o] = taken[o] or {}
      if not has(run, state, x, o) then taken[o][x] = nil
      elseif not taken[o][x] then taken[o][x] = e.at[i] end
      pass_on(o, e.th[i], now)
    end
    if kind == "wait" or kind == "moved" then
      local held = who.waits_for and holders(run, state, taken, who.waits_for) or ""
      who.held = held ~= "" and held or nil
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
    return a.held < b.held
  end)
  for n, entry in ipairs(sums.pairs) do
    if n > MOST then
      rows[#rows + 1] = { ("… and %d shorter ones"):format(#sums.pairs - MOST), "", "", "", "" }
      break
    end
    local object = run:object(entry.object)
    if not object.internal then
      local name = object.thread and "the end of " .. words.thread(run, object.thread)
        or words.object(run, entry.object)
      rows[#rows + 1] = { name, words.thread(run, entry.thread), words.seconds(entry.ns), tostring(entry.times),
        entry.held }
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

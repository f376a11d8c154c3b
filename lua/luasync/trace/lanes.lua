--- The lanes of a run: what each thread does from which step to which, what it holds, who acts on whom.
-- From these the pictures in characters and in SVG, and the Chrome trace, are drawn.
local State = require "luasync.trace.state"

local lanes = {}

local TAKES = { put = true, try_put = true, submit = true }
local ACCESSES = { read = true, write = true, update = true }
local GIVES = { get = true, try_get = true, take = true }
local RELEASES = { release = true, release_read = true, release_write = true }
local HOLDS = { -- what may change which objects its thread holds
  acquire = true, try_acquire = true, reacquire = true, release = true, down = true, try_down = true, up = true,
  acquire_read = true, try_read = true, release_read = true, acquire_write = true, try_write = true,
  release_write = true,
}

-- Ends the last entry of a list at step s and event i, unless it goes on.
local function close(list, s, i)
  local last = list[#list]
  if last and not last.to then last.to, last.to_event = s, i end
end

-- Notes what thread x does now, if that is something else than before.
local function note_thread(out, state, x, s, i)
  local thread, list = state.threads[x], out.threads[x]
  local last = list[#list]
  local same = last and last.state == thread.state and last.event == thread.event
  if same and last.object == thread.waits_for then return end
  close(list, s, i)
  if thread.state ~= "not started" then
    list[#list + 1] = { state = thread.state, from = s, from_event = i, event = thread.event,
      object = thread.waits_for }
  end
end

-- Notes what thread x holds now: new holds begin, those let go end.
local function note_holds(out, state, x, s, i)
  local open, now = out.open[x], {}
  for _, o in ipairs(state.threads[x].holds) do now[o] = (now[o] or 0) + 1 end
  for o, list in pairs(open) do
    while #list > (now[o] or 0) do
      local hold = table.remove(list, 1)
      hold.to, hold.to_event = s, i
    end
  end
  for o, n in pairs(now) do
    open[o] = open[o] or {}
    while #open[o] < n do
      local hold = { object = o, thread = x, from = s, from_event = i }
      table.insert(open[o], hold)
      table.insert(out.holds[x], hold)
    end
  end
end

-- The state of an object as one value: a number, or an owner.
local function value_of(state, o, family)
  local object = state.objects[o]
  if family == "crowd" then return #object.line end
  if family == "lock" then return object.value or -1 end
  if family == "rwlock" then return object.writer and -1 - object.writer or object.value end
  if family == "future" then return object.runner or object.value and -object.value end
  return object.value
end
local function note_object(out, run, state, o, s, i)
  if o < 0 or o >= run.object_count then return end
  local value, list = value_of(state, o, run:family(o)), out.objects[o]
  local last = list[#list]
  if value == nil or last and last.value == value then return end
  close(list, s, i)
  list[#list + 1] = { value = value, from = s, from_event = i }
end

local function note_arrows(out, run, i, s)
  local kind, op, e = run:kind(i), run:op(i), run.events
  local x, o = e.th[i], e.ob[i]
  local function arrow(t) out.arrows[#out.arrows + 1] = t end
  if kind == "wake" then arrow { kind = "wake", from = x, to = e.a[i], step = s, to_step = s, event = i }
  elseif kind == "op" and op == "start" and run:object(o) and run:object(o).thread then
    arrow { kind = "start", from = x, to = run:object(o).thread, step = s, to_step = s, event = i }
  elseif (kind == "op" or kind == "handed") and e.a[i] > 0 and e.b[i] >= 0 then
    local key = o .. "/" .. e.a[i]
    if TAKES[op] then out.put[key] = { thread = x, step = s, event = i, text = run:text(i) }
    elseif GIVES[op] and out.put[key] then
      local put = out.put[key]
      arrow { kind = "item", from = put.thread, to = x, step = put.step, to_step = s, event = put.event,
        to_event = i, text = put.text, object = o }
    end
  end
end

-- A read or write of a Shared's key or an Atomic. A write that follows a read by the same thread makes those writes of
-- others lost that came in between.
local function note_access(out, run, i, s)
  local op, e, text = run:op(i), run.events, run:text(i) or ""
  local o, x = e.ob[i], e.th[i]
  if run:kind(i) ~= "op" or run:family(o) ~= "cells" or not ACCESSES[op] then return end
  local atomic = run:object(o).kind == "Atomic"
  local key, value = text:match "^(.-) = (.*)$"
  if atomic or not key then key, value = atomic and "" or text, atomic and text or "" end
  local access = { step = s, thread = x, text = text, value = value, write = op ~= "read" }
  table.insert(out.accesses[o], access)
  local cells = out.cells[o] or {}
  out.cells[o] = cells
  local cell = cells[key] or { writes = {}, seen = {} }
  cells[key] = cell
  if not access.write then
    cell.seen[x] = #cell.writes
    return
  end
  for j = op == "write" and cell.seen[x] and cell.seen[x] + 1 or #cell.writes + 1, #cell.writes do
    if cell.writes[j].thread ~= x then cell.writes[j].lost = true end
  end
  table.insert(cell.writes, access)
  cell.seen[x] = nil
end

--- Everything about run that has a place in the picture.
-- @return { threads, holds, objects, accesses: lists by number; arrows }. Entries have `from` and `to`, steps, and the
-- events there; `open` where they last to the end of the run.
function lanes.of(run)
  local out = { threads = {}, holds = {}, objects = {}, accesses = {}, arrows = {} }
  out.open, out.put, out.cells = {}, {}, {}     -- what the pass needs to remember
  local state = State.new(run)
  for x = 0, run.thread_count - 1 do
    out.threads[x], out.holds[x], out.open[x] = {}, {}, {}
    note_thread(out, state, x, 0, 0)
    note_holds(out, state, x, 0, 0)
  end
  for o = 0, run.object_count - 1 do
    out.objects[o], out.accesses[o] = {}, {}
    if state.objects[o].value then note_object(out, run, state, o, 0, 0) end
  end
  for i = 1, run.n do
    local e, s, kind, op = run.events, run.step[i], run:kind(i), run:op(i)
    local waited = state.threads[e.a[i]] and state.threads[e.a[i]].waits_for
    state:apply(i)
    if kind == "clock" then
      for x = 0, run.thread_count - 1 do note_thread(out, state, x, s, i) end
    elseif kind == "wake" and state.threads[e.a[i]] then note_thread(out, state, e.a[i], s, i) end
    local started = op == "start" and run:object(e.ob[i]) and run:object(e.ob[i]).thread
    if started then note_thread(out, state, started, s, i) end
    if e.th[i] >= 0 then
      note_thread(out, state, e.th[i], s, i)
      if HOLDS[op] and (kind == "op" or kind == "handed") then note_holds(out, state, e.th[i], s, i) end
    end
    if RELEASES[op] and state.threads[e.a[i]] then note_holds(out, state, e.a[i], s, i) end
    if op == "up" then
      for x = 0, run.thread_count - 1 do note_holds(out, state, x, s, i) end
    end
    note_object(out, run, state, e.ob[i], s, i)
    if waited then note_object(out, run, state, waited, s, i) end
    note_arrows(out, run, i, s)
    note_access(out, run, i, s)
  end
  lanes.close(out, run)
  return out
end

-- What is still open lasts to the end of the run.
function lanes.close(out, run)
  for _, group in ipairs { out.threads, out.holds, out.objects } do
    for _, list in pairs(group) do
      for _, entry in ipairs(list) do
        if not entry.to then entry.to, entry.to_event, entry.open = run.steps, run.n, true end
      end
    end
  end
  out.open, out.put, out.cells = nil, nil, nil
end

--- The objects that are drawn: not luasync's own, not threads, and something happened to them.
function lanes.drawn(run, out)
  local list = {}
  for o = 0, run.object_count - 1 do
    local object, family = run:object(o), run:family(o)
    local happened = #out.objects[o] > 1 or out.objects[o][1] and out.objects[o][1].from > 0
    happened = happened or #out.accesses[o] > 0
    if not object.internal and family ~= "thread" and happened then list[#list + 1] = o end
  end
  table.sort(list, function(a, b)
    local p, q = run:object(a), run:object(b)
    if p.kind ~= q.kind then return p.kind < q.kind end
    if p.name ~= q.name then return p.name < q.name end
    return a < b
  end)
  return list
end

return lanes

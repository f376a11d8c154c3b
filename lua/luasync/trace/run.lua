--- One run of a recording, to be gone through: events, steps, names, places.
--
-- Threads and objects are numbered from 0, as in the recording; events from 1.
-- A *step* is what takes effect as one thing: an operation, a beginning wait,
-- an output, an end, an error, a move of the clock. What it causes (wake-ups,
-- hand-overs, turns) belongs to it. Steps count from 1; 0 is the beginning.
local Run = {}
Run.__index = Run

--- The families of objects: how their states are told and drawn.
Run.FAMILIES = {
  Lock = "lock", RLock = "lock", RWLock = "rwlock", Event = "flag", Semaphore = "count", BoundedSemaphore = "count",
  Queue = "queue", LifoQueue = "queue", PriorityQueue = "queue", SimpleQueue = "queue", Pool = "queue",
  Shared = "cells", Atomic = "cells", Condition = "crowd", Barrier = "crowd", Scope = "crowd", select = "crowd",
  Future = "future", Thread = "thread", Timer = "thread",
}

local BEGINS = { op = true, wait = true, out = true, ["end"] = true, clock = true, err = true }
local WALKS = { read = true, pairs = true, look = true, write = true }

-- Fills main, last and step: which event makes each step, its last event, and the step of each event.
local function count_steps(self)
  local main, last, step, s = { [0] = 0 }, { [0] = 0 }, {}, 0
  local kind_before, th, ob, at, walking
  for i = 1, self.n do
    local kind, op = self:kind(i), self:op(i)
    if kind == "turn" or kind == "yield" then
      kind_before = nil
    elseif BEGINS[kind] then
      local e = self.events
      local near = kind == "op" and kind_before == "op" and th == e.th[i]
      local object = self.run.objects[e.ob[i] + 1]
      local walks = kind == "op" and WALKS[op] and object and object.kind == "Shared"
      local same = near and (op == "select" and e.a[i] > 0
        or walks and ob == e.ob[i] and at == e.at[i] and (walking or op == "pairs"))
      if not same then
        s = s + 1
        main[s] = i
      end
      walking = walks and (same or op == "pairs")
      kind_before, th, ob, at = kind, e.th[i], e.ob[i], e.at[i]
    end
    step[i] = s
    if kind ~= "turn" and kind ~= "yield" and kind ~= "go" then last[s] = i end
  end
  self.main, self.last, self.step, self.steps = main, last, step, s
end

--- Makes run `index` (from 1; default 1) of a recording ready.
function Run.new(doc, index)
  local run = doc.runs[index or 1] or error("there is no run " .. tostring(index), 2)
  local self = setmetatable({ doc = doc, run = run, events = run.events, n = #run.events.t }, Run)
  self.simulated = run.world ~= "real"
  self.lost = run.lost or 0
  local times, t = {}, 0
  for i, d in ipairs(run.events.t) do
    t = t + d
    times[i] = t
  end
  self.time = times
  self.total = math.max(math.tointeger(run.elapsed) or 0, t)
  self.thread_count, self.object_count = #run.threads, #run.objects
  count_steps(self)
  return self
end

function Run:kind(i) return self.doc.kinds[self.events.k[i] + 1] end
--- The word of an event's operation, or nil.
function Run:op(i) return self.doc.ops[self.events.op[i] + 1] end
function Run:text(i) return self.events.text and self.events.text[tostring(i - 1)] end
function Run:object(o) return self.run.objects[o + 1] end
function Run:thread(x) return self.run.threads[x + 1] end
--- The family of object o; "other" where its kind is not known.
function Run:family(o)
  local object = self.run.objects[o + 1]
  return object and (Run.FAMILIES[object.kind] or "other")
end

--- File name and line of place p, or nil. Line 0: the end of the script.
function Run:place(p)
  local place = self.run.places[p + 1]
  local file = place and self.doc.files[place[1] + 1]
  if file then return file.name, place[2] end
end

--- Time at step s, in nanoseconds.
function Run:step_time(s) return s > 0 and self.time[self.main[s]] or 0 end

--- Event i as a table: what luasync.trace hands out.
function Run:event(i)
  local e = self.events
  local file, line = self:place(e.at[i])
  local thread, object = self:thread(e.th[i]), self:object(e.ob[i])
  return {
    index = i, time = self.time[i], step = self.step[i], kind = self:kind(i), op = self:op(i),
    thread = thread and thread.name, object = object and object.name, object_kind = object and object.kind,
    file = file, line = line, a = e.a[i], b = e.b[i], text = self:text(i),
  }
end

return Run

--- The timeline as a Mermaid sequence diagram, small enough for a README.
--
-- Threads are participants; who starts, wakes or hands something to whom are
-- messages; what a thread does in between are notes, several in one. A longer
-- run is cut where the diagram would become too long.
local Run = require "luasync.trace.run"
local State = require "luasync.trace.state"
local words = require "luasync.trace.words"

local mermaid = {}

local MOST = 80             -- lines

-- Characters that mean something in a diagram.
local ENTITIES = { ["#"] = "#35;", [";"] = "#59;", ["<"] = "#lt;", [">"] = "#gt;", ["%"] = "#37;", [":"] = "#58;" }
local function escape(text)
  return (words.visible(text):gsub("[#;<>%%:]", ENTITIES))
end
local function short(text)
  text = words.visible(text)
  if (utf8.len(text) or #text) <= 60 then return text end
  return text:sub(1, utf8.offset(text, 60) - 1) .. "…"
end

local Diagram = {}
Diagram.__index = Diagram

function Diagram:add(line) self.lines[#self.lines + 1] = "  " .. line end

-- Writes the notes of a thread that has not spoken for itself yet.
function Diagram:flush()
  if self.noted then self:add(("Note over t%d: %s"):format(self.noted, table.concat(self.notes, "<br/>"))) end
  self.noted, self.notes = nil, {}
end
function Diagram:note(x, text)
  if self.noted ~= x or #self.notes >= 6 then self:flush() end
  self.noted = x
  self.notes[#self.notes + 1] = escape(short(text))
end
function Diagram:message(from, arrow, to, text)
  self:flush()
  self:add(("t%d%st%d: %s"):format(from, arrow, to, escape(short(text))))
end

-- Event i that begins step s.
function Diagram:begin_step(run, i, state, items)
  local e, kind, op = run.events, run:kind(i), run:op(i)
  local x, object = e.th[i], run:object(e.ob[i])
  if kind == "clock" then
    self:flush()
    self:add(("Note over t0%s: the clock goes on to %s"):format(
      run.thread_count > 1 and ",t" .. self.last_known or "", words.clock(run, run.time[i])))
  elseif op == "start" and kind == "op" and object and object.thread then
    self:flush()
    if not self.known[object.thread] then
      self:add(("create participant t%d as %s"):format(object.thread, escape(run:thread(object.thread).name)))
      self.known[object.thread], self.last_known = true, object.thread
    end
    self:message(x, "->>", object.thread, "start")
  elseif x >= 0 then
    self:note(x, words.event(run, i, state, items))
  end
end

-- What step s does to other threads.
function Diagram:consequences(run, s, items)
  local e, handed = run.events, {}
  for i = run.main[s] + 1, run.last[s] do
    local kind = run:kind(i)
    if kind == "handed" then
      local list = items[e.ob[i]]
      handed[e.th[i]] = run:op(i) == "get" and list and list[e.a[i]] or "hands over " .. words.object(run, e.ob[i])
    elseif kind == "wake" and e.th[i] >= 0 and e.th[i] ~= e.a[i] and self.known[e.a[i]] and self.known[e.th[i]] then
      self:message(e.th[i], "-->>", e.a[i], handed[e.a[i]] or "wakes")
    end
  end
end

-- A deadlock: each waits for the next and will never get it.
function Diagram:circle(run, state)
  local circle = (run.run.verdict or {}).circle
  if not circle then return end
  self:flush()
  self:add "rect rgba(220, 40, 40, 0.15)"
  for n, x in ipairs(circle) do
    local o = state.threads[x] and state.threads[x].waits_for
    self:message(x, "--x", circle[n % #circle + 1], "waits for " .. (o and words.object(run, o) or "it"))
  end
  self:add "end"
end

--- The first run of a recording as a Mermaid diagram.
function mermaid.write(doc)
  local run = Run.new(doc, 1)
  local state, items, next_event = State.new(run), words.items(run), 1
  local self = setmetatable({ lines = { "sequenceDiagram" }, notes = {}, known = {}, last_known = 0 }, Diagram)
  local starts = {}
  for i = 1, run.n do
    local object = run:op(i) == "start" and run:kind(i) == "op" and run:object(run.events.ob[i])
    if object and object.thread then starts[object.thread] = true end
  end
  for x = 0, run.thread_count - 1 do
    if x == 0 or not starts[x] then
      self:add(("participant t%d as %s"):format(x, escape(run:thread(x).name)))
      self.known[x] = true
    end
  end
  for s = 1, run.steps do
    if #self.lines >= MOST then
      self:flush()
      self:add(("Note over t0: … and %d more steps"):format(run.steps - s + 1))
      for i = next_event, run.n do state:apply(i) end
      break
    end
    for i = next_event, run.last[s] do state:apply(i) end
    next_event = math.max(next_event, run.last[s] + 1)
    self:begin_step(run, run.main[s], state, items)
    self:consequences(run, s, items)
  end
  self:circle(run, state)
  self:flush()
  if run.n == 0 then self:add "Note over t0: nothing was recorded" end
  return table.concat(self.lines, "\n") .. "\n"
end

return mermaid

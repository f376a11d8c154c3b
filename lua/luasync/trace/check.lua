--- Whether a recording can be true: owners never overlap, every get has its put, every wake its waiter, values go on
-- from where they were. What a recorder must keep, and what the drawings rely on.
local Run = require "luasync.trace.run"
local State = require "luasync.trace.state"
local words = require "luasync.trace.words"

local MOST = 20

local TAKES = { put = true, try_put = true, submit = true }
local GIVES = { get = true, try_get = true, take = true }
local ACQUIRES = { acquire = true, try_acquire = true, reacquire = true }
local ACTS = { op = true, wait = true, out = true, err = true, ["end"] = true, yield = true }

-- before[kind or op](c): called before event c.i is applied; c.say(format, …) complains.
local before = {}

-- Its time has come, but it has not left the line yet: it can still be woken, and is served then.
local function is_due(c, thread)
  return thread.state == "ready" and thread.event and c.run:kind(thread.event) == "clock"
end

function before.turn(c)
  if not c.run.simulated then return end
  for x = 0, c.run.thread_count - 1 do
    if x ~= c.x and c.state.threads[x].state == "running" then
      c.say("%s gets the turn while %s runs", words.thread(c.run, c.x), words.thread(c.run, x))
    end
  end
end
function before.wake(c)
  local woken, e = c.state.threads[c.a], c.run.events
  if not woken then return c.say "a wake of no thread" end
  if c.run.lost > 0 and woken.state == "not started" then return end
  if is_due(c, woken) then return end
  if woken.state ~= "waiting" and woken.state ~= "sleeping" then
    c.say("%s is woken but %s", words.thread(c.run, c.a), woken.state)
  elseif woken.wait ~= c.run:op(c.i) or (woken.waits_for or -1) ~= e.ob[c.i] then
    c.say("%s is woken from %s, but is in %s", words.thread(c.run, c.a), c.run:op(c.i) or "?", woken.wait or "?")
  end
end
function before.handed(c)
  if c.thread.state == "waiting" or is_due(c, c.thread) then return end
  c.say("%s is handed something but %s", words.thread(c.run, c.x), c.thread.state)
end

-- Operations. An object's state before is c.object.value.
local function acquire(c)
  if c.a == 0 then return end
  local owner = c.object.value
  if owner and owner >= 0 and (owner ~= c.x or c.run:object(c.o).kind == "Lock") then
    c.say("%s takes %s, which %s has", words.thread(c.run, c.x), c.name, words.thread(c.run, owner))
  end
end
local function release(c)
  local owner = c.object.value
  if owner and owner ~= c.a then c.say("%s is released of %s, who has it not", c.name, words.thread(c.run, c.a)) end
  if not owner and c.run.lost == 0 then c.say("%s is released but was never taken", c.name) end
end
local function put(c)
  if c.a <= 0 then return end
  local items = c.items[c.o]
  if items[c.a] then c.say("item %d is put into %s twice", c.a, c.name) end
  items[c.a] = "put"
end
local function get(c)
  if c.a <= 0 then return end
  local items = c.items[c.o]
  if items[c.a] == "got" then c.say("item %d is taken out of %s twice", c.a, c.name)
  elseif not items[c.a] and c.run.lost == 0 then c.say("item %d is taken out of %s before it was put", c.a, c.name) end
  items[c.a] = "got"
end
local function read(c)
  if not c.text then return end
  local key, value = c.text:match "^(.-) = (.*)$"
  for _, cell in ipairs(c.object.cells) do
    if key and cell.key == key and cell.value ~= value and not value:find "^{" and not cell.value:find "^{" then
      c.say("%s reads %s, but it was %s", words.thread(c.run, c.x), c.text, cell.value)
    end
  end
end

-- The number after an operation is the one before and what the operation adds.
local ADDS = { put = 1, try_put = 1, submit = 1, get = -1, try_get = -1, take = -1, down = -1, try_down = -1 }
local function compare_value(c, op)
  local value = c.object.value
  if not value or type(value) ~= "number" then return end
  local add = op == "up" and c.a or c.a > 0 and ADDS[op]
  if add and value + add ~= c.b then c.say("%s: %s leaves %d, but %d was there", c.name, op, c.b, value) end
end

local function check_operation(c)
  local op = c.run:op(c.i)
  c.object, c.name = c.state.objects[c.o], words.object(c.run, c.o)
  if not c.object then return end
  if c.thread.handed == op and c.b == -1 then return end
  c.items[c.o] = c.items[c.o] or {}
  c.text = c.run:text(c.i)
  if ACQUIRES[op] then acquire(c) elseif op == "release" then release(c)
  elseif TAKES[op] then put(c) elseif GIVES[op] then get(c)
  elseif op == "read" then read(c) end
  compare_value(c, op)
end

-- Who acts must have been started, must not have ended, and not wait.
local function check_actor(c, kind)
  local state = c.thread.state
  if state == "ended" or (state == "not started" and c.run.lost == 0) then
    c.say("%s acts but %s", words.thread(c.run, c.x), state)
  elseif state == "waiting" or state == "sleeping" or (c.run.simulated and state == "ready" and kind ~= "end") then
    c.say("%s acts but is %s", words.thread(c.run, c.x), state)
  end
end

--- Goes through a run.
-- @param index which run, default 1
-- @return a list of complaints, at most 20; empty: consistent
return function(doc, index)
  local run = Run.new(doc, index)
  local complaints = {}
  local c = { run = run, state = State.new(run), items = {} }
  function c.say(format, ...)
    complaints[#complaints + 1] = ("event %d: " .. format):format(c.i - 1, ...)
  end
  for i = 1, run.n do
    local e, kind = run.events, run:kind(i)
    c.i, c.x, c.o, c.a, c.b = i, e.th[i], e.ob[i], e.a[i], e.b[i]
    c.thread = c.state.threads[c.x]
    if c.thread and ACTS[kind] then check_actor(c, kind) end
    if before[kind] and (c.thread or kind == "wake") then before[kind](c) end
    if c.thread and (kind == "op" or kind == "handed") then check_operation(c) end
    c.state:apply(i)
    if #complaints >= MOST then break end
  end
  return complaints
end

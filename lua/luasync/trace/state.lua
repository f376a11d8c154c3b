--- What threads do and what objects hold, event after event.
--
-- A State begins before the first event; apply(i) takes event i in. A place in
-- the middle of a run is reached by applying all events before it.
local State = {}
State.__index = State

--- Where a State begins.
-- @param run what luasync.trace.run made
function State.new(run)
  local self = setmetatable({ run = run, threads = {}, objects = {} }, State)
  for x = 0, run.thread_count - 1 do self.threads[x] = { state = "not started", holds = {}, place = 0 } end
  for o = 0, run.object_count - 1 do self.objects[o] = { line = {}, items = {}, cells = {} } end
  for o = 0, run.object_count - 1 do
    local object, first = run:object(o), run:object(o).first
    local family = run:family(o)
    if family == "flag" then self.objects[o].value = first or (run.lost == 0 and 0 or nil)
    elseif family == "lock" then
      if first and first >= 0 then self:hold(o, first) end
      self.objects[o].value = first
    elseif object.kind == "Atomic" then
      self.objects[o].cells[1] = first and { key = "", value = tostring(first), thread = -1 }
    else
      self.objects[o].value = first
    end
  end
  if run.lost == 0 and run.thread_count > 0 then self.threads[0].state = "running" end
  return self
end

-- ------------------------------------------------------- lines and what is held

local function remove(list, value)
  for i, entry in ipairs(list) do
    if entry == value then
      table.remove(list, i)
      return true
    end
  end
end

function State:stand_in_line(x, o)
  local thread = self.threads[x]
  thread.waits_for = o >= 0 and o or nil
  if o >= 0 then table.insert(self.objects[o].line, x) end
end

function State:leave_line(x)
  local thread = self.threads[x]
  if not thread then return end
  if thread.waits_for then remove(self.objects[thread.waits_for].line, x) end
  thread.waits_for, thread.wait, thread.deadline = nil, nil, nil
end

function State:hold(o, x)
  local holds = self.threads[x].holds
  if self.run:family(o) ~= "count" then
    for _, held in ipairs(holds) do
      if held == o then return end
    end
  end
  holds[#holds + 1] = o
end

-- A unit of a semaphore may be given back by a thread that has none.
function State:drop(o, x)
  if self.threads[x] and remove(self.threads[x].holds, o) then return end
  for y = 0, self.run.thread_count - 1 do
    if remove(self.threads[y].holds, o) then return end
  end
end

-- ------------------------------------------------------------------ operations

-- do_it[op](state, object's state, thread, object, a, b, text); only what changes something.
local do_it = {}

local function take(self, state, x, o, a, b)
  if a == 0 then return end
  self:hold(o, x)
  state.value = b
end
local function take_lock(self, state, x, o, a)
  if a == 0 then return end
  self:hold(o, x)
  state.value = x
end
do_it.acquire, do_it.try_acquire, do_it.reacquire = take_lock, take_lock, take_lock
do_it.down, do_it.try_down, do_it.acquire_read, do_it.try_read = take, take, take, take
function do_it.acquire_write(self, state, x, o, a)
  if a == 0 then return end
  self:hold(o, x)
  state.value, state.writer = -1, x
end
do_it.try_write = do_it.acquire_write
function do_it.release(self, state, _, o, a, b)
  if b ~= 0 then return end
  self:drop(o, a)
  state.value = -1
end
function do_it.up(self, state, x, o, _, b)
  self:drop(o, x)
  state.value = b
end
function do_it.release_read(self, state, _, o, a, b)
  self:drop(o, a)
  state.value, state.writer = b, nil
end
do_it.release_write = do_it.release_read
function do_it.set(_, state) state.value = 1 end
function do_it.clear(_, state) state.value = 0 end
local function put(_, state, x, _, a, b, text)
  if a <= 0 then return end
  state.items[#state.items + 1] = { number = a, text = text, thread = x }
  state.value = b
end
do_it.put, do_it.try_put, do_it.submit = put, put, put
local function get(_, state, _, _, a, b)
  if a <= 0 then return end
  for i, item in ipairs(state.items) do
    if item.number == a then
      table.remove(state.items, i)
      break
    end
  end
  state.value = b
end
do_it.get, do_it.try_get, do_it.take = get, get, get
function do_it.shutdown(_, state, _, _, _, b)
  state.value = b
  while #state.items > math.max(b, 0) do table.remove(state.items, 1) end
end
local function count(_, state, _, _, _, b) state.value = b end
do_it.barrier_wait, do_it.barrier_abort, do_it.barrier_reset = count, count, count
function do_it.run(_, state, x) state.value, state.runner = 1, x end
function do_it.resolve(_, state, _, _, a) state.value, state.runner, state.failed = 2, nil, a == 0 end
function do_it.cancel(_, state, _, _, a) if a ~= 0 then state.value = 3 end end

-- A Shared's `key = value` as far as it has been seen; an Atomic's value has no key.
local function see(self, state, x, o, _, _, text)
  if not text then return end
  local key, value = "", text
  if self.run:object(o).kind ~= "Atomic" then
    key, value = text:match "^(.-) = (.*)$"
    if not key then return end
  end
  local at = #state.cells + 1
  for i, cell in ipairs(state.cells) do
    if cell.key == key then at = i end
  end
  if value == "nil" and key ~= "" then
    if state.cells[at] then table.remove(state.cells, at) end
  else
    state.cells[at] = { key = key, value = value, thread = x }
  end
end
do_it.read, do_it.write, do_it.update = see, see, see

-- Event i takes effect on its object, unless it repeats what has been handed.
function State:take_effect(i, kind)
  local e, op = self.run.events, self.run:op(i)
  local x, o, a, b = e.th[i], e.ob[i], e.a[i], e.b[i]
  local thread = self.threads[x]
  if not self.objects[o] or not thread then return end
  if op == "start" then
    local started = self.threads[self.run:object(o).thread]
    if started then started.state, started.event = "ready", i end
    return
  end
  if kind == "handed" then
    thread.handed = op
  elseif thread.handed == op and b == -1 then
    thread.handed = nil
    return
  else
    thread.handed = nil
  end
  if do_it[op] then do_it[op](self, self.objects[o], x, o, a, b, self.run:text(i)) end
end

-- ---------------------------------------------------------------------- events

local function set(thread, state, i)
  thread.state, thread.event = state, i
end

local on = {}
function on.turn(_, thread, i) set(thread, "running", i) end
function on.yield(_, thread, i) set(thread, "ready", i) end
function on.go(self, thread, i, x)
  self:leave_line(x)
  if thread.state ~= "running" then set(thread, "running", i) end
end
function on.wait(self, thread, i, x)
  local e, op = self.run.events, self.run:op(i)
  set(thread, op == "sleep" and "sleeping" or "waiting", i)
  thread.wait = op
  self:stand_in_line(x, e.ob[i])
  thread.deadline = e.a[i] >= 0 and e.a[i] or nil
end
function on.moved(self, thread, i, x)
  self:leave_line(x)
  set(thread, "waiting", i)
  thread.wait = self.run:op(i)
  self:stand_in_line(x, self.run.events.ob[i])
end
on["end"] = function(self, thread, i, x)
  self:leave_line(x)
  set(thread, "ended", i)
end

function State:wake(i)
  local x = self.run.events.a[i]
  local thread = self.threads[x]
  if not thread then return end
  self:leave_line(x)
  if thread.state == "waiting" or thread.state == "sleeping" then set(thread, "ready", i) end
end

-- In a simulated world all those are ready whose deadline has come.
function State:move_clock(i)
  for x = 0, self.run.thread_count - 1 do
    local thread = self.threads[x]
    if thread.deadline and thread.deadline <= self.run.time[i] then
      self:leave_line(x)
      set(thread, "ready", i)
    end
  end
end

local ACTS = { op = true, out = true, wait = true, err = true }

--- Takes event i in.
function State:apply(i)
  local run = self.run
  local kind, x = run:kind(i), run.events.th[i]
  local thread = self.threads[x]
  if kind == "wake" then return self:wake(i) end
  if kind == "clock" then return self:move_clock(i) end
  if not thread then return end
  if run.events.at[i] > 0 then thread.place = run.events.at[i] end
  -- whoever acts, runs: where its turn is not in the recording, or the world has none
  if ACTS[kind] and thread.state ~= "running" and (thread.state == "not started" or not run.simulated) then
    set(thread, "running", i)
  end
  if on[kind] then on[kind](self, thread, i, x)
  elseif kind == "op" or kind == "handed" then self:take_effect(i, kind) end
end

--- The thread that has what `o` is waited for: a lock's owner, a thread's end; or nil.
function State:owner(o)
  local object, family = self.run:object(o), self.run:family(o)
  if not object then return nil end
  if object.thread then return object.thread end
  local state = self.objects[o]
  if family == "lock" then return state.value and state.value >= 0 and state.value or nil end
  return state.writer or state.runner
end

return State

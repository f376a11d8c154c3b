--- Makes recordings for specs, event by event.
--
--     local b = builder.new { threads = { "MainThread", "P1" }, objects = { { "Lock", "A" } } }
--     b:op(0, "start", "P1"):turn(1):op(1, "acquire", "A", 1, 1)
--     local doc = b:doc()
local recording = require "luasync.trace.recording"

local builder = {}
local Builder = {}
Builder.__index = Builder

local function number_of(words)
  local numbers = {}
  for i, word in ipairs(words) do numbers[word] = i - 1 end
  return numbers
end
local KINDS, OPS = number_of(recording.KINDS), number_of(recording.OPS)

--- Begins a recording.
-- opts: threads (names), objects ({ kind, name, field = … }), world ("seeded"), lost, verdict, file, text
function builder.new(opts)
  local self = setmetatable({ now = 0, before = 0, line = 0, opts = opts, numbers = {} }, Builder)
  self.threads, self.objects, self.places = {}, {}, { { -1, -1 } }
  for i, name in ipairs(opts.threads) do self.threads[i] = { name = name, daemon = false, by = -1, at = 0 } end
  for _, object in ipairs(opts.objects or {}) do
    local entry = { kind = object[1], name = object[2] }
    for key, value in pairs(object) do if type(key) == "string" then entry[key] = value end end
    table.insert(self.objects, entry)
  end
  for i, name in ipairs(opts.threads) do
    table.insert(self.objects, { kind = "Thread", name = name, thread = i - 1 })
  end
  for i, object in ipairs(self.objects) do self.numbers[object.name] = self.numbers[object.name] or i - 1 end
  for line = 1, opts.lines or 40 do self.places[line + 1] = { 0, line } end
  self.events = { t = {}, th = {}, k = {}, op = {}, ob = {}, at = {}, a = {}, b = {}, text = {} }
  return self
end

--- Moves the time on, in nanoseconds; simulated worlds also need a clock event.
function Builder:later(ns)
  self.now = self.now + ns
  return self
end
--- The line of the following events.
function Builder:at(line)
  self.line = line
  return self
end

--- One event of any kind.
function Builder:event(kind, th, op, object, a, b, text)
  local e = self.events
  local n = #e.t + 1
  e.t[n], e.th[n], e.k[n] = self.now - self.before, th, KINDS[kind] or error("no kind " .. kind)
  e.op[n] = op and (OPS[op] or error("no operation " .. op)) or -1
  e.ob[n] = object and (self.numbers[object] or error("no object " .. object)) or -1
  e.at[n], e.a[n], e.b[n] = self.line, a or 0, b or 0
  if text then e.text[tostring(n - 1)] = text end
  self.before = self.now
  return self
end
for _, kind in ipairs { "op", "handed" } do
  Builder[kind] = function(self, th, op, object, a, b, text) return self:event(kind, th, op, object, a, b, text) end
end
function Builder:wait(th, op, object, deadline) return self:event("wait", th, op, object, deadline or -1) end
function Builder:wake(th, op, object, woken) return self:event("wake", th, op, object, woken) end
function Builder:go(th, op, object, why) return self:event("go", th, op, object, why or 1) end
function Builder:turn(th) return self:event("turn", th) end
function Builder:yield(th, op, object) return self:event("yield", th, op, object) end
function Builder:clock(ns)
  local before = self.now
  return self:later(ns):event("clock", -1, nil, nil, before)
end
function Builder:out(th, text) return self:event("out", th, "print", nil, 1, 0, text) end
function Builder:err(th, text) return self:event("err", th, nil, nil, 0, 0, text) end
function Builder:finish(th, text) return self:event("end", th, "end", nil, text and 1 or 0, 0, text) end

--- The run so far.
function Builder:run()
  local opts = self.opts
  return {
    title = opts.title or "seed 1", world = opts.world or "seeded", seed = opts.world == nil and 1 or nil,
    command = opts.command or "luasync --seed 1 made_up.lua", elapsed = self.now, lost = opts.lost or 0,
    verdict = opts.verdict or { kind = "done", exit = 0 },
    threads = self.threads, objects = self.objects, places = self.places, events = self.events,
  }
end

--- A recording of this run and further ones.
function Builder:doc(...)
  local file = self.opts.file or "made_up.lua"
  local text = self.opts.text or ("-- line\n"):rep(self.opts.lines or 40)
  return {
    format = recording.FORMAT, version = recording.VERSION, program = "luasync 0.1.0",
    kinds = recording.KINDS, ops = recording.OPS, files = { { name = file, path = file, text = text } },
    runs = { self:run(), ... },
  }
end

--- A recording in which every kind of object does something.
function builder.every_object()
  local b = builder.new {
    threads = { "MainThread", "reader", "writer", "Timer-1" },
    objects = {
      { "Barrier", "B", max = 2 }, { "RWLock", "rw" }, { "Atomic", "hits", first = "0" }, { "Pool", "pool" },
      { "Future", "Future-1" }, { "select", "select-1", of = { 3, 4 } }, { "Scope", "Scope-1" }, { "RLock", "again" },
      { "Condition", "C" }, { "Event", "go" }, { "BoundedSemaphore", "units", max = 2, first = 2 },
      { "Queue", "q", max = 3 }, { "Shared", "Shared-1" },
    },
  }
  b:at(1):op(0, "start", "reader"):op(0, "start", "writer"):op(0, "start", "Timer-1")
  b:wait(0, "scope_join", "Scope-1"):turn(1):at(2):op(1, "acquire_read", "rw", 1, 1)
  b:wait(1, "barrier_wait", "B"):turn(2):at(3):wait(2, "acquire_write", "rw"):turn(3):wait(3, "sleep", nil, 5000000)
  b:clock(5000000):turn(3):go(3, "sleep", nil, 2):at(4):op(3, "barrier_wait", "B", 2, 0)
  b:wake(3, "barrier_wait", "B", 1):op(3, "cancel", "Future-1", 0, 0):finish(3):turn(1):go(1, "barrier_wait", "B")
  b:at(5):op(1, "barrier_wait", "B", 1, 0)
  b:op(1, "release_read", "rw", 1, 0):handed(2, "acquire_write", "rw", 1, -1):wake(1, "acquire_write", "rw", 2)
  b:op(1, "acquire", "again", 1, 1):op(1, "acquire", "again", 1, 2):op(1, "release", "again", 1, 1)
  b:op(1, "release", "again", 1, 0):op(1, "down", "units", 1, 1):op(1, "up", "units", 1, 2)
  b:op(1, "update", "hits", 1, 0, "1"):op(1, "put", "q", 1, 1, "'x'"):op(1, "set", "go", 1, 1)
  b:yield(1, "take", "pool"):turn(2):go(2, "acquire_write", "rw"):op(2, "acquire_write", "rw", 1, -1)
  b:op(2, "release_write", "rw", 2, 0)
  b:op(2, "submit", "pool", 1, 1, "work"):op(2, "get", "q", 1, 0):op(2, "select", "select-1", 1)
  b:wait(2, "wait", "C"):turn(1):op(1, "take", "pool", 1, 0):op(1, "run", "Future-1", 0, 1)
  b:op(1, "resolve", "Future-1", 1, 2):op(1, "notify", "C", -1, 1):wake(1, "wait", "C", 2):out(1, "done"):finish(1)
  b:turn(2):go(2, "wait", "C"):op(2, "wait", "C", 1, 0):op(2, "write", "Shared-1", 0, 1, "k = 1")
  b:err(2, "made_up.lua:5: oops"):finish(2, "made_up.lua:5: oops"):wake(2, "scope_join", "Scope-1", 0)
  b:turn(0):go(0, "scope_join", "Scope-1"):op(0, "scope_join", "Scope-1", 1, 0)
  return b
end

--- A made-up run in real time: so many events of so many threads, which take turns at eight locks and a queue.
function builder.busy(events, threads)
  local names, objects = { "MainThread" }, {}
  for x = 1, threads - 1 do names[x + 1] = "worker-" .. x end
  for i = 1, 8 do objects[i] = { "Lock", "shard-" .. i } end
  objects[9] = { "Queue", "jobs", max = 64 }
  local b = builder.new { threads = names, objects = objects, world = "real", title = "real time" }
  local random, owner, line, holds, waits, put, got = 12345, {}, {}, {}, {}, 0, 0
  local function draw(n)
    random = (random * 1103515245 + 12345) & 0x7fffffff
    return (random >> 8) % n + 1
  end
  for i = 1, 8 do line[i] = {} end
  for x = 1, threads - 1 do b:later(9000):at(3):op(0, "start", names[x + 1]):turn(x) end
  local function take(x, i)
    owner[i], holds[x] = x, i
    b:at(7 + i):op(x, "acquire", "shard-" .. i, 1, 1)
  end
  while #b.events.t < events do
    local x, i = draw(threads - 1), draw(8)
    b:later(draw(4000))
    while waits[x] do x = x % (threads - 1) + 1 end
    if holds[x] then
      i = holds[x]
      holds[x], owner[i] = nil, nil
      b:at(16 + i):op(x, "release", "shard-" .. i, x, 0)
      local woken = table.remove(line[i], 1)
      if woken then
        waits[woken] = nil
        b:wake(x, "acquire", "shard-" .. i, woken):later(2500):at(7 + i):go(woken, "acquire", "shard-" .. i)
        take(woken, i)
      end
    elseif draw(4) == 1 then
      if put - got < 64 and draw(2) == 1 or put == got then
        put = put + 1
        b:at(30):op(x, "put", "jobs", put, put - got, tostring(put))
      else
        got = got + 1
        b:at(31):op(x, "get", "jobs", got, put - got)
      end
    elseif draw(60) == 1 then b:at(33):out(x, "worker-" .. x .. " is still there")
    elseif owner[i] then
      waits[x] = true
      table.insert(line[i], x)
      b:at(7 + i):wait(x, "acquire", "shard-" .. i)
    else take(x, i) end
  end
  return b
end

--- Many threads, each started, doing one thing, and ending.
function builder.crowd(threads)
  local names = { "MainThread" }
  for x = 1, threads - 1 do names[x + 1] = "worker-" .. x end
  local b = builder.new { threads = names, objects = { { "Lock", "A" } } }
  for x = 1, threads - 1 do b:at(1):op(0, "start", names[x + 1]) end
  b:wait(0, "join", "worker-1")
  for x = 1, threads - 1 do
    b:turn(x):at(2):op(x, "acquire", "A", 1, 1):at(3):op(x, "release", "A", x, 0):finish(x)
    if x == 1 then b:wake(1, "join", "worker-1", 0) end
  end
  return b
end

return builder

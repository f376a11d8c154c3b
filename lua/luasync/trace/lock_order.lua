--- Locks that are taken in opposite orders: the warnings of `luasync --lock-order`, from a recording.
--
-- A thread that takes B while it holds A makes the step A → B. Steps of different threads that lead in a circle are
-- a deadlock for which only the moment was missing. It cannot happen, so nothing is said of it, where
--   - two of the steps are taken under one and the same other lock, which lets one thread at a time in;
--   - one of the threads had ended before the other was started, or the like: starts and joins (and what goes into
--     a Pool and comes out of it) put the steps in order;
--   - one of the steps was only tried, or had a timeout;
--   - one of the locks is released by other threads than its owner: it is a signal, not a lock.
local Run = require "luasync.trace.run"
local words = require "luasync.trace.words"

local lock_order = {}

local LONGEST = 6           -- threads in a circle
local MOST_STEPS = 100000   -- different ones that are kept
local MOST_TRIES = 1000000  -- of the search
local MOST_SHOWN = 20       -- circles

local TAKES = {
  acquire = "lock", try_acquire = "lock", reacquire = "lock",
  acquire_read = "read", try_read = "read", acquire_write = "lock", try_write = "lock",
}
local GIVES = { release = true, release_read = true, release_write = true }

-- ------------------------------------------------------------------ starts and joins

-- The life of each thread is cut into segments; a segment comes after one or two others, with smaller numbers.
local Segments = {}
Segments.__index = Segments

function Segments.new() return setmetatable({ before = {}, now = {} }, Segments) end

-- From here on thread x is behind where it was and behind segment `other` (nil: none).
function Segments:cut(x, other)
  local n = #self.before + 1
  self.before[n] = { self.now[x], other }
  if not self.now[x] then self.before[n] = { other } end
  self.now[x] = n
  return n
end

function Segments:of(x) return self.now[x] or self:cut(x) end

-- Whether all of segment a had happened when b began.
function Segments:ordered(a, b)
  local seen, open = {}, { b }
  while #open > 0 do
    for _, n in ipairs(self.before[table.remove(open)]) do
      if n == a then return true end
      if n > a and not seen[n] then
        seen[n] = true
        open[#open + 1] = n
      end
    end
  end
  return false
end

-- What an operation of thread x says about the order of threads.
local function follow_threads(self, run, i)
  local e, op, x = run.events, run:op(i), run.events.th[i]
  local o, a = e.ob[i], e.a[i]
  local object = run:object(o)
  if not object then return end
  local segments, passed = self.segments, self.passed
  if op == "start" and object.thread then
    local segment = segments:of(x)
    segments:cut(object.thread, segment)
    segments:cut(x)
  elseif op == "join" and a == 1 and object.thread then segments:cut(x, segments:of(object.thread))
  elseif op == "scope_join" and a == 1 then
    for ended in pairs(self.ended) do segments:cut(x, segments:of(ended)) end
  elseif op == "submit" or op == "resolve" then
    passed[op == "submit" and o .. "/" .. a or o] = segments:of(x)
    segments:cut(x)
  elseif op == "take" and passed[o .. "/" .. a] then segments:cut(x, passed[o .. "/" .. a])
  elseif op == "result" and passed[o] then segments:cut(x, passed[o]) end
end

-- ------------------------------------------------------------------ steps

-- Thread x takes lock o while it has others: a step from each of these, unless the same is known.
local function add_steps(self, x, o, mode, at)
  local held = self.held[x]
  local segment = self.segments:of(x)
  local key = { o, at, x, segment }
  for _, hold in ipairs(held) do key[#key + 1] = hold.lock .. "@" .. hold.at end
  key = table.concat(key, "/")
  if self.known[key] then return end
  if self.count + #held > MOST_STEPS then
    self.cut_off = true
    return
  end
  self.known[key] = true
  local gates = {}
  for _, hold in ipairs(held) do gates[hold.lock] = hold.mode end
  for _, hold in ipairs(held) do
    self.count = self.count + 1
    self.steps[hold.lock] = self.steps[hold.lock] or {}
    table.insert(self.steps[hold.lock], { from = hold.lock, to = o, from_at = hold.at, to_at = at, thread = x,
      from_mode = hold.mode, to_mode = mode, gates = gates, segment = segment })
  end
end

local function drop(held, o)
  for n = #held, 1, -1 do
    if held[n].lock == o then
      table.remove(held, n)
      return
    end
  end
end

-- An RLock that the thread has already, or what it has been handed before.
local function is_no_news(run, i, op)
  local depth = run.events.b[i]
  if op == "acquire" or op == "try_acquire" then return depth > 1 or depth == -1 and run:kind(i) == "op" end
  return op == "reacquire" and depth == -1 and run:kind(i) == "op"
end

-- Event i takes or gives back a lock, or does not.
local function follow_locks(self, run, i)
  local e, op, x, o = run.events, run:op(i), run.events.th[i], run.events.ob[i]
  if TAKES[op] then
    if e.a[i] ~= 1 or is_no_news(run, i, op) then return end
    local held = self.held[x]
    local for_ever = op:sub(1, 3) ~= "try"
    if run:kind(i) == "handed" then for_ever = not self.timed[x]
    elseif run:text(i) then for_ever = false end          -- by select, or with a timeout
    if for_ever and held[1] then add_steps(self, x, o, TAKES[op], e.at[i]) end
    held[#held + 1] = { lock = o, at = e.at[i], mode = TAKES[op] }
  elseif GIVES[op] then
    if op == "release" and e.b[i] > 0 then return end     -- an RLock that has been taken more than once
    local owner = e.a[i]
    if owner ~= x then self.signal[o] = true end
    if self.held[owner] then drop(self.held[owner], o) end
  end
end

local function collect(run)
  local self = { segments = Segments.new(), passed = {}, ended = {}, held = {}, timed = {}, signal = {},
    steps = {}, known = {}, count = 0 }
  for x = -1, run.thread_count - 1 do self.held[x] = {} end
  for i = 1, run.n do
    local kind, x = run:kind(i), run.events.th[i]
    if kind == "op" or kind == "handed" then
      follow_locks(self, run, i)
      follow_threads(self, run, i)
    elseif kind == "wait" then self.timed[x] = run.events.a[i] >= 0
    elseif kind == "end" then self.ended[x] = true end
  end
  return self
end

-- ------------------------------------------------------------------ circles

-- Whether a thread in one step and a thread in the other can stand there at the same time.
local function beside(self, a, b)
  if a.thread == b.thread then return false end
  for lock, mode in pairs(a.gates) do
    local other = b.gates[lock]
    if other and not (mode == "read" and other == "read") then return false end
  end
  return not self.segments:ordered(a.segment, b.segment) and not self.segments:ordered(b.segment, a.segment)
end

-- What tells circles apart: the lines, whoever was there.
local function lines_of(circle)
  local parts = {}
  for n, step in ipairs(circle) do parts[n] = ("%d@%d>%d@%d"):format(step.from, step.from_at, step.to, step.to_at) end
  return table.concat(parts, " ")
end

-- All circles, each from its lock with the smallest number on.
local function find_circles(self, run)
  local found, seen, tries = {}, {}, 0
  local function usable(o)
    local object = run:object(o)
    return not self.signal[o] and not object.internal
  end
  local path = {}
  local function extend(first)
    local last = path[#path]
    for _, step in ipairs(self.steps[last.to] or {}) do
      tries = tries + 1
      if tries > MOST_TRIES then
        self.cut_off = true
        return
      end
      local fits = step.to >= first.from and usable(step.to)
        and not (last.to_mode == "read" and step.from_mode == "read")
      for n = 1, #path do
        fits = fits and path[n].to ~= step.to and beside(self, path[n], step)
      end
      if fits then
        path[#path + 1] = step
        if step.to == first.from then
          local lines = lines_of(path)
          if not seen[lines] and not (step.to_mode == "read" and first.from_mode == "read") then
            seen[lines] = true
            found[#found + 1] = table.move(path, 1, #path, 1, {})
          end
        elseif #path < LONGEST then extend(first) end
        path[#path] = nil
      end
    end
  end
  for o = 0, run.object_count - 1 do
    for _, step in ipairs(usable(o) and self.steps[o] or {}) do
      if step.to > o and usable(step.to) then
        path[1] = step
        extend(step)
      end
    end
  end
  return found
end

-- ------------------------------------------------------------------ words

local function place(run, at)
  local spot = run.run.places[at + 1]
  local file = spot and run.doc.files[spot[1] + 1]
  return file and (" (%s:%d)"):format(file.path, spot[2]) or ""
end

local TAKEN = { lock = "takes", read = "reads" }

local function describe(run, circle, out)
  local names = {}
  for n, step in ipairs(circle) do names[n] = words.object(run, step.from) end
  local all = table.concat(names, ", ", 1, #names - 1) .. " and " .. names[#names]
  out[#out + 1] = ("luasync: warning: lock order: %s are taken in opposite orders, which may end in a deadlock")
    :format(all)
  for _, step in ipairs(circle) do
    out[#out + 1] = ("  %s %s %s%s, then %s%s"):format(words.thread(run, step.thread), TAKEN[step.from_mode],
      words.object(run, step.from), place(run, step.from_at), words.object(run, step.to), place(run, step.to_at))
  end
end

--- The warnings, as text; "" where there is nothing to warn of.
-- @param index which run of the recording, default 1
function lock_order.write(doc, index)
  local run = Run.new(doc, index)
  local self = collect(run)
  local circles, out = find_circles(self, run), {}
  for n = 1, math.min(#circles, MOST_SHOWN) do describe(run, circles[n], out) end
  if #circles > MOST_SHOWN then out[#out + 1] = ("  … and %d more"):format(#circles - MOST_SHOWN) end
  if self.cut_off then out[#out + 1] = "luasync: warning: lock order: too many steps, not all have been looked at" end
  if run.lost > 0 then
    out[#out + 1] = ("luasync: warning: lock order: the first %d events are lost, what they tell is not known")
      :format(run.lost)
  end
  return #out > 0 and table.concat(out, "\n") .. "\n" or ""
end

return lock_order

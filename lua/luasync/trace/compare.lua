--- What differs between two runs of a recording: how far they are the same, and the pair that then comes the other
-- way round. The page does the same for runs that somebody chooses (page/compare.js).
local Run = require "luasync.trace.run"

local LOOKS = { read = true, pairs = true, look = true, value = true, is_set = true, wait_set = true, result = true }
local CALLS = { op = true, wait = true, out = true, ["end"] = true }

local function same_step(a, s, b, q)
  local i, j = a.main[s], b.main[q]
  if a.events.th[i] ~= b.events.th[j] or a:kind(i) ~= b:kind(j) or a:op(i) ~= b:op(j) then return false end
  local one, other = a:object(a.events.ob[i]), b:object(b.events.ob[j])
  return (one and one.name) == (other and other.name)
end

local function common_part(a, b)
  local s = 0
  while s < a.steps and s < b.steps and same_step(a, s + 1, b, s + 1) do s = s + 1 end
  return s
end

-- What a call depends on: its object, of a Shared one key.
local function subject(run, i, op)
  local object = run:object(run.events.ob[i])
  if not object or object.thread or object.internal then return nil end
  local key = object.kind == "Shared" and op ~= "pairs" and (run:text(i) or ""):match "^(.-) = " or ""
  return object.kind .. "\0" .. object.name .. "\0" .. key
end

-- The calls of a run in order, and each by thread and number. A wait and the op that ends it are one call.
local function calls_of(run)
  local list, by, open, counts = {}, {}, {}, {}
  for i = 1, run.n do
    local x, kind, op, o = run.events.th[i], run:kind(i), run:op(i), run.events.ob[i]
    local wait = open[x]
    local ends = wait and wait.op == op and wait.o == o
    if kind == "handed" and ends then wait.handed = true
    elseif kind == "op" and ends and (not wait.handed or run.events.b[i] == -1) then open[x] = nil
    elseif CALLS[kind] and op ~= "reacquire" then
      local n = (counts[x] or 0) + 1
      counts[x] = n
      local call = { th = x, n = n, op = op, o = o, step = run.step[i], at = #list + 1,
        subject = (kind == "op" or kind == "wait") and subject(run, i, op) }
      list[#list + 1], by[x .. ":" .. n] = call, call
      open[x] = kind == "wait" and call or nil
    end
  end
  return list, by
end

local function twin(call, by)
  local other = by[call.th .. ":" .. call.n]
  return other and other.op == call.op and other.subject == call.subject and other or nil
end

-- The first call of b, behind the common part, that in a comes after one which depends on it.
local function reversed_pair(a, b, part)
  local calls, by_a = calls_of(a)
  local calls_b, by_b = calls_of(b)
  for _, later in ipairs(calls_b) do
    local q = later.subject and later.step > part and twin(later, by_a)
    local best
    for k = 1, q and q.at - 1 or 0 do
      local p = calls[k]
      local depends = p.subject == q.subject and p.th ~= q.th and not (LOOKS[p.op] and LOOKS[q.op])
      local moved = depends and twin(p, by_b)
      if moved and moved.at > later.at and (not best or moved.at < best.at) then best = { p = p, at = moved.at } end
    end
    if best then return { { th = best.p.th, n = best.p.n }, { th = q.th, n = q.n } } end
  end
end

--- Compares two runs.
-- @param a, b integer: which runs of the recording, from 1
-- @return what stands in a recording's field `compare`
return function(doc, a, b)
  local one, other = Run.new(doc, a), Run.new(doc, b)
  local part = common_part(one, other)
  return { a = a - 1, b = b - 1, part = part, pair = reversed_pair(one, other, part) }
end

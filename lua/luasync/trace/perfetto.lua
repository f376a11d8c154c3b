--- The timeline as Chrome trace events, for Perfetto, speedscope and others.
--
-- Process 1 has a track for each thread, one state after the other; process 2
-- one for each object: owners and flags as slices, values as counters. Who
-- wakes whom and what goes from whom to whom are flows. Where the clock stands
-- still each step is a microsecond further, for a viewer loses what lasts no
-- time; the metadata says so.
local Run = require "luasync.trace.run"
local json = require "luasync.trace.json"
local lanes = require "luasync.trace.lanes"
local words = require "luasync.trace.words"

local perfetto = {}

local CATEGORIES = { running = "run", ready = "ready", waiting = "wait", sleeping = "sleep" }

-- The forms of events. There may be millions: json.encode, which sorts names, would take most of the time.
local NAME = '{"name":"%s","ph":"M","pid":%d,"tid":%d,"args":%s}'
local SLICE = '{"name":%s,"cat":"%s","ph":"X","ts":%.14g,"dur":%.14g,"pid":%d,"tid":%d%s}'
local COUNTER = '{"name":%s,"ph":"C","ts":%.14g,"pid":2,"tid":%d,"args":{"value":%d}}'
local FLOW = '{"name":%s,"cat":"%s","ph":"%s","ts":%.14g,"pid":1,"tid":%d,"id":%d%s}'
local INSTANT = '{"name":%s,"cat":"%s","ph":"i","ts":%.14g,"pid":1,"tid":%d,"s":"t"}'

-- A function that makes each of its values once.
local function once(make)
  local made = {}
  return function(key)
    local value = made[key]
    if value == nil then
      value = make(key)
      made[key] = value
    end
    return value
  end
end

-- The microsecond of each step, and of the end; whether the clock had to be helped.
local function stamps(run)
  local at, helped = { [0] = 0.0 }, false
  for s = 1, run.steps do
    local t, before = run:step_time(s) / 1000, at[s - 1]
    local still = run:step_time(s) == run:step_time(s - 1)
    helped = helped or still
    at[s] = math.max(t, before + (still and 1 or 0.001))
  end
  at[run.steps + 1] = math.max(run.total / 1000, at[run.steps] + 1)
  return at, helped
end

local function stamp(us) return math.floor(us * 1000 + 0.5) / 1000 end

-- The slices of threads, one after the other on a track. Returns for each thread where they begin and end.
local function add_threads(run, picture, at, put)
  local drawn = {}
  local place = once(function(p) return words.place(run, p) end)
  for x = 0, run.thread_count - 1 do
    local ends = {}
    drawn[x] = ends
    put(NAME, "thread_name", 1, x + 1, json.encode { name = words.visible(run:thread(x).name) })
    put(NAME, "thread_sort_index", 1, x + 1, json.encode { sort_index = x })
    for _, entry in ipairs(picture.threads[x]) do
      local to = entry.open and at[run.steps + 1] or at[entry.to]
      if CATEGORIES[entry.state] and to > at[entry.from] then
        local i = entry.event
        local waits = i and i > 0 and (entry.state == "waiting" or entry.state == "sleeping")
        local from, dur = stamp(at[entry.from]), stamp(to - at[entry.from])
        ends[#ends + 1] = from
        ends[#ends + 1] = from + dur
        local where = i and i > 0 and place(run.events.at[i]) or nil
        local args = where and (',"args":{"place":%s,"step":%d}'):format(json.quote(where), entry.from)
          or (',"args":{"step":%d}'):format(entry.from)
        put(SLICE, json.quote(waits and words.wait(run, i) or entry.state), CATEGORIES[entry.state], from, dur, 1,
          x + 1, args)
      end
    end
  end
  return drawn
end

-- The time in a slice that is the nearest. A wake may be the last that is heard of an OS thread.
local function into_slice(ends, time)
  local low, high = 1, #ends // 2 + 1 -- the first slice that begins later
  while low < high do
    local middle = (low + high) // 2
    if ends[2 * middle - 1] <= time then low = middle + 1 else high = middle end
  end
  if low == 1 then return ends[1] or time end
  return math.min(time, ends[2 * low - 2])
end

local function owner_name(run, family, value)
  if family == "lock" or family == "future" then return value >= 0 and words.thread(run, value) or nil end
  if family == "rwlock" then
    if value < 0 then return words.thread(run, -1 - value) end
    return value > 0 and value .. (value == 1 and " reader" or " readers") or nil
  end
  if family == "flag" then return value > 0 and "set" or nil end
end

local function add_objects(run, picture, at, put)
  for _, o in ipairs(lanes.drawn(run, picture)) do
    local family, name = run:family(o), words.object(run, o)
    local counts = family == "queue" or family == "count" or family == "crowd"
    local owner = once(function(value) return owner_name(run, family, value) or false end)
    if not counts then put(NAME, "thread_name", 2, o + 1, json.encode { name = name }) end
    for _, entry in ipairs(picture.objects[o]) do
      local from, to = at[entry.from], entry.open and at[run.steps + 1] or at[entry.to]
      if counts then put(COUNTER, json.quote(name), stamp(from), o + 1, entry.value)
      elseif owner(entry.value) and to > from then
        put(SLICE, json.quote(owner(entry.value)), family, stamp(from), stamp(to - from), 2, o + 1, "")
      end
    end
  end
end

-- A flow begins a quarter of a step before its step, while the acting thread still runs; it ends as much behind it in
-- the one that is woken, or before the step in which an item is taken.
local function add_flows(picture, at, put, drawn)
  for n, arrow in ipairs(picture.arrows) do
    if arrow.from >= 0 and arrow.from ~= arrow.to and arrow.step > 0 then
      local s, e = arrow.step, arrow.to_step
      local taken = arrow.kind == "item" and e > s
      local name = json.quote(arrow.kind == "item" and (arrow.text and words.visible(arrow.text) or "item")
        or arrow.kind)
      put(FLOW, name, arrow.kind, "s", stamp(into_slice(drawn[arrow.from], at[s] - (at[s] - at[s - 1]) / 4)),
        arrow.from + 1, n, "")
      put(FLOW, name, arrow.kind, "f", stamp(into_slice(drawn[arrow.to],
        taken and at[e] - (at[e] - at[e - 1]) / 4 or at[e] + (at[e + 1] - at[e]) / 4)), arrow.to + 1, n, ',"bp":"e"')
    end
  end
end

local function add_output(run, at, put)
  for i = 1, run.n do
    local kind = run:kind(i)
    if (kind == "out" or kind == "err") and run.events.th[i] >= 0 then
      put(INSTANT, json.quote(words.visible(run:text(i) or "")), kind, stamp(at[run.step[i]]), run.events.th[i] + 1)
    end
  end
end

--- The first run of a recording as Chrome's JSON, an event a line.
function perfetto.write(doc)
  local run = Run.new(doc, 1)
  local picture, lines = lanes.of(run), {}
  local at, helped = stamps(run)
  local function put(form, ...) lines[#lines + 1] = form:format(...) end
  put('{"name":"process_name","ph":"M","pid":1,"args":{"name":"threads"}}')
  put('{"name":"process_name","ph":"M","pid":2,"args":{"name":"objects"}}')
  local drawn = add_threads(run, picture, at, put)
  add_objects(run, picture, at, put)
  add_flows(picture, at, put, drawn)
  add_output(run, at, put)
  local metadata = {
    program = doc.program, command = run.run.command, world = run.run.world, lost = run.lost,
    clock = helped and "each step at which the clock stood still is 1 µs further" or "true",
  }
  return '{"displayTimeUnit":"ns","metadata":' .. json.encode(metadata) .. ',"traceEvents":[\n'
    .. table.concat(lines, ",\n") .. "\n]}\n"
end

return perfetto

--- The sentences of a recording, in the words of the reports and of the page.
local json = require "luasync.trace.json"

local words = {}

--- Control characters as pictures of themselves, so that no name breaks a line; as UTF-8 whatever came.
function words.visible(text)
  return (json.clean(text):gsub("%c", function(c)
    return utf8.char(c == "\127" and 0x2421 or 0x2400 + c:byte())
  end))
end

--- "Thread-1 (work)" -> "Thread-1"; a name that is no word: "thread '0'".
function words.thread(run, x)
  local thread = run:thread(x)
  if not thread then return x < 0 and "the clock" or "a thread" end
  local name = words.visible(thread.name)
  if not name:find "^[%a_]" then return ("thread '%s'"):format(name) end
  return name:match "^(Thread%-%d+) %(.*%)$" or name
end

--- Lock 'A', or Lock-1 where nobody gave it a name.
function words.object(run, o)
  local object = run:object(o)
  if not object then return "" end
  local name = words.visible(object.name)
  if name:sub(1, #object.kind + 1) == object.kind .. "-" then return name end
  return ("%s '%s'"):format(object.kind, name)
end

--- "1.5 s", "100 ms", "3.2 µs"
function words.seconds(ns)
  local s = ns / 1e9
  local function trim(text) return (text:gsub("%.?0+$", "")) end
  if s == 0 then return "0 s" end
  if s >= 100 then return ("%.1f s"):format(s) end
  if s >= 1 then return trim(("%.3f"):format(s)) .. " s" end
  if s >= 1e-3 then return trim(("%.3f"):format(s * 1e3)) .. " ms" end
  return (("%.1f"):format(s * 1e6):gsub("%.0$", "")) .. " µs"
end

--- A time in full.
function words.clock(run, ns)
  return (run.simulated and "%.3f s" or "%.6f s"):format(ns / 1e9)
end

--- "philosophers.lua:8", or "".
function words.place(run, p)
  local file, line = run:place(p)
  if not file then return "" end
  return line == 0 and "the end of the script" or ("%s:%d"):format(words.visible(file), line)
end

local SPOKEN = {
  wait_set = "wait", queue_join = "join", down = "acquire", up = "release", barrier_wait = "wait",
  acquire_read = "read", acquire_write = "write", scope_join = "join",
}
--- The call in the words of a script.
function words.call(op) return SPOKEN[op] or (op or "?"):gsub("_", " ") end

local WAITS = {
  join = function(_, _, thread) return "waits for the end of " .. thread end,
  wait = function(_, name) return "waits to be notified on " .. name end,
  wait_set = function(_, name) return "waits for " .. name .. " to be set" end,
  down = function(_, name) return "waits for a unit of " .. name end,
  get = function(_, name) return "waits for an item of " .. name end,
  put = function(_, name) return "waits for room in " .. name end,
  take = function(_, name) return "waits for a task of " .. name end,
  submit = function(_, name) return "waits for room in " .. name end,
  queue_join = function(_, name) return "waits until all of " .. name .. " is done" end,
  barrier_wait = function(_, name) return "waits at " .. name end,
  scope_join = function(_, name) return "waits for the threads of " .. name end,
  select = function() return "waits for one of several" end,
  settle = function() return "waits for the others to settle" end,
  io = function() return "waits for the system" end,
  pool_join = function(_, name) return "waits for the workers of " .. name end,
}

--- A wait, event i. `state`: whose lock it is then; or nil.
function words.wait(run, i, state)
  local e, op = run.events, run:op(i)
  local o = e.ob[i]
  if op == "sleep" then
    return e.a[i] < 0 and "sleeps for ever" or "sleeps until " .. words.clock(run, e.a[i])
  end
  if op == "timer" then return "waits until " .. words.clock(run, e.a[i]) end
  local name, object = words.object(run, o), run:object(o)
  if WAITS[op] then return WAITS[op](run, name, words.thread(run, object and object.thread or -2)) end
  local owner = state and state:owner(o)
  local how = run:family(o) == "future" and ", run by " or ", held by "
  return "waits for " .. (name ~= "" and name or words.call(op)) .. (owner and how .. words.thread(run, owner) or "")
end

-- What a finished operation is called: { done, not done }, or a function.
local function taken(name) return { "takes " .. name, "gives up on " .. name .. ": timeout" } end
local function tried(name) return { "tries " .. name .. ": taken", "tries " .. name .. ": not free" } end
local function passed(text) return { "goes on: " .. text, "goes on: timeout" } end
local DONE = {
  start = function(_, t) return "starts " .. t.thread end,
  join = function(_, t) return { "has joined " .. t.thread, "stops waiting for " .. t.thread .. ": timeout" } end,
  interrupt = function(_, t) return "interrupts " .. t.thread end,
  acquire = taken, acquire_read = taken, acquire_write = taken,
  down = function(name) return taken("a unit of " .. name) end,
  try_acquire = tried, try_down = tried, try_read = tried, try_write = tried,
  reacquire = function(name) return "takes " .. name .. " again" end,
  release = function(name, t)
    return t.text == "wait" and "gives " .. name .. " back to wait" or "releases " .. name
  end,
  release_read = function(name) return "releases " .. name end,
  release_write = function(name) return "releases " .. name end,
  up = function(name, t) return ("gives %s back to %s"):format(t.a > 1 and t.a .. " units" or "a unit", name) end,
  set = function(name) return "sets " .. name end,
  clear = function(name) return "clears " .. name end,
  is_set = function(name, t) return ("looks at %s: %s"):format(name, t.b ~= 0 and "set" or "not set") end,
  wait_set = function(name) return passed(name .. " is set") end,
  wait = function(name) return { "has been notified on " .. name, "goes on: timeout" } end,
  notify = function(name, t)
    return ("notifies %s on %s"):format(t.a < 0 and "all" or t.a == 1 and "one" or t.a, name)
  end,
  put = function(name, t) return { ("puts %s into %s"):format(t.item, name), "cannot put into " .. name } end,
  get = function(name, t) return { ("gets %s from %s"):format(t.item, name), "gets nothing from " .. name } end,
  submit = function(name, t) return ("submits %s to %s"):format(t.text or "a task", name) end,
  take = function(name, t) return ("begins %s of %s"):format(t.item, name) end,
  shutdown = function(name) return "shuts " .. name .. " down" end,
  task_done = function(name) return "says task_done on " .. name end,
  queue_join = function(name) return passed("all of " .. name .. " is done") end,
  read = function(name, t) return ("reads %s in %s"):format(t.text, name) end,
  write = function(name, t) return ("writes %s in %s"):format(t.text, name) end,
  value = function(name, t) return ("asks the value of %s: %d"):format(name, t.a) end,
  look = function(name, t) return "looks at " .. name .. (t.text and ": " .. t.text or "") end,
  update = function(name, t)
    return t.kind == "Atomic" and t.a == 0 and ("does not change %s: %s"):format(name, t.text)
      or ("updates %s to %s"):format(name, t.text)
  end,
  pairs = function(name) return "walks through " .. name end,
  barrier_wait = function(name, t)
    return { ("passes %s as number %d"):format(name, t.a), "finds " .. name .. " broken" }
  end,
  barrier_abort = function(name) return "breaks " .. name end,
  barrier_reset = function(name) return "resets " .. name end,
  run = function(name) return "runs " .. name end,
  resolve = function(name) return { "finishes " .. name, "fails in " .. name } end,
  cancel = function(name) return { "cancels " .. name, "cannot cancel " .. name } end,
  result = function(name) return { "has the result of " .. name, "no result of " .. name } end,
  scope_join = function(name) return passed("all threads of " .. name .. " have ended") end,
  select = function(_, t) return { "selects number " .. t.a, "selects nothing: timeout" } end,
}
DONE.try_put, DONE.try_get = DONE.put, DONE.get

--- An operation, event i. `item`: the text of what is got, where it is known.
function words.operation(run, i, item)
  local e, op = run.events, run:op(i)
  local name, object, text = words.object(run, e.ob[i]), run:object(e.ob[i]), run:text(i)
  local done = DONE[op]
  if not done then return words.call(op) .. (name ~= "" and " " .. name or "") end
  done = done(name, {
    a = e.a[i], b = e.b[i], kind = object and object.kind,
    text = text and words.visible(text), item = item or text or "item " .. e.a[i],
    thread = words.thread(run, object and object.thread or -2),
  })
  if type(done) == "table" then done = done[e.a[i] > 0 and 1 or 2] end
  return done
end

--- Event i without its thread. `state` is that after it, or nil; `items` finds the text of item n in queue o.
function words.event(run, i, state, items)
  local kind = run:kind(i)
  if kind == "op" then
    local key = items and items[run.events.ob[i]]
    return words.operation(run, i, key and key[run.events.a[i]])
  elseif kind == "wait" then return words.wait(run, i, state)
  elseif kind == "out" then return ("prints %q"):format(words.visible(run:text(i) or ""))
  elseif kind == "end" then return run.events.a[i] ~= 0 and "ends by an error" or "ends"
  elseif kind == "err" then return "fails: " .. words.visible(run:text(i) or "")
  elseif kind == "clock" then return "The clock goes on to " .. words.clock(run, run.time[i]) end
  return ""
end

local function handed(run, i, items)
  local op, o, a = run:op(i), run.events.ob[i], run.events.a[i]
  if op == "get" or op == "take" then return ("hands %s to"):format(items and items[o] and items[o][a] or "an item") end
  if op == "put" or op == "submit" then return "makes room for" end
  return op == "down" and "hands a unit to" or ("hands %s to"):format(words.object(run, o))
end

--- What step s brings about beside its own event: "wakes P2, …", or "".
function words.consequences(run, s, items)
  local out, e = {}, run.events
  for i = run.main[s] + 1, run.last[s] do
    local kind = run:kind(i)
    if kind == "wake" then
      local other = e.th[i] >= 0 and e.th[i] ~= e.th[run.main[s]] and words.thread(run, e.th[i]) .. " " or ""
      out[#out + 1] = other .. "wakes " .. words.thread(run, e.a[i])
    elseif kind == "handed" then out[#out + 1] = handed(run, i, items) .. " " .. words.thread(run, e.th[i])
    elseif kind == "moved" then
      out[#out + 1] = ("%s now waits for %s"):format(words.thread(run, e.th[i]), words.object(run, e.ob[i]))
    elseif kind == "op" and run:op(i) == "write" then out[#out + 1] = run:text(i)
    elseif kind == "op" and run:op(i) == "select" then out[#out + 1] = words.operation(run, i) end
  end
  return table.concat(out, ", ")
end

--- The texts of all items: items[object][number].
function words.items(run)
  local items, e = {}, run.events
  local PUTS = { put = true, try_put = true, submit = true }
  for i = 1, run.n do
    local op = run:op(i)
    if PUTS[op] and (run:kind(i) == "op" or run:kind(i) == "handed") and run:text(i) then
      local o = e.ob[i]
      items[o] = items[o] or {}
      items[o][e.a[i]] = words.visible(run:text(i))
    end
  end
  return items
end

--- Step s as a sentence, with its thread.
function words.step(run, s, state, items)
  if s == 0 then return run.lost > 0 and "The recording begins." or "The run begins." end
  local i = run.main[s]
  local x = run.events.th[i]
  return (x >= 0 and words.thread(run, x) .. " " or "") .. words.event(run, i, state, items)
end

--- A tag of a few letters for each thread, tags[0] first: what stands in its badge.
function words.tags(run)
  local tags, seen = {}, {}
  for x = 0, run.thread_count - 1 do
    local name = words.visible(run:thread(x).name)
    local first = name:match(utf8.charpattern) or "?"
    local numbered, digits = name:match "^Thread%-(%d+)", name:match "(%d+)$"
    local tag
    if name == "MainThread" then tag = "M"
    elseif numbered then tag = numbered
    elseif (utf8.len(name) or 9) <= 2 then tag = name
    elseif digits and #digits < 4 then tag = first .. digits
    else tag = name:match "^[\0-\x7F\xC2-\xFD][\x80-\xBF]*[\0-\x7F\xC2-\xFD][\x80-\xBF]*" or first end
    local n = 2
    while seen[tag] do
      tag = first .. n
      n = n + 1
    end
    seen[tag] = true
    tags[x] = tag
  end
  return tags
end

return words

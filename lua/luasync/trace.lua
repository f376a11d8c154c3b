--- Recordings of what threads did, for tools and specs.
--
--     local trace = require "luasync.trace"
--     local recording = assert(trace.read "run.json")
--     for event in recording:events() do print(event.step, event.thread, event.op, event.object) end
--     assert(recording:order { "put 1", "get 1" })
--     assert(trace.write(recording, "run.html"))
--
-- Runs in plain Lua as well. The form of a recording: luasync.trace.recording.
local recording = require "luasync.trace.recording"
local Run = require "luasync.trace.run"
local State = require "luasync.trace.state"
local words = require "luasync.trace.words"

local trace = {}

-- What is written, by the ending of the file's name. The longest ending counts.
local WRITERS = {
  [".html"] = "luasync.trace.html", [".json"] = "luasync.trace.canonical",
  [".perfetto.json"] = "luasync.trace.perfetto",
  [".mmd"] = "luasync.trace.mermaid", [".svg"] = "luasync.trace.svg", [".txt"] = "luasync.trace.text",
}
local CANONICAL = ('{"format":"%s","version":%d,'):format(recording.FORMAT, recording.VERSION)
local LAST = 200 -- steps in words, where text goes to a screen
local ENDINGS = ".html, .json, .perfetto.json, .mmd, .svg or .txt"

local function ending_of(file)
  if file == "-" then return ".txt" end
  local lower = file:lower()
  for _, ending in ipairs { lower:match "(%.perfetto%.json)$" or "", lower:match "(%.%w+)$" or "" } do
    if WRITERS[ending] then return ending end
  end
end

-- ------------------------------------------------------------------- reading

local Recording = {}
Recording.__index = Recording
Recording.__name = "recording"

-- The run of that number, gone through once.
local function run_of(self, index)
  index = index or 1
  self.gone[index] = self.gone[index] or Run.new(self.doc, index)
  return self.gone[index]
end

local function wrap(doc)
  return setmetatable({ doc = doc, runs = doc.runs, gone = {} }, Recording)
end

--- Makes a recording of its JSON text, or of a table of that form.
-- @return the recording; or nil and what is wrong with it
function trace.parse(value)
  local doc, message
  if type(value) == "table" then doc, message = recording.check(value) else doc, message = recording.parse(value) end
  if not doc then return nil, message end
  return wrap(doc)
end

--- Reads a recording: a .json file, or a page.
-- @return the recording; or nil and a message
function trace.read(file)
  local handle, message = io.open(file, "rb")
  if not handle then return nil, "cannot read " .. message end
  local text
  text, message = handle:read "a"
  handle:close()
  if not text then return nil, ("cannot read %s: %s"):format(file, message) end
  local page = recording.of_page(text)
  if not page and (text:find "^%s*<" or text == "" and ending_of(file) == ".html") then
    return nil, file .. ": the page ends before its recording does, or is none of luasync's"
  end
  local made
  made, message = trace.parse(page or text)
  if not made then return nil, ("%s: %s"):format(file, message) end
  return made
end

--- How many steps a run has.
function Recording:steps(index) return run_of(self, index).steps end

--- Iterates over the events of a run, in the order of effects.
-- An event: { index, step, time (ns), kind, op, thread, object, object_kind, file, line, a, b, text }.
function Recording:events(index)
  local run, i = run_of(self, index), 0
  return function()
    i = i + 1
    if i <= run.n then return run:event(i) end
  end
end

-- The state of an object in words: "held by P1", "2 of 10 items 'a' 'b'".
local function object_text(run, state, o)
  local family, object, info = run:family(o), run:object(o), state.objects[o]
  local value, most = info.value, object.max and object.max > 0 and " of " .. object.max or ""
  if family == "lock" then
    return value and value >= 0 and "held by " .. words.thread(run, value) or "free"
  elseif family == "rwlock" then
    if info.writer then return "written by " .. words.thread(run, info.writer) end
    return value and value > 0 and value .. (value == 1 and " reader" or " readers") or "free"
  elseif family == "flag" then return value == 1 and "set" or "not set"
  elseif family == "count" then return ("value %s%s"):format(value or "?", most)
  elseif family == "queue" then
    local word = object.kind == "Pool" and "task" or "item"
    local out = { ("%d%s %s%s"):format(value or 0, most, word, value == 1 and most == "" and "" or "s") }
    for _, item in ipairs(info.items) do out[#out + 1] = item.text end
    return table.concat(out, " ")
  elseif family == "cells" then
    local out = {}
    for i, cell in ipairs(info.cells) do out[i] = (cell.key ~= "" and cell.key .. " = " or "") .. cell.value end
    return #out > 0 and table.concat(out, ", ") or object.kind == "Atomic" and "?" or "empty"
  elseif family == "future" then
    return info.runner and "run by " .. words.thread(run, info.runner)
      or info.failed and "failed" or ({ [2] = "done", [3] = "cancelled" })[value] or "pending"
  end
  return #info.line == 0 and "nobody waits" or ("%d%s waiting"):format(#info.line, most)
end

--- What threads do and objects hold after a step (0: before the first).
-- @return { step, time, threads = { { name, state, waits_for, holds, file, line } }, objects = { { name, text } } }
function Recording:state(step, index)
  local run = run_of(self, index)
  if math.type(step) ~= "integer" or step < 0 or step > run.steps then
    error(("step must be an integer from 0 to %d"):format(run.steps), 2)
  end
  local state = State.new(run)
  for i = 1, run.last[step] do state:apply(i) end
  local out = { step = step, time = run:step_time(step), threads = {}, objects = {} }
  for x = 0, run.thread_count - 1 do
    local thread, holds = state.threads[x], {}
    for i, o in ipairs(thread.holds) do holds[i] = words.object(run, o) end
    local file, line = run:place(thread.place)
    out.threads[x + 1] = {
      name = run:thread(x).name, state = thread.state, holds = holds, file = file, line = line,
      waits_for = thread.waits_for and words.object(run, thread.waits_for)
        or thread.state == "waiting" and words.call(thread.wait) or nil,
    }
  end
  for o = 0, run.object_count - 1 do
    if run:family(o) ~= "thread" and not run:object(o).internal then
      table.insert(out.objects, { name = words.object(run, o), text = object_text(run, state, o) })
    end
  end
  return out
end

--- A step as the sentence that reports and the page have.
function Recording:sentence(step, index)
  local run = run_of(self, index)
  local state = State.new(run)
  for i = 1, run.last[step] do state:apply(i) end
  local items = words.items(run)
  local more = words.consequences(run, step, items)
  return words.step(run, step, state, items) .. (more ~= "" and " → " .. more or "")
end

-- ----------------------------------------------------------------- asserting

-- The words by which an event can be named: thread, operation, object, value, place.
local function event_words(run, i, items)
  local set, e = {}, run.events
  local function add(text)
    if not text then return end
    set[text] = true
    set[text:match "^'(.*)'$" or text] = true
    for word in text:gmatch "%S+" do set[word] = true end
  end
  local kind, op = run:kind(i), run:op(i)
  local thread, object = run:thread(e.th[i]), run:object(e.ob[i])
  add(kind ~= "op" and kind ~= "handed" and kind or nil)
  add(kind == "out" and "print" or op)
  add(op and words.call(op))
  add(thread and thread.name)
  add(object and object.name)
  add(run:text(i) or items[e.ob[i]] and items[e.ob[i]][e.a[i]])
  local file, line = run:place(e.at[i])
  if file then add(("%s:%d"):format(file, line)) end
  return set
end

local NAMED = { op = true, handed = true, wait = true, out = true, err = true, ["end"] = true }

--- Whether events come in an order: each description after the one before.
-- A description is words that an event must have all of: its operation, thread, object, value, kind ("wait", "err")
-- or place: "put 1", "P1 acquire A", "print done", "wait philosophers.lua:8".
-- @return true; or nil and which one does not come, for assert
function Recording:order(list, index)
  local run = run_of(self, index)
  local items, i, before = words.items(run), 0, nil
  for _, description in ipairs(list) do
    local wanted, found = {}, false
    for word in description:gmatch "%S+" do wanted[#wanted + 1] = word end
    while not found and i < run.n do
      i = i + 1
      if NAMED[run:kind(i)] then
        local set = event_words(run, i, items)
        found = true
        for _, word in ipairs(wanted) do found = found and set[word] or false end
      end
    end
    if not found then
      return nil, before and ("%q does not come after %q (step %d)"):format(description, before.text, before.step)
        or ("%q does not come"):format(description)
    end
    before = { text = description, step = run.step[i] }
  end
  return true
end

-- ------------------------------------------------------------------- writing

local ENOENT = 2

-- Whether there is nothing of that name; a pipe is not opened for that.
local function is_absent(file) return select(3, os.rename(file, file)) == ENOENT end

-- Half a recording is of no use. A device or a pipe stays: it has no size.
local function remove_partial(file, made)
  local handle = not made and io.open(file, "r+b")
  local size = handle and handle:seek "end"
  if handle then handle:close() end
  if made or size and size > 0 then os.remove(file) end
end

local function save(file, text)
  local made = is_absent(file)
  local handle, message = io.open(file, "wb")
  if not handle then return nil, "cannot write " .. message end
  local ok
  ok, message = handle:write(text)
  local closed, close_message = handle:close()
  if ok and closed then return true end
  remove_partial(file, made)
  return nil, ("cannot write %s: %s"):format(file, message or close_message)
end

--- The text of a recording in one of the forms.
-- @param value what trace.read gives, a table of the form, or its JSON text
-- @param ending ".html", ".json", ".perfetto.json", ".mmd", ".svg", ".txt"
-- @return the text; or nil and a message
-- opts: what luasync.trace.text takes
function trace.format(value, ending, opts)
  if not WRITERS[ending] then return nil, ("unknown ending '%s': use %s"):format(ending, ENDINGS) end
  -- a page checks what it shows itself: a long recording that is text already need not be read for it
  if ending == ".html" and type(value) == "string" and value:find(CANONICAL, 1, true) == 1 then
    return require "luasync.trace.html".of_json(value)
  end
  if getmetatable(value) ~= Recording then
    local message
    value, message = trace.parse(value)
    if not value then return nil, message end
  end
  return require(WRITERS[ending]).write(value.doc, opts)
end

--- Writes a recording in the form that the file's ending names; "-" is stderr, as text.
-- @return true; or nil and a message
function trace.write(value, file)
  local ending = ending_of(file)
  if not ending then return nil, ("unknown ending of '%s': use %s"):format(file, ENDINGS) end
  local text, message = trace.format(value, ending, file == "-" and { last = LAST } or nil)
  if not text then return nil, message end
  if file == "-" then return io.stderr:write(text) and true end
  return save(file, text)
end

--- Whether trace.write knows the ending of a file's name: so that a script need not run first.
-- @return true; or nil and a message
function trace.can_write(file)
  if ending_of(file) then return true end
  return nil, ("unknown ending of '%s': use %s"):format(file, ENDINGS)
end

--- sync.trace.start, stop and save, for those who have this module at hand.
function trace.start(...) return require "luasync".trace.start(...) end
function trace.stop() return require "luasync".trace.stop() end
function trace.save(...) return require "luasync".trace.save(...) end

--- Where time went, as text: the table of --waits.
function trace.waits(value, index)
  if getmetatable(value) ~= Recording then value = assert(trace.parse(value)) end
  return require "luasync.trace.waits".write(value.doc, index)
end

--- Locks that are taken in opposite orders, as text: the warnings of --lock-order; "" where there are none.
function trace.lock_order(value, index)
  if getmetatable(value) ~= Recording then value = assert(trace.parse(value)) end
  return require "luasync.trace.lock_order".write(value.doc, index)
end

--- What makes a recording impossible: a list of complaints, empty for a true one.
function trace.check(value, index)
  if getmetatable(value) ~= Recording then value = assert(trace.parse(value)) end
  return require "luasync.trace.check"(value.doc, index)
end

return trace

--- From what the recorder of the C side has kept to a recording: names and texts of files, words of operations, who
-- started whom, the circle of a deadlock.
local recording = require "luasync.trace.recording"

local recorder = {}

-- Operations whose word in a recording is not their name in C.
local WORDS = {
  OP_ARRIVE = "barrier_wait", OP_ABORT = "barrier_abort", OP_RESET = "barrier_reset", OP_READ_LOCK = "acquire_read",
  OP_READ_UNLOCK = "release_read", OP_WRITE_LOCK = "acquire_write", OP_WRITE_TAKE = "acquire_write",
  OP_WRITE_UNLOCK = "release_write", OP_TRAVERSE = "pairs", OP_OUTPUT = "print",
}

local MOST_TEXT = 1000000 -- bytes of a file that a recording takes along

-- The text of a file; nil where it is none that can be shown.
local function read(path)
  local handle = io.open(path, "rb")
  if not handle then return nil end
  local text = handle:read(MOST_TEXT + 1)
  handle:close()
  if text and #text <= MOST_TEXT and not text:find "\0" then return text end
end

-- Files and places: sources as Lua has them, "@path" or "=name" or the code itself.
local function places_of(raw)
  local files, numbers, places = {}, {}, { { -1, -1 } }
  local function number(source, text)
    if not numbers[source] then
      local path = source:match "^[@=](.*)" or "(a string)"
      files[#files + 1] = { name = path:match "[^/]+$" or path, path = path,
        text = source:sub(1, 1) == "@" and read(path) or text }
      numbers[source] = #files - 1
    end
    return numbers[source]
  end
  if raw.script then number("@" .. raw.script) end
  for _, place in ipairs(raw.places) do places[#places + 1] = { number(place.source, place.text), place.line } end
  places[#places + 1] = files[1] and { 0, 0 } or { -1, -1 } -- the end of the script
  return files, places
end

local function ops_of(raw)
  local ops = {}
  for i, name in ipairs(raw.ops) do ops[i] = WORDS[name] or name:gsub("^OP_", ""):lower() end
  return ops
end

-- A Pool is a queue of tasks.
local POOL = { put = "submit", try_put = "submit", get = "take", try_get = "take" }
local function name_tasks(events, objects, ops)
  local numbers = {}
  for i, word in ipairs(ops) do
    local better = POOL[word]
    if better and not numbers[better] then
      ops[#ops + 1] = better
      numbers[better] = #ops - 1
    end
    numbers[i - 1] = numbers[better]
  end
  for i, o in ipairs(events.ob) do
    local op = o >= 0 and objects[o + 1].kind == "Pool" and numbers[events.op[i]]
    if op then events.op[i] = op end
  end
end

local function objects_of(raw)
  local threads, objects = {}, {}
  for i, object in ipairs(raw.objects) do
    if object.thread then
      threads[object.thread + 1] = { name = object.name, daemon = object.daemon or false, by = -1, at = 0 }
    end
    objects[i] = { kind = object.kind, name = object.name, max = object.max, lock = object.lock, thread = object.thread,
      first = raw.whole and not object.thread and object.first or nil,
      internal = object.name:find "^luasync%." and true or nil }
  end
  return threads, objects
end

-- What is handed to a waiter, or moves it, happens to it where it waits; it ends where it was last.
local function complete_places(events, threads, objects, ops, script_end)
  local kinds = recording.KINDS
  local last = {}
  for i = 1, #events.t do
    local x, kind = events.th[i], kinds[events.k[i] + 1]
    local at = events.at[i]
    if at == 0 and (kind == "handed" or kind == "moved" or kind == "end" or kind == "turn") then
      events.at[i] = last[x] or 0
    elseif at == 0 and x == 0 and kind == "wait" and ops[events.op[i] + 1] == "join" then
      events.at[i] = script_end
    elseif at > 0 then
      last[x] = at
    end
    local object = kind == "op" and ops[events.op[i] + 1] == "start" and objects[events.ob[i] + 1]
    local thread = object and threads[(object.thread or -1) + 1]
    if thread then thread.by, thread.at = x, at end
  end
end

-- The threads that wait for each other, and the sentence that says so.
local function circle_of(doc)
  local Run, State = require "luasync.trace.run", require "luasync.trace.state"
  local words = require "luasync.trace.words"
  local run = Run.new(doc, 1)
  local state, taken = State.new(run), {}
  for i = 1, run.n do
    state:apply(i)
    local o = run.events.ob[i]
    if o >= 0 and state:owner(o) == run.events.th[i] then taken[o] = taken[o] or run.events.at[i] end
    if o >= 0 and not state:owner(o) then taken[o] = nil end
  end
  local function awaited(x)
    local o = state.threads[x] and state.threads[x].waits_for
    return o and state:owner(o), o
  end
  for first = 0, run.thread_count - 1 do
    local x, circle, sentence = first, {}, {}
    repeat
      local owner, o = awaited(x)
      if owner then
        circle[#circle + 1] = x
        local place = taken[o] and words.place(run, taken[o]) or ""
        sentence[#sentence + 1] = run:object(o).thread
          and ("%s waits for the end of %s"):format(words.thread(run, x), words.thread(run, owner))
          or ("%s waits for %s held by %s%s"):format(words.thread(run, x), words.object(run, o),
            words.thread(run, owner), place ~= "" and " (" .. place .. ")" or "")
      end
      x = owner
    until not x or x == first or #circle > run.thread_count
    if x == first then return circle, table.concat(sentence, " → ") end
  end
end

-- The first sentence of a report: the threads that it lists are in the recording.
local function verdict_of(raw)
  local text = raw.text and raw.text:match "^[^\n]*":gsub("^luasync: ", ""):gsub("^%w+: ", "")
  if text then text = text:gsub("^%l", string.upper) .. (text:find "%.$" and "" or ".") end
  return { kind = raw.verdict or "unfinished", exit = raw.exit, text = text }
end

-- The error that ended a run: the main thread's, else the last one.
local function add_error(verdict, events, threads)
  local last
  for i = #events.k, 1, -1 do
    if recording.KINDS[events.k[i] + 1] == "err" and threads[events.th[i] + 1] then
      last = last or i
      if events.th[i] == 0 then last = i break end
    end
  end
  if not last then return end
  local text = events.text[tostring(last - 1)] or ""
  verdict.text = text:match "^[^\n]*"
  verdict.sentence = ("An error in %s ended the run."):format(threads[events.th[last] + 1].name)
end

-- What repeats the run need not record it again.
local function command_of(raw)
  local command = raw.command
  local patterns = { " %-%-trace[ =]'[^']*'", " %-%-trace[ =]%S+", " %-%-waits", " %-%-lock%-order", " %-%-open" }
  for _, pattern in ipairs(patterns) do
    command = command and command:gsub(pattern, "", 1)
  end
  return command
end

--- The recording of one run.
-- @param raw what recorder_file.c has put together
-- @return a table in the form of luasync.trace.recording
function recorder.make(raw)
  local files, places = places_of(raw)
  local ops = ops_of(raw)
  local threads, objects = objects_of(raw)
  if not raw.simulated then require "luasync.trace.causes"(raw.events, recording.KINDS) end
  name_tasks(raw.events, objects, ops)
  if not raw.simulated then require "luasync.trace.counts"(raw.events, objects, recording.KINDS, ops, raw.whole) end
  complete_places(raw.events, threads, objects, ops, #places - 1)
  local doc = {
    format = recording.FORMAT, version = recording.VERSION, program = require "luasync"._VERSION,
    kinds = recording.KINDS, ops = ops, files = files,
    runs = { {
      title = raw.title or raw.world or not raw.simulated and "real threads" or nil,
      world = raw.world or raw.simulated and "virtual" or "real", seed = raw.seed,
      schedule = raw.schedule, command = command_of(raw), epoch = raw.epoch, elapsed = raw.elapsed, lost = raw.lost,
      verdict = verdict_of(raw), threads = threads, objects = objects, places = places, events = raw.events,
    } },
  }
  if raw.verdict == "error" and not raw.text then add_error(doc.runs[1].verdict, raw.events, threads) end
  if raw.verdict == "deadlock" then
    local verdict = doc.runs[1].verdict
    verdict.circle, verdict.sentence = circle_of(doc)
  end
  return doc
end

--- Writes the recording; raises what keeps it from that, without a position.
function recorder.save(raw, file)
  local trace = require "luasync.trace"
  local made, message = trace.parse(recorder.make(raw))
  if made then made, message = trace.write(made, file) end
  if not made then error(message, 0) end
end

--- The table of --waits.
function recorder.waits(raw)
  return require "luasync.trace".waits(recorder.make(raw))
end

--- The warnings of --lock-order.
function recorder.lock_order(raw)
  return require "luasync.trace".lock_order(recorder.make(raw))
end

return recorder

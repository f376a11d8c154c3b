--- A recording of what threads did: its form, and how it is read and checked.
--
-- THE FORM ("luasync timeline", version 1). One JSON object, UTF-8; bytes that
-- are no UTF-8 are written as U+FFFD, "<" inside strings as \u003c (so that no
-- text closes the script element of a page). All numbers are integers but epoch.
--
--   format, version   "luasync timeline", 1
--   program           "luasync X.Y.Z"
--   kinds, ops        the words that the columns k and op count into, from 0.
--                     Readers go by the word, never by the number.
--   files             { name, path, text? }; name is what sentences say
--   runs              one or more, the failing one first
--   compare           optional: { a, b: runs; part: the number of steps that are
--                     the same; pair: [{ th, n }, { th, n }] }: what comes the other
--                     way round. n counts the calls of that thread from 1: each op,
--                     out and end event; a wait and the op (or handed) that ends it
--                     are one call, and a reacquire is none.
--
-- A run:
--   title, world      "seed 16"; "real", "virtual", "seeded", "replay", "explored"
--   seed, schedule, command   where there are any; command repeats the run
--   epoch, elapsed    os.time (a float) at t = 0; nanoseconds until the end
--   lost              how many of its oldest events are not in the recording
--   verdict           { kind, exit?, text?, sentence?, circle? }. kind: "done",
--                     "deadlock", "livelock", "error", "interrupted" (Ctrl-C),
--                     "signal", "exit", "race", "unfinished" (saved while it ran).
--                     circle: the threads that wait for each other, each for the next.
--   threads           { name, daemon, by, at }, numbered from 0 = main in the order
--                     of their creation; by: who started it (-1: nobody), at: where
--   objects           { kind, name, max?, first?, lock?, of?, thread?, internal?, at? }
--                     kind is the constructor's name, or Thread, Future, select.
--                     max: maxsize, bound, parties. first: the state (see b below) at
--                     the beginning of the recording; a lock's: its owner. lock: of a
--                     Condition. of: the objects a select waits for. thread: the number
--                     of the thread that a Thread or Timer is. internal: hidden.
--   places            [file, line]; file -1: unknown, line 0: the end of the script.
--                     Place 0 is [-1, -1].
--   events            columns of one length, in the order of effects:
--     t    nanoseconds since the event before (the first: since t = 0)
--     th   who, a thread's number, or -1
--     k    kind;  op  word of ops, or -1;  ob  object, or -1;  at  place
--     a, b numbers, see below
--     text { "17": "…" }, for event 17 counted from 0
--
-- KINDS          th           op, ob, at               a                     b
--   op           who          what took effect         result                state after
--   wait         who          what it begins to        deadline (t), -1:     -
--                             wait for                 for ever
--   wake         the waker    the wait that is over;   the woken thread      -
--                (-1: none)   at: the waker's place
--   moved        the waiter   what it waits for now    who moved it          -
--   handed       the waiter   as op, done for it by whoever wakes it next; the waiter
--                             itself only says go then (an op with b = -1 that follows
--                             it repeats the handed one)
--   go           who          the wait that is over    1 woken, 2 timeout,   -
--                                                      3 interrupted
--   turn         who gets it  -                        others ready          -
--   yield        who loses it the operation ahead      -                     -
--   clock        -1           -                        t before              -
--   out, err     who          at; text: the line       stream 1, 2           -
--   end          who          at; text: its error      1: by an error        -
-- out is text printed, err an error that nobody caught (its text, at its place).
-- A wait's op is the call that waits; a sleep has no object; a wait for the system
-- is op "io". An interrupt is the op "interrupt" and then the wake of the wait it
-- ends. A deadline in a simulated world needs no wake: the clock event makes all
-- those ready whose deadline has come. In the real world turn says that a new thread
-- runs; go means that it runs again; yield does not occur.
--
-- OPS                              a                            b, the state after
--   acquire try_acquire reacquire  1 taken, 0 not               depth (RLock), else 1. text:
--                                                               "select", "timeout": it would
--                                                               not have waited for ever
--   release                        owner until now              depth left; text "wait":
--                                                               a Condition gives it back
--   down try_down  (Semaphore)     1 taken, 0 not               value
--   up                             n                            value
--   value look     (no effect)     the answer as a number       -
--   set clear is_set wait_set      result                       1 set, 0 not
--   wait notify    (Condition)     wait: 1 notified, 0 timeout  waiting; notify: before
--                                  notify: n, -1 all
--   put get try_put try_get        number of the item, from 1   length
--                                  in its queue, never used
--                                  twice; 0: full, empty, shut
--                                  down. text: the item
--   shutdown                       items dropped                length
--   task_done queue_join           queue_join: 1, 0 timeout     unfinished tasks
--   read write update (Shared)     was the key there?           keys; text `key = value`,
--                                                               value nil: taken out
--   pairs          (Shared)        -                            -; the reads of one walk on
--                                                               one line are one step
--   read write update (Atomic)     0: compare_exchange failed   -; text: the value after
--   acquire_read try_read          1 taken, 0 not               readers
--   acquire_write try_write        1 taken, 0 not               -1 (a writer)
--   release_read release_write     owner until now              readers left
--   barrier_wait                   index, 0 broken, -1 timeout  waiting
--   barrier_abort barrier_reset    -                            waiting
--   submit take    (Pool)          number of the task, from 1   tasks that wait; submit's
--                                  (take: the worker has it)    text: the function's name
--   run resolve    (Future)        resolve: 1 values, 0 error   0 pending, 1 running,
--   cancel         (Future, Timer) 1 in time, 0 too late        2 done, 3 cancelled
--   result         (Future)        1, 0 timeout, -1 cancelled   the same
--   start join interrupt (Thread)  join: 1 ended, 0 timeout     -; ob is the thread
--   scope_join     (Scope)         1 all ended, 0 timeout       threads left
--   select         (select)        index from 1, 0 timeout      -; follows the op that
--                                                               took effect, in its step
--   settle sleep io print clock end   only in wait and yield (clock: the time was read)
--   timer pool_join                   only in wait and yield: a Timer until its time, a
--                                     Pool's shutdown until its workers have ended
--
-- What takes is stamped after it has taken, what gives before it gives; ties by time
-- are ordered give before take. So no two owners overlap, in the real world neither.
-- Local is private to a thread, and not recorded.
local json = require "luasync.trace.json"

local recording = {}

recording.FORMAT = "luasync timeline"
recording.VERSION = 1

recording.KINDS = { "op", "wait", "wake", "moved", "go", "turn", "yield", "clock", "out", "end", "err", "handed" }

recording.OPS = {
  "acquire", "try_acquire", "release", "wait", "reacquire", "notify", "set", "clear", "is_set", "wait_set",
  "down", "try_down", "up", "value", "put", "get", "try_put", "try_get", "task_done", "queue_join", "shutdown",
  "look", "read", "write", "update", "pairs", "start", "join", "interrupt", "end", "sleep", "clock", "print",
  "acquire_read", "try_read", "release_read", "acquire_write", "try_write", "release_write",
  "barrier_wait", "barrier_abort", "barrier_reset", "submit", "take", "run", "resolve", "cancel", "result",
  "scope_join", "select", "settle", "io", "timer", "pool_join",
}

local COLUMNS = { "t", "th", "k", "op", "ob", "at", "a", "b" }
recording.COLUMNS = COLUMNS

-- ------------------------------------------------------------------ checking

local function fail(...) error({ trace = string.format(...) }, 0) end

local function list(value, where)
  if type(value) ~= "table" then fail("%s is missing", where) end
  return value
end

local function is_text(value) return type(value) == "string" end
local function is_integer(value) return math.type(value) == "integer" end

-- Every number of a column lies in low..high; `where` names the column.
local function column(values, n, low, high, where)
  if #list(values, where) ~= n then fail("%s has %d entries, not %d", where, #values, n) end
  for i = 1, n do
    local value = values[i]
    if not is_integer(value) or value < low or value > high then
      fail("%s: event %d says %s, not a number from %d to %d", where, i - 1, tostring(value), low, high)
    end
  end
end

local function check_events(doc, run, where)
  local events = list(run.events, where .. ".events")
  where = where .. ".events."
  local n = #list(events.t, where .. "t")
  local most = math.maxinteger
  column(events.t, n, 0, most, where .. "t")
  column(events.th, n, -1, #run.threads - 1, where .. "th")
  column(events.k, n, 0, #doc.kinds - 1, where .. "k")
  column(events.op, n, -1, #doc.ops - 1, where .. "op")
  column(events.ob, n, -1, #run.objects - 1, where .. "ob")
  column(events.at, n, 0, #run.places - 1, where .. "at")
  column(events.a, n, math.mininteger, most, where .. "a")
  column(events.b, n, math.mininteger, most, where .. "b")
  for key, text in pairs(events.text or {}) do
    local i = math.tointeger(tonumber(key))
    if not i or i < 0 or i >= n or not is_text(text) then fail("%stext[%s] is no text of an event", where, key) end
  end
end

local function check_run(doc, run, where)
  list(run, where)
  if run.verdict ~= nil and not is_text(list(run.verdict, where .. ".verdict").kind) then
    fail("%s.verdict has no kind", where)
  end
  for i, thread in ipairs(list(run.threads, where .. ".threads")) do
    if type(thread) ~= "table" or not is_text(thread.name) then fail("%s.threads[%d] has no name", where, i - 1) end
  end
  for i, object in ipairs(list(run.objects, where .. ".objects")) do
    if type(object) ~= "table" or not is_text(object.kind) or not is_text(object.name) then
      fail("%s.objects[%d] has no kind or name", where, i - 1)
    end
    local thread = object.thread
    if thread and not (is_integer(thread) and run.threads[thread + 1]) then
      fail("%s.objects[%d].thread is no thread", where, i - 1)
    end
  end
  for i, place in ipairs(list(run.places, where .. ".places")) do
    if type(place) ~= "table" or not is_integer(place[1]) or not is_integer(place[2]) or place[1] >= #doc.files then
      fail("%s.places[%d] is no file and line", where, i - 1)
    end
  end
  check_events(doc, run, where)
end

local function check_compare(doc)
  local compare = doc.compare
  if not compare then return end
  if not (doc.runs[(compare.a or -1) + 1] and doc.runs[(compare.b or -1) + 1]) then
    fail("compare names a run that is not there")
  end
end

local function check(doc)
  if type(doc) ~= "table" or doc.format ~= recording.FORMAT then fail("not a recording of luasync") end
  if doc.version ~= recording.VERSION then
    fail("a recording of version %s; this luasync reads version %d", tostring(doc.version), recording.VERSION)
  end
  for _, name in ipairs { "kinds", "ops", "files", "runs" } do list(doc[name], name) end
  if #doc.runs == 0 then fail("runs is empty") end
  for i, run in ipairs(doc.runs) do check_run(doc, run, ("runs[%d]"):format(i - 1)) end
  check_compare(doc)
  return doc
end

-- Calls f(...) and turns a complaint of `fail` into nil, message.
local function guarded(f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  if type(result) == "table" and result.trace then return nil, result.trace end
  error(result, 0)
end

--- Checks a recording that is a table already.
-- @return the table; or nil and what is wrong with it
function recording.check(doc)
  return guarded(check, doc)
end

--- Reads a recording from its JSON text.
-- @return the table, checked; or nil and what is wrong
function recording.parse(text)
  local doc, message, cut = json.decode(text)
  if doc == nil then
    if cut then return nil, ("the recording is cut off (after %d bytes)"):format(#text) end
    return nil, "not a recording of luasync: " .. message
  end
  return recording.check(doc)
end

--- The JSON text of a page that luasync has written, or nil.
function recording.of_page(html)
  return html:match '<script type="application/json" id="data">(.-)</script>'
end

-- The order in which names are written; others follow by the alphabet.
local NAMES = {
  "format", "version", "program", "kinds", "ops", "files", "runs", "compare",
  "title", "world", "seed", "schedule", "command", "epoch", "elapsed", "lost", "verdict", "threads", "objects",
  "places", "events", "kind", "exit", "sentence", "circle", "name", "path", "daemon", "by", "max", "first", "lock",
  "of", "thread", "internal", "part", "pair", "n", "t", "th", "k", "op", "ob", "at", "a", "b", "text",
}

--- The canonical JSON text of a recording: the same table gives the same bytes.
function recording.encode(doc)
  return json.encode(doc, { order = NAMES, objects = { text = true, verdict = true, events = true } })
end

return recording

--- The reference: luasync.trace, recordings of what threads did. See luasync.reference for the shape of an entry.

-- A recording of two events, for the examples.
local SMALL = [[
local trace = require "luasync.trace"
local recording = assert(trace.parse{
  format = "luasync timeline", version = 1, kinds = { "op", "out" }, ops = { "acquire", "print" },
  files = { { name = "a.lua", path = "a.lua" } },
  runs = { { world = "seeded", threads = { { name = "MainThread" } }, objects = { { kind = "Lock", name = "A" } },
    places = { { -1, -1 }, { 0, 3 }, { 0, 4 } },
    events = { t = { 0, 0 }, th = { 0, 0 }, k = { 0, 1 }, op = { 0, 1 }, ob = { 0, -1 }, at = { 1, 2 },
      a = { 1, 1 }, b = { 1, 0 }, text = { ["1"] = "hello" } } } },
})
]]

local RUN = { "run", "integer?", "which run of the recording, from 1; default 1" }

return {
  title = "Timelines",
  {
    name = "luasync.trace", kind = "module", aliases = { "trace" }, call = 'require "luasync.trace"',
    about = "Recordings of what threads did, for tools and specs: read, asked for events, states and orders, and "
      .. "written as a page that opens in any browser, as JSON, Chrome trace events, a Mermaid diagram, SVG or text. "
      .. "It needs nothing but Lua 5.4.",
    example = SMALL .. [[
for event in recording:events() do print(event.step, event.thread, event.kind, event.op, event.object) end
print(recording:sentence(1))]],
    output = "1\tMainThread\top\tacquire\tA\n2\tMainThread\tout\tprint\tnil\nMainThread takes Lock 'A'",
    see = { "trace.read", "trace.write", "Recording:order" },
  },
  {
    name = "trace.read", kind = "function", call = "trace.read(file)",
    about = "Reads a recording: a .json file, or the page that was made of one.",
    args = { { "file", "string", "its path" } },
    returns = { { "Recording?", "nil if it cannot be read" }, { "string?", "why not" } },
    example = [[print(require "luasync.trace".read "/no/such/run.json")]],
    output = "nil\tcannot read /no/such/run.json: No such file or directory",
    see = { "trace.parse", "trace.write" },
  },
  {
    name = "trace.parse", kind = "function", call = "trace.parse(value)",
    about = "Makes a recording of its JSON text, or of a table of that form. All of it is checked.",
    args = { { "value", "string|table", "" } },
    returns = { { "Recording?", "nil if it is none" }, { "string?", "what is wrong with it" } },
    example = [[print(require "luasync.trace".parse '{"format": "luasync ti')]],
    output = "nil\tthe recording is cut off (after 22 bytes)",
    see = { "trace.read" },
  },
  {
    name = "trace.write", kind = "function", call = "trace.write(recording, file)",
    about = "Writes a recording in the form that the file's ending names: .html a page, .json the recording itself, "
      .. ".perfetto.json Chrome trace events, .mmd a Mermaid sequence diagram, .svg the picture, .txt plain "
      .. "characters. The file - is stderr, and gets those.",
    args = { { "recording", "Recording|string|table", "a recording, or what trace.parse takes" },
      { "file", "string", "its path" } },
    returns = { { "boolean?", "true; nil if it could not be written" }, { "string?", "why not" } },
    example = SMALL .. [[print(trace.write(recording, "run.gif"))]],
    output = "nil\tunknown ending of 'run.gif': use .html, .json, .perfetto.json, .mmd, .svg or .txt",
    see = { "trace.format", "trace.can_write" },
  },
  {
    name = "trace.format", kind = "function", call = "trace.format(recording, ending)",
    about = "The text that trace.write would write.",
    args = { { "recording", "Recording|string|table", "" }, { "ending", "string", '".html", ".json", ".txt", …' } },
    returns = { { "string?", "nil for an unknown ending, or what is no recording" }, { "string?", "why not" } },
    example = SMALL .. [[io.write(trace.format(recording, ".mmd"))]],
    output = "sequenceDiagram\n  participant t0 as MainThread\n"
      .. "  Note over t0: takes Lock 'A'<br/>prints \"hello\"",
    see = { "trace.write" },
  },
  {
    name = "trace.can_write", kind = "function", call = "trace.can_write(file)",
    about = "Whether trace.write knows the ending of a file's name.",
    args = { { "file", "string", "its path" } },
    returns = { { "boolean?", "true, or nil" }, { "string?", "which endings there are" } },
    example = [[print(require "luasync.trace".can_write "run.perfetto.json")]], output = "true",
    see = { "trace.write" },
  },
  {
    name = "trace.waits", kind = "function", call = "trace.waits(recording [, run])",
    about = "Where time went, as a table: for each object who waited how long for whom, for each thread how long it "
      .. "ran, was ready, waited and slept, and the critical path.",
    args = { { "recording", "Recording|string|table", "" }, RUN },
    returns = { { "string", "the text" } },
    example = SMALL .. [[print(trace.waits(recording):match "[^\n]*")]], output = "nobody waited",
    see = { "luasync.trace" },
  },
  {
    name = "trace.lock_order", kind = "function", call = "trace.lock_order(recording [, run])",
    about = "The warnings of `--lock-order`: locks that different threads take in opposite orders, with the lines.",
    args = { { "recording", "Recording|string|table", "" }, RUN },
    returns = { { "string", 'the text; "" where there is nothing to warn of' } },
    example = SMALL .. [[print(trace.lock_order(recording) == "")]], output = "true",
    see = { "--lock-order" },
  },
  {
    name = "trace.check", kind = "function", call = "trace.check(recording [, run])",
    about = "What makes a recording impossible: owners that overlap, a get without its put, a wake of who does not "
      .. "wait, values that jump.",
    args = { { "recording", "Recording|string|table", "" }, RUN },
    returns = { { "string[]", "complaints, at most 20; none for a true recording" } },
    example = SMALL .. [[print(#trace.check(recording))]], output = "0",
    see = { "luasync.trace" },
  },
  {
    name = "Recording:events", kind = "method", call = "recording:events([run])",
    about = "Iterates over the events of a run in the order of effects. An event is a table: `index`, `step`, `time` "
      .. "in nanoseconds, `kind`, `op`, `thread`, `object`, `object_kind`, `file`, `line`, the numbers `a` and `b`, "
      .. "`text`.",
    args = { RUN }, returns = { { "fun(): table?", "" } }, units = "Times are nanoseconds.",
    see = { "luasync.trace" },
  },
  {
    name = "Recording:steps", kind = "method", call = "recording:steps([run])",
    about = "How many steps a run has. A step is what takes effect as one thing, and what it causes.",
    args = { RUN }, returns = { { "integer", "" } },
    example = SMALL .. "print(recording:steps())", output = "2", see = { "Recording:state" },
  },
  {
    name = "trace.start", kind = "function", call = "sync.trace.start([opts])", aliases = { "flight recorder" },
    about = "Records from now on what the threads of this world do, and forgets what had been recorded before. When "
      .. "more happens than is kept, the newest events stay, and the recording says how many are lost. "
      .. "The environment variable LUASYNC_TRACE=FILE records a run, and writes it where that fails.",
    args = { { "opts", "{ events: integer }?", "how many events are kept, about; default 1,000,000" } },
    errors = { { "field 'events' must be a positive integer", "it is something else",
      "sync.trace.start{ events = 0 }" } },
    example = [[
local report = sync.simulate(function()
  sync.trace.start{ events = 1000 }
  local lock = sync.Lock{ name = "door" }
  lock:acquire()
  local file = os.tmpname()
  assert(sync.trace.save(file .. ".json"))
  local recording = require "luasync.trace".read(file .. ".json")
  os.remove(file)
  os.remove(file .. ".json")
  return recording:sentence(1)
end)
print(report.results[1])]],
    output = "MainThread takes Lock 'door'", see = { "trace.save", "--trace", "trace.read" },
  },
  {
    name = "trace.stop", kind = "function", call = "sync.trace.stop()",
    about = "Ends the recording. What has been recorded can still be saved, and is written where the command was to.",
    returns = { { "boolean", "whether anything was recorded" } },
    example = "print(sync.trace.stop())", output = "false", see = { "trace.start", "trace.save" },
  },
  {
    name = "trace.save", kind = "function", call = "sync.trace.save(file)",
    about = "Writes what has been recorded up to now; the ending of the file's name says in which form. "
      .. "Recording goes on.",
    args = { { "file", "string", "its path" } },
    returns = { { "boolean?", "true; nil if it could not be written" }, { "string?", "why not" } },
    example = 'print(sync.simulate(function() return sync.trace.save "run.json" end).results[2])',
    output = "nothing is recorded: call start first", see = { "trace.start", "trace.write" },
  },
  {
    name = "Recording:state", kind = "method", call = "recording:state(step [, run])",
    about = "What threads do and objects hold after a step: `threads`, a list of { name, state, waits_for, holds, "
      .. "file, line }; `objects`, a list of { name, text }.",
    args = { { "step", "integer", "0 is before the first" }, RUN }, returns = { { "table", "" } },
    errors = { { "step must be an integer from 0 to 2", "there is no such step", SMALL .. "recording:state(3)" } },
    example = SMALL .. "print(recording:state(1).threads[1].holds[1], recording:state(1).objects[1].text)",
    output = "Lock 'A'\theld by MainThread", see = { "Recording:sentence" },
  },
  {
    name = "Recording:sentence", kind = "method", call = "recording:sentence(step [, run])",
    about = "A step in words, with its consequences.",
    args = { { "step", "integer", "0 is before the first" }, RUN }, returns = { { "string", "" } },
    example = SMALL .. "print(recording:sentence(2))", output = 'MainThread prints "hello"',
    see = { "Recording:state" },
  },
  {
    name = "Recording:order", kind = "method", call = "recording:order(list [, run])",
    about = "Whether events come in an order, each behind the one before. A description is words that an event "
      .. "has all of: its operation, thread, object, value, kind or place: \"put 1\", \"P1 acquire A\", "
      .. "\"wait a.lua:8\".",
    args = { { "list", "string[]", "descriptions" }, RUN },
    returns = { { "boolean?", "true, or nil" }, { "string?", "which one does not come: for assert" } },
    example = SMALL .. 'print(recording:order{ "acquire A", "print hello" })\n'
      .. 'print(recording:order{ "print hello", "acquire A" })',
    output = "true\nnil\t\"acquire A\" does not come after \"print hello\" (step 2)", see = { "Recording:events" },
  },
}

--- The reference: what holds for many names at once. See luasync.reference for the shape of an entry.

return {
  title = "Topics",
  {
    name = "timeouts", kind = "topic", aliases = { "timeout", "blocking" },
    about = "Every blocking call takes a timeout in seconds, integer or float. nil or math.huge waits for ever, 0 "
      .. "tries once, anything else waits that long on the monotonic clock and never less. A negative number, NaN or "
      .. "anything but a number raises \"timeout must be a non-negative number\", also where no waiting would have "
      .. "been needed. A wait that ran out is a result, not an error: false, or `nil, \"reason\"`. Calls with "
      .. "`[blocking [, timeout]]` take a number in the place of blocking as the timeout.",
    example = [[
local event = sync.Event()
print(event:wait(0))
print(event:wait(0.01))
print((pcall(event.wait, event, -1)))]],
    output = "false\nfalse\nfalse",
    python = "timeout=None is for ever; a timeout raises queue.Empty, queue.Full or returns False",
  },
  {
    name = "crossing", kind = "topic", aliases = { "copying", "messages" },
    about = "Every thread has its own Lua state. What goes from one to another (a thread's target, arguments and "
      .. "results, queue items, errors) is copied: nil, booleans, numbers, strings and light userdata by value; "
      .. "tables deeply, with shared references, cycles and metatables; Lua functions as code with the locals they "
      .. "capture, where functions that share a captured local still share it there. luasync objects are never "
      .. "copied: they arrive as themselves. They live until no state, queue or Shared refers to them; those that are"
      .. " reached from each other only, such as a queue that contains itself, are collected now and then, by a second"
      .. " `collectgarbage()` in a row at the latest. C functions and modules that package.loaded has, and io.stdin, "
      .. "io.stdout, io.stderr, arrive by name (see `classes`). A value whose metatable has `__transfer(self)` "
      .. "crosses as that says: it returns a function and its arguments, called in the receiver; 10,000 of these at "
      .. "most lie within one another. Coroutines, other userdata and unknown C functions cannot cross: an error says "
      .. "where, and nothing has been sent. Hence "
      .. "assigning to a captured local changes that thread's copy only; use results, a queue or a Shared to bring "
      .. "something back.",
    example = [[
warn "@off"   -- or it says that n and list are lost, see `copies`
local n, list, queue = 1, { 1 }, sync.Queue()
local t = sync.spawn(function()
  n = n + 1
  list[2] = n
  queue:put("by reference")
  return n
end)
print("there " .. t:result(), "here " .. n, #list, queue:get())
print(pcall(sync.spawn, print, { co = coroutine.create(print) }))]],
    output = "there 2\there 1\t1\tby reference\nfalse\tcannot send a coroutine (at args[1].co)",
    python = "Python threads share everything; multiprocessing copies",
    see = { "copies", "globals", "classes", "Shared" },
  },
  {
    name = "copies", kind = "topic", aliases = { "warnings", "warn" },
    about = "A thread that assigns a captured local or a global, or stores into a captured plain table, changes a copy."
      .. " Where somebody else looks at the variable after that, luasync warns on stderr, once for each function and "
      .. "variable: the line of the assignment, what the value was and is, the thread, where else it is read, and what "
      .. "to write instead. What was sent (to a thread, or with a task to a Pool) is compared with what has become of "
      .. "it when the function returns or fails, and now and then before it waits; who looks at it is read from the "
      .. "source, where functions and methods are passed the table, too."
      .. " There is no warning of what only the thread itself uses (a cache, a counter), nor of "
      .. "a variable that is assigned anew before it is read, as in `count = t:result()`. At the prompt each change "
      .. "of a global is one that somebody may look at. `warn(\"@off\")` turns these warnings off for the whole "
      .. "program, `warn(\"@on\")` on again; they are on at first.",
    example = [[
warn "@off"                    -- on this page
local count = 0
local function work() count = count + 1 return count end
sync.spawn(work):join()        -- "'count' 0 → 1 in Thread-1 (work), its own copy; still 0 in MainThread, …"
print(count)
count = sync.spawn(work):result()
print(count)
local shared = sync.Shared{ count = 0 }
sync.spawn(function() shared.count = shared.count + 1 end):join()
print(shared.count)]],
    output = "0\n1\n1",
    python = "threads share all variables", see = { "crossing", "globals", "Shared" },
  },
  {
    name = "classes", kind = "topic", aliases = { "modules", "metatables", "package.preload" },
    about = "A class is one class in each thread, however it gets there: as metatable, as a field such as "
      .. "obj.class, as a parent, as a value. A table counts as one when it serves as a metatable, has an `__index` "
      .. "that is a table or function, or is callable and keeps such a table in a field like `__base`. It is sent "
      .. "to a thread once, with its methods and what they capture, as it is then; the thread's copy has a life of "
      .. "its own. When the class or a parent gains a field, a thread learns it with the next instance that comes; "
      .. "what a field was changed to is seen by threads started later. What a module holds (its functions, tables "
      .. "and classes) is the receiver's own, where it can load the module too: changing a module's table in one "
      .. "thread is not seen by another. A module in no file (from package.preload, a searcher of the script, or "
      .. "put into package.loaded) is copied, once a thread, and threads started later can require it. A thread "
      .. "begins with the package.path and package.cpath of its starter; what a sender's have gained since is added "
      .. "to its own where it needs a module of the sender and does not find it. If a module cannot be loaded after "
      .. "all, what arrives in its place raises an error when it is used, and no item is lost.",
    example = [[
local Point = {}
Point.__index = Point
function Point:double() return setmetatable({ x = 2 * self.x, class = Point }, Point) end
package.preload.shapes = function() return { Point = Point } end
local queue = sync.Queue()
queue:put(setmetatable({ x = 1, class = Point }, Point))
local t = sync.spawn(function()
  local point = queue:get()
  return point:double(), getmetatable(point) == point.class, type(require "shapes".Point)
end)
local point, same, kind = t:result()
print(point.x, getmetatable(point) == Point, point.class == Point, same, kind)]],
    output = "2\ttrue\ttrue\ttrue\ttable",
    python = "pickle sends classes by name too", see = { "crossing", "globals" },
  },
  {
    name = "globals", kind = "topic",
    about = "Globals that the script itself has set go along with a thread's function, when its code, or that of a "
      .. "function it takes along, names them. They are copied as captured locals are, so a script that keeps its "
      .. "event and its helper functions in globals works as it stands; assigning to one changes that thread's copy."
      .. " So do globals that the environment supplies by `__index` (specs of busted, require \"pl\"), and what the "
      .. "script has added to Lua's library tables (`function string.words…`).",
    example = [[
warn "@off"   -- or it says that count is lost, see `copies`
done = sync.Event()
count = 0
function work()
  count = count + 1
  done:set()
  return count
end
print(sync.spawn(work):result(), count, done:is_set())]],
    output = "1\t0\ttrue",
    python = "globals are shared there", see = { "crossing", "copies" },
  },
  {
    name = "order", kind = "topic", aliases = { "fairness", "waiting" },
    about = "Threads that wait for an object stand in line and are woken first come, first served. A lock or an item "
      .. "that has become free may be taken by a newcomer before the woken thread runs; that thread then goes back to "
      .. "the head of the line, and a lock is handed to it directly the next time.",
    example = [[
local queue, order = sync.Queue(), sync.Queue()
for i = 1, 3 do
  sync.spawn(function() order:put(i .. " gets " .. queue:get()) end)
  sync.sleep(0.05)
end
for _, item in ipairs{ "a", "b", "c" } do
  queue:put(item)
  print(order:get())
end]],
    output = "1 gets a\n2 gets b\n3 gets c",
    python = "no order is promised there",
  },
  {
    name = "names", kind = "topic", aliases = { "tostring", "equality" },
    about = "Every object has a name: the one given by `{ name = \"…\" }`, or its kind and number. tostring shows "
      .. "kind, name and state. Two variables of one object are equal (==) in every thread; as keys of a Shared they "
      .. "are the same key.",
    example = [[
print(sync.Lock{ name = "A" })
print(sync.Event())
print(sync.Queue(10, { name = "inbox" }))
print(sync.Semaphore(2))
print(sync.current_thread())
local q, lock = sync.Queue(), sync.Lock()
q:put(lock)
print(q:get() == lock)]],
    output = [[
Lock 'A' (unlocked)
Event 'Event-1' (unset)
Queue 'inbox' (0 of 10 items)
Semaphore 'Semaphore-1' (value 2)
Thread 'MainThread' (started)
true]],
    python = "repr",
  },
  {
    name = "ends", kind = "topic", aliases = { "exit", "exit codes", "daemons" },
    about = "At the end of the script the threads that are not daemons are waited for; daemons are then stopped "
      .. "wherever they are, and never delay or crash the exit. Exit codes: 0; 1 for an error in the script, a usage "
      .. "error, or an error in any thread that was left to the default hook and never taken with result(); 3 for a "
      .. "deadlock. os.exit(n) ends the program at once with n, its output flushed. Ctrl-C raises "
      .. "\"interrupted!\" in the main thread; a second one ends the program.",
    example = [[
sync.Thread{ daemon = true, target = function() while true do end end }:start()
sync.spawn(function()
  sync.sleep(0.02)
  print("the last word")
end)
print("end of script")]],
    output = "end of script\nthe last word",
    python = "the same; an error in a thread does not change the exit code there",
    see = { "Thread.daemon", "set_excepthook" },
  },
  {
    name = "output", kind = "topic", aliases = { "print", "io.write" },
    about = "print and io.write write all arguments of one call in one piece: lines of several threads never mix.",
    example = [[
local function work() for _ = 1, 50 do print("one", "line") end end
local a, b = sync.spawn(work), sync.spawn(work)
a:join()
b:join()]],
    output = ("one\tline\n"):rep(100):sub(1, -2),
    python = "print writes piece by piece there",
  },
  {
    name = "hints", kind = "topic", aliases = { "hint", "did you mean" },
    about = "Below the message of an error of a script, of a thread or at the prompt stands a line `hint: ...` where "
      .. "message and source line show what was meant: a colon for a dot, a name misspelled, a word of Python. The "
      .. "message, what runs and the exit code are as without it. `Thread{ daemon = True }`, which writes nil and is "
      .. "no error, is warned of on stderr, once a line; so is a `target` that turned out nil.",
    example = [[
local hints = require "luasync.hints"
print(hints.cure("attempt to call a nil value (global 'len')", io.open))]],
    output = "Python's len(x) is #x",
  },
  {
    name = "stock", kind = "topic", aliases = { "stock Lua", "lua5.4", "installation" },
    about = "`make install` installs the command luasync, and the C module luasync.so for stock lua5.4, which can "
      .. "`require \"luasync\"` as well: the same objects and rules. There the end of the script is the closing of the "
      .. "main state, and the main thread's io.popen is lua5.4's own: a program that another thread has started "
      .. "meanwhile holds that pipe open too, so close() may wait for it. In the command nothing is installed or "
      .. "searched: module and Lua files are inside. In both debug.getregistry returns a view: what C code keeps under "
      .. "addresses, and metatables of luasync, are not in it, and raw functions (next, rawget) find nothing there.",
    example = 'assert(package.loaded.luasync == require "luasync")',
  },
  {
    name = "busted", kind = "topic",
    about = "`busted --lua=luasync` runs specs in the command; plain busted runs them in lua5.4 with the C module. "
      .. "Options for the command stand in LUASYNC_FLAGS: `LUASYNC_FLAGS='--seed 7' busted --lua=luasync`. With "
      .. "`--lua='exec luasync'` no shell stands between, which Ctrl-\\ would end: it shows the dump, and the run goes "
      .. "on. A function that goes from a spec to a thread sees Lua's own assert there, unless the spec has loaded "
      .. "luasync.testing. Give every wait in a spec a timeout, so that a failure is a failure and not a run without "
      .. "end.",
    python = "unittest", see = { "luasync.testing", "LUASYNC_FLAGS" },
  },
}

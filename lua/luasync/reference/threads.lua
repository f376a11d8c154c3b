--- The reference: Thread. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

return {
  title = "Threads",
  {
    name = "Thread", kind = "constructor",
    call = "sync.Thread{ target=fn, args={…}, name=, daemon= }, sync.Thread(fn, ...)",
    about = "Makes a thread that will call `target` with `args` once it is started. Each thread has its own Lua state "
      .. "and runs on a processor of its own; the target, what it captures and its arguments are copied there at "
      .. "start() (see `crossing`). Without a name it is called `Thread-N`, or `Thread-N (f)` where the target is "
      .. "found in a local, captured or global variable `f` of the caller. `daemon` is inherited from the creator "
      .. "where it is not given. A thread without a target ends as soon as it runs.",
    args = {
      { "target", "function|{ target: function, args: table, name: string, daemon: boolean }",
        "the function to run, or a table of options; `args` may carry `n`, as table.pack makes it" },
      { "...", "any", "the target's arguments, in the form `Thread(fn, ...)`" },
    },
    returns = { { "Thread", "a thread, not started" } },
    errors = {
      { "function expected, got number", "the target cannot be called: found here, not in the thread",
        "sync.Thread(42)" },
      { "unknown option 'targt'", "the table has a field that is no option", "sync.Thread{ targt = print }" },
      { "field 'args': table expected, got string", "an option has the wrong type",
        "sync.Thread{ target = print, args = 'x' }" },
    },
    example = [[
local function greet(name, mark)
  print("hello, " .. name .. mark)
end
local t = sync.Thread{ target = greet, args = { "world", "!" }, name = "greeter" }
print(t)
t:start():join()
print(t)
print(sync.Thread(greet, "you").name)]],
    output = [[
Thread 'greeter' (initial)
hello, world!
Thread 'greeter' (stopped)
Thread-1 (greet)]],
    python = "threading.Thread(target=, args=, name=, daemon=)",
    see = { "Thread:start", "spawn", "crossing" },
  },
  {
    name = "spawn", kind = "function", call = "sync.spawn(fn, ...)",
    about = "Makes a thread that calls `fn(...)` and starts it.",
    args = { { "fn", "function", "what the thread runs" }, { "...", "any", "its arguments" } },
    returns = { { "Thread", "the started thread" } },
    errors = { { "function expected, got nil", "fn cannot be called", "sync.spawn(nil)" } },
    example = [[
local t = sync.spawn(math.max, 3, 9, 5)
assert(t:result() == 9)]],
    python = "Thread(...).start()",
    see = { "Thread", "Thread:result" },
  },
  {
    name = "Thread:start", kind = "method", call = "t:start()",
    about = "Starts the thread. Target and arguments are copied now: a list changed after the constructor and before "
      .. "start() is seen as it is now. A handle that was sent to another thread before has taken along what there was "
      .. "by then, for a start over there. If the copying fails, or there is no more room for a thread, nothing has "
      .. "happened and start() may be called again.",
    returns = { { "Thread", "t, so that calls can be chained" } },
    errors = {
      { "threads can only be started once", "it has been started before, also if it has ended",
        "sync.spawn(print):start()" },
      { "can't start new thread", "the system has no more threads or memory" },
      { "cannot send a coroutine (at args[1])", "an argument cannot cross",
        "sync.Thread(print, coroutine.create(print)):start()" },
    },
    example = [[
local t = sync.Thread(print, "running")
assert(t:start() == t)
t:join()]],
    output = "running",
    python = "Thread.start", see = { "Thread", "crossing" },
  },
  {
    name = "Thread:join", kind = "method", call = "t:join([timeout])",
    about = "Waits until the thread has ended. Its error, if it ended by one, is not raised here; see Thread:result.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: it has ended; false: the time ran out" } },
    errors = {
      { "cannot join current thread", "t is the calling thread", "sync.current_thread():join()" },
      { "cannot join thread before it is started", "t has not been started", "sync.Thread(print):join()" },
      words.bad_timeout "sync.spawn(math.abs, 1):join(-1)",
    },
    example = [[
local event = sync.Event()
local t = sync.spawn(event.wait, event)
assert(t:join(0.01) == false)
event:set()
assert(t:join() == true)]],
    python = "Thread.join, then Thread.is_alive",
    see = { "Thread:result", "timeouts" },
  },
  {
    name = "Thread:result", kind = "method", call = "t:result([timeout])",
    about = "Waits until the thread has ended and returns what its target returned. If it ended by an error, raises "
      .. "that error; an error taken in this way no longer makes the program exit with code 1. May be called more "
      .. "than once and from several threads. An error value that cannot cross is replaced by the "
      .. "error that says why.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "any", "the target's results, copied; or nil, \"timeout\" where the time ran out" } },
    errors = {
      { "cannot join current thread", "t is the calling thread", "sync.current_thread():result()" },
      { "cannot join thread before it is started", "t has not been started", "sync.Thread(print):result()" },
      words.bad_timeout "sync.spawn(math.abs, 1):result('x')",
      { "(the target's error)", "the target raised it" },
    },
    example = [[
local t = sync.spawn(function(a, b) return a // b, a % b end, 17, 5)
print(t:result())
sync.set_excepthook(function() end)
local bad = sync.spawn(function() error({ code = 7 }) end)
local ok, err = pcall(bad.result, bad)
print(ok, err.code)]],
    output = "3\t2\nfalse\t7",
    python = "concurrent.futures.Future.result (threading has none)",
    see = { "Thread:join", "set_excepthook" },
  },
  {
    name = "Thread:is_alive", kind = "method", aliases = { "Thread:isAlive" }, call = "t:is_alive()",
    about = "Whether the thread has been started and has not ended.",
    returns = { { "boolean", "" } },
    example = [[
local t = sync.Thread(print, "x")
assert(not t:is_alive())
assert(sync.current_thread():is_alive())]],
    python = "Thread.is_alive", see = { "Thread:join" },
  },
  {
    name = "Thread:interrupt", kind = "method", call = "t:interrupt([message])",
    about = "Makes the thread raise an error: at once where it waits in a blocking call, else at its next "
      .. "instruction of Lua code. The error is the plain string \"interrupted\", without a position, or the message. "
      .. "It can be caught like any other, and locks held by `hold` or `with` are released on its way. One interrupt "
      .. "is pending at most: while it is, further ones change nothing. A Condition:wait that is interrupted has its "
      .. "lock back before it raises.",
    args = { { "message", "any?", "the error value; anything that can cross (see `crossing`)" } },
    returns = { { "boolean", "true; false: t has ended already" } },
    errors = {
      { "cannot interrupt thread before it is started", "t has not been started", "sync.Thread(print):interrupt()" },
      { "cannot send a coroutine (at error)", "the message cannot cross",
        "local q = sync.Queue(); local t = sync.Thread{ target = q.get, args = { q }, daemon = true }:start(); "
        .. "t:interrupt(coroutine.create(print))" },
    },
    example = [[
local ready = sync.Event()
local t = sync.spawn(function()
  return pcall(function()
    ready:set()
    sync.sleep(math.huge)
  end)
end)
ready:wait()
t:interrupt()
print(t:result())]],
    output = "false\tinterrupted",
    see = { "Thread:result" },
  },
  {
    name = "Thread.name", kind = "property", type = "string", call = "t.name",
    about = "The thread's name, to read and to write at any time. It need not be unique. It is also the name that ps, "
      .. "top and gdb show, cut to the 15 bytes the system allows.",
    errors = { { "name must be a string, got nil", "anything but a string (or number) is assigned",
      "sync.current_thread().name = nil" } },
    example = [[
local t = sync.current_thread()
print(t.name)
t.name = "boss"
print(t)]],
    output = "MainThread\nThread 'boss' (started)",
    python = "Thread.name", see = { "Thread:getName" },
  },
  {
    name = "Thread.daemon", kind = "property", type = "boolean", call = "t.daemon",
    about = "Whether the program may end while this thread runs. Written before start() only. At the end of the script "
      .. "the threads that are not daemons are waited for; daemons are then stopped wherever they are.",
    errors = { { "cannot set daemon status of active thread", "the thread has been started, also if it has ended",
      "sync.current_thread().daemon = true" } },
    example = [[
local t = sync.Thread(function() while true do sync.sleep(10) end end)
t.daemon = true
t:start()
print(t.daemon)   -- and the program ends here]],
    output = "true",
    python = "Thread.daemon", see = { "ends", "Thread:isDaemon" },
  },
  {
    name = "Thread.ident", kind = "property", type = "integer?", call = "t.ident",
    about = "A number other than 0 that no other thread of this program has or had; nil before start(). Read-only.",
    example = [[
assert(sync.Thread(print).ident == nil)
assert(sync.current_thread().ident == sync.get_ident())]],
    python = "Thread.ident", see = { "get_ident" },
  },
  {
    name = "Thread.native_id", kind = "property", type = "integer?", call = "t.native_id",
    about = "The kernel's number of the thread, as ps and top show it; nil before start(). Read-only.",
    example = [[
assert(sync.Thread(print).native_id == nil)
assert(sync.current_thread().native_id == sync.get_native_id())]],
    python = "Thread.native_id", see = { "get_native_id" },
  },
  {
    name = "Thread:getName", kind = "method", call = "t:getName()",
    about = "The older way to read `t.name`.", returns = { { "string", "" } },
    example = 'assert(sync.main_thread():getName() == "MainThread")',
    python = "Thread.getName", see = { "Thread.name" },
  },
  {
    name = "Thread:setName", kind = "method", call = "t:setName(name)",
    about = "The older way to write `t.name`.", args = { { "name", "string", "" } },
    errors = { { "string expected, got no value", "name is not a string", "sync.current_thread():setName()" } },
    example = [[
local t = sync.Thread(print)
t:setName("printer")
assert(t.name == "printer")]],
    python = "Thread.setName", see = { "Thread.name" },
  },
  {
    name = "Thread:isDaemon", kind = "method", call = "t:isDaemon()",
    about = "The older way to read `t.daemon`.", returns = { { "boolean", "" } },
    example = "assert(sync.current_thread():isDaemon() == false)",
    python = "Thread.isDaemon", see = { "Thread.daemon" },
  },
  {
    name = "Thread:setDaemon", kind = "method", call = "t:setDaemon(daemon)",
    about = "The older way to write `t.daemon`.", args = { { "daemon", "boolean", "" } },
    errors = { { "cannot set daemon status of active thread", "the thread has been started",
      "sync.current_thread():setDaemon(true)" } },
    example = [[
local t = sync.Thread(print)
t:setDaemon(true)
assert(t.daemon)]],
    python = "Thread.setDaemon", see = { "Thread.daemon" },
  },
}

--- The reference: the functions of the module itself. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

return {
  title = "The running program",
  {
    name = "current_thread", kind = "function", aliases = { "currentThread" }, call = "sync.current_thread()",
    about = "The Thread that runs this code. In stock Lua, an OS thread that another library has made becomes one, a "
      .. "daemon named Dummy-N, when its state requires luasync.", returns = { { "Thread", "" } },
    example = [[
print(sync.current_thread())
local t = sync.Thread{ name = "worker", daemon = true, target = function()
  print(sync.current_thread())
end }
t:start():join()]],
    output = "Thread 'MainThread' (started)\nThread 'worker' (started, daemon)",
    python = "threading.current_thread", see = { "main_thread", "enumerate" },
  },
  {
    name = "main_thread", kind = "function", call = "sync.main_thread()",
    about = "The Thread of the script, named MainThread.", returns = { { "Thread", "" } },
    example = [[
local t = sync.spawn(function() return sync.main_thread().name end)
assert(t:result() == "MainThread")]],
    python = "threading.main_thread", see = { "current_thread" },
  },
  {
    name = "enumerate", kind = "function", call = "sync.enumerate()",
    about = "All threads that run at this moment, the main one and daemons included, in the order of their start. The "
      .. "list is new at every call.",
    returns = { { "Thread[]", "a plain list" } },
    example = [[
local stop = sync.Event()
sync.Thread{ name = "one", target = stop.wait, args = { stop } }:start()
sync.Thread{ name = "two", target = stop.wait, args = { stop } }:start()
for _, t in ipairs(sync.enumerate()) do print(t.name) end
stop:set()]],
    output = "MainThread\none\ntwo",
    python = "threading.enumerate", see = { "active_count" },
  },
  {
    name = "active_count", kind = "function", aliases = { "activeCount" }, call = "sync.active_count()",
    about = "How many threads run at this moment: the length of `enumerate()`.", returns = { { "integer", "" } },
    example = "assert(sync.active_count() == #sync.enumerate())",
    python = "threading.active_count", see = { "enumerate" },
  },
  {
    name = "get_ident", kind = "function", call = "sync.get_ident()",
    about = "The `ident` of the running thread.", returns = { { "integer", "" } },
    example = "assert(sync.get_ident() == sync.current_thread().ident)",
    python = "threading.get_ident", see = { "Thread.ident" },
  },
  {
    name = "get_native_id", kind = "function", call = "sync.get_native_id()",
    about = "The kernel's number of the running thread.", returns = { { "integer", "" } },
    example = "assert(sync.get_native_id() == sync.current_thread().native_id)",
    python = "threading.get_native_id", see = { "Thread.native_id" },
  },
  {
    name = "cpu_count", kind = "function", call = "sync.cpu_count()",
    about = "How many processors the machine has.", returns = { { "integer", "at least 1" } },
    example = "assert(sync.cpu_count() >= 1)",
    python = "os.cpu_count",
  },
  {
    name = "sleep", kind = "function", call = "sync.sleep(seconds)",
    about = "Waits, never less than the time asked for. An interrupt ends it early, by an error.",
    args = { { "seconds", "number?", "nil or math.huge: for ever; fractions are fine" } }, units = words.seconds,
    errors = { words.bad_timeout "sync.sleep(-1)",
      { "value expected", "there is no argument at all", "sync.sleep()" } },
    example = [[
local begin = sync.monotonic()
sync.sleep(0.02)
assert(sync.monotonic() - begin >= 0.02)]],
    python = "time.sleep", see = { "timeouts" },
  },
  {
    name = "time", kind = "function", call = "sync.time()",
    about = "The wall clock: seconds since 1970-01-01 00:00 UTC, with fractions (os.time has none).",
    returns = { { "number", "a float" } }, units = words.seconds,
    example = "assert(math.abs(sync.time() - os.time()) < 2)",
    python = "time.time", see = { "monotonic" },
  },
  {
    name = "monotonic", kind = "function", call = "sync.monotonic()",
    about = "A clock that only goes forward, for measuring. Its zero has no meaning. Deadlines are kept on it.",
    returns = { { "number", "a float" } }, units = words.seconds,
    example = [[
local a = sync.monotonic()
assert(sync.monotonic() >= a)]],
    python = "time.monotonic", see = { "time" },
  },
  {
    name = "set_excepthook", kind = "function", call = "sync.set_excepthook(fn)",
    about = "Sets what happens to an error that ends a thread. `fn(thread, error, traceback)` runs in the failing "
      .. "thread, before it counts as ended; it is copied there, as every function is. The default writes `Exception "
      .. "in thread NAME:`, the error and a traceback to stderr, and makes the program exit with code 1 unless "
      .. "somebody takes the error with result(). If fn itself fails, `Exception in excepthook:` and the default "
      .. "follow. The hook holds for all threads, also for those already running.",
    args = { { "fn", "function?", "nil restores the default" } },
    returns = { { "function", "the hook that was set before; the default is a function, too" } },
    errors = { { "function expected, got number", "fn is neither a function nor nil", "sync.set_excepthook(1)" } },
    example = [[
local previous = sync.set_excepthook(function(thread, err)
  print(thread.name .. " failed: " .. err)
end)
sync.Thread{ name = "worker", target = error, args = { "no paper", 0 } }:start():join()
sync.set_excepthook(previous)]],
    output = "worker failed: no paper",
    python = "threading.excepthook", see = { "Thread:result", "ends" },
  },
  {
    name = "_VERSION", kind = "property", type = "string", call = "sync._VERSION",
    about = "The version, as \"luasync X.Y.Z\".",
    example = 'assert(sync._VERSION:match("^luasync %d+%.%d+%.%d+$"))',
    python = "sys.version",
  },
}

--- The reference: select, settle, Timer, Scope, Pool, Future. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

return {
  title = "Several threads at once",
  {
    name = "select", kind = "function", call = "sync.select(list [, timeout])",
    about = "Waits until one of the objects in the list can be taken, and takes exactly that one: an item of a Queue "
      .. "(of any kind), a Lock, an RLock, a permit of a Semaphore; an Event that is set, a Thread that has ended and "
      .. "a Future that is done are only noticed. It stands in all lines at once and keeps its place there. Where "
      .. "several are ready the choice goes round, so that none is starved; in a simulated world it is the first of "
      .. "the list.",
    args = { { "list", "any[]", "the objects, at least one" }, words.timeout }, units = words.seconds,
    returns = {
      { "integer|nil", "the index in the list; nil where the time ran out" },
      { "any", 'an item, or true; nil for a queue that is shut down and empty; "timeout" after nil' },
      { "string?", '"shutdown" for such a queue' },
    },
    errors = {
      { "the list is empty", "there is nothing to wait for", "sync.select({})" },
      { "cannot select a Shared (at [1])", "the list has anything else", "sync.select({ sync.Shared() })" },
      { "cannot select the current thread", "its end would never come", "sync.select({ sync.current_thread() })" },
      words.bad_timeout "sync.select({ sync.Event() }, -1)",
    },
    example = [[
local jobs, urgent, stop = sync.Queue(), sync.Queue(), sync.Event()
local worker = sync.spawn(function()
  local log = {}
  while true do
    local index, job = sync.select { urgent, jobs, stop }
    if index == 3 then return table.concat(log, ", ") end
    log[#log + 1] = job
  end
end)
jobs:put("sweep")
sync.settle()
urgent:put("fire")
sync.settle()
stop:set()
print(worker:result())
print(sync.select({ jobs, urgent }, 0.01))]],
    output = "sweep, fire\nnil\ttimeout",
    python = "none; select.select is for files", see = { "Queue:get", "Event:wait", "timeouts" },
  },
  {
    name = "settle", kind = "function", call = "sync.settle([timeout])",
    about = "Waits until every other thread has ended or waits: for an object, for a time, for the system. What they "
      .. "have been told by then has been done, so tests need not guess with sleep. In a simulated world no time "
      .. "passes meanwhile.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: nobody runs; false: the time ran out" } },
    errors = { words.bad_timeout "sync.settle(-1)" },
    example = [[
local inbox, seen = sync.Queue(), sync.Atomic()
local reader = sync.spawn(function()
  for n in inbox:items() do seen:add(n) end
end)
for n = 1, 10 do inbox:put(n) end
sync.settle()
print(seen:get())
inbox:shutdown()
reader:join()]],
    output = "55",
    python = "none", see = { "sleep", "simulate" },
  },
  {
    name = "Timer", kind = "constructor", call = "sync.Timer(interval, fn, ...)",
    about = "A Thread that waits for `interval` seconds after its start and then calls `fn(...)`, unless cancelled "
      .. "before. It has all that a Thread has: `result()` is what fn returned, `join`, `interrupt`, `daemon`. A "
      .. "timer that is no daemon keeps the program alive until it has called. Interval and function cannot be "
      .. "changed afterwards: make another timer.",
    args = {
      { "interval", "number", "seconds; 0: at once, math.huge: never" },
      { "fn", "function", "" }, { "...", "any", "its arguments" },
    },
    units = words.seconds, returns = { { "Timer", "not started" } },
    errors = {
      words.bad_timeout "sync.Timer(-1, print)",
      { "function expected, got number", "fn is not a function", "sync.Timer(1, 42)" },
    },
    example = [[
local timer = sync.Timer(0.01, function(name) return "hello, " .. name end, "world"):start()
print(timer:result())
local other = sync.Timer(1000, error):start()
other:cancel()
print(other:join())]],
    output = "hello, world\ntrue",
    python = "threading.Timer", see = { "Timer:cancel", "Thread", "sleep" },
  },
  {
    name = "Timer:cancel", kind = "method", call = "timer:cancel()",
    about = "Ends a timer that has not called its function yet, also one that has not been started: it will end "
      .. "without a call. Afterwards it does nothing.",
    example = [[
local timer = sync.Timer(1000, print)
timer:cancel()
assert(timer:start():join() and timer:result() == nil)]],
    python = "Timer.cancel", see = { "Timer" },
  },
  {
    name = "Scope", kind = "constructor", call = "local s <close> = sync.Scope([options]); sync.scope(fn, ...)",
    about = "Threads that cannot outlive a block: at its end the block waits for all of them. When one fails the "
      .. "others are interrupted, and its error comes out of `join` or of the block, once all have ended. An error "
      .. "in the block interrupts the threads, waits for them and goes on. The excepthook hears nothing of errors "
      .. "that the scope hands on. Kept without `<close>`, its threads are ordinary threads that `join` waits for. "
      .. "`sync.scope(fn, ...)` calls `fn(s, ...)` with a scope of its own, whose block it is, and returns what fn "
      .. "returned.",
    args = { words.options }, returns = { { "Scope", "without threads" } },
    errors = { words.bad_options "sync.Scope{ nam = 'S' }", words.no_arguments "sync.Scope(1)",
      { "function expected, got number", "fn is not a function", "sync.scope(42)" } },
    example = [[
local ok, err = pcall(function()
  local s <close> = sync.Scope()
  s:spawn(function() sync.sleep(1000) end)   -- is interrupted
  s:spawn(function() error("no such page", 0) end)
end)
print(ok, err)
local sum = sync.Atomic()
print(sync.scope(function(s, n)
  for i = 1, n do s:spawn(function() sum:add(i) end) end
  return "spawned"
end, 10))
print(sum:get())]],
    output = "false\tno such page\nspawned\n55",
    python = "none; asyncio.TaskGroup is alike", see = { "Scope:spawn", "Thread:interrupt" },
  },
  {
    name = "Scope:spawn", kind = "method", call = "s:spawn(fn, ...)",
    about = "Starts a thread of the scope, as spawn does. Its threads may spawn others, also while the end of the "
      .. "block waits for them. After a failure it is interrupted at once.",
    args = { { "fn", "function", "" }, { "...", "any", "its arguments" } },
    returns = { { "Thread", "started" } },
    errors = {
      { "cannot spawn in a closed scope", "the block has ended", "sync.scope(function(s) return s end):spawn(print)" },
      { "function expected, got number", "fn is not a function", "sync.Scope():spawn(42)" },
    },
    example = [[
local s = sync.Scope()
local thread = s:spawn(function(n) return n * 2 end, 21)
s:join()
print(thread:result())]],
    output = "42",
    python = "TaskGroup.create_task", see = { "spawn", "Scope:join" },
  },
  {
    name = "Scope:join", kind = "method", call = "s:join([timeout])",
    about = "Waits until all threads of the scope have ended, and raises the first error of one of them; once, and "
      .. "then it counts as taken.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: all have ended; false: the time ran out" } },
    errors = {
      words.bad_timeout "sync.Scope():join(-1)",
      { "cannot join a scope from one of its threads", "it would wait for itself" },
    },
    example = [[
local s = sync.Scope()
s:spawn(error, "oops", 0)
print(pcall(s.join, s))
print(s:join())]],
    output = "false\toops\ntrue",
    python = "none", see = { "Scope" },
  },
  {
    name = "Pool", kind = "constructor", call = "sync.Pool([workers [, options]])",
    about = "A few threads that work off tasks. A worker is started when a task comes and none is idle, up to the "
      .. "number given. Workers are no daemons: what has been submitted is done before the program ends. They end "
      .. "when the pool is shut down, has been collected, or the main script is over and nothing is left to do. "
      .. "`local pool <close> = sync.Pool()` shuts it down at the end of the block and waits.",
    args = { { "workers", "integer?", "default: the number of processors" }, words.options },
    returns = { { "Pool", "without workers" } },
    errors = {
      { "workers must be > 0", "workers is less than 1", "sync.Pool(0)" },
      { "number has no integer representation", "workers is a fraction", "sync.Pool(1.5)" },
      words.bad_options "sync.Pool(1, { nam = 'P' })",
    },
    example = [[
local pool <close> = sync.Pool(2)
local future = pool:submit(function(a, b) return a + b end, 1, 2)
print(future:result())
print(table.concat(pool:map(function(x) return x * x end, { 1, 2, 3, 4 }), " "))]],
    output = "3\n1 4 9 16",
    python = "concurrent.futures.ThreadPoolExecutor", see = { "Pool:submit", "Pool:map", "Scope" },
  },
  {
    name = "Pool:submit", kind = "method", call = "pool:submit(fn, ...)",
    about = "Has a worker call `fn(...)`; tasks are begun in the order they were submitted. It never waits: there is "
      .. "no limit to how many tasks may stand in line.",
    args = { { "fn", "function", "" }, { "...", "any", "its arguments" } },
    returns = { { "Future", "what will come of it" } },
    errors = {
      { "cannot schedule new futures after shutdown", "the pool has been shut down",
        "local p = sync.Pool(1) p:shutdown() p:submit(print)" },
      { "function expected, got number", "fn is not a function", "sync.Pool(1):submit(42)" },
      { "cannot send a coroutine (at args[1])", "something cannot cross",
        "sync.Pool(1):submit(print, coroutine.create(print))" },
    },
    example = [[
local pool <close> = sync.Pool(1)
local future = pool:submit(string.rep, "ab", 3)
print(future:result())]],
    output = "ababab",
    python = "Executor.submit", see = { "Future:result" },
  },
  {
    name = "Pool:map", kind = "method", call = "pool:map(fn, list)",
    about = "Calls `fn(item)` for each item of the list in the workers, waits, and returns a list of the first "
      .. "results in the same order. The first error in that order is raised; tasks that have not begun by then "
      .. "are cancelled.",
    args = { { "fn", "function", "" }, { "list", "any[]", "" } },
    returns = { { "any[]", "" } },
    errors = {
      { "cannot schedule new futures after shutdown", "the pool has been shut down",
        "local p = sync.Pool(1) p:shutdown() p:map(print, { 1 })" },
      { "function expected, got nil", "fn is not a function", "sync.Pool(1):map(nil, {})" },
    },
    example = [[
local pool <close> = sync.Pool(2)
print(table.concat(pool:map(string.upper, { "a", "b" }), " "))
print(pcall(pool.map, pool, function(x) if x > 1 then error("too much", 0) end end, { 1, 2, 3 }))]],
    output = "A B\nfalse\ttoo much",
    python = "Executor.map; an iterator there, a list here", see = { "Pool:submit" },
  },
  {
    name = "Pool:shutdown", kind = "method", call = "pool:shutdown([wait [, cancel_pending]])",
    about = "Takes no more tasks; those in line are still done. May be called again.",
    args = {
      { "wait", "boolean?", "default true: wait until the workers have ended" },
      { "cancel_pending", "boolean?", "true: tasks that have not begun are cancelled" },
    },
    errors = { { "cannot wait for a pool inside one of its tasks", "a task calls it, and it would wait for itself" } },
    example = [[
local pool = sync.Pool(1)
local future = pool:submit(function() return "done" end)
pool:shutdown()
print(future:result())
print(pool)]],
    output = "done\nPool 'Pool-1' (0 of 1 workers, shut down)",
    python = "Executor.shutdown", see = { "Pool" },
  },
  {
    name = "Future:result", kind = "method", call = "future:result([timeout])",
    about = "Waits until the task is done and returns what it returned, or raises its error; any number of times, in "
      .. "any thread. An error that nobody asks for stays unheard.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "any", "the task's results; or nil" }, { "string?", '"timeout" or "cancelled" after nil' } },
    errors = { words.bad_timeout "sync.Pool(1):submit(print):result(-1)" },
    example = [[
local pool <close> = sync.Pool(1)
print(pcall(function() return pool:submit(error, "oops", 0):result() end))
print(pool:submit(sync.sleep, 0.05):result(0.01))]],
    output = "false\toops\nnil\ttimeout",
    python = "Future.result", see = { "wait", "Pool:submit", "timeouts" },
  },
  {
    name = "Future:done", kind = "method", call = "future:done()",
    about = "Whether it has been finished, has failed, or has been cancelled.", returns = { { "boolean", "" } },
    example = [[
local pool <close> = sync.Pool(1)
local future = pool:submit(tostring, 1)
future:result()
assert(future:done() and not future:running())]],
    python = "Future.done", see = { "Future:result" },
  },
  {
    name = "Future:running", kind = "method", call = "future:running()",
    about = "Whether a worker is at it at this moment.", returns = { { "boolean", "" } },
    example = [[
local pool <close> = sync.Pool(1)
local go = sync.Event()
local future = pool:submit(function() go:wait() end)
sync.settle()
print(future:running(), future)
go:set()]],
    output = "true\tFuture 'Future-1' (running)",
    python = "Future.running", see = { "Future:done" },
  },
  {
    name = "Future:cancel", kind = "method", call = "future:cancel()",
    about = "Cancels a task that has not begun.",
    returns = { { "boolean", "true: it will not run; false: it runs, or is over" } },
    example = [[
local pool <close> = sync.Pool(1)
local go = sync.Event()
pool:submit(function() go:wait() end)
local future = pool:submit(print, "never printed")
print(future:cancel(), future:result())
go:set()]],
    output = "true\tnil\tcancelled",
    python = "Future.cancel", see = { "Pool:shutdown" },
  },
  {
    name = "Future:cancelled", kind = "method", call = "future:cancelled()",
    about = "Whether it has been cancelled.", returns = { { "boolean", "" } },
    example = [[
local pool <close> = sync.Pool(1)
assert(pool:submit(tostring, 1):cancelled() == false)]],
    python = "Future.cancelled", see = { "Future:cancel" },
  },
  {
    name = "wait", kind = "function", call = 'sync.wait(futures [, timeout [, "first"]])',
    about = "Waits until all futures of the list are done, or with \"first\" until one of them is. A cancelled one "
      .. "is done; one that is listed twice counts once.",
    args = {
      { "futures", "any[]", "" }, words.timeout, { "mode", "string?", '"first", or "all", the default' },
    },
    units = words.seconds,
    returns = { { "any[]", "those that are done, in the order of the list" }, { "any[]", "those that are not" } },
    errors = {
      { "Future expected at [1], got number", "the list has anything else", "sync.wait({ 1 })" },
      { "invalid option 'second'", "the mode is unknown", "sync.wait({}, 1, 'second')" },
      words.bad_timeout "sync.wait({}, -1)",
    },
    example = [[
local pool <close> = sync.Pool(2)
local slow = pool:submit(sync.sleep, 0.05)
local quick = pool:submit(function() return "quick" end)
local done, pending = sync.wait({ slow, quick }, nil, "first")
print(#done, done[1]:result(), pending[1] == slow)]],
    output = "1\tquick\ttrue",
    python = "concurrent.futures.wait", see = { "Future:result", "select" },
  },
}

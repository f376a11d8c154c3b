--- The reference: queues. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

local ALL = { "LifoQueue", "PriorityQueue", "SimpleQueue" }
local TASKS = { "LifoQueue", "PriorityQueue" }
local maxsize = { "maxsize", "integer?", "how many items it may hold; default 0: any number (so is a negative one)" }

return {
  title = "Queues",
  {
    name = "Queue", kind = "constructor", call = "sync.Queue([maxsize [, options]])",
    about = "A line of items between threads: first in, first out. An item is copied in put() and belongs to the "
      .. "queue until get() hands it to one thread; luasync objects in it arrive as themselves.",
    args = { maxsize, words.options }, returns = { { "Queue", "empty" } },
    errors = {
      { "number has no integer representation", "maxsize is a fraction", "sync.Queue(2.5)" },
      words.bad_options "sync.Queue(1, { nam = 'Q' })",
    },
    example = [[
local inbox = sync.Queue(10, { name = "inbox" })
local worker = sync.spawn(function()
  for order in inbox:items() do
    print(order.n .. " x " .. order.what)
  end
end)
inbox:put{ n = 2, what = "tea" }
inbox:put{ n = 1, what = "coffee" }
inbox:shutdown()
worker:join()
print(inbox)]],
    output = "2 x tea\n1 x coffee\nQueue 'inbox' (0 of 10 items)",
    python = "queue.Queue", see = { "Queue:put", "Queue:get", "Queue:items", "crossing" },
  },
  {
    name = "LifoQueue", kind = "constructor", call = "sync.LifoQueue([maxsize [, options]])",
    about = "A queue that hands out the item put last.",
    args = { maxsize, words.options }, returns = { { "LifoQueue", "empty" } },
    errors = { words.bad_options "sync.LifoQueue(1, { nam = 'Q' })" },
    example = [[
local stack = sync.LifoQueue()
for i = 1, 3 do stack:put(i) end
print(stack:get(), stack:get(), stack:get())]],
    output = "3\t2\t1",
    python = "queue.LifoQueue", see = { "Queue" },
  },
  {
    name = "PriorityQueue", kind = "constructor", call = "sync.PriorityQueue([maxsize [, options]])",
    about = "A queue that hands out the smallest item. An item is a number, a string, or a table whose priority, a "
      .. "number or a string, stands at [1]. Equal priorities leave in the order they came. Numbers, and tables with a "
      .. "number, may be mixed; numbers and strings may not. Strings are compared byte by byte.",
    args = { maxsize, words.options }, returns = { { "PriorityQueue", "empty" } },
    errors = { words.bad_options "sync.PriorityQueue(1, { nam = 'Q' })" },
    example = [[
local jobs = sync.PriorityQueue()
jobs:put{ 2, "wash up" }
jobs:put{ 1, "eat" }
jobs:put{ 2, "sleep" }
for _ = 1, 3 do print(jobs:get()[2]) end]],
    output = "eat\nwash up\nsleep",
    python = "queue.PriorityQueue", see = { "Queue:put" },
  },
  {
    name = "SimpleQueue", kind = "constructor", call = "sync.SimpleQueue([options])",
    about = "An unbounded first-in-first-out queue with put and get only: no tasks, no shutdown.",
    args = { words.options }, returns = { { "SimpleQueue", "empty" } },
    errors = { words.bad_options "sync.SimpleQueue{ nam = 'Q' }", words.no_arguments "sync.SimpleQueue(1)" },
    example = [[
local q = sync.SimpleQueue()
q:put("a")
assert(q:get() == "a" and q:empty())]],
    python = "queue.SimpleQueue", see = { "Queue" },
  },
  {
    name = "Queue:put", kind = "method", also = ALL, call = "q:put(item [, block [, timeout]])",
    about = "Adds an item; waits while the queue is full. A SimpleQueue is never full: it checks block and timeout and "
      .. "ignores them.",
    args = { { "item", "any", "anything that can cross (see `crossing`), but not nil" }, words.block, words.timeout },
    units = words.seconds,
    returns = { { "boolean?", "true, or nil" },
      { "string?", "after nil: \"full\" (there was no room, or not in time) or \"shutdown\"" } },
    errors = {
      { "item must not be nil", "the item is nil", "sync.Queue():put(nil)" },
      { "cannot send a coroutine (at item.co)", "something in it cannot cross; nothing has been added",
        "sync.Queue():put{ co = coroutine.create(print) }" },
      { "priority is NaN, which has no order", "of a PriorityQueue", "sync.PriorityQueue():put(0 / 0)" },
      { "number, string or table with a priority at [1] expected, got boolean", "of a PriorityQueue",
        "sync.PriorityQueue():put(true)" },
      { "priority has no order with those in the queue (number and string)", "of a PriorityQueue; nothing is added",
        "local q = sync.PriorityQueue() q:put(1) q:put('x')" },
      words.bad_timeout "sync.Queue():put(1, true, -1)",
    },
    example = [[
local q = sync.Queue(1)
print(q:put("a"))
print(q:put("b", false))
print(q:put("b", true, 0.01))
q:shutdown()
print(q:put("b"))]],
    output = "true\nnil\tfull\nnil\tfull\nnil\tshutdown",
    python = "Queue.put (queue.Full, queue.ShutDown)", see = { "Queue:put_nowait", "Queue:get", "timeouts" },
  },
  {
    name = "Queue:put_nowait", kind = "method", also = ALL, call = "q:put_nowait(item)",
    about = "The same as `q:put(item, false)`.",
    args = { { "item", "any", "as in Queue:put" } },
    returns = { { "boolean?", "true, or nil" }, { "string?", "after nil: \"full\" or \"shutdown\"" } },
    errors = { { "item must not be nil", "the item is nil", "sync.Queue():put_nowait()" } },
    example = [[
local q = sync.Queue(1)
assert(q:put_nowait("a") == true)
print(q:put_nowait("b"))]],
    output = "nil\tfull",
    python = "Queue.put_nowait", see = { "Queue:put" },
  },
  {
    name = "Queue:get", kind = "method", also = ALL, call = "q:get([block [, timeout]])",
    about = "Takes an item; waits while there is none. Waiting threads are served in the order they came. After a "
      .. "shutdown the items that are still there come first, then `nil, \"shutdown\"`."
      .. " Where there is no memory for its copy the call raises `not enough memory`, and the item is the "
      .. "queue's first again.",
    args = { words.block, words.timeout }, units = words.seconds,
    returns = { { "any", "the item, or nil" },
      { "string?", "after nil: \"empty\" (there was no item, or not in time) or \"shutdown\"" } },
    errors = { words.bad_timeout "sync.Queue():get(true, -1)" },
    example = [[
local q = sync.Queue()
q:put{ id = 1 }
print(q:get().id)
print(q:get(false))
print(q:get(true, 0.01))
q:shutdown()
print(q:get())]],
    output = "1\nnil\tempty\nnil\tempty\nnil\tshutdown",
    python = "Queue.get (queue.Empty, queue.ShutDown)", see = { "Queue:items", "Queue:put", "timeouts" },
  },
  {
    name = "Queue:get_nowait", kind = "method", also = ALL, call = "q:get_nowait()",
    about = "The same as `q:get(false)`.",
    returns = { { "any", "the item, or nil" }, { "string?", "after nil: \"empty\" or \"shutdown\"" } },
    example = "print(sync.Queue():get_nowait())", output = "nil\tempty",
    python = "Queue.get_nowait", see = { "Queue:get" },
  },
  {
    name = "Queue:items", kind = "method", also = TASKS, call = "for item in q:items() do … end",
    about = "An iterator that takes items, waiting for each, until the queue has been shut down and is empty. Several "
      .. "threads may iterate over one queue: each item goes to one of them.",
    returns = { { "function", "the iterator, for `for`" } },
    example = [[
local q = sync.Queue()
for i = 1, 3 do q:put(i) end
q:shutdown()
for i in q:items() do print(i) end]],
    output = "1\n2\n3",
    python = "none", see = { "Queue:shutdown" },
  },
  {
    name = "Queue:task_done", kind = "method", also = TASKS, call = "q:task_done()",
    about = "Says that the work on one item is finished. Queue:join waits until this has been said once for each put.",
    errors = { { "task_done() called too many times", "more often than items were put",
      "sync.Queue():task_done()" } },
    example = [[
local q = sync.Queue()
q:put("work")
q:get()
q:task_done()
assert(q:join(0) == true)]],
    python = "Queue.task_done", see = { "Queue:join" },
  },
  {
    name = "Queue:join", kind = "method", also = TASKS, call = "q:join([timeout])",
    about = "Waits until every item that was put has been followed by a task_done().",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: all is done; false: the time ran out" } },
    errors = { words.bad_timeout "sync.Queue():join(-1)" },
    example = [[
local q = sync.Queue()
sync.Thread{ daemon = true, target = function()
  while true do
    print(q:get())
    q:task_done()
  end
end }:start()
for i = 1, 3 do q:put(i) end
q:join()
print("all done")]],
    output = "1\n2\n3\nall done",
    python = "Queue.join (without a timeout there)", see = { "Queue:task_done", "timeouts" },
  },
  {
    name = "Queue:shutdown", kind = "method", also = TASKS, call = "q:shutdown([immediate])",
    about = "Closes the queue for good. From now on put gives `nil, \"shutdown\"`, and so does get once the queue is "
      .. "empty; threads that wait in either wake up with it. With `immediate` what is still inside is dropped and "
      .. "counts as done. May be called again.",
    args = { { "immediate", "boolean?", "default false" } },
    example = [[
local q = sync.Queue()
q:put("last")
q:shutdown()
print(q:put("more"))
print(q:get())
print(q:get())]],
    output = "nil\tshutdown\nlast\nnil\tshutdown",
    python = "Queue.shutdown (since 3.13)", see = { "Queue:items", "Queue.is_shutdown" },
  },
  {
    name = "Queue.is_shutdown", kind = "property", also = TASKS, type = "boolean", call = "q.is_shutdown",
    about = "Whether shutdown() has been called. Read-only.",
    errors = { { "cannot set field 'is_shutdown' of a queue", "it is assigned to",
      "sync.Queue().is_shutdown = true" } },
    example = [[
local q = sync.Queue()
assert(q.is_shutdown == false)
q:shutdown()
assert(q.is_shutdown == true)]],
    python = "Queue.is_shutdown", see = { "Queue:shutdown" },
  },
  {
    name = "Queue.maxsize", kind = "property", also = TASKS, type = "integer", call = "q.maxsize",
    about = "The maxsize it was made with. Read-only.",
    errors = { { "cannot set field 'maxsize' of a queue", "it is assigned to", "sync.Queue().maxsize = 1" } },
    example = "assert(sync.Queue(3).maxsize == 3 and sync.Queue().maxsize == 0)",
    python = "Queue.maxsize", see = { "Queue:full" },
  },
  {
    name = "Queue:qsize", kind = "method", also = ALL, call = "q:qsize(), #q",
    about = "How many items are inside at this moment. By the time you look at the answer it may be old.",
    returns = { { "integer", "" } },
    example = [[
local q = sync.Queue()
q:put("a")
assert(q:qsize() == 1 and #q == 1)]],
    python = "Queue.qsize", see = { "Queue:empty" },
  },
  {
    name = "Queue:empty", kind = "method", also = ALL, call = "q:empty()",
    about = "Whether it is empty at this moment.", returns = { { "boolean", "" } },
    example = "assert(sync.Queue():empty())",
    python = "Queue.empty", see = { "Queue:qsize" },
  },
  {
    name = "Queue:full", kind = "method", also = TASKS, call = "q:full()",
    about = "Whether it is full at this moment; an unbounded queue never is.", returns = { { "boolean", "" } },
    example = [[
local q = sync.Queue(1)
assert(not q:full())
q:put("a")
assert(q:full() and not sync.Queue():full())]],
    python = "Queue.full", see = { "Queue.maxsize" },
  },
}

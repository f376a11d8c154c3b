--- What functions and methods are usually given: names of makers in values.lua, without the receiver.
--
-- A name that is not here is called with values of any type, as all are now and then; so what is new takes part
-- without an entry, and more deeply with one.

return {
  -- constructors
  Thread = { "portable", "value", "value" }, Timer = { "timeout", "portable", "value" },
  spawn = { "portable", "value", "object" },
  Queue = { "count" }, LifoQueue = { "count" }, PriorityQueue = { "count" }, Semaphore = { "count" },
  BoundedSemaphore = { "count" }, Condition = { "object" }, Shared = { "list" }, Local = { "callback", "value" },
  ["local"] = { "list" }, Atomic = { "number" }, Barrier = { "count", "callback", "timeout" }, Pool = { "count" },
  -- functions
  sleep = { "timeout" }, settle = { "timeout" },
  update = { "shared", "text", "callback", "value" }, snapshot = { "shared" },
  set_excepthook = { "portable" }, simulate = { "portable", "options" }, explore = { "portable", "options" },
  select = { "objects", "timeout" }, wait = { "timeout" }, scope = { "callback", "value" },
  -- methods
  acquire = { "boolean", "timeout" }, release = {}, with = { "callback", "value" },
  wait_for = { "callback", "timeout" },
  notify = { "count" }, put = { "value", "boolean", "timeout" }, get = { "boolean", "timeout" },
  put_nowait = { "value" }, join = { "timeout" }, result = { "timeout" }, interrupt = { "value" }, start = {},
  setName = { "text" }, setDaemon = { "boolean" }, shutdown = { "boolean" }, add = { "number" }, set = { "value" },
  exchange = { "value" }, compare_exchange = { "number", "value" }, read = { "timeout" }, write = { "timeout" },
  submit = { "portable", "value" }, map = { "portable", "list" },
}

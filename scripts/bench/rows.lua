--- The rows of `make bench`: what is run, what it is held against, and how much it must reach.
--
-- A group is run together, in turn, once per repeat: `ours` (a case of cases.lua), `floor` (of floor.c), `peer` (of
-- peers.py and peers.go). What is written {full, quick} depends on --quick. Its rows are the figures of that run:
--
--   label   what the table shows            unit    of both sides; "" for a plain number
--   key     name of the figure              floor   name of the floor's figure, where it is shown
--   most    ours at most `most` × the floor
--   least   ours at least `least` × as good as the floor ("good" is fast for times, much for rates)
--   than    "python" or "queue" where a peer stands in for the floor
--   max, min  bounds of ours alone
-- With `queues` Python runs twice, over SimpleQueue and over Queue. `program` runs a file under luasync and stock Lua;
-- `start` times `-e ''`.
local function empty_calls(n) return { "call", n } end

local function empty_pairs(n) return { "call2", n } end

local millions, pairs_of_calls = { 2000000, 400000 }, { 1000000, 200000 }

--- Rows for an uncontended lock: the pair against two empty calls.
local function pair_row(label, case)
  return {
    ours = { case, pairs_of_calls }, floor = empty_pairs(pairs_of_calls), peer = { case, { 400000, 100000 } },
    rows = { { label = label, key = "ns", floor = "ns", unit = "ns", most = 1.25 } },
  }
end

--- Rows for one lock fought for by some threads.
local function contended_rows(threads)
  local ms = { 300, 100 }
  local label = ("Lock contended by %d threads"):format(threads)
  return {
    ours = { "contended", threads, ms }, floor = { "mutex", threads, ms }, peer = { "contended", threads, ms },
    rows = {
      { label = label, key = "rate", floor = "rate", unit = "M/s", least = 0.8 },
      { label = "  smallest part of a fair share", key = "share", floor = "share", unit = "", min = 0.1 },
    },
  }
end

local function shared_rows(case, verb)
  return {
    ours = { case, millions }, floor = empty_calls(millions), peer = { case, millions },
    rows = {
      { label = "Shared " .. verb .. ", number", key = "number", floor = "ns", unit = "ns", most = 2.0 },
      { label = "Shared " .. verb .. ", short string", key = "text", floor = "ns", unit = "ns", most = 2.0 },
    },
  }
end

--- An instance with two fields beside a plain table with the same two, which takes its turns in the same process.
local function instance_rows(methods)
  return {
    ours = { "instance", { 300000, 60000 }, methods },
    rows = {
      { label = ("instance of a class with %d methods"):format(methods), key = "ns", unit = "ns" },
      { label = "  against a plain table", key = "x", unit = "x", max = 1.5 },
    },
  }
end

local function scale_rows(label, name, n)
  return {
    ours = { "scale", name, n }, floor = { "scale", "@work.lua", name, n }, peer = { "scale", name, n },
    rows = { { label = label, key = "x", floor = "x", unit = "x", min = 1.9 } },
  }
end

--- Plain Lua: the same file under both programs, processor time.
local function plain_rows(label, name, n)
  return {
    program = { "@plain.lua", name, n }, peer = { "plain", name, n },
    rows = { { label = label, key = "ms", floor = "ms", unit = "ms", least = 1.0 } },
  }
end

return {
  {
    ours = { "ints", millions }, floor = empty_calls(millions), peer = { "ints", { 400000, 100000 } }, queues = true,
    rows = {
      { label = "small integers 1:1, unbounded", key = "ns", floor = "ns", unit = "ns", most = 2.2 },
      { label = "  against SimpleQueue", key = "ns", unit = "ns", least = 1.0, than = "python" },
      { label = "  against Queue", key = "ns", unit = "ns", least = 12, than = "queue" },
    },
  },
  {
    ours = { "ints", millions, 1024 }, floor = empty_calls(millions),
    peer = { "ints", { 200000, 50000 }, 1024 },
    rows = { { label = "small integers 1:1, maxsize 1024", key = "ns", floor = "ns", unit = "ns", most = 3.0 } },
  },
  {
    ours = { "mesh", millions }, peer = { "mesh", { 200000, 50000 } }, queues = true,
    rows = {
      { label = "4 producers, 4 consumers", key = "rate", unit = "M/s", min = 5 },
      { label = "  smallest consumer's part of its share", key = "share", unit = "", min = 0.1 },
    },
  },
  {
    ours = { "job", { 300000, 60000 } }, floor = { "job", { 150000, 30000 } },
    peer = { "job", { 150000, 30000 } }, queues = true,
    rows = {
      { label = "job table", key = "rate", unit = "M/s", min = 0.8 },
      { label = "  against SimpleQueue", key = "ns", unit = "ns", least = 1.0, than = "python" },
      { label = "  against build + deep copy", key = "ns", floor = "ns", unit = "ns", least = 1.0 },
    },
  },
  instance_rows(2),
  instance_rows(10),
  instance_rows(100),
  {
    ours = { "closure", { 150000, 30000 } },
    rows = {
      { label = "function with three captured locals", key = "us", unit = "us", max = 3 },
      { label = "  against dump + load", key = "x", unit = "x" },
    },
  },
  {
    ours = { "roundtrip", { 40000, 10000 } }, floor = { "roundtrip", { 40000, 10000 } },
    peer = { "roundtrip", { 10000, 3000 } }, queues = true,
    rows = { { label = "round trip over two queues", key = "us", floor = "us", unit = "us", most = 1.5 } },
  },
  pair_row("Lock acquire + release", "lock"),
  pair_row("RLock acquire + release", "rlock"),
  pair_row("Semaphore acquire + release", "semaphore"),
  pair_row("Event:is_set, twice", "event"),
  contended_rows(2),
  contended_rows(8),
  shared_rows("shared_read", "read"),
  shared_rows("shared_write", "write"),
  {
    ours = { "recorded", { 500000, 100000 } }, floor = empty_calls(millions),
    rows = {
      { label = "an event in a timeline: Lock", key = "lock", unit = "ns", max = 150 },
      { label = "  Queue", key = "queue", unit = "ns", max = 150 },
      { label = "  Shared, with its value", key = "shared", unit = "ns", max = 150 },
    },
  },
  {
    ours = { "spawn", { 3000, 500 } }, floor = { "spawn", { 3000, 500 } }, peer = { "spawn", { 3000, 500 } },
    rows = { { label = "spawn + join", key = "us", floor = "us", unit = "us", least = 1.3 } },
  },
  {
    ours = { "blocked", { 10000, 2000 } }, floor = { "blocked", { 10000, 2000 } },
    peer = { "blocked", { 10000, 2000 } },
    rows = {
      { label = { "10,000 threads blocked on one Event", "2,000 threads blocked on one Event" },
        key = "kib", floor = "kib", unit = "KiB each", max = 36 },
      { label = "  all started", key = "start", floor = "start", unit = "s", most = 1.5 },
      { label = "  all awake and joined", key = "wake", floor = "wake", unit = "s", max = 1.0 },
    },
  },
  {
    ours = { "strings", { 10000, 2000 } }, floor = { "memcpy", { 4000, 1000 } },
    rows = {
      { label = "1 MiB strings", key = "gbs", floor = "gbs", unit = "GB/s", least = 0.6 },
      { label = "  growth of peak memory", key = "growth", unit = "x", max = 1.1 },
    },
  },
  scale_rows("two threads against one", "fib", { 31, 27 }),
  scale_rows("  with large tables", "churn", { 10, 4 }),
  {
    start = true, starts = { 60, 20 },
    rows = { { label = "start of -e ''", key = "ms", floor = "ms", unit = "ms", most = 1.15 } },
  },
  plain_rows("plain Lua, fib", "fib", { 31, 27 }),
  plain_rows("plain Lua, string building", "strings", { 400, 80 }),
  plain_rows("plain Lua, table work", "tables", { 200, 40 }),
}

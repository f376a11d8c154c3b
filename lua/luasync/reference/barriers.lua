--- The reference: Barrier, RWLock. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

local function property(name, type, about, example, python)
  return {
    name = "Barrier." .. name, kind = "property", call = "barrier." .. name, type = type, about = about,
    example = example, python = python, see = { "Barrier" },
  }
end

local function hold(mode, python)
  return {
    name = "RWLock:hold_" .. mode, kind = "method", call = ("local _ <close> = lock:hold_%s()"):format(mode),
    about = ("As %s, as long as it takes, and releases when the variable goes out of scope: at the end of the block, "
      .. "by break, return or an error. Keep the result in a `<close>` variable and nowhere else."):format(mode),
    returns = { { "any", "the object itself" } },
    example = ([[
local lock = sync.RWLock{ name = "A" }
do
  local _ <close> = lock:hold_%s()
  print(lock)
end
print(lock)]]):format(mode),
    output = ("RWLock 'A' (%s by MainThread)\nRWLock 'A' (unlocked)"):format(python),
    python = "none", see = { "RWLock:" .. mode },
  }
end

return {
  title = "Barriers and read-write locks",
  {
    name = "Barrier", kind = "constructor", call = "sync.Barrier(parties [, action [, timeout [, options]]])",
    about = "A place where threads wait for each other: when as many as `parties` have come, all go on, and the "
      .. "barrier is ready for the next generation. `action` is called once a generation, in the thread that came "
      .. "last, before any other goes on; like every function that crosses it is a copy, with copies of what it "
      .. "captures. If it fails, the barrier breaks. A broken barrier lets everybody through with `nil, \"broken\"` "
      .. "until it is reset.",
    args = {
      { "parties", "integer", "how many threads, at least 1" },
      { "action", "function?", "called without arguments; its results are thrown away" },
      { "timeout", "number?", "seconds, for each wait that has no timeout of its own; default: for ever" },
      words.options,
    },
    units = words.seconds, returns = { { "Barrier", "" } },
    errors = {
      { "parties must be > 0", "parties is less than 1", "sync.Barrier(0)" },
      { "number has no integer representation", "parties is a fraction", "sync.Barrier(2.5)" },
      { "function expected, got number", "action cannot be called", "sync.Barrier(2, 42)" },
      words.bad_timeout "sync.Barrier(2, nil, -1)",
    },
    example = [[
local sums = sync.Shared{ 0, 0 }
local phase = sync.Barrier(2, function() print("phase over: " .. sums[1] + sums[2]) end)
local function work(i)
  for round = 1, 2 do
    sums[i] = i * round
    phase:wait()
    phase:wait()
  end
end
local a, b = sync.spawn(work, 1), sync.spawn(work, 2)
a:join()
b:join()]],
    output = "phase over: 3\nphase over: 3\nphase over: 6\nphase over: 6",
    python = "threading.Barrier", see = { "Barrier:wait", "Condition" },
  },
  {
    name = "Barrier:wait", kind = "method", call = "barrier:wait([timeout])",
    about = "Waits until all have come. A wait whose time runs out breaks the barrier for all others. An interrupted "
      .. "wait leaves it as it was before it came: another thread may take its place.",
    args = { words.timeout }, units = words.seconds,
    returns = {
      { "integer|nil", "the place in the order of arrival, from 1; each is given once a generation" },
      { "string?", '"timeout" where this wait\'s time ran out; "broken" where the barrier is broken, or was reset' },
    },
    errors = {
      words.bad_timeout "sync.Barrier(2):wait(-1)",
      { "cannot wait on a barrier inside its action", "the action itself calls it" },
    },
    example = [[
local pair = sync.Barrier(2)
local other = sync.spawn(function() return pair:wait() end)
assert(pair:wait() + other:result() == 3)
print(pair:wait(0.01))
print(pair:wait())]],
    output = "nil\ttimeout\nnil\tbroken",
    python = "Barrier.wait; counts from 0, raises BrokenBarrierError", see = { "Barrier:reset", "timeouts" },
  },
  {
    name = "Barrier:abort", kind = "method", call = "barrier:abort()",
    about = "Breaks the barrier: those who wait and those to come get `nil, \"broken\"`.",
    example = [[
local barrier = sync.Barrier(2)
barrier:abort()
print(barrier:wait())
print(barrier)]],
    output = "nil\tbroken\nBarrier 'Barrier-1' (broken)",
    python = "Barrier.abort", see = { "Barrier:reset" },
  },
  {
    name = "Barrier:reset", kind = "method", call = "barrier:reset()",
    about = "Makes the barrier as new: whole, and nobody there. Those who wait get `nil, \"broken\"`.",
    example = [[
local barrier = sync.Barrier(1)
barrier:abort()
barrier:reset()
assert(barrier:wait() == 1)]],
    python = "Barrier.reset", see = { "Barrier:abort" },
  },
  property("parties", "integer", "How many threads it waits for.", "assert(sync.Barrier(3).parties == 3)",
    "Barrier.parties"),
  property("n_waiting", "integer", "How many wait at this moment.", "assert(sync.Barrier(3).n_waiting == 0)",
    "Barrier.n_waiting"),
  property("broken", "boolean", "Whether it is broken at this moment.", "assert(sync.Barrier(3).broken == false)",
    "Barrier.broken"),
  {
    name = "RWLock", kind = "constructor", call = "sync.RWLock([options])",
    about = "A lock that many readers can have together, or one writer alone. All stand in one line, first come, "
      .. "first served: a reader that comes while a writer waits stands behind it, so writers are not starved. "
      .. "Only a thread that has the lock may release it. It is not re-entrant: a thread that reads and reads again "
      .. "while a writer waits, or writes twice, waits for itself.",
    args = { words.options }, returns = { { "RWLock", "unlocked" } },
    errors = { words.bad_options "sync.RWLock{ nam = 'A' }", words.no_arguments "sync.RWLock(1)" },
    example = [[
local lock, config = sync.RWLock{ name = "config" }, sync.Shared{ host = "a", port = 1 }
local reader = sync.spawn(function()
  local _ <close> = lock:hold_read()
  return config.host .. ":" .. config.port
end)
local seen = reader:result()
do
  local _ <close> = lock:hold_write()
  config.host, config.port = "b", 2
end
print(seen, lock)]],
    output = "a:1\tRWLock 'config' (unlocked)",
    python = "none", see = { "RWLock:hold_read", "RWLock:hold_write", "Lock" },
  },
  {
    name = "RWLock:read", kind = "method", call = "lock:read([timeout])",
    about = "Takes the lock for reading; waits while a thread writes, or waits to write.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: taken; false: the time ran out" } },
    errors = { words.bad_timeout "sync.RWLock():read(-1)" },
    example = [[
local lock = sync.RWLock()
assert(lock:read())
assert(sync.spawn(function()
  local taken = lock:read()
  lock:release()
  return taken
end):result())
lock:release()]],
    python = "none", see = { "RWLock:hold_read", "timeouts" },
  },
  {
    name = "RWLock:write", kind = "method", call = "lock:write([timeout])",
    about = "Takes the lock for writing; waits while any other thread has it.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: taken; false: the time ran out" } },
    errors = {
      words.bad_timeout "sync.RWLock():write(-1)",
      { "cannot upgrade a read lock", "the calling thread reads: it would wait for itself",
        "local l = sync.RWLock() l:read() l:write()" },
    },
    example = [[
local lock = sync.RWLock()
assert(lock:write())
assert(sync.spawn(function() return lock:read(0.01) end):result() == false)
lock:release()]],
    python = "none", see = { "RWLock:hold_write", "timeouts" },
  },
  {
    name = "RWLock:release", kind = "method", call = "lock:release()",
    about = "Gives back what the calling thread has taken, whether to read or to write.",
    errors = { { "release unlocked lock", "the calling thread does not have it", "sync.RWLock():release()" } },
    example = [[
local lock = sync.RWLock()
lock:write()
lock:release()
print(lock)]],
    output = "RWLock 'RWLock-1' (unlocked)",
    python = "none", see = { "RWLock:read", "RWLock:write" },
  },
  hold("read", "read"),
  hold("write", "written"),
}

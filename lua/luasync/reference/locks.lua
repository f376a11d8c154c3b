--- The reference: locks. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

local lock_hold, lock_with = words.guards("Lock", { "RLock", "Condition", "Semaphore", "BoundedSemaphore" })

return {
  title = "Locks",
  {
    name = "Lock", kind = "constructor", call = "sync.Lock([options])",
    about = "A lock that one thread at a time can have. Any thread may release it, not only the one that has it. Who "
      .. "acquires it twice waits for himself; RLock is for that. A thread that ends does not release what it holds.",
    args = { words.options }, returns = { { "Lock", "unlocked" } },
    errors = { words.bad_options "sync.Lock{ nam = 'A' }", words.no_arguments "sync.Lock(1)" },
    example = [[
local count = sync.Shared{ n = 0 }
local lock = sync.Lock{ name = "count" }
local function work()
  for _ = 1, 1000 do
    local _ <close> = lock:hold()
    count.n = count.n + 1
  end
end
local a, b = sync.spawn(work), sync.spawn(work)
a:join()
b:join()
print(count.n, lock)]],
    output = "2000\tLock 'count' (unlocked)",
    python = "threading.Lock", see = { "Lock:hold", "RLock", "order" },
  },
  {
    name = "Lock:acquire", kind = "method", call = "lock:acquire([blocking [, timeout]])",
    about = "Takes the lock; waits while another thread has it.",
    args = { words.blocking, words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: the lock is taken; false: it was not to be had, or not in time" } },
    errors = {
      words.no_timeout_for_a_try "sync.Lock():acquire(false, 1)",
      words.bad_timeout "sync.Lock():acquire(true, -1)",
    },
    example = [[
local lock = sync.Lock()
print(lock:acquire())
print(lock:acquire(false))      -- one try
print(lock:acquire(true, 0.01)) -- ten milliseconds
print(lock:acquire(0.01))       -- the same]],
    output = "true\nfalse\nfalse\nfalse",
    python = "Lock.acquire(blocking=True, timeout=-1)", see = { "Lock:release", "Lock:hold", "timeouts" },
  },
  {
    name = "Lock:release", kind = "method", call = "lock:release()",
    about = "Gives the lock back, whichever thread has it, and wakes the first that waits for it.",
    errors = { { "release unlocked lock", "nobody has it", "sync.Lock():release()" } },
    example = [[
local lock = sync.Lock()
lock:acquire()
sync.spawn(lock.release, lock):join()
assert(not lock:locked())]],
    python = "Lock.release", see = { "Lock:acquire" },
  },
  {
    name = "Lock:locked", kind = "method", also = { "RLock" }, call = "lock:locked()",
    about = "Whether any thread has the lock at this moment. By the time you look at the answer it may be old.",
    returns = { { "boolean", "" } },
    example = [[
local lock = sync.Lock()
assert(not lock:locked())
lock:acquire()
assert(lock:locked())]],
    python = "Lock.locked", see = { "Lock:acquire" },
  },
  lock_hold,
  lock_with,
  {
    name = "RLock", kind = "constructor", call = "sync.RLock([options])",
    about = "A lock that its owner may acquire again; it is free once it has been released as many times. Only the "
      .. "owner may release it.",
    args = { words.options }, returns = { { "RLock", "unlocked" } },
    errors = { words.bad_options "sync.RLock{ nam = 'A' }", words.no_arguments "sync.RLock(1)" },
    example = [[
local lock = sync.RLock{ name = "A" }
local function inner() lock:with(print, lock) end
lock:with(inner)
print(lock)]],
    output = "RLock 'A' (locked by MainThread, 2 deep)\nRLock 'A' (unlocked)",
    python = "threading.RLock", see = { "Lock" },
  },
  {
    name = "RLock:acquire", kind = "method", call = "rlock:acquire([blocking [, timeout]])",
    about = "Takes the lock, or takes it once more where the calling thread has it already; waits while another "
      .. "thread has it.",
    args = { words.blocking, words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: taken; false: it was not to be had, or not in time" } },
    errors = {
      words.no_timeout_for_a_try "sync.RLock():acquire(false, 1)",
      words.bad_timeout "sync.RLock():acquire(0 / 0)",
    },
    example = [[
local lock = sync.RLock()
assert(lock:acquire() and lock:acquire(false))
assert(sync.spawn(lock.acquire, lock, false):result() == false)]],
    python = "RLock.acquire(blocking=True, timeout=-1)", see = { "RLock:release", "timeouts" },
  },
  {
    name = "RLock:release", kind = "method", call = "rlock:release()",
    about = "Undoes one acquire of the calling thread.",
    errors = { { "cannot release un-acquired lock", "the calling thread does not have it",
      "sync.RLock():release()" } },
    example = [[
local lock = sync.RLock()
lock:acquire()
lock:acquire()
lock:release()
assert(lock:locked())
lock:release()
assert(not lock:locked())]],
    python = "RLock.release", see = { "RLock:acquire" },
  },
}

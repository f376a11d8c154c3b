--- The reference: Condition, Event, Semaphore. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

return {
  title = "Signals",
  {
    name = "Condition", kind = "constructor", call = "sync.Condition([lock [, options]])",
    about = "A lock together with a line of threads that wait until another one says that something has changed. "
      .. "Waiters leave in the order they came, and none wakes without having been notified. A notification that "
      .. "comes while nobody waits is lost: keep the fact itself in a Shared, look at it while holding the lock, and "
      .. "wait_for does the rest. Several conditions may share one lock.",
    args = { { "lock", "Lock|RLock?", "default: an RLock of its own" }, words.options },
    returns = { { "Condition", "" } },
    errors = {
      { "Lock or RLock expected, got Event", "the lock is something else", "sync.Condition(sync.Event())" },
      words.bad_options "sync.Condition{ nam = 'C' }",
    },
    example = [[
local ready = sync.Condition{ name = "ready" }
local mail = sync.Shared()
local reader = sync.spawn(function()
  local _ <close> = ready:hold()
  ready:wait_for(function() return mail.text end)
  print("read: " .. mail.text)
end)
ready:with(function()
  mail.text = "hello"
  ready:notify()
end)
reader:join()
print(ready)]],
    output = "read: hello\nCondition 'ready' (RLock 'RLock-1', 0 waiting)",
    python = "threading.Condition", see = { "Condition:wait_for", "Condition:notify", "Event" },
  },
  {
    name = "Condition:acquire", kind = "method", call = "cond:acquire([blocking [, timeout]])",
    about = "Acquires the condition's lock, by the rules of that lock.",
    args = { words.blocking, words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: taken; false: it was not to be had, or not in time" } },
    errors = {
      words.no_timeout_for_a_try "sync.Condition():acquire(false, 1)",
      words.bad_timeout "sync.Condition():acquire(-1)",
    },
    example = [[
local cond = sync.Condition()
assert(cond:acquire())
cond:release()]],
    python = "Condition.acquire", see = { "Lock:acquire", "Lock:hold" },
  },
  {
    name = "Condition:release", kind = "method", call = "cond:release()",
    about = "Releases the condition's lock, by the rules of that lock.",
    errors = {
      { "cannot release un-acquired lock", "it is an RLock that the calling thread does not have",
        "sync.Condition():release()" },
      { "release unlocked lock", "it is a Lock that nobody has", "sync.Condition(sync.Lock()):release()" },
    },
    example = [[
local lock = sync.Lock()
local cond = sync.Condition(lock)
cond:acquire()
assert(lock:locked())
cond:release()
assert(not lock:locked())]],
    python = "Condition.release", see = { "Condition:acquire" },
  },
  {
    name = "Condition:wait", kind = "method", call = "cond:wait([timeout])",
    about = "Releases the lock, waits until notified, takes the lock again. An RLock is given back wholly and taken "
      .. "again to the same depth. The lock is held on every way out, also after a timeout or an interrupt.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: notified; false: the time ran out" } },
    errors = {
      { "cannot wait on un-acquired lock", "the calling thread does not have the lock (plain locks have an owner, too)",
        "sync.Condition():wait()" },
      words.bad_timeout "local c = sync.Condition() c:acquire() c:wait(-1)",
    },
    example = [[
local cond = sync.Condition()
cond:acquire()
assert(cond:wait(0.01) == false)
cond:release()]],
    python = "Condition.wait", see = { "Condition:wait_for", "timeouts" },
  },
  {
    name = "Condition:wait_for", kind = "method", call = "cond:wait_for(pred [, timeout])",
    about = "Waits until `pred()` is true. It is called while the lock is held, first at once and then after every "
      .. "notification. The timeout holds for the whole call. This is the form to prefer: nothing is missed if the "
      .. "change came before the wait.",
    args = { { "pred", "function", "without arguments" }, words.timeout }, units = words.seconds,
    returns = { { "any", "what pred returned last: true, or false (or nil) where the time ran out" } },
    errors = {
      { "cannot wait on un-acquired lock", "the calling thread does not have the lock",
        "sync.Condition():wait_for(rawequal)" },
      { "function expected, got nil", "pred cannot be called",
        "local c = sync.Condition() c:acquire() c:wait_for(nil)" },
      words.bad_timeout "local c = sync.Condition() c:acquire() c:wait_for(os.time, -1)",
    },
    example = [[
local cond, box = sync.Condition(), sync.Shared()
sync.spawn(function()
  cond:with(function()
    box.item = "tea"
    cond:notify_all()
  end)
end)
local _ <close> = cond:hold()
print(cond:wait_for(function() return box.item end))]],
    output = "tea",
    python = "Condition.wait_for", see = { "Condition:wait", "timeouts" },
  },
  {
    name = "Condition:notify", kind = "method", call = "cond:notify([n])",
    about = "Wakes the first n waiters. They go on once they have the lock, so not before the caller has released it.",
    args = { { "n", "integer?", "default 1; n <= 0 wakes nobody" } },
    errors = { { "cannot notify on un-acquired lock", "the calling thread does not have the lock",
      "sync.Condition():notify()" } },
    example = [[
local cond = sync.Condition()
cond:with(function()
  cond:notify()   -- nobody waits: no effect, now or later
end)]],
    python = "Condition.notify", see = { "Condition:notify_all" },
  },
  {
    name = "Condition:notify_all", kind = "method", aliases = { "Condition:notifyAll" }, call = "cond:notify_all()",
    about = "Wakes all waiters; they go on one after the other, as each gets the lock.",
    errors = { { "cannot notify on un-acquired lock", "the calling thread does not have the lock",
      "sync.Condition():notify_all()" } },
    example = [[
local cond, state = sync.Condition(), sync.Shared{ waiting = 0, open = false }
local function visitor()
  local _ <close> = cond:hold()
  state.waiting = state.waiting + 1
  cond:wait_for(function() return state.open end)
  return "in"
end
local a, b = sync.spawn(visitor), sync.spawn(visitor)
cond:with(function()
  state.open = true
  cond:notify_all()
end)
print(a:result(), b:result())]],
    output = "in\tin",
    python = "Condition.notify_all", see = { "Condition:notify" },
  },
  {
    name = "Event", kind = "constructor", call = "sync.Event([options])",
    about = "A flag that threads can wait for. It begins unset.", picture = "traffic_signal",
    args = { words.options }, returns = { { "Event", "unset" } },
    errors = { words.bad_options "sync.Event{ nam = 'E' }", words.no_arguments "sync.Event(true)" },
    example = [[
local go = sync.Event{ name = "go" }
local runner = sync.spawn(function()
  go:wait()
  print("running")
end)
go:set()
runner:join()
print(go)]],
    output = "running\nEvent 'go' (set)",
    python = "threading.Event", see = { "Event:wait", "Condition" },
  },
  {
    name = "Event:set", kind = "method", call = "event:set()",
    about = "Sets the flag and wakes all waiters. Each of them returns true, even if clear() follows before it runs.",
    example = [[
local event = sync.Event()
event:set()
event:set()   -- setting what is set is fine
assert(event:is_set())]],
    python = "Event.set", see = { "Event:clear" },
  },
  {
    name = "Event:clear", kind = "method", call = "event:clear()",
    about = "Clears the flag; who calls wait() from now on waits.",
    example = [[
local event = sync.Event()
event:set()
event:clear()
assert(not event:is_set())]],
    python = "Event.clear", see = { "Event:set" },
  },
  {
    name = "Event:is_set", kind = "method", aliases = { "Event:isSet" }, call = "event:is_set()",
    about = "Whether the flag is set at this moment.", returns = { { "boolean", "" } },
    example = "assert(sync.Event():is_set() == false)",
    python = "Event.is_set", see = { "Event:wait" },
  },
  {
    name = "Event:wait", kind = "method", call = "event:wait([timeout])",
    about = "Waits until the flag is set; returns at once if it is.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: set; false: the time ran out" } },
    errors = { words.bad_timeout "sync.Event():wait(-1)" },
    example = [[
local event = sync.Event()
assert(event:wait(0.01) == false)
event:set()
assert(event:wait() == true)]],
    python = "Event.wait", see = { "timeouts" },
  },
  {
    name = "Semaphore", kind = "constructor", call = "sync.Semaphore([value [, options]])", picture = "semaphore_pool",
    about = "A number of permits: acquire takes one and waits while there is none, release brings some back.",
    args = { { "value", "integer?", "how many permits there are at first; default 1" }, words.options },
    returns = { { "Semaphore", "" } },
    errors = {
      { "semaphore initial value must be >= 0", "value is negative", "sync.Semaphore(-1)" },
      { "number has no integer representation", "value is a fraction", "sync.Semaphore(1.5)" },
      words.bad_options "sync.Semaphore(1, { nam = 'S' })",
    },
    example = [[
local permits = sync.Semaphore(2, { name = "permits" })
local active, most = sync.Atomic(0), sync.Shared{ n = 0 }
local function work()
  local _ <close> = permits:hold()
  local now = active:add(1)
  sync.update(most, "n", math.max, now)
  sync.sleep(0.005)
  active:add(-1)
end
local threads = {}
for i = 1, 6 do threads[i] = sync.spawn(work) end
for _, t in ipairs(threads) do t:join() end
assert(most.n <= 2)
print(permits)]],
    output = "Semaphore 'permits' (value 2)",
    python = "threading.Semaphore", see = { "BoundedSemaphore", "Lock:hold" },
  },
  {
    name = "BoundedSemaphore", kind = "constructor", call = "sync.BoundedSemaphore([value [, options]])",
    about = "A Semaphore whose value never goes above the one it began with: a release too many is an error.",
    args = { { "value", "integer?", "default 1" }, words.options },
    returns = { { "BoundedSemaphore", "" } },
    errors = {
      { "semaphore initial value must be >= 0", "value is negative", "sync.BoundedSemaphore(-1)" },
      words.bad_options "sync.BoundedSemaphore(1, { nam = 'S' })",
    },
    example = [[
local s = sync.BoundedSemaphore(1)
s:acquire()
s:release()
assert(not pcall(s.release, s))
assert(s:value() == 1)]],
    python = "threading.BoundedSemaphore", see = { "Semaphore" },
  },
  {
    name = "Semaphore:acquire", kind = "method", also = { "BoundedSemaphore" },
    call = "sem:acquire([blocking [, timeout]])",
    about = "Takes one permit; waits while there is none. Permits that come back go to those who wait, in the order "
      .. "they came.",
    args = { words.blocking, words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: taken; false: there was none, or not in time" } },
    errors = {
      words.no_timeout_for_a_try "sync.Semaphore():acquire(false, 1)",
      words.bad_timeout "sync.Semaphore():acquire(-1)",
    },
    example = [[
local s = sync.Semaphore(1)
assert(s:acquire() == true)
assert(s:acquire(false) == false)
assert(s:acquire(0.01) == false)]],
    python = "Semaphore.acquire(blocking=True, timeout=None)", see = { "Semaphore:release", "timeouts" },
  },
  {
    name = "Semaphore:release", kind = "method", also = { "BoundedSemaphore" }, call = "sem:release([n])",
    about = "Brings n permits back and wakes up to n waiters. A call that fails changes nothing.",
    args = { { "n", "integer?", "default 1" } },
    errors = {
      { "n must be one or more", "n < 1", "sync.Semaphore():release(0)" },
      { "semaphore released too many times", "a BoundedSemaphore would go above its first value",
        "sync.BoundedSemaphore(2):release()" },
      { "semaphore value would overflow", "the value would not fit an integer",
        "sync.Semaphore(math.maxinteger):release()" },
    },
    example = [[
local s = sync.Semaphore(0)
s:release(3)
assert(s:value() == 3)]],
    python = "Semaphore.release", see = { "Semaphore:acquire" },
  },
  {
    name = "Semaphore:value", kind = "method", also = { "BoundedSemaphore" }, call = "sem:value()",
    about = "How many permits are there at this moment.", returns = { { "integer", "" } },
    example = "assert(sync.Semaphore(3):value() == 3)",
    python = "none (CPython has the private _value)", see = { "Semaphore" },
  },
}

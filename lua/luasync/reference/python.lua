--- The reference: from Python's names to ours. See luasync.reference for the shape of an entry.

-- What Python's documentation calls it, how it is written here, what differs (nil: nothing that a script notices).
local COUNTERPARTS = {
  { "Thread(target=f, args=(1,), name='n', daemon=True)",
    "sync.Thread{ target = f, args = { 1 }, name = 'n', daemon = true }",
    "target is checked at once; what f captures is copied" },
  { "Thread.start", "Thread:start", "returns the thread; may be tried again where the system had no thread left" },
  { "Thread.join(timeout)", "Thread:join", "true, or false where the time ran out" },
  { "Thread.is_alive, name, daemon, ident, native_id", "Thread:is_alive", "the name is the OS thread's, too" },
  { "Thread.run", "Thread:result", "no subclasses; the target's results and its error are handed on" },
  { "current_thread, main_thread, enumerate, active_count", "current_thread", nil },
  { "get_ident, get_native_id", "get_ident", "an ident is never used twice" },
  { "threading.excepthook = f", "set_excepthook", "f(thread, error, traceback); returns the one before" },
  { "settrace, setprofile, stack_size, TIMEOUT_MAX", "timeouts", "none; a timeout may be any number from 0 on" },
  { "Lock()", "Lock", "the owner is known: reports name it" },
  { "Lock.acquire(blocking, timeout)", "Lock:acquire",
    "a number in the place of blocking is the timeout; -1 is an error, "
    .. "nil waits for ever" },
  { "Lock.release, locked", "Lock:release", nil },
  { "with lock:", "Lock:hold", "local _ <close> = lock:hold(), or lock:with(fn, ...)" },
  { "RLock()", "RLock", "has locked()" },
  { "Condition(lock)", "Condition", "the owner of a plain lock is checked as well" },
  { "Condition.wait, wait_for", "Condition:wait",
    "wait_for asks whether the lock is held before it calls the predicate" },
  { "Condition.notify(n), notify_all", "Condition:notify", "wakes n at most, first come, first served" },
  { "Event.set, clear, is_set, wait", "Event:wait", nil },
  { "Semaphore(n), BoundedSemaphore(n)", "Semaphore", "integers only; value() tells" },
  { "Semaphore.release(n)", "Semaphore:release", nil },
  { "Barrier(parties, action, timeout)", "Barrier", "integers only" },
  { "Barrier.wait", "Barrier:wait",
    "counts from 1; nil, 'timeout' for who was late and nil, 'broken' for all others, "
    .. "in place of BrokenBarrierError" },
  { "Timer(interval, f, args)", "Timer", "Timer(interval, f, ...); an interval that is no time is an error at once" },
  { "Timer.cancel", "Timer:cancel", nil },
  { "local()", "Local", "an unset field is nil; a function in place of a subclass with __init__" },
  { "Queue(maxsize), LifoQueue, PriorityQueue, SimpleQueue", "Queue",
    "integers only; equal priorities stay in order, and "
    .. "what has no order is refused before it is in" },
  { "Queue.put(item, block, timeout), put_nowait", "Queue:put",
    "nil, 'full' and nil, 'shutdown' in place of exceptions; "
    .. "nil is no item; the item is copied" },
  { "Queue.get(block, timeout), get_nowait", "Queue:get", "nil, 'empty' and nil, 'shutdown' in place of exceptions" },
  { "Queue.task_done, join", "Queue:join", "join takes a timeout" },
  { "Queue.shutdown(immediate)", "Queue:shutdown", nil },
  { "Queue.qsize, empty, full, maxsize", "Queue:qsize", "#queue as well; maxsize cannot be changed" },
  { "while True: item = q.get()", "Queue:items", "ends when the queue is shut down and empty" },
  { "ThreadPoolExecutor(max_workers)", "Pool", "as many workers as processors; no initializer" },
  { "Executor.submit(f, *args)", "Pool:submit", "f is checked at once" },
  { "Executor.map(f, list)", "Pool:map", "one list, and a list of results in its order" },
  { "Executor.shutdown(wait, cancel_futures)", "Pool:shutdown", nil },
  { "Future.result(timeout)", "Future:result", "nil, 'timeout' and nil, 'cancelled' in place of exceptions" },
  { "Future.done, running, cancel, cancelled", "Future:done", nil },
  { "Future.exception, add_done_callback", "Future:result", "none: pcall(future.result, future)" },
  { "concurrent.futures.wait(fs, timeout, return_when)", "wait", "'first' in place of FIRST_COMPLETED; two lists" },
  { "as_completed(fs)", "select", "in a loop; waits for queues, events, locks and threads, too" },
  { "time.sleep, time.time, time.monotonic", "sleep", nil },
  { "d[k] += 1 under a lock", "update", "on a Shared; or an Atomic" },
  { "logging.basicConfig, debug … critical", "logging.basicConfig", nil },
  { "sys.exit in a thread", "Thread:result", "none: error, or os.exit, which ends the program" },
  { "KeyboardInterrupt", "ends", "the error 'interrupted!' in the main thread" },
}

return {
  title = "From Python",
  {
    name = "python", kind = "topic", aliases = { "threading", "queue module", "concurrent.futures" },
    about = "What a program that uses Python's threading, queue and concurrent.futures says, how it is written "
      .. "here, and what differs. Everywhere: an expected outcome is a result and not an exception, a timeout is "
      .. "nil or a number from 0 on, waiting threads are served first come, first served, and what goes to another "
      .. "thread is copied.",
    counterparts = COUNTERPARTS,
    see = { "timeouts", "crossing", "order" },
  },
}

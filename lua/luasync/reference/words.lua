--- What many entries of the reference say in the same words: timeouts, options, errors.
-- See luasync.reference for the shape of an entry.

local words = {}

--- The argument `timeout`.
words.timeout = { "timeout", "number?", "seconds; nil or math.huge: wait for ever, 0: do not wait" }

--- The argument `blocking` of the acquire family.
words.blocking = { "blocking", "boolean|number?",
  "false: do not wait; default true. A number in its place is the timeout" }

--- The argument `block` of the queues.
words.block = { "block", "boolean|number?", "false: do not wait; default true. A number in its place is the timeout" }

--- The trailing table that names an object.
words.options = { "options", "{ name: string }?",
  "names the object for tostring and reports; without it the name is made from kind and number" }

words.seconds = "Times are seconds, integer or float."

--- The error of a timeout that is none.
-- @param code Lua code that raises it; a spec runs it
function words.bad_timeout(code)
  return { "timeout must be a non-negative number", "the timeout is negative, NaN or not a number", code }
end

--- The error of acquire(false, t).
function words.no_timeout_for_a_try(code)
  return { "can't specify a timeout for a non-blocking call", "`blocking` is false and there is a timeout", code }
end

--- The error of a constructor that got something else than options.
-- @param code as above
function words.bad_options(code)
  return { 'options are { name = "..." }', "the trailing table is anything but `{ name = \"…\" }`", code }
end

function words.no_arguments(code)
  return { 'no arguments but { name = "..." } expected', "there is any other argument", code }
end

--- The methods hold and with, which five kinds share.
-- @param kind the kind whose entry it is; @param also the other kinds
-- @return two entries
function words.guards(kind, also)
  local hold = {
    name = kind .. ":hold", kind = "method", also = also,
    call = "local _ <close> = lock:hold()",
    about = "Acquires, and releases when the variable goes out of scope: at the end of the block, by break, return "
      .. "or an error. It waits as long as it takes. The result is the object itself, whose `__close` releases; "
      .. "keep it in a `<close>` variable and nowhere else.",
    returns = { { "any", "the object itself" } },
    example = [[
local lock = sync.Lock{ name = "A" }
do
  local _ <close> = lock:hold()
  print(lock)
end
print(lock)]],
    output = [[
Lock 'A' (locked by MainThread)
Lock 'A' (unlocked)]],
    python = "with lock:",
    see = { kind .. ":with" },
  }
  local with = {
    name = kind .. ":with", kind = "method", also = also,
    call = "lock:with(fn, ...)",
    about = "Acquires, calls `fn(...)`, releases, and returns what fn returned. It releases also when fn raises an "
      .. "error or its coroutine is closed; the error goes on unchanged. fn may yield.",
    args = { { "fn", "function", "called while the lock is held" }, { "...", "any", "its arguments" } },
    returns = { { "any", "fn's results" } },
    errors = { { "function expected, got nil", "fn is not a function", "sync.Lock():with(nil)" } },
    example = [[
local lock = sync.Lock()
print(lock:with(function(a, b) return a + b, lock:locked() end, 2, 3))
print(pcall(lock.with, lock, error, "oops"))
print(lock:locked())]],
    output = "5\ttrue\nfalse\toops\nfalse",
    python = "with lock:",
    see = { kind .. ":hold" },
  }
  return hold, with
end

return words

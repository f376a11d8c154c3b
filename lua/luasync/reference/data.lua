--- The reference: Local, Shared, Atomic. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

return {
  title = "Data",
  {
    name = "Local", kind = "constructor", aliases = { "local" }, call = "sync.Local([init [, ...]])",
    about = "An object whose fields are private to each thread: a field set by one is nil in the others. With a table "
      .. "as `init` each thread begins with a copy of it. With a function, `init(self, ...)` runs at once in the "
      .. "creator, and in each other thread when that first touches the object; if it raises there, the next touch "
      .. "tries again. Fields may hold any value and go with their thread. pairs() walks this thread's fields.",
    args = {
      { "init", "table|function?", "what each thread begins with" },
      { "...", "any", "after a function: its further arguments; after a table or nil: `{ name = \"…\" }`" },
    },
    returns = { { "Local", "" } },
    errors = {
      { "table or function expected, got number", "init is something else", "sync.Local(1)" },
      { "cannot send a coroutine", "something in init cannot cross",
        "sync.Local{ co = coroutine.create(print) }" },
      words.bad_options "sync.Local(nil, { nam = 'L' })",
    },
    example = [[
local data = sync.Local()
data.value = 1
sync.spawn(function()
  print(data.value)
  data.value = 2
end):join()
print(data.value)

local account = sync.Local(function(self, balance)
  print("init in " .. sync.current_thread().name)
  self.balance = balance
end, 100)
sync.Thread{ name = "T", target = function() print(account.balance) end }:start():join()]],
    output = "nil\n1\ninit in MainThread\ninit in T\n100",
    python = "threading.local, with init as its subclass's __init__", see = { "Shared" },
  },
  {
    name = "Shared", kind = "constructor", call = "sync.Shared([t [, options]])",
    about = "A table that all threads see. Indexing, assignment, `#`, pairs, ipairs and the functions of the table "
      .. "library work on it. Each single read or write is atomic; several of them are not one: `s.n = s.n + 1` needs "
      .. "a lock, or sync.update. Plain tables stored in it become Shared themselves, so `s.list[3] = x` is seen by "
      .. "all as well; anything else is copied in and out. Keys are strings, numbers, booleans, light userdata and "
      .. "luasync objects. pairs walks the keys that were there when it began, with the values of the moment.",
    args = { { "t", "table?", "its first contents" }, words.options },
    returns = { { "Shared", "" } },
    errors = {
      { "cannot share a table with a metatable", "a table to be stored has one",
        "sync.Shared{ a = setmetatable({}, {}) }" },
      { "cannot use a function as a key of a Shared", "a key has a type that cannot be one",
        "sync.Shared()[print] = 1" },
      { "table index is nil", "nil is written to", "sync.Shared()[nil] = 1" },
      { "table index is NaN", "NaN is written to", "sync.Shared()[0 / 0] = 1" },
      { "cannot send a coroutine", "a value cannot cross", "sync.Shared().co = coroutine.create(print)" },
      words.bad_options "sync.Shared({}, { nam = 'S' })",
    },
    example = [[
local state = sync.Shared({ names = {} }, { name = "state" })
local function add(name) table.insert(state.names, name) end
sync.spawn(add, "ann"):join()
sync.spawn(add, "bob"):join()
print(#state.names, table.concat(state.names, ", "))
print(state)]],
    output = "2\tann, bob\nShared 'state' (1 item)",
    python = "a dict or list that several threads use", see = { "update", "snapshot", "Atomic", "crossing" },
  },
  {
    name = "update", kind = "function", call = "sync.update(s, key, fn, ...)",
    about = "Replaces `s[key]` by `fn(s[key], ...)` in one step: no other thread reads or writes s in between. If fn "
      .. "raises an error nothing is changed. fn may read and update other Shared tables, but not s.",
    args = {
      { "s", "Shared", "" }, { "key", "any", "a key of s" },
      { "fn", "function", "gets the old value and the further arguments; its first result is the new value" },
      { "...", "any", "further arguments" },
    },
    returns = { { "any", "the new value" } },
    errors = {
      { "Shared expected, got table", "s is something else", "sync.update({}, 'n', math.abs)" },
      { "cannot touch the table being updated", "fn reads or writes s",
        "local s = sync.Shared() sync.update(s, 'n', function() return s.n end)" },
      { "cannot block inside update", "fn would wait" },
      { "function expected, got nil", "fn is no function", "sync.update(sync.Shared(), 'n', nil)" },
    },
    example = [[
local s = sync.Shared{ n = 0 }
local function work()
  for _ = 1, 1000 do
    sync.update(s, "n", function(n, step) return n + step end, 1)
  end
end
local a, b = sync.spawn(work), sync.spawn(work)
a:join()
b:join()
print(s.n)]],
    output = "2000",
    python = "with lock: d[key] = fn(d[key])", see = { "Shared", "Atomic" },
  },
  {
    name = "snapshot", kind = "function", call = "sync.snapshot(s)",
    about = "A plain deep copy of a Shared, with the Shared tables inside it as plain tables, too. Each table is "
      .. "copied at one moment, the whole is not.",
    args = { { "s", "Shared", "" } }, returns = { { "table", "" } },
    errors = { { "Shared expected, got table", "s is something else", "sync.snapshot({})" } },
    example = [[
local s = sync.Shared{ list = { 1, 2 } }
local plain = sync.snapshot(s)
s.list[3] = 3
assert(#plain.list == 2 and type(plain.list) == "table")]],
    python = "copy.deepcopy", see = { "Shared" },
  },
  {
    name = "Atomic", kind = "constructor", call = "sync.Atomic([n [, options]])",
    about = "One number that threads change without a lock of their own. Integers stay integers and wrap around; with "
      .. "a float the sum is a float.",
    args = { { "n", "number?", "default 0" }, words.options }, returns = { { "Atomic", "" } },
    errors = {
      { "number expected, got string", "n is no number (also in the methods)", "sync.Atomic('1')" },
      words.bad_options "sync.Atomic(1, { nam = 'A' })",
    },
    example = [[
local count = sync.Atomic(0, { name = "count" })
local function work()
  for _ = 1, 1000 do count:add(1) end
end
local a, b = sync.spawn(work), sync.spawn(work)
a:join()
b:join()
print(count)]],
    output = "Atomic 'count' (2000)",
    python = "none", see = { "Atomic:add", "update" },
  },
  {
    name = "Atomic:get", kind = "method", call = "a:get()", about = "The number.", returns = { { "number", "" } },
    example = "assert(sync.Atomic(7):get() == 7)", python = "none", see = { "Atomic" },
  },
  {
    name = "Atomic:set", kind = "method", call = "a:set(v)", about = "Replaces the number.",
    args = { { "v", "number", "" } },
    errors = { { "number expected, got nil", "v is no number", "sync.Atomic():set(nil)" } },
    example = [[
local a = sync.Atomic()
a:set(2.5)
assert(a:get() == 2.5)]],
    python = "none", see = { "Atomic:exchange" },
  },
  {
    name = "Atomic:add", kind = "method", call = "a:add(n)", about = "Adds n.",
    args = { { "n", "number", "may be negative" } }, returns = { { "number", "the new value" } },
    errors = { { "number expected, got no value", "n is no number", "sync.Atomic():add()" } },
    example = "assert(sync.Atomic(40):add(2) == 42)", python = "none", see = { "Atomic" },
  },
  {
    name = "Atomic:exchange", kind = "method", call = "a:exchange(v)", about = "Replaces the number.",
    args = { { "v", "number", "" } }, returns = { { "number", "the old value" } },
    errors = { { "number expected, got no value", "v is no number", "sync.Atomic():exchange()" } },
    example = [[
local a = sync.Atomic(1)
assert(a:exchange(2) == 1 and a:get() == 2)]],
    python = "none", see = { "Atomic:compare_exchange" },
  },
  {
    name = "Atomic:compare_exchange", kind = "method", call = "a:compare_exchange(old, new)",
    about = "Replaces the number by `new` if it equals `old`.",
    args = { { "old", "number", "compared as by ==" }, { "new", "number", "" } },
    returns = { { "boolean", "whether it did" } },
    errors = { { "number expected, got no value", "an argument is no number",
      "sync.Atomic():compare_exchange(0)" } },
    example = [[
local a = sync.Atomic(1)
assert(a:compare_exchange(1, 5) == true)
assert(a:compare_exchange(1, 6) == false)
assert(a:get() == 5)]],
    python = "none", see = { "Atomic:exchange" },
  },
}

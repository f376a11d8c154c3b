--- The reference: luasync.testing. See luasync.reference for the shape of an entry.

local NEEDS_BUSTED = "it is called without busted"

return {
  title = "Testing",
  {
    name = "luasync.testing", kind = "module", aliases = { "testing" }, call = 'require "luasync.testing"',
    about = "For specs of programs with threads, with busted in the command or in stock Lua. A spec file that loads it "
      .. "can use luassert in its threads and simulated worlds, where else Lua's own assert is; a failure there is "
      .. "the failure of the test, with values and line, also when the thread was only joined. An error of a "
      .. "thread that nobody takes with result(), or a deadlock, fails the test in which it happens, and the run goes "
      .. "on. So does a simulate or explore that has not ended well, unless the test looks at its report. Ctrl-C "
      .. "ends the run. Global `assert` is a table there that can be called.",
    example = [[
local testing = require "luasync.testing"
print(testing.in_thread(function(n) return n + 1 end, 41))]],
    output = "42",
    see = { "busted", "testing.in_thread", "testing.for_each_seed", "testing.no_threads_left", "assertions" },
  },
  {
    name = "testing.in_thread", kind = "function", call = "testing.in_thread(fn, ...)",
    about = "Calls `fn(...)` in a thread of its own and waits for its end. A failed assertion is the test's failure; "
      .. "another error is raised here.",
    args = { { "fn", "function", "" }, { "...", "any", "its arguments" } },
    returns = { { "any", "what fn returns" } },
    example = [[
local testing = require "luasync.testing"
print(testing.in_thread(function() return sync.current_thread().name end))]],
    output = "in_thread", see = { "spawn" },
  },
  {
    name = "testing.for_each_seed", kind = "function", call = "testing.for_each_seed(first, last, fn)",
    about = "Runs fn in a simulated world with each seed from `first` to `last`. The first run that does not end well "
      .. "(an error, a failed assertion, an error of a thread, a deadlock, a livelock) is the failure; its text ends "
      .. "with the call that repeats it.",
    args = { { "first", "integer", "" }, { "last", "integer", "" }, { "fn", "function", "as for simulate" } },
    example = [[
local testing = require "luasync.testing"
local ok, failure = pcall(testing.for_each_seed, 1, 100, function()
  local s = sync.Shared{ n = 0 }
  local function work() s.n = s.n + 1 end
  local a, b = sync.spawn(work), sync.spawn(work)
  a:join()
  b:join()
  if s.n ~= 2 then error "an update is lost" end
end)
print(ok, (tostring(failure):match "[^\n]*$":gsub("%d+", "N")))]],
    output = "false\treplay: sync.simulate(fn, { seed = N })",
    see = { "simulate" },
  },
  {
    name = "testing.explore_it", kind = "function", call = "testing.explore_it(name, fn [, opts])",
    about = "An `it` that runs fn under every interleaving, as sync.explore does. Where the build has no sync.explore "
      .. "the test is pending and says so.",
    args = { { "name", "string", "of the test" }, { "fn", "function", "as for simulate" },
      { "opts", "table?", "of sync.explore" } },
    errors = { { "explore_it needs busted", NEEDS_BUSTED } },
    see = { "simulate" },
  },
  {
    name = "testing.no_threads_left", kind = "function", call = "testing.no_threads_left()",
    about = "To be called in a describe block: a test of that block which leaves a thread behind fails, and the thread "
      .. "is interrupted. A thread that ends within a second after its test is none.",
    errors = { { "no_threads_left needs busted", NEEDS_BUSTED } },
  },
  {
    name = "testing.invariant", kind = "function", call = "testing.invariant(name, fn)",
    about = "In a simulated world: from now on, until the calling thread ends, `fn()` is called between any two "
      .. "operations of its threads, and must give something true. The run fails with the first time it does not, or "
      .. "raises an error. fn looks at objects without a step of its own; it cannot wait.",
    args = { { "name", "string", "as the failure shows it" }, { "fn", "function", "" } },
    errors = { { "an invariant needs a simulated world", "the thread is in no simulated world",
      'require "luasync.testing".invariant("x", print)' } },
    example = [[
local testing = require "luasync.testing"
local report = sync.simulate(function()
  local s = sync.Shared{ from = 10, to = 0 }
  testing.invariant("nothing is lost", function() return s.from + s.to == 10 end)
  s.from = s.from - 1
  s.to = s.to + 1
end)
print(report.error)]],
    output = "the invariant 'nothing is lost' does not hold",
    see = { "simulate", "testing.for_each_seed", "testing.sometimes" },
  },
  {
    name = "testing.sometimes", kind = "function", call = "testing.sometimes(name, condition)",
    about = "In a simulated world: `condition` must be true in at least one of all the runs. An exploration "
      .. "(sync.explore, testing.explore_it, testing.for_each_seed) in which it never was fails. It shows that a test "
      .. "reaches what it is about: the queue that is full, the thread that comes second.",
    args = { { "name", "string", "as the failure shows it" }, { "condition", "any", "what is sometimes true" } },
    errors = { { "sometimes needs a simulated world", "the thread is in no simulated world",
      'require "luasync.testing".sometimes("x", true)' } },
    example = [[
local testing = require "luasync.testing"
local report = sync.explore(function()
  local n = sync.Atomic(0)
  local a = sync.spawn(function() n:add(1) end)
  testing.sometimes("the thread comes first", n:get() == 1)
  testing.sometimes("it comes twice", n:get() == 2)
  a:join()
end)
print(report.ok, report.message)]],
    output = "false\tsometimes in 3 of 3 executions: 'it comes twice' has never held",
    see = { "explore", "testing.invariant", "testing.explore_it" },
  },
  {
    name = "assertions", kind = "topic",
    aliases = { "assert.deadlocks", "assert.blocks", "assert.completes_within", "assert.eventually", "assert.never" },
    about = "What luasync.testing adds to luassert. `assert.deadlocks(fn)`: fn in a simulated world ends in a "
      .. "deadlock. `assert.blocks(fn)`: fn in a thread of its own parks for an object, and is not merely slow or "
      .. "asleep; it is interrupted then. `assert.completes_within(s, fn)`: fn in a thread of its own returns within s "
      .. "seconds. `assert.eventually(fn [, s])`: fn, called again and again, gives something true within s seconds, "
      .. "10 unless told. `assert.never(fn, s)`: it does not. `assert.is_not.blocks(fn)` and the like work too.",
    see = { "luasync.testing" },
  },
}

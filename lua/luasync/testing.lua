--- Tests of programs with threads, for busted in the host and in stock Lua.
--
--     local testing = require "luasync.testing"
--
-- From then on luassert works in the threads and simulated worlds of this file's tests, and what goes wrong there
-- fails the test: an assertion, an error that nobody takes, a deadlock. See luasync.testing.supervise.

local inside = require "luasync.testing.inside"
local sync = require "luasync"

local testing = {}

local busted = package.loaded.busted
local supervise

--- Gives the file that is being loaded the `assert` that works in threads. Its globals are an environment of busted's,
-- in which luassert stands before what is in _G; both are as before at the end of the file.
local function give_assert()
  _G.assert = inside.assert
  for level = 3, math.huge do
    local info = debug.getinfo(level, "f")
    if not info then return end
    local name, env = debug.getupvalue(info.func, 1)
    local meta = name == "_ENV" and env ~= _G and debug.getmetatable(env)
    if meta and meta.__newindex then
      env.assert = inside.assert
      return
    end
  end
end

if busted then
  give_assert()
  inside.luassert()
  supervise = require "luasync.testing.supervise"
  supervise.install()
end

--- Raises the failure of a test whose runs are those of fn; the last line repeats the one that failed.
-- @param text what a run has to say; without a place of its own it gets that of fn
local function fail_for(fn, text, replay)
  text = inside.text(text or "the run has failed"):gsub("\nreplay: [^\n]*$", "")
  local info = type(fn) == "function" and debug.getinfo(fn, "S")
  if info and info.what ~= "C" and not text:find "^[^\n]-:%d+: " then
    text = ("%s:%d: %s"):format(info.short_src, info.linedefined, text)
  end
  if replay then text = text .. "\nreplay: " .. replay end
  inside.fail(text)
end

--- Calls fn(...) in a thread of its own and waits for it.
-- @return what fn returns; its error or failed assertion is raised here
function testing.in_thread(fn, ...)
  local thread = sync.Thread{ target = fn, args = table.pack(...), name = "in_thread" }:start()
  return thread:result()
end

--- Runs fn in a simulated world for each seed from `first` to `last`.
-- The first run that does not end well is the test's failure, with its seed.
function testing.for_each_seed(first, last, fn)
  sync.__sometimes()
  for seed = first, last do
    local report = sync.simulate(fn, { seed = seed })
    if not report.ok then fail_for(fn, report.message, ("sync.simulate(fn, { seed = %d })"):format(seed)) end
  end
  local never = sync.__sometimes()[1]
  if never then fail_for(fn, ("'%s' has never held with the seeds from %d to %d"):format(never, first, last)) end
end

local function need_busted(name)
  if not busted then error(name .. " needs busted", 3) end
end

--- A test that runs fn under every interleaving; pending where the build cannot explore.
-- @param opts as for sync.explore
function testing.explore_it(name, fn, opts)
  need_busted "explore_it"
  if not sync.explore then
    return busted.pending(name .. " (sync.explore is not in " .. sync._VERSION .. ")", function() end)
  end
  return busted.it(name, function()
    sync.__sometimes()
    local report = sync.explore(fn, opts)
    local failure = report.failures and report.failures[1]
    local replay = failure and failure.schedule and ('sync.simulate(fn, { schedule = "%s" })'):format(failure.schedule)
    if failure or not report.ok then fail_for(fn, failure and failure.message or report.message, replay) end
  end)
end

--- In a describe block: a test that leaves a thread behind fails, by name.
function testing.no_threads_left()
  need_busted "no_threads_left"
  busted.before_each(function() supervise.wants_none_left = true end)
end

--- In a simulated world: fn is called before each operation of any thread, and must give something true.
-- It may look at objects, and may not wait. The run fails where it does not hold or raises an error.
function testing.invariant(name, fn) sync.__invariant(name, fn) end

--- In a simulated world: `condition` must be true at least once in all the runs of explore, explore_it or
-- for_each_seed; an exploration in which it never was fails.
function testing.sometimes(name, condition) sync.__sometimes(name, condition) end

return testing

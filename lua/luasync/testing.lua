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

if busted then
  _G.assert = inside.assert               -- busted puts the old one back at the end of the file
  inside.luassert()
  supervise = require "luasync.testing.supervise"
  supervise.install()
end

--- Where a failure is to be raised for what a run has to say; the last line repeats the run.
local function fail_for(report, replay)
  local text = report.message or "the run has failed"
  if replay then text = text:gsub("\nreplay: [^\n]*$", "") .. "\nreplay: " .. replay end
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
  for seed = first, last do
    local report = sync.simulate(fn, { seed = seed })
    if not report.ok then fail_for(report, ("sync.simulate(fn, { seed = %d })"):format(seed)) end
  end
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
    local report = sync.explore(fn, opts)
    local failure = report.failures and report.failures[1]
    if failure then inside.fail(inside.text(failure.message)) end
    if not report.ok then fail_for(report) end
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

return testing

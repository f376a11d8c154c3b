--- Every public call, with memory that fails at its first allocation, its second, and so on.
--
-- usage: build/faults spec/whole/faults.lua real|simulated FAMILY [CASE|list [verbose]]
--
-- Each case makes what it needs, then calls. Where an allocation fails the call raises `not enough memory` in the
-- caller, or succeeds all the same (Lua collects garbage and asks again). After an error the same call, repeated,
-- succeeds, and what it leaves is what it leaves without any fault.

local EACH = 100 -- so many allocations of a call fail one after the other, of the rest some

--- All of it in one function, which also runs in simulated worlds.
-- @param family the name of the file with the cases
-- @param only the name of the only case, or nil
-- @return the number of cases and of faults
local function program(family, only, verbose)
  local sync = require "luasync"
  local faults = require "faults"

  local cases = {}
  --- @param name what is called
  -- @param make function() -> what the call gets
  -- @param call function(it): the call
  -- @param check function(it, ...): asserts by `assert` what the call has left; gets its results
  -- @param ... patterns of other errors that are right
  local function case(name, make, call, check, ...)
    cases[#cases + 1] =
      { name = name, make = make, call = call, check = check or function() end, "not enough memory$", ... }
  end

  local function nothing() end
  --- A thread that does fn() a moment from now, when the caller waits.
  local function soon(fn, ...)
    return sync.spawn(function(...)
      sync.settle()
      fn(...)
    end, ...)
  end

  --- What fn(...) raises; that memory is short, or that of the system for a thread, is raised here.
  local function raised(fn, ...)
    local ok, why = pcall(fn, ...)
    if ok then error("no error", 0) end
    if type(why) == "string" and (why:find "not enough memory$" or why:find "can't start new thread") then
      error(why, 0)
    end
    return why
  end

  require("spec.whole.faults." .. family)(case, nothing, soon, raised)

  local injected, ran = 0, 0
  local function fail(c, k, many, why)
    error(("%s, %d allocation(s) from number %d fail: %s"):format(c.name, many, k, tostring(why)), 0)
  end
  if only == "list" then
    for _, c in ipairs(cases) do print(c.name) end
    return 0, 0
  end
  for _, c in ipairs(cases) do
    if only == nil or c.name == only then
      ran = ran + 1
      local before = c.make()
      local first = table.pack(faults.run(0, 0, c.call, before)) -- whatever is made once is made
      if not first[2] then fail(c, 0, 0, first[3]) end
      c.check(before, table.unpack(first, 3, first.n))
      for _, many in ipairs { 1, 2, 1000000 } do
        local k = 1
        local at
        repeat
          local it = c.make()
          local outcome = table.pack(faults.run(k, many, c.call, it))
          local reached, ok, why = outcome[1], outcome[2], outcome[3]
          if reached >= k then injected = injected + 1 end
          if verbose then print(c.name, many, k, reached, ok or why) end
          if not ok then
            if reached < k then fail(c, k, many, why) end
            local known = false
            for _, pattern in ipairs(c) do known = known or type(why) == "string" and why:find(pattern) end
            if not known then fail(c, k, many, why) end
            outcome = table.pack(faults.run(0, 0, c.call, it))
            if not outcome[2] then fail(c, k, many, "repeated: " .. tostring(outcome[3])) end
          end
          local fine, problem = xpcall(c.check, debug.traceback, it, table.unpack(outcome, 3, outcome.n))
          if not fine then fail(c, k, many, problem) end
          at, k = k, k + 1 + math.max(0, (k - EACH) // 5)
        until reached < at -- that many there were, and this one did not fail
      end
    end
  end
  return ran, injected
end

local family, only, verbose = arg[2], arg[3], arg[4] ~= nil
if arg[1] == "simulated" then
  local sync = require "luasync"
  local report = sync.simulate(function() return program(family, only, verbose) end, { seed = 1 })
  if not report.ok then
    error(report.deadlock or report.livelock or tostring(report.error))
  end
  print(table.unpack(report.results))
else print(program(family, only, verbose)) end

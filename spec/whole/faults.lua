--- Every public call, with memory that fails at its first allocation, its second, and so on.
--
-- usage: build/faults spec/whole/faults.lua [real|simulated [CASE|list [verbose]]]
--
-- Each case makes what it needs, then calls. Where an allocation fails the call raises `not enough memory` in the
-- caller, or succeeds all the same (Lua collects garbage and asks again). After an error the same call, repeated,
-- succeeds, and what it leaves is what it leaves without any fault.

--- All of it in one function, which also runs in simulated worlds.
-- @param only the name of the only case, or nil
-- @return the number of cases and of faults
local function program(only, verbose)
  local sync = require "luasync"
  local faults = require "faults"

  local cases = {}
  --- @param name what is called
  -- @param make function() -> what the call gets
  -- @param call function(it): the call
  -- @param check function(it, ...): asserts by `assert` what the call has left; gets its results
  -- @param allowed a pattern of other errors that are right
  local function case(name, make, call, check, allowed)
    cases[#cases + 1] = { name = name, make = make, call = call, check = check or function() end, allowed = allowed }
  end

  local function nothing() end
  --- A thread that does fn() a moment from now, when the caller waits.
  local function soon(fn, ...)
    return sync.spawn(function(...)
      sync.settle()
      fn(...)
    end, ...)
  end

  for _, kinds in ipairs { "locks", "queues", "threads" } do
    require("spec.whole.faults." .. kinds)(case, nothing, soon)
  end

  -- Worlds in a world.
  if only ~= "inside" then
    case("simulate", nothing, function()
      return sync.simulate(function()
        local q = sync.Queue()
        sync.spawn(q.put, q, 1)
        return q:get()
      end, { seed = 1 })
    end, nil, "cannot make a simulated world")
    case("explore", nothing, function()
      return sync.explore(function()
        local q = sync.Queue()
        sync.spawn(q.put, q, 1)
        assert(q:get() == 1)
      end)
    end, function(_, report) assert(report.ok) end, "cannot make a simulated world")
  end

  local injected, ran = 0, 0
  local function fail(c, k, many, why)
    error(("%s, %d allocation(s) from number %d fail: %s"):format(c.name, many, k, tostring(why)), 0)
  end
  if only == "list" then
    for _, c in ipairs(cases) do print(c.name) end
    return 0, 0
  end
  for _, c in ipairs(cases) do
    if only == nil or only == "inside" or c.name == only then
      ran = ran + 1
      local before = c.make()
      c.check(before, select(3, faults.run(0, 0, c.call, before))) -- whatever is made once is made
      for _, many in ipairs { 1, 2, 1000000 } do
        local k = 1
        repeat
          local it = c.make()
          local outcome = table.pack(faults.run(k, many, c.call, it))
          local reached, ok, why = outcome[1], outcome[2], outcome[3]
          if reached >= k then injected = injected + 1 end
          if verbose then print(c.name, many, k, reached, ok or why) end
          if not ok then
            if reached < k then fail(c, k, many, why) end
            local known = why:find "not enough memory$" or c.allowed and why:find(c.allowed)
            if not known then fail(c, k, many, why) end
            outcome = table.pack(faults.run(0, 0, c.call, it))
            if not outcome[2] then fail(c, k, many, "repeated: " .. tostring(outcome[3])) end
          end
          local fine, problem = xpcall(c.check, debug.traceback, it, table.unpack(outcome, 3, outcome.n))
          if not fine then fail(c, k, many, problem) end
          k = k + 1
        until reached < k - 1 -- that many there were, and number k - 1 did not fail
      end
    end
  end
  return ran, injected
end

local world, only, verbose = arg[1], arg[2], arg[3] ~= nil
if world ~= "simulated" then print("real", program(only, verbose)) end
if world ~= "real" then
  local sync = require "luasync"
  local report = sync.simulate(function() return program(only or "inside", verbose) end, { seed = 1 })
  if not report.ok then
    error(report.deadlock or report.livelock or tostring(report.error))
  end
  print("simulated", table.unpack(report.results))
end

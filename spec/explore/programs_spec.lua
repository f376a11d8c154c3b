--- The verdict on each tutorial and example is the one that the reference tells.
local command = require "spec.command"
local verdicts = require "luasync.reference.verdicts"[1].returns

local ARGUMENT = { lost_update = "1", lost_update_fixed = "1" }
-- A budget for those that have more executions than can be run here.
local BUDGET = {
  bounded_buffer = 2, crawler = 100, phases = 20, pipeline = 100, primes = 50, readers_writers = 2, select = 100,
  ["52_event_shared_resource"] = 100, ["53_event_shared_resource_walkthrough"] = 100,
}

local function path_of(name)
  return ("scripts/%s/%s.lua"):format(name:find "^%d" and "tutorial" or "examples", name)
end

local function judge(name)
  local words = { "--explore" .. (BUDGET[name] and "=" .. BUDGET[name] or ""), path_of(name) }
  words[#words + 1] = ARGUMENT[name]
  local r = command.run(words)
  local kinds = {}
  for kind in r.out:gmatch "%f[^\n\0]FAIL ([%l -]-)   " do kinds[kind] = true end
  return r, kinds
end

describe("the verdict of --explore on #noasan #notsan", function()
  local told = {}
  for _, row in ipairs(verdicts) do
    local name, verdict = row[1], row[2]:match "^[^:]+"
    told[name] = true
    it(name .. " is: " .. verdict .. (name == "parallel_sum" and " #slow" or ""), function()
      local r, kinds = judge(name)
      if verdict:find "^clean" then
        assert.equal(0, r.code, r.out .. r.err)
        assert.same({}, kinds)
        if verdict == "clean, complete" then assert.matches(": COMPLETE (", r.out, 1, true) end
      else
        assert.is_true(kinds[verdict] or false, r.out)
        local stuck = verdict == "deadlock" or name == "lost_wakeup"
        assert.equal(stuck and 3 or 1, r.code)
      end
    end)
  end

  it("each of them is told", function()
    for _, folder in ipairs{ "tutorial", "examples" } do
      for path in io.popen("ls scripts/" .. folder .. "/*.lua"):lines() do
        assert.is_true(told[path:match "([^/]+)%.lua$"] or false, path)
      end
    end
  end)
end)

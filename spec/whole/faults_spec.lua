-- Memory that fails, see faults.c and faults.lua: at each allocation of each public call, in the C library as in Lua
-- states, once, twice in a row, and from then on.
local support = require "spec.support"

local program = support.read_file "spec/whole/faults.lua"
local binary = os.getenv "LUASYNC_FAULTS" or "build/faults"

--- Each family in a process of its own, as ThreadSanitizer gives back little of what threads leave behind; and it
-- keeps a shadow of the memory of each world. With the least number of cases and of faults, and tags, those of the
-- simulated world last. #noapicheck: where Lua's stack moves at each call, Lua loads a function in such a way
-- (luaD_inctop behind the value) that a collection for want of memory takes it away; elsewhere the stack has room.
local FAMILIES = {
  { "locks", 120, 330, "", "#noapicheck" }, { "queues", 119, 1200 }, { "threads", 56, 1300, "", "#noapicheck" },
  { "pools", 31, 1200 }, { "lua", 16, 2300 }, { "worlds", 19, 3000, "#notsan" },
}

describe("A call that gets no memory raises 'not enough memory', and succeeds when repeated #novalgrind", function()
  for _, family in ipairs(FAMILIES) do
    local name, least_cases, least_faults, tag, simulated_tag = table.unpack(family)
    for _, world in ipairs { "real", name ~= "worlds" and "simulated" or nil } do
      local tags = (tag or "") .. (world == "simulated" and simulated_tag or "")
      it(("%s in the %s world %s"):format(name, world, tags), function()
        local host = support.host
        support.host = binary
        local result = support.run(program, { args = { world, name }, seconds = 300 })
        support.host = host
        assert.equal("", result.err)
        local cases, faults = result.out:match "^(%d+)\t(%d+)\n$"
        assert.is_true(tonumber(cases) >= least_cases and tonumber(faults) >= least_faults, result.out)
      end)
    end
  end
end)

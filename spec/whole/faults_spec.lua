-- Memory that fails, see faults.c and faults.lua: at each allocation of each public call, in the C library as in Lua
-- states, once, twice in a row, and from then on.
local support = require "spec.support"

local program = support.read_file "spec/whole/faults.lua"
local binary = os.getenv "LUASYNC_FAULTS" or "build/faults"

describe("A call that gets no memory raises 'not enough memory', and succeeds when repeated #novalgrind", function()
  for world, least in pairs { real = 10000, simulated = 6000 } do
    it("in the " .. world .. " world", function()
      local host = support.host
      support.host = binary
      local result = support.run(program, { args = { world }, seconds = 300 })
      support.host = host
      assert.equal("", result.err)
      local cases, injected = result.out:match("^" .. world .. "\t(%d+)\t(%d+)\n$")
      assert.is_true(tonumber(cases) > 330 and tonumber(injected) > least, result.out)
    end)
  end
end)

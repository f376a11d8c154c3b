--- Ways to search that have nothing in common must find the same, in random programs over all kinds of objects.
-- LUASYNC_PROGRAMS=first-last draws others than those below.
local sync = require "luasync"
local programs = require "spec.explore.programs"

local first, last = (os.getenv "LUASYNC_PROGRAMS" or "1-200"):match "(%d+)%-(%d+)"
local LARGE = 1500 -- interleavings that are not searched one by one

describe("random programs #noasan #notsan", function()
  it("come to the same by traces, by states and by each interleaving", function()
    local skipped = 0
    for number = tonumber(first), tonumber(last) do
      local program = programs.draw(number, 4)
      local body = programs.body(program)
      local text = ("program %d:\n%s"):format(number, programs.text(program))
      local function search(strategy, snapshots)
        local r = sync.explore(body, { strategy = strategy, seconds = 600, snapshots = snapshots })
        assert(r.complete, text .. "\n" .. strategy .. " is not complete")
        return r
      end
      local states, dpor = search "states", search "dpor"
      assert.equal(programs.findings(states, true), programs.findings(dpor, true), text)
      if dpor.interleavings > LARGE then skipped = skipped + 1
      else
        local dfs = search "dfs"
        assert.equal(programs.findings(dfs), programs.findings(dpor), text)
        assert.equal(dpor.interleavings, dfs.executions, text)
        if number % 4 == 0 then
          assert.equal(programs.findings(dfs, true), programs.findings(search("dfs", false), true), text)
        end
      end
    end
    if os.getenv "LUASYNC_PROGRAMS" then print(last - first + 1 .. " programs, " .. skipped .. " without dfs") end
  end)
end)

--- The heap by the calls of src/state/heap.h: heap_test.c prints what it sees.
local support = require "spec.support"

describe("the heap of a state that is copied", function()
  it("has no old address beside the end of a string, where both would look like one #noasan #notsan", function()
    local pipe = assert(io.popen(support.quote((support.host:gsub("luasync$", "heap_test"))) .. " 2>&1"))
    assert.equal("clean\n", pipe:read "a")
    assert(pipe:close())
  end)
end)

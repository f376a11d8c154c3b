-- What the system sees of a program's threads: which signals they take, and how many OS threads there are.
local support = require "spec.support"

local PRELUDE = [[
  local sync = require "luasync"
  local function status(name)
    local file <close> = assert(io.open "/proc/thread-self/status")
    return file:read "a":match("\n" .. name .. ":%s*(%x+)")
  end
]]

local function output(script) return support.output(PRELUDE .. script) end

describe("an OS thread of a thread", function()
  local BLOCKED = { HUP = 1, INT = 2, QUIT = 3, USR1 = 10, USR2 = 12, ALRM = 14, TERM = 15, CHLD = 17, WINCH = 28 }
  local TAKEN = { ILL = 4, ABRT = 6, BUS = 7, FPE = 8, SEGV = 11, PIPE = 13, URG = 23, PROF = 27 }

  it("leaves the signals that are for the program to the main one, and takes those that are its own", function()
    local mask = tonumber(output [[ print(sync.spawn(status, "SigBlk"):result()) ]], 16)
    for name, number in pairs(BLOCKED) do assert.equal(1, mask >> (number - 1) & 1, name) end
    for name, number in pairs(TAKEN) do assert.equal(0, mask >> (number - 1) & 1, name) end
  end)

  it("leaves its maker the signals that this one has had", function()
    assert.equal("true\n", output [[
      local before = status "SigBlk"
      sync.spawn(function() end)
      print(status "SigBlk" == before)
    ]])
  end)

  -- Rounds of 100 threads that run at the same time.
  local ROUNDS = [[
    local function wait_for(count)
      local deadline = sync.monotonic() + 50
      while tonumber(status "Threads") ~= count do
        assert(sync.monotonic() < deadline, status "Threads")
        sync.sleep(0.001)
      end
    end
    local most
    local function round()
      local go = sync.Event()
      for _ = 1, 100 do sync.spawn(go.wait, go) end
      sync.settle()
      most = most or tonumber(status "Threads")
      assert(tonumber(status "Threads") == most)
      go:set()
      wait_for(most - 100 + 64)
    end
  ]]

  it("is kept for the next thread, but for no more than 64", function()
    output(ROUNDS .. "for _ = 1, 3 do round() end")
  end)

  it("gives its stack back when it ends #noasan #notsan", function()
    local grown = tonumber(output(ROUNDS .. [[
      for _ = 1, 3 do round() end
      local before = tonumber(status "VmSize")
      for _ = 1, 7 do round() end
      print(tonumber(status "VmSize") - before)
    ]]))
    assert.is_true(grown < 100000, grown .. " KiB")
  end)
end)

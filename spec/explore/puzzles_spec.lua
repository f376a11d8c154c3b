--- Each puzzle: the attempt is convicted of what the reference says, at a line of its file, and the solution is proved.
local command = require "spec.command"
local support = require "spec.support"
local sync = require "luasync"
local topic = require "luasync.reference.puzzles"[1]

local function path_of(name) return "scripts/puzzles/" .. name .. ".lua" end

-- What the failures are, in their order.
local function kinds_of(failures)
  local kinds = {}
  for i, failure in ipairs(failures) do kinds[i] = failure.kind end
  return table.concat(kinds, ", ")
end

describe("the puzzle #noasan #notsan", function()
  local told = {}
  for _, row in ipairs(topic.returns) do
    local name, kind = row[1], row[2]:match "^[^:]+"
    told[name], told[name .. "_solved"] = true, true

    it(name .. " is convicted: " .. kind, function()
      local r = command.run{ "--explore", path_of(name) }
      assert.equal(kind == "error" and 1 or 3, r.code, r.out .. r.err)
      local first
      for found in r.out:gmatch "%f[^\n\0]FAIL ([%l -]-)   " do
        first = first or found
        assert.equal(kind, found, r.out)
      end
      assert.equal(kind, first, r.out .. r.err)
      assert.matches("luasync --explore " .. path_of(name) .. "\n", support.read_file(path_of(name)), 1, true)
      if kind == "error" then assert.matches("\n  [^\n]*" .. path_of(name) .. ":%d+: ", r.out) end
      assert.matches(": COMPLETE (", r.out, 1, true)
    end)

    it(name .. "_solved is proved", function() -- in this process: the command would be ended on a busy machine
      local r = sync.explore(assert(loadfile(path_of(name .. "_solved"))), { seconds = 60 })
      assert.same({ true, true, 0 }, { r.ok, r.complete, r.failing }, kinds_of(r.failures))
    end)

    it(name .. "_solved runs, in real time and in virtual time", function()
      for _, option in ipairs{ "--race", "--virtual" } do
        local r = command.run{ option, path_of(name .. "_solved") }
        assert.equal(0, r.code, r.out .. r.err)
        assert.equal("", r.err)
        assert.is_true(#r.out > 0)
      end
    end)
  end

  it("is proved by the command as well", function()
    local r = command.run{ "--explore", path_of "01_rendezvous_solved" }
    assert.equal(0, r.code, r.out .. r.err)
    assert.matches("^PASS .*: COMPLETE %(", r.out)
  end)

  it("is told of, each one", function()
    for path in io.popen "ls scripts/puzzles/*.lua":lines() do
      local name = path:match "([^/]+)%.lua$"
      assert.is_true(told[name] or false, name)
      told[name] = nil
    end
    assert.is_nil(next(told))
  end)
end)

local sync = require "luasync"
local support = require "spec.support"

--- Runs fn in a thread and returns its results.
local function in_thread(fn, ...) return sync.spawn(fn, ...):result(support.LONG) end

describe("The state of a thread", function()
  it("is as new, though its memory has served another thread", function()
    local function spoil()
      _G.left_behind, package.loaded.left_behind = 1, true
      rawset(string, "rep", nil)
      getmetatable("").__index = nil
      rawset(math, "random", function() return 4 end)
      return true
    end
    local function look()
      return rawget(_G, "left_behind") == nil and ("x"):rep(3) == "xxx" and package.loaded.left_behind == nil
             and math.random(1 << 40) ~= 4 and next(package.preload) == nil
    end
    for _ = 1, 5 do
      assert.is_true(in_thread(spoil))
      assert.is_true(in_thread(look))
    end
  end)

  it("draws random numbers of its own", function()
    local seen = {}
    for _ = 1, 20 do
      local number = in_thread(function() return math.random(0) end)
      assert.is_nil(seen[number])
      seen[number] = true
    end
  end)

  it("runs its finalisers and closes its files when the thread ends, also the tenth time", function()
    local path, ended = os.tmpname(), sync.Queue()
    for i = 1, 10 do
      in_thread(function()
        local file = assert(io.open(path, "w"))
        file:write("written ", i)
        _G.kept = setmetatable({}, { __gc = function() ended:put(i) end })
        _G.file = file
      end)
      assert.equal(i, (ended:get(true, support.LONG)))
      local file = assert(io.open(path))
      assert.equal("written " .. i, file:read "a")
      file:close()
    end
    os.remove(path)
  end)

  it("holds blocks of every size, growing and shrinking", function()
    local sum = in_thread(function()
      local total = 0
      for round = 1, 3 do
        local kept = {}
        for size = 0, 9000, 7 do
          local text = string.char(size % 256):rep(size)
          kept[#kept + 1] = text
          local list = {}
          for i = 1, size // 50 do list[i] = i end
          kept[#kept + 1] = list
        end
        if round % 2 == 0 then collectgarbage() end
        for i = 1, #kept, 2 do
          assert(kept[i] == string.char(((i - 1) // 2 * 7) % 256):rep((i - 1) // 2 * 7))
          for k, v in ipairs(kept[i + 1]) do assert(k == v) end
          total = total + #kept[i]
        end
      end
      return total
    end)
    local expected = 0
    for size = 0, 9000, 7 do expected = expected + 3 * size end
    assert.equal(expected, sum)
  end)
end)

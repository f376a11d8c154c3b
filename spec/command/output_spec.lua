-- Lines never tear: what one call of print or io.write prints comes out whole.
local support = require "spec.support"

local function output(script)
  return support.output('local sync = require "luasync"\n' .. script)
end

describe("output", function()
  it("of one print call comes out whole under many threads", function()
    local out = output [[
      local begin = sync.Event()
      local threads = {}
      for i = 1, 8 do
        threads[i] = sync.spawn(function()
          begin:wait()
          for n = 1, 300 do print("thread", i, "line", n, true, nil, ("x"):rep(i * 10)) end
        end)
      end
      begin:set()
    ]]
    local last, count = {}, 0
    for line in out:gmatch "([^\n]*)\n" do
      local i, n, rest = line:match "^thread\t(%d)\tline\t(%d+)\ttrue\tnil\t(x+)$"
      assert.is_truthy(i, "torn: " .. line)
      i, n = tonumber(i), tonumber(n)
      assert.equal(i * 10, #rest)
      assert.equal((last[i] or 0) + 1, n)
      last[i], count = n, count + 1
    end
    assert.equal(2400, count)
  end)

  it("of one io.write call comes out whole under many threads", function()
    local out = output [[
      local begin = sync.Event()
      for i = 1, 8 do
        sync.spawn(function()
          begin:wait()
          for n = 1, 200 do io.write("<", i, " ", n, "\n", i + 0.5, " second line of ", i, ">\n") end
        end)
      end
      begin:set()
    ]]
    local rest, count = out:gsub("<(%d) %d+\n(%d)%.5 second line of (%d)>\n", function(a, b, c)
      return a == b and b == c and "" or nil
    end)
    assert.equal("", rest)
    assert.equal(1600, count)
  end)

  it("of one io.stdout:write call, and of prints between, comes out whole", function()
    local out = output [[
      local begin = sync.Event()
      for i = 1, 6 do
        sync.spawn(function()
          begin:wait()
          for n = 1, 200 do
            if n % 2 == 0 then io.stdout:write("[", i, ",", n, "]\n") else print("(" .. i, n .. ")") end
          end
        end)
      end
      begin:set()
    ]]
    local count = 0
    for line in out:gmatch "([^\n]*)\n" do
      assert.is_truthy(line:match "^%[%d,%d+%]$" or line:match "^%(%d\t%d+%)$", "torn: " .. line)
      count = count + 1
    end
    assert.equal(1200, count)
  end)

  it("of a long line comes out whole", function()
    local out = output [[
      local begin = sync.Event()
      for i = 1, 4 do
        sync.spawn(function()
          begin:wait()
          local text = tostring(i):rep(50000)
          for _ = 1, 10 do print(text, i, text) end
        end)
      end
      begin:set()
    ]]
    local count = 0
    for line in out:gmatch "([^\n]*)\n" do
      assert.equal(100003, #line)
      local digit = line:sub(1, 1)
      assert.is_nil(line:find("[^" .. digit .. "\t]"))
      count = count + 1
    end
    assert.equal(40, count)
  end)

  it("of print uses __tostring and __name, as Lua's does", function()
    assert.equal("mine\t1\t1.0\tnil\ttrue\n\n", output [[
      print(setmetatable({}, { __tostring = function() return "mine" end }), 1, 1.0, nil, true)
      print()
    ]])
    local result = support.run [[print(setmetatable({}, { __tostring = function() return {} end }))]]
    assert.equal(1, result.code)
    assert.matches("'__tostring' must return a string", result.err, 1, true)
  end)

  it("of io.write returns the file and refuses what is no text, as Lua's does", function()
    assert.equal("a1 2.5true\n", output [[
      local same = io.write("a", 1, " ") == io.stdout
      io.write(2.5):write(tostring(same), "\n")
    ]])
    local result = support.run [[io.write("a", 2, {}, "b")]]
    assert.equal(1, result.code)
    assert.equal("a2", result.out)
    assert.matches("bad argument #3 to 'write' (string expected, got table)", result.err, 1, true)
  end)

  it("of a thread is not lost when the program ends", function()
    assert.equal("no newline", output [[ sync.spawn(function() io.write "no newline" end) ]])
    assert.equal("by a daemon", output [[
      local written = sync.Event()
      sync.Thread { daemon = true, target = function()
        io.write "by a daemon"
        written:set()
        sync.sleep(1000)
      end }:start()
      written:wait()
    ]])
  end)
end)

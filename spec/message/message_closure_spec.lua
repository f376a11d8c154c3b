--- Functions of the same code that are sent again and again: the sender dumps that once, the receiver loads it once.
local sync = require "luasync"
local support = require "spec.support"

--- A queue to send through, and out of it again in this thread.
local queue = sync.Queue()
local function trip(value)
  queue:put(value)
  return queue:get()
end

local TIMES = 12 -- more than it takes until the code is kept on both sides

describe("Messages: closures of the same code", function()
  it("have captured locals of their own", function()
    local list = {}
    for i = 1, TIMES do
      local n = i * 100
      list[i] = trip(function()
        n = n + 1
        return n
      end)
    end
    for i = 1, TIMES do assert.equal(i * 100 + 1, list[i]()) end
    for i = TIMES, 1, -1 do assert.equal(i * 100 + 2, list[i]()) end
  end)

  it("share a captured local within a message only", function()
    local pairs_of = {}
    for i = 1, TIMES do
      local n = i * 10
      pairs_of[i] = trip { add = function() n = n + 1 end, get = function() return n end }
    end
    for _, pair in ipairs(pairs_of) do pair.add() end
    for i, pair in ipairs(pairs_of) do assert.equal(i * 10 + 1, pair.get()) end
  end)

  for _, count in ipairs { 0, 1, 2, 60, 61, 150 } do -- up to 60 are taken from code that is there
    it("arrive with " .. count .. " captured locals", function()
      local names, lines = {}, {}
      for i = 1, count do
        names[i] = "v" .. i
        lines[i] = ("local v%d = ... + %d"):format(i, i)
      end
      local make = assert(load(("%s\nreturn function() return {%s} end"):format(table.concat(lines, "\n"),
        table.concat(names, ","))))
      for round = 1, TIMES do
        local list = trip(make(round))()
        assert.equal(count, #list)
        for i = 1, count do assert.equal(round + i, list[i]) end
      end
    end)
  end

  it("say the same of themselves", function()
    local function described(f)
      local info, upvalues = debug.getinfo(f, "SuL"), {}
      for i = 1, info.nups do upvalues[i] = debug.getupvalue(f, i) end
      local lines = {}
      for line in pairs(info.activelines) do lines[#lines + 1] = line end
      table.sort(lines)
      return { info.source, info.linedefined, info.lastlinedefined, info.what, info.nparams, info.isvararg, upvalues,
        lines }
    end
    for i = 1, TIMES do
      local inner = i
      local function f(a, b, ...)
        local function g() return inner, a end
        return g, b, print, ...
      end
      assert.same(described(f), described(trip(f)))
      assert.same(described(f), described(trip(trip(f))))
    end
  end)

  it("say where an error was", function()
    for i = 1, TIMES do
      local n = i
      local f = function()
        error("number " .. n)
      end
      local line = debug.getinfo(f, "S").linedefined + 1
      local ok, message = pcall(trip(f))
      assert.is_false(ok)
      assert.equal(("message_closure_spec.lua:%d: number %d"):format(line, i), message:match "[^/]*$")
    end
  end)

  it("arrive without debug information", function()
    for i = 1, TIMES do
      local f = load(string.dump(load("local n = ... return function() return n + " .. 1 .. " end"), true))(i)
      assert.equal(i + 1, trip(f)())
    end
  end)

  it("use the globals of the thread they are in", function()
    local function work(i)
      return function()
        rawset(_G, "so_far", (rawget(_G, "so_far") or 0) + i)
        return rawget(_G, "so_far")
      end
    end
    local jobs, results = sync.Queue(), sync.Queue()
    local worker = support.start(function()
      for job in jobs:items() do results:put(job()) end
    end)
    local sum = 0
    for i = 1, TIMES do
      jobs:put(work(i))
      sum = sum + i
      assert.equal(sum, results:get())
    end
    jobs:shutdown()
    support.finish(worker)
    assert.is_nil(rawget(_G, "so_far"))
  end)

  it("of more kinds than are kept", function()
    local makers = {}
    for kind = 1, 150 do
      makers[kind] = load(("local n = ... return function() return n * %d end"):format(kind))
    end
    for i = 1, 5 do
      for kind, make in ipairs(makers) do assert.equal(i * kind, trip(make(i))()) end
    end
  end)

  it("are not seen by hooks before they are called", function()
    local calls, sethook, getinfo = 0, debug.sethook, debug.getinfo
    local function make(i) return function() return i end end
    for i = 1, TIMES do trip(make(i)) end
    local f = make(0)
    queue:put(f)
    sethook(function()
      if getinfo(2, "S").what ~= "C" then calls = calls + 1 end
    end, "c")
    local got = queue:get()
    sethook()
    assert.equal(0, got())
    assert.equal(0, calls)
  end)

  it("that have gone make room for others", function()
    local function make(i) return function() return i end end
    for round = 1, 5 do
      for i = 1, TIMES do assert.equal(i, trip(make(i))()) end
      collectgarbage()
      collectgarbage()
      local other = load("local n = ... return function() return -n end")
      for i = 1, TIMES do assert.equal(-i - round, trip(other(i + round))()) end
    end
  end)
end)

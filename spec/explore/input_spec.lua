--- --explore on scripts that are no easy subject: each gets its verdict.
local command = require "spec.command"

local function explore(text, ...)
  return command.text("local sync = require 'luasync'\n" .. text, ...)
end

describe("--explore of a script", function()
  it("that ends by os.exit sees what others do before it, and what not", function()
    local r = explore([[
local n, m = sync.Atomic(0), sync.Atomic(0)
sync.spawn(function() m:add(1) error("early") end)
n:add(1)
os.exit(0)]], "--explore")
    assert.equal(1, r.code)
    assert.matches("early", r.out, 1, true)
    assert.matches("explored 2 of 2 distinct executions, all 3 interleavings: COMPLETE", r.out, 1, true)
  end)

  it("in which another thread calls os.exit is judged by the code", function()
    local text = [[
local n = sync.Atomic(0)
local t = sync.spawn(function() n:add(1) os.exit(%d) end)
n:add(1)
t:join()]]
    local r = explore(text:format(0), "--explore")
    assert.equal(0, r.code)
    assert.matches("3 of 3 distinct executions", r.out, 1, true)
    r = explore(text:format(5), "--explore")
    assert.equal(1, r.code)
    assert.matches("os.exit(5)\n  preemptions 0", r.out, 1, true)
  end)

  it("that leaves daemons behind stops them wherever they stand", function()
    local r = explore([[
local m = sync.Atomic(0)
sync.Thread{ daemon = true, target = function() m:add(1) error("late") end }:start()]], "--explore")
    assert.equal(1, r.code)
    assert.matches("explored 2 of 2 distinct executions", r.out, 1, true)
    assert.matches("late", r.out, 1, true)
  end)

  it("that asks something outside says so", function()
    local r = explore("local t = sync.spawn(function() io.read() end)\nt:join()", "--explore")
    assert.equal(0, r.code)
    assert.matches("\n(not closed: executions have asked something outside their worlds,", r.out, 1, true)
    assert.is_nil(explore("", "--explore").out:find "not closed")
  end)

  it("with more threads than can be told apart says how many there may be", function()
    local r = explore("for i = 1, 100 do sync.spawn(function() end) end", "--explore")
    assert.equal(1, r.code)
    assert.matches("^[^\n]*more than 62 threads cannot be explored; [^\n]*\n$", r.err)
  end)

  it("that prints without end is ended #slow", function()
    local r = explore("local x = ('x'):rep(1 << 20)\nwhile true do print(x) end", "--explore")
    assert.equal(1, r.code)
    assert.matches("more than 256 MB have been printed", r.out, 1, true)
  end)

  it("that takes all memory there is for messages gets no more #slow #noasan", function()
    local r = explore("local q, x = sync.Queue(), ('x'):rep(1 << 22)\nwhile true do q:put(x) end", "--explore")
    assert.equal(1, r.code)
    assert.matches("not enough memory", r.out, 1, true)
  end)

  it("that waits in a loop for the clock is told to sleep #noasan", function()
    local r = explore("local t = os.time() + 1\nwhile os.time() < t do end", "--explore")
    assert.equal(3, r.code)
    assert.matches("MainThread goes round", r.out, 1, true)
    assert.matches("here no time passes while a thread runs: to wait for a time, sleep", r.out, 1, true)
    assert.is_nil(explore("local s = sync.Shared{ x = 0 }\nwhile s.x == 0 do end", "--explore").out:find "sleep")
  end)

  it("that loops in one execution is not blamed for it in others #slow", function()
    local r = explore([[
local n = sync.Atomic(0)
local t = sync.spawn(function() if n:add(1) == 2 then while true do end end end)
n:add(1)
t:join()]], "--explore")
    assert.equal(3, r.code)
    assert.matches("livelock: Thread%-1 loops at [^\n]*:3 without any operation", r.out)
    assert.matches("\n     1 [^\n]*Atomic%-1:add  :4\n     2 [^\n]*Atomic%-1:add  :3\n", r.out)
    assert.matches("this outcome: 1 of 2 executions; 1 finish", r.out, 1, true)
    assert.is_nil(r.out:find("MainThread loops", 1, true))
  end)

  it("in which a match of a pattern takes for ever is ended, with its line #slow #notsan", function()
    local r = explore([[
local t = sync.spawn(function() return (("a"):rep(40) .. "b"):find(("a*"):rep(30) .. "c") end)
t:join()]], "--explore")
    assert.equal(3, r.code)
    assert.matches("livelock: Thread%-1 loops without any operation", r.out)
    assert.matches("%[C%]: in method 'find'\n[^\n]*:2: in function", r.out)
  end)

  it("that goes another way in each run says at which step, and of no deadlock", function()
    local path = os.tmpname()
    local r = explore(([[
local n = sync.Atomic(0)
local t = sync.spawn(function()
  n:add(1)
  local f = io.open("%s", "a+")
  f:write "x"
  f:seek "set"
  local runs = #f:read "a"
  f:close()
  for _ = 1, runs %% 3 do n:add(1) end
end)
n:add(1)
t:join()]]):format(path), "--explore")
    os.remove(path)
    assert.equal(1, r.code)
    assert.matches("^FAIL nondeterminism ", r.out)
    assert.matches("step %d+ differs from the same step of an earlier run", r.out)
    assert.is_nil(r.out:find("deadlock", 1, true))
  end)

  it("that fails with a message of several lines shows all of them", function()
    local r = explore("print 'before'\nerror('first\\n  second')", "--explore")
    assert.equal(1, r.code)
    assert.matches(":3: first\n    second\n  preemptions 0", r.out, 1, true)
    assert.is_nil(r.out:find("before", 1, true))
    r = explore("require 'no.such.module'", "--explore")
    assert.matches("\n  module 'no.such.module' not found:\n", r.out, 1, true)
  end)

  it("that starts programs or sleeps for a day ends at once", function()
    local r = explore("local p = io.popen 'echo out'\nassert(p:read() == 'out')\np:close()", "--explore")
    assert.equal(0, r.code, r.out .. r.err)
    assert.matches("\n(not closed: ", r.out, 1, true)
    r = explore("sync.spawn(sync.sleep, 86400):join()", "--explore")
    assert.equal(0, r.code)
    assert.matches("\nexplored 1 of 1 distinct executions", r.out, 1, true)
  end)

  if pcall(require, "cjson") then
    it("that uses a module in C begins each execution anew", function()
      local r = explore([[
local cjson = require "cjson"
local n = sync.Atomic(0)
local function work()
  n:add(#cjson.encode{ 1, 2 })
  n:add(#cjson.encode{ ("x"):rep(10000) })
end
local t, u = sync.spawn(work), sync.spawn(work)
t:join()
u:join()
assert(n:get() == 20018)]], "--explore")
      assert.equal(0, r.code)
      assert.matches("explored 6 of 6 distinct executions", r.out, 1, true)
    end)
  end
end)

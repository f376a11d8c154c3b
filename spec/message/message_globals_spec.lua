-- The script's own globals travel with a thread's function. Specs have no globals of their own, so
-- each of these is a script in a process of its own.
local support = require "spec.support"

--- Runs a script that begins with luasync in the global `sync`.
local function output(script)
  return support.output('sync = require "luasync"\n' .. script)
end

describe("Messages: script globals", function()
  it("travel with a thread's function whose code names them", function()
    assert.equal("5 text true 1.5\n", output [[
      number, text, flag, list = 5, "text", true, { 1.5 }
      function worker() io.write(number, " ", text, " ", tostring(flag), " ", list[1], "\n") end
      sync.Thread { target = worker }:start():join()
    ]])
  end)

  it("objects and helper functions in globals just work", function()
    assert.equal("waiting\nset\nhelped twice\n", output [[
      event = sync.Event()
      function helper(x) return "helped " .. x end
      function waiter()
        print "waiting"
        event:wait()
        print "set"
        print(helper "twice")
      end
      thread = sync.Thread { target = waiter }
      thread:start()
      sync.sleep(0.02)
      event:set()
      thread:join()
    ]])
  end)

  it("travel with the functions that the function takes along", function()
    assert.equal("1 2 3 4\n", output [[
      one, two, three, four = 1, 2, 3, 4
      function c() return three end
      function b() return two, c() end
      local function captured() return four end
      local t = { method = function() return one end }
      function a() local x, y = b(); print(t.method() .. " " .. x .. " " .. y .. " " .. captured()) end
      sync.spawn(a):join()
    ]])
  end)

  it("travel with functions among the arguments", function()
    assert.equal("from the argument\n", output [[
      text = "from the argument"
      function callback() return text end
      sync.spawn(function(f, nested) print(f()) assert(nested.f() == text) end, callback, { f = callback }):join()
    ]])
  end)

  it("named only in inner functions travel too", function()
    assert.equal("deep\n", output [[
      text = "deep"
      sync.spawn(function()
        local function inner() return (function() return text end)() end
        print(inner())
      end):join()
    ]])
  end)

  it("may be recursive functions", function()
    assert.equal("120 true\n", output [[
      function factorial(n) return n <= 1 and 1 or n * factorial(n - 1) end
      function even(n) return n == 0 or odd(n - 1) end
      function odd(n) return n ~= 0 and even(n - 1) end
      sync.spawn(function() io.write(factorial(5), " ", tostring(even(10)), "\n") end):join()
    ]])
  end)

  it("may be classes", function()
    assert.equal("Rex says woof\ntrue\n", output [[
      Dog = {}
      Dog.__index = Dog
      function Dog.new(name) return setmetatable({ name = name }, Dog) end
      function Dog:speak() return self.name .. " says woof" end
      rex = Dog.new "Rex"
      thread = sync.spawn(function()
        print(rex:speak())
        print(getmetatable(rex) == Dog)
      end)
      thread:join()
    ]])
  end)

  it("assigned there change that thread's copy", function()
    assert.equal("2\n1\n", output [[
      counter = 1
      sync.spawn(function() counter = counter + 1 print(counter) end):join()
      print(counter)
    ]])
  end)

  it("are as they were when the thread was started or made", function()
    assert.equal("old\n", output [[
      value = "old"
      gate = sync.Event()
      thread = sync.spawn(function() gate:wait() print(value) end)
      value = "new"
      gate:set()
      thread:join()
    ]])
  end)

  it("named by nobody stay at home, also when they cannot cross", function()
    assert.equal("nil\n", output [[
      unused = coroutine.create(print)
      sync.spawn(function() print(rawget(_G, "un" .. "used")) end):join()
    ]])
  end)

  it("that are set later, or nowhere, are nil", function()
    assert.equal("nil nil\n", output [[
      sync.spawn(function() io.write(tostring(never_set), " ", tostring(set_later), "\n") end):join()
      set_later = 1
    ]])
  end)

  it("that cannot cross are an error that says where", function()
    assert.equal("false\ttrue\ttrue\n", output [[
      co = coroutine.create(print)
      function worker() return co end
      local ok, message = pcall(function() return sync.Thread { target = worker }:start() end)
      print(ok, message:find("cannot send a coroutine (at ", 1, true) ~= nil, message:find("co", 1, true) ~= nil)
    ]])
  end)

  it("travel on to a thread's own threads", function()
    assert.equal("through two\n", output [[
      text = "through two"
      function inner() print(text) end
      function outer() sync.spawn(inner):join() end
      sync.spawn(outer):join()
    ]])
  end)

  it("share tables with arguments and captured locals of the same message", function()
    assert.equal("true\ttrue\n", output [[
      list = {}
      local captured = list
      sync.spawn(function(argument) print(argument == list, captured == list) end, list):join()
    ]])
  end)

  it("do not replace what the receiver has of its own", function()
    assert.equal("true\n", output [[
      sync.spawn(function() print(type(string.format) == "function" and require "luasync" == sync) end):join()
    ]])
  end)

  it("an own function in the place of a library function travels", function()
    assert.equal("mine: x\n", output [[
      local write = io.write
      function tostring(value) return "mine: " .. value end
      sync.spawn(function() write(tostring "x", "\n") end):join()
    ]])
  end)
end)

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

  it("named as fields of _G travel too", function()
    assert.equal("5\n", output [[
      value = 5
      sync.spawn(function() print(tostring(_G.value)) end):join()
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
      warn "@off"
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

  it("are found again when their _ENV has got a metatable since", function()
    assert.equal("42 42\n", output [[
      local env = { helper = function() return 42 end }
      local f = load("return helper()", "=f", "t", env)
      local first = sync.spawn(f):result()
      setmetatable(env, { __index = _G })
      print(first .. " " .. sync.spawn(f):result())
    ]])
  end)
end)

describe("Messages: globals that __index supplies", function()
  it("travel: from tables behind tables", function()
    assert.equal("1 2 3 nil\n", output [[
      setmetatable(_G, { __index = setmetatable({ one = 1 }, { __index = { two = function() return 2 end } }) })
      three = 3
      sync.spawn(function() print(one .. " " .. two() .. " " .. three .. " " .. tostring(four)) end):join()
    ]])
  end)

  it("travel: from functions, which are asked once", function()
    assert.equal("asked for made\nmade up 1 made up 1\n", output [[
      local asked = 0
      setmetatable(_G, { __index = function(_, name)
        asked = asked + 1
        print("asked for " .. name)
        return function() return "made up " .. asked end
      end })
      sync.spawn(function() print(made() .. " " .. made()) end):join()
    ]])
  end)

  it("are nil where the function raises, as with strict globals", function()
    assert.equal("yes false\n", output [[
      declared = "yes"
      setmetatable(_G, { __index = function(_, name) error("undeclared " .. name, 2) end })
      sync.spawn(function() print(declared .. " " .. tostring(rawget(_G, "x") ~= nil)) end):join()
    ]])
  end)

  it("of an environment of its own travel", function()
    assert.equal("5 6\n", output [[
      local outer = setmetatable({ outer = 5 }, { __index = _G })
      local env = setmetatable({ inner = 6 }, { __index = function(_, name) return outer[name] end })
      local f = load("print(outer .. ' ' .. inner)", "=f", "t", env)
      sync.spawn(f):join()
    ]])
  end)

  it("are there in simulated worlds", function()
    assert.equal("7\n", output [[
      setmetatable(_G, { __index = { seven = function() return 7 end } })
      io.write(sync.simulate(function() print(seven()) end).output)
    ]])
  end)
end)

describe("Messages: what a script has added to Lua's libraries", function()
  it("is there in its threads: functions, methods of strings, tables, constants", function()
    assert.equal("2 2 3 7 e\n", output [[
      function string.words(s) return select(2, s:gsub("%a+", "")) end
      function table.copy(t) return table.move(t, 1, #t, 1, {}) end
      math.tau, os.names = 7, { e = "e" }
      sync.spawn(function()
        print(string.words "two words" .. " " .. ("two words"):words() .. " " .. #table.copy { 1, 2, 3 } .. " "
          .. math.tau .. " " .. os.names.e)
      end):join()
    ]])
  end)

  it("is there where an inner function, a helper or another addition uses it", function()
    assert.equal("a-b A-B\n", output [[
      function table.glue(t) return table.concat(t, "-") end
      function string.loud(s) return s:upper() end
      function table.shout(t) return table.glue(t):loud() end
      local function helper() return (function() return table.shout { "a", "b" } end)() end
      sync.spawn(function() print(table.glue { "a", "b" } .. " " .. helper()) end):join()
    ]])
  end)

  it("is there for a function that names no global", function()
    assert.equal("HI!\n", output [[
      function string.loud(s) return s:upper() .. "!" end
      print(sync.spawn(function() return ("hi"):loud() end):result())
    ]])
  end)

  it("may stand in the place of Lua's own", function()
    assert.equal("mine 5\n", output [[
      local write = io.write
      function math.floor() return 5 end
      function string.format() return "mine" end
      sync.spawn(function() write(("%d"):format(1), " ", math.floor(2.5), "\n") end):join()
    ]])
  end)

  it("may keep the original in a local, and arrives with it whenever it is sent", function()
    assert.equal("<1 <2 <3\n", output [[
      local print, format, write = print, string.format, io.write
      function string.format(...) return "<" .. format(...) end
      function _G.print(...) print("<", ...) end
      function io.write(...) return write("", ...) end
      local jobs = sync.Queue()
      local worker = sync.spawn(function()
        io.write(string.format("%d", 1), " ")
        if false then _G.print() end
        for job in jobs:items() do job() end
      end)
      for i = 2, 3 do
        jobs:put(function() write("<", format("%d", i), i == 2 and " " or "\n") return print end)
      end
      jobs:shutdown()
      worker:join()
    ]])
    assert.equal("true true <xx 1 true\n", output [[
      sync.spawn(function()
        local print, rep = print, string.rep
        string.rep = function(...) return "<" .. rep(...) end
        print = function(...) return ... end -- luacheck: ignore
        local thread = sync.spawn(function() return print, rep, string.rep("x", 2), print(1) end)
        local own_print, own_rep, repeated, one = thread:result()
        local report = sync.simulate(function() return string.rep("x", 2) == "<xx" and rep, os.time() end)
        io.write(tostring(own_rep == rep), " ", tostring(own_print(7) == 7), " ", repeated, " ", one, " ",
          tostring(report.ok and report.results[1] == rep and report.results[2] < 1.3e9), "\n")
      end):join()
    ]])
  end)

  it("travels on to threads of threads and into simulated worlds", function()
    assert.equal("4\n4\n", output [[
      function math.twice(x) return 2 * x end
      sync.spawn(function() sync.spawn(function() print(math.twice(2)) end):join() end):join()
      io.write(sync.simulate(function() print(math.twice(2)) end).output)
    ]])
  end)

  it("stays at home when it is a file or another userdata, as io.stdin does", function()
    assert.equal("nil\ttrue\n", output [[
      io.log = io.tmpfile()
      io.stdin = io.tmpfile()
      sync.spawn(function() print(io.log, io.type(io.stdin) == "file") end):join()
    ]])
  end)

  it("stays at home when no code names it, also if it cannot be sent", function()
    assert.equal("nil\n", output [[
      local co = coroutine.create(print)
      function string.resume() return co end
      local key = "res" .. "ume"
      sync.spawn(function() print(string[key]) end):join()
    ]])
  end)
end)

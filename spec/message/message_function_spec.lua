local sync = require "luasync"
local support = require "spec.support"

--- Runs fn(...) in a thread and returns its results.
local function elsewhere(fn, ...)
  return support.finish(support.start(fn, ...))
end

--- Sends a value through a queue and takes it out again in this thread.
local function trip(value)
  local queue = sync.Queue()
  queue:put(value)
  return queue:get()
end

describe("Messages: functions", function()
  it("take their captured locals along", function()
    local a, b, c = 1, "two", { 3, x = { y = 4 } }
    assert.same({ 1, "two", { 3, x = { y = 4 } } }, { elsewhere(function() return a, b, c end) })
    assert.same({ 1, "two" }, { trip(function() return a, b end)() })
  end)

  it("take captured false and nil along", function()
    local no, none = false, nil
    local x, y = elsewhere(function() return no, none end)
    assert.is_false(x)
    assert.is_nil(y)
  end)

  it("without any captured local arrive", function()
    assert.equal(3, elsewhere(function(x, y) return x + y end, 1, 2))
    assert.equal(3, trip(function(x, y) return x + y end)(1, 2))
  end)

  it("assigning to a captured local changes a copy", function()
    local n, list = 1, { 1 }
    warn "@off" -- that the changes are lost is what the example is about
    local there = elsewhere(function()
      n = n + 1
      list[1] = n
      return n
    end)
    warn "@on"
    assert.equal(2, there)
    assert.equal(1, n)
    assert.equal(1, list[1])
  end)

  it("keep their own state there", function()
    local n = 0
    local function count()
      n = n + 1
      return n
    end
    count()
    assert.same({ 2, 3, 4 }, { elsewhere(function() return count(), count(), count() end) })
    assert.equal(2, count())
  end)

  it("that share a captured local still share it there", function()
    local n = 0
    local function increment() n = n + 1 end
    local function get() return n end
    assert.equal(2, elsewhere(function()
      increment()
      increment()
      return get()
    end))
    local pair = trip { increment = increment, get = get }
    pair.increment()
    assert.equal(1, pair.get())
    assert.equal(0, get())
    assert.equal(1, elsewhere(function(inc, read)
      inc()
      return read()
    end, increment, get))
  end)

  it("that do not share a captured local do not share it there", function()
    local function counter()
      local n = 0
      return function()
        n = n + 1
        return n
      end
    end
    local a, b = counter(), counter()
    a()
    local first, second = elsewhere(function() return a(), b() end)
    assert.equal(2, first)
    assert.equal(1, second)
  end)

  it("may be recursive", function()
    local function factorial(n) return n <= 1 and 1 or n * factorial(n - 1) end
    assert.equal(3628800, elsewhere(factorial, 10))
    assert.equal(120, trip(factorial)(5))
  end)

  it("may call each other", function()
    local is_odd
    local function is_even(n) return n == 0 or is_odd(n - 1) end
    function is_odd(n) return n ~= 0 and is_even(n - 1) end
    assert.is_true(elsewhere(is_even, 10))
    assert.is_false(trip(is_odd)(10))
  end)

  it("may hold themselves in tables", function()
    local methods = {}
    function methods.again(n) return n == 0 and "done" or methods.again(n - 1) end
    assert.equal("done", elsewhere(methods.again, 3))
    local copy = trip(methods)
    assert.equal("done", copy.again(2))
  end)

  it("sent twice in one message are one function", function()
    local function f() return 1 end
    local copy = trip { f, f, g = f }
    assert.equal(copy[1], copy[2])
    assert.equal(copy[1], copy.g)
    assert.is_true(elsewhere(function(a, b) return a == b and a == f end, f, f))
  end)

  it("find the receiver's globals, wherever _ENV stands among their captured locals", function()
    local x = 1
    local first = load "return type(print)"
    local function second() return x, type(print) end
    local function third()
      local y = x
      return type(print), y, x
    end
    assert.equal("function", elsewhere(first))
    assert.same({ 1, "function" }, { elsewhere(second) })
    assert.same({ "function", 1, 1 }, { elsewhere(third) })
    assert.equal("function", trip(first)())
  end)

  it("find the receiver's globals in inner functions", function()
    assert.equal("5", elsewhere(function()
      local function inner()
        return (function() return tostring(5) end)()
      end
      return inner()
    end))
  end)

  it("set the receiver's globals, not the sender's", function()
    local there, again = elsewhere(load [[
      spec_global = "set there"
      return spec_global, rawget(_G, "spec_global")
    ]])
    assert.equal("set there", there)
    assert.equal("set there", again)
    assert.is_nil(rawget(_G, "spec_global"))
    assert.is_nil(elsewhere(load "return spec_global"))
  end)

  it("made by load arrive", function()
    assert.equal(42, elsewhere(load("local a = ... return a * 2", "=chunk"), 21))
  end)

  it("with varargs, goto, integer division and big constants arrive", function()
    local function f(...)
      local sum, i = 0, 1
      ::again::
      if i <= select("#", ...) then
        sum = sum + (select(i, ...))
        i = i + 1
        goto again
      end
      return sum // 2, 0x7fffffffffffffff, 1e308, "a\0b"
    end
    assert.same({ 3, math.maxinteger, 1e308, "a\0b" }, { elsewhere(f, 1, 2, 3) })
  end)

  it("with 200 captured locals arrive", function()
    local parts = {}
    for i = 1, 180 do parts[i] = ("local v%d = %d"):format(i, i) end
    parts[#parts + 1] = "return function() return 0"
    for i = 1, 180 do parts[#parts + 1] = "+ v" .. i end
    parts[#parts + 1] = " end"
    local sum = load(table.concat(parts, "\n"))()
    assert.equal(180 * 181 // 2, elsewhere(sum))
  end)

  it("keep file and line for errors", function()
    local ok, message = elsewhere(function()
      return pcall(function() error "here" end)
    end)
    assert.is_false(ok)
    assert.matches("message_function_spec%.lua:%d+: here$", message)
  end)

  it("keep the names of locals for errors", function()
    local captured = false
    local _, message = elsewhere(function()
      return pcall(function() return captured.field end)
    end)
    assert.matches("upvalue 'captured'", message, 1, true)
  end)

  it("chained through many captured locals arrive", function()
    local f = function() return 0 end
    for _ = 1, 10000 do
      local inner = f
      f = function() return inner end
    end
    local copy, depth = trip(f), 0
    while copy() ~= 0 do copy, depth = copy(), depth + 1 end
    assert.equal(10000, depth)
  end)
end)

describe("Messages: by name", function()
  it("library functions are the receiver's own", function()
    local insert, format, floor = table.insert, string.format, math.floor
    local own_print = print
    assert.is_true(elsewhere(function()
      return insert == table.insert and format == string.format and floor == math.floor and own_print == print
    end))
    assert.equal(print, trip(print))
    assert.equal(string.format, trip { string.format }[1])
    assert.equal("1 x", elsewhere(string.format, "%d %s", 1, "x"))
  end)

  it("modules are the receiver's own", function()
    local own_string, own_math, loaded_io = string, math, io
    assert.is_true(elsewhere(function()
      return rawequal(own_string, string) and rawequal(own_math, math) and rawequal(loaded_io, io)
    end))
    assert.equal(string, trip(string))
    assert.equal(sync, trip(sync))
  end)

  it("_G is the receiver's globals", function()
    local globals = _G
    local ok = elsewhere(load [[
      local globals = ...
      return rawequal(globals, _G)
    ]], globals)
    assert.is_true(ok)
  end)

  it("the standard files are the receiver's own", function()
    local out, err = io.stdout, io.stderr
    assert.is_true(elsewhere(function(input)
      return out == io.stdout and err == io.stderr and input == io.stdin
    end, io.stdin))
    assert.equal(io.stdout, trip(io.stdout))
  end)

  it("luasync, its functions and its methods are the receiver's own", function()
    local lock = sync.Lock()
    local Lock, acquire, sleep = sync.Lock, lock.acquire, sync.sleep
    local a, b, c, taken = elsewhere(function()
      local own = require "luasync"
      return rawequal(own, sync), rawequal(own.Lock, Lock), rawequal(own.sleep, sleep), acquire(lock, false)
    end)
    assert.is_true(a)
    assert.is_true(b)
    assert.is_true(c)
    assert.is_true(taken)
    assert.is_true(lock:locked())
    assert.is_true(elsewhere(function() return acquire == lock.acquire end))
  end)

  it("a C module that was loaded is found by name", function()
    local ok, lfs = pcall(require, "lfs")
    if not ok then
      pending "lua-filesystem is not installed"
      return
    end
    local currentdir = lfs.currentdir
    assert.equal(lfs.currentdir(), elsewhere(function() return currentdir() end))
    assert.equal(lfs.currentdir(), elsewhere(function() return lfs.currentdir() end))
  end)

  it("a module loaded after the first message is found by name, in an item too", function()
    local queue, late = sync.Queue(), { f = function() end }
    queue:put({ f = late.f })
    queue:get()
    package.loaded["late module"] = late
    finally(function() package.loaded["late module"] = nil end)
    queue:put { late }
    assert.equal(late, queue:get()[1])
    queue:put(function() return late end)
    assert.equal(late, queue:get()())
  end)

  it("a module of plain data is found by name, however late and often it was loaded", function()
    local function check()
      local queue = sync.Queue()
      local function stays(item)
        queue:put { item }
        return rawequal(queue:get()[1], item)
      end
      local function load_late()
        return require "late data"
      end
      package.preload["late data"] = function() return { id = {}, n = 0 } end
      assert(not stays {})
      local first = load_late()
      assert(stays(first))
      package.loaded["late data"] = nil
      local second = load_late()
      assert(second ~= first and stays(second) and not stays(first))
      package.loaded["late data"], package.preload["late data"] = nil, nil
    end
    check()
    support.finish(support.start(check))
    for _, options in ipairs { {}, { seed = 1 } } do
      local report = sync.simulate(check, options)
      assert.is_true(report.ok, report.error)
    end
  end)

  it("luasync can be required there", function()
    assert.equal("asked", support.finish(sync.Thread { name = "asked", target = function()
      return require("luasync").current_thread().name
    end }:start()))
  end)
end)

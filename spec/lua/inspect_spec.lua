-- The readable text of any value.
local inspect = require "luasync.inspect"
local sync = require "luasync"

describe("inspect", function()
  it("shows simple values as Lua writes them", function()
    assert.equal("nil", inspect(nil))
    assert.equal("true", inspect(true))
    assert.equal("1", inspect(1))
    assert.equal("1.0", inspect(1.0))
    assert.equal('"text"', inspect "text")
  end)

  it("escapes what is not text", function()
    assert.equal([["a\nb\x00\x1B\"\\"]], inspect 'a\nb\0\27"\\')
    assert.equal([["\xFF\xC3"]], inspect "\xFF\xC3")
    assert.equal('"äöü"', inspect "äöü")
  end)

  it("writes strings that can be read back", function()
    for _, text in ipairs { "a\0001", "\xFF1", "\27[31m", "tab\t\r\n", "\1279" } do
      assert.equal(text, load("return " .. inspect(text))())
    end
  end)

  it("sorts keys and quotes those that are no names", function()
    assert.equal('{ 1, 2, [1.5] = 5, a = 1, ["a b"] = 2, b = 3, ["end"] = 4, [true] = 6 }',
      inspect { 1, 2, b = 3, a = 1, ["a b"] = 2, ["end"] = 4, [1.5] = 5, [true] = 6 })
  end)

  it("sorts numbers by value and shows holes", function()
    assert.equal("{ 1, [-1] = 0, [10] = 3, [20] = 4 }", inspect { 1, [20] = 4, [10] = 3, [-1] = 0 })
    assert.equal("{ 1, nil, 3 }", inspect { 1, nil, 3 })
  end)

  it("names cycles, and shows what only occurs twice twice", function()
    local t = { name = "t" }
    t.self = t
    assert.equal('{ name = "t", self = <cycle> }', inspect(t))
    local a = { b = { c = {} } }
    a.b.c.up = a
    assert.equal("{ b = { c = { up = <cycle, 3 levels up> } } }", inspect(a))
    local leaf = { 1 }
    assert.equal("{ { 1 }, { 1 } }", inspect { leaf, leaf })
  end)

  it("bounds the depth", function()
    local t = {}
    for _ = 1, 100000 do t = { t } end
    local text = inspect(t)
    assert.truthy(text:find("{…}", 1, true))
    assert.truthy(#text < 200)
    assert.equal("{ {} }", inspect({ {} }, { depth = 1 }))
    assert.equal("{ {…} }", inspect({ { 1 } }, { depth = 1 }))
  end)

  it("bounds the entries, of one table and of all", function()
    local t = {}
    for i = 1, 1000 do t[i] = i end
    assert.truthy(inspect(t):find("… 900 more", 1, true))
    local keys = {}
    for i = 1, 1000 do keys["k" .. i] = i end
    assert.truthy(inspect(keys):find("… 900 more", 1, true))
    local nested = {}
    for i = 1, 100 do
      nested[i] = {}
      for k = 1, 100 do nested[i][k] = k end
    end
    local _, commas = inspect(nested):gsub(",", "")
    assert.truthy(commas < 1300)
  end)

  it("shows a table of a million entries in one screen", function()
    local t = {}
    for i = 1, 1e6 do t["key " .. i] = i end
    local text = inspect(t)
    assert.truthy(text:find("… 999900 more", 1, true))
    assert.truthy(#text < 5000)
  end)

  it("bounds long strings at a whole character", function()
    local text = inspect(("é"):rep(1000))
    assert.truthy(text:find("… (2000 bytes)", 1, true))
    assert.truthy(utf8.len(text))
    assert.truthy(#text < 400)
  end)

  it("breaks wide tables into lines", function()
    local t = { first = ("x"):rep(30), second = ("y"):rep(30), third = ("z"):rep(30) }
    assert.equal(('{\n  first = "%s",\n  second = "%s",\n  third = "%s"\n}')
      :format(("x"):rep(30), ("y"):rep(30), ("z"):rep(30)), inspect(t))
    for line in inspect({ t, { t } }):gmatch "[^\n]+" do assert.truthy(#line <= 80) end
    local numbers = {}
    for i = 1, 60 do numbers[i] = i end
    for line in inspect(numbers, { width = 40 }):gmatch "[^\n]+" do assert.truthy(#line <= 40) end
  end)

  it("honours __tostring and __name", function()
    assert.equal("me", inspect(setmetatable({}, { __tostring = function() return "me" end })))
    assert.equal("{ Point { x = 1 } }", inspect { setmetatable({ x = 1 }, { __name = "Point" }) })
  end)

  it("survives a __tostring that fails, yields or returns no string", function()
    local function with(f) return inspect(setmetatable({}, { __tostring = f })) end
    assert.truthy(with(function() error "boo" end):find "^<error in __tostring: .*boo>$")
    assert.truthy(with(function() coroutine.yield() end):find "^<error in __tostring: ")
    assert.truthy(with(function() return {} end):find "must return a string")
    assert.truthy(with(function() error(setmetatable({}, { __tostring = error })) end):find "^<error in __tostring: ")
  end)

  it("lets an interrupt through", function()
    local value = setmetatable({}, { __tostring = function() error("interrupted!", 0) end })
    assert.has_error(function() inspect { value } end, "interrupted!")
  end)

  it("is not lied to by metatables", function()
    local liar = setmetatable({ 1, 2 }, { __index = error, __len = function() return 1e9 end, __pairs = error,
      __metatable = "none of your business", __name = {}, __eq = error, __lt = error, __concat = error })
    assert.equal("{ 1, 2 }", inspect(liar))
    assert.falsy(inspect(setmetatable({ 1, 2 }, { __name = "\27[2J" })):find "\27")
  end)

  it("shows luasync's objects by their text, shared tables by their content", function()
    assert.equal("{ Lock 'A' (unlocked) }", inspect { sync.Lock { name = "A" } })
    local queue = sync.Queue { name = "Q" }
    assert.equal(tostring(queue), inspect(queue))
    local shared = sync.Shared { 1, 2, name = "x", inner = { deep = true } }
    assert.equal('Shared { 1, 2, inner = Shared { deep = true }, name = "x" }', inspect(shared))
    shared.self = shared
    assert.truthy(inspect(shared):find("self = <cycle>", 1, true))
    shared.self = nil                    -- a cycle would outlive the test
  end)

  it("colours when asked", function()
    assert.equal('{ \27[36m1\27[0m, a = \27[32m"x"\27[0m }', inspect({ 1, a = "x" }, { colour = true }))
  end)

  it("joins results as print does, strings as they are", function()
    assert.equal("1\tnil\ta b\t{ 1 }", inspect.results(nil, 1, nil, "a b", { 1 }))
    assert.equal("", inspect.results(nil))
  end)
end)

--- Tables of plain data, filled and emptied in all ways: what arrives is what was sent.
local sync = require "luasync"

local queue = sync.Queue()
local function trip(value)
  queue:put(value)
  return queue:get()
end

--- Asserts that the copy has the same fields, tables at the same places, and no others.
local function assert_copy(original, copy, seen)
  seen = seen or {}
  if type(original) ~= "table" then
    assert.equal(math.type(original), math.type(copy))
    assert.equal(original, copy)
    return
  end
  if seen[original] then
    assert.equal(seen[original], copy)
    return
  end
  seen[original] = copy
  assert.equal("table", type(copy))
  assert.not_equal(original, copy)
  for key, value in next, original do assert_copy(value, rawget(copy, key), seen) end
  for key in next, copy do assert.not_nil(rawget(original, key)) end
end

local LONG = ("long "):rep(20)

describe("Messages: plain data", function()
  local cases = {
    ["nothing"] = {},
    ["a list"] = { 1, 2.5, true, false, "text", LONG, {} },
    ["fields"] = { x = 1, y = 2.5, z = "text", [LONG] = LONG, empty = "", [""] = 1 },
    ["keys of all kinds"] = { [1.5] = 1, [true] = 2, [false] = 3, [-7] = 4, [math.mininteger] = 5, [1e300] = 6 },
    ["a list with fields"] = { 1, 2, 3, n = 3, name = "list" },
    ["holes in a list"] = { 1, nil, 3, nil, 5 },
    ["a list that begins late"] = { [2] = 2, [3] = 3, [4] = 4 },
    ["a list without an array"] = { [4] = 4, [3] = 3, [2] = 2, [1] = 1 },
    ["tables in tables"] = { { { { { 1 } } } }, a = { b = { c = { d = 1 } } } },
    ["two underscores"] = { __name = "a name", __x = 1, __ = 2, _y = 3, ___ = 4 },
    ["zeros in strings"] = { ["a\0b"] = "\0", ["\0"] = "c\0" },
  }
  for name, value in pairs(cases) do
    it("arrive: " .. name, function() assert_copy(value, trip(value)) end)
  end

  for _, depth in ipairs { 23, 24, 25, 26, 150 } do
    it(("arrive: %d tables in one another"):format(depth), function()
      local value = { 1 }
      for i = 2, depth do value = { i, inner = value } end
      assert_copy(value, trip(value))
    end)
  end

  it("arrive: a table at several places, and in itself", function()
    local one, list = { 1 }, {}
    for i = 1, 40 do list[i] = { i } end
    local all = { one, one, x = one, list = list, again = list }
    all.self = all
    one.back = all
    for i = 1, 40 do list[i].next = list[i % 40 + 1] end
    assert_copy(all, trip(all))
  end)

  it("arrive: large tables", function()
    local list, fields = {}, {}
    for i = 1, 20000 do
      list[i] = i
      fields["field" .. i] = i
    end
    assert_copy({ list, fields }, trip { list, fields })
  end)

  it("arrive: lists whose end has been moved and asked for", function()
    for n = 0, 70 do
      local list = {}
      for i = 1, n do list[i] = i end
      for _ = 1, n // 3 do list[#list] = nil end
      assert_copy(list, trip(list))
      list[#list + 1] = "last"
      assert_copy(list, trip(list))
      for i = #list, 2, -2 do list[i] = nil end
      assert_copy(list, trip(list))
      list[#list + 1] = #list
      assert_copy(list, trip(list))
    end
  end)

  it("arrive: what is filled and emptied at random", function()
    local state = 1
    local function random(n)
      state = (state * 1103515245 + 12345) & 0x7fffffff
      return (state >> 8) % n + 1
    end
    local function key()
      local kind = random(4)
      return kind == 1 and "k" .. random(20) or kind == 2 and random(40) + 0.5 or random(40)
    end
    for _ = 1, 300 do
      local value, inner = {}, { {}, {} }
      for _ = 1, random(60) do
        local what = random(6)
        if what == 1 then value[key()] = nil
        elseif what == 2 then value[key()] = inner[random(2)]
        elseif what == 3 then inner[random(2)][key()] = random(100)
        elseif what == 4 then value[#value + 1] = LONG:sub(random(90))
        else value[key()] = random(100) end
      end
      assert_copy(value, trip(value))
    end
  end)

  it("arrive beside what is not data", function()
    local lock = sync.Lock()
    local function add(x) return x + 1 end
    for _ = 1, 5 do
      local copy = trip { 1, { 2, x = 3 }, lock = lock, add = add, print = print, self = { lock, { lock } } }
      assert.same({ 2, x = 3 }, copy[2])
      assert.equal(lock, copy.lock)
      assert.equal(lock, copy.self[2][1])
      assert.equal(4, copy.add(3))
      assert.equal(print, copy.print)
    end
  end)
end)

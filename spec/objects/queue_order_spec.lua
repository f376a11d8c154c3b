local sync = require "luasync"
local support = require "spec.support"

describe("LifoQueue", function()
  it("QL01 get gives the item put last", function()
    local stack = sync.LifoQueue()
    for i = 1, 5 do stack:put(i) end
    assert.equal(5, stack:get())
    assert.equal(4, stack:get())
    stack:put "new"
    assert.equal("new", stack:get())
    for i = 3, 1, -1 do assert.equal(i, stack:get()) end
    assert.same({ nil, "empty" }, { stack:get(false) })
  end)

  it("QL01 items gives the item put last too", function()
    local stack = sync.LifoQueue()
    for i = 1, 3 do stack:put(i) end
    stack:shutdown()
    local seen = {}
    for item in stack:items() do seen[#seen + 1] = item end
    assert.same({ 3, 2, 1 }, seen)
  end)
end)

describe("PriorityQueue", function()
  local queue

  before_each(function()
    queue = sync.PriorityQueue()
  end)

  local function put_all(...)
    for _, item in ipairs { ... } do queue:put(item) end
  end

  local function drain()
    local items = {}
    while not queue:empty() do items[#items + 1] = queue:get() end
    return items
  end

  it("QP01 get gives the smallest number", function()
    put_all(5, 3, 9, 1, 7, 3, -2, 0)
    assert.same({ -2, 0, 1, 3, 3, 5, 7, 9 }, drain())
  end)

  it("QP01 get gives the smallest string", function()
    put_all("pear", "apple", "fig", "a", "")
    assert.same({ "", "a", "apple", "fig", "pear" }, drain())
  end)

  it("QP01 a table has its priority at [1]", function()
    put_all({ 2, "code" }, { 1, "eat" }, { 3, "sleep" })
    assert.same({ { 1, "eat" }, { 2, "code" }, { 3, "sleep" } }, drain())
    put_all({ "b", 1 }, { "a", 2 })
    assert.same({ { "a", 2 }, { "b", 1 } }, drain())
  end)

  it("QP01 numbers and tables with a number mix", function()
    put_all(2, { 1, "first" }, { 3, "last" }, 2.5)
    assert.same({ { 1, "first" }, 2, 2.5, { 3, "last" } }, drain())
  end)

  it("QP01 keeps its order while items come and go", function()
    local kept = {}
    math.randomseed(42)
    for _ = 1, 500 do
      if #kept > 0 and math.random() < 0.4 then
        table.sort(kept)
        assert.equal(table.remove(kept, 1), queue:get())
      else
        local n = math.random(1000)
        kept[#kept + 1] = n
        queue:put(n)
      end
    end
    table.sort(kept)
    assert.same(kept, drain())
  end)

  it("QP02 equal priorities do not look at the data", function()
    put_all({ 1, {} }, { 1, "x" }, { 1, false }, { 1 })
    assert.same({ { 1, {} }, { 1, "x" }, { 1, false }, { 1 } }, drain())
  end)

  it("QP03 an item without an order is refused and not inserted", function()
    queue:put(1)
    for _, item in ipairs { "text", true, {}, { "text" }, { true }, { {} }, print, sync.Lock() } do
      support.error_of(function() queue:put(item) end)
      support.error_of(function() queue:put_nowait(item) end)
    end
    assert.equal(1, queue:qsize())
    queue:task_done()
    assert.is_true(queue:join(0))
    assert.equal(1, queue:get())
  end)

  it("QP03 a string and a number have no order, whichever is first", function()
    queue:put "text"
    support.error_of(function() queue:put(1) end)
    support.error_of(function() queue:put { 1 } end)
    assert.same({ "text" }, drain())
    queue:put(1)
    assert.equal(1, queue:get())
  end)

  it("QP03 what never has an order is refused by an empty queue too", function()
    for _, item in ipairs { true, false, {}, { true }, { {} }, print, sync.Lock() } do
      support.bad_argument(1, "put", function() queue:put(item) end)
    end
    assert.equal(0, queue:qsize())
  end)

  it("QP03 a refused item wakes no getter", function()
    local getter = support.start_blocked(function() return queue:get() end)
    support.error_of(function() queue:put(true) end)
    assert.is_false(getter:join(0.02))
    queue:put(5)
    assert.equal(5, support.finish(getter))
  end)

  it("QP04 equal priorities leave in the order they came", function()
    for _, letter in ipairs { "a", "b", "c", "d", "e", "f", "g", "h" } do queue:put { 1, letter } end
    local word = ""
    for _, item in ipairs(drain()) do word = word .. item[2] end
    assert.equal("abcdefgh", word)
  end)

  it("QP04 equal priorities leave in the order they came, among many", function()
    math.randomseed(7)
    for i = 1, 300 do queue:put { math.random(5), i } end
    local last = { 0, 0 }
    for _, item in ipairs(drain()) do
      assert.is_true(last[1] < item[1] or last[1] == item[1] and last[2] < item[2])
      last = item
    end
  end)

  it("QP05 integers and floats compare by value, and stay what they were", function()
    put_all(2, 1.5, 1, 1.0, math.huge, -math.huge)
    local items = drain()
    assert.same({ -math.huge, 1, 1.0, 1.5, 2, math.huge }, items)
    assert.equal("integer", math.type(items[2]))
    assert.equal("float", math.type(items[3]))
  end)

  it("QP05 compares large integers and floats exactly", function()
    put_all(2 ^ 53 | 0, (1 << 53) + 1, 2.0 ^ 53 - 1)
    assert.same({ 2.0 ^ 53 - 1, 1 << 53, (1 << 53) + 1 }, drain())
    put_all(2.0 ^ 63, math.maxinteger, -2.0 ^ 63 - 2048, math.mininteger)
    local items = drain()
    assert.equal(math.mininteger, items[2])
    assert.equal("integer", math.type(items[2]))
    assert.equal(math.maxinteger, items[3])
  end)

  it("QP05 refuses NaN", function()
    support.bad_argument(1, "put", function() queue:put(0 / 0) end)
    support.bad_argument(1, "put", function() queue:put { 0 / 0, "x" } end)
    queue:put(1)
    support.bad_argument(1, "put", function() queue:put(0 / 0) end)
    assert.equal(1, queue:qsize())
  end)

  it("strings with zeros compare as Lua compares them", function()
    put_all("a\0c", "a\0b", "a")
    assert.same({ "a", "a\0b", "a\0c" }, drain())
  end)

  it("getters that wait get the smallest there is", function()
    local getter = support.start_blocked(function() return queue:get() end)
    queue:put(3)
    assert.equal(3, support.finish(getter))
    put_all(2, 1)
    assert.equal(1, support.finish(support.start(function() return queue:get() end)))
  end)
end)

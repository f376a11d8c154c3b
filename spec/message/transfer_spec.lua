local sync = require "luasync"
local support = require "spec.support"

describe("__transfer", function()
  --- Runs fn(...) in a thread and returns its results.
  local function elsewhere(fn, ...)
    return support.finish(support.start(fn, ...))
  end

  local function trip(value)
    local queue = sync.Queue()
    queue:put(value)
    return queue:get()
  end

  --- A table that cannot cross by itself (it holds a coroutine), but says how to make it anew.
  local Counter = {}
  Counter.__index = Counter
  Counter.__transfer = function(self)
    return function(n, label) return { n = n, label = label, made = "there" } end, self.n, self.label
  end

  local function counter(n)
    return setmetatable({ n = n, label = "L", co = coroutine.create(print) }, Counter)
  end

  it("of a table makes the value anew in the receiver", function()
    assert.same({ n = 7, label = "L", made = "there" }, trip(counter(7)))
    local n, made = elsewhere(function(c) return c.n, c.made end, counter(8))
    assert.equal(8, n)
    assert.equal("there", made)
    assert.equal(9, trip { deep = { counter(9) } }.deep[1].n)
  end)

  it("keeps shared references", function()
    local c = counter(1)
    local copy = trip { a = c, b = c }
    assert.equal(copy.a, copy.b)
  end)

  it("may return a library function", function()
    local object = setmetatable({}, { __transfer = function() return string.rep, "ab", 3 end })
    assert.equal("ababab", trip(object))
  end)

  it("works for results and errors too", function()
    local value = elsewhere(function()
      return setmetatable({ coroutine.create(print) }, { __transfer = function() return string.upper, "home" end })
    end)
    assert.equal("HOME", value)
  end)

  it("of a full userdata makes the value anew in the receiver", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write "text in the file"
    file:flush()
    local meta = getmetatable(file)
    finally(function()
      meta.__transfer = nil
      file:close()
      os.remove(path)
    end)
    meta.__transfer = function() return io.open, path, "r" end
    local text = elsewhere(function(reopened) return reopened:read "a" end, file)
    assert.equal("text in the file", text)
  end)

  it("that raises is an error, and nothing is sent", function()
    local queue = sync.Queue()
    local ok, message = pcall(queue.put, queue, { setmetatable({}, { __transfer = function() error "not me" end }) })
    assert.is_false(ok)
    assert.matches("not me", message, 1, true)
    assert.equal(0, queue:qsize())
  end)

  it("that returns no function is an error, and nothing is sent", function()
    local queue = sync.Queue()
    for _, transfer in ipairs { function() end, function() return 42 end, function() return {} end } do
      support.error_of(function() queue:put(setmetatable({}, { __transfer = transfer })) end)
    end
    support.raises("cannot send a table whose '__transfer' is a number value (at item.a)", function()
      queue:put { a = setmetatable({}, { __transfer = 5 }) }
    end)
    assert.equal(0, queue:qsize())
  end)

  it("whose arguments cannot cross is an error, and nothing is sent", function()
    local queue = sync.Queue()
    local object = setmetatable({}, { __transfer = function() return print, coroutine.create(print) end })
    local message = support.error_of(function() queue:put(object) end)
    assert.matches("^cannot send a coroutine %(at item", message)
    assert.equal(0, queue:qsize())
  end)

  it("whose function fails in the receiver fails there, and the queue stays usable", function()
    local queue = sync.Queue()
    queue:put(setmetatable({}, { __transfer = function() return error, "arrived broken", 0 end }))
    queue:put "next"
    local ok, message = pcall(queue.get, queue)
    assert.is_false(ok)
    assert.matches("arrived broken", message, 1, true)
    assert.equal("next", queue:get(false))
  end)

  it("that returns thousands of values, the last one deep, leaves the Lua stack whole", function()
    for _, n in ipairs { 1000, 5000, 8171, 99000 } do
      local values, deep = {}, {}
      for _ = 1, 97 do deep = { k = deep } end
      for i = 1, n - 1 do values[i] = i end
      values[n] = deep
      local queue = sync.Queue()
      local item = { { setmetatable({}, { __transfer = function()
        return function(...) return select("#", ...) end, table.unpack(values)
      end }) } }
      coroutine.wrap(queue.put)(queue, item)      -- whose stack goes with it: the next specs find a short one
      assert.equal(n, sync.spawn(function() return queue:get()[1][1] end):result())
    end
  end)

  it("nested in the first of its own values, deep and wide, arrives", function()
    local function wrap(value, n)
      local rest = {}
      for i = 1, n do rest[i] = i end
      return setmetatable({}, { __transfer = function()
        return function(first, ...) return { first, select("#", ...) } end, value, table.unpack(rest)
      end })
    end
    local value = "core"
    for i = 1, 150 do value = wrap({ value }, i) end
    local got = sync.spawn(function(v) return v end, value):result()
    for i = 150, 1, -1 do
      assert.equal(i, got[2])
      got = got[1][1]
    end
    assert.equal("core", got)
  end)

  it("20,000 within one another are refused by their number, not as a circle", function()
    local value = "core"
    for _ = 1, 20000 do
      local inner = value
      value = setmetatable({}, { __transfer = function() return print, inner end })
    end
    local queue = sync.Queue()
    local message = support.error_of(function() queue:put(value) end)
    assert.matches("more than 10000 '__transfer' within one another", message, 1, true)
    local circle = setmetatable({}, {})
    getmetatable(circle).__transfer = function() return print, circle end
    assert.matches("leads to itself", support.error_of(function() queue:put(circle) end), 1, true)
  end)
end)

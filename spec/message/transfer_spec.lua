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
end)

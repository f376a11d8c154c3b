local sync = require "luasync"
local support = require "spec.support"

--- Runs fn(...) in a thread and returns its results.
local function elsewhere(fn, ...)
  return support.finish(support.start(fn, ...))
end

describe("Local", function()
  it("is found under both its names", function()
    assert.equal(sync.Local, sync["local"])
  end)

  it("LO01 fields are private to each thread", function()
    local data = sync.Local()
    data.value = "main"
    assert.is_true(elsewhere(function()
      local before = data.value
      data.value = "other"
      return before == nil and data.value == "other"
    end))
    assert.equal("main", data.value)
  end)

  it("LO01 two locals have nothing in common", function()
    local a, b = sync.Local(), sync.Local()
    a.x, b.x = 1, 2
    assert.equal(1, a.x)
    assert.equal(2, b.x)
    assert.is_false(a == b)
  end)

  it("LO02 an unset field is nil, and setting nil unsets it", function()
    local data = sync.Local()
    assert.is_nil(data.value)
    data.value = 1
    data.value = nil
    assert.is_nil(data.value)
  end)

  it("LO02 any key and any value of this thread will do", function()
    local data = sync.Local()
    local key, value = {}, coroutine.create(print)
    data[1], data[key], data[2.5], data.co = "one", "table", "float", value
    assert.equal("one", data[1])
    assert.equal("table", data[key])
    assert.equal("float", data[2.5])
    assert.equal(value, data.co)
    assert.has_error(function() data[nil] = 1 end)
  end)

  it("LO03 may be handed to any thread in any way", function()
    local data = sync.Local()
    data.x = 1
    local queue = sync.Queue()
    queue:put(data)
    assert.equal(1, queue:get().x)
    queue:put { deep = data }
    assert.is_nil(elsewhere(function(argument)
      argument.x = 5
      local arrived = queue:get().deep
      if arrived ~= argument or arrived.x ~= 5 then return "not the same" end
    end, data))
    assert.equal(1, data.x)
  end)

  it("LO04 a table of initial values is copied into each thread", function()
    local list = { "a" }
    local data = sync.Local { n = 1, list = list }
    assert.equal(1, data.n)
    data.n = 2
    data.list[1] = "changed by main"
    local n, first = elsewhere(function()
      local n, first = data.n, data.list[1]
      data.list[1] = "changed by the other"
      data.n = 3
      return n, first
    end)
    assert.equal(1, n)
    assert.equal("a", first)
    assert.equal(2, data.n)
    assert.equal("changed by main", data.list[1])
    assert.equal("a", list[1])
  end)

  it("LO04 a function is run at once in the creator", function()
    local calls = 0
    local seen
    local data = sync.Local(function(self, ...)
      calls = calls + 1
      seen = { ... }
      self.ready = true
    end, 1, "two")
    assert.equal(1, calls)
    assert.same({ 1, "two" }, seen)
    assert.is_true(data.ready)
    data.more = 1
    assert.equal(1, calls)
  end)

  it("LO04 a function is run once in each other thread, at its first touch", function()
    local calls = sync.Atomic(0)
    local data = sync.Local(function(self, start)
      self.n = start
      calls:add(1)
    end, 10)
    assert.equal(1, calls:get())
    for round = 2, 4 do
      local before, n = elsewhere(function()
        local before = calls:get()
        data.n = data.n + 1
        data.n = data.n + 1
        return before, data.n
      end)
      assert.equal(round - 1, before)
      assert.equal(12, n)
      assert.equal(round, calls:get())
    end
    assert.equal(10, data.n)
  end)

  it("LO04 a thread that never touches it does not run the function", function()
    local calls = sync.Atomic(0)
    local data = sync.Local(function() calls:add(1) end)
    elsewhere(function(argument) return argument == nil end, data)
    assert.equal(1, calls:get())
  end)

  it("LO04 writing is a touch too, and the function runs before", function()
    local data = sync.Local(function(self) self.value = "initial" end)
    assert.equal("written", elsewhere(function()
      data.value = "written"
      return data.value
    end))
  end)

  it("LO05 an error of the function is raised at the touch, and it is tried again at the next", function()
    local main = sync.get_native_id()
    local attempts = sync.Atomic(0)
    local data = sync.Local(function(self)
      if sync.get_native_id() ~= main and attempts:add(1) < 3 then error "not yet" end
      self.ready = true
    end)
    local first, message, second, third = elsewhere(function()
      local first, message = pcall(function() return data.ready end)
      local second = pcall(function() data.x = 1 end)
      return first, message, second, data.ready
    end)
    assert.is_false(first)
    assert.matches("not yet", message, 1, true)
    assert.is_false(second)
    assert.is_true(third)
    assert.equal(3, attempts:get())
  end)

  it("LO05 an error of the function in the creator is the constructor's", function()
    local ok, raised = pcall(sync.Local, function() error "at once" end)
    assert.is_false(ok)
    assert.matches("at once", raised, 1, true)
  end)

  it("refuses anything else to begin with", function()
    support.bad_argument(1, "Local", function() sync.Local(42) end)
    support.bad_argument(1, "Local", function() sync.Local("x") end)
    support.bad_argument(1, "Local", function() sync.Local(true) end)
  end)

  it("refuses initial values that cannot cross", function()
    local ok, message = pcall(sync.Local, { co = coroutine.create(print) })
    assert.is_false(ok)
    assert.matches("cannot send a coroutine", message, 1, true)
  end)

  it("LO08 the values die with their thread", function()
    local data = sync.Local()
    local finalised = sync.Event()
    elsewhere(function()
      data.value = setmetatable({}, { __gc = function() finalised:set() end })
    end)
    assert.is_true(finalised:wait(support.LONG))
  end)

  it("LO09 dropping it frees this thread's values", function()
    local freed = 0
    local function use()
      sync.Local().value = setmetatable({}, { __gc = function() freed = freed + 1 end })
    end
    use()
    for _ = 1, 4 do collectgarbage() end
    assert.equal(1, freed)
  end)

  it("LO10 a new one never shows an old one's values", function()
    for _ = 1, 200 do
      local data = sync.Local()
      assert.is_nil(data.value)
      data.value = true
      if math.random(20) == 1 then collectgarbage() end
    end
  end)

  it("LO12 coroutines of a thread see the thread's values", function()
    local data = sync.Local()
    data.value = "thread"
    coroutine.wrap(function()
      assert.equal("thread", data.value)
      data.value = "coroutine"
    end)()
    assert.equal("coroutine", data.value)
  end)

  it("keeps many threads apart", function()
    local data = sync.Local()
    local begin = sync.Event()
    local threads = {}
    for i = 1, 8 do
      threads[i] = support.start(function()
        begin:wait(20)
        for n = 1, 200 do
          data.value = i * 1000 + n
          if data.value ~= i * 1000 + n then return false end
        end
        return data.value
      end)
    end
    begin:set()
    for i, thread in ipairs(threads) do assert.equal(i * 1000 + 200, support.finish(thread)) end
    assert.is_nil(data.value)
  end)

  it("whose init first runs under a hook that makes the stack grow is filled in", function()
    local made = sync.Local(function(self) self.ready = true end)
    assert.is_true(elsewhere(function()
      local function deep(n) return n > 0 and 1 + deep(n - 1) or 0 end
      local depth = 10
      debug.sethook(function()
        depth = depth + 100
        deep(depth)
      end, "cr")
      local ready = made.ready
      debug.sethook()
      return ready
    end))
  end)

  it("says that it is not ready where __transfer finds it half-made", function()
    local seen
    local spy = setmetatable({}, { __transfer = function()
      for level = 1, 6 do
        for i = 1, 20 do
          local name, value = debug.getlocal(level, i)
          if not name then break end
          if type(value) == "userdata" then
            seen = { pcall(function() return value.field end) }
          end
        end
      end
      return function() return 42 end
    end })
    local data = sync.Local { spy = spy }
    assert.equal(42, data.spy)
    assert.is_false(seen[1])
    assert.matches("not ready", seen[2])
  end)

  it("frees what pins its fields with the simulated world", function() -- seen by the leak checker
    support.output [[
      local sync = require "luasync"
      for _ = 1, 20 do
        assert(sync.simulate(function()
          local data, q = sync.Local(), sync.Queue()
          data.x = 1
          q:put(data)
          data = nil
          collectgarbage()
          assert(q:get().x == 1)
        end).ok)
      end
    ]]
  end)
end)

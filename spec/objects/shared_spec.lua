local sync = require "luasync"
local support = require "spec.support"

--- Runs fn(...) in a thread and returns its results.
local function elsewhere(fn, ...)
  return support.finish(support.start(fn, ...))
end

--- The keys and values that pairs shows, as a plain table.
local function walk(shared)
  local copy = {}
  for key, value in pairs(shared) do copy[key] = value end
  return copy
end

describe("Shared", function()
  it("begins empty or with the fields of a table", function()
    assert.is_nil(next(walk(sync.Shared())))
    assert.same({ 1, 2, x = "y" }, walk(sync.Shared { 1, 2, x = "y" }))
    support.bad_argument(1, "Shared", function() sync.Shared(5) end)
    support.bad_argument(1, "Shared", function() sync.Shared("x") end)
  end)

  it("is one table for all threads", function()
    local shared = sync.Shared { n = 1 }
    elsewhere(function()
      shared.n = shared.n + 1
      shared.new = "from there"
    end)
    assert.equal(2, shared.n)
    assert.equal("from there", shared.new)
    assert.equal("from there", elsewhere(function(argument) return argument.new end, shared))
  end)

  it("takes what a table takes as values, and gives it back as it was", function()
    local shared = sync.Shared()
    for _, value in ipairs { 1, 1.0, -0.0, math.mininteger, math.huge, true, false, "", "a\0b", ("x"):rep(1e5) } do
      shared.value = value
      assert.equal(value, shared.value)
      assert.equal(math.type(value), math.type(shared.value))
    end
    shared.value = nil
    assert.is_nil(shared.value)
    shared.nan = 0 / 0
    assert.is_true(shared.nan ~= shared.nan)
    shared.print = print
    assert.equal(print, shared.print)
    local n = 40
    shared.add = function(m) return n + m end
    assert.equal(42, shared.add(2))
    assert.equal(42, elsewhere(function() return shared.add(2) end))
  end)

  it("takes what a table takes as keys", function()
    local shared = sync.Shared()
    shared[1], shared[2.5], shared["a\0b"], shared[true], shared[-1] = "int", "float", "string", "boolean", "negative"
    assert.equal("int", shared[1])
    assert.equal("int", shared[1.0])
    assert.equal("float", shared[2.5])
    assert.equal("string", shared["a\0b"])
    assert.equal("boolean", shared[true])
    assert.equal("negative", shared[-1])
    assert.is_nil(shared[false])
    assert.is_nil(shared["1"])
    assert.is_nil(shared[nil])
    shared[3.0] = "normalised"
    assert.equal("integer", math.type(({ next(walk(sync.Shared { [3.0] = 1 })) })[1]))
    assert.equal("normalised", shared[3])
  end)

  it("that modules call by a name is one for all threads, and stays while nobody has it", function()
    sync.__named_shared("spec.kept").value = 5
    for _ = 1, 3 do collectgarbage() end
    assert.equal(5, sync.__named_shared("spec.kept").value)
    assert.equal(5, elsewhere(function() return sync.__named_shared("spec.kept").value end))
  end)

  it("refuses tables, functions and the like as keys, also to be read", function()
    local shared = sync.Shared()
    for _, key in ipairs { {}, print, coroutine.create(print), io.stdout } do
      local complaint = ("cannot use a %s as a key of a Shared"):format(type(key))
      support.raises(complaint, function() shared[key] = 1 end)
      support.raises(complaint, function() return shared[key] end)
    end
    assert.is_nil(next(walk(shared)))
  end)

  it("refuses nil and NaN as keys", function()
    local shared = sync.Shared()
    support.error_of(function() shared[nil] = 1 end)
    support.error_of(function() shared[0 / 0] = 1 end)
    assert.is_nil(next(walk(shared)))
  end)

  it("has a length", function()
    local shared = sync.Shared { "a", "b", "c" }
    assert.equal(3, #shared)
    shared[4] = "d"
    assert.equal(4, #shared)
    shared[4] = nil
    shared.x = 1
    assert.equal(3, #shared)
    assert.equal(0, #sync.Shared())
    assert.equal(3, elsewhere(function() return #shared end))
  end)

  it("holds objects by reference", function()
    local lock = sync.Lock()
    local shared = sync.Shared { lock = lock }
    assert.is_true(shared.lock == lock)
    elsewhere(function() shared.lock:acquire() end)
    assert.is_true(lock:locked())
    lock:release()
  end)

  describe("nested tables", function()
    it("become Shared themselves", function()
      local plain = { n = 1 }
      local shared = sync.Shared { inner = plain }
      shared.other = { list = { 1, 2 } }
      shared.inner.n = 2
      assert.equal(1, plain.n)
      assert.equal(2, elsewhere(function()
        shared.other.list[3] = 3
        return shared.inner.n
      end))
      assert.equal(3, #shared.other.list)
      assert.is_true(shared.inner == shared.inner)
      assert.is_false(shared.inner == shared.other)
    end)

    it("keep shared references and cycles", function()
      local twin = { n = 1 }
      local plain = { a = twin, b = twin }
      plain.me = plain
      local shared = sync.Shared(plain)
      assert.is_true(shared.a == shared.b)
      assert.is_true(shared.me == shared)
      shared.me.me.x = "deep"
      assert.equal("deep", shared.x)
      shared.me = nil                    -- a cycle would outlive the test
    end)

    it("may be Shared already, and hold themselves", function()
      local shared, inner = sync.Shared(), sync.Shared { n = 1 }
      shared.inner = inner
      assert.is_true(shared.inner == inner)
      shared.me = shared
      assert.is_true(shared.me.me == shared)
      shared.plain = { inner }
      assert.is_true(shared.plain[1] == inner)
      shared.me = nil                    -- a cycle would outlive the test
    end)

    it("with a metatable are refused", function()
      local message = "cannot share a table with a metatable"
      local object = setmetatable({}, {})
      local shared = sync.Shared { n = 1 }
      support.raises(message, function() sync.Shared(object) end)
      support.raises(message, function() sync.Shared { { object } } end)
      support.raises(message, function() shared.x = object end)
      support.raises(message, function() shared.x = { deep = { object } } end)
      assert.is_nil(shared.x)
      assert.same({ n = 1 }, walk(shared))
    end)

    it("deeply nested ones work or are refused", function()
      local deep = {}
      for _ = 1, 1e5 do deep = { deep } end
      local ok, shared = pcall(sync.Shared, deep)
      if ok then
        assert.equal(1, #shared[1][1][1])
      else
        assert.is_string(shared)
      end
    end)
  end)

  it("refuses values that cannot cross, and keeps the old one", function()
    local shared = sync.Shared { value = "old" }
    for _, value in ipairs { coroutine.create(print), { coroutine.create(print) }, io.tmpfile() } do
      local message = support.error_of(function() shared.value = value end)
      assert.matches("^cannot send", message)
    end
    assert.equal("old", shared.value)
  end)

  describe("pairs and ipairs", function()
    it("ipairs walks the list", function()
      local shared = sync.Shared { "a", "b", "c", x = 1 }
      local seen = {}
      for i, value in ipairs(shared) do seen[#seen + 1] = i .. value end
      assert.same({ "1a", "2b", "3c" }, seen)
    end)

    it("pairs walks the keys as they were when it began", function()
      local shared = sync.Shared { a = 1, b = 2, c = 3 }
      local seen = {}
      for key in pairs(shared) do
        seen[key] = (seen[key] or 0) + 1
        shared[key .. "_new"] = true
        shared[key] = 10
      end
      assert.same({ a = 1, b = 1, c = 1 }, seen)
      assert.equal(10, shared.a)
      assert.is_true(shared.c_new)
    end)

    it("pairs survives removals", function()
      local shared = sync.Shared()
      for i = 1, 50 do shared["k" .. i] = i end
      for key in pairs(shared) do shared[key] = nil end
      assert.is_nil(next(walk(shared)))
    end)

    it("pairs survives another thread that writes", function()
      local shared = sync.Shared()
      for i = 1, 50 do shared[i] = i end
      local stop = sync.Event()
      local writer = support.start(function()
        for n = 51, 100000 do            -- bounded: walking must not race with endless growth
          if stop:is_set() then break end
          shared[n] = n
          shared[n - 10] = n
        end
      end)
      for _ = 1, 20 do
        local count, walked = 0, walk(shared)
        for i = 1, 40 do count = count + (walked[i] == i and 1 or 0) end
        assert.equal(40, count)
        if #shared > 5000 then break end
      end
      stop:set()
      support.finish(writer)
    end)
  end)

  describe("with the table library", function()
    it("insert and remove", function()
      local shared = sync.Shared()
      table.insert(shared, "b")
      table.insert(shared, "c")
      table.insert(shared, 1, "a")
      assert.same({ "a", "b", "c" }, walk(shared))
      assert.equal("c", table.remove(shared))
      assert.equal("a", table.remove(shared, 1))
      assert.same({ "b" }, walk(shared))
    end)

    it("concat and unpack", function()
      local shared = sync.Shared { 1, 2, 3 }
      assert.equal("1, 2, 3", table.concat(shared, ", "))
      assert.same({ 1, 2, 3 }, { table.unpack(shared) })
      assert.same({ 2, 3 }, { table.unpack(shared, 2) })
    end)

    it("sort", function()
      local shared = sync.Shared { 3, 1, 2 }
      table.sort(shared)
      assert.same({ 1, 2, 3 }, walk(shared))
      table.sort(shared, function(a, b) return a > b end)
      assert.same({ 3, 2, 1 }, walk(shared))
    end)

    it("move", function()
      assert.same({ 1, 2, 3 }, table.move(sync.Shared { 1, 2, 3 }, 1, 3, 1, {}))
    end)

    it("in other threads too", function()
      local shared = sync.Shared()
      local threads = {}
      for i = 1, 4 do
        threads[i] = support.start(function()
          table.insert(shared, i)
          return table.concat(shared):len() > 0
        end)
        assert.is_true(support.finish(threads[i]))
      end
      assert.equal("1234", table.concat(shared))
    end)
  end)

  it("shows its kind and is equal to itself everywhere", function()
    local shared = sync.Shared()
    assert.matches("^Shared", tostring(shared))
    local queue = sync.Queue()
    queue:put(shared)
    assert.is_true(elsewhere(function() return queue:get() == shared end))
    assert.is_false(shared == sync.Shared())
  end)

  it("a cycle of Shared tables and queues is no leak that hangs the end", function()
    for _ = 1, 50 do
      local shared, queue = sync.Shared(), sync.Queue()
      shared.queue = queue
      queue:put(shared)
    end
    collectgarbage()
  end)
end)

describe("pairs of a Shared", function()
  it("goes on while a finaliser exhausts the same iterator", function()
    local plain = {}
    for i = 1, 50 do plain[("key %d, too long for a short string of Lua's"):format(i)] = i end
    local shared = sync.Shared(plain)
    local next_pair, state = pairs(shared)
    local function exhaust()
      while next_pair(state) do end
    end
    collectgarbage("incremental", 0, 1000)
    local count = 0
    for round = 1, 50 do
      next_pair, state = pairs(shared)
      local left = 5
      local function trap()
        left = left - 1
        if left == 0 then exhaust() else setmetatable({}, { __gc = trap }) end
      end
      setmetatable({}, { __gc = trap })
      for key, value in next_pair, state do
        assert.equal(value, plain[key])
        count = count + 1
      end
    end
    collectgarbage("incremental", 200, 100)
    assert.is_true(count > 50)
  end)
end)

describe("snapshot", function()
  it("is a plain deep copy", function()
    local plain = { 1, 2.5, "three", inner = { list = { true, false } } }
    local shared = sync.Shared(plain)
    local copy = sync.snapshot(shared)
    assert.same(plain, copy)
    assert.equal("table", type(copy))
    assert.equal("table", type(copy.inner.list))
    assert.is_nil(getmetatable(copy))
    copy.inner.list[1] = "changed"
    assert.is_true(shared.inner.list[1])
    assert.same({}, sync.snapshot(sync.Shared()))
  end)

  it("keeps shared references and cycles", function()
    local shared = sync.Shared { a = {} }
    shared.b = shared.a
    shared.me = shared
    local copy = sync.snapshot(shared)
    assert.equal(copy.a, copy.b)
    assert.equal(copy, copy.me)
    shared.me = nil                      -- a cycle would outlive the test
  end)

  it("keeps objects by reference", function()
    local lock = sync.Lock()
    assert.is_true(sync.snapshot(sync.Shared { lock = lock }).lock == lock)
  end)

  it("refuses anything else", function()
    support.bad_argument(1, "snapshot", function() sync.snapshot({}) end)
    support.bad_argument(1, "snapshot", function() sync.snapshot() end)
  end)
end)

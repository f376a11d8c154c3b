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

--- Sends a value to another thread and back.
local function there_and_back(value)
  return elsewhere(function(...) return ... end, value)
end

--- Asserts that fn() fails with this message, whatever its position.
local function fails(text, fn)
  local message = support.error_of(fn)
  if message ~= text then error(("expected '%s', got '%s'"):format(text, message), 2) end
end

describe("Messages: plain values", function()
  it("nil, booleans and numbers arrive as they were, subtype kept", function()
    local numbers = { 0, 1, -1, 0.0, 1.0, -0.5, 2 ^ 53, 2.0 ^ 63, math.maxinteger, math.mininteger, math.huge,
      -math.huge, math.pi, 5e-324, 1 << 53 }
    for _, route in ipairs { trip, there_and_back } do
      for _, number in ipairs(numbers) do
        local copy = route(number)
        assert.equal(number, copy)
        assert.equal(math.type(number), math.type(copy))
        copy = route { number }[1]
        assert.equal(number, copy)
        assert.equal(math.type(number), math.type(copy))
      end
      assert.is_true(route(true))
      assert.is_false(route(false))
      local nan, zero = route(0 / 0), route(-0.0)
      assert.is_true(nan ~= nan)
      assert.equal(-math.huge, 1 / zero)
    end
    assert.equal(3, select("#", elsewhere(function(...) return ... end, nil, nil, nil)))
  end)

  it("strings of all bytes and of all lengths arrive as they were", function()
    local bytes = {}
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
    local all = table.concat(bytes)
    for _, text in ipairs { "", "\0", "a\0b\0", all, "ünïcödé", "\xff\xfe" } do
      assert.equal(text, trip(text))
      assert.equal(text, there_and_back(text))
      assert.equal(text, trip { [text] = text }[text])
    end
    for length = 0, 300 do
      local text = all:rep(2):sub(1, length)
      assert.equal(text, trip(text))
    end
  end)

  it("big strings arrive as they were", function()
    local text = ("0123456789abcde\0"):rep(512 * 1024)
    assert.is_true(trip(text) == text)
    assert.is_true(there_and_back { text }[1] == text)
  end)

  it("light userdata arrive as they were", function()
    local function f() return sync end
    local light = debug.upvalueid(f, 1)
    assert.equal("userdata", type(light))
    assert.equal(light, trip(light))
    assert.equal(light, there_and_back { light }[1])
  end)
end)

describe("Messages of all sizes", function()
  -- One thread makes them, another frees them: memory goes in batches from there to here and back.
  it("keep what is in them while two threads send them to and fro, and a third has some of both", function()
    local there, back, third = sync.Queue(), sync.Queue(), sync.Queue()
    local echo = sync.spawn(function()
      for text in there:items() do
        back:put(text)
        if #text % 7 == 0 then third:put { text, text } end
      end
    end)
    local reader = sync.spawn(function()
      local count = 0
      for pair in third:items() do
        assert(pair[1] == pair[2] and pair[1] == pair[1]:sub(1, 1):rep(#pair[1]))
        count = count + 1
      end
      return count
    end)
    for round = 1, 20 do
      local letter = string.char(96 + round)
      for size = 1, 600 do there:put(letter:rep(size)) end
      for size = 1, 600 do assert(back:get() == letter:rep(size)) end
    end
    there:shutdown()
    support.finish(echo)
    third:shutdown()
    assert.equal(20 * (600 // 7), support.finish(reader))
  end)
end)

describe("Messages: tables", function()
  it("are copied deeply, with keys and values of all kinds", function()
    local original = { 1, 2, nil, 4, x = { y = { z = {} } }, [1.5] = "float", [true] = "yes", [false] = "no",
      [-7] = "negative", [""] = "empty", [math.mininteger] = "min" }
    for _, route in ipairs { trip, there_and_back } do
      local copy = route(original)
      assert.same(original, copy)
      assert.not_equal(original, copy)
      assert.not_equal(original.x, copy.x)
      assert.equal("integer", math.type(copy[1]))
    end
  end)

  it("a change after sending is not seen", function()
    local item, queue = { n = 1, list = { 1 } }, sync.Queue()
    queue:put(item)
    item.n, item.list[1] = 2, 2
    assert.same({ n = 1, list = { 1 } }, queue:get())
  end)

  it("may be wide", function()
    local wide = {}
    for i = 1, 1e5 do wide[i] = i end
    for i = 1, 1000 do wide["key" .. i] = i end
    local copy = there_and_back(wide)
    assert.equal(1e5, #copy)
    for i = 1, 1e5 do
      if copy[i] ~= i then error("item " .. i) end
    end
    assert.equal(1000, copy.key1000)
  end)

  it("nested a million deep arrive, or are refused with a clear error", function()
    local deep = { "bottom" }
    for _ = 1, 1e6 do deep = { deep } end
    local queue = sync.Queue()
    local ok, message = pcall(queue.put, queue, deep)
    if not ok then
      assert.is_string(message)
      assert.equal(0, queue:qsize())
      return
    end
    local copy, depth = queue:get(), 0
    while type(copy[1]) == "table" do copy, depth = copy[1], depth + 1 end
    assert.equal(1000000, depth)
    assert.equal("bottom", copy[1])
  end)

  it("shared references and cycles are kept", function()
    local twin = {}
    local original = { a = twin, b = twin, list = { twin } }
    original.me = original
    twin.up = original
    for _, route in ipairs { trip, there_and_back } do
      local copy = route(original)
      assert.equal(copy.a, copy.b)
      assert.equal(copy.a, copy.list[1])
      assert.equal(copy, copy.me)
      assert.equal(copy, copy.a.up)
    end
  end)

  it("nested as keys and values by turns arrive", function()
    for depth = 1, 130 do
      local value = "core"
      for _ = 1, depth do value = { [{ value }] = 1 } end
      local got = trip(value)
      for _ = 1, depth do got = next(got)[1] end
      assert.equal("core", got)
    end
  end)

  it("as keys are kept too", function()
    local key = {}
    local original = { [key] = "value", key = key }
    original[original] = "itself"
    local copy = trip(original)
    assert.equal("value", copy[copy.key])
    assert.equal("itself", copy[copy])
  end)

  it("all arguments and captured locals of a target are one message", function()
    local captured = {}
    local same = elsewhere(function(a, b, c)
      return a == b and b == c.deep and a == captured
    end, captured, captured, { deep = captured })
    assert.is_true(same)
  end)

  it("all results are one message", function()
    local a, b = elsewhere(function()
      local t = {}
      return t, { t }
    end)
    assert.equal(a, b[1])
  end)

  it("two messages have nothing in common", function()
    local item = {}
    assert.not_equal(trip(item), trip(item))
  end)

  it("are read raw: no metamethod runs when they are sent", function()
    local touched = 0
    local function touch() touched = touched + 1 end
    local meta = { __index = touch, __pairs = touch, __len = touch, __newindex = touch, __eq = touch }
    local copy = trip(setmetatable({ 1, 2, x = 3 }, meta))
    assert.equal(0, touched)
    assert.equal(2, rawlen(copy))
    assert.equal(3, rawget(copy, "x"))
  end)
end)

describe("Messages: metatables", function()
  local Account = {}
  Account.__index = Account
  Account.__name = "Account"
  function Account.new(balance) return setmetatable({ balance = balance }, Account) end
  function Account:deposit(n)
    self.balance = self.balance + n
    return self
  end
  function Account.__eq(a, b) return a.balance == b.balance end
  function Account.__tostring(self) return "Account(" .. self.balance .. ")" end

  it("come along, with their methods and metamethods", function()
    local text, equal, balance = elsewhere(function(account, other)
      return tostring(account), account == other, account:deposit(5).balance
    end, Account.new(10), Account.new(10))
    assert.equal("Account(10)", text)
    assert.is_true(equal)
    assert.equal(15, balance)
  end)

  it("are the same one on the way back home", function()
    assert.is_true(rawequal(Account, getmetatable(trip(Account.new(1)))))
    local back = there_and_back(Account.new(1))
    assert.is_true(rawequal(Account, getmetatable(back)))
    assert.equal(6, back:deposit(5).balance)
  end)

  it("are the same one there whenever they arrive again", function()
    local queue = sync.Queue()
    for i = 1, 3 do queue:put(Account.new(i)) end
    queue:put { deep = { Account.new(4) } }
    local same, total = elsewhere(function(first)
      local meta, total = getmetatable(first), first.balance
      for _ = 1, 3 do
        local account = queue:get()
        if not rawequal(getmetatable(account), meta) then return false end
        total = total + account.balance
      end
      return rawequal(getmetatable(queue:get().deep[1]), meta), total
    end, Account.new(10))
    assert.is_true(same)
    assert.equal(16, total)
  end)

  it("are the same one over any detour", function()
    local first, second = sync.Queue(), sync.Queue()
    local relay = support.start(function()
      local account = first:get()
      local copy = setmetatable({ balance = account.balance * 2 }, getmetatable(account))
      second:put(account)
      second:put(copy)
      return true
    end)
    first:put(Account.new(21))
    local other = support.start(function()
      local a, b = second:get(), second:get()
      return rawequal(getmetatable(a), getmetatable(b)), b
    end)
    local same, b = support.finish(other)
    assert.is_true(same)
    assert.is_true(rawequal(Account, getmetatable(b)))
    assert.equal(42, b.balance)
    assert.is_true(support.finish(relay))
  end)

  it("captured as a local and arriving with an object are the same one", function()
    local same, made = elsewhere(function(account)
      return rawequal(getmetatable(account), Account), Account.new(7)
    end, Account.new(1))
    assert.is_true(same)
    assert.is_true(rawequal(Account, getmetatable(made)))
    assert.equal("Account(7)", tostring(made))
  end)

  it("made in another thread are one and the same here", function()
    local queue = sync.Queue()
    elsewhere(function()
      local meta = { __index = { kind = "made there" } }
      queue:put(setmetatable({}, meta))
      queue:put(setmetatable({}, meta))
    end)
    local a, b = queue:get(), queue:get()
    assert.equal("made there", a.kind)
    assert.is_true(rawequal(getmetatable(a), getmetatable(b)))
  end)

  it("may inherit from others, and hold themselves", function()
    local Base = { greet = function(self) return "I am " .. self.name end }
    Base.__index = Base
    local Derived = setmetatable({}, Base)
    Derived.__index = Derived
    Derived.class = Derived
    local object = setmetatable({ name = "derived" }, Derived)
    local back = there_and_back(object)
    assert.equal("I am derived", back:greet())
    assert.equal(Derived, back.class)
    assert.is_true(rawequal(Base, getmetatable(getmetatable(back))))
    local itself = setmetatable({}, { __index = { x = 1 } })
    setmetatable(itself, itself)
    itself.__index = function() return "from itself" end
    assert.equal("from itself", trip(itself).anything)
  end)

  it("with __metatable arrive, and stay protected", function()
    local object = setmetatable({}, { __metatable = "locked", __index = { x = 1 } })
    local copy = there_and_back(object)
    assert.equal("locked", getmetatable(copy))
    assert.equal(1, copy.x)
  end)

  it("of weak tables arrive", function()
    local copy = trip(setmetatable({ 1, 2 }, { __mode = "k" }))
    assert.equal("k", getmetatable(copy).__mode)
    assert.equal(2, copy[2])
  end)
end)

describe("Messages: objects", function()
  it("cross by reference, alone or in tables", function()
    local objects = { sync.Lock(), sync.RLock(), sync.Condition(), sync.Event(), sync.Semaphore(),
      sync.BoundedSemaphore(), sync.Queue(), sync.LifoQueue(), sync.PriorityQueue(), sync.SimpleQueue(),
      sync.Local(), sync.Shared(), sync.Atomic(), sync.Thread(print), sync.main_thread() }
    for _, object in ipairs(objects) do
      assert.is_true(trip(object) == object)
      assert.is_true(trip { object }[1] == object)
      assert.is_true(there_and_back(object) == object)
      assert.is_true(elsewhere(function(argument) return argument == object end, object))
    end
  end)

  it("are one and the same table key in a state", function()
    local lock = sync.Lock()
    assert.equal("found", ({ [lock] = "found" })[trip(lock)])
    assert.equal("found", trip { [lock] = "found" }[lock])
  end)

  it("live on in a queue after all states let go", function()
    local queue = sync.Queue()
    elsewhere(function()
      local inner = sync.Queue { name = "kept" }
      inner:put { "inside" }
      queue:put(inner)
    end)
    collectgarbage()
    local inner = queue:get()
    assert.matches("^Queue 'kept' %(1 items?%)$", tostring(inner))
    assert.same({ "inside" }, inner:get(false))
  end)
end)

describe("Messages: what cannot be sent", function()
  local queue
  local co = coroutine.create(print)

  before_each(function() queue = sync.Queue() end)

  after_each(function()
    assert.equal(0, queue:qsize())
    assert.is_true(queue:join(0))
  end)

  it("says where in an item", function()
    fails("cannot send a coroutine (at item)", function() queue:put(co) end)
    fails("cannot send a coroutine (at item.co)", function() queue:put { co = co } end)
    fails("cannot send a coroutine (at item.a.b)", function() queue:put { a = { b = co } } end)
    fails("cannot send a coroutine (at item[2])", function() queue:put { 1, co } end)
    fails("cannot send a coroutine (at item.list[3].co)", function() queue:put { list = { 1, 2, { co = co } } } end)
  end)

  it("says where in the arguments", function()
    local before = sync.active_count()
    local function send(...)
      local thread = sync.Thread(print, ...)
      thread:start()
    end
    fails("cannot send a coroutine (at args[1].co)", function() send { co = co } end)
    fails("cannot send a coroutine (at args[1])", function() send(co) end)
    fails("cannot send a coroutine (at args[3])", function() send(1, nil, co) end)
    fails("cannot send a coroutine (at args[2])", function() sync.spawn(print, 1, co) end)
    fails("cannot send a coroutine (at args[1][1.5][false][<table>])", function()
      send { [1.5] = { [false] = { [{}] = co } } }
    end)
    assert.equal(before, sync.active_count())
  end)

  it("says where in captured locals", function()
    local holder = { deep = co }
    local message = support.error_of(function()
      sync.spawn(function() return holder end)
    end)
    assert.matches("^cannot send a coroutine %(at target%.?<upvalue holder>%.deep%)$", message)
    message = support.error_of(function()
      queue:put { fn = function() return co end }
    end)
    assert.matches("^cannot send a coroutine %(at item%.fn%.?<upvalue co>%)$", message)
  end)

  it("refuses files, other userdata and unknown C functions", function()
    local file = assert(io.tmpfile())
    for _, value in ipairs { file, string.gmatch("a", "a"), coroutine.wrap(print) } do
      local message = support.error_of(function() queue:put { x = value } end)
      assert.matches("^cannot send .+ %(at item%.x%)$", message)
    end
    file:write "still usable"
    file:close()
  end)

  it("refuses them as keys and in metatables", function()
    local message = support.error_of(function() queue:put { [co] = 1 } end)
    assert.matches("^cannot send a coroutine %(at item", message)
    message = support.error_of(function() queue:put(setmetatable({}, { co = co })) end)
    assert.matches("^cannot send a coroutine %(at item", message)
  end)

  it("names keys that are no names readably", function()
    for key, shown in pairs { ["two words"] = "two words", [2.5] = "2.5", [true] = "true" } do
      local message = support.error_of(function() queue:put { [key] = co } end)
      assert.matches("^cannot send a coroutine %(at item", message)
      assert.matches(shown, message, 1, true)
    end
  end)

  it("says where, deep inside", function()
    local deep = co
    for _ = 1, 2000 do deep = { deep } end
    local message = support.error_of(function() queue:put(deep) end)
    assert.matches("^cannot send a coroutine %(at item", message)
  end)

  it("sends nothing and loses nothing", function()
    local item = { first = { 1, 2 }, co = co, last = "x" }
    support.error_of(function() queue:put(item) end)
    assert.same({ 1, 2 }, item.first)
    assert.equal(co, item.co)
    assert.equal("suspended", coroutine.status(co))
    item.co = nil
    queue:put(item)
    assert.same(item, queue:get())
    queue:task_done()
  end)

  it("a refused put wakes no getter", function()
    local getter = support.start_blocked(function() return queue:get() end)
    support.error_of(function() queue:put(co) end)
    assert.is_false(getter:join(0.02))
    queue:put "good"
    assert.equal("good", support.finish(getter))
    queue:task_done()
  end)
end)

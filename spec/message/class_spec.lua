local sync = require "luasync"
local support = require "spec.support"

--- Runs check(...) here, in a thread, and in simulated worlds.
local function everywhere(check, ...)
  check(...)
  support.finish(support.start(check, ...))
  local arguments = table.pack(...)
  for _, options in ipairs { {}, { seed = 1 } } do
    local report = sync.simulate(function() check(table.unpack(arguments, 1, arguments.n)) end, options)
    assert.is_true(report.ok, tostring(report.error))
  end
end

--- Source of ways to make a class with a field `value`, a method `double` and a parent with `describe`.
local styles = {}

function styles.plain()
  local Base = {}
  Base.__index = Base
  function Base:describe() return "value " .. self.value end
  local Class = setmetatable({}, { __index = Base })
  Class.__index = Class
  function Class:double() return 2 * self.value end
  function Class.new(value) return setmetatable({ value = value, class = Class }, Class) end
  return Class, Class.new
end

function styles.metatable_apart()
  local Base, Class = {}, {}
  function Base:describe() return "value " .. self.value end
  setmetatable(Class, { __index = Base })
  local meta = { __index = Class }
  function Class:double() return 2 * self.value end
  function Class.new(value) return setmetatable({ value = value, class = Class }, meta) end
  return Class, Class.new
end

function styles.callable()
  local dict = {}
  dict.__index = dict
  local Class = { name = "Class", static = {}, __dict = dict }
  setmetatable(Class.static, { __index = function(_, key) return rawget(dict, key) end })
  setmetatable(Class, {
    __index = Class.static,
    __newindex = function(_, key, value) dict[key] = value end,
    __call = function(self, value) return setmetatable({ value = value, class = self }, dict) end,
  })
  function Class:describe() return "value " .. self.value end
  function Class:double() return 2 * self.value end
  return Class, function(value) return Class(value) end
end

function styles.base_of_a_class()
  local base = {
    describe = function(self) return "value " .. self.value end,
    double = function(self) return 2 * self.value end,
  }
  base.__index = base
  local Class = setmetatable({ __base = base, __name = "Class" }, {
    __index = base,
    __call = function(class, value)
      return setmetatable({ value = value, class = class }, class.__base)
    end,
  })
  base.__class = Class
  return Class, function(value) return Class(value) end
end

describe("Classes of a script", function()
  for style, make in pairs(styles) do
    it("keep their identity however they are reached: " .. style, function()
      everywhere(function(make_class)
          local Class, new = make_class()
        local q, back = sync.Queue(), sync.Queue()
        local echo = sync.spawn(function()
          local class, meta, method
          for item in q:items() do
            local object = item.object
            assert(object:double() == 2 * object.value and object:describe() == "value " .. object.value)
            class, meta = class or object.class, meta or getmetatable(object)
            method = method or object.double
            assert(class == object.class and meta == getmetatable(object) and method == object.double)
            assert(item.class == nil or item.class == class)
            back:put { object = object, class = class, method = method }
          end
        end)
        for i = 1, 5 do
          local item = { object = new(i) }
          if i % 2 == 0 then item.class = Class end
          q:put(item)
          local got = back:get()
          assert(got.object ~= item.object and got.object.value == i)
          assert(getmetatable(got.object) == getmetatable(item.object))
          assert(got.class == Class and got.object.class == Class and got.method == item.object.double)
        end
        q:shutdown()
        echo:join()
      end, make)
    end)
  end

  it("are the same one as results, errors, captured locals and arguments", function()
    everywhere(function(make)
      local Class, new = make()
      local object = new(1)
      local function same(other) return getmetatable(other) == getmetatable(object) end
      assert(same(sync.spawn(function() return object end):result()))
      assert(same(sync.spawn(function(o) return o end, object):result()))
      assert(select(2, sync.spawn(function(o) return 1, { o } end, object):result())[1].class == Class)
      local previous = sync.set_excepthook(function() end)
      local failing = sync.spawn(function() error(object) end)
      local ok, e = pcall(failing.result, failing)
      sync.set_excepthook(previous)
      assert(not ok and same(e))
    end, styles.plain)
  end)

  it("have one state of their own in each thread, not one a message", function()
    everywhere(function()
      local made = 0
      local Class = {}
      Class.__index = Class
      function Class.count()
        made = made + 1
        return made
      end
      local q = sync.Queue()
      for _ = 1, 4 do q:put(setmetatable({}, Class)) end
      local counts = table.pack(sync.spawn(function()
        return q:get().count(), q:get().count(), q:get().count(), q:get().count()
      end):result())
      assert(counts[1] + 1 == counts[2] and counts[2] + 1 == counts[3] and counts[3] + 1 == counts[4])
    end)
  end)

  it("that gain a method are learnt anew", function()
    everywhere(function()
      local Class = { one = function() return 1 end }
      Class.__index = Class
      local q, back = sync.Queue(), sync.Queue()
      local reader = sync.spawn(function()
        for object in q:items() do back:put { object:one(), object.two and object:two() } end
      end)
      local function send()
        q:put(setmetatable({}, Class))
        return back:get()[2]
      end
      assert(send() == nil and send() == nil)
      function Class.two() return 2 end
      assert(send() == 2 and send() == 2)
      q:shutdown()
      reader:join()
    end)
  end)

  it("of any size are learnt anew when they or a parent gain a method, however often they were sent", function()
    local function fill(class, n)
      for i = 1, n do class["method" .. i] = function() return i end end
      return class
    end
    local families = {
      function(n) -- the metatable of the class leads to the parent
        local parent = fill({}, n)
        parent.__index = parent
        local class = setmetatable({}, { __index = parent })
        class.__index = class
        return parent, class, class
      end,
      function(n) -- the parent is the metatable of the class
        local parent = fill({}, n)
        parent.__index = parent
        local class = setmetatable({}, parent)
        class.__index = class
        return parent, class, class
      end,
      function(n) -- methods apart from the metatable
        local methods = fill({}, n)
        return methods, methods, { __index = methods }
      end,
      function(n) -- nothing is left for Lua to note
        local class = fill({ __eq = rawequal, __len = function() return 1 end }, n)
        class.__index = class
        return class, class, class
      end,
    }
    everywhere(function()
      for _, family in ipairs(families) do
        for _, size in ipairs { 1, 40 } do
          for warm = 0, 2 do
            local parent, class, metatable = family(size)
            local q, back = sync.Queue(), sync.Queue()
            local reader = sync.spawn(function()
              for o in q:items() do back:put { o.own and o.own(), o.parents and o.parents() } end
            end)
            local function send(o)
              q:put(o or setmetatable({}, metatable))
              return table.unpack(back:get(), 1, 2)
            end
            for i = 1, 3 * warm do
              send()
              if i % 2 == 0 then send(setmetatable({}, parent)) end
            end
            function class.own() return 1 end
            assert(send() == 1)
            assert(setmetatable({}, metatable) ~= setmetatable({}, metatable)) -- Lua looks for __eq
            function parent.parents() return 2 end
            if parent.__index == parent and warm == 0 then assert(select(2, send(setmetatable({}, parent))) == 2) end
            assert(select(2, send()) == 2)
            q:shutdown()
            reader:join()
          end
        end
      end
    end)
  end)

  it("that can no longer be sent are refused, and can be sent again when that is over", function()
    everywhere(function()
      local Class, q = {}, sync.Queue()
      Class.__index = Class
      for _ = 1, 3 do
        for _ = 1, 3 do q:put(setmetatable({}, Class)) end
        Class.co = coroutine.create(print)
        for _ = 1, 2 do
          local ok, e = pcall(q.put, q, { setmetatable({}, Class) })
          assert(not ok and e:find("cannot send a coroutine (at item[1].<metatable>.co)", 1, true), e)
        end
        Class.co = nil
      end
      assert(q:qsize() == 9)
    end)
  end)

  it("come to a new thread as they are when it starts", function()
    everywhere(function()
      local limit = 1
      local Class = {}
      Class.__index = Class
      function Class.limit() return limit end
      local object, q = setmetatable({}, Class), sync.Queue()
      for i = 1, 3 do
        limit = i
        assert(sync.spawn(function() return object.limit() end):result() == i)
        q:put(object)
        assert(sync.spawn(function() return q:get().limit() end):result() == i)
      end
    end)
  end)

  it("with so many fields and parents that nothing else would do are sent once", function()
    everywhere(function()
      local class = { level = 0 }
      class.__index = class
      local q, back = sync.Queue(), sync.Queue()
      local reader = sync.spawn(function()
        for object in q:items() do back:put(object.level + object.deep) end
      end)
      for i = 1, 120 do -- each refers to the one before, which has been sent by itself
        class = setmetatable({ deep = i }, class)
        class.__index = class
        for _ = 1, 2 do
          q:put(setmetatable({}, class))
          assert(back:get() == i)
        end
      end
      q:shutdown()
      reader:join()
    end)
  end)

  it("of 20,000 objects, one each and referred to twice, take no time that grows with their square", function()
    local list = {}
    for i = 1, 20000 do
      local object = setmetatable({ i = i }, { __index = { i = i } })
      list[i] = { object, object }
    end
    local q = sync.Queue()
    q:put(list)
    local got = q:get()
    assert.equal(20000, #got)
    assert.is_true(rawequal(got[9][1], got[9][2]))
    assert.is_true(rawequal(getmetatable(got[9][1]), getmetatable(list[9][1])))
  end)
end)

describe("Tables that are no classes", function()
  it("are copied though a key has a metamethod's name", function()
    everywhere(function()
      local q, back = sync.Queue(), sync.Queue()
      local reader = sync.spawn(function()
        for item in q:items() do back:put(item.n) end
      end)
      local events = { "__name", "__mode", "__gc", "__metatable", "__call", "__add", "__close", "__index" }
      for _, event in ipairs(events) do
        local item = { [event] = "word" }
        for n = 1, 3 do
          item.n = n
          q:put(item)
          assert(back:get() == n)
        end
      end
      q:shutdown()
      reader:join()
    end)
  end)

  it("but instances of one are copied with all that changed since", function()
    everywhere(function()
      local Class = { all = {} }
      Class.__index = Class
      local object = setmetatable({ n = 0 }, Class)
      Class.all[1] = object
      local q = sync.Queue()
      local reader = sync.spawn(function()
        local sum = 0
        for item in q:items() do sum = sum + item.n end
        return sum
      end)
      for n = 1, 4 do
        object.n = n
        q:put(object)
      end
      q:shutdown()
      assert(reader:result() == 10)
    end)
  end)

  it("a callable one with a state is a copy each time", function()
    everywhere(function()
      local counter = setmetatable({ n = 0 }, { __call = function(self) return self.n end })
      local q = sync.Queue()
      local reader = sync.spawn(function()
        local a, b, c = q:get(), q:get(), q:get()
        return a() .. b() .. c()
      end)
      for n = 1, 3 do
        counter.n = n
        q:put(counter)
      end
      assert(reader:result() == "123")
    end)
  end)
end)

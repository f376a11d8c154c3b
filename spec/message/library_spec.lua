-- Public libraries inside threads. Where one is not installed its specs are skipped; scripts/setup.sh test installs
-- those that Debian has.
local sync = require "luasync"
local support = require "spec.support"

--- Runs check() here, in a thread and in a simulated world, if the library is there.
local function with(library, what, check)
  it(library .. ": " .. what, function()
    if not pcall(require, library) then return pending(library .. " is not installed") end
    check()
    support.finish(support.start(check))
    local report = sync.simulate(check, { seed = 1 })
    assert.is_true(report.ok, tostring(report.error))
  end)
end

--- The source of a class library.
local SOURCE_OF_CLASS = [[
  -- A class library of the callable kind, as several public ones are.
  local class = {}
  local function declare(c, name, f)
    c.__declared[name] = f
    c.__instances[name] = f
    for sub in pairs(c.subclasses) do if rawget(sub.__declared, name) == nil then declare(sub, name, f) end end
  end
  local function make(name, super)
    local dict = {}
    dict.__index = dict
    local c = { name = name, super = super, static = {}, __instances = dict, __declared = {},
      subclasses = setmetatable({}, { __mode = "k" }) }
    setmetatable(c.static, { __index = function(_, k)
      local found = rawget(dict, k)
      if found == nil and super then return super.static[k] end
      return found
    end })
    setmetatable(c, { __index = c.static, __newindex = declare, __tostring = function() return "class " .. name end,
      __call = function(self, ...) return self:new(...) end })
    return c
  end
  local function equip(c)
    function c.static:new(...)
      local o = setmetatable({ class = self }, self.__instances)
      if o.initialize then o:initialize(...) end
      return o
    end
    function c.static:subclass(name)
      local sub = make(name, self)
      for k, f in pairs(self.__instances) do if k ~= "__index" then sub.__instances[k] = f end end
      self.subclasses[sub] = true
      return sub
    end
    function c:isInstanceOf(other)
      local k = self.class
      while k do if k == other then return true end k = k.super end
      return false
    end
    return c
  end
  return setmetatable(class, { __call = function(_, name, super)
    return super and super:subclass(name) or equip(make(name))
  end })
]]

describe("Libraries in threads", function()
  with("pl", "classes, lists and functional helpers", function()

    local List, class, tablex = require "pl.List", require "pl.class", require "pl.tablex"
    local Animal = class()
    function Animal:_init(name) self.name = name end
    function Animal:hello() return "I am " .. self.name end
    local Cat = class(Animal)
    function Cat:speak() return self:hello() .. ", meow" end
    local list, tom = List { 1, 2, 3 }, Cat "Tom"
    local text, sum, same = sync.spawn(function(l, cat)
      local own = require "pl.List"
      assert(own:class_of(l) and own:class_of(list) and getmetatable(l) == own)
      assert(Cat:class_of(cat) and Animal:class_of(cat) and cat:is_a(Animal) and tom:is_a(Cat))
      local doubled = l:map(function(x) return 2 * x end)
      return cat:speak(), doubled:reduce "+", tablex.deepcompare(l, list)
    end, list, tom):result()
    assert(text == "I am Tom, meow" and sum == 12 and same)
    local q = sync.Queue()
    q:put { list, tom, Cat }
    local got = q:get()
    assert(List:class_of(got[1]) and Cat:class_of(got[2]) and got[3] == Cat and got[1]:join "-" == "1-2-3")
  end)

  with("dkjson", "null, and text of both sides", function()

    local json = require "dkjson"
    local value = { a = json.null, list = { 1, json.null } }
    local text, isnull = sync.spawn(function(v)
      local own = require "dkjson"
      assert(json == own and v.a == own.null and value.a == own.null)
      return own.encode(v.list), own.decode("[null]", 1, own.null)[1]
    end, value):result()
    assert(text == "[1,null]" and isnull == json.null)
  end)

  with("cjson", "null, and text of both sides", function()

    local cjson = require "cjson"
    local text, null = sync.spawn(function(v)
      assert(v[2] == cjson.null)
      return cjson.encode(v), cjson.decode("[null]")[1]
    end, { 1, cjson.null }):result()
    assert(text == "[1,null]" and null == cjson.null)
  end)

  with("lpeg", "patterns are made in each thread", function()

    local lpeg = require "lpeg"
    local function words(text)
      local word = lpeg.C(lpeg.R "az" ^ 1)
      return lpeg.match(lpeg.Ct(word * (lpeg.P " " * word) ^ 0), text)
    end
    assert(#sync.spawn(words, "some more words"):result() == 3)
    local ok, e = pcall(sync.spawn, print, lpeg.P "x")
    assert(not ok and e:find "cannot send a userdata")
  end)

  it("a class library with callable classes and copied methods works", function()
    local check = load(SOURCE_OF_CLASS, "=class")()
    support.finish(support.start(function(make)

      local Animal = make "Animal"
      function Animal:initialize(name) self.name = name end
      function Animal:hello() return "I am " .. self.name end
      local Cat = make("Cat", Animal)
      function Cat:speak() return self:hello() .. ", meow" end
      local q, back = sync.Queue(), sync.Queue()
      local echo = sync.spawn(function()
        for cat in q:items() do
          assert(cat:isInstanceOf(cat.class) and cat:isInstanceOf(cat.class.super))
          back:put { cat, cat.class, cat.class.super, cat:speak(), cat.class "Kitty" }
        end
      end)
      for i = 1, 4 do
        q:put(Cat("Tom" .. i))
        local got = back:get()
        assert(got[1].class == Cat and got[2] == Cat and got[3] == Animal and got[1]:isInstanceOf(Animal))
        assert(got[4] == "I am Tom" .. i .. ", meow" and got[5]:speak() == "I am Kitty, meow")
        assert(got[5]:isInstanceOf(Cat) and tostring(got[2]) == "class Cat")
      end
      q:shutdown()
      echo:join()
    end, check))
  end)
end)

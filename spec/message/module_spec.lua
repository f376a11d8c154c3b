local sync = require "luasync"
local support = require "spec.support"

--- Runs body() with a folder of modules { name = source } on package.path, and takes them away again.
local function with_modules(modules, body)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local path = package.path
  package.path = folder .. "/?.lua;" .. path
  for name, source in pairs(modules) do
    local file = assert(io.open(folder .. "/" .. name .. ".lua", "w"))
    file:write(source)
    file:close()
  end
  local ok, e = pcall(body)
  package.path = path
  for name in pairs(modules) do package.loaded[name] = nil end
  os.execute("rm -r " .. folder)
  if not ok then error(e, 0) end
end

--- Runs check(...) in a thread and in simulated worlds.
local function elsewhere(check, ...)
  support.finish(support.start(check, ...))
  local arguments = table.pack(...)
  for _, options in ipairs { {}, { seed = 1 } } do
    local report = sync.simulate(function() check(table.unpack(arguments, 1, arguments.n)) end, options)
    assert.is_true(report.ok, tostring(report.error))
  end
end

local SHAPES = [[
local Point = { unit = { 1 } }
Point.__index = Point
local Hidden = setmetatable({}, { __index = Point })
Hidden.__index = Hidden
local count = 0
local M = { Point = Point, null = setmetatable({}, { __tostring = function() return "null" end }), options = {} }
function M.point(x) count = count + 1 return setmetatable({ x = x }, Point) end
function M.hidden(x) return setmetatable({ x = x }, Hidden) end
function M.is_point(p) return getmetatable(p) == Point end
function M.is_hidden(p) return getmetatable(p) == Hidden end
function M.count() return count end
function Point.__add(a, b) assert(M.is_point(a) and M.is_point(b)) return M.point(a.x + b.x) end
function Point:get() return self.x end
return M
]]

describe("Things of a module", function()
  it("are the receiver's own, as arguments, captured locals, items, results and errors", function()
    with_modules({ shapes = SHAPES }, function()
      local shapes = require "shapes"
      local point, hidden, add, null = shapes.point(3), shapes.hidden(4), shapes.Point.__add, shapes.null
      elsewhere(function(p, h)
        local own = require "shapes"
        assert(own.is_point(p) and own.is_point(point) and getmetatable(p) == own.Point)
        assert(own.is_hidden(h) and own.is_hidden(hidden) and h:get() == 4)
        assert(own.null == null and tostring(null) == "null" and own.Point.__add == add)
        assert(own == shapes and own.options == shapes.options)
        assert((p + own.point(1)).x == 4 and (own.point(1) + point).x == 4)
      end, point, hidden)
      local q = sync.Queue()
      local echo = sync.spawn(function()
        local item = q:get()
        return item, { item }
      end)
      q:put { point, hidden, null, add, shapes.Point, { class = shapes.Point } }
      local item, list = echo:result()
      assert.is_true(shapes.is_point(item[1]) and shapes.is_hidden(item[2]) and item[3] == null)
      assert.is_true(item[4] == add and item[5] == shapes.Point and item[6].class == shapes.Point)
      assert.is_true(rawequal(list[1], item))
    end)
  end)

  it("are one in a thread that loads the module itself, however deep they are", function()
    with_modules({ shapes = SHAPES, nest = "return { a = { b = { f = function() end } } }" }, function()
      local shapes, nest = require "shapes", require "nest"
      for _ = 1, 2 do
        local f, point, is_point = sync.spawn(function()
          local f = require "nest".a.b.f
          return f, require "shapes".point(1), require "shapes".is_point
        end):result()
        assert.is_true(f == nest.a.b.f and shapes.is_point(point) and is_point == shapes.is_point)
      end
    end)
  end)

  it("have one private state in each thread", function()
    with_modules({ shapes = SHAPES }, function()
      local shapes = require "shapes"
      for i = 1, 5 do assert.equal(i, shapes.point(i).x) end
      elsewhere(function()
        assert(shapes.count() == 0)
        shapes.point(1)
        assert(require "shapes".count() == 1 and shapes.count() == 1)
      end)
      assert.equal(5, shapes.count())
    end)
  end)

  it("that the script has added or replaced are the script's, and are copied", function()
    with_modules({ shapes = SHAPES }, function()
      local shapes = require "shapes"
      function shapes.added(x) return x + 1 end
      local added, box = shapes.added, { 1, 2 }
      shapes.box = box
      elsewhere(function() assert(added(1) == 2 and box[2] == 2) end)
    end)
  end)

  it("that were added before anything was sent are copied too", function()
    with_modules({ shapes = SHAPES }, function()
      for _, order in ipairs { "sync, shapes = require 'luasync', require 'shapes'",
        "sync = require 'luasync' sync.spawn(print) shapes = require 'shapes'" } do
        assert.equal("true 2 3", support.output(("package.path = %q\n%s\n"):format(package.path, order) .. [[
          function shapes.added(x) return x + 1 end
          shapes.list = { 3 }
          local added, list, point = shapes.added, shapes.list, shapes.point(1)
          sync.spawn(function() io.write(tostring(shapes.is_point(point)), " ", added(1), " ", list[1]) end):join()
        ]]):match "^%s*(.-)%s*$")
      end
    end)
  end)

  it("nested in its tables, and inherited, are found too", function()
    with_modules({
      zoo = [[
        local Animal = {}
        Animal.__index = Animal
        function Animal:name() return self.n end
        local Cat = setmetatable({}, { __index = Animal, __call = function(class, n)
          return setmetatable({ n = n }, class) end })
        Cat.__index = Cat
        return { kinds = { Cat = Cat, Animal = Animal }, make = function(n) return Cat(n) end }
      ]],
    }, function()
      local zoo = require "zoo"
      local tom = zoo.kinds.Cat "Tom"
      elsewhere(function(cat)
        local own = require "zoo"
        assert(getmetatable(cat) == own.kinds.Cat and cat:name() == "Tom")
        assert(getmetatable(tom) == own.kinds.Cat and own.kinds.Cat "x".name == own.kinds.Animal.name)
      end, tom)
    end)
  end)

  it("work where the module is the class, a function, or loads others", function()
    with_modules({
      class = "local C = {} C.__index = C C.__call = function(self) return self.n end "
        .. "function C.new(n) return setmetatable({ n = n }, C) end return C",
      func = "return function(x) return require('class').new(x) end",
    }, function()
      local func, class = require "func", require "class"
      local object = func(3)
      elsewhere(function(o)
        assert(getmetatable(o) == require "class" and o() == 3 and getmetatable(func(1)) == class)
        assert(func == require "func")
      end, object)
    end)
  end)
end)

describe("A module that a receiver cannot load", function()
  local function preloaded(name, loader, body)
    package.preload[name] = loader
    local ok, e = pcall(body)
    package.preload[name], package.loaded[name] = nil, nil
    if not ok then error(e, 0) end
  end

  it("is there in threads: from package.preload", function()
    preloaded("bundled", function()
      local n = 0
      return { twice = function(x) return 2 * x end, count = function() n = n + 1 return n end }
    end, function()
      elsewhere(function() assert(require "bundled".twice(4) == 8) end)
      local bundled = require "bundled"
      local twice = bundled.twice
      elsewhere(function()
        assert(bundled.twice(4) == 8 and twice == bundled.twice)
        assert(require "bundled" == bundled and bundled.count() == 1 and bundled.count() == 2)
      end)
      elsewhere(function() assert(require "bundled".twice == twice) end)
    end)
  end)

  it("is there in threads of threads", function()
    preloaded("bundled", function() return { twice = function(x) return 2 * x end } end, function()
      elsewhere(function()
        assert(sync.spawn(function() return require "bundled".twice(4) end):result() == 8)
        local bundled = require "bundled"
        assert(sync.spawn(function() return bundled.twice(4) end):result() == 8)
        assert(sync.spawn(function() return require "bundled" == bundled end):result())
      end)
    end)
  end)

  it("is there in threads: put into package.loaded, or found by a searcher", function()
    preloaded("by hand", nil, function()
      package.loaded["by hand"] = { level = 5, list = { 1 } }
      local hand = require "by hand"
      local function search(name)
        if name:find "^virtual%." then return function() return { name = name } end end
        return "\n\tno virtual module '" .. name .. "'"
      end
      table.insert(package.searchers, 2, search)
      local ok, e = pcall(function()
        local virtual = require "virtual.x"
        elsewhere(function()
          assert(hand.level == 5 and require "by hand" == hand and virtual.name == "virtual.x")
          assert(require "virtual.x" == virtual and require "virtual.other".name == "virtual.other")
        end)
      end)
      table.remove(package.searchers, 2)
      package.loaded["virtual.x"] = nil
      assert(ok, e)
    end)
  end)

  it("is there in threads: put into package.loaded in place of another", function()
    for version = 1, 3 do
      local module = { version = version }
      package.loaded["by hand"] = module
      local ok, e = pcall(elsewhere, function()
        assert(module.version == version and require "by hand" == module)
      end)
      package.loaded["by hand"] = version < 3 and module or nil
      assert(ok, e)
    end
  end)

  it("is the one that require gives in a thread that runs already, be it there or not", function()
    local check = function(loads_first)
      package.preload["bundled.part"] = function() return { f = function() return 1 end } end
      package.preload.bundled = function()
        return { part = require "bundled.part", name = function() return "bundled" end }
      end
      local q, back = sync.Queue(), sync.Queue()
      local worker = sync.spawn(function(first)
        local own = first and require "bundled.part"
        for job in q:items() do back:put(table.pack(job(own))) end
      end, loads_first)
      local bundled = require "bundled"
      q:put(function(own)
        local part = require "bundled.part"
        assert(bundled.part == part and bundled.part.f == part.f and (own or part) == part)
        return require "bundled" == bundled, bundled, part.f
      end)
      local got = back:get()
      assert(got[1] and got[2] == bundled and got[3] == bundled.part.f and bundled.part == require "bundled.part")
      q:shutdown()
      worker:join()
      for _, name in ipairs { "bundled", "bundled.part" } do
        package.preload[name], package.loaded[name] = nil, nil
      end
    end
    for _, first in ipairs { true, false } do
      check(first)
      elsewhere(check, first)
    end
  end)

  it("is copied once a thread, whatever brings it", function()
    preloaded("bundled", function() return { list = {}, f = function() end } end, function()
      local q, back = sync.Queue(), sync.Queue()
      local reader = sync.spawn(function()
        local first
        for item in q:items() do
          first = first or item
          back:put(item.module == first.module and item.f == first.f)
        end
      end)
      local bundled = require "bundled"
      for _ = 1, 4 do
        q:put { module = bundled, f = bundled.f }
        assert.is_true(back:get())
      end
      q:shutdown()
      support.finish(reader)
      q = sync.Queue()
      q:put { bundled, bundled.f }
      local got = q:get()
      assert.is_true(got[1] == bundled and got[2] == bundled.f)
    end)
  end)

  it("that cannot be sent stays behind, and the thread starts", function()
    preloaded("unsendable", function() return { co = coroutine.create(print) } end, function()
      require "unsendable"
      package.loaded["by hand"] = { co = coroutine.create(print) }
      package.loaded["by hand too"] = { n = 1 }
      local ok, e = pcall(elsewhere, function()
        assert(not pcall(require, "by hand") and require "by hand too".n == 1)
        assert(require "unsendable".co)
      end)
      package.loaded["by hand"], package.loaded["by hand too"] = nil, nil
      assert(ok, e)
    end)
  end)

  it("whose package tables have metamethods of ours finds them robust", function()
    local newindex = getmetatable(package.loaded).__newindex
    assert.is_false(pcall(newindex, 42, "a", 1))
    assert.is_false(pcall(newindex))
    local t = {}
    newindex(t, "a", 1)
    assert.equal(1, t.a)
    local index = getmetatable(package.preload).__index
    assert.is_nil(index(1, {}))
    assert.is_nil((index(nil, 2)))
  end)

  it("is found where main has begun to look after the thread was started", function()
    local jobs, results = sync.Queue(), sync.Queue()
    local worker = support.start(function()
      for job in jobs:items() do results:put(job) results:put { pcall(job.run, job) } end
    end)
    local function answer(job)
      jobs:put(job)
      return results:get(), results:get()
    end
    answer { run = false } -- it runs by now
    with_modules({
      late_inner = "return { factor = 2 }",
      late = "local inner = require 'late_inner' local C = {} C.__index = C "
        .. "function C:run() return self.x * inner.factor end "
        .. "return { C = C, run = function() return 7 end, null = {} }",
    }, function()
      local late = require "late"
      local back, result = answer { run = late.run, null = late.null }
      assert.equal(late.run, back.run)
      assert.equal(late.null, back.null)
      assert.same({ true, 7 }, result)
      back, result = answer(setmetatable({ x = 21 }, late.C))
      assert.equal(late.C, getmetatable(back))
      assert.same({ true, 42 }, result)
      result = select(2, answer { run = function() return package.loaded.late.run() end })
      assert.same({ true, 7 }, result)
    end)
    jobs:shutdown()
    support.finish(worker)
  end)

  it("is never found out after the item has left the queue", function()
    with_modules({ passing = "return { f = function() end }" }, function()
      local passing = require "passing"
      local q = sync.Queue()
      q:put { n = 1, passing, passing.f }
      q:put { n = 2 }
      os.remove(package.searchpath("passing", package.path))
      local reader = sync.spawn(function()
        local first, second = q:get(), q:get()
        return first.n + second.n, pcall(function() return first[1].f end)
      end)
      local sum, ok, e = reader:result()
      assert.equal(3, sum)
      assert.is_false(ok)
      assert.matches("cannot find 'passing' in the receiving thread", e, 1, true)
    end)
  end)
end)

-- A model test: random graphs of tables, instances, classes, functions and modules go through chains of threads and
-- come home; a model in Lua says what they must be then. A failure tells the number of the graph, which is its seed.
local sync = require "luasync"
local support = require "spec.support"

--- All of it in one function, which also runs in simulated worlds.
local function run(first, last)
  local random -- numbers of its own: the same in every world
  local function seed(n)
    local state = n * 7919 + 17
    function random(most)
      state = (state * 1103515245 + 12345) % 2147483648
      return state // 65536 % most + 1
    end
  end

  -- What lasts: it must be the very same at home. Classes with parents, apart from their metatables, and callable.
  local classes = {}
  local function define(parent)
    local class = parent and setmetatable({ up = parent }, { __index = parent }) or {}
    class.__index = class
    function class:id_of() return self.id end
    class["method" .. #classes] = function(self) return self.id, class end
    classes[#classes + 1] = class
    return class
  end
  define(define(define()))
  define()
  package.preload.bundled = function() return { constant = {}, f = function(x) return x end } end
  local bundled, in_a_file = require "bundled", require "spec.support"
  local lasting = { print, string.format, table, math.huge, bundled, bundled.f, sync, sync.Queue, io.stdout,
    in_a_file, in_a_file.finish }
  local metatables = { table.unpack(classes) }
  do
    local methods = { id_of = function(self) return self.id end }
    metatables[#metatables + 1] = { __index = methods, __len = function() return 7 end }
    lasting[#lasting + 1] = methods.id_of
  end
  for _, class in ipairs(classes) do
    lasting[#lasting + 1] = class
    lasting[#lasting + 1] = class.id_of
  end

  --- A graph of n tables and closures.
  local function graph(n)
    local nodes, cells = {}, {}
    for i = 1, n do
      if random(4) == 1 then
        local a, b = nodes[random(i)], cells[random(i)] or i
        cells[i] = b
        nodes[i] = function(set, value)
          if set then a = value end
          return i, a, b
        end
      else
        local node = { id = i }
        if random(3) == 1 then setmetatable(node, metatables[random(#metatables)]) end
        nodes[i] = node
      end
    end
    for i = 1, 3 * n do
      local from, to = nodes[random(n)], nodes[random(n)]
      local value = random(4) == 1 and lasting[random(#lasting)] or random(5) == 1 and i / 2 or to
      if type(from) == "function" then
        if select(2, from()) == nil then from(true, value) end
      elseif random(5) == 1 and type(to) == "table" and to ~= from then from[to] = value
      else from[random(2) == 1 and "k" .. i or #from + 1] = value end
    end
    return nodes
  end

  -- The model.
  local same_at_home = {}
  for _, value in ipairs(lasting) do same_at_home[value] = true end
  local function compare(a, b, seen, back)
    if type(a) ~= "table" and type(a) ~= "function" or same_at_home[a] then
      return rawequal(a, b) and math.type(a) == math.type(b)
    end
    if seen[a] ~= nil or back[b] ~= nil then return seen[a] == b and back[b] == a end
    if type(a) ~= type(b) or rawequal(a, b) then return false end
    seen[a], back[b] = b, a
    if type(a) == "function" then
      local x, y = table.pack(a()), table.pack(b())
      for i = 1, 3 do if not compare(x[i], y[i], seen, back) then return false end end
      return true
    end
    if not rawequal(getmetatable(a), getmetatable(b)) then return false end
    local keys, count = {}, 0
    for key in next, b do
      if type(key) == "table" then keys[key.id] = key end
      count = count + 1
    end
    for key, value in next, a do
      local other = type(key) == "table" and keys[key.id] or key
      if not compare(key, other, seen, back) or not compare(value, rawget(b, other), seen, back) then return false end
      count = count - 1
    end
    return count == 0
  end

  -- Chains.
  local function relay(from, to)
    for item in from:items() do
      for _, node in ipairs(item) do
        if type(node) == "table" and getmetatable(node) then assert(node:id_of() == node.id) end
      end
      to:put(item)
    end
  end
  local queues, threads = {}, {}
  for i = 1, 4 do queues[i] = sync.Queue() end
  for i = 1, 3 do threads[i] = sync.spawn(relay, queues[i], queues[i + 1]) end
  local every = {} -- a method by itself is known as its class's when that has been sent
  for i, metatable in ipairs(metatables) do every[i] = setmetatable({ id = i }, metatable) end
  queues[1]:put(every)
  assert(compare(every, queues[4]:get(), {}, {}))
  for n = first, last do
    seed(n)
    local nodes = graph(3 + random(40))
    queues[random(4)]:put(nodes)
    local got = queues[4]:get()
    assert(compare(nodes, got, {}, {}), "graph " .. n .. " came home otherwise")
    if n % 10 == 0 then -- another thread, as an argument, a captured local and a result
      local arg, result = sync.spawn(function(x) return x, nodes end, nodes):result()
      assert(arg == result and compare(nodes, arg, {}, {}), "graph " .. n .. " came home otherwise from a thread")
    end
  end
  for i = 1, 3 do
    queues[i]:shutdown()
    threads[i]:join()
  end
  package.preload.bundled, package.loaded.bundled = nil, nil
end

describe("Random graphs through random chains of threads", function()
  it("come home as the model says", function() run(1, 150) end)
  it("come home as the model says, 10,000 of them #slow", function() run(1000, 11000) end)
  it("do so when the sender is a thread itself", function() support.finish(support.start(run, 151, 180)) end)
  it("do so in simulated worlds", function()
    for number = 1, 3 do
      local report = sync.simulate(function() run(10 * number, 10 * number + 20) end, { seed = number })
      assert.is_true(report.ok, tostring(report.error))
    end
  end)
end)

--- Values of every type: what a call is given as receiver and as arguments.
--
-- Run in each state of a fuzzed program: returns a function that adds to the state's `fuzz` table.
-- fuzz.objects is the list of objects at hand, fuzz.pool that of other values met before.

return function(fuzz)
  local random = math.random
  local POOL, OBJECTS = 24, 20

  function fuzz.pick(list) return list[random(#list)] end

  --- One of the values that calls have returned, or nil.
  local function met() return fuzz.pool[random(#fuzz.pool + 1)] end

  --- One of the objects, of the kind asked for where there is one.
  function fuzz.object(kind)
    for _ = 1, kind and 8 or 1 do
      local o = fuzz.pick(fuzz.objects)
      if not kind or fuzz.kind(o) == kind then return o end
    end
    return fuzz.pick(fuzz.objects)
  end

  --- The __name of the metatable at work, or nil.
  function fuzz.kind(value)
    local meta = debug.getmetatable(value)
    return type(meta) == "table" and rawget(meta, "__name") or nil
  end

  --- Keeps a value for later calls, in place of any other.
  function fuzz.keep(value)
    if value == nil then return end
    local kind = type(value) == "userdata" and fuzz.kind(value)
    local isObject = kind and kind ~= "FILE*"
    local list, most = fuzz.pool, POOL
    if isObject then list, most = fuzz.objects, OBJECTS end
    list[#list < most and #list + 1 or random(most)] = value
  end

  ------------------------------------------------------------------------------------------------
  -- Plain values

  local NUMBERS = {
    0, 1, 2, 3, -1, 0.5, 1e-4, -0.0, 2^53, 1e308, -1e308, math.huge, -math.huge, 0 / 0, math.maxinteger,
    math.mininteger, 2^31, 2^32, 1 << 40, 9223372036.5,
  }
  local STRINGS = {
    "", "a", "name", "n", "__name", "__gc", "__mode", "__index", "target", "key\0with zero", "%s%d%n", "\xff\xfe",
    ("x"):rep(39), ("y"):rep(40), ("z"):rep(41), ("long "):rep(60), ("w"):rep(20000),
  }

  local function number() return random(2) == 1 and random(-2, 9) or fuzz.pick(NUMBERS) end
  local function text() return fuzz.pick(STRINGS) end

  --- A table nested `depth` deep: through values, keys or metatables.
  local function nested(depth)
    local how, value = random(4), {}
    for i = 1, depth do
      if how == 1 then value = { value }
      elseif how == 2 then value = { [value] = i }
      elseif how == 3 then value = setmetatable({}, { __index = value })
      else value = { { [{ value }] = 1 }, k = i } end
    end
    return value
  end

  local function circle()
    local a, b = {}, { n = 1 }
    a.b, b.a, a[a], b[b] = b, a, b, a
    return random(2) == 1 and a or setmetatable(b, a)
  end

  local function list()
    local t = {}
    for i = 1, random(0, 6) do t[i] = fuzz.value() end
    if random(3) == 1 then t[text()] = fuzz.value() end
    if random(4) == 1 then t.n = number() end
    return t
  end

  local function options()
    return { name = text(), target = fuzz.portable(), args = random(2) == 1 and list() or nil,
             daemon = random(3) > 1, seed = random(99) }
  end

  ------------------------------------------------------------------------------------------------
  -- Functions

  --- Functions that can cross: they name nothing of this state's but what they are given.
  local PORTABLE = {
    function() return function(...) return ... end end,
    function() local n = number() return function() error(n) end end,
    function() local o = fuzz.object() return function() return o, tostring(o) end end,
    function() local n = 0 return function() n = n + 1 return n end end,
    function() local v = fuzz.value() return function(...) return v, ... end end,
    function() return function() collectgarbage() return coroutine.running() end end,
    function() return function() coroutine.yield(1) return 2 end end,
    -- Not without an end: where Lua's stack moves at each call, to fill it takes minutes.
    function() local f f = function(n) return n and n > 0 and n < 2000 and f(n - 1) or f end return f end,
    function() local o, n = fuzz.object(), random(60) return fuzz.visitor(o, n) end,
    function() local a, b = fuzz.object(), fuzz.object() return function(...) return a == b, select("#", ...) end end,
    function() return load("local x = ... return x, setting", "=loaded", "t", random(2) == 1 and list() or nil) end,
    function() return load("return 1 + (...)") end,
  }
  function fuzz.portable() return fuzz.pick(PORTABLE)() end

  --- A function that calls some methods of the object and of its arguments, wherever it runs.
  function fuzz.visitor(object, state)
    return function(...)
      local given = table.pack(object, ...)
      for i = 1, math.min(given.n, 4) do
        local meta = debug.getmetatable(given[i])
        local names = {}
        for name in pairs(type(meta) == "table" and type(rawget(meta, 1)) == "table" and meta[1] or {}) do
          names[#names + 1] = name
        end
        table.sort(names)
        if names[1] then
          state = state * 48271 % 2147483647
          pcall(given[i][names[state % #names + 1]], given[i], state % 3 == 0 and 0.0002 or nil, state % 5)
        end
      end
      return object
    end
  end

  --- Functions of this state: what a predicate, a body of with(), an action or a metamethod may do.
  local CALLBACKS = {
    fuzz.portable,
    function() return function(...) fuzz.nest(fuzz.call) return ... end end,
    function() return function() fuzz.nest(fuzz.call) return random(2) == 1 end end,
    function() return function() error(fuzz.value()) end end,
    function() return function(...) return select("#", table.unpack({}, 1, random(300))), ... end end,
    function() return function() collectgarbage "step" return random(3) == 1 end end,
    function() return function(...) coroutine.yield(...) return true end end,
    function() return print and tostring end,
    function() return coroutine.wrap(function(...) while true do fuzz.nest(fuzz.call) coroutine.yield(...) end end) end,
  }
  function fuzz.callback() return fuzz.pick(CALLBACKS)() end

  --- A table that crosses in a way of its own.
  local function transferred()
    local first, others = fuzz.portable(), {}
    for i = 1, random(12) == 1 and random(1200) or random(0, 4) do others[i] = i end
    if random(2) == 1 then others[#others + 1] = nested(random(99)) end
    local act = random(4)
    return setmetatable({}, { __transfer = function(self)
      if act == 1 then fuzz.nest(fuzz.call)
      elseif act == 2 and random(3) == 1 then return fuzz.value(), self
      elseif act == 3 and random(4) == 1 then error(fuzz.value()) end
      return first, table.unpack(others)
    end })
  end

  --- A table with some metamethods that do something.
  local METAMETHODS = { "__index", "__newindex", "__call", "__tostring", "__name", "__eq", "__lt", "__le", "__len",
                        "__pairs", "__close", "__gc", "__concat", "__mode", "__metatable" }
  local function strange()
    local meta = {}
    for _ = 1, random(3) do
      local name = fuzz.pick(METAMETHODS)
      meta[name] = (name == "__mode" and "kv") or (name == "__name" and text()) or fuzz.callback()
    end
    return setmetatable({}, meta)
  end

  --- A coroutine that waits in the midst of something.
  local function suspended()
    local co = coroutine.create(function(...)
      local _ <close> = setmetatable({}, { __close = function() fuzz.nest(fuzz.call) end })
      coroutine.yield(...)
      fuzz.nest(fuzz.call)
    end)
    coroutine.resume(co, fuzz.object())
    return co
  end

  ------------------------------------------------------------------------------------------------

  local MAKERS = {
    number, number, number, text, text, met, met, list, list, fuzz.object, fuzz.object, fuzz.object,
    function() return nil end, function() return nil end, function() return random(2) == 1 end,
    fuzz.portable, fuzz.callback, options, circle, transferred, strange, suspended,
    function() return nested(random(20)) end,
    function() return nested(random(8) == 1 and random(3000) or random(250)) end,
    function() return fuzz.pick { io.stdout, io.stderr, print, string.format, table, _G, package.loaded } end,
    function() return debug.upvalueid(fuzz.visitor(1, 1), 1) end,
    function() return fuzz.sync end,
    function() return fuzz.sync.current_thread() end,
  }

  local depth = 0
  --- Any value; lists of values of values end somewhere.
  function fuzz.value()
    if depth > 3 then return number() end
    depth = depth + 1
    local ok, value = pcall(fuzz.pick(MAKERS))
    depth = depth - 1
    return ok and value or nil
  end

  --- What an argument called so usually is; see arguments.lua.
  fuzz.makers = {
    number = number, text = text, list = list, options = options, value = fuzz.value,
    callback = fuzz.callback, portable = fuzz.portable, object = fuzz.object,
    boolean = function() return random(2) == 1 end,
    timeout = function() return random(6) == 1 and number() or random() * 0.0005 end,
    objects = function() local t = {} for i = 1, random(0, 4) do t[i] = fuzz.object() end return t end,
    thread = function() return fuzz.object "Thread" end,
    shared = function() return fuzz.object "Shared" end,
    count = function() return random(0, 5) end,
  }
end

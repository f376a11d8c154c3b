--- Calls: any method of any object, any function of the module, and what Lua itself lets a script do meanwhile.
--
-- Run in each state of a fuzzed program: returns a function that adds fuzz.call, one call of some sort, and what it
-- needs. Names are sorted, so that the same numbers make the same calls.

return function(fuzz)
  local random, sync = math.random, fuzz.sync
  local DEEPEST = 4               -- calls inside calls
  local THREADS = 60              -- alive: then none is started

  ------------------------------------------------------------------------------------------------
  -- What there is

  local function sorted_keys(t, pattern)
    local keys = {}
    for key in next, t do
      if type(key) == "string" and key:find(pattern) then keys[#keys + 1] = key end
    end
    table.sort(keys)
    return keys
  end

  local constructors = sorted_keys(sync, "^%u")
  local functions = sorted_keys(sync, "^[^%u]")

  local names_of = setmetatable({}, { __mode = "k" })   -- of methods, which stay; by their table

  --- All methods of an object, by the table that its metatable keeps at 1, or that __index is, and their names.
  local function methods(object)
    local meta = debug.getmetatable(object)
    if type(meta) ~= "table" then return {}, {} end
    local own = rawget(meta, 1)
    local index = own or rawget(meta, "__index")
    if type(index) ~= "table" then return {}, {} end
    local names = names_of[index] or sorted_keys(index, "")
    if own then names_of[index] = names end
    return index, names
  end

  ------------------------------------------------------------------------------------------------
  -- Arguments

  local function arguments(name)
    local list, n = {}
    local usual = fuzz.arguments[name]
    if usual and random(10) < 8 then
      n = random(5) == 1 and random(0, #usual) or #usual
      for i = 1, n do
        local make = random(12) == 1 and fuzz.value or fuzz.makers[usual[i]]
        list[i] = make()
      end
    else
      n = random(0, 4)
      for i = 1, n do list[i] = fuzz.value() end
    end
    return list, n
  end

  --- Whether a call by this name may make threads or worlds, of which there are enough.
  local function too_many(name)
    if name == "simulate" or name == "explore" then return random(40) > 1 end
    return (name == "spawn" or name == "start" or name == "Timer" or name == "Pool") and sync.active_count() > THREADS
  end

  local function keep_results(...)
    for i = 1, math.min(select("#", ...), 3) do fuzz.keep((select(i, ...))) end
    return ...
  end

  ------------------------------------------------------------------------------------------------
  -- Sorts of calls

  local function call_method()
    local object = fuzz.object()
    local all, names = methods(object)
    if not names[1] then return end
    local name = fuzz.pick(names)
    if too_many(name) then return end
    if random(25) == 1 then object = fuzz.value() end
    local list, n = arguments(name)
    fuzz.note("method", name, object)
    return keep_results(all[name](object, table.unpack(list, 1, n)))
  end

  local function call_constructor()
    local name = fuzz.pick(constructors)
    if too_many(name) then return end
    local list, n = arguments(name)
    fuzz.note("constructor", name)
    return keep_results(sync[name](table.unpack(list, 1, n)))
  end

  local function call_function()
    local name = fuzz.pick(functions)
    if type(sync[name]) ~= "function" or too_many(name) then return end
    local list, n = arguments(name)
    fuzz.note("function", name)
    return keep_results(sync[name](table.unpack(list, 1, n)))
  end

  local function call_metamethod()
    local object = fuzz.object()
    local meta = debug.getmetatable(object)
    local name = fuzz.pick(sorted_keys(type(meta) == "table" and meta or {}, "^__"))
    local f = meta[name]
    fuzz.note("metamethod", name, object)
    if type(f) == "function" and not fuzz.library[f] then -- that of a buffer of Lua's, seen on a stack
      return keep_results(f(random(4) > 1 and object or fuzz.value(), fuzz.value(), fuzz.value()))
    end
    return f
  end

  local OPERATORS = {
    function(o) return o[fuzz.pick(fuzz.properties)] end,
    function(o) o[fuzz.pick(fuzz.properties)] = fuzz.value() end,
    function(o) return o[fuzz.value()] end,
    function(o) o[fuzz.value()] = fuzz.value() end,
    function(o) return #o end,
    function(o) local n = 0 for k, v in pairs(o) do n = n + 1 fuzz.keep(k) fuzz.keep(v) if n > 9 then break end end end,
    function(o) return o == fuzz.object() end,
    function(o) return tostring(o) end,
    function(o) return o(fuzz.value()) end,
    function(o) return next(o) end,
    function(o) return o .. fuzz.value() end,
    function(o) return o < fuzz.value() end,
    function(o) local _ <close> = o fuzz.nest(fuzz.call) end,
    function(o) table.insert(o, fuzz.value()) end,
    function(o) return table.remove(o), table.concat(o), table.unpack(o) end,
    function(o) table.sort(o) end,
    function(o) return getmetatable(o), rawequal(o, fuzz.object()) end,
    function(o) local items = o:items() fuzz.keep(items()) end,
  }
  local function operate()
    local i = random(#OPERATORS)
    local object = fuzz.object(i >= 14 and i <= 16 and "Shared" or nil)
    fuzz.note("operator", i, object)
    return OPERATORS[i](object)
  end

  --- Objects and values go round through what all threads share.
  local function exchange()
    local key = random(12)
    fuzz.note("exchange", key)
    if random(2) == 1 then
      fuzz.common[key] = random(4) == 1 and fuzz.value() or fuzz.object()
    else
      fuzz.keep(fuzz.common[key])
    end
  end

  local function call_value()
    local f = fuzz.pick(fuzz.pool)
    if type(f) == "thread" then
      fuzz.note "resume"
      return keep_results(coroutine.resume(f, fuzz.value()))
    end
    if type(f) ~= "function" or fuzz.library[f] then return end
    fuzz.note "value"
    return keep_results(f(fuzz.value(), fuzz.value()))
  end

  local sorts = {
    { 60, call_method }, { 10, call_constructor }, { 8, call_function }, { 4, call_metamethod }, { 10, operate },
    { 5, exchange }, { 3, call_value },
  }
  local total = 0

  --- Adds a sort of call; of all of them the share `weight` is of this one.
  function fuzz.add_sort(weight, f)
    sorts[#sorts + 1] = { weight, f }
    total = total + weight
  end
  for _, sort in ipairs(sorts) do total = total + sort[1] end

  local depth = 0

  --- One call of some sort; raises what that raises.
  function fuzz.call()
    local n, i = random(total), 1
    while n > sorts[i][1] do n, i = n - sorts[i][1], i + 1 end
    return sorts[i][2]()
  end

  --- f() inside another call, unless that is deep enough.
  function fuzz.nest(f)
    if depth >= DEEPEST then return end
    depth = depth + 1
    pcall(f)
    depth = depth - 1
  end
end

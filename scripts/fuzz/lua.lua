--- What Lua itself lets a script do in the midst of a call: hooks, coroutines, finalisers, the debug library.
--
-- Run in each state of a fuzzed program: returns a function that adds these sorts of calls to fuzz.call.

return function(fuzz)
  local random = math.random

  ------------------------------------------------------------------------------------------------
  -- The debug library

  --- Keeps what the functions on the stack have at hand, finished or not, and sometimes uses it at once.
  local function look_around()
    for level = 2, random(3, 7) do
      if not debug.getinfo(level, "l") then return end
      for index = 1, random(8) do
        local name, value = debug.getlocal(level, index)
        if not name then break end
        local kind = type(value)
        if kind == "userdata" and fuzz.kind(value) then          -- no light one: its address is from outside
          fuzz.keep(value)
          if random(4) == 1 then fuzz.nest(function() return tostring(value), value.name end) end
        elseif kind == "function" and not fuzz.library[value] and random(9) == 1 then fuzz.keep(value)
        end
      end
    end
  end

  local DEBUGGING = {
    look_around,
    function() return debug.getuservalue(fuzz.object(), random(3)) end,
    function() return debug.setuservalue(fuzz.object(), fuzz.value(), random(3)) end,
    function() return debug.traceback(fuzz.value(), random(0, 3)) end,
    function() return debug.traceback(coroutine.running()) end,
    function() return debug.getinfo(random(0, 6), "nSltuf") end,
    function() return debug.gethook() end,
    function() return debug.getregistry()[fuzz.value()] end,
    function()
      local meta = getmetatable(package.loaded)
      local f = type(meta) == "table" and meta[fuzz.pick { "__newindex", "__index", "__call", "__pairs" }]
      return f and f(fuzz.value(), fuzz.value(), fuzz.value())
    end,
  }
  local function debugging()
    local i = random(#DEBUGGING)
    fuzz.note("debug", i)
    return DEBUGGING[i]()
  end

  ------------------------------------------------------------------------------------------------
  -- Hooks

  local function grow(n, ...) if n == 0 then return ... end return grow(n - 1, ...), nil end

  local HOOKS = {
    look_around,
    function() grow(random(400)) end,
    function() collectgarbage() end,
    function() fuzz.nest(fuzz.call) end,
    function() fuzz.inside = false error(fuzz.value()) end,     -- not again at each return from there
    function() debug.sethook() end,
  }

  local function set_hook()
    local act, every, n = fuzz.pick(HOOKS), random(8), 0
    fuzz.note("hook", every)
    if random(3) == 1 then return debug.sethook() end
    debug.sethook(function()
      if not fuzz.inside then return end        -- what it raises would end the worker
      n = n + 1
      if n > 300 then debug.sethook() end       -- not for long: it costs time
      if n % every == 0 then act() end
    end, fuzz.pick { "c", "r", "l", "cr", "" }, fuzz.pick { 0, 0, 50, 500 })
  end

  ------------------------------------------------------------------------------------------------
  -- Coroutines

  local function resuming_close()
    return setmetatable({}, { __close = function(_, e)
      coroutine.wrap(function() fuzz.nest(fuzz.call) end)()
      if random(4) == 1 then error(e or "from __close") end
    end })
  end

  local function body(...)
    local _ <close> = resuming_close()
    fuzz.nest(fuzz.call)
    coroutine.yield(...)
    if random(3) == 1 then error(fuzz.value()) end
    fuzz.nest(fuzz.call)
    return coroutine.yield(fuzz.object())
  end

  local COROUTINES = {
    function() local f = coroutine.wrap(body) f(1) f(2) fuzz.keep(f) end,
    function() local co = coroutine.create(body) coroutine.resume(co, 1) return coroutine.close(co) end,
    function() local co = coroutine.create(body) coroutine.resume(co) fuzz.keep(co) end,
    function() local f = coroutine.wrap(function() fuzz.object():with(coroutine.yield, 1) end) f() return f() end,
    function()
      local co = coroutine.create(fuzz.call)
      debug.sethook(co, look_around, "c")
      return coroutine.resume(co)
    end,
    function() return coroutine.wrap(function() return coroutine.wrap(body)() end)() end,
    function() local f f = coroutine.wrap(function() return f() end) return f() end,
    function() return coroutine.close(coroutine.running()) end,
    function() return coroutine.close(fuzz.value()) end,
    function() return coroutine.resume(coroutine.create(coroutine.resume), coroutine.create(body), fuzz.object()) end,
  }
  local function coroutines()
    local i = random(#COROUTINES)
    fuzz.note("coroutine", i)
    return COROUTINES[i]()
  end

  ------------------------------------------------------------------------------------------------
  -- The collector

  local GARBAGE = {
    function() setmetatable({}, { __gc = function() fuzz.nest(fuzz.call) end }) end,
    function() local o = fuzz.object() setmetatable({}, { __gc = function() return tostring(o) end }) end,
    function() setmetatable({}, { __gc = look_around }) end,
    function() return collectgarbage() end,
    function() return collectgarbage "step" end,
    function() return collectgarbage(fuzz.pick { "incremental", "generational" }) end,
    function() return collectgarbage("incremental", random(100, 200), random(100, 400)) end,
    function() fuzz.objects[random(#fuzz.objects)] = fuzz.sync.Lock() end,
    function() for i = #fuzz.pool, 2, -1 do fuzz.pool[i] = nil end end,
  }
  local function garbage()
    local i = random(#GARBAGE)
    fuzz.note("garbage", i)
    return GARBAGE[i]()
  end

  fuzz.add_sort(8, debugging)
  fuzz.add_sort(2, set_hook)
  fuzz.add_sort(6, coroutines)
  fuzz.add_sort(6, garbage)
end

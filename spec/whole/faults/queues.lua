--- Cases for faults.lua: Queue in all its kinds, select.
-- @param case function(name, make, call, check, ...), as there
-- @param nothing function that makes nothing
-- @param soon function(fn, ...): a thread that does fn(...) when the caller waits
-- @param raised function(fn, ...): what fn(...) raises, unless memory is short
return function(case, nothing, soon, raised)
  local sync = require "luasync"

  -- Queues.
  local function item() return { 1, "text that is longer than forty bytes, so that it is no short string", { 2 } } end
  for _, kind in ipairs { "Queue", "LifoQueue", "PriorityQueue", "SimpleQueue" } do
    local function make() return sync[kind]() end
    local function inside(q, n)
      assert(q:qsize() == n)
      for _ = 1, n do
        local got = q:get_nowait()
        assert(type(got) == "table" and #got[2] > 40 and got[3][1] == 2)
      end
      local _, why = q:get_nowait()
      assert(why == "empty")
    end
    case(kind, nothing, function() return sync[kind] { name = "inbox" } end, function(_, q) inside(q, 0) end)
    case(kind .. ":put", make, function(q) return q:put(item()) end, function(q, done)
      assert(done == true)
      inside(q, 1)
    end)
    case(kind .. ":put, the ninth", function()
      local q = make()
      for _ = 1, 8 do q:put(item()) end
      return q
    end, function(q) return q:put(item()) end, function(q, done)
      assert(done == true)
      inside(q, 9)
    end)
    case(kind .. ":put of a function", make, function(q)
      local x = { 1 }
      return q:put { 1, function() return x end }
    end, function(q)
      assert(q:qsize() == 1 and q:get()[2]()[1] == 1)
    end)
    case(kind .. ":put to a waiter", function()
      local q = make()
      local t = sync.spawn(q.get, q)
      sync.settle()
      return { q = q, t = t }
    end, function(it) return it.q:put(item()) end, function(it, done)
      assert(done == true and it.t:result()[3][1] == 2)
      inside(it.q, 0)
    end)
    case(kind .. ":get", function() local q = make() q:put(item()) return q end, function(q) return q:get() end,
      function(q, got)
        assert(got[3][1] == 2)
        inside(q, 0)
      end)
    local long = ("x"):rep(41)
    for _, sort in ipairs { "table", "short", "long" } do -- of items: messages, strings in a slot, strings in a message
      local function nth(n)
        return sort == "table" and { n, {} } or sort == "short" and "item " .. n or long .. n
      end
      case(kind .. ":get, one of three: " .. sort, function()
        local q = make()
        for n = 1, 3 do q:put(nth(n)) end
        return q
      end, function(q) return q:get() end, function(q, got)
        local left = { got, q:get(), q:get() }
        for i, value in ipairs(left) do
          local n = type(value) == "table" and value[1] or tonumber(value:match "%d$")
          assert(n == (kind == "LifoQueue" and 4 - i or i))
        end
        assert(#left == 3 and q:qsize() == 0)
        if kind == "SimpleQueue" then return end
        for _ = 1, 3 do q:task_done() end
        assert(q:join(0) == true and not pcall(q.task_done, q))
      end)
    end
    case(kind .. ":get, blocked", function()
      local q = make()
      return { q = q, t = soon(q.put, q, item()) }
    end, function(it) return it.q:get(true, 30) end, function(it, got)
      assert(got[3][1] == 2)
      it.t:join()
      inside(it.q, 0)
    end)
    case(kind .. ":put_nowait", make, function(q) return q:put_nowait(item()) end, function(q, done)
      assert(done == true)
      inside(q, 1)
    end)
    case(kind .. ":get_nowait", function() local q = make() q:put(item()) return q end,
      function(q) return q:get_nowait() end, function(q, got)
        assert(got[3][1] == 2)
        inside(q, 0)
      end)
    case(kind .. ":get_nowait, empty", make, function(q) return q:get_nowait() end, function(q, got, why)
      assert(got == nil and why == "empty")
      inside(q, 0)
    end)
    case(kind .. ":put, refused", make, function(q)
      return raised(q.put, q, { 1, coroutine.create(print) }), raised(q.put, q, nil)
    end, function(q, why, none)
      assert(why:find "cannot send a coroutine %(at item%[2%]%)" and none:find "bad argument")
      inside(q, 0)
    end)
    case(kind .. ":get, timed out", make, function(q) return q:get(true, 0.0001) end, function(q, got, why)
      assert(got == nil and why == "empty")
      q:put(item())
      inside(q, 1)
    end)
    if kind ~= "SimpleQueue" then
      case(kind .. ":put, blocked", function()
        local q = sync[kind](1)
        q:put(item())
        return { q = q, t = soon(function() assert(q:get()) end) }
      end, function(it) return it.q:put(item(), true, 30) end, function(it, done)
        assert(done == true)
        it.t:join()
        inside(it.q, 1)
      end)
      case(kind .. ":put, timed out", function()
        local q = sync[kind](1)
        q:put(item())
        return q
      end, function(q) return q:put(item(), true, 0.0001) end, function(q, done, why)
        assert(done == nil and why == "full")
        inside(q, 1)
      end)
      case(kind .. ":task_done and join", function()
        local q = make()
        q:put(item())
        q:put(item())
        q:get()
        return q
      end, function(q)
        if q:join(0) then error "joined" end
        q:task_done()
        return true
      end, function(q)
        q:get()
        q:task_done()
        assert(q:join() == true)
        assert(not pcall(q.task_done, q))
      end)
      case(kind .. ":shutdown", function()
        local q = make()
        return { q = q, t = sync.spawn(q.get, q) }
      end, function(it) it.q:shutdown() end, function(it)
        assert(select(2, it.t:result()) == "shutdown" and it.q.is_shutdown)
      end)
      case(kind .. ":task_done, joined", function()
        local q = make()
        q:put(item())
        q:get()
        local t = sync.spawn(q.join, q)
        sync.settle()
        return { q = q, t = t }
      end, function(it) it.q:task_done() end, function(it)
        assert(it.t:result() == true and not pcall(it.q.task_done, it.q))
      end)
      case(kind .. ":task_done, too often", make, function(q) return raised(q.task_done, q) end, function(q, why)
        assert(why:find "task_done%(%) called too many times")
        assert(q:join(0) == true)
      end)
      case(kind .. ":join, blocked", function()
        local q = make()
        q:put(item())
        q:get()
        soon(q.task_done, q)
        return q
      end, function(q) return q:join(30) end, function(_, done) assert(done == true) end)
      case(kind .. ":get to a waiting put", function()
        local q = sync[kind](1)
        q:put(item())
        local t = sync.spawn(function() return q:put(item()) end)
        sync.settle()
        return { q = q, t = t }
      end, function(it) return it.q:get() end, function(it, got)
        assert(got[3][1] == 2 and it.t:result() == true)
        inside(it.q, 1)
      end)
      case(kind .. ":shutdown, a put waits", function()
        local q = sync[kind](1)
        q:put(item())
        local t = sync.spawn(function() return q:put(item()) end)
        sync.settle()
        return { q = q, t = t }
      end, function(it) it.q:shutdown() end, function(it)
        assert(select(2, it.t:result()) == "shutdown" and it.q:get()[3][1] == 2)
      end)
      case(kind .. ", shut down", function() local q = make() q:shutdown() return q end, function(q)
        local _, put = q:put(item())
        local _, got = q:get()
        return put, got, tostring(q)
      end, function(_, put, got) assert(put == "shutdown" and got == "shutdown") end)
      case(kind .. ":items, to the end", function()
        local q = make()
        q:put(item())
        local t = soon(function()
          q:put(item())
          q:shutdown()
        end)
        return { q = q, t = t, n = 0 }
      end, function(it) for got in it.q:items() do it.n = it.n + got[3][1] end end, function(it)
        assert(it.n == 4 and it.t:join())
      end)
      case(kind .. ":shutdown(true)", function()
        local q = make()
        q:put(item())
        q:put(item())
        return q
      end, function(q) q:shutdown(true) end, function(q)
        assert(q:qsize() == 0 and q:join() == true)
      end)
      case(kind .. ":items", function()
        local q = make()
        q:put(item())
        q:shutdown()
        return q
      end, function(q) return q:items() end, function(_, next_item, ...)
        local n = 0
        for got in next_item, ... do n = n + got[3][1] end
        assert(n == 2)
      end)
      case(kind .. " fields", function() return sync[kind](3) end,
        function(q) return q:qsize(), #q, q:empty(), q:full(), q.maxsize, q.is_shutdown, tostring(q) end,
        function(_, size, length, empty, full, most, shut)
          assert(size == 0 and length == 0 and empty and not full and most == 3 and not shut)
        end)
    end
  end
  case("PriorityQueue:put of a string", function() return sync.PriorityQueue() end,
    function(q) return q:put("a priority that is longer than forty bytes, in one string") end,
    function(q) assert(#q == 1 and #q:get() > 40 and #q == 0) end)

  case("PriorityQueue:put without an order", function() local q = sync.PriorityQueue() q:put(1) return q end,
    function(q) return raised(q.put, q, 0 / 0), raised(q.put, q, "text"), raised(q.put, q, {}) end,
    function(q, nan, text, none)
      assert(type(nan) == "string" and type(text) == "string" and type(none) == "string")
      assert(#q == 1 and q:get() == 1)
    end)
  local Class = { __name = "Class" }
  Class.__index = Class
  case("Queue:put of what crosses by rules", sync.Queue, function(q)
    local moved = setmetatable({}, { __transfer = function() return function(x) return { x } end, 7 end })
    local cycle = { q = q, insert = table.insert, out = io.stdout, moved = moved, object = setmetatable({}, Class) }
    cycle.cycle = cycle
    return q:put(cycle)
  end, function(q, done)
    local got = q:get()
    assert(done == true and #q == 0 and got.cycle == got and got.q == q and got.insert == table.insert)
    assert(got.out == io.stdout and got.moved[1] == 7 and getmetatable(got.object).__name == "Class")
  end)

  -- select.
  local function selectable()
    local it = { sync.Queue(), sync.Event(), sync.Lock(), sync.Semaphore(0), sync.RLock() }
    it.held = sync.Event()
    it.go = sync.Event()
    it.t = sync.spawn(function()
      it[3]:acquire()
      it[5]:acquire()
      it.held:set()
      it.go:wait()
      it[3]:release()
      it[5]:release()
    end)
    it.held:wait()
    return it
  end
  local function selected(it)
    it.go:set()
    it.t:join()
    assert(it[1]:qsize() == 0 and it[3]:acquire(false) and it[5]:acquire(false) and it[4]:value() == 0)
  end
  case("select of an item", function()
    local it = selectable()
    it[1]:put(item())
    return it
  end, function(it) return sync.select({ it[2], it[3], it[1], it[4], it[5], it.t }) end, function(it, n, got)
    assert(n == 3 and got[3][1] == 2)
    selected(it)
  end)
  case("select of a semaphore", function()
    local it = selectable()
    it[4]:release()
    return it
  end, function(it) return sync.select({ it[1], it[2], it[4] }) end, function(it, n)
    assert(n == 3)
    selected(it)
  end)
  for _, kind in ipairs { "Lock", "RLock", "Semaphore", "BoundedSemaphore" } do
    case("select of a " .. kind, function() return { sync.Event(), sync[kind]() } end,
      function(it) return sync.select(it) end, function(it, n, value)
        assert(n == 2 and value == true)
        it[2]:release()
        assert(it[2]:acquire(false) == true)
      end)
  end
  for _, kind in ipairs { "LifoQueue", "PriorityQueue", "SimpleQueue" } do
    case("select of an item: " .. kind, function()
      local it = { sync.Event(), sync[kind]() }
      it[2]:put(item())
      it[2]:put(item())
      return it
    end, function(it) return sync.select(it) end, function(it, n, got)
      assert(n == 2 and got[3][1] == 2 and it[2]:qsize() == 1)
    end)
  end
  case("select of an event", function() local e = sync.Event() e:set() return { sync.Queue(), e } end,
    function(it) return sync.select(it) end, function(_, n, value) assert(n == 2 and value == true) end)
  case("select of a queue shut down", function() local q = sync.Queue() q:shutdown() return { sync.Event(), q } end,
    function(it) return sync.select(it) end, function(_, n, value, why)
      assert(n == 2 and value == nil and why == "shutdown")
    end)
  case("select of a timer", function() return { sync.Event(), sync.Timer(0.0001, nothing):start() } end,
    function(it) return sync.select(it, 30) end, function(_, n, value) assert(n == 2 and value == true) end)
  case("select, refused", nothing, function() return raised(sync.select, { sync.Shared() }) end,
    function(_, why) assert(why:find "cannot select a Shared %(at %[1%]%)") end)
  case("select, blocked", function()
    local it = selectable()
    it.other = soon(it[1].put, it[1], item())
    return it
  end, function(it) return sync.select({ it[1], it[2], it[3], it[4], it[5] }, 30) end, function(it, n, got)
    assert(n == 1 and got[3][1] == 2)
    selected(it)
    it.other:join()
  end)
  case("select, timed out", selectable,
    function(it) return sync.select({ it[1], it[2], it[3], it[4], it[5], it.t }, 0.0001) end, function(it, n, why)
      assert(n == nil and why == "timeout")
      selected(it)
    end)
end

--- Cases for faults.lua: Queue in all its kinds, select.
-- @param case function(name, make, call, check, allowed), as there
-- @param nothing function that makes nothing
-- @param soon function(fn, ...): a thread that does fn(...) when the caller waits
return function(case, nothing, soon)
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

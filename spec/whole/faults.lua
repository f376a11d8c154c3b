--- Every public call, with memory that fails at its first allocation, its second, and so on.
--
-- usage: build/faults spec/whole/faults.lua [real|simulated [CASE|list [verbose]]]
--
-- Each case makes what it needs, then calls. Where an allocation fails the call raises `not enough memory` in the
-- caller, or succeeds all the same (Lua collects garbage and asks again). After an error the same call, repeated,
-- succeeds, and what it leaves is what it leaves without any fault.

--- All of it in one function, which also runs in simulated worlds.
-- @param only the name of the only case, or nil
-- @return the number of cases and of faults
local function program(only, verbose)
  local sync = require "luasync"
  local faults = require "faults"

  local cases = {}
  --- @param name what is called
  -- @param make function() -> what the call gets
  -- @param call function(it): the call
  -- @param check function(it, ...): asserts by `assert` what the call has left; gets its results
  -- @param allowed a pattern of other errors that are right
  local function case(name, make, call, check, allowed)
    cases[#cases + 1] = { name = name, make = make, call = call, check = check or function() end, allowed = allowed }
  end

  local function nothing() end
  --- A thread that does fn() a moment from now, when the caller waits.
  local function soon(fn, ...)
    return sync.spawn(function(...)
      sync.settle()
      fn(...)
    end, ...)
  end

  -- Locks.
  for _, kind in ipairs { "Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore" } do
    local function make() return sync[kind]() end
    local function free(l)
      assert(l:acquire(false) == true)
      l:release()
    end
    case(kind, nothing, function() return sync[kind] { name = "a name" } end, function(_, l)
      assert(tostring(l):find "'a name'")
      free(l)
    end)
    case(kind .. ":acquire", make, function(l) return l:acquire() end, function(l, got)
      assert(got == true)
      l:release()
      free(l)
    end)
    case(kind .. ":release", function() local l = make() l:acquire() return l end,
      function(l) l:release() end, free)
    case(kind .. ":hold", make, function(l) local guard <close> = l:hold() return guard ~= nil end, free)
    case(kind .. ":with", make, function(l) return l:with(function(...) return {}, ... end, 1, 2) end,
      function(l, t, a, b) assert(type(t) == "table" and a == 1 and b == 2) free(l) end)
    case("tostring " .. kind, function() return sync[kind] { name = "N" } end, function(l) return tostring(l) end,
      function(_, text) assert(text:find "'N'") end)
    case(kind .. ":acquire, blocked", function()
      local l = make()
      local held, release = sync.Event(), sync.Event()
      local t = sync.spawn(function() l:acquire() held:set() release:wait() l:release() end)
      held:wait()
      soon(release.set, release)
      return { l = l, t = t }
    end, function(it) return it.l:acquire(30) end, function(it, got)
      assert(got == true)
      it.l:release()
      it.t:join()
      free(it.l)
    end)
    case(kind .. ":acquire, timed out", function()
      local l = make()
      local held, release = sync.Event(), sync.Event()
      local t = sync.spawn(function() l:acquire() held:set() release:wait() l:release() end)
      held:wait()
      return { l = l, t = t, release = release }
    end, function(it) return it.l:acquire(0.0001) end, function(it, got)
      assert(got == false)
      it.release:set()
      it.t:join()
      free(it.l)
    end)
  end
  case("Lock:locked", sync.Lock, function(l) return l:locked() end, function(_, is) assert(is == false) end)
  case("Semaphore:value", function() return sync.Semaphore(3) end, function(s) return s:value() end,
    function(_, value) assert(value == 3) end)

  -- Condition.
  case("Condition(lock)", sync.Lock, function(l) return sync.Condition(l) end, function(l, c)
    c:acquire()
    assert(l:locked())
    c:release()
  end)
  case("Condition:wait", function()
    local c = sync.Condition()
    c:acquire()
    soon(function() c:with(function() c:notify() end) end)
    return c
  end, function(c) return c:wait(30) end, function(c, got)
    assert(got == true)
    c:release()
    assert(c:acquire(false) == true)
  end)
  case("Condition:wait, timed out", function()
    local c = sync.Condition()
    c:acquire()
    return c
  end, function(c) return c:wait(0.0001) end, function(c, got)
    assert(got == false)
    c:notify()
    c:release()
    assert(c:acquire(false) == true)
  end)
  case("Condition:wait_for", function()
    local c, box = sync.Condition(), sync.Atomic(0)
    c:acquire()
    soon(function() c:with(function() box:set(7) c:notify_all() end) end)
    return { c = c, box = box }
  end, function(it)
    return it.c:wait_for(function() return it.box:get() ~= 0 and { it.box:get() } end, 30)
  end, function(it, got)
    assert(got[1] == 7)
    it.c:release()
  end)
  for _, call in ipairs { "notify", "notify_all" } do
    case("Condition:" .. call, function()
      local c, woken = sync.Condition(), sync.Atomic(0)
      local ready = sync.Event()
      local t = sync.spawn(function()
        c:with(function() ready:set() assert(c:wait() == true) woken:add(1) end)
      end)
      ready:wait()
      c:acquire()
      return { c = c, t = t, woken = woken }
    end, function(it) it.c[call](it.c) end, function(it)
      it.c:release()
      it.t:join()
      assert(it.woken:get() == 1)
    end)
  end

  -- Event.
  case("Event", nothing, function() return sync.Event() end, function(_, e) assert(e:is_set() == false) end)
  case("Event:set", function()
    local e = sync.Event()
    return { e = e, t = sync.spawn(e.wait, e) }
  end, function(it) it.e:set() end, function(it) assert(it.e:is_set() and it.t:result() == true) end)
  case("Event:clear", function() local e = sync.Event() e:set() return e end, function(e) e:clear() end,
    function(e) assert(not e:is_set()) end)
  case("Event:wait", function()
    local e = sync.Event()
    soon(e.set, e)
    return e
  end, function(e) return e:wait(30) end, function(_, got) assert(got == true) end)
  case("Event:wait, timed out", sync.Event, function(e) return e:wait(0.0001) end, function(_, got)
    assert(got == false)
  end)

  -- Barrier.
  case("Barrier", nothing, function() return sync.Barrier(2, function() end, 3) end, function(_, b)
    assert(b.parties == 2 and b.n_waiting == 0 and not b.broken)
  end)
  local function barrier()
    local b, made = sync.Barrier(2), sync.Event()
    local t = sync.spawn(function() made:set() return b:wait() end)
    made:wait()
    sync.settle()
    return { b = b, t = t }
  end
  case("Barrier:wait, last", barrier, function(it) return it.b:wait() end, function(it, n)
    assert(n == 2 and it.t:result() == 1 and not it.b.broken)
  end)
  case("Barrier:wait, first", function()
    local b = sync.Barrier(2)
    return { b = b, t = soon(b.wait, b) }
  end, function(it) return it.b:wait() end, function(it, n)
    it.t:join()
    assert((n == 1 or n == 2) and not it.b.broken and it.b.n_waiting == 0)
  end)
  case("Barrier:abort", barrier, function(it) it.b:abort() end, function(it)
    assert(it.b.broken and select(2, it.t:result()) == "broken")
  end)
  case("Barrier:reset", barrier, function(it) it.b:reset() end, function(it)
    assert(not it.b.broken and select(2, it.t:result()) == "broken" and it.b.n_waiting == 0)
  end)
  case("Barrier fields", barrier, function(it) return it.b.parties, it.b.n_waiting, it.b.broken, tostring(it.b) end,
    function(it, parties, waiting, broken)
      assert(parties == 2 and waiting == 1 and broken == false)
      it.b:wait()
    end)

  -- RWLock.
  local function unlocked(l)
    assert(l:write(0) == true)
    l:release()
  end
  case("RWLock", nothing, function() return sync.RWLock() end, function(_, l) unlocked(l) end)
  for _, call in ipairs { "read", "write" } do
    case("RWLock:" .. call, sync.RWLock, function(l) return l[call](l) end, function(l, got)
      assert(got == true)
      l:release()
      unlocked(l)
    end)
    case("RWLock:hold_" .. call, sync.RWLock, function(l)
      local guard <close> = l["hold_" .. call](l)
      return guard ~= nil
    end, unlocked)
    case("RWLock:release after " .. call, function() local l = sync.RWLock() l[call](l) return l end,
      function(l) l:release() end, unlocked)
    case("RWLock:" .. call .. ", blocked", function()
      local l, held, go = sync.RWLock(), sync.Event(), sync.Event()
      local t = sync.spawn(function() l:write() held:set() go:wait() l:release() end)
      held:wait()
      soon(go.set, go)
      return { l = l, t = t }
    end, function(it) return it.l[call](it.l, 30) end, function(it, got)
      assert(got == true)
      it.l:release()
      it.t:join()
      unlocked(it.l)
    end)
  end

  -- Atomic.
  case("Atomic", nothing, function() return sync.Atomic(5) end, function(_, a) assert(a:get() == 5) end)
  for _, call in ipairs { "set", "exchange", "add" } do
    case("Atomic:" .. call, function() return sync.Atomic(1) end, function(a) return a[call](a, 2) end, function(a, got)
      assert(a:get() == (call == "add" and 3 or 2))
      assert(call == "set" and got == nil or got == (call == "add" and 3 or 1))
    end)
  end
  case("Atomic:compare_exchange", function() return sync.Atomic(1) end,
    function(a) return a:compare_exchange(1, 2) end, function(a, done) assert(done == true and a:get() == 2) end)

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

  -- Local, Shared.
  local no_thread = "can't start new thread"
  case("Local", nothing, function() return sync.Local { a = { 1 } } end, function(_, l) assert(l.a[1] == 1) end)
  case("Local with a function", nothing, function() return sync.Local(function(self, x) self.a = { x } end, 3) end,
    function(_, l)
      assert(l.a[1] == 3)
      assert(sync.spawn(function() return l.a[1] end):result() == 3)
    end)
  case("Local field", sync.Local, function(l) l.x = { 1 } return l.x end, function(l, x) assert(rawequal(l.x, x)) end)
  case("Local, first touch in a thread", function() return { l = sync.Local { a = { 1 } } } end, function(it)
    return sync.spawn(function()
      local ok, why
      for k = 1, 100 do
        local reached
        reached, ok, why = require "faults".run(k, 1000, function() return it.l.a[1] end)
        if ok and reached < k then break end
        if not ok then assert(tostring(why):find "not enough memory$", why) end
      end
      return why
    end):result()
  end, function(_, x) assert(x == 1) end, no_thread)

  local function shared() return sync.Shared { 1, 2, 3, name = "n", inner = { 1 } } end
  local function whole(s, n)
    assert(#s == n and s.name == "n" and s.inner[1] == 1)
    for i = 1, 3 do assert(s[i] == i) end
  end
  case("Shared", nothing, shared, function(_, s) whole(s, 3) end)
  case("Shared, big", nothing, function()
    local t = {}
    for i = 1, 30 do t[i] = { i } t["k" .. i] = i end
    return sync.Shared(t)
  end, function(_, s) assert(#s == 30 and s[30][1] == 30 and s.k7 == 7) end)
  case("Shared read", shared, function(s) return s[1], s.name, s.inner end, function(s, a, b, c)
    assert(a == 1 and b == "n" and c[1] == 1)
    whole(s, 3)
  end)
  case("Shared write", shared, function(s) s[4] = { deep = { "x" } } end, function(s)
    assert(s[4].deep[1] == "x")
    whole(s, 4)
  end)
  case("Shared, a new key", shared, function(s) s["a key that is longer than forty bytes, in one string"] = 1.5 end,
    function(s)
      assert(s["a key that is longer than forty bytes, in one string"] == 1.5)
      whole(s, 3)
    end)
  case("Shared, many new keys", shared, function(s) for i = 1, 20 do s["k" .. i] = i end end, function(s)
    for i = 1, 20 do assert(s["k" .. i] == i) end
    whole(s, 3)
  end)
  case("Shared pairs", shared, function(s) local n = 0 for _ in pairs(s) do n = n + 1 end return n end,
    function(s, n) assert(n == 5) whole(s, 3) end)
  case("Shared ipairs", shared, function(s) local n = 0 for _, v in ipairs(s) do n = n + v end return n end,
    function(s, n) assert(n == 6) whole(s, 3) end)
  case("table.insert", shared, function(s) if #s == 3 then table.insert(s, 4) end end, function(s) whole(s, 4) end)
  case("table.remove", shared, function(s) return table.remove(s) end,
    function(s, last) assert(last == 3 and #s == 2) end)
  case("table.concat", shared, function(s) return table.concat(s, ",") end,
    function(_, text) assert(text == "1,2,3") end)
  case("table.unpack", shared, function(s) return table.unpack(s) end, function(_, a, b, c)
    assert(a == 1 and b == 2 and c == 3)
  end)
  case("table.sort", function() return sync.Shared { 3, 1, 2 } end, function(s) table.sort(s) end,
    function(s) assert(s[1] == 1 and s[2] == 2 and s[3] == 3) end)
  case("update", shared, function(s) return sync.update(s, "inner", function(old) return { old[1], { 2 } } end) end,
    function(s, new)
      assert(new[2][1] == 2 and s.inner[2][1] == 2)
      s.inner = { 1 }
      whole(s, 3)
      s[4] = 4 -- not in an update any more
    end)
  case("snapshot", shared, function(s) return sync.snapshot(s) end, function(s, t)
    assert(#t == 3 and t.inner[1] == 1 and getmetatable(t.inner) == nil)
    whole(s, 3)
  end)
  case("tostring Shared", shared, function(s) return tostring(s) end)

  -- Threads.
  local function target(...) return { ... }, "text" end
  case("Thread", nothing, function() return sync.Thread { target = target, args = { 1, { 2 } }, name = "T" } end,
    function(_, t)
      assert(t.name == "T" and not t:is_alive())
      assert(t:start():result()[2][1] == 2)
    end)
  case("Thread:start", function() return sync.Thread(target, { 1 }) end, function(t) t:start() end, function(t)
    assert(t:result()[1][1] == 1)
  end, no_thread)
  case("spawn", nothing, function() return sync.spawn(target, { 1 }) end, function(_, t)
    assert(t:result()[1][1] == 1)
  end, no_thread)
  case("Thread:join", function() return soon(nothing) end, function(t) return t:join() end,
    function(_, done) assert(done == true) end)
  case("Thread:result", function() return sync.spawn(target, 1, { 2 }) end, function(t) return t:result() end,
    function(_, list, text) assert(list[2][1] == 2 and text == "text") end)
  case("Thread:result, an error", function()
    local t = sync.Thread(function() error { code = { 5 } } end)
    local previous = sync.set_excepthook(nothing)
    t:start():join()
    sync.set_excepthook(previous)
    return t
  end, function(t)
    local ok, why = pcall(t.result, t)
    if why == "not enough memory" then error(why, 0) end
    return ok, why
  end, function(_, ok, why) assert(not ok and why.code[1] == 5) end)
  case("Thread fields", function() return sync.Thread(target) end, function(t)
    t.name = "a name"
    t.daemon = true
    return t.name, t.daemon, t.ident, t:is_alive(), tostring(t)
  end, function(t, name, daemon) assert(name == "a name" and daemon == true and t:start():join()) end)
  case("Thread:interrupt", function()
    local e = sync.Event()
    local t = sync.Thread { target = function() return select(2, pcall(e.wait, e)) end, daemon = true }:start()
    sync.settle()
    return t
  end, function(t) return t:interrupt { reason = { "r" } } end, function(t, done)
    assert(done == true and t:result().reason[1] == "r")
  end)
  case("who is there", nothing, function()
    return sync.current_thread(), sync.main_thread(), sync.enumerate(), sync.active_count(), sync.get_ident()
  end, function(_, current, main, all) assert(current == main and #all >= 1) end)
  case("sleep", nothing, function() sync.sleep(0.0001) return sync.time(), sync.monotonic() end)
  case("settle", nothing, function() return sync.settle() end, function(_, done) assert(done == true) end)
  case("set_excepthook", nothing, function()
    local mine = { 1 }
    return sync.set_excepthook(function() return mine end)
  end, function(_, previous)
    assert(type(previous) == "function")
    sync.set_excepthook(nil)
  end)

  -- Timer, Scope.
  case("Timer", nothing, function() return sync.Timer(0.0001, target, { 1 }) end, function(_, t)
    assert(t:start():result()[1][1] == 1)
  end)
  case("Timer:cancel", function() return sync.Timer(100, target):start() end, function(t) t:cancel() end,
    function(t) assert(t:join() == true) end)
  case("Scope", nothing, function() local s <close> = sync.Scope() return s ~= nil end)
  case("Scope:spawn", sync.Scope, function(s) return s:spawn(target, { 1 }) end, function(s, t)
    assert(s:join() == true and t:result()[1][1] == 1)
    s:spawn(nothing)
    do local _ <close> = s end
  end, no_thread)
  case("Scope:join", function()
    local s = sync.Scope()
    s:spawn(sync.settle)
    return s
  end, function(s) return s:join() end, function(s, done)
    assert(done == true)
    do local _ <close> = s end
  end)
  case("scope", nothing, function()
    return sync.scope(function(s, x) s:spawn(nothing) return { x } end, 1)
  end, function(_, t) assert(t[1] == 1) end, no_thread)

  -- Pool, Future.
  local function alone(_, pool) pool:shutdown() end
  case("Pool", nothing, function() return sync.Pool(2) end, alone, no_thread)
  local function pool() return sync.Pool(1) end
  case("Pool:submit", pool, function(p) return p:submit(target, { 1 }) end, function(p, future)
    assert(future:result()[1][1] == 1)
    p:shutdown()
  end, no_thread)
  case("Pool:map", pool, function(p) return p:map(function(x) return { x } end, { 1, 2, 3 }) end, function(p, list)
    assert(#list == 3 and list[3][1] == 3)
    p:shutdown()
  end, no_thread)
  case("Pool:shutdown", function() local p = pool() p:submit(nothing) return p end, function(p) p:shutdown() end,
    function(p) assert(not pcall(p.submit, p, nothing)) end)
  case("Future:result", function()
    local p = pool()
    return { p = p, f = p:submit(target, { 1 }) }
  end, function(it) return it.f:result() end, function(it, list)
    assert(list[1][1] == 1 and it.f:done())
    it.p:shutdown()
  end)
  case("Future:cancel", function()
    local p, go = pool(), sync.Event()
    local first = p:submit(go.wait, go)
    return { p = p, go = go, first = first, f = p:submit(target) }
  end, function(it) return it.f:cancel() end, function(it, done)
    assert(done == true and it.f:cancelled() and select(2, it.f:result()) == "cancelled")
    it.go:set()
    assert(it.first:result() == true)
    it.p:shutdown()
  end)
  case("wait", function()
    local p = pool()
    return { p = p, p:submit(target), p:submit(target) }
  end, function(it) return sync.wait({ it[1], it[2] }) end, function(it, done, pending)
    assert(#done == 2 and #pending == 0)
    it.p:shutdown()
  end)
  case("select of a future and a thread", function()
    local p = pool()
    return { p = p, e = sync.Event(), f = p:submit(target), t = soon(nothing) }
  end, function(it) return sync.select { it.e, it.f, it.t } end, function(it, n, value)
    assert((n == 2 or n == 3) and value == true)
    it.p:shutdown()
  end)

  -- Worlds in a world.
  if only ~= "inside" then
    case("simulate", nothing, function()
      return sync.simulate(function()
        local q = sync.Queue()
        sync.spawn(q.put, q, 1)
        return q:get()
      end, { seed = 1 })
    end, nil, "cannot make a simulated world")
    case("explore", nothing, function()
      return sync.explore(function()
        local q = sync.Queue()
        sync.spawn(q.put, q, 1)
        assert(q:get() == 1)
      end)
    end, function(_, report) assert(report.ok) end, "cannot make a simulated world")
  end

  local injected, ran = 0, 0
  local function fail(c, k, many, why)
    error(("%s, %d allocation(s) from number %d fail: %s"):format(c.name, many, k, tostring(why)), 0)
  end
  if only == "list" then
    for _, c in ipairs(cases) do print(c.name) end
    return 0, 0
  end
  for _, c in ipairs(cases) do
    if only == nil or only == "inside" or c.name == only then
      ran = ran + 1
      local before = c.make()
      c.check(before, select(3, faults.run(0, 0, c.call, before))) -- whatever is made once is made
      for _, many in ipairs { 1, 2, 1000000 } do
        local k = 1
        repeat
          local it = c.make()
          local outcome = table.pack(faults.run(k, many, c.call, it))
          local reached, ok, why = outcome[1], outcome[2], outcome[3]
          if reached >= k then injected = injected + 1 end
          if verbose then print(c.name, many, k, reached, ok or why) end
          if not ok then
            if reached < k then fail(c, k, many, why) end
            local known = why:find "not enough memory$" or c.allowed and why:find(c.allowed)
            if not known then fail(c, k, many, why) end
            outcome = table.pack(faults.run(0, 0, c.call, it))
            if not outcome[2] then fail(c, k, many, "repeated: " .. tostring(outcome[3])) end
          end
          local fine, problem = xpcall(c.check, debug.traceback, it, table.unpack(outcome, 3, outcome.n))
          if not fine then fail(c, k, many, problem) end
          k = k + 1
        until reached < k - 1 -- that many there were, and number k - 1 did not fail
      end
    end
  end
  return ran, injected
end

local world, only, verbose = arg[1], arg[2], arg[3] ~= nil
if world ~= "simulated" then print("real", program(only, verbose)) end
if world ~= "real" then
  local sync = require "luasync"
  local report = sync.simulate(function() return program(only or "inside", verbose) end, { seed = 1 })
  if not report.ok then
    error(report.deadlock or report.livelock or tostring(report.error))
  end
  print("simulated", table.unpack(report.results))
end

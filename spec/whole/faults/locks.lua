--- Cases for faults.lua: what threads wait for each other with.
-- @param case function(name, make, call, check, ...), as there
-- @param nothing function that makes nothing
-- @param soon function(fn, ...): a thread that does fn(...) when the caller waits
-- @param raised function(fn, ...): what fn(...) raises, unless memory is short
return function(case, nothing, soon, raised)
  local sync = require "luasync"

  --- What this thread has taken by `taken` is released while another waits for it in the call `waits`.
  local function released(name, make, taken, waits, free)
    case(name, function()
      local l = make()
      l[taken](l)
      local t = sync.spawn(function()
        assert(l[waits](l) == true)
        l:release()
      end)
      sync.settle()
      return { l = l, t = t }
    end, function(it) it.l:release() end, function(it)
      it.t:join()
      free(it.l)
    end)
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
    local function held_elsewhere()
      local l = make()
      local held, release = sync.Event(), sync.Event()
      local t = sync.spawn(function() l:acquire() held:set() release:wait() l:release() end)
      held:wait()
      return { l = l, t = t, release = release }
    end
    local function refused(it, got)
      assert(got == false)
      it.release:set()
      it.t:join()
      free(it.l)
    end
    case(kind .. ":acquire, timed out", held_elsewhere, function(it) return it.l:acquire(0.0001) end, refused)
    case(kind .. ":acquire, refused", held_elsewhere, function(it) return it.l:acquire(false) end, refused)
    local function released_soon()
      local it = held_elsewhere()
      soon(it.release.set, it.release)
      return it
    end
    case(kind .. ":hold, blocked", released_soon, function(it)
      local guard <close> = it.l:hold()
      return guard ~= nil
    end, function(it)
      it.t:join()
      free(it.l)
    end)
    case(kind .. ":with, blocked", released_soon, function(it) return it.l:with(function(x) return { x } end, 1) end,
      function(it, t)
        assert(t[1] == 1)
        it.t:join()
        free(it.l)
      end)
    case(kind .. ":with, an error", make, function(l)
      return raised(l.with, l, function() error { code = 5 } end)
    end, function(l, why)
      assert(why.code == 5)
      free(l)
    end)
    released(kind .. ":release to a waiter", make, "acquire", "acquire", free)
  end
  case("RLock, twice", sync.RLock, function(l)
    if not tostring(l):find "2 deep" then l:acquire() end
    if not tostring(l):find "2 deep" then l:acquire() end
    return tostring(l)
  end, function(l, text)
    assert(text:find "2 deep")
    l:release()
    l:release()
    assert(not l:locked())
  end)
  case("Semaphore:release of several", function()
    local s = sync.Semaphore(0)
    return { s = s, sync.spawn(s.acquire, s), sync.spawn(s.acquire, s) }
  end, function(it) it.s:release(3) end, function(it)
    assert(it[1]:result() == true and it[2]:result() == true and it.s:value() == 1)
  end)

  -- Misuse changes nothing, whatever memory there is to say so.
  for kind, call in pairs { Lock = "release", RLock = "release", RWLock = "release", BoundedSemaphore = "release",
                            Condition = "notify", Semaphore = "release" } do
    case(kind .. ":" .. call .. ", misuse", sync[kind], function(l) return raised(l[call], l, -1) end, function(l, why)
      assert(type(why) == "string" and not why:find "memory")
      local guard <close> = l.hold and l:hold() or l:hold_write()
      assert(guard ~= nil)
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
  case("Condition:wait_for, timed out", function()
    local c = sync.Condition()
    c:acquire()
    return c
  end, function(c) return c:wait_for(function() return false end, 0.0001) end, function(c, got)
    assert(got == false)
    c:release()
    assert(c:acquire(false) == true)
  end)
  case("Condition:wait_for, an error", function()
    local c = sync.Condition()
    c:acquire()
    return c
  end, function(c) return raised(c.wait_for, c, function() error { code = 5 } end) end, function(c, why)
    assert(why.code == 5)
    c:release()
    assert(c:acquire(false) == true)
  end)
  case("Condition:wait, not held", sync.Condition, function(c) return raised(c.wait, c) end, function(c, why)
    assert(why:find "cannot wait on un%-acquired lock")
    assert(c:acquire(false) == true)
  end)
  for _, call in ipairs { "notify", "notify_all", "notifyAll" } do
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
  case("Event, named", nothing, function()
    local e = sync.Event { name = "E" }
    return e:isSet(), tostring(e)
  end, function(_, is, text) assert(is == false and text == "Event 'E' (unset)") end)
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
  case("Barrier:wait, timed out", function() return sync.Barrier(2, { name = "B" }) end, function(b)
    return b:wait(0.0001)
  end, function(b, n, why)
    assert(n == nil and (why == "timeout" or why == "broken") and tostring(b) == "Barrier 'B' (broken)")
  end)
  case("Barrier:wait with an action", function()
    local ran = sync.Atomic(0)
    local b = sync.Barrier(2, function() ran:add(1) end)
    local t = sync.spawn(b.wait, b)
    sync.settle()
    return { b = b, t = t, ran = ran }
  end, function(it) return it.b:wait() end, function(it, n)
    assert(n == 2 and it.t:result() == 1 and it.ran:get() == 1 and not it.b.broken)
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
    case("RWLock:hold_" .. call .. ", blocked", function()
      local l, held, go = sync.RWLock(), sync.Event(), sync.Event()
      local t = sync.spawn(function() l:write() held:set() go:wait() l:release() end)
      held:wait()
      soon(go.set, go)
      return { l = l, t = t }
    end, function(it)
      local guard <close> = it.l["hold_" .. call](it.l)
      return guard ~= nil
    end, function(it)
      it.t:join()
      unlocked(it.l)
    end)
    case("RWLock:" .. call .. ", timed out", function()
      local l, held, go = sync.RWLock { name = "L" }, sync.Event(), sync.Event()
      local t = sync.spawn(function() l:write() held:set() go:wait() l:release() end)
      held:wait()
      return { l = l, t = t, go = go }
    end, function(it) return it.l[call](it.l, 0.0001), tostring(it.l) end, function(it, got, text)
      assert(got == false and text:find "'L'")
      it.go:set()
      it.t:join()
      unlocked(it.l)
    end)
    released("RWLock:release to a waiter in " .. call, sync.RWLock, "write", call, unlocked)
  end
  case("RWLock:write, an upgrade", function() local l = sync.RWLock() l:read() return l end,
    function(l) return raised(l.write, l) end, function(l, why)
      assert(why:find "cannot upgrade a read lock")
      l:release()
      unlocked(l)
    end)

  -- Atomic.
  case("Atomic", nothing, function() return sync.Atomic(5) end, function(_, a) assert(a:get() == 5) end)
  case("Atomic:get, tostring", function() return sync.Atomic(5, { name = "A" }) end,
    function(a) return a:get(), tostring(a) end,
    function(_, n, text) assert(n == 5 and text:find "'A'") end)
  for _, call in ipairs { "set", "exchange", "add" } do
    case("Atomic:" .. call, function() return sync.Atomic(1) end, function(a) return a[call](a, 2) end, function(a, got)
      assert(a:get() == (call == "add" and 3 or 2))
      assert(call == "set" and got == nil or got == (call == "add" and 3 or 1))
    end)
  end
  case("Atomic:compare_exchange", function() return sync.Atomic(1) end,
    function(a) return a:compare_exchange(1, 2) end, function(a, done) assert(done == true and a:get() == 2) end)
end

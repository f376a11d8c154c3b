--- Cases for faults.lua: what a thread has for itself, shares and starts.
-- @param case function(name, make, call, check, allowed), as there
-- @param nothing function that makes nothing
-- @param soon function(fn, ...): a thread that does fn(...) when the caller waits
return function(case, nothing, soon)
  local sync = require "luasync"

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
end

--- Cases for faults.lua: what a thread has for itself, shares and starts.
-- @param case function(name, make, call, check, ...), as there
-- @param nothing function that makes nothing
-- @param soon function(fn, ...): a thread that does fn(...) when the caller waits
-- @param raised function(fn, ...): what fn(...) raises, unless memory is short
return function(case, nothing, soon, raised)
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
  case("Local pairs", function() return sync["local"] { a = 1, b = { 2 } } end, function(l)
    local n = 0
    l.c = nil
    for _ in pairs(l) do n = n + 1 end
    return n, l.c, tostring(l)
  end, function(_, n, none) assert(n == 2 and none == nil) end)
  case("Local with a function, an error", nothing, function()
    return raised(sync.Local, function() error { code = 5 } end)
  end, function(_, why) assert(why.code == 5) end)

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
  case("Shared, an entry goes", shared, function(s)
    s.name, s.inner = nil, nil
    return #s, s.name, s.inner
  end, function(s, n, name, inner)
    assert(n == 3 and name == nil and inner == nil)
    for i = 1, 3 do assert(s[i] == i) end
  end)
  case("Shared, refused", shared, function(s)
    return raised(function() s.x = setmetatable({}, {}) end), raised(function() s.x = coroutine.create(print) end)
  end, function(s, meta, thread)
    assert(meta:find "cannot share a table with a metatable" and thread:find "coroutine" and s.x == nil)
    whole(s, 3)
  end)
  case("Shared with objects and functions", shared, function(s)
    local x = { 1 }
    s.q, s.f = sync.Queue { name = "Q" }, function() return x end
    return s.q, s.f
  end, function(s, q, f)
    assert(q == s.q and f()[1] == 1)
    whole(s, 3)
  end)
  case("update of a new key", shared, function(s)
    return sync.update(s, "new", function(old, x) return old or { x } end, 7)
  end, function(s, new)
    assert(new[1] == 7 and s.new[1] == 7)
    whole(s, 3)
  end)
  case("update, an error", shared, function(s)
    return raised(sync.update, s, "inner", function() error { code = 5 } end)
  end, function(s, why)
    assert(why.code == 5)
    whole(s, 3)
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
  case("Thread(fn, ...)", nothing, function() return sync.Thread(target, 1, { 2 }) end, function(_, t)
    assert(t:start():result()[2][1] == 2)
  end)
  case("Thread, refused", nothing, function() return raised(sync.Thread, 5) end,
    function(_, why) assert(why:find "function expected, got number") end)
  case("Thread:start, refused", function() return sync.Thread(target, coroutine.create(print)) end,
    function(t) return raised(t.start, t) end, function(t, why)
      assert(why:find "cannot send a coroutine %(at args%[1%]%)" and not t:is_alive())
    end)
  case("Thread:start, twice", function() return soon(nothing) end, function(t) return raised(t.start, t) end,
    function(t, why) assert(why:find "threads can only be started once" and t:join()) end)
  local function parked()
    local e = sync.Event()
    return { e = e, t = sync.spawn(e.wait, e) }
  end
  local function ends(it)
    it.e:set()
    assert(it.t:result() == true)
  end
  case("Thread:join, timed out", parked, function(it) return it.t:join(0.0001) end, function(it, done)
    assert(done == false)
    ends(it)
  end)
  case("Thread:result, timed out", parked, function(it) return it.t:result(0.0001) end, function(it, none, why)
    assert(none == nil and why == "timeout")
    ends(it)
  end)
  case("Thread:result, blocked", function()
    return sync.spawn(function()
      sync.settle()
      return { 1 }
    end)
  end, function(t) return t:result(30) end, function(_, list) assert(list[1] == 1) end)
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
    return raised(t.result, t)
  end, function(_, why) assert(why.code[1] == 5) end)
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
  case("Thread:interrupt, with nothing", function()
    local e = sync.Event()
    local t = sync.spawn(function() return pcall(e.wait, e) end)
    sync.settle()
    return t
  end, function(t) return t:interrupt() end, function(t, done)
    assert(done == true and select(2, t:result()) == "interrupted")
  end)
  case("Thread:interrupt of one that has ended", function() local t = soon(nothing) t:join() return t end,
    function(t) return t:interrupt { 1 } end, function(_, done) assert(done == false) end)
  local function is(message, why) return why == message or why.reason[1] == message.reason[1] end
  for name, message in pairs { table = { reason = { "r" } }, text = ("t"):rep(50), nothing = "interrupted" } do
    case("a wait, interrupted with " .. name, function()
      local e, me = sync.Event(), sync.current_thread()
      local t = soon(function()
        me:interrupt(message ~= "interrupted" and message or nil)
        sync.settle() -- until the main thread waits again
        e:set()
      end)
      return { e = e, t = t, calls = 0 }
    end, function(it)
      it.calls = it.calls + 1
      local ok, why = pcall(it.e.wait, it.e, 30)
      if type(why) == "string" and why:find "not enough memory$" then error(why, 0) end
      return ok, why
    end, function(it, ok, why)
      assert(not ok and is(message, why) or ok and it.calls == 2) -- that memory is short may come in its place
      it.t:join()
    end)
    case("a loop, interrupted with " .. name, sync.current_thread, function(me)
      return raised(function()
        me:interrupt(message ~= "interrupted" and message or nil)
        for _ = 1, 1e6 do os.time() end -- a call, as ThreadSanitizer keeps signals back until one
      end)
    end, function(_, why) assert(is(message, why)) end)
  end
  case("Thread, other names", function() return sync.Thread(target) end, function(t)
    t:setName "a name"
    t:setDaemon(true)
    return t:getName(), t:isDaemon(), t:isAlive(), t.native_id
  end, function(t, name, daemon, alive)
    assert(name == "a name" and daemon == true and alive == false and t:start():join())
  end)
  case("who is there, other names", nothing, function()
    return sync.currentThread(), sync.activeCount(), sync.get_native_id(), sync.cpu_count()
  end, function(_, current, count, _, processors)
    assert(current == sync.main_thread() and count >= 1 and processors >= 1)
  end)
  case("who is there", nothing, function()
    return sync.current_thread(), sync.main_thread(), sync.enumerate(), sync.active_count(), sync.get_ident()
  end, function(_, current, main, all) assert(current == main and #all >= 1) end)
  case("sleep", nothing, function() sync.sleep(0.0001) return sync.time(), sync.monotonic() end)
  case("settle, timed out", function()
    local stop = sync.Atomic(0)
    return { stop = stop, t = sync.spawn(function() while stop:get() == 0 do sync.sleep(0) end end) }
  end, function() return sync.settle(0.0001) end, function(it)
    it.stop:set(1)
    assert(it.t:join())
  end)
  case("settle", nothing, function() return sync.settle() end, function(_, done) assert(done == true) end)
  case("set_excepthook", nothing, function()
    local mine = { 1 }
    return sync.set_excepthook(function() return mine end)
  end, function(_, previous)
    assert(type(previous) == "function")
    sync.set_excepthook(nil)
  end)
end

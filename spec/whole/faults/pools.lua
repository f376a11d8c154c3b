--- Cases for faults.lua: Pool, Future, wait, Timer, Scope.
-- @param case function(name, make, call, check, ...), as there
-- @param nothing function that makes nothing
-- @param soon function(fn, ...): a thread that does fn(...) when the caller waits
-- @param raised function(fn, ...): what fn(...) raises, unless memory is short
return function(case, nothing, soon, raised)
  local sync = require "luasync"

  local no_thread = "can't start new thread"
  local function target(...) return { ... }, "text" end

  -- Timer, Scope.
  case("Timer", nothing, function() return sync.Timer(0.0001, target, { 1 }) end, function(_, t)
    assert(t:start():result()[1][1] == 1)
  end)
  case("Timer:start", function() return sync.Timer(0.0001, target, { 1 }) end, function(t) t:start() end,
    function(t) assert(t:result()[1][1] == 1) end, no_thread)
  case("Timer:cancel", function() return sync.Timer(100, target):start() end, function(t) t:cancel() end,
    function(t) assert(t:join() == true) end)
  case("Scope", nothing, function() local s <close> = sync.Scope() return s ~= nil end)
  case("Scope:spawn", sync.Scope, function(s) return s:spawn(target, { 1 }) end, function(s, t)
    assert(s:join() == true and t:result()[1][1] == 1)
    s:spawn(nothing)
    do local _ <close> = s end
  end, no_thread)
  case("Scope:spawn, closed", function() local s <close> = sync.Scope() return { s } end,
    function(it) return raised(it[1].spawn, it[1], nothing) end,
    function(_, why) assert(why:find "cannot spawn in a closed scope") end)
  case("Scope:join", function()
    local s = sync.Scope()
    s:spawn(sync.settle)
    return s
  end, function(s) return s:join() end, function(s, done)
    assert(done == true)
    do local _ <close> = s end
  end)
  case("Scope:join, timed out", function()
    local s, e = sync.Scope(), sync.Event()
    s:spawn(e.wait, e)
    return { s = s, e = e }
  end, function(it) return it.s:join(0.0001) end, function(it, done)
    assert(done == false)
    it.e:set()
    do local _ <close> = it.s end
  end)
  case("Scope:join, an error", function()
    local s, e = sync.Scope(), sync.Event()
    local waits = s:spawn(e.wait, e)
    s:spawn(function() error { code = { 5 } } end)
    return { s = s, waits = waits }
  end, function(it) return raised(it.s.join, it.s) end, function(it, why)
    assert(why.code[1] == 5 and not it.waits:is_alive())
    do local _ <close> = it.s end
  end)
  case("scope", nothing, function()
    return sync.scope(function(s, x) s:spawn(nothing) return { x } end, 1)
  end, function(_, t) assert(t[1] == 1) end, no_thread)
  case("scope, an error in the block", nothing, function()
    return raised(sync.scope, function(s)
      local e = sync.Event()
      s:spawn(e.wait, e)
      error { code = 5 }
    end)
  end, function(_, why) assert(why.code == 5, tostring(why)) end, no_thread)

  -- Pool, Future.
  local function alone(_, pool) pool:shutdown() end
  case("Pool", nothing, function() return sync.Pool(2) end, alone, no_thread)
  case("Pool, named", nothing, function() return sync.Pool(1, { name = "P" }) end, function(_, p)
    assert(tostring(p):find "'P'")
    p:shutdown()
  end, no_thread)
  local function pool() return sync.Pool(1) end
  case("Pool:submit", pool, function(p) return p:submit(target, { 1 }) end, function(p, future)
    assert(future:result()[1][1] == 1)
    p:shutdown()
  end, no_thread)
  case("Pool:submit, refused", pool, function(p) return raised(p.submit, p, target, coroutine.create(print)) end,
    function(p, why)
      assert(why:find "cannot send a coroutine %(at args%[1%]%)")
      p:shutdown()
    end, no_thread)
  case("Pool:submit, shut down", function() local p = pool() p:shutdown() return p end,
    function(p) return raised(p.submit, p, target) end,
    function(_, why) assert(why:find "cannot schedule new futures after shutdown") end)
  case("Pool:map", pool, function(p) return p:map(function(x) return { x } end, { 1, 2, 3 }) end, function(p, list)
    assert(#list == 3 and list[3][1] == 3)
    p:shutdown()
  end, no_thread)
  case("Pool:map, an error", pool, function(p)
    return raised(p.map, p, function(x) if x == 2 then error { code = x } end return x end, { 1, 2, 3 })
  end, function(p, why)
    assert(why.code == 2)
    assert(p:submit(target, 1):result()[1] == 1)
    p:shutdown()
  end, no_thread)
  case("Pool:shutdown", function() local p = pool() p:submit(nothing) return p end, function(p) p:shutdown() end,
    function(p) assert(not pcall(p.submit, p, nothing)) end)
  local function busy()
    local p, go = pool(), sync.Event()
    local first = p:submit(go.wait, go)
    while not first:running() do sync.settle() end
    return { p = p, go = go, first = first, f = p:submit(target, { 1 }) }
  end
  local function idle(it)
    it.go:set()
    assert(it.first:result() == true)
    it.p:shutdown()
  end
  case("Pool:shutdown(false)", busy, function(it) it.p:shutdown(false) end, function(it)
    assert(not pcall(it.p.submit, it.p, nothing))
    idle(it)
    assert(it.f:result()[1][1] == 1)
  end)
  case("Pool:shutdown(false, true)", busy, function(it) it.p:shutdown(false, true) end, function(it)
    assert(it.f:cancelled())
    idle(it)
  end)
  case("Pool, closed", nothing, function()
    local p <close> = sync.Pool(1)
    return p:submit(target, { 1 }):result()
  end, function(_, list) assert(list[1][1] == 1) end, no_thread)
  case("Future:result", function()
    local p = pool()
    return { p = p, f = p:submit(target, { 1 }) }
  end, function(it) return it.f:result() end, function(it, list)
    assert(list[1][1] == 1 and it.f:done())
    it.p:shutdown()
  end)
  case("Future:result, blocked", function()
    local it = busy()
    soon(it.go.set, it.go)
    return it
  end, function(it) return it.f:result(30) end, function(it, list)
    assert(list[1][1] == 1)
    idle(it)
  end)
  case("Future:result, timed out", busy, function(it) return it.f:result(0.0001) end, function(it, none, why)
    assert(none == nil and why == "timeout")
    idle(it)
  end)
  case("Future:result, an error", function()
    local p = pool()
    local f = p:submit(function() error { code = { 5 } } end)
    return { p = p, f = f }
  end, function(it) return raised(it.f.result, it.f) end, function(it, why)
    assert(why.code[1] == 5 and it.f:done())
    it.p:shutdown()
  end)
  case("Future, its state", busy, function(it)
    return it.first:running(), it.f:running(), it.f:done(), it.f:cancelled(), tostring(it.f)
  end, function(it, first, running, done, cancelled)
    assert(first == true and running == false and done == false and cancelled == false)
    idle(it)
  end)
  case("Future:cancel", busy, function(it) return it.f:cancel() end, function(it, done)
    assert(done == true and it.f:cancelled() and select(2, it.f:result()) == "cancelled")
    idle(it)
  end)
  case("wait", function()
    local p = pool()
    return { p = p, p:submit(target), p:submit(target) }
  end, function(it) return sync.wait({ it[1], it[2] }) end, function(it, done, pending)
    assert(#done == 2 and #pending == 0)
    it.p:shutdown()
  end)
  case("wait for the first", function()
    local it = busy()
    soon(it.go.set, it.go)
    return it
  end, function(it) return sync.wait({ it.f, it.first }, 30, "first") end, function(it, done, pending)
    assert(#done >= 1 and #done + #pending == 2)
    idle(it)
  end)
  case("wait, timed out", busy, function(it) return sync.wait({ it.f, it.first }, 0.0001) end,
    function(it, done, pending)
      assert(#done == 0 and #pending == 2 and pending[1] == it.f)
      idle(it)
    end)
  case("select of a future and a thread", function()
    local p = pool()
    return { p = p, e = sync.Event(), f = p:submit(target), t = soon(nothing) }
  end, function(it) return sync.select { it.e, it.f, it.t } end, function(it, n, value)
    assert((n == 2 or n == 3) and value == true)
    it.p:shutdown()
  end)
end

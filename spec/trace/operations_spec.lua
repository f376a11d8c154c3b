-- What the recorder says of each operation of each object: its result and the state after, in a simulated world.
local support = require "spec.support"
local sync = require "luasync"
local trace = require "luasync.trace"

--- The events of a run but the scheduler's own: what took effect as "op object result state text", the others with
-- their kind in front. A thread is named where another one goes on; times are in seconds.
local function events_of(run, kinds, ops)
  local events, list, who = run.events, {}, 0
  for i, number in ipairs(events.k) do
    local kind, a = kinds[number + 1], events.a[i]
    if kind ~= "turn" and kind ~= "yield" and kind ~= "clock" then
      local object = run.objects[events.ob[i] + 1]
      local words = { kind ~= "op" and kind or nil }
      words[#words + 1] = ops[events.op[i] + 1]
      words[#words + 1] = object and object.name
      if kind == "op" or kind == "handed" then words[#words + 1] = a .. " " .. events.b[i]
      else words[#words + 1] = ("%g"):format(kind == "wait" and a > 0 and a / 1e9 or a) end
      words[#words + 1] = events.text[tostring(i - 1)]
      local name = events.th[i] ~= who and run.threads[events.th[i] + 1].name .. ": " or ""
      list[#list + 1] = name .. table.concat(words, " ")
      who = events.th[i]
    end
  end
  return list
end

--- What a program does, in one text.
local function recorded(body)
  local file = support.temporary ".json"
  local report = sync.simulate(body, { seed = 1, trace = file })
  local recording = assert(trace.read(file))
  local doc = recording.doc
  os.remove(file)
  assert.is_true(report.ok, report.error or report.deadlock)
  assert.same({}, trace.check(recording))
  return table.concat(events_of(doc.runs[1], doc.kinds, doc.ops), ", ")
end

local function says(expected, body) assert.equal((expected:gsub("%s+", " ")), (recorded(body):gsub("%s+", " "))) end

describe("a recording says each operation of", function()
  it("an Event", function()
    says([[set e 0 1, clear e 0 0, is_set e 0 0, is_set e 0 0, select 0 0, set e 0 1, wait_set e 1 1, is_set e 1
      1, is_set e 1 1, wait_set e 1 1, select 1 0, clear e 0 0, wait wait_set e 1, go wait_set e 2, wait_set
      e 0 0, wait select 2, go select 2, select 0 0, start Thread-1 1 0, wait wait_set e -1, Thread-1: wait
      sleep 3, go sleep 2, set e 0 1, wake wait_set e 0, end end 0, MainThread: go wait_set e 1, wait_set e
      1 1, end end 0]], function()
      local e = sync.Event{ name = "e" }
      e:set() e:clear() e:wait(0) e:is_set()
      sync.select({ e }, 0)
      e:set() e:wait() e:wait(0) e:is_set()
      sync.select({ e })
      e:clear() e:wait(1)
      sync.select({ e }, 1)
      sync.spawn(function() sync.sleep(1) e:set() end)
      e:wait()
    end)
  end)

  it("an Atomic", function()
    says([[update a 1 0 3, write a 1 0 5, read a 1 0 5, update a 1 0 2, update a 1 0 3, update a 0 0 3, write a 1
      0 0.5, end end 0]], function()
      local a = sync.Atomic(1, { name = "a" })
      a:add(2) a:set(5) a:get() a:exchange(2) a:compare_exchange(2, 3) a:compare_exchange(2, 4) a:set(0.5)
    end)
  end)

  it("a Lock", function()
    says([[acquire l 1 1, try_acquire l 0 0, wait acquire l 1, go acquire l 2, acquire l 0 0, release l 0 0,
      try_acquire l 1 1, release l 0 0, acquire l 1 1 timeout, release l 0 0, acquire l 1 1, release l 0 0,
      acquire l 1 1 select, select 1 0, release l 0 0, acquire l 1 1 select, select 1 0, wait select 2, go
      select 2, select 0 0, release l 0 0, end end 0]], function()
      local l = sync.Lock{ name = "l" }
      l:acquire() l:acquire(false) l:acquire(true, 1) l:release()
      l:acquire(false) l:release() l:acquire(true, 1) l:release()
      l:with(function() end)
      sync.select({ l }) l:release()
      sync.select({ l }, 0) sync.select({ l }, 1) l:release()
    end)
  end)

  it("an RLock", function()
    says([[acquire l 1 1, try_acquire l 1 2, acquire l 1 3 timeout, release l 0 2, release l 0 1, release l 0 0,
      acquire l 1 1 select, select 1 0, acquire l 1 2, release l 0 1, release l 0 0, end end 0]], function()
      local l = sync.RLock{ name = "l" }
      l:acquire() l:acquire(false) l:acquire(true, 1) l:release() l:release() l:release()
      sync.select({ l }) l:acquire() l:release() l:release()
    end)
  end)

  it("a Semaphore", function()
    says([[down s 1 1, value s 1 0, try_down s 1 0, try_down s 0 0, wait down s 1, go down s 2, down s 0 0,
      select 0 0, up s 3 3, down s 1 2, select 1 0, down s 1 1, value s 1 0, end end 0]], function()
      local s = sync.Semaphore(2, { name = "s" })
      s:acquire() s:value() s:acquire(false) s:acquire(false) s:acquire(true, 1) sync.select({ s }, 0)
      s:release(3) sync.select({ s }) s:acquire(true, 1) s:value()
    end)
  end)

  it("a Condition", function()
    says([[acquire RLock-1 1 1, notify c 1 0, release RLock-1 0 0 wait, wait wait c 1, go wait c 2, reacquire
      RLock-1 1 1, wait c 0 0, notify c -1 0, start Thread-1 1 0, Thread-1: wait acquire RLock-1 -1,
      MainThread: release RLock-1 0 0 wait, wake acquire RLock-1 1, wait wait c -1, Thread-1: go acquire
      RLock-1 1, acquire RLock-1 1 1, notify c 1 1, MainThread: moved reacquire RLock-1 1, Thread-1: release
      RLock-1 1 0, wake reacquire RLock-1 0, end end 0, MainThread: go reacquire RLock-1 1, reacquire
      RLock-1 1 1, wait c 1 0, release RLock-1 0 0, end end 0]], function()
      local c = sync.Condition{ name = "c" }
      c:acquire() c:notify() c:wait(1) c:notify_all()
      sync.spawn(function() c:with(function() c:notify() end) end)
      c:wait()
      c:release()
    end)
  end)

  it("a Barrier", function()
    says([[start Thread-1 1 0, wait barrier_wait b -1, Thread-1: barrier_wait b 2 0, wake barrier_wait b 0,
      MainThread: go barrier_wait b 1, barrier_wait b 1 0, Thread-1: end end 0, MainThread: wait
      barrier_wait b 1, go barrier_wait b 2, barrier_wait b -1 0, barrier_wait b 0 0, barrier_reset b 0 0,
      barrier_abort b 0 0, barrier_reset b 0 0, end end 0]], function()
      local b = sync.Barrier(2, { name = "b" })
      sync.spawn(function() b:wait() end)
      b:wait() b:wait(1) b:wait() b:reset() b:abort() b:reset()
    end)
  end)

  it("an RWLock", function()
    says([[acquire_read l 1 1, start Thread-1 1 0, wait join Thread-1 -1, Thread-1: acquire_read l 1 2 try,
      release_read l 1 1, acquire_write l 0 0, wait acquire_write l 1, go acquire_write l 2, acquire_write l
      0 0, end end 0, wake join Thread-1 0, MainThread: go join Thread-1 1, join Thread-1 1 0, release_read
      l 0 0, acquire_write l 1 -1, start Thread-2 1 0, wait join Thread-2 -1, Thread-2: acquire_read l 0 0,
      acquire_write l 0 0, wait acquire_read l 2, go acquire_read l 2, acquire_read l 0 0, end end 0, wake
      join Thread-2 0, MainThread: go join Thread-2 1, join Thread-2 1 0, release_write l 0 0, acquire_write
      l 1 -1 try, release_write l 0 0, acquire_read l 1 1 try, release_read l 0 0, end end 0]], function()
      local l = sync.RWLock{ name = "l" }
      l:read()
      sync.spawn(function() l:read(0) l:release() l:write(0) l:write(1) end):join()
      l:release() l:write()
      sync.spawn(function() l:read(0) l:write(0) l:read(1) end):join()
      l:release() l:write(0) l:release() l:read(0) l:release()
    end)
  end)

  -- All of one kind but for the order in which items leave.
  for _, row in ipairs{ { "Queue", 1, 2 }, { "LifoQueue", 2, 1 }, { "PriorityQueue", 1, 2 } } do
    local kind, first, second = table.unpack(row)
    it("a " .. kind, function()
      local expected = [[
        put q 1 1 1, try_put q 2 2 2, try_put q 0 2 3, wait put q 1, go put q 2, put q 0 2 4, get q FIRST 1,
        try_get q SECOND 0, try_get q 0 0, wait get q 2, go get q 2, get q 0 0, select 0 0, wait select 3, go
        select 2, select 0 0, wait queue_join q 4, go queue_join q 2, queue_join q 0 2, task_done q 0 1,
        task_done q 0 0, queue_join q 1 0, put q 3 1 'x', get q 3 0, select 1 0, start Thread-1 1 0, Thread-1:
        wait sleep 5, MainThread: wait get q -1, Thread-1: go sleep 2, put q 4 1 'y', MainThread: handed get q
        4 0, Thread-1: wake get q 0, end end 0, MainThread: go get q 1, put q 5 1 5, shutdown q 0 1, get q 5
        0, get q 0 0, put q 0 0 6, try_get q 0 0, try_put q 0 0 7, end end 0]]
      says(expected:match "%S.*":gsub("FIRST", first):gsub("SECOND", second), function()
        local q = sync[kind](2, { name = "q" })
        q:put(1) q:put(2, false) q:put(3, false) q:put(4, true, 1) q:qsize() q:empty() q:full()
        q:get() q:get(false) q:get(false) q:get(true, 1) sync.select({ q }, 0) sync.select({ q }, 1)
        q:join(1) q:task_done() q:task_done() q:join()
        q:put "x" sync.select({ q })
        sync.spawn(function() sync.sleep(1) q:put "y" end)
        q:get() q:put(5) q:shutdown() q:get() q:get() q:put(6) q:get(false) q:put(7, false)
      end)
    end)
  end

  it("a SimpleQueue", function()
    says([[put q 1 1 1, try_put q 2 2 2, put q 3 3 3, get q 1 2, try_get q 2 1, get q 3 0, try_get q 0 0, wait
      get q 1, go get q 2, get q 0 0, start Thread-1 1 0, Thread-1: wait sleep 2, MainThread: wait get q -1,
      Thread-1: go sleep 2, put q 4 1 'y', MainThread: handed get q 4 0, Thread-1: wake get q 0, end end 0,
      MainThread: go get q 1, end end 0]], function()
      local q = sync.SimpleQueue{ name = "q" }
      q:put(1) q:put(2, false) q:put(3, true, 1) q:qsize() q:empty()
      q:get() q:get(false) q:get(true, 1) q:get(false) q:get(true, 1)
      sync.spawn(function() sync.sleep(1) q:put "y" end)
      q:get()
    end)
  end)

  it("a Shared", function()
    says([[read s 1 1 n = 1, read s 0 1 m = nil, write s 1 1 n = 2, write s 1 2 m = 'x', update s 1 2 n = 3,
      pairs s 0 0, read s 1 2 n = 3, read s 1 2 m = 'x', pairs s 0 0, pairs s 0 0, end end 0]], function()
      local s = sync.Shared({ n = 1 }, { name = "s" })
      local _, _ = s.n, s.m
      s.n = 2 s.m = "x"
      sync.update(s, "n", function(n) return n + 1 end)
      for _ in pairs(s) do end
      assert(#s == 0)
      sync.snapshot(s)
    end)
  end)

  it("a Pool", function()
    says([[submit p 1 1 function, start p_1 1 0, submit p 2 2 function, submit p 3 3 function, p_1: take p 1 2,
      MainThread: cancel Future-3 1 3, cancel Future-3 1 3, p_1: run Future-1 1 1, MainThread: wait result
      Future-1 0.5, p_1: wait sleep 1, MainThread: go result Future-1 2, result Future-1 0 1, cancel
      Future-1 0 1, wait result Future-1 -1, p_1: go sleep 2, resolve Future-1 1 2, wake result Future-1 0,
      take p 2 1, run Future-2 1 1, resolve Future-2 0 2, take p 3 0, MainThread: go result Future-1 1,
      result Future-1 1 2, cancel Future-1 0 2, result Future-2 1 2, result Future-3 -1 3, shutdown p 0 0,
      p_1: end end 0, MainThread: end end 0]], function()
      local p = sync.Pool(1, { name = "p" })
      local f, g, h = p:submit(sync.sleep, 1), p:submit(error, "no"), p:submit(print)
      h:cancel() h:cancel() f:result(0.5) f:cancel() f:result() f:cancel()
      pcall(g.result, g) h:result() f:done()
      p:shutdown()
    end)
  end)

  it("a Thread, a Timer and a Scope", function()
    says([[start t 1 0, wait join t 1, t: wait sleep 2, MainThread: go join t 2, join t 0 0, join t 0 0, wait
      join t -1, t: go sleep 2, end end 0, wake join t 0, MainThread: go join t 1, join t 1 0, join t 1 0,
      join t 1 0, start Thread-1 1 0, cancel Thread-1 1 0, wait join Thread-1 -1, Thread-1: end end 0, wake
      join Thread-1 0, MainThread: go join Thread-1 1, join Thread-1 1 0, start Thread-2 1 0, wait settle
      -1, Thread-2: wait timer Thread-2 3, MainThread: go settle 1, cancel Thread-2 1 0, wake timer Thread-2
      3, cancel Thread-2 0 0, Thread-2: go timer Thread-2 1, MainThread: wait join Thread-2 -1, Thread-2:
      end end 0, wake join Thread-2 0, MainThread: go join Thread-2 1, join Thread-2 1 0, start Thread-3 1
      0, wait scope_join Scope-1 -1, Thread-3: wait sleep 3, go sleep 2, end end 0, wake scope_join Scope-1
      0, MainThread: go scope_join Scope-1 1, scope_join Scope-1 1 0, start Thread-4 1 0, wait settle -1,
      Thread-4: wait wait_set e -1, MainThread: go settle 1, interrupt Thread-4 1 0, wake wait_set e 5,
      Thread-4: go wait_set e 3, MainThread: wait join Thread-4 -1, Thread-4: end end 0, wake join Thread-4
      0, MainThread: go join Thread-4 1, join Thread-4 1 0, end end 0]], function()
      local t = sync.Thread{ name = "t", target = function() sync.sleep(2) end }
      t:start() t:join(1) t:join(0) t:is_alive() t:join() t:join() t:result()
      local u = sync.Timer(1, print) u:start() u:cancel() u:join()
      u = sync.Timer(1, print) u:start() sync.settle() u:cancel() u:cancel() u:join()
      sync.scope(function(s) s:spawn(function() sync.sleep(1) end) end)
      local w = sync.spawn(function() pcall(sync.Event{ name = "e" }.wait, sync.Event{ name = "e" }) end)
      sync.settle() w:interrupt() w:join()
    end)
  end)
end)

it("a recording says what each object is", function()
  local file = support.temporary ".json"
  sync.simulate(function()
    local lock = sync.Lock{ name = "lock" }
    local c, r = sync.Condition(lock, { name = "c" }), sync.Condition{ name = "r" }
    lock:with(c.notify, c) r:with(r.notify, r)
    local s, b = sync.Semaphore(2, { name = "s" }), sync.BoundedSemaphore(3, { name = "b" })
    local q = sync.Queue(4, { name = "q" })
    s:acquire() b:acquire() q:put(1)
    sync.Barrier(5, { name = "five" }):reset()
    sync.Timer(1, print):start()
  end, { seed = 1, trace = file })
  local objects, found = assert(trace.read(file)).doc.runs[1].objects, {}
  os.remove(file)
  for i, o in ipairs(objects) do
    local words = { o.kind, o.name }
    for _, key in ipairs { "max", "first", "lock", "thread" } do
      if o[key] then words[#words + 1] = key .. " " .. (key == "lock" and objects[o.lock + 1].name or o[key]) end
    end
    found[i] = table.concat(words, " ")
  end
  assert.same({ "Thread MainThread thread 0", "Lock lock", "Condition c lock lock", "RLock RLock-1",
    "Condition r lock RLock-1", "Semaphore s first 2", "BoundedSemaphore b max 3 first 3", "Queue q max 4",
    "Barrier five max 5", "Timer Thread-1 thread 1" }, found)
end)

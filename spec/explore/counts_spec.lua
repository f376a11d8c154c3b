--- Programs whose executions and interleavings can be counted by hand: each way to search must come to these numbers.
local sync = require "luasync"

local function factorial(n) return n <= 1 and 1 or n * factorial(n - 1) end

-- The words of n threads with k operations each.
local function words(n, k) return factorial(n * k) // factorial(k) ^ n end

local function run(n, fn)
  local threads = {}
  for i = 1, n do threads[i] = sync.spawn(fn, i) end
  for i = 1, n do threads[i]:join() end
end

-- Name, executions, interleavings, program.
local PROGRAMS = {
  { "3 x 3 atomic adds", words(3, 3), words(3, 3), function()
    local a = sync.Atomic(0)
    run(3, function() for _ = 1, 3 do a:add(1) end end)
  end },
  { "4 atomic gets", 1, factorial(4), function()
    local a = sync.Atomic(0)
    run(4, function() a:get() end)
  end },
  { "4 threads, own atomics x2", 1, words(4, 2), function()
    local a = {} for i = 1, 4 do a[i] = sync.Atomic(0) end
    run(4, function(i) a[i]:add(1) a[i]:add(1) end)
  end },
  { "4 locked pairs", factorial(4), factorial(4), function()
    local l = sync.Lock()
    run(4, function() l:acquire() l:release() end)
  end },
  { "3 locked pairs x 2", words(3, 2), words(3, 2), function()
    local l = sync.Lock()
    run(3, function() for _ = 1, 2 do l:acquire() l:release() end end)
  end },
  { "semaphore(2), 2 threads", words(2, 2), words(2, 2), function()
    local s = sync.Semaphore(2)
    run(2, function() s:acquire() s:release() end)
  end },
  { "semaphore(3), 3 threads", words(3, 2), words(3, 2), function()
    local s = sync.Semaphore(3)
    run(3, function() s:acquire() s:release() end)
  end },
  -- Words of acquire and release of three threads in which never three are inside: 90 - 6 * 6.
  { "semaphore(2), 3 threads", 54, 54, function()
    local s = sync.Semaphore(2)
    run(3, function() s:acquire() s:release() end)
  end },
  -- Words in which no permit is taken before it is there.
  { "catalan 4", 14, 14, function()
    local s = sync.Semaphore(0)
    local a = sync.spawn(function() for _ = 1, 4 do s:release() end end)
    for _ = 1, 4 do s:acquire() end a:join()
  end },
  { "queue, 1 producer 1 consumer x 4 (catalan)", 14, 14, function()
    local q = sync.Queue()
    local a = sync.spawn(function() for i = 1, 4 do q:put(i) end end)
    for _ = 1, 4 do q:get() end a:join()
  end },
  { "queue of one slot x 5", 1, 1, function()
    local q = sync.Queue(1)
    local a = sync.spawn(function() for i = 1, 5 do q:put(i) end end)
    for _ = 1, 5 do q:get() end a:join()
  end },
  { "queue of two slots x 4", 8, 8, function()
    local q = sync.Queue(2)
    local a = sync.spawn(function() for i = 1, 4 do q:put(i) end end)
    for _ = 1, 4 do q:get() end a:join()
  end },
  { "3 producers x 2 puts", words(3, 2), words(3, 2), function()
    local q = sync.Queue()
    run(3, function(i) q:put(i) q:put(i) end)
  end },
  { "event: 3 setters", factorial(3), factorial(3), function()
    local e = sync.Event()
    run(3, function() e:set() end)
  end },
  { "event: 3 waiters, 1 setter", 1, factorial(3), function()
    local e = sync.Event()
    run(4, function(i) if i == 1 then e:set() else e:wait() end end)
  end },
  { "event: 4 looks, 1 setter", 16, factorial(5), function()
    local e = sync.Event()
    run(5, function(i) if i == 1 then e:set() else e:is_set() end end)
  end },
  { "shared: 5 readers, 1 writer", 32, factorial(6), function()
    local s = sync.Shared{ x = 1 }
    run(6, function(i) if i == 1 then s.x = 2 else local _ = s.x end end)
  end },
  { "shared: 5 writers of own keys", 1, factorial(5), function()
    local s = sync.Shared{ 0, 0, 0, 0, 0 }
    run(5, function(i) s[i] = 1 end)
  end },
  { "shared: 4 updates", factorial(4), factorial(4), function()
    local s = sync.Shared{ x = 1 }
    run(4, function() sync.update(s, "x", function(n) return n + 1 end) end)
  end },
  -- Who finds it taken stands in line, which readers see: 3 * (4 + 6 + 2), for none, one or two in line at first.
  { "rwlock: 3 writers", 36, 36, function()
    local l = sync.RWLock()
    run(3, function() l:write() l:release() end)
  end },
  { "rlock 2 deep, 3 threads", factorial(3), factorial(3), function()
    local l = sync.RLock()
    run(3, function() l:acquire() l:acquire() l:release() l:release() end)
  end },
  { "exchange, 2 x 3", words(2, 3), words(2, 3), function()
    local a = sync.Atomic(0)
    run(2, function(i) for _ = 1, 3 do a:exchange(i) end end)
  end },
  { "sleepers of different lengths", 1, 6, function()
    run(3, function(i) sync.sleep(i) end)
  end },
  { "4 sleepers, then add, one after the other", 1, 24, function()
    local a = sync.Atomic(0)
    run(4, function(i) sync.sleep(i) a:add(1) end)
  end },
  { "3 sleepers of one length, then add", factorial(3), 36, function()
    local a = sync.Atomic(0)
    run(3, function() sync.sleep(1) a:add(1) end)
  end },
  { "condition: n under the lock, 3 notifies", factorial(3), factorial(3), function()
    local c = sync.Condition()
    run(3, function() c:acquire() c:notify() c:release() end)
  end },
  { "join chain", 1, 1, function()
    local a = sync.Atomic(0)
    local t = sync.spawn(function() a:add(1) end)
    local u = sync.spawn(function() t:join() a:add(1) end)
    u:join()
  end },
  { "scope, 3 adds", factorial(3), 6, function()
    local a = sync.Atomic(0)
    sync.scope(function(s) for _ = 1, 3 do s:spawn(function() a:add(1) end) end end)
  end },
  { "select takes the one there is", 1, 1, function()
    local p, q = sync.Queue(), sync.Queue()
    q:put(1) sync.select{ p, q }
  end },
  { "barrier(3): the three orders of arrival", factorial(3), 6, function()
    local b = sync.Barrier(3)
    run(3, function() b:wait() end)
  end },
}

describe("known counts #noasan #notsan", function()
  for _, p in ipairs(PROGRAMS) do
    local name, executions, interleavings, program = table.unpack(p)
    it(name, function()
      for _, strategy in ipairs{ "dpor", "states", "dfs" } do
        local r = sync.explore(program, { strategy = strategy, seconds = 60 })
        assert.is_true(r.complete, strategy)
        assert.equal(0, r.failing, strategy)
        assert.equal(strategy == "dfs" and interleavings or executions, r.executions, strategy)
        assert.equal(interleavings, r.interleavings, strategy)
      end
    end)
  end
end)

-- Objects that are reached from each other only are collected, and no others.
--
-- The witness is a Pool with a worker: once nothing refers to the Pool any more, its worker ends.
local sync = require "luasync"
local support = require "spec.support"

--- Whether the witness that make(witness) has put somewhere is gone after some collections, with all but `before`
-- threads.
local function goes(make, before)
  before = before or sync.active_count()
  do
    local witness = sync.Pool(1)
    witness:submit(type, 1):result()
    make(witness)
  end
  for _ = 1, 3 do collectgarbage() end
  for _ = 1, 2000 do
    if sync.active_count() == before then return true end
    sync.sleep(0.001)
    collectgarbage()
  end
  return false
end

--- Has all holders searched: one of them has just been let go, and this state is collected.
local function collect()
  for _ = 1, 3 do
    do
      local queue = sync.Queue()
      queue:put(queue)
    end
    for _ = 1, 2 do collectgarbage() end
  end
end

-- Each puts the witness where only a cycle refers to it.
local cycles = {
  ["a queue that contains itself"] = function(witness)
    local queue = sync.Queue()
    queue:put(witness)
    queue:put(queue)
  end,
  ["two queues that hold each other"] = function(witness)
    local a, b = sync.LifoQueue(), sync.SimpleQueue()
    a:put { b, witness }
    b:put(a)
  end,
  ["a queue in an item with a priority"] = function(witness)
    local queue = sync.PriorityQueue()
    queue:put { 1, queue, witness }
    queue:put { 2, witness }
  end,
  ["a Shared that is its own value"] = function(witness)
    local shared = sync.Shared { witness = witness }
    shared.tree = { branch = { shared } }
  end,
  ["a Shared that is its own key"] = function(witness)
    local shared = sync.Shared()
    shared[shared] = witness
  end,
  ["a Shared by sync.update"] = function(witness)
    local shared = sync.Shared()
    sync.update(shared, 1, function() return shared end)
    shared[2] = witness
  end,
  ["a queue that a function in it captures"] = function(witness)
    local queue = sync.Queue()
    queue:put(function() return queue, witness end)
  end,
  ["a queue that a class in it knows"] = function(witness)
    local queue = sync.Queue()
    local class = {}
    class.__index = class
    function class.home() return queue end
    for i = 1, 3 do queue:put(setmetatable({ i }, class)) end
    queue:put(witness)
  end,
  ["a thread whose result is its own handle"] = function(witness)
    sync.spawn(function() return sync.current_thread(), witness end):join()
  end,
  ["a thread whose error is its own handle"] = function(witness)
    local thread = sync.spawn(function() error { sync.current_thread(), witness } end)
    assert(not pcall(thread.result, thread))
  end,
  ["two threads that know each other"] = function(witness)
    local boxes = { sync.Queue(), sync.Queue() }
    local threads = {}
    for i = 1, 2 do
      threads[i] = sync.spawn(function() return boxes[i]:get(), witness end)
    end
    for i = 1, 2 do boxes[i]:put(threads[3 - i]) end
    for i = 1, 2 do threads[i]:join() end
  end,
  ["a thread that was never started and captures itself"] = function(witness)
    local thread
    thread = sync.Thread(function() return thread, witness end)
    sync.Queue():put(thread)
  end,
  ["a Local by its initial values"] = function(witness)
    local queue = sync.Queue()
    queue:put(sync.Local { queue = queue, witness = witness })
  end,
  ["a Local by a field that refers to the queue it is in"] = function(witness)
    local queue, here = sync.Queue(), sync.Local()
    queue:put(here)
    here.queue, here.witness = queue, witness
  end,
  ["a Local by a field that refers to a Shared, and to itself"] = function(witness)
    local shared, here = sync.Shared(), sync.Local()
    shared.tree = { here }
    here.f, here.me = function() return shared, witness end, { here }
  end,
  ["two Locals by queues in each other's fields"] = function(witness)
    local locals, queues = { sync.Local(), sync.Local() }, { sync.Queue(), sync.Queue() }
    for i = 1, 2 do
      queues[i]:put(locals[3 - i])
      locals[i].queue, locals[i].witness = queues[i], witness
    end
  end,
  ["a Local of another thread that has ended"] = function(witness)
    local queue, here = sync.Queue(), sync.Local()
    sync.spawn(function()
      here.queue, here.witness = queue, witness
      queue:put(here)
    end):join()
  end,
  ["a Barrier by its action"] = function(witness)
    local queue = sync.Queue()
    queue:put(sync.Barrier(2, function() return queue, witness end))
  end,
  ["a Future by its result"] = function(witness)
    local shared, pool <close> = sync.Shared(), sync.Pool(1)
    shared.future = pool:submit(function() return shared end)
    shared.witness = witness
  end,
  ["a Scope by the error of its thread"] = function(witness)
    local scope = sync.Scope()
    local thread = scope:spawn(function() error { scope, witness } end)
    assert(not pcall(thread.result, thread))
  end,
  ["a cycle with a tail, and what hangs on it"] = function(witness)
    local first = sync.Queue()
    local last = first
    for _ = 1, 100 do
      local next = sync.Queue()
      next:put { sync.Event(), sync.Lock() }
      last:put(next)
      last = next
    end
    last:put(first)
    local tail = sync.Shared { first = first }
    last:put { sync.Shared { tail }, witness }
  end,
}

local names = {}
for name in pairs(cycles) do names[#names + 1] = name end
table.sort(names)

describe("A cycle is collected:", function()
  for _, name in ipairs(names) do
    it(name, function()
      local make = cycles[name]
      local function check()
        sync.set_excepthook(function() end)
        assert(goes(make), "it stays")
        sync.set_excepthook(nil)
      end
      support.in_both_worlds(check)
    end)
  end

  it("however long, without recursion #noasan #notsan #novalgrind", function()
    assert.is_true(goes(function(witness)
      local first = sync.Queue()
      local last = first
      for _ = 1, 100000 do
        local next = sync.Queue()
        last:put(next)
        last = next
      end
      last:put(first)
      last:put(witness)
    end))
  end)

  it("also once what led to it has let go while nothing else happens", function()
    local before, holder = sync.active_count(), sync.Shared()
    do
      local queue, pool = sync.Queue(), sync.Pool(1)
      pool:submit(type, 1):result()
      queue:put { queue, pool }
      holder.queue = queue
    end
    for _ = 1, 5 do
      collectgarbage()
      sync.sleep(0.01)
    end
    assert.equal(before + 1, sync.active_count())
    assert.is_true(goes(function(witness)
      local queue = holder.queue
      queue:put(witness)
      holder.queue = nil
    end, before))
  end)

  it("whose last reference goes with a thread, when no search is worth its time", function()
    local before, held = sync.active_count(), {}
    for i = 1, 5000 do
      held[i] = sync.Queue()
      held[i]:put(held[i])
    end
    local go = sync.Event()
    local thread = sync.spawn(function()
      go:wait()
      collect() -- the next search is due some time later
      local queue, pool = sync.Queue(), sync.Pool(1)
      pool:submit(type, 1):result()
      queue:put { queue, pool }
    end)
    for _ = 1, 3 do collect() end
    go:set()
    thread:join()
    support.wait_until(function()
      collectgarbage()
      return sync.active_count() == before
    end)
    assert(held[1]:get() == held[1])
  end)

  it("made by a thread that has ended", function()
    local before = sync.active_count()
    for _ = 1, 3 do
      sync.spawn(function()
        local queue, pool = sync.Queue(), sync.Pool(1)
        pool:submit(type, 1):result()
        queue:put { queue, pool }
      end):join()
    end
    support.wait_until(function()
      collect()
      return sync.active_count() == before
    end)
  end)
end)

describe("What can be reached is not collected:", function()
  -- Locals lie in queues that their own fields refer to, in other queues inside of those, in Shared tables, and are
  -- taken out again by whoever comes, while threads make garbage of the same kind and have it collected.
  it("fields of Locals that come back by ways of which the state knows nothing", function()
    support.in_both_worlds(function()
      local queues, shared, rounds = {}, sync.Shared(), 150
      for i = 1, 3 do queues[i] = sync.Queue() end
      local function work(seed)
        math.randomseed(seed)
        for round = 1, rounds do
          local queue = queues[math.random(#queues)]
          local here = sync.Local()
          here.key, here.queue, here.me = seed * rounds + round, queue, here
          local inner = sync.Queue()
          inner:put { here }
          here.inner = inner
          queue:put { round % 2 == 0 and inner or here, here.key }
          do
            local garbage, around = sync.Local(), sync.Queue()
            garbage.queue, garbage.me = around, { garbage }
            around:put { garbage, around }
          end
          local item = queues[math.random(#queues)]:get(false)
          if item then
            local other, key = item[1], item[2]
            if tostring(other):find "^Queue" then other = other:get()[1] end
            if (key - 1) // rounds == seed then
              assert(other.key == key and other.me == other and other.inner)
              shared[math.random(3)] = other
              if math.random(2) == 1 then queue:put { other, key } end
            end
          end
          if round % 30 == 0 then
            here, inner, item = nil -- luacheck: ignore
            for _ = 1, 2 do collectgarbage() end
            sync.sleep(0)
          end
          for i = 1, 3 do
            local one = shared[i]
            if one and one.key then assert(one.me == one and one.inner and one.queue) end
          end
        end
      end
      local threads = {}
      for i = 1, 3 do threads[i] = sync.spawn(work, i) end
      for _, thread in ipairs(threads) do thread:result() end
    end)
  end)

  it("a cycle that a state, a queue, a Shared or a message leads to", function()
    support.in_both_worlds(function()
      local function cycle(word)
        local a, b = sync.Queue(), sync.Shared()
        a:put { b, word }
        b.queue = a
        return a
      end
      local function check(queue, word)
        local item = queue:get(false)
        assert(item[2] == word and item[1].queue == queue)
      end
      local own, box, shared = cycle "own", sync.Queue(), sync.Shared()
      box:put(cycle "queue")
      shared[1] = cycle "shared"
      local thread = sync.spawn(function() return cycle "result" end)
      thread:join()
      local waiting = sync.spawn(function(queue)
        sync.sleep(0.01)
        check(queue, "argument")
      end, cycle "argument")
      local unstarted = sync.Thread(check, cycle "unstarted", "unstarted")
      sync.Queue():put(unstarted)
      collect()
      check(own, "own")
      check(box:get(), "queue")
      check(shared[1], "shared")
      check(thread:result(), "result")
      waiting:result()
      unstarted:start():result()
    end)
  end)

  it("what a thread waits for that only it knows", function()
    local before = sync.active_count()
    local lock = sync.Lock()
    lock:acquire()
    local thread = support.start_blocked(function()
      local queue = sync.Queue()
      queue:put { queue, "kept" }
      lock:acquire()
      return queue:get(false)[2]
    end)
    collect()
    lock:release()
    assert.equal("kept", support.finish(thread))
    assert.equal(before, sync.active_count())
  end)

  -- Tokens are cycles themselves. Threads take them out of queues and Shared tables, forget them, put them elsewhere,
  -- and make garbage that leads to them; meanwhile searches find them everywhere and nowhere.
  it("tokens that threads move about while searches run", function()
    local TOKENS, PLACES, THREADS, ROUNDS = 24, 6, 4, 400
    local queues, tables = {}, {}
    for i = 1, PLACES do
      queues[i] = i % 2 == 0 and sync.LifoQueue() or sync.Queue()
      tables[i] = sync.Shared()
    end
    -- The places refer to each other, so that only the references of states keep them.
    for _, shared in ipairs(tables) do shared.places = { table.unpack(queues) } end
    for i = 1, TOKENS do
      local token = sync.Queue { name = "token " .. i }
      token:put { token, i, sync.Shared { token } }
      queues[i % PLACES + 1]:put(token)
    end
    local function move(seed)
      math.randomseed(seed)
      for round = 1, ROUNDS do
        local from, to, spot = math.random(PLACES), math.random(PLACES), math.random(PLACES)
        local token = queues[from]:get(false)
        if token then
          local item = token:get()
          assert(item[1] == token and item[3][1] == token)
          assert(tostring(token):match "token (%d+)" == tostring(item[2]))
          token:put(item)
          tables[spot][math.random(3)] = token -- often the last reference to another that lies there, but for its queue
          local garbage = sync.Queue()
          garbage:put { garbage, token, sync.Shared { queues[to] } }
          queues[to]:put(token)
        end
        if round % 20 == 0 then
          token = nil -- luacheck: ignore
          collectgarbage()
        end
      end
    end
    local threads = {}
    for i = 1, THREADS do threads[i] = support.start(move, i) end
    for _, thread in ipairs(threads) do support.finish(thread) end
    local seen = {}
    for _, queue in ipairs(queues) do
      while not queue:empty() do
        local item = queue:get():get(false)
        seen[item[2]] = true
        assert.is_true(item[1] == item[3][1])
      end
    end
    assert.equal(TOKENS, #seen)
  end)
end)

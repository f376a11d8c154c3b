local sync = require "luasync"

local function memory()
  local file = io.open "/proc/self/statm"
  local _, pages = file:read("n", "n")
  file:close()
  return pages * 4
end

--- Runs the bodies `first` times and then `more` times: the memory has grown by less than so many KiB.
local function assert_flat(bodies, first, more, most, simulate)
  local function run(times)
    for i = 1, times do
      for _, body in ipairs(bodies) do simulate(body, i) end
      if i % 10 == 0 then collectgarbage() end -- reports are garbage of this state, which collects rarely
    end
    collectgarbage()
    collectgarbage()
    return memory()
  end
  local before = run(first)
  local after = run(more)
  assert.is_true(after - before < most, ("%d KiB, then %d"):format(before, after))
end

describe("simulate", function()
  it("leaves no memory behind, however worlds end #noasan #notsan #novalgrind", function()
    local bodies = {
      function()
        local queue, lock = sync.Queue(), sync.Lock()
        sync.spawn(function() lock:with(function() queue:put { 1, 2, { 3 } } end) end):join()
        return queue:get()
      end,
      function()
        local a, b, queue = sync.Lock(), sync.Lock(), sync.Queue()
        queue:put(queue)
        queue:put { queue, sync.Shared { queue } }
        sync.spawn(function() b:acquire() sync.sleep(1) a:acquire() end)
        a:acquire()
        sync.sleep(1)
        b:acquire()
      end,
      function()
        sync.spawn(function() error { ("x"):rep(1000) } end)
        sync.Thread { target = function() sync.Queue():get() end, daemon = true }:start()
        error { ("y"):rep(2000) }
      end,
      function() local condition = sync.Condition() condition:acquire() condition:wait(5) condition:wait() end,
      function()
        local shared = sync.Shared()
        for i = 1, 100 do shared["k" .. i] = i end
        local following, state = pairs(shared)
        following(state)
        for _ in pairs(shared) do sync.Event():wait() end
      end,
      function()
        local list = {}
        for i = 1, 200 do list[i] = { i } end
        local function wait() sync.Event():wait() end
        sync.Queue():put { list, setmetatable({}, { __transfer = wait }) }
      end,
    }
    assert_flat(bodies, 150, 600, 1000, function(body, i) sync.simulate(body, { seed = i }) end)
  end)

  it("keeps no object that holds itself, a Local or an RWLock once it has ended #noasan #notsan #novalgrind", function()
    local bodies = {
      function() local queue = sync.Queue() queue:put(queue) end,
      function()
        local a, b = sync.Queue(), sync.Queue()
        a:put { b, ("x"):rep(9000) }
        b:put(a)
      end,
      function() local shared = sync.Shared() shared.me = shared end,
      function()
        for _ = 1, 20 do
          local lock = sync.RWLock()
          sync.Queue():put(lock)
          lock:read()
        end
      end,
      function()
        local shared, queue = sync.Shared(), sync.PriorityQueue()
        shared.queue = queue
        queue:put { 1, shared }
      end,
      function() local queue = sync.LifoQueue() queue:put(function() return queue end) end,
      function()
        local queue = sync.Queue()
        local thread = sync.Thread { target = function() return queue end }
        queue:put(thread)
        thread:start():join()
      end,
      function()
        local shared = sync.Shared()
        shared.pinned = sync.Local(function(self) self.shared = shared end)
        assert(shared.pinned.shared == shared)
        sync.spawn(function() return shared.pinned.shared ~= nil end):result()
      end,
    }
    assert_flat(bodies, 100, 700, 500, function(body) assert.is_nil(sync.simulate(body).error) end)
  end)
end)

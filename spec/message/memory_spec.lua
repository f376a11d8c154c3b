-- What crosses is given back: functions called and forgotten, big items, objects that were only made.
local support = require "spec.support"

--- Defines rss(): the memory of the process in KiB, and prints "skipped" where there is no /proc.
local RSS = [[
  local sync = require "luasync"
  local function rss()
    for line in io.lines "/proc/self/status" do
      local kib = line:match "^VmRSS:%s*(%d+)"
      if kib then return tonumber(kib) end
    end
  end
]]

describe("Memory follows use #noasan #notsan #novalgrind", function()
  it("where a worker calls functions from a queue for ever", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local jobs, done = sync.Queue(), sync.Queue()
      sync.Thread { daemon = true, target = function()
        for job in jobs:items() do done:put(job()) end
      end }:start()
      local function round(n)
        for i = 1, n do
          jobs:put(function() return i end)
          done:get()
        end
      end
      round(3000)
      local before = rss()
      round(20000)
      local grown = rss() - before
      print(grown < 3000 and "flat" or grown)
    ]]))
  end)

  for _, kind in ipairs { "Queue", "Lock", "Event", "Condition", "Semaphore", "Shared", "Thread" } do
    it("where many are made and dropped: " .. kind, function()
      assert.equal("flat\n", support.output(RSS .. "local kind = '" .. kind .. "'" .. [[
        local before, most = rss(), 0
        for i = 1, 60000 do
          sync[kind](kind == "Thread" and print or nil)
          if i % 2000 == 0 then most = math.max(most, rss() - before) end
        end
        print(most < 6000 and "flat" or most)
      ]]))
    end)
  end

  it("where threads that were given tables have let go of queues", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local function round()
        local queue = sync.Queue()
        queue:put(("x"):rep(1 << 20))
        sync.spawn(function(list) list[1] = queue:qsize() end, {}):join()
        queue = nil
        collectgarbage()
      end
      for _ = 1, 4 do round() end
      local before = rss()
      for _ = 1, 30 do round() end
      local grown = rss() - before
      print(grown < 15000 and "flat" or grown)
    ]]))
  end)

  it("where a Shared's keys are long texts, are walked through and go", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local shared, before = sync.Shared(), nil
      for i = 1, 200 do
        local key = ("k"):rep(1 << 20) .. i
        shared[key] = i
        for k in pairs(shared) do assert(k == key) end
        shared[key] = nil
        if i == 40 then before = rss() end
      end
      local grown = rss() - before
      print(grown < 30000 and "flat" or grown)
    ]]))
  end)

  it("where many lead back to themselves", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local before, most = rss(), 0
      for i = 1, 40000 do
        local here, queue, shared = sync.Local(), sync.Queue(), sync.Shared()
        here.queue, shared.here = queue, here
        queue:put { here, queue, shared }
        if i % 2000 == 0 then most = math.max(most, rss() - before) end
      end
      print(most < 6000 and "flat" or most)
    ]]))
  end)

  it("where many are made and dropped in a simulated world", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local report = sync.simulate(function()
        local function make(n)
          for _ = 1, n do
            for _, kind in ipairs { "Queue", "Event", "Condition", "Shared", "RWLock" } do sync[kind]() end
          end
        end
        make(3000)
        local before = rss()
        make(30000)
        return rss() - before
      end)
      local grown = report.results[1]
      print(grown < 2500 and "flat" or grown)
    ]]))
  end)

  it("where many simulated worlds have been", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local function round(n) for _ = 1, n do sync.simulate(function() end) end end
      round(1000)
      local before = rss()
      round(20000)
      local grown = rss() - before
      print(grown < 6000 and "flat" or grown)
    ]]))
  end)

  it("where classes are sent and dropped", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local queue = sync.Queue()
      local function round(n)
        for _ = 1, n do
          local class = { text = ("x"):rep(10000) }
          class.__index = class
          for _ = 1, 2 do
            queue:put(setmetatable({}, class))
            queue:get()
          end
        end
        collectgarbage()
      end
      round(300)
      local before = rss()
      round(2000)
      local grown = rss() - before
      print(grown < 8000 and "flat" or grown)
    ]]))
  end)

  it("where many objects wait in a queue: what hangs on their class is there once", function()
    assert.equal("flat\nflat\n", support.output(RSS .. [[
      local blob = ("x"):rep(1 << 20)
      local Plain, Parent = { blob = blob }, { blob = blob }
      Plain.__index, Parent.__index = Plain, Parent
      local Child = setmetatable({}, { __index = Parent })
      Child.__index = Child
      for _, class in ipairs { Plain, Child } do
        local queue, before = sync.Queue(), rss()
        for _ = 1, 100 do queue:put { setmetatable({}, class) } end
        local grown = rss() - before
        assert(#queue:get()[1].blob == 1 << 20)
        print(grown < 30000 and "flat" or grown)
      end
    ]]))
  end)

  it("where the collector finds them while a hook is called", function()
    assert.equal("flat\n", support.output(RSS .. [[
      local big = ("x"):rep(20000)
      local before = rss()
      debug.sethook(function() end, "l")
      for _ = 1, 3000 do
        sync.Queue():put(big)
        local grows = {}
        for i = 1, 100 do grows[i] = i end        -- the next chance to collect is that of the hook
      end
      debug.sethook()
      for _ = 1, 4 do collectgarbage() end
      local grown = rss() - before
      print(grown < 10000 and "flat" or grown)
    ]]))
  end)

  it("where a worker waits after big items", function()
    assert.equal("given back\n", support.output(RSS .. [[
      local q, taken = sync.Queue(), sync.Queue()
      sync.Thread { daemon = true, target = function()
        local function one() taken:put(#q:get()) end
        while true do one() end
      end }:start()
      local before = rss()
      for _ = 1, 5 do
        q:put(("x"):rep(20000000))
        taken:get()
      end
      local function send_table()
        local big = {}
        for i = 1, 300000 do big[i] = { i } end
        q:put(big)
        taken:get()
      end
      for _ = 1, 3 do send_table() end
      collectgarbage()
      collectgarbage()
      local deadline = sync.monotonic() + 20
      while rss() - before > 9000 and sync.monotonic() < deadline do sync.sleep(0.01) end
      local kept = rss() - before
      print(kept <= 9000 and "given back" or kept)
    ]]))
  end)
end)

--- luasync --race: unordered accesses in an ordinary run, in each world.
local command = require "spec.command"

local WORLDS = { { "--race" }, { "--race", "--virtual" }, { "--race", "--seed", "7" } }

local function each_world(text, check)
  for _, options in ipairs(WORLDS) do check(command.text(text, table.unpack(options)), table.concat(options, " ")) end
end

local RACE = [[
local sync = require "luasync"
local shared = sync.Shared({ n = 0 }, { name = "counts" })
local function write() shared.n = 1 end
local function read() return shared.n end
local writer = sync.Thread{ name = "W", target = write }:start()
local reader = sync.Thread{ name = "R", target = read }:start()
writer:join()
reader:join()
print "done"
]]

local CLEAN = [[
local sync = require "luasync"
local s = sync.Shared{ n = 0, total = 0 }
local lock, rw, event, queue = sync.Lock(), sync.RWLock(), sync.Event(), sync.Queue(2)
local barrier, sem, condition, atomic = sync.Barrier(2), sync.Semaphore(0), sync.Condition(), sync.Atomic(0)

local function work(i)
  for _ = 1, 50 do
    lock:with(function() s.n = s.n + 1 end)
    sync.update(s, "total", function(v) return v + 1 end)
    do local _ <close> = rw:hold_write() s.rw = i end
    do local _ <close> = rw:hold_read() assert(s.rw) end
  end
  s["mine" .. i] = i
  barrier:wait()
  assert(s["mine" .. 3 - i] == 3 - i)
end
local a, b = sync.spawn(work, 1), sync.spawn(work, 2)
a:join()
b:join()
s.n = s.n + 1

local consumer = sync.spawn(function()
  for item in queue:items() do item.value = item.value + 1 end
  event:set()
end)
local item = sync.Shared{ value = 1 }
queue:put(item)
queue:shutdown()
event:wait()
assert(item.value == 2)
consumer:join()

local waiter = sync.spawn(function()
  sem:acquire()
  s.n = s.n + 1
  local _ <close> = condition:hold()
  s.ready = true
  condition:notify()
end)
s.n = 0
sem:release()
condition:with(function() condition:wait_for(function() return s.ready end) end)
waiter:result()
s.n = s.n + 1

sync.scope(function(scope) scope:spawn(function() s.n = s.n + 1 end) end)
s.n = s.n + 1
local pool <close> = sync.Pool(2)
pool:submit(function() s.n = s.n + 1 end):result()
s.n = s.n + 1
for i = 1, 600 do sync.spawn(function() s[i] = i end):join() end   -- more than are followed at a time
local late = sync.Timer(0.001, function() s.n = s.n + 1 end):start()
late:join()
local index = sync.select{ sync.spawn(function() s.n = s.n + 1 end) }
assert(index == 1)
s.n = s.n + 1
atomic:add(1)
print(s.total)
]]

describe("--race", function()
  it("tells both threads and lines, once, and the program goes on; exit code 1", function()
    each_world(RACE, function(r, world)
      assert.equal(1, r.code, world)
      assert.equal("done\n", r.out)
      assert.matches("luasync: race on 'n' of Shared 'counts': nothing orders\n", r.err, 1, true)
      assert.matches("\n  W sets it at [^\n]+:3\n", r.err)
      assert.matches("\n  R gets it at [^\n]+:4\n", r.err)
      assert.equal(1, select(2, r.err:gsub("race on", "")))
    end)
  end)

  it("prints the line that repeats a simulated run", function()
    local r = command.text(RACE, "--race", "--virtual")
    assert.matches("replay: [^\n]*%-%-replay \"[^\"]+\" %-%-race ", r.err)
  end)

  it("says nothing where all is ordered", function()
    each_world(CLEAN, function(r, world)
      assert.equal("", r.err, world)
      assert.equal("100\n", r.out)
      assert.equal(0, r.code)
    end)
  end)

  it("goes with --explore, which finds races by itself", function()
    local r = command.text(RACE, "--race", "--explore")
    assert.equal(1, r.code)
    assert.matches("FAIL race", r.out)
  end)

  it("convicts the tutorials and examples that race, and no others", function()
    local guilty = {}
    for _, folder in ipairs{ "tutorial", "examples" } do
      for path in io.popen("ls scripts/" .. folder .. "/*.lua"):lines() do
        if not path:find "parallel_sum" then
          local r = command.run{ "--race", "--virtual", path }
          if r.err:find "race on" then guilty[#guilty + 1] = path:match "([^/]+)%.lua$" end
        end
      end
    end
    assert.same({ "52_event_shared_resource", "53_event_shared_resource_walkthrough", "lost_update", "lost_wakeup" },
      guilty)
  end)
end)

-- The table of --waits, of programs whose waits are known exactly, since their time is virtual.
local support = require "spec.support"
local sync = require "luasync"
local trace = require "luasync.trace"

-- The lines of the table after a run of this code, which is the file w.lua.
local function waits_of(code)
  local file = support.temporary ".json"
  local report = sync.simulate(assert(load(code, "@w.lua")), { trace = file })
  assert.is_true(report.ok, report.error)
  local recording = assert(trace.read(file))
  os.remove(file)
  local rows = {}
  for line in trace.waits(recording):gmatch "[^\n]+" do rows[#rows + 1] = line:gsub("  +", " | ") end
  return rows
end

local START = [[
local sync = require "luasync"
local function go(name, f)
  local t = sync.Thread{ name = name, target = f }
  t:start()
  return t
end
]]

describe("the waits of a run", function()
  it("are shared out among those who had the lock meanwhile", function()
    assert.same({
      "waited for | thread | time | times | held by",
      "Lock 'A' | second | 4 s | 1 | first (w.lua:9)",
      "Lock 'A' | first | 2 s | 1 | holder (w.lua:8)",
      "Lock 'A' | second | 1 s | 1 | holder (w.lua:8)",
      "thread | running | ready | waiting | sleeping",
      "MainThread | 0 s | 0 s | 0 s | 20 s",
      "holder | 0 s | 0 s | 0 s | 3 s",
      "first | 0 s | 0 s | 2 s | 5 s",
      "second | 0 s | 0 s | 5 s | 2 s",
      "critical path: MainThread sleeps 20 s",
    }, waits_of(START .. [[
local a = sync.Lock{ name = "A" }
go("holder", function() a:acquire() sync.sleep(3) a:release() end)
go("first", function() sync.sleep(1) a:acquire() sync.sleep(4) a:release() end)
go("second", function() sync.sleep(2) a:acquire() a:release() end)
sync.sleep(20)
]]))
  end)

  it("name readers, writers, units and what moves from a condition to its lock", function()
    assert.same({
      "waited for | thread | time | times | held by",
      "Semaphore 'S' | poor | 5 s | 2 | unit (w.lua:13)",
      "RLock-1 | waiter | 3 s | 1 | notifier (w.lua:9)",
      "RWLock 'R' | writer | 3 s | 1 | reader (w.lua:10)",
      "Condition-1 | waiter | 2 s | 1",
      "RWLock 'R' | late | 1 s | 1 | writer (w.lua:11)",
      "thread | running | ready | waiting | sleeping",
      "MainThread | 0 s | 0 s | 0 s | 9 s",
      "waiter | 0 s | 0 s | 5 s | 0 s",
      "notifier | 0 s | 0 s | 0 s | 5 s",
      "reader | 0 s | 0 s | 0 s | 4 s",
      "writer | 0 s | 0 s | 3 s | 3 s",
      "late | 0 s | 0 s | 1 s | 5 s",
      "unit | 0 s | 0 s | 0 s | 6 s",
      "poor | 0 s | 0 s | 5 s | 1 s",
      "critical path: MainThread sleeps 9 s",
    }, waits_of(START .. [[
local c, rw, s = sync.Condition(), sync.RWLock{ name = "R" }, sync.Semaphore(1, { name = "S" })
go("waiter", function() c:acquire() c:wait() c:release() end)
go("notifier", function() sync.sleep(2) c:acquire() c:notify() sync.sleep(3) c:release() end)
go("reader", function() rw:read() sync.sleep(4) rw:release() end)
go("writer", function() sync.sleep(1) rw:write() sync.sleep(2) rw:release() end)
go("late", function() sync.sleep(5) rw:read() rw:release() end)
go("unit", function() s:acquire() sync.sleep(6) s:release() end)
go("poor", function() sync.sleep(1) s:acquire(true, 2) s:acquire() s:release() end)
sync.sleep(9)
]]))
  end)

  it("lead back from the end to whoever was waited for", function()
    local rows = waits_of(START .. [[
local q, e = sync.Queue(), sync.Event()
local maker = go("maker", function() sync.sleep(2) q:put(1) end)
local mover = go("mover", function() q:get() sync.sleep(3) e:set() end)
e:wait()
sync.sleep(4)
]])
    assert.equal("critical path: maker sleeps 2 s → mover sleeps 3 s → MainThread sleeps 4 s", rows[#rows])
  end)
end)

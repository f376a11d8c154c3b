-- Threads that wait for what nobody can do any more are told of, once, while the others go on: in the real world.
local command = require "spec.command"

local PRELUDE = [[
local sync = require "luasync"
local function start(name, f, ...)
  return sync.Thread { name = name, daemon = true, target = f, args = { ... } }:start()
end
local function go_on()
  collectgarbage()
  collectgarbage()
  for _ = 1, TIMES do sync.sleep(0.05) end
end
]]

local WARNING = "luasync: warning: "

--- The warnings of a script that goes on for `seconds` after its last line, in order of their text.
local function warnings(script, seconds)
  local result = command.text(PRELUDE:gsub("TIMES", (seconds * 20) // 1 | 0) .. script .. "\ngo_on()")
  assert.equal(0, result.code, result.err)
  local list = {}
  for line in result.err:gmatch(WARNING .. "([^\n]+)") do list[#list + 1] = line end
  table.sort(list)
  return list, result.err
end

-- A busy machine may take its time: the run is given more of it before the warning counts as missing.
local function told(script, ...)
  local expected, found = { ... }, nil
  table.sort(expected)
  for _, seconds in ipairs { 1, 3, 12 } do
    found = warnings(script, seconds)
    if #found >= #expected then break end
  end
  assert.same(expected, found)
end

local function silent(script) assert.same({}, (warnings(script, 1.6))) end

local function hopeless(name, object)
  local text = "%s waits for ever, unless it is interrupted: nothing that goes on can reach %s any more"
  return text:format(name, object)
end

describe("A thread that waits for ever while others go on is told of", function()
  it("at each object that only it has", function()
    local list = {}
    for name, object in pairs {
      get = "Queue 'G'", put = "Queue 'P'", task = "Queue 'T'", event = "Event 'E'", condition = "Condition 'C'",
      semaphore = "Semaphore 'S'", barrier = "Barrier 'B'", lock = "Lock 'L'",
    } do
      list[#list + 1] = hopeless(name, object)
    end
    told([[
      start("get", function() sync.Queue { name = "G" }:get() end)
      start("put", function() local q = sync.Queue(1, { name = "P" }) q:put(1) q:put(2) end)
      start("task", function() local q = sync.Queue { name = "T" } q:put(1) q:join() end)
      start("event", function() sync.Event { name = "E" }:wait() end)
      start("condition", function() local c = sync.Condition { name = "C" } c:acquire() c:wait() end)
      start("semaphore", function() sync.Semaphore(0, { name = "S" }):acquire() end)
      start("barrier", function() sync.Barrier(2, { name = "B" }):wait() end)
      start("lock", function() local l = sync.Lock { name = "L" } l:acquire() l:acquire() end)
    ]], table.unpack(list))
  end)

  it("with the line where it waits", function()
    local _, err = warnings([[
      start("W", function()
        local q = sync.Queue { name = "Q" }
        return q:get()
      end)
    ]], 1.5)
    assert.matches("\nThread W %(daemon%): waiting in get of Queue 'Q' %(0 items%), since %d+%.%d+ s at %S+:12\n", err)
  end)

  it("where the others that have its object wait in the same way", function()
    told([[
      local e = sync.Event { name = "E" }
      for i = 1, 3 do start("W" .. i, function() e:wait() end) end
      e = nil
    ]], hopeless("W1", "Event 'E'"), hopeless("W2", "Event 'E'"), hopeless("W3", "Event 'E'"))
    told([[
      local q, lock = sync.Queue { name = "Q" }, sync.Lock { name = "L" }
      start("A", function() lock:acquire() q:get() end)
      sync.sleep(0.1)
      local b = start("B", function() lock:acquire() end)
      start("C", function() b:join() end)
      q, lock, b = nil
    ]], hopeless("A", "Queue 'Q'"), hopeless("B", "Lock 'L'"),
      "C waits for ever, unless it is interrupted: the thread that it waits for does")
  end)

  it("in a select, where that is so for each of its objects", function()
    local text = "%s waits for ever, unless it is interrupted: nothing that goes on can bring about one of %s"
    told([[
      start("S", function() sync.select { sync.Queue { name = "Q" }, sync.Event { name = "E" } } end)
      start("one", function() sync.select { sync.Semaphore(0, { name = "Z" }) } end)
      local b = start("B", function() sync.Queue { name = "QB" }:get() end)
      start("T", function() sync.select { b, sync.Event { name = "ET" } } end)
      local lock = sync.Lock { name = "L" }
      start("holder", function() lock:acquire() sync.Event { name = "EL" }:wait() end)
      sync.sleep(0.1)
      start("L", function() sync.select { lock, sync.Event { name = "F" } } end)
      b, lock = nil
    ]], text:format("S", "Queue 'Q', Event 'E'"), text:format("one", "Semaphore 'Z'"), hopeless("B", "Queue 'QB'"),
      text:format("T", "Thread 'B', Event 'ET'"), hopeless("holder", "Event 'EL'"),
      text:format("L", "Lock 'L', Event 'F'"))
  end)

  it("when the last of the others has let go", function()
    told([[
      local q = sync.Queue { name = "Q" }
      start("W", function() q:get() end)
      sync.sleep(0.5)
      q = nil
    ]], hopeless("W", "Queue 'Q'"))
  end)

  it("once, and then it can still be interrupted", function()
    told([[
      local thread = start("V", function()
        local q = sync.Queue { name = "V" }
        local ok, message = pcall(q.get, q)
        assert(message == "interrupted")
      end)
      sync.sleep(1.5)
      assert(thread:interrupt() and thread:join(10))
    ]], hopeless("V", "Queue 'V'"))
  end)
end)

describe("Nothing is told", function()
  it("while a thread that goes on has the object, or it lies where one can get it", function()
    silent [[
      kept = sync.Event()
      start("variable", function() kept:wait() end)
      local q = sync.Queue()
      q:put(sync.Event())
      start("queue", function() local e = q:get() q:put(e) e:wait() end)
      kept_too = q
      table_of_all = sync.Shared { e = sync.Event() }
      start("shared", function(s) s.e:wait() end, table_of_all)
      unstarted = sync.Thread { target = function(e) e:set() end, args = { sync.Event() } }
    ]]
  end)

  it("where a timer, a sleeper or a wait with a timeout may do it", function()
    silent [[
      local e, f, q = sync.Event(), sync.Event(), sync.Queue()
      local timer = sync.Timer(30, function() e:set() end)
      timer.daemon = true
      timer:start()
      start("E", function() e:wait() end)
      start("sleeper", function() sync.sleep(30) f:set() end)
      start("F", function() f:wait() end)
      start("waiter", function() sync.Event():wait(30) q:put(1) end)
      start("Q", function() q:get() end)
      e, f, q, timer = nil
    ]]
  end)

  it("of a select, while one of its objects may come", function()
    silent [[
      kept = sync.Queue()
      start("kept", function() sync.select { sync.Event(), kept } end)
      start("time", function() sync.select({ sync.Event() }, 30) end)
      local sleeper = start("sleeper", function() sync.sleep(30) end)
      start("thread", function() sync.select { sync.Event(), sleeper } end)
      local lock = sync.Lock()
      start("holder", function() lock:acquire() sync.sleep(30) lock:release() end)
      sync.sleep(0.1)
      start("lock", function() sync.select { sync.Event(), lock } end)
      pool = sync.Pool(1)
      local future = pool:submit(function() require "luasync".sleep(3) end)
      start("future", function() sync.select { sync.Event(), future } end)
      sleeper, lock, future = nil
    ]]
  end)

  it("of the threads of a scope, which interrupts them when one fails", function()
    silent [[
      start("owner", function()
        local scope <close> = sync.Scope()
        scope:spawn(function() sync.Event():wait() end)
        scope:spawn(function() sync.sleep(30) error "fails" end)
      end)
    ]]
  end)

  it("of the idle workers of a pool", function()
    silent "pool = sync.Pool(3) for i = 1, 3 do pool:submit(function() return i end) end"
  end)

  it("of who shuts a pool down, while its worker works", function()
    silent [[
      start("shuts down", function()
        local pool = sync.Pool(1)
        pool:submit(function() require "luasync".sleep(1.3) end)
        pool:shutdown()
      end)
    ]]
  end)

  it("of a circle of waits, which has a warning of its own", function()
    local found = warnings([[
      local a, b = sync.Lock(), sync.Lock()
      start("X", function() a:acquire() sync.sleep(0.2) b:acquire() end)
      start("Y", function() b:acquire() sync.sleep(0.2) a:acquire() end)
      a, b = nil
    ]], 1.6)
    assert.same({ "2 threads wait for each other, the others go on" }, found)
  end)

  it("with --no-deadlock-check", function()
    local script = PRELUDE:gsub("TIMES", "20") .. "start('W', function() sync.Queue():get() end) go_on()"
    assert.equal("", command.text(script, "--no-deadlock-check").err)
  end)
end)

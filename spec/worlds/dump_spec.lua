local sync = require "luasync"
local support = require "spec.support"
local command = require "spec.command"

local function named(threads, name)
  for _, t in ipairs(threads) do
    if t.name == name then return t end
  end
end

describe("threads", function()
  it("tells of a thread that waits for a lock who holds it since where", function()
    local lock = sync.Lock { name = "door" }
    lock:acquire()
    local line = debug.getinfo(1, "l").currentline - 1
    local thread = sync.Thread { name = "guest", daemon = true, target = function() lock:acquire() end }:start()
    support.blocked(thread)
    local t = named(sync.threads(), "guest")
    lock:release()
    support.finish(thread)
    assert.equal("blocked", t.state)
    assert.equal("acquire", t.operation)
    assert.equal("Lock", t.object_kind)
    assert.equal("door", t.object_name)
    assert.equal(sync.current_thread().name, t.holder)
    assert.is_false(t.holder_ended)
    assert.equal(line, t.held_line)
    assert.matches("dump_spec.lua$", t.held_file)
    assert.equal(line + 2, t.line)
    assert.is_true(t.daemon)
    assert.is_true(t.since >= 0 and t.since < 20)
    assert.is_nil(t.deadline)
    assert.matches("in method 'acquire'", t.traceback, 1, true)
  end)

  it("tells the line of a lock that is taken through pcall, each time anew", function()
    local lock = sync.Lock()
    local line = debug.getinfo(1, "l").currentline
    pcall(lock.acquire, lock)
    lock:release()
    pcall(lock.acquire, lock)
    local thread = sync.Thread { name = "guest", daemon = true, target = function() lock:acquire() end }:start()
    support.blocked(thread)
    local t = named(sync.threads(), "guest")
    lock:release()
    support.finish(thread)
    assert.equal(line + 3, t.held_line)
  end)

  it("tells whole lines while other threads take the lock", function()
    local lock, condition, stop = sync.Lock(), sync.Condition(), sync.Event()
    local function take()
      while not stop:is_set() do
        if lock:acquire(true, 0.001) then sync.sleep(0) end
        if lock:acquire(true, 0.001) then sync.sleep(0) end
        condition:with(function() condition:notify() condition:wait(0.001) end)
        if lock:locked() then pcall(lock.release, lock) end
      end
    end
    local threads = { sync.spawn(take), sync.spawn(take), sync.spawn(take) }
    for _ = 1, 200 do
      for _, t in ipairs(sync.threads()) do
        for _, file in ipairs { t.held_file, t.lost_file } do assert.matches("dump_spec.lua$", file) end
      end
    end
    stop:set()
    for _, thread in ipairs(threads) do thread:result() end
  end)

  it("tells of timed waits and sleeps how long they have to go", function()
    local queue = sync.Queue { name = "inbox" }
    local a = sync.Thread { name = "getter", daemon = true, target = function() queue:get(true, 20) end }:start()
    local b = sync.Thread { name = "sleeper", daemon = true, target = function() pcall(sync.sleep, 30) end }:start()
    support.blocked(a)
    support.blocked(b)
    local list = sync.threads()
    local getter, sleeper, me = named(list, "getter"), named(list, "sleeper"), named(list, sync.current_thread().name)
    queue:put(1)
    b:interrupt()
    support.finish(a)
    support.finish(b)
    assert.equal("Queue 'inbox' (0 items)", getter.object)
    assert.is_true(getter.deadline > 5 and getter.deadline <= 20)
    assert.equal("sleeping", sleeper.state)
    assert.is_true(sleeper.deadline > 15 and sleeper.deadline <= 30)
    assert.equal("running", me.state)
    assert.matches("dump_spec.lua", me.traceback, 1, true)
  end)

  it("is exact in a simulated world", function()
    local report = sync.simulate(function()
      local event = sync.Event { name = "E" }
      sync.Thread { name = "W", target = function() event:wait(10) end }:start()
      sync.sleep(4)
      local t = sync.threads()[2]
      return t.name, t.state, t.operation, t.since, t.deadline, t.object, #sync.threads()
    end)
    assert.same({ "W", "blocked", "wait", 4.0, 6.0, "Event 'E' (unset)", 2, n = 7 }, report.results)
  end)
end)

describe("dump", function()
  it("is the same as text", function()
    local report = sync.simulate(function()
      local lock = sync.Lock { name = "L" }
      lock:acquire()
      sync.Thread { name = "T", daemon = true, target = function() lock:acquire(true, 8) end }:start()
      sync.Thread { name = "S", target = function() sync.sleep(5) end }:start()
      sync.sleep(1)
      return sync.dump()
    end)
    local text = report.results[1]
    assert.matches("^luasync: 3 threads\nThread MainThread: running\n", text)
    assert.matches("Thread T %(daemon%): waiting in acquire of Lock 'L' %(locked by MainThread%), "
      .. "held by MainThread %(%S+dump_spec.lua:%d+%), since 1%.000 s, 7%.000 s to go at %S+dump_spec.lua:%d+\n", text)
    assert.matches("Thread S: sleeping, since 1%.000 s, 4%.000 s to go at ", text)
    assert.matches("\n$", text)
  end)

  it("goes on to who has resumed the coroutine in which a thread waits", function()
    local report = sync.simulate(function()
      local function waits() sync.Event():wait(1) end
      sync.spawn(function() coroutine.wrap(function() coroutine.resume(coroutine.create(waits)) end)() end)
      sync.sleep(0.5)
      return sync.threads()[2].traceback
    end)
    local _, frames = report.results[1]:gsub("dump_spec%.lua:%d+: in ", "")
    assert.equal(3, frames, report.results[1])
    assert.matches("(...resumed by...)\n\t[C]: in field 'resume'", report.results[1], 1, true)
  end)
end)

describe("SIGQUIT", function()
  -- The script gets two of them; its threads go on and end well.
  local function quit_twice(body)
    return command.text([[
      local sync = require "luasync"
      local stop = sync.Event()
      local function quit() os.execute "(sleep 0.05; kill -QUIT $PPID) &" sync.sleep(0.4) end
      ]] .. body)
  end

  it("dumps threads in tight loops, in get() and asleep, and the program goes on", function()
    local result = quit_twice [[
local q = sync.Queue{ name = "inbox" }
local function spin()
  local n = 0
  while not stop:is_set() do for _ = 1, 100000 do n = n + 1 end end
  return n
end
local a = sync.Thread{ name = "spinner", target = spin }:start()
local b = sync.Thread{ name = "getter", target = function() return q:get() end }:start()
sync.sleep(0.1)
quit() quit()
q:put(5) stop:set()
print(b:result(), a:result() > 0)]]
    assert.equal("5\ttrue\n", result.out)
    assert.equal(0, result.code)
    local _, times = result.err:gsub("luasync: 3 threads\n", "")
    assert.equal(2, times, result.err)
    local _, spinning = result.err:gsub("Thread spinner: running\n  stack traceback:\n[^\n]*%.lua:%d+: in ", "")
    assert.equal(2, spinning, result.err)
    assert.matches("Thread getter: waiting in get of Queue 'inbox' (0 items)", result.err, 1, true)
    assert.matches("Thread MainThread: sleeping, since 0.%d+ s, 0.%d+ s to go at ", result.err)
  end)

  it("dumps while the main thread spins or is inside io.read #notsan", function()
    local result = quit_twice [[
local t = sync.monotonic()
sync.spawn(function() sync.sleep(0.1) os.execute "(sleep 0.05; kill -QUIT $PPID) &" end)
while sync.monotonic() < t + 0.5 do end
print "went on"]]
    assert.equal("went on\n", result.out)
    assert.matches("Thread MainThread: running\n  stack traceback:\n", result.err, 1, true)
    local path = command.script [[
      local sync = require "luasync"
      sync.Thread{ name = "other", daemon = true, target = function() sync.sleep(30) end }:start()
      sync.spawn(function() sync.sleep(0.1) os.execute "(sleep 0.05; kill -QUIT $PPID) &" end):join()
      print(io.read())]]
    local reading = command.run({ path }, "{ sleep 0.6; echo line; } |", "")
    os.remove(path)
    assert.equal("line\n", reading.out)
    assert.matches("Thread MainThread: running", reading.err, 1, true)
    assert.matches("Thread other (daemon): sleeping", reading.err, 1, true)
  end)

  it("dumps also before any thread was started #notsan", function()
    local result = command.text [[
local quit = io.popen "(sleep 0.1; kill -QUIT $PPID; echo sent)"
print(quit:read())
for _ = 1, 1e7 do end
os.execute "sleep 1" -- on a busy machine it comes only now
print "went on"]]
    assert.equal("sent\nwent on\n", result.out)
    assert.matches("^luasync: 1 thread\nThread MainThread: ", result.err)
  end)

  it("dumps the threads of a simulated run, which goes on", function()
    local result = command.text([[
local sync = require "luasync"
sync.Thread{ name = "sleeper", target = function() sync.sleep(5) print "awake" end }:start()
sync.sleep(1)
os.execute "kill -QUIT $PPID"
for _ = 1, 1000 do end
print(sync.monotonic())]], "--virtual")
    assert.equal("1.0\nawake\n", result.out)
    assert.equal(0, result.code)
    assert.matches("^luasync: 2 threads\nThread MainThread: running\n  stack traceback:\n[^\n]*%.lua:%d: in main chunk",
      result.err)
    assert.matches("Thread sleeper: sleeping, since 1.000 s, 4.000 s to go at ", result.err, 1, true)
  end)

  it("comes while a thread is in os.execute", function()
    local result = command.text [[
local sync = require "luasync"
local t = sync.spawn(function() os.execute "sleep 0.3" end)
sync.sleep(0.1)
local quit = io.popen "kill -QUIT $PPID; echo sent"
print(quit:read())
t:join()]]
    assert.equal("sent\n", result.out)
    assert.matches("^luasync: 2 threads\n", result.err)
  end)

  it("shows the traceback of threads that wait for the system", function()
    local result = command.text([[
local sync = require "luasync"
local function pipe() local file = io.popen "sleep 9" local line = file:read() return line end
local function execute() local ok = os.execute "sleep 9" return ok end
local function all() local file = io.popen "echo begun; sleep 9" local text = file:read "a" return text end
local function lines() for line in io.popen "echo 1; printf 2; sleep 9":lines() do lines = line end end
local function number() local file = io.popen "printf 12; sleep 9" local n = file:read "n" return n end
local function fill() local file = io.popen("sleep 9", "w") local ok = file:write(("x"):rep(1000000)) return ok end
local function finish() local file = io.popen("sleep 9", "w") local ok = file:close() return ok end
for _ = 1, 3 do sync.Thread { daemon = true, target = function() while true do sync.threads() end end }:start() end
local targets = {
  pipe = pipe, execute = execute, all = all, lines = lines, number = number, fill = fill, finish = finish,
}
for name, target in pairs(targets) do sync.Thread { name = name, daemon = true, target = target }:start() end
local function all_wait(text)
  for name in pairs(targets) do
    local waits = "Thread " .. name .. " (daemon): running\n  stack traceback:\n  \t[C]: in "
    if not text:find(waits, 1, true) then return end
  end
  return true
end
local text, from = nil, sync.monotonic()
repeat text = sync.dump() until all_wait(text) or sync.monotonic() > from + 8
print(text)]])
    for i, waits in ipairs { "pipe method 'read'", "execute field 'execute'", "all method 'read'", "lines for iterator",
      "number method 'read'", "fill method 'write'", "finish method 'close'" } do
      local name, call = waits:match "^(%S+) (.*)"
      local head = "Thread " .. name .. " %(daemon%): running\n  stack traceback:\n"
      assert.matches(head .. ("  \t%%[C%%]: in %s[^\n]*\n  \t[^\n]*:%d: in "):format(call, i + 1), result.out)
    end
    assert.equal(0, result.code)
  end)
end)

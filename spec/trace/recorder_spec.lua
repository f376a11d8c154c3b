-- The recorder: what threads did in both worlds, and how it gets into a file.
local support = require "spec.support"
local sync = require "luasync"
local trace = require "luasync.trace"

local function run(command)
  local pipe = io.popen(command .. " 2>&1", "r")
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

-- Runs code by the command with these options and --trace; the recording, the output, the exit code. Under nohup SIGHUP
-- is ignored, and so it would be in the command, were it not started by timeout.
local function record(code, options)
  local script, file = support.temporary ".lua", support.temporary ".json"
  support.write_file(script, code)
  local command = ("timeout -k 1 %d %s %s --trace %s %s"):format(support.LONG, support.quote(support.host),
    options or "", file, script)
  local text, exit = run(command)
  local recording, message = trace.read(file)
  os.remove(script)
  os.remove(file)
  assert(recording, tostring(message) .. "\n" .. text)
  return recording, text, exit
end

-- A program of random calls on every kind of object; it always ends.
local RANDOM = [==[
local sync = require "luasync"
local seed = tonumber(SEED)
local function work(seed, me, o)
  local x = seed * 7919 + me * 104729
  local function random(n) x = (x * 1103515245 + 12345) % 2147483648 return x // 65536 % n + 1 end
  local acts = {
    function() o.lock:acquire() o.n.v = (o.n.v or 0) + 1 o.lock:release() end,
    function() if o.lock:acquire(false) then o.lock:release() end end,
    function() if o.lock:acquire(true, 0.001) then sync.sleep(0.001) o.lock:release() end end,
    function() o.rlock:acquire() o.rlock:acquire() o.rlock:release() o.rlock:release() end,
    function() o.semaphore:acquire() o.semaphore:release() end,
    function() if o.semaphore:acquire(true, 0.001) then o.semaphore:release() end end,
    function() o.queue:put(me, true, 0.002) end,
    function() o.queue:get(true, 0.002) end,
    function() o.stack:put { me = me } o.stack:get() end,
    function() o.heap:put { random(5), "x" } o.heap:get() end,
    function() o.event:set() o.event:wait(0.001) end,
    function() o.event:clear() o.event:wait(0.001) end,
    function() o.condition:with(function() o.condition:wait(0.001) end) end,
    function() o.condition:with(function() o.condition:notify_all() end) end,
    function() o.rw:read() o.rw:release() end,
    function() o.rw:write() o.rw:release() end,
    function() o.atomic:add(1) end,
    function() sync.update(o.n, "u", function(v) return (v or 0) + 1 end) end,
    function() o.barrier:wait(0.001) o.barrier:reset() end,
    function() sync.spawn(function() end):join() end,
    function()
      local taken = sync.select({ o.spare, o.semaphore, o.lock, o.rlock, o.event }, 0.001)
      local giver = ({ nil, o.semaphore, o.lock, o.rlock })[taken]
      if giver then giver:release() end
    end,
    function() sync.select({ o.event, o.spare }, 0) end,
    function() sync.select({ o.spare, o.event }, 0.001) end,
    function() o.spare:get(true, 0.001) end,
    function() o.spare:put(me) end,
    function() print(me) end,
  }
  for _ = 1, 12 do acts[random(#acts)]() end
end
local o = { lock = sync.Lock(), rlock = sync.RLock{ name = "r" }, semaphore = sync.Semaphore(2), queue = sync.Queue(2),
  stack = sync.LifoQueue(), heap = sync.PriorityQueue(), event = sync.Event(), condition = sync.Condition(),
  rw = sync.RWLock(), atomic = sync.Atomic(), n = sync.Shared{}, barrier = sync.Barrier(2),
  spare = sync.LifoQueue() }
local threads = {}
for me = 1, 4 do threads[me] = sync.spawn(work, seed, me, o) end
for _, thread in ipairs(threads) do thread:result() end
]==]

local function random_program(seed) return (RANDOM:gsub("SEED", tostring(seed))) end

describe("the recorder", function()
  it("is consistent for random programs in simulated worlds", function()
    for seed = 1, 150 do
      local file = support.temporary ".json"
      local report = sync.simulate(assert(load(random_program(seed))), { seed = seed, trace = file })
      local recording = assert(trace.read(file))
      os.remove(file)
      assert.is_true(report.ok, tostring(report.error))
      assert.same({}, trace.check(recording), "seed " .. seed)
    end
  end)

  it("is consistent for random programs of OS threads", function()
    for seed = 1, 12 do
      local recording, text, exit = record(random_program(seed))
      assert.equal(0, exit, text)
      assert.same({}, trace.check(recording), "seed " .. seed)
    end
  end)

  it("changes nothing in a simulated run", function()
    local file = support.temporary ".json"
    for seed = 1, 20 do
      local plain = sync.simulate(assert(load(random_program(seed))), { seed = seed })
      local traced = sync.simulate(assert(load(random_program(seed))), { seed = seed, trace = file })
      assert.equal(plain.schedule, traced.schedule)
      assert.equal(plain.output, traced.output)
      assert.equal(plain.virtual_time, traced.virtual_time)
      os.remove(file)
    end
  end)

  it("knows what is taken, put, handed, printed and shared, and at which line", function()
    local recording = record([[
local sync = require "luasync"
local lock, queue, shared = sync.Lock{ name = "A" }, sync.Queue(1, { name = "Q" }), sync.Shared({}, { name = "S" })
local t = sync.Thread{ name = "getter", target = function(q) return q:get() end, args = { queue } }
t:start()
sync.sleep(1)
lock:acquire()
queue:put("fox")
shared.key = 5
lock:release()
print(t:result(), shared.key)
]], "--virtual")
    local file = recording.doc.files[1].name
    assert(recording:order { "MainThread start getter " .. file .. ":4", "getter wait get Q",
      "MainThread acquire A " .. file .. ":6", "MainThread put 'fox' Q " .. file .. ":7", "getter get Q",
      "MainThread write S " .. file .. ":8", "MainThread release A", "getter end", "MainThread read S",
      "MainThread print " .. file .. ":10" })
  end)

  it("shows a Pool as its tasks, and what becomes of each", function()
    local recording = record([[
local sync = require "luasync"
local pool = sync.Pool(1)
local sleeping = pool:submit(sync.sleep, 1)
local failing = pool:submit(error, "no")
local never = pool:submit(print)
print(never:cancel(), sleeping:result(0))
sleeping:result()
print(pcall(failing.result, failing))
pool:shutdown()
]], "--virtual")
    assert.same({}, trace.check(recording))
    assert(recording:order { "MainThread submit Pool-1", "MainThread cancel Future-3", "MainThread result Future-1",
      "MainThread wait Future-1", "Pool-1_1 take Pool-1", "Pool-1_1 run Future-1", "Pool-1_1 wait sleep",
      "Pool-1_1 resolve Future-1", "Pool-1_1 run Future-2", "Pool-1_1 resolve Future-2",
      "Pool-1_1 wait take Pool-1", "MainThread result Future-1", "MainThread shutdown Pool-1" })
    for event in recording:events() do
      assert.is_not.equal("Queue", event.object_kind)
      assert.is_not.equal("select", event.op)
    end
  end)

  it("has what wakes others before that, for barriers and timers too", function()
    local recording = record([[
local sync = require "luasync"
local barrier, queue = sync.Barrier(2, { name = "B" }), sync.Queue{ name = "Q" }
local timer = sync.Timer(5, print, "never")
timer:start()
local other = sync.Thread{ name = "other", target = function() barrier:wait() end }:start()
barrier:wait()
timer:cancel()
timer:join()
other:join()
barrier:wait(0.1)
queue:shutdown()
sync.select({ queue })
sync.select({ sync.Event() }, 0)
]], "--virtual")
    assert.same({}, trace.check(recording))
    local sentences = {}
    for s = 1, recording:steps() do sentences[s] = recording:sentence(s):gsub("'Thread%-%d+'", "T") end
    local text = table.concat(sentences, "\n")
    for _, sentence in ipairs {
      "Thread-1 waits until 5.000 s", "MainThread waits at Barrier 'B'",
      "other passes Barrier 'B' as number 2 → wakes MainThread", "MainThread cancels Timer T → wakes Thread-1",
      "MainThread finds Barrier 'B' broken", "MainThread gets nothing from Queue 'Q' → selects number 1",
      "MainThread selects nothing: timeout",
    } do assert.matches("\n" .. sentence .. "\n", text, 1, true) end
  end)

  it("writes after a deadlock, with its circle", function()
    local code = [[
local sync = require "luasync"
local a, b = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }
local first, second = sync.Event(), sync.Event()
local t = sync.Thread{ name = "other", target = function(x, y, e, f) x:acquire() e:set() f:wait() y:acquire() end,
  args = { b, a, first, second } }
t:start()
a:acquire()
second:set()
first:wait()
b:acquire()
]]
    for _, options in ipairs { "", "--virtual" } do
      local recording, text, exit = record(code, options)
      local verdict = recording.runs[1].verdict
      assert.equal(3, exit, text)
      assert.equal("deadlock", verdict.kind)
      assert.same({ 0, 1 }, verdict.circle)
      assert.matches("waits for Lock 'B' held by other", verdict.sentence, 1, true)
    end
  end)

  it("tells the error of a thread, and of a function that is simulated", function()
    local recording = record("require 'luasync'.spawn(error, 'mine'):join()", "--virtual")
    local verdict = recording.runs[1].verdict
    assert.same({ "mine", "An error in Thread-1 (error) ended the run." }, { verdict.text, verdict.sentence })
    local file = support.temporary ".json"
    local report = sync.simulate(function() error({}) end, { trace = file })
    assert.is_false(report.ok)
    assert.equal("(error object is a table value)", assert(trace.read(file)).runs[1].verdict.text)
    os.remove(file)
  end)

  it("writes after an error, os.exit and Ctrl-C", function()
    for _, options in ipairs { "", "--virtual" } do
      local recording, _, exit = record("error 'no'", options)
      local verdict = recording.runs[1].verdict
      assert.same({ "error", 1 }, { verdict.kind, exit })
      assert.matches(":1: no$", verdict.text)
      assert.equal("An error in MainThread ended the run.", verdict.sentence)
      assert(recording:order { "MainThread err " .. recording.doc.files[1].name .. ":1", "MainThread end" })
      recording, _, exit = record("require 'luasync'.spawn(function() os.exit(7) end):join()", options)
      assert.same({ "exit", 7 }, { recording.runs[1].verdict.kind, exit })
    end
    local recording, _, exit = record [[io.popen "kill -INT $PPID":close() require "luasync".sleep(20)]]
    assert.same({ "error", 1 }, { recording.runs[1].verdict.kind, exit })
  end)

  it("writes after a signal, which ends the program all the same", function()
    local code = [[
local sync = require "luasync"
sync.Lock{ name = "A" }:acquire()
io.popen("kill -%s $PPID"):close()
while true do sync.sleep(0.01) end
]]
    local signals = { TERM = 15, HUP = 1, SEGV = 11, ABRT = 6 }
    if support.host:find "build/[%a-]+/" then signals.SEGV = nil end -- a sanitizer's own
    for _, options in ipairs { "", "--virtual" } do
      for name, number in pairs(signals) do
        local recording = record(code:format(name), options)
        local verdict = recording.runs[1].verdict
        assert.same({ "signal", 128 + number }, { verdict.kind, verdict.exit })
        assert.matches("^Signal " .. number .. " has ended the program", verdict.text)
        assert(recording:order { "MainThread acquire A" })
        assert.same({}, trace.check(recording))
      end
    end
    local script = support.temporary ".lua"
    support.write_file(script, code:format "TERM")
    local text = run(("{ LUASYNC_TRACE=- %s %s; echo $?; }"):format(support.quote(support.host), script))
    os.remove(script)
    assert.matches("MainThread takes Lock 'A'", text, 1, true)
    assert.matches("143\n$", text)
  end)

  -- ThreadSanitizer keeps signals back while C code computes
  it("writes after a second Ctrl-C, which ends C code #notsan", function()
    for _, options in ipairs { "", "--virtual" } do
      local flag = support.temporary ""
      local recording, _, exit = record(([[
local flag = %q
require "luasync".Lock{ name = "A" }:acquire()
local pid = io.open("/proc/self/stat"):read "n"
io.popen(("sh -c 'while [ ! -e %%s ]; do sleep 0.1; done; sleep 0.2; kill -INT %%d; sleep 0.2; kill -INT %%d'")
  :format(flag, pid, pid))
io.open(flag, "w"):close()
print(("a"):rep(40):find(("a*"):rep(40) .. "b"))
]]):format(flag), options)
      os.remove(flag)
      local verdict = recording.runs[1].verdict
      assert.same({ "signal", 130 }, { verdict.kind, verdict.exit })
      assert.same({ "Signal 2 has ended the program: Interrupt.", true }, { verdict.text, exit == 130 or exit == 2 })
      assert(recording:order { "MainThread acquire A" })
    end
  end)

  it("keeps names and texts as they are", function()
    local name = "a 'quoted' \"</script>\"\nname\1"
    local recording = record(([[
local sync = require "luasync"
sync.Lock{ name = %q }:acquire()
print("</script>\0\255")
]]):format(name))
    assert.equal(name, recording.runs[1].objects[2].name)
    assert.matches("</script>", recording.runs[1].events.text["1"], 1, true)
  end)

  it("leaves out what luasync does for itself", function()
    local recording = record([[
local logging = require "luasync.logging"
logging.basicConfig { level = logging.DEBUG }
logging.debug "hello"
]], "--virtual")
    assert.equal(2, recording:steps())
    assert(recording:order { "MainThread print", "MainThread end" })
    for _, object in ipairs(recording:state(2).objects) do assert.is_nil(object.name:find "luasync") end
  end)

  it("says how many of the oldest events are lost", function()
    local file = support.temporary ".json"
    local report = sync.simulate(function()
      local s = require "luasync"
      s.trace.start { events = 1000 }
      local lock = s.Lock()
      for _ = 1, 5000 do
        lock:acquire()
        lock:release()
      end
      return s.trace.save(file)
    end)
    assert.is_true(report.ok, report.error)
    assert.is_true(report.results[1], report.results[2])
    local recording = assert(trace.read(file))
    os.remove(file)
    assert.is_true(recording.runs[1].lost >= 8000)
    assert.equal(10000, recording.runs[1].lost + #recording.runs[1].events.t)
    assert.same({}, trace.check(recording))
  end)

  it("can be stopped, and started anew", function()
    local file = support.temporary ".json"
    local report = sync.simulate(function()
      local s = require "luasync"
      local lock = s.Lock{ name = "A" }
      local counts = { s.trace.stop() }
      local function save()
        assert(s.trace.save(file))
        counts[#counts + 1] = assert(require "luasync.trace".read(file)):steps()
      end
      s.trace.start()
      lock:acquire()
      save()
      counts[#counts + 1] = s.trace.stop()
      lock:release()
      save()
      s.trace.start()
      lock:acquire()
      lock:release()
      save()
      return table.unpack(counts)
    end)
    os.remove(file)
    assert.is_true(report.ok, report.error)
    assert.same({ false, 1, true, 1, 2, n = 5 }, report.results)
  end)

  it("says before the run what cannot be written", function()
    local text, exit = run(support.quote(support.host) .. " --trace /no/such/x.html -e 'print(1)'")
    assert.equal(1, exit)
    assert.matches("cannot write /no/such/x.html: No such file or directory\n$", text)
    text, exit = run(support.quote(support.host) .. " --trace x.gif -e 'print(1)'")
    assert.equal(1, exit)
    assert.matches("bad value 'x.gif' for option '--trace'", text, 1, true)
  end)

  it("fails where the disk is full", function()
    for _, options in ipairs { "", "--virtual" } do
      for _, ending in ipairs { ".html", ".json", ".txt" } do
        local file = support.temporary(ending)
        os.execute("ln -s /dev/full " .. file)
        local text, exit = run(("%s %s --trace %s -e 'print(1)'"):format(support.quote(support.host), options, file))
        os.remove(file)
        assert.equal(1, exit)
        assert.matches("cannot write " .. file .. ": No space left on device\n$", text)
      end
    end
  end)

  it("leaves no part of a file that could not be written whole", function()
    for _, before in ipairs { false, "old" } do
      local file = support.temporary ".html"
      if before then assert(io.open(file, "w")):write(before):close() else os.remove(file) end
      local text, exit = run(("trap '' XFSZ; ulimit -f 8; %s --trace %s -e 'print(1)'"):format(
        support.quote(support.host), file))
      assert.equal(1, exit)
      assert.matches("cannot write " .. file .. ": File too large\n$", text)
      assert.is_nil(io.open(file))
    end
  end)

  it("says what is wrong with a page that it is to write in another form", function()
    local page, to = support.temporary ".html", support.temporary ".json"
    run(("%s --virtual --trace %s -e 'print(1)'"):format(support.quote(support.host), page))
    local file = assert(io.open(page))
    local text = file:read "a"
    file:close()
    for _, length in ipairs { 0, 1, 150, text:find('id="data">', 1, true) + 100 } do
      assert(io.open(page, "w")):write(text:sub(1, length)):close()
      local said, exit = run(("%s --trace %s %s"):format(support.quote(support.host), to, page))
      assert.equal(1, exit)
      assert.matches(page .. ": the page ends before its recording does, or is none of luasync's\n$", said)
    end
    assert(io.open(page, "w")):write(text):close()
    assert.same({ "", 0 }, { run(("%s --trace %s %s"):format(support.quote(support.host), to, page)) })
    os.remove(page)
    os.remove(to)
  end)

  it("says what is wrong with a recording that it is to write in another form", function()
    local from, to = support.temporary ".json", support.temporary ".html"
    for content, problem in pairs {
      [""] = "cut off %(after 0 bytes%)", ["hello"] = "not a recording of luasync",
      ['{"format":"luasync timeline","version":7}'] = "a recording of version 7; this luasync reads version 1",
      ['{"format":"luasync timeline","version":1,"ki'] = "cut off",
    } do
      support.write_file(from, content)
      local text, exit = run(("%s --trace %s %s"):format(support.quote(support.host), to, from))
      assert.equal(1, exit)
      assert.matches(problem, text)
    end
    os.remove(from)
  end)

  it("writes a recording in another form", function()
    local from, to = support.temporary ".json", support.temporary ".txt"
    run(("%s --virtual --trace %s -e 'print(5)'"):format(support.quote(support.host), from))
    local text, exit = run(("%s --trace %s %s"):format(support.quote(support.host), to, from))
    assert.same({ "", 0 }, { text, exit })
    local file = assert(io.open(to))
    assert.matches("MainThread", file:read "a", 1, true)
    file:close()
    os.remove(from)
    os.remove(to)
  end)

  it("writes lanes below the report of a deadlock", function()
    local text, exit = run(support.quote(support.host)
      .. " --virtual --trace - -e 'local l = require [[luasync]].Lock{ name = [[A]] } l:acquire() l:acquire()'")
    assert.equal(3, exit)
    assert.matches("replay: .-MainThread  █.-Lock 'A'.-MainThread waits for Lock 'A', held by MainThread", text)
  end)

  it("prints where time went", function()
    local text = run(support.quote(support.host)
      .. " --virtual --waits -e 'require [[luasync]].spawn(require [[luasync]].sleep, 2)'")
    assert.matches("the end of Thread-1  MainThread   2 s      1", text, 1, true)
  end)

  it("writes runs that fail where LUASYNC_TRACE says", function()
    local file = support.temporary ".json"
    local before = "LUASYNC_TRACE=" .. file .. " " .. support.quote(support.host)
    for _, options in ipairs { "", "--virtual" } do
      run(before .. " " .. options .. " -e 'print(1)'")
      assert.is_nil(io.open(file))
      run(before .. " " .. options .. " -e 'error(1)'")
      assert.equal("error", assert(trace.read(file)).runs[1].verdict.kind)
      os.remove(file)
    end
  end)
end)

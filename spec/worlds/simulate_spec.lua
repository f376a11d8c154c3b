local sync = require "luasync"
local support = require "spec.support"

local function lost_update()
  local s = sync.Shared { n = 0 }
  local function work()
    local x = s.n
    s.n = x + 1
  end
  local a, b = sync.spawn(work), sync.spawn(work)
  a:join()
  b:join()
  return s.n
end

-- Not through a pipe, whose other end may still be open here.
local function open_files()
  local path = os.tmpname()
  os.execute(("ls /proc/%d/fd | wc -l >%s"):format(sync.get_native_id(), path))
  local file = io.open(path)
  local n = file:read "n"
  file:close()
  os.remove(path)
  return n
end

describe("simulate", function()
  it("reports results, steps, virtual time, schedule and output", function()
    local report = sync.simulate(function()
      print("hello", 1)
      io.write "a"
      io.stderr:write "b"
      sync.sleep(7.5)
      return 1, nil, { "x" }, nil
    end)
    assert.is_true(report.ok)
    assert.equal(4, report.results.n)
    assert.equal(1, report.results[1])
    assert.same({ "x" }, report.results[3])
    assert.equal(7.5, report.virtual_time)
    assert.equal("hello\t1\nab", report.output)
    assert.is_true(report.steps >= 4 and report.steps < 20)
    assert.matches("^0 ! 0 %.$", report.schedule)
    assert.is_true(report.closed)
    assert.equal(0, report.thread_errors)
    assert.is_nil(report.error)
    assert.is_nil(report.deadlock)
    assert.is_nil(report.livelock)
  end)

  it("reports the error of fn as it is, and those of threads that nobody took", function()
    local report = sync.simulate(function() error { code = 5 } end)
    assert.is_false(report.ok)
    assert.same({ code = 5 }, report.error)
    assert.is_nil(report.results)
    report = sync.simulate(function() sync.spawn(error, "boom") end)
    assert.is_false(report.ok)
    assert.equal(1, report.thread_errors)
    assert.matches("Exception in thread Thread%-1", report.output)
    report = sync.simulate(function() pcall(sync.Thread.result, sync.spawn(error, "boom")) end)
    assert.is_false(report.ok)
  end)

  it("reaches both results of an unlocked increment, and repeats each", function()
    local seen, count = {}, { 0, 0 }
    for seed = 1, 100 do
      local report = sync.simulate(lost_update, { seed = seed })
      seen[report.results[1]] = report
      count[report.results[1]] = count[report.results[1]] + 1
      local again = sync.simulate(lost_update, { seed = seed })
      assert.equal(report.schedule, again.schedule)
      assert.equal(report.results[1], again.results[1])
    end
    assert.is_true(count[1] >= 5 and count[2] >= 5)
    for n = 1, 2 do
      local report = sync.simulate(lost_update, { schedule = seen[n].schedule })
      assert.equal(n, report.results[1])
      assert.equal(seen[n].schedule, report.schedule)
      assert.equal(seen[n].steps, report.steps)
    end
  end)

  it("repeats the pace of the collector, whatever is the first in its process to do something", function()
    assert.equal("true\n", support.output [[
      local sync = require "luasync"
      local function memory()
        local queue, class = require "luasync".Queue(), { __index = {} }
        for _ = 1, 3 do queue:put(setmetatable({}, class)) end
        return collectgarbage "count"
      end
      local first = sync.simulate(memory).results[1]
      print(first == sync.simulate(memory).results[1])
    ]])
  end)

  it("repeats schedules of lasting deadlocks, ticks and prints", function()
    local function body()
      local a, b = sync.Lock { name = "A" }, sync.Lock { name = "B" }
      local function cross(x, y)
        print "begin"
        x:acquire()
        sync.sleep(0.5)
        print "has one"
        y:acquire(true, 9)
        y:acquire()
      end
      sync.spawn(cross, a, b)
      sync.spawn(cross, b, a)
    end
    for seed = 1, 30 do
      local report = sync.simulate(body, { seed = seed })
      assert.is_string(report.deadlock)
      local again = sync.simulate(body, { schedule = report.schedule })
      assert.equal(report.deadlock, again.deadlock)
      assert.equal(report.output, again.output)
      assert.equal(report.schedule, again.schedule)
    end
  end)

  it("refuses bad arguments", function()
    local function raises(text, ...)
      support.raises(text, function(...) sync.simulate(...) end, ...)
    end
    raises("function expected, got no value")
    raises("function expected, got string", "x")
    raises("table expected, got number", print, 5)
    raises("field 'seed' must be an integer", print, { seed = 1.5 })
    raises("field 'schedule' must be a string", print, { schedule = 5 })
    raises("field 'schedule': 'x' is not part of a schedule", print, { schedule = "x" })
    raises("field 'schedule': the schedule is cut off: it must end with ' .'", print,
      { schedule = "0 1" })
    raises("unknown option 'sed'", print, { sed = 1 })
    raises("either 'seed' or 'schedule', not both", print, { seed = 1, schedule = "0 ." })
    raises("field 'trace' must be a string", print, { trace = 5 })
    raises("unknown ending of 'x.gif': use .html, .json, .perfetto.json, .mmd, .svg or .txt", print,
      { trace = "x.gif" })
  end)

  it("says where it cannot follow a schedule", function()
    local report = sync.simulate(lost_update, { schedule = "0 0 ." })
    assert.is_false(report.ok)
    assert.equal("cannot follow the schedule at its turn 2: thread 0 ('MainThread') waits", report.error)
  end)

  it("remarks that a run ended before its schedule did", function()
    local report = sync.simulate(function() end, { schedule = "0 1 2 ." })
    assert.is_true(report.ok)
    assert.equal("the run ended after turn 1 of the 3 of its schedule", report.note)
    assert.is_nil(sync.simulate(function() end, { schedule = "0 ." }).note)
  end)

  it("lets time go on in a schedule beside a thread that slept and may run", function()
    for last, output in pairs { ["1 2 0 ."] = "a\nb\n", ["2 1 0 ."] = "b\na\n" } do
      local report = sync.simulate(function()
        local a = sync.spawn(function() sync.sleep(1) print "a" end)
        local b = sync.spawn(function() for _ = 1, 3 do sync.sleep(1) end print "b" end)
        a:join()
        b:join()
      end, { schedule = "0 1 2 ! 2 ! 2 ! " .. last })
      assert.same({ true, output, nil }, { report.ok, report.output, report.note })
    end
  end)

  it("keeps objects of one world out of another", function()
    local queue, shared = sync.Queue { name = "outer" }, sync.Shared {}
    support.raises("cannot send Queue 'outer' to another world (at target.<upvalue queue>)", function()
      sync.simulate(function() return queue:qsize() end)
    end)
    assert.has_error(function() sync.simulate(function() return shared.x end) end)
    local cases = {
      ["cannot send Queue 'inner' to another world (at results[1])"] = function()
        return sync.Queue { name = "inner" }
      end,
      ["cannot send Lock 'inner' to another world (at error.q)"] = function()
        error { q = sync.Lock { name = "inner" } }
      end,
      ["cannot send Thread 'MainThread' to another world (at results[1])"] = function()
        return sync.current_thread()
      end,
      ["cannot send a coroutine (at results[1])"] = function() return coroutine.create(print) end,
    }
    for message, body in pairs(cases) do
      local report = sync.simulate(body)
      assert.is_false(report.ok)
      assert.equal(message, support.split(report.error))
    end
    assert.equal(0, queue:qsize())
  end)

  it("nests: each world has its own clock and names", function()
    local report = sync.simulate(function()
      sync.sleep(3)
      local inner = sync.simulate(function()
        sync.sleep(5)
        return sync.spawn(function() return sync.current_thread().name end):result(), sync.monotonic()
      end)
      return inner.results[1], inner.results[2], inner.virtual_time, sync.monotonic()
    end)
    assert.same({ "Thread-1", 5.0, 5.0, 3.0, n = 4 }, report.results)
  end)

  it("runs in several real threads at once", function()
    local threads = {}
    for i = 1, 9 do
      threads[i] = support.start(function()
        local seen = {}
        for seed = 1, 60 do
          local report = sync.simulate(function()
            local s = sync.Shared { n = 0 }
            local function work() s.n = s.n + 1 end
            local a, b = sync.spawn(work), sync.spawn(work)
            a:join()
            b:join()
            return s.n
          end, { seed = seed })
          seen[seed] = report.ok and report.results[1] or report.error
        end
        return table.concat(seen, " ")
      end)
    end
    local first = support.finish(threads[1])
    assert.matches("^[12 ]+$", first)
    for i = 2, 9 do assert.equal(first, support.finish(threads[i])) end
  end)

  it("notes what was asked of the outside", function()
    for _, ask in ipairs {
      function() os.getenv "HOME" end, function() io.open "/dev/null" end, function() os.execute ":" end,
      function() io.lines "/dev/null" end, function() io.tmpfile() end,
    } do
      assert.is_false(sync.simulate(ask).closed)
    end
    assert.is_true(sync.simulate(function() return os.time(), os.date(), os.clock() end).closed)
  end)

  it("has its own date, with and without a format", function()
    local report = sync.simulate(function()
      sync.sleep(86400)
      return os.date "!%Y-%m-%d %H:%M:%S", os.date "!%c", os.date("!%c", os.time()), os.date(), os.date("%c", os.time())
    end)
    local dates = report.results
    assert.same({ "2009-11-11 23:00:00", dates[3], dates[5] }, { dates[1], dates[2], dates[4] })
    assert.is_true(report.closed)
  end)

  it("uses files as ever, and closes those that abandoned threads have open", function()
    local path = os.tmpname()
    local report = sync.simulate(function()
      local file = io.open(path, "w")
      file:write "one\ntwo\n"
      file:close()
      local lines = {}
      for line in io.lines(path) do lines[#lines + 1] = line end
      local pipe = io.popen "exit 3"
      local _, how, code = pipe:close()
      return table.concat(lines, " "), tostring(file), how, code, pcall(file.read, file)
    end)
    os.remove(path)
    assert.same({ "one two", "file (closed)", "exit", 3, false, "attempt to use a closed file", n = 6 }, report.results)
    local function leave_open()
      local file = io.open "/dev/null"
      sync.spawn(function() local other = io.lines "/dev/null" sync.Event():wait() return other end)
      sync.Event():wait()
      return file
    end
    sync.simulate(leave_open)
    local before = open_files()
    for _ = 1, 40 do sync.simulate(leave_open) end
    assert.equal(before, open_files())
  end)

  it("runs finalisers and to-be-closed variables of what ended, not of what was abandoned", function()
    local report = sync.simulate(function()
      sync.spawn(function()
        _G.X = setmetatable({}, { __gc = function() print "thread" error "ignored" end })
      end):join()
      _G.X = setmetatable({}, { __gc = function() print "main" end })
      local _ <close> = setmetatable({}, { __close = function() print "closed" end })
    end)
    assert.is_true(report.ok)
    assert.equal("thread\nclosed\nmain\n", report.output)
    report = sync.simulate(function()
      local _ <close> = setmetatable({}, { __close = function() print "closed" end })
      pcall(function() sync.Event():wait() end)
      print "went on"
    end)
    assert.is_string(report.deadlock)
    assert.equal("", report.output)
  end)

  it("takes the search paths of its caller along", function()
    local path = package.path
    package.path = "/nowhere/?.lua"
    local report = sync.simulate(function() return package.path end)
    package.path = path
    assert.equal("/nowhere/?.lua", report.results[1])
  end)

  it("delivers interrupts, also a second one to a thread that ends meanwhile", function()
    local report = sync.simulate(function()
      local lock = sync.Lock()
      local t = sync.spawn(function()
        local _ <close> = lock:hold()
        sync.sleep(100)
      end)
      sync.sleep(1)
      t:interrupt { 1, 2 }
      t:interrupt "again"
      local ok, problem = pcall(t.result, t)
      return ok, problem, lock:locked(), sync.monotonic()
    end)
    assert.is_true(report.ok, tostring(report.error))
    assert.is_false(report.results[1])
    assert.is_false(report.results[3])
    assert.equal(1.0, report.results[4])
  end)

  it("ends the program by os.exit, from any depth", function()
    local result = support.run [[
      local sync = require "luasync"
      print "before"
      sync.simulate(function() sync.simulate(function() os.exit(9) end) print "not reached" end)
      print "not reached"]]
    assert.equal(9, result.code)
    assert.equal("before\n", result.out)
  end)

  it("holds thousands of threads #heavy #novalgrind", function()
    local report = sync.simulate(function()
      local queue, n = sync.Queue(), 5000
      for i = 1, n do
        sync.spawn(function()
          sync.sleep(i % 7 + 1)
          queue:put(i)
        end)
      end
      local sum = 0
      for _ = 1, n do sum = sum + queue:get() end
      return sum
    end, { seed = 1 })
    assert.is_true(report.ok, tostring(report.error))
    assert.equal(12502500, report.results[1])
    assert.equal(7.0, report.virtual_time)
  end)

  it("does not swallow an interrupt of the thread that runs it #notsan", function()
    for _ = 1, 5 do
      local simulating = sync.Event()
      local thread = support.start(pcall, function()
        simulating:set()
        sync.simulate(function() for _ = 1, 2000000 do end end)
        while true do end
      end)
      simulating:wait()
      sync.sleep(0.005)
      thread:interrupt "enough"
      assert.same({ false, "enough" }, { support.finish(thread) })
    end
  end)

  it("ends also when threads have left pairs early", function()
    local report = sync.simulate(function()
      local shared = sync.Shared { 1, 2 }
      local function leave()
        local following, state = pairs(shared)
        following(state)
      end
      for _ = 1, 3 do sync.spawn(leave):join() end
      for _ = 1, 3 do
        sync.spawn(function() rawset(_G, "kept", setmetatable({}, { __gc = leave })) end):join()
      end
    end)
    assert.is_true(report.ok)
  end)

  it("repeats runs of more than a million operations, and warnings of circles, to the byte #slow", function()
    local function work()
      local atomic = sync.Atomic()
      sync.Thread { daemon = true, target = function() sync.sleep(3) end }:start()
      for round = 1, 2 do
        for _ = 1, 600000 do atomic:add(1) end
        print(round, sync.monotonic())
        sync.sleep(0.1)
      end
    end
    local function circle()
      local a, b = sync.Lock(), sync.Lock()
      local function both(x, y) x:acquire() sync.sleep(0.1) y:acquire() end
      sync.Thread { daemon = true, target = both, args = { a, b } }:start()
      sync.Thread { daemon = true, target = both, args = { b, a } }:start()
      for _ = 1, 3 do sync.sleep(1) print "tick" end
    end
    for _, body in ipairs { work, circle } do
      for seed = 0, 2 do
        local report = sync.simulate(body, seed > 0 and { seed = seed } or nil)
        local again = sync.simulate(body, { schedule = report.schedule })
        assert.equal(report.output, again.output)
        assert.is_nil(again.note)
      end
    end
  end)
end)

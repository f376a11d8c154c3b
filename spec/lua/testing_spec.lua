-- luasync.testing, on small projects that are written into a folder and run by busted in the Lua that runs this spec.

local support = require "spec.support"

local function output_of(command)
  local pipe = io.popen(command)
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

local here = output_of("pwd"):gsub("\n", "")
--- The Lua that runs this spec.
local function this_lua()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]:find "^[^/]+/" and here .. "/" .. arg[i] or arg[i]
end

local busted_path = output_of("command -v busted"):gsub("\n", "")

local HEAD = [[
local sync = require "luasync"
local testing = require "luasync.testing"
]]

--- Runs specs in a folder of their own.
-- @param specs list of texts; each becomes a file
-- @param options options of busted, for the shell
-- @return what it printed, stderr included, and the exit code
local function project(specs, options)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local files = {}
  for i, text in ipairs(specs) do
    files[i] = ("%c_spec.lua"):format(96 + i)
    local file = io.open(folder .. "/" .. files[i], "w")
    file:write(text)
    file:close()
  end
  local module = (os.getenv "LUASYNC_MODULE" or here .. "/build/luasync.so"):gsub("[^/]*$", "?.so")
  local text, code = output_of(("cd %s && env LUA_PATH='%s/lua/?.lua;;' LUA_CPATH='%s;;' timeout -k 1 60 %s %s "
    .. "--ignore-lua %s %s 2>&1"):format(folder, here, module, this_lua(), busted_path, options or "",
    table.concat(files, " ")))
  os.execute("rm -r " .. folder)
  return text, code
end

--- Runs a body of tests; returns its results by name: "ok" or "not ok", and the whole TAP output.
local function results(body, options)
  local text, code = project({ HEAD .. body }, "-o TAP " .. (options or ""))
  local found = {}
  for result, name in text:gmatch "(o?n?o?t? ?ok) %d+ %- ([^\n]+)" do found[name] = result:match "not ok" or "ok" end
  return found, text, code
end

--- Runs one test, which must fail; returns what is said of it.
local function failure(body)
  local text, code = project({ HEAD .. "it('the test', function()\n" .. body .. "\nend)\n"
    .. "it('the next', function() assert.equal(1, sync.active_count()) end)" })
  assert.equal(1, code)
  assert.truthy(text:find("1 success / 1 failure / 0 errors", 1, true), text)
  return text:match "\nFailure [^\n]*\nthe test\n(.-)%s*$" or text
end

describe("luasync.testing #slow", function()
  it("makes a failed assertion in a thread the test's failure, though it was only joined", function()
    local said = failure "sync.spawn(function()\nassert.equal(1, 2)\nend):join()"
    assert.equal("a_spec.lua:5: Expected objects to be equal.\nPassed in:\n(number) 2\nExpected:\n(number) 1\n"
      .. "in thread Thread-1", said)
  end)

  it("makes it one where the result is asked for", function()
    local said = failure "sync.spawn(function() assert.same({ 1 }, { 2 }) end):result()"
    assert.truthy(said:find "^a_spec.lua:4: Expected objects to be the same.\n", said)
  end)

  it("fails a test whose exploration never comes to what it is about", function()
    local said = failure [[
      testing.for_each_seed(1, 5, function() testing.sometimes("pigs fly", false) end)]]
    assert.truthy(said:find("'pigs fly' has never held with the seeds from 1 to 5", 1, true), said)
  end)

  it("makes it one in threads of threads, and in in_thread", function()
    local said = failure "sync.spawn(function() sync.spawn(function() assert.is_true(false) end):join() end):join()"
    assert.truthy(said:find "^a_spec.lua:4: Expected objects to be the same.\n.*in thread Thread%-2$", said)
    said = failure "assert.equal(4, testing.in_thread(function(x) assert.equal(x, 3) return x end, 3))"
    assert.truthy(said:find "^a_spec.lua:4: Expected objects to be equal.\nPassed in:\n%(number%) 3\n", said)
  end)

  it("leaves errors alone that somebody takes, and Lua's own assert", function()
    local found, text = results [[
      it("taken", function()
        local t = sync.spawn(function() assert.equal(1, 2) end)
        assert.has_error(function() t:result() end)
      end)
      it("plain", function()
        local function refuse() assert(false, "no") end
        local function refuse_with_a_table() assert(nil, { 1 }) end
        local _, message = pcall(testing.in_thread, refuse)
        assert.truthy(message:find "no$")
        assert.same({ false, { 1 } }, { pcall(testing.in_thread, refuse_with_a_table) })
        assert.equal(7, sync.spawn(function() return assert(7, "unused") end):result())
      end)
      it("hooked", function()
        local previous = sync.set_excepthook(function() end)
        sync.spawn(error, "silenced"):join()
        sync.set_excepthook(previous)
      end) ]]
    assert.same({ taken = "ok", plain = "ok", hooked = "ok" }, found, text)
    assert.falsy(text:find("Exception in thread", 1, true), text)
  end)

  it("fails the test in which a thread fails, with its name and line", function()
    local said = failure "sync.Thread{ name = 'W', target = function() error 'oops' end }:start():join()"
    assert.equal("a_spec.lua:4: oops\nin thread W", said)
  end)

  it("fails the test that deadlocks, in lines and not in tracebacks, and the run goes on", function()
    local said = failure [[local lock = sync.Lock{ name = "L" }
      lock:acquire()
      sync.Thread{ name = "W", target = function() lock:acquire() end }:start():join()]]
    assert.truthy(said:find "^a_spec.lua:3: luasync: deadlock: all 2 threads wait, and nothing can wake them\n"
      and said:find("W waits for Lock 'L' held by MainThread (a_spec.lua:5)", 1, true)
      and said:find "\nThread W: [^\n]*a_spec.lua:6$", said)
    assert.falsy(said:find("traceback", 1, true), said)
  end)

  it("gives a simulated run one text to print, which ends with how to repeat it", function()
    local said = failure "local r = sync.simulate(function() assert.equal(1, 2) end) assert(r.ok, r.message)"
    assert.truthy(said:find 'Expected objects to be equal.\n.*\nreplay: sync.simulate%(fn, { schedule = "0 %." }%)$',
      said)
  end)

  it("fails with a simulated run, or a search, whose report is not looked at", function()
    local said = failure "sync.simulate(function() assert.equal(1, 2) end)"
    assert.truthy(said:find('^a_spec.lua:4: Expected objects to be equal.\n.*\nreplay: sync.simulate%(fn, ', 1), said)
    said = failure "sync.simulate(function() local l = sync.Lock() l:acquire() l:acquire() end)"
    assert.truthy(said:find "^a_spec.lua:%d: luasync: deadlock: ", said)
    said = failure "sync.explore(function() sync.spawn(function() assert.equal(1, 3) end):join() end)"
    assert.truthy(said:find "error in 1 of 1 executions: Exception in thread", said)
    local found, text = results [[
      local function wrong() assert.equal(1, 2) end
      it("one field is enough", function() assert.is_false(sync.simulate(wrong).ok) end)
      it("of a search, too", function() assert.is_false(sync.explore(wrong).ok) end)
      it("all fields are there", function()
        local names, report = {}, sync.simulate(wrong)
        for name in pairs(report) do names[name] = true end
        assert.truthy(names.ok and names.message and names.error and names.output and names.schedule)
        assert.is_nil(getmetatable(report))
        report = sync.simulate(wrong)
        assert.is_not.same({}, report)
        assert.is_false(report.ok)
      end)
      it("it may travel", function()
        local message = testing.in_thread(function(report) return report.message end, sync.simulate(wrong))
        assert.truthy(message:find "Expected objects to be equal")
      end)
      it("what goes well is nobody's matter", function() sync.simulate(function() end) end)
    ]]
    for _, name in ipairs{ "one field is enough", "of a search, too", "all fields are there", "it may travel",
      "what goes well is nobody's matter" } do
      assert.equal("ok", found[name], text)
    end
  end)

  it("tries seeds until one fails", function()
    local said = failure [[testing.for_each_seed(1, 50, function()
      local s = sync.Shared{ n = 0 }
      local function work() s.n = s.n + 1 end
      local a, b = sync.spawn(work), sync.spawn(work)
      a:join() b:join()
      assert.equal(2, s.n)
    end)]]
    assert.truthy(said:find("^a_spec.lua:9: Expected objects to be equal.\n.*\nreplay: sync.simulate%(fn, "
      .. "{ seed = %d+ }%)$"), said)
    said = failure "testing.for_each_seed(7, 9, function() local l = sync.Lock() l:acquire() l:acquire() end)"
    assert.truthy(said:find("^a_spec.lua:4: luasync: deadlock: the only thread waits.*\nreplay: sync.simulate%(fn, "
      .. "{ seed = 7 }%)$"), said)
  end)

  it("has assertions about threads, each of which can fail", function()
    local found, text = results [[
      local q = sync.Queue{ name = "q" }
      local function get() q:get() end
      local function pass() end
      it("hold", function()
        assert.blocks(get)
        assert.is_not.blocks(pass)
        assert.completes_within(20, pass)
        assert.deadlocks(function() local l = sync.Lock() l:acquire() l:acquire() end)
        assert.is_not.deadlocks(pass)
        assert.eventually(function() return true end)
        assert.never(function() return false end, 0.01)
        assert.equal(1, sync.active_count())
      end)
      it("blocks", function() assert.blocks(pass) end)
      it("slow is not blocked", function() assert.blocks(function() sync.sleep(0.1) end) end)
      it("completes_within", function() assert.completes_within(0.05, get) end)
      it("deadlocks", function() assert.deadlocks(pass) end)
      it("eventually", function() assert.eventually(function() return false end, 0.01) end)
      it("never", function() assert.never(function() return true end, 0.01) end)
      it("in a thread", function()
        testing.in_thread(function() assert.eventually(function() return false end, 0.01) end)
      end) ]]
    assert.same({ hold = "ok", blocks = "not ok", ["slow is not blocked"] = "not ok", completes_within = "not ok",
      deadlocks = "not ok", eventually = "not ok", never = "not ok", ["in a thread"] = "not ok" }, found)
    assert.truthy(text:find("after 0.05 s asserted is in get of Queue 'q' (0 items) at a_spec.lua:4", 1, true), text)
  end)

  it("leaves no thread of an assertion behind where the test is interrupted meanwhile", function()
    local found, text = results [[
      local q = sync.Queue()
      local function interrupted(assertion, ...)
        local me = sync.current_thread()
        sync.spawn(function()
          repeat sync.sleep(0.01) until sync.active_count() == 3
          me:interrupt "enough"
        end)
        local ok, why = pcall(assertion, ...)
        sync.settle()
        return ok, why, sync.active_count()
      end
      it("completes_within", function()
        assert.same({ false, "enough", 1 }, { interrupted(assert.completes_within, 30, function() q:get() end) })
      end)
      it("blocks", function()
        local function works() while true do sync.sleep(0) end end
        assert.same({ false, "enough", 1 }, { interrupted(assert.blocks, works) })
      end) ]]
    assert.same({ completes_within = "ok", blocks = "ok" }, found, text)
  end)

  it("finds threads that a test leaves behind, where it is asked to", function()
    local found, text = results [[
      it("unasked", function() sync.spawn(sync.sleep, 0.2) end)
      describe("asked", function()
        testing.no_threads_left()
        it("clean", function() sync.spawn(sync.sleep, 0.01) end)
        it("leaving", function() sync.Thread{ name = "L", target = sync.sleep, args = { 99 } }:start() end)
        it("after", function() assert.equal(1, sync.active_count()) end)
      end) ]]
    assert.same({ unasked = "ok", ["asked clean"] = "ok", ["asked leaving"] = "not ok", ["asked after"] = "ok" }, found)
    assert.truthy(text:find("a_spec.lua:7: a thread is left: L", 1, true), text)
  end)

  it("works in repeated runs, in several files, and beside files without it", function()
    local one = HEAD .. "it('fails', function() sync.spawn(function() assert.equal(1, 2) end):join() end)"
    local plain = 'local sync = require "luasync"\nit("plain", function() sync.spawn(error, "unseen"):join() end)'
    local text, code = project({ one, plain, one }, "--repeat=2 -o TAP")
    local failed = select(2, text:gsub("not ok %d+ %- fails", ""))
    assert.equal(4, failed, text)
    assert.equal(2, select(2, text:gsub("\nok %d+ %- plain", "")), text)
    assert.truthy(code ~= 0)
  end)

  it("explores: the failure has its place, and its last line repeats the run", function()
    local found, text = results [[
testing.explore_it("update", function()
  local s = sync.Shared{ n = 0 }
  local function work() s.n = s.n + 1 end
  local a, b = sync.spawn(work), sync.spawn(work)
  a:join()
  b:join()
  assert.equal(2, s.n)
end)
testing.explore_it("deadlock", function() sync.Event():wait() end)
testing.explore_it("fine", function() assert.equal(1, 1) end)]]
    assert.same({ update = "not ok", deadlock = "not ok", fine = "ok" }, found, text)
    assert.truthy(text:find("message: a_spec.lua:9: Expected objects to be equal.\n[^@]*"
      .. "# replay: sync.simulate%(fn, { schedule = \"0x[^\"]+\" }%)\n"), text)
    assert.truthy(text:find("message: a_spec.lua:11: luasync: deadlock: the only thread waits[^\n]*\n"
      .. "[^@]*# replay: sync.simulate%(fn, { schedule = \"%.\" }%)\n"), text)
  end)

  it("says so where interleavings cannot be explored", function()
    local sync = require "luasync"
    local found, text = results "testing.explore_it('explored', function() assert.equal(1, 1) end)"
    if sync.explore then assert.same({ explored = "ok" }, found, text)
    else assert.truthy(text:find("explored (sync.explore is not in " .. sync._VERSION .. ")", 1, true), text) end
  end)

  it("writes junit files", function()
    local text = project({ HEAD .. "it('fails', function() sync.spawn(function() assert.equal(1, 2) end):join() end)" },
      "-o junit")
    assert.truthy(text:find("<failure>a_spec.lua:3: Expected objects to be equal.", 1, true), text)
  end)
end)

describe("testing.invariant", function()
  local sync = require "luasync"
  local testing = { invariant = sync.__invariant }      -- this file itself is not to be supervised

  -- Two tables that a thread moves from, under a lock or without one.
  local function transfer(locked)
    return function()
      local s, lock = sync.Shared{ from = 10, to = 0 }, sync.Lock()
      testing.invariant("nothing is lost", function() return lock:locked() or s.from + s.to == 10 end)
      local function move()
        if locked then lock:acquire() end
        s.from = s.from - 1
        s.to = s.to + 1
        if locked then lock:release() end
      end
      local a, b = sync.spawn(move), sync.spawn(move)
      a:join()
      b:join()
      return s.to
    end
  end

  it("is looked at between any two operations", function()
    local report = sync.simulate(transfer(false), { seed = 1 })
    assert.is_false(report.ok)
    assert.equal("the invariant 'nothing is lost' does not hold", report.error)
    local again = sync.simulate(transfer(false), { schedule = report.schedule })
    assert.equal(report.error, again.error)
    assert.equal(report.schedule, again.schedule)
  end)

  it("that holds changes nothing", function()
    for seed = 1, 100 do
      local report = sync.simulate(transfer(true), { seed = seed })
      assert.is_true(report.ok, report.message)
      assert.equal(2, report.results[1])
    end
  end)

  it("ends with its thread", function()
    local report = sync.simulate(function()
      sync.spawn(function()
        testing.invariant("once", function() return sync.active_count() == 2 end)
      end):join()
      sync.sleep(1)
      return "over"
    end)
    assert.equal("over", report.results and report.results[1], report.message)
  end)

  it("says what is wrong with itself", function()
    local report = sync.simulate(function()
      testing.invariant("broken", function() error("oops", 0) end)
      sync.sleep(1)
    end)
    assert.equal("the invariant 'broken' does not hold: oops", report.error)
    report = sync.simulate(function()
      local q = sync.Queue()
      testing.invariant("waits", function() return q:get() end)
      sync.sleep(1)
    end)
    assert.truthy(report.error:find "^the invariant 'waits' does not hold: .*cannot block", report.error)
    assert.has_error(function() testing.invariant("real", print) end, "an invariant needs a simulated world")
  end)
end)

describe("testing.sometimes", function()
  local sync = require "luasync"
  local sometimes = sync.__sometimes

  local function race(limit)
    return function()
      local n = sync.Atomic(0)
      local t = sync.spawn(function() n:add(1) end)
      sometimes("the thread comes first", n:get() == limit)
      t:join()
    end
  end

  it("lets an exploration fail in which it has never held", function()
    local report = sync.explore(race(2))
    assert.is_false(report.ok)
    assert.equal("sometimes", report.failures[1].kind)
    assert.equal("'the thread comes first' has never held", report.failures[1].message)
    assert.truthy(report.message:find("has never held", 1, true))
  end)

  it("is content with one execution", function()
    local report = sync.explore(race(1))
    assert.is_true(report.ok, report.message)
    assert.same({}, report.failures)
  end)

  it("forgets what was named before", function()
    sync.simulate(race(2))
    assert.is_true(sync.explore(race(1)).ok)
  end)

  it("stays with the run: the same world simulated again finds nothing of the first", function()
    local function own_names()
      local before = #sometimes()
      sync.simulate(function() sometimes("in the run of a run", false) end)
      sometimes("here", false)
      return before, table.concat(sometimes(), ", ")
    end
    for _ = 1, 2 do
      local report = sync.simulate(own_names)
      assert.same({ 0, "in the run of a run", n = 2 }, report.results)
    end
    assert.same({ "here" }, sometimes())
  end)

  it("is no matter of the real world", function()
    assert.has_error(function() sometimes("real", true) end, "sometimes needs a simulated world")
  end)
end)

describe("An error of a thread", function()
  it("that somebody waits for with result() is not printed as well", function()
    local run = support.run [[local sync = require "luasync"
      local ok, err = pcall(function()
        sync.spawn(function() sync.sleep(0.2) error "taken" end):result()
      end)
      print(ok, err:match "taken") ]]
    assert.equal("false\ttaken\n", run.out)
    assert.equal("", run.err)
    assert.equal(0, run.code)
  end)

  it("that somebody only joins is printed", function()
    local run = support.run 'local sync = require "luasync" sync.spawn(function() sync.sleep(0.1) error "x" end):join()'
    assert.truthy(run.err:find("Exception in thread Thread-1:", 1, true))
    assert.equal(1, run.code)
  end)
end)

describe("busted --lua='exec luasync' #slow", function()
  local function read(path)
    local file = io.open(path)
    local text = file and file:read "a" or ""
    if file then file:close() end
    return text
  end

  it("shows a dump on Ctrl-\\ and goes on, and Ctrl-C leaves no process behind", function()
    local base = os.tmpname()
    local spec, out = base .. "_spec.lua", base .. ".out"
    local file = assert(io.open(spec, "w"))
    file:write(HEAD, "it('sleeps', function() io.stderr:write 'begun' sync.sleep(99) end)\n",
      "it('is next', function() io.stderr:write 'next' end)\n")
    file:close()
    local group = output_of(("setsid sh -c 'echo $$; cd /; exec %s --lua=\"exec %s\" %s >%s 2>&1' & "):format(
      busted_path, support.host:find "^/" and support.host or here .. "/" .. support.host, spec, out) .. "sleep 0.2")
      :match "%d+"
    local function signal(name) assert(os.execute(("kill -%s -%s"):format(name, group))) end
    local function shows(text) support.wait_until(function() return read(out):find(text, 1, true) end) end
    shows "begun"
    signal "QUIT"
    shows "Thread MainThread: sleeping"
    signal "INT"
    shows "luasync: interrupted!"
    support.wait_until(function() return os.execute("pgrep -g " .. group .. " >/dev/null") == nil end)
    assert.falsy(read(out):find("next", 1, true))
    for _, path in ipairs{ base, spec, out } do os.remove(path) end
  end)
end)

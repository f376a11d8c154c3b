local support = require "spec.support"
local command = require "spec.command"

local race = [[
local sync = require "luasync"
local s = sync.Shared{ n = 0 }
local function work() local x = s.n; s.n = x + 1 end
local a, b = sync.spawn(work), sync.spawn(work)
a:join() b:join()
print(s.n)
if s.n ~= 2 then error("lost an update") end
]]

-- The first seed under which `text` fails, and that run.
local function failing(text)
  for seed = 1, 60 do
    local result = command.text(text, "--seed", tostring(seed))
    if result.code ~= 0 then return seed, result end
  end
  error("no seed of 60 makes it fail")
end

describe("--virtual", function()
  it("waits without waiting", function()
    local seconds, out = support.timed(command.output, [[
      local sync = require "luasync"
      local t = sync.monotonic()
      sync.sleep(86400)
      print(sync.monotonic() - t, os.clock(), os.time(), os.date("!%Y-%m-%d %H:%M:%S"), sync.time())]], "--virtual")
    assert.equal("86400.0\t86400.0\t1257980400\t2009-11-11 23:00:00\t1257980400.0\n", out)
    assert.is_true(seconds < 3600)
  end)

  it("keeps os.time and os.date with arguments as they are", function()
    assert.equal("0\t86399\n", command.output([[
      print(os.time(os.date("*t", 0)), os.time { year = 1970, month = 1, day = 1, hour = 23, min = 59, sec = 59 }
        - os.time { year = 1970, month = 1, day = 1, hour = 0 })]], "--virtual"))
  end)

  it("lets a loop that polls a clock make progress, whichever clock", function()
    for _, clock in ipairs { "os.time()", "os.clock()", "sync.time()", "sync.monotonic()" } do
      assert.equal("true\n", command.output(([[
        local sync = require "luasync"
        local begin = CLOCK
        while CLOCK < begin + 3 do end
        print(CLOCK - begin < 4)]]):gsub("CLOCK", clock), "--virtual"))
    end
  end)

  it("ends timed waits of every kind in one order: deadline, then creation", function()
    local out = command.output([[
      local sync = require "luasync"
      local event, condition, lock, queue = sync.Event(), sync.Condition(), sync.Lock(), sync.Queue()
      local full, semaphore, tasks = sync.Queue(1), sync.Semaphore(0), sync.Queue()
      full:put(1) tasks:put(1) lock:acquire()
      local forever = sync.Thread{ target = function() sync.Event():wait() end, daemon = true }:start()
      local waits = {
        function(t) sync.sleep(t) return "sleep" end,
        function(t) event:wait(t) return "event" end,
        function(t) condition:acquire() condition:wait(t) condition:release() return "condition" end,
        function(t) lock:acquire(true, t) return "lock" end,
        function(t) queue:get(true, t) return "get" end,
        function(t) full:put(2, true, t) return "put" end,
        function(t) semaphore:acquire(true, t) return "semaphore" end,
        function(t) tasks:join(t) return "tasks" end,
        function(t) forever:join(t) return "join" end,
        function(t) condition:acquire() condition:wait_for(function() end, t) condition:release() return "wait_for" end,
      }
      local threads = {}
      for round = 1, 2 do
        for i, wait in ipairs(waits) do
          threads[#threads + 1] = sync.spawn(function()
            local name = wait(round == 1 and 2 or 1)
            print(sync.monotonic(), name)
          end)
        end
      end
      for _, t in ipairs(threads) do t:join() end
      print(sync.monotonic())]], "--virtual")
    local names = { "sleep", "event", "condition", "lock", "get", "put", "semaphore", "tasks", "join", "wait_for" }
    local expected = ""
    for time = 1, 2 do
      for _, name in ipairs(names) do expected = expected .. ("%d.0\t%s\n"):format(time, name) end
    end
    assert.equal(expected .. "2.0\n", out)
  end)

  it("takes a script from stdin, from -e, and with arguments", function()
    local path = command.script "print(os.time(), ...)"
    local piped = command.run({ "--virtual" }, nil, "<" .. path)
    assert.equal("1257894000\n", piped.out)
    assert.equal("1257894000\ta b\n", command.run({ "--virtual", "-", "a b" }, nil, "<" .. path).out)
    assert.equal("1257894000\tx\ty\n", command.run({ "--virtual", path, "x", "y" }).out)
    os.remove(path)
    assert.equal("1257894000\n", command.run({ "--virtual", "-e", "print(os.time())" }).out)
  end)

  it("plays every tutorial", function()
    local pipe, count = assert(io.popen "ls scripts/tutorial/*.lua"), 0
    for path in pipe:lines() do
      local result = command.run { "--virtual", path }
      assert.equal(0, result.code, path .. ": " .. result.err)
      count = count + 1
    end
    pipe:close()
    assert.is_true(count > 20)
  end)

  it("ends as the real world does: exit codes, finalisers, os.exit", function()
    local cases = {
      { 0, "" }, { 1, "error 'x'" }, { 1, "error({})" }, { 7, "os.exit(7)" }, { 1, "os.exit(false)" },
      { 0, "os.exit(true, true)" }, { 1, "x =" },
      { 1, "require 'luasync'.spawn(error, 'x')" },
      { 0, "local t = require 'luasync'.spawn(error, 'x') pcall(t.result, t)" },
      { 3, "require 'luasync'.Event():wait()" },
    }
    for _, case in ipairs(cases) do
      local result = command.run { "--virtual", "-e", case[2] }
      assert.equal(case[1], result.code, case[2])
      assert.equal(case[1] ~= 0, result.replay ~= nil, case[2])
      local _, lines = result.err:gsub("replay: ", "")
      assert.equal(case[1] ~= 0 and 1 or 0, lines, case[2])
    end
    assert.equal("collected\n", command.output(
      "X = setmetatable({}, { __gc = function() print 'collected' end })", "--virtual"))
    assert.equal("at once", command.output("io.write 'at once' os.exit(0)", "--virtual"))
  end)

  it("notes that the outside was asked, also by way of stdin's own methods", function()
    for _, code in ipairs {
      "io.read()", "io.stdin:read()", "os.getenv 'HOME'", "io.open '/dev/null'", "os.execute ':'",
    } do
      local result = command.run { "--virtual", "-e", code .. " error 'x'" }
      assert.matches("not closed", result.err, 1, true, code)
    end
    assert.is_nil(command.run({ "--virtual", "-e", "error 'x'" }).err:find "not closed")
  end)

  it("raises interrupted! at Ctrl-C, also in a loop of Lua code #notsan", function()
    local result = command.text([[
      os.execute "(sleep 0.2; kill -INT $PPID) &"
      local ok, e = pcall(function() while true do end end)
      print(e)
      error "ended"]], "--virtual")
    assert.matches("interrupted!", result.out, 1, true)
    assert.equal(1, result.code)
    assert.matches("ended.*replay: ", result.err)
  end)

  it("takes a Ctrl-C for itself: the real world goes on #notsan", function()
    assert.equal("true\tinterrupted!\ntrue\n", command.output [[
      local sync = require "luasync"
      local ok, report = pcall(sync.simulate, function()
        os.execute "(sleep 0.1; kill -INT $PPID) &"
        while true do end
      end)
      print(ok, ok and report.error or report)
      print(pcall(sync.sleep, 0.1))]])
  end)

  it("raises interrupted! at Ctrl-C while threads come and go #notsan", function()
    for i = 1, 6 do
      local result = command.text(([[
        local sync = require "luasync"
        os.execute "(sleep 0.0%d; kill -INT $PPID) &"
        while true do sync.spawn(function() end):join() end]]):format(i), "--virtual")
      assert.matches("interrupted!", result.err, 1, true)
      assert.equal(1, result.code)
    end
  end)
end)

describe("--seed", function()
  it("reaches different outcomes of an unlocked increment", function()
    local seen = {}
    for seed = 1, 24 do
      local out = command.text(race, "--seed", tostring(seed)).out
      seen[out] = (seen[out] or 0) + 1
    end
    assert.is_true((seen["1\n"] or 0) >= 2)
    assert.is_true((seen["2\n"] or 0) >= 2)
    assert.equal(24, seen["1\n"] + seen["2\n"])
  end)

  local telltale = [[
    local sync = require "luasync"
    local keys = {}
    for i = 1, 40 do keys["k" .. i] = i; keys[{}] = i; keys[function() end] = i; keys[i * 1.5] = i end
    for k, v in pairs(keys) do io.write(tostring(k), "=", v, " ") end
    print({}, print, io.stdout, coroutine.create(print), string.format("%p", {}))
    print(math.random(), math.random(1000), collectgarbage "count")
    print(os.time(), os.clock(), os.date(), sync.get_ident(), sync.get_native_id())
    print(select(2, pcall(error, {})), select(2, pcall(string.rep)))
    local threads = {}
    for i = 1, 5 do
      threads[i] = sync.spawn(function()
        local garbage = {}
        for j = 1, 3000 do garbage[j % 7] = { j } end
        print(sync.current_thread(), sync.get_ident(), {}, math.random(), collectgarbage "count")
      end)
    end
    for k in pairs(_G) do io.write(k, " ") end
    for k in pairs(package.loaded) do io.write(k, " ") end
    sync.sleep(1)
    print(sync.dump())
    error(setmetatable({}, { __tostring = function(t) return "gone wrong " .. string.format("%p", t) end }))]]

  it("gets what comes from outside in the same order in every process", function()
    local program = [==[
      local sync = require "luasync"
      local Class, list = {}, { 1, 2, 3, nil, 5, [-1] = "minus", [0.5] = "half", [true] = "yes", [false] = "no" }
      Class.__index = Class
      for i = 1, 60 do
        list["key " .. i], Class["method " .. i] = i, function() return i end
      end
      print(sync.simulate(function()
        local other = sync.spawn(function(value) return value end, setmetatable(list, Class)):result()
        for _, t in ipairs { list, other, getmetatable(list) } do
          for key in pairs(t) do io.write(tostring(key), " ") end
        end
        print(collectgarbage "count")
      end, { seed = 1 }).output)]==]
    local first = command.output(program)
    for _ = 1, 3 do assert.equal(first, command.output(program)) end
  end)

  it("gives the same bytes in another process, folder and environment, and in a replay", function()
    local path = command.script(telltale)
    local first = command.run { "--seed", "987654321", path }
    assert.equal(1, first.code)
    local others = {
      command.run({ "--seed", "987654321", path }, "cd / && env -i A=1"),
      command.run({ "--seed", "987654321", path }, "env LUA_PATH='abc/?.lua;;' B=" .. ("x"):rep(20000)),
      command.run { "--seed=987654321", path },
      command.run { "--replay", first.replay, path },
    }
    os.remove(path)
    for i, other in ipairs(others) do
      assert.equal(first.out, other.out, "run " .. i)
      assert.equal(first.err, other.err, "run " .. i)
    end
  end)

  it("draws another math.random in each thread, whatever the seed", function()
    local function numbers(seed)
      local out = command.output([[
        local sync = require "luasync"
        for _ = 1, 3 do print(sync.spawn(math.random):result()) end
        print(math.random())]], "--seed", seed)
      local list = {}
      for number in out:gmatch "%S+" do list[#list + 1] = number end
      return list
    end
    local a = numbers "1"
    assert.equal(4, #a)
    for i = 1, 4 do for k = i + 1, 4 do assert.not_equal(a[i], a[k]) end end
    assert.same(a, numbers "2")
  end)

  it("refuses what is no integer, and to be without a script, in one line", function()
    for _, seed in ipairs { "x", "", "1.5", "0x10", " 5", "99999999999999999999" } do
      local result = command.run { "--seed", seed, "-e", "print 'ran'" }
      assert.equal(1, result.code, seed)
      assert.equal("", result.out)
      assert.matches("bad value '" .. seed .. "' for option '--seed'", result.err, 1, true)
    end
    assert.equal(0, command.run({ "--seed", "-9223372036854775808", "-e", "" }).code)
    local interactive = command.run { "--seed", "1", "-i" }
    assert.equal(1, interactive.code)
    assert.matches("^[^\n]*%-%-seed needs a script\n$", interactive.err)
    assert.equal(1, command.run({ "--seed", "1", "--replay", "0 .", "-e", "" }).code)
    assert.equal(1, command.run({ "--no-such-option" }).code)
  end)
end)

describe("--replay", function()
  it("repeats a failing run, also after edits that touch no operation of its threads", function()
    local _, result = failing(race)
    for name, text in pairs {
      same = race,
      comments = "-- a comment\n\n" .. race:gsub("local x = s.n", "-- here\n local x = s.n --[[ and here ]]"),
      printing = race:gsub("local x = s.n;", "local x = s.n; print('x is', x);"),
      computing = race:gsub("s.n = x %+ 1", "local y = x + 1 s.n = y"),
    } do
      local again = command.text(text, "--replay", result.replay)
      assert.equal(1, again.code, name)
      assert.matches("lost an update", again.err, 1, true, name)
    end
    local fixed = race:gsub("local x = s.n; s.n = x %+ 1", "sync.update(s, 'n', function(x) return x + 1 end)")
      :gsub("local s =", "local sync = sync local s =")
    assert.is_true(command.text(fixed, "--replay", result.replay).code <= 1)
  end)

  it("refuses every part of a schedule that is not the whole", function()
    local _, result = failing(race)
    for length = 0, #result.replay - 1, 3 do
      local cut = command.text(race, "--replay", result.replay:sub(1, length))
      assert.equal(1, cut.code)
      assert.equal("", cut.out)
      assert.matches("^[^\n]+\n", cut.err)
    end
  end)

  it("refuses nonsense in one line", function()
    for _, schedule in ipairs { "x", "-1 .", "0x .", "0x1+ .", "0x1+1+1 .", "0 . 1", ". .", "0x999999999999999 ." } do
      local result = command.text(race, "--replay", schedule)
      assert.equal(1, result.code, schedule)
      assert.equal("", result.out, schedule)
      assert.matches("^[^\n]+\n$", result.err, 1, false, schedule)
    end
  end)

  it("says at which turn it cannot follow, and why", function()
    local cases = {
      ["1 ."] = "turn 1: the first turn is thread 0 (MainThread)",
      ["! ."] = "turn 1: the first turn is thread 0 (MainThread)",
      ["0 7 ."] = "turn 2: thread 7 has not been started, or has ended",
      ["0 0 ."] = "turn 2: thread 0 ('MainThread') waits",
      ["0 ! 1 ."] = "turn 2: there is no deadline for the clock to go to",
    }
    for schedule, problem in pairs(cases) do
      local result = command.text(race, "--replay", schedule)
      assert.equal(1, result.code, schedule)
      assert.matches(problem, result.err, 1, true)
      assert.matches("^[^\n]+\n$", result.err)
    end
  end)

  it("names library functions in errors as the real world does", function()
    local script = [[
print(pcall(io.open))
print(pcall(function() io.open(nil) end))
print(pcall(io.popen, "true", "q"))
print(pcall(function() os.date "%Ez" end))
print(pcall(os.time, {}))
print(pcall(require))]]
    local real = command.text(script)
    local simulated = command.text(script, "--virtual")
    assert.equal((real.out:gsub(real.name, "FILE")), (simulated.out:gsub(simulated.name, "FILE")))
    assert.matches("bad argument #1 to 'open' (string expected, got nil)", simulated.out, 1, true)
  end)

  it("Ctrl-C interrupts the main thread, whichever runs, and ends the wait for the others", function()
    for _, option in ipairs { "-W", "--virtual", "--seed=1" } do
      local result = command.text([[
local sync = require "luasync"
local function ctrl_c()
  sync.sleep(0.3)
  io.popen "kill -INT $PPID":close()
  for _ = 1, 1000 do sync.sleep(0.001) end
end
local t = sync.Thread{ daemon = true, target = ctrl_c }:start()
print(pcall(function() sync.Event():wait(60) end))
t:join()
sync.Thread{ daemon = true, target = ctrl_c }:start()
sync.spawn(function() sync.sleep(60) end)]], option)
      assert.equal("false\t" .. result.name .. ":8: interrupted!\n", result.out)
      assert.matches("luasync: interrupted!\n", result.err, 1, true)
      assert.equal(1, result.code)
    end
  end)

  it("follows a schedule though the script has been edited: what came in between is done first", function()
    local script = [[
local sync = require "luasync"
%s
local A, B = sync.Lock { name = "A" }, sync.Lock { name = "B" }
local function both(x, y) x:acquire() sync.sleep(0.05) y:acquire() y:release() x:release() end
local a, b = sync.spawn(both, A, B), sync.spawn(both, B, A)
print(a:join(0.3))
a:join() b:join()]]
    for seed = 1, 8 do
      local failed = command.text(script:format "", "--seed", tostring(seed))
      local schedule = failed.err:match 'replay: .- %-%-replay "([^"]*)"'
      if schedule then
        local edited = script:format "local C = sync.Lock() C:acquire() C:release() print 'edited'"
        local again = command.text(edited, "--replay", schedule)
        assert.equal("edited\n" .. failed.out, again.out)
        assert.matches("deadlock", again.err, 1, true)
        assert.equal(3, again.code)
      end
    end
  end)

  it("remarks that a turn of the schedule asked for more than there was", function()
    local result = command.text("require 'luasync'.spawn(function() end):join()", "--replay", "0 1x99 0 .")
    assert.equal(0, result.code)
    assert.matches("turn 2 of the schedule was longer than the run's", result.err, 1, true)
  end)

  it("is not offered where nothing ran", function()
    for _, what in ipairs { "no such file.lua", "." } do
      local result = command.run { "--virtual", what }
      assert.equal(1, result.code)
      assert.is_nil(result.err:find "replay")
    end
  end)

  it("remarks that a run ended before its schedule did", function()
    local result = command.text("print 'another script'", "--replay", "0 1 2 0 .")
    assert.equal("another script\n", result.out)
    assert.equal(0, result.code)
    assert.matches("the run ended after turn 1 of the 4 of its schedule", result.err, 1, true)
  end)

  it("is given as a command that a shell runs: -e and quoted arguments included", function()
    local result = command.run { "--seed", "5", "-e", "error [[it's]]" }
    local line = result.err:match "replay: ([^\n]*)"
    local pipe = io.popen(line .. " 2>&1")
    local text = pipe:read "a"
    pipe:close()
    assert.equal(result.err, text)
  end)
end)

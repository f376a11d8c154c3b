-- How a program ends: exit codes, who is waited for, what is printed. Each spec is a script in a
-- process of its own.
local support = require "spec.support"

local PRELUDE = 'local sync = require "luasync"\n'

local function run(script, options)
  return support.run(PRELUDE .. script, options)
end

local function output(script, options)
  return support.output(PRELUDE .. script, options)
end

describe("exit code", function()
  it("EX02 is 0 after a script without errors", function()
    local result = run "print 'fine'"
    assert.same({ "fine\n", "", 0 }, { result.out, result.err, result.code })
  end)

  it("EX02 is 1 for an error in main, with message and traceback", function()
    local result = run "error 'oops'"
    assert.equal(1, result.code)
    assert.matches("%.lua:2: oops\n", result.err)
    assert.matches("stack traceback:", result.err, 1, true)
  end)

  it("EX02 is 1 for an error of a thread that was left to the default hook", function()
    local result = run [[
      sync.Thread { name = "W", target = function() error "oops" end }:start():join()
      print "main goes on"
    ]]
    assert.equal(1, result.code)
    assert.equal("main goes on\n", result.out)
    assert.matches("Exception in thread W:", result.err, 1, true)
  end)

  it("EX02 is 1 for an error value whose __tostring fails, which is said", function()
    local result = run [[
      local Problem = { __tostring = function() error "no text" end }
      sync.Thread { name = "W", target = function() error(setmetatable({}, Problem)) end }:start()
    ]]
    assert.equal(1, result.code)
    assert.matches("^Exception in thread W:\n%(error object is a table value, and its __tostring fails%)\nstack trace",
      result.err)
  end)

  it("EX02 is 1 for an error of a thread that nobody joined", function()
    assert.equal(1, run("sync.spawn(error, 'oops')").code)
  end)

  it("EX02 is 0 when the error was taken with result", function()
    local result = run [[
      local thread = sync.spawn(error, "oops")
      print(pcall(thread.result, thread))
    ]]
    assert.equal(0, result.code)
    assert.equal("false\toops\n", result.out)
  end)

  it("EX02 is 0 when an own hook took the error", function()
    local result = run [[
      sync.set_excepthook(function(thread, problem) print(thread.name, problem) end)
      sync.Thread { name = "W", target = error, args = { "oops" } }:start():join()
    ]]
    assert.same({ "W\toops\n", "", 0 }, { result.out, result.err, result.code })
  end)

  it("EX08 os.exit(n) is n at once, with buffered output kept", function()
    local result = run [[
      sync.spawn(sync.sleep, 30)
      sync.spawn(function() while true do end end)
      io.write "no newline"
      os.exit(7)
    ]]
    assert.equal(7, result.code)
    assert.equal("no newline", result.out)
    assert.is_true(result.seconds < 20)
  end)

  it("EX08 os.exit takes true, false and nothing", function()
    assert.equal(0, run("os.exit(true)").code)
    assert.equal(1, run("os.exit(false)").code)
    assert.equal(0, run("os.exit()").code)
    assert.equal(3, run("os.exit(3, true)").code)
  end)

  it("EX08 os.exit in a thread ends the program", function()
    local result = run [[
      io.write "from main, "
      sync.spawn(function()
        io.write "from the thread"
        os.exit(5)
      end)
      sync.sleep(30)
    ]]
    assert.equal(5, result.code)
    assert.equal("from main, from the thread", result.out)
    assert.is_true(result.seconds < 20)
  end)
end)

describe("non-daemon threads", function()
  it("EX01 are joined when main ends", function()
    assert.equal("main ends\nthread ends\n", output [[
      sync.spawn(function()
        sync.sleep(0.05)
        print "thread ends"
      end)
      print "main ends"
    ]])
  end)

  it("EX01 started meanwhile are joined too", function()
    assert.equal("1\n2\n3\n", output [[
      local function chain(n)
        print(n)
        sync.sleep(0.01)
        if n < 3 then sync.spawn(chain, n + 1) end
      end
      sync.spawn(chain, 1)
    ]])
  end)

  it("EX01 are joined after an error in main too", function()
    local result = run [[
      sync.spawn(function()
        sync.sleep(0.03)
        print "thread ends"
      end)
      error "oops"
    ]]
    assert.equal(1, result.code)
    assert.equal("thread ends\n", result.out)
    assert.matches("oops", result.err, 1, true)
  end)

  it("EX05 of daemons are joined as well", function()
    assert.equal("child of a daemon\n", output [[
      local started = sync.Event()
      sync.Thread { daemon = true, target = function()
        sync.Thread { daemon = false, target = function()
          sync.sleep(0.03)
          print "child of a daemon"
        end }:start()
        started:set()
        sync.sleep(30)
      end }:start()
      started:wait()
    ]])
  end)

  it("EX06 may join main, which ends with its script", function()
    assert.equal("main ends\ntrue\tfalse\n", output [[
      sync.spawn(function()
        local main = sync.main_thread()
        local ended = main:join()
        print(ended, main:is_alive())
      end)
      sync.sleep(0.02)
      print "main ends"
    ]])
  end)

  it("may still use everything after main has ended", function()
    assert.equal("42\n", output [[
      sync.spawn(function()
        sync.main_thread():join()
        local queue = sync.Queue()
        sync.spawn(function() queue:put(42) end)
        print((queue:get()))
      end)
    ]])
  end)
end)

-- What has been printed is never lost, whoever holds a file when the program ends.
describe("output at the end", function()
  local ENDS = {
    ["by the end of main"] = "",
    ["by os.exit"] = "os.exit(0)",
    ["by os.exit in a thread"] = "sync.spawn(function() os.exit(0) end):join()",
  }
  -- More than a pipe holds.
  local MANY = "for i = 1, 12000 do io.write('line ', i, '\\n') end "

  for name, ending in pairs(ENDS) do
    it("is kept while a daemon reads from a pipe, " .. name, function()
      local path = os.tmpname()
      local result = run(([[
        local file = io.open(%q, "w")
        file:write "to a file"
        sync.Thread { daemon = true, target = function() io.popen("sleep 3"):read "a" end }:start()
        sync.Thread { daemon = true, target = function() io.read "a" end }:start()
        sync.sleep(0.2)
        io.write "to stdout"
      ]]):format(path) .. ending, { redirect = "<&1 | cat" })
      local file = io.open(path)
      assert.equal("to a file", file:read "a")
      file:close()
      os.remove(path)
      assert.equal("to stdout", result.out)
    end)

    it("waits for a slow reader while a daemon lives, " .. name, function()
      local result = run("sync.Thread { daemon = true, target = function() sync.sleep(100) end }:start() "
        .. MANY .. ending, { redirect = "| (sleep 0.6; tail -n 1)" })
      assert.equal("line 12000\n", result.out)
    end)
  end

  it("waits for its reader no longer when Ctrl-C comes twice", function()
    local result = run([[
      io.stdout:setvbuf("full", 1000000)
      print(sync.get_native_id())
      sync.Thread { daemon = true, target = function() sync.sleep(100) end }:start()
      io.write(("x"):rep(200000))
    ]], { redirect = "2>/dev/null | (read pid; sleep 0.5; kill -INT $pid; sleep 0.3; kill -INT $pid; "
      .. "while kill -0 $pid; do sleep 0.05; done 2>/dev/null; echo ended)" })
    assert.equal("ended\n", result.out)
    assert.is_true(result.seconds < 40)
  end)
end)

describe("daemons", function()
  --- Starts each of these as a daemon, prints, and ends.
  local bodies = {
    ["in a Lua loop"] = "while true do end",
    ["in a loop with pcall"] = "while true do pcall(error, 'x') end",
    ["in a loop that allocates"] = "local t while true do t = { t and 1 } end",
    ["in a loop over string functions"] = "local s = ('a'):rep(100) while true do s = s:gsub('a', '%0') end",
    ["in a coroutine"] = "coroutine.wrap(function() while true do end end)()",
    ["in sleep"] = "sync.sleep(1000)",
    ["in get"] = "sync.Queue():get()",
    ["in put"] = "local q = sync.Queue(1) q:put(1) q:put(2)",
    ["in Queue:join"] = "local q = sync.Queue() q:put(1) q:join()",
    ["in Lock:acquire"] = "local lock = sync.Lock() lock:acquire() lock:acquire()",
    ["in Event:wait"] = "sync.Event():wait()",
    ["in Condition:wait"] = "local c = sync.Condition() c:acquire() c:wait()",
    ["in Semaphore:acquire"] = "sync.Semaphore(0):acquire()",
    ["in Thread:join"] = "sync.main_thread():join()",
    ["in io.read"] = "io.read()",
    ["that prints"] = "while true do io.stderr:write '' sync.sleep(0.0001) end",
    ["that starts threads"] = "while true do sync.spawn(function() end):join() end",
    ["that catches its end"] = "while true do pcall(sync.sleep, 1000) end",
  }

  for name, body in pairs(bodies) do
    it("EX04 " .. name .. " neither delay nor crash the exit", function()
      local script = ([[
        for _ = 1, 3 do
          sync.Thread { daemon = true, target = function() %s end }:start()
        end
        sync.sleep(0.02)
        print "main ends"
      ]]):format(body)
      local fifo = os.tmpname()
      os.remove(fifo)
      finally(function() os.remove(fifo) end)
      -- The script's stdin is open and stays empty for ever.
      local result = run(script, { seconds = 20, before = "mkfifo " .. fifo .. "; exec 3<>" .. fifo, redirect = "<&3" })
      assert.same({ "main ends\n", "", 0 }, { result.out, result.err, result.code })
    end)
  end

  it("EX04 in great number neither delay nor crash the exit", function()
    assert.equal("main ends\n", output([[
      local queue, event = sync.Queue(), sync.Event()
      for i = 1, 40 do
        sync.Thread { daemon = true, target = function()
          if i % 4 == 0 then while true do end end
          if i % 4 == 1 then queue:get() end
          if i % 4 == 2 then event:wait(1000) end
          local lock = sync.Lock()
          while true do lock:with(function() return i end) end
        end }:start()
      end
      print "main ends"
    ]], { seconds = 30 }))
  end)

  it("EX03 are stopped only after the non-daemon threads have ended", function()
    assert.equal("served\n", output [[
      local requests, answers = sync.Queue(), sync.Queue()
      sync.Thread { daemon = true, target = function()
        for request in requests:items() do answers:put(request .. "ed") end
      end }:start()
      sync.spawn(function()
        sync.main_thread():join()
        sync.sleep(0.02)
        requests:put "serv"
        print((answers:get(true, 20)))
      end)
    ]])
  end)

  it("do not delay an exit after an error or by os.exit", function()
    local daemon = "sync.Thread { daemon = true, target = function() while true do end end }:start()\n"
    local result = run(daemon .. "error 'oops'", { seconds = 20 })
    assert.equal(1, result.code)
    assert.matches("oops", result.err, 1, true)
    assert.equal(4, run(daemon .. "os.exit(4, true)", { seconds = 20 }).code)
  end)

  it("that fail as the program ends do not make its exit code 1 without a word", function()
    for _ = 1, 10 do
      local result = run([[
        for _ = 1, 2 do
          sync.Thread { daemon = true, target = function() sync.Lock():aquire() end }:start()
        end
        sync.sleep(0.002)
      ]], { seconds = 20 })
      if result.code ~= 0 then assert.matches("aquire", result.err) end
    end
  end)

  it("that fail before the end are reported, those that are stopped are not", function()
    local result = run [[
      local failed = sync.Thread { name = "D", daemon = true, target = function() error "oops" end }:start()
      failed:join()
      sync.Thread { daemon = true, target = function() sync.sleep(1000) end }:start()
    ]]
    assert.equal(1, result.code)
    local _, count = result.err:gsub("Exception in thread", "")
    assert.equal(1, count)
  end)
end)

describe("an error in a thread", function()
  it("TH22 is reported with name, file, line and traceback, and main goes on", function()
    local result = run [[
      local function inner() error "oops" end
      sync.Thread { name = "worker-1", target = function()
        inner()
        return 1
      end }:start():join()
      print "main goes on"
    ]]
    assert.equal("main goes on\n", result.out)
    assert.matches("^Exception in thread worker%-1:\n", result.err)
    assert.matches("%.lua:2: oops\n", result.err)
    assert.matches("stack traceback:\n", result.err, 1, true)
    assert.matches("%.lua:2: in ", result.err)
    assert.matches("%.lua:4: in ", result.err)
  end)

  it("TH22 may be a table with or without __tostring, or nil", function()
    local result = run [[
      local function fail(value) sync.Thread { target = function() error(value) end }:start():join() end
      fail(setmetatable({}, { __tostring = function() return "my own text" end }))
      fail {}
      fail(nil)
      print "main goes on"
    ]]
    assert.equal("main goes on\n", result.out)
    assert.matches("my own text", result.err, 1, true)
    local _, count = result.err:gsub("Exception in thread", "")
    assert.equal(3, count)
    assert.equal(1, result.code)
  end)

  it("in 1000 threads at once is reported 1000 times, whole", function()
    local result = run([[
      local threads = {}
      for i = 1, 1000 do
        threads[i] = sync.Thread { name = "W" .. i, target = function() error("oops " .. i) end }:start()
      end
      for _, thread in ipairs(threads) do thread:join() end
      print "main goes on"
    ]])
    assert.equal("main goes on\n", result.out)
    assert.equal(1, result.code)
    local seen, count = {}, 0
    for name, _, number in result.err:gmatch "Exception in thread W(%d+):\n(.-)oops (%d+)\n" do
      assert.equal(name, number)
      assert.is_nil(seen[name])
      seen[name], count = true, count + 1
    end
    assert.equal(1000, count)
  end)
end)

describe("out of threads", function()
  it("TH10 start raises, and the thread can be started again later", function()
    local limit = "ulimit -v 600000"
    if run("print 'fits'", { before = limit }).code ~= 0 then
      pending "this build does not run under a limit on its address space"
      return
    end
    local result = run([[
      local stop = sync.Event()
      local before = sync.active_count()
      local threads, failed, message = {}, nil, nil
      for i = 1, 20000 do
        local made, thread = pcall(sync.Thread, function() stop:wait() end)
        if not made then
          message = thread
          break
        end
        local ok, problem = pcall(thread.start, thread)
        if not ok then
          failed, message = thread, problem
          break
        end
        threads[i] = thread
      end
      print("clear", type(message) == "string" and #message > 5)
      print("counted", sync.active_count() == before + #threads)
      if failed then print("not alive", failed:is_alive(), failed.ident) end
      local function resident() -- kilobytes
        collectgarbage()
        return tonumber(io.open "/proc/self/status":read "a":match "VmRSS:%s*(%d+)")
      end
      local function try(n) -- in vain
        for _ = 1, n do assert(not pcall(failed.start, failed)) end
        return resident()
      end
      if failed then
        local more = -try(50) + try(300)
        print("left of tries", more < 3000 and "nothing" or more)
      end
      stop:set()
      for _, thread in ipairs(threads) do assert(thread:join(20)) end
      threads = nil
      collectgarbage()
      if failed then
        print("again", pcall(failed.start, failed))
        print("joined", failed:join(20))
      end
    ]], { before = limit, seconds = 60 })
    assert.equal("", result.err)
    assert.matches("clear\ttrue\n", result.out, 1, true)
    assert.matches("counted\ttrue\n", result.out, 1, true)
    if result.out:find "not alive" then
      assert.matches("not alive\tfalse\tnil\n", result.out, 1, true)
      assert.matches("left of tries\tnothing\n", result.out, 1, true)
      assert.matches("again\ttrue", result.out, 1, true)
      assert.matches("joined\ttrue\n", result.out, 1, true)
    end
    assert.equal(0, result.code)
  end)
end)

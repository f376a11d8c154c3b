-- The prompt in a simulated world, and waits at the prompt that can never end.
local terminal = require "spec.terminal"

describe("The prompt's worlds #repl #novalgrind", function()
  if not terminal.available() then
    pending "needs tmux"
    return
  end

  local open = terminal.opener(after_each)

  describe("--virtual", function()
    it("lets time jump while an entry waits, and not while one is typed", function()
      local t = open { args = { "--virtual" } }
      assert.equal("2009-11-10 23:00:00", t:run "os.date('!%Y-%m-%d %H:%M:%S')")
      t:run "w = spawn(function() for i = 1, 3 do sleep(3600) print('hour ' .. i) end end)"
      t:wait_for "luasync [1 running]>"
      assert.equal("0.0", t:run "monotonic()")
      assert.equal("hour 1", t:run "sleep(3600)")
      assert.equal("hour 2\nhour 3\ntrue", t:run "w:join()")
      assert.equal("10800.0", t:run "monotonic()")
    end)

    it("runs threads until they wait, before the next entry", function()
      local t = open { args = { "--virtual" } }
      assert.equal("Thread 'W' (started)\nat once",
        t:run "Thread{ name = 'W', target = print, args = { 'at once' } }:start()")
      t:run "q = Queue{ name = 'Q' }"
      t:run "function work() for x in q:items() do print(x) end end"
      t:run "v = Thread{ name = 'V', daemon = true, target = work }:start()"
      t:wait_for "luasync [1 blocked]>"
      assert.equal("1\n2", t:run "q:put(1) q:put(2)")
      assert.truthy(t:run(":threads"):find "V%s+blocked, daemon%s+get Queue 'Q'%s+0%.0 s")
    end)

    it("goes on after a deadlock and after a livelock", function()
      local t = open { args = { "--virtual" } }
      t:run "l = Lock{ name = 'L' } l:acquire()"
      local shown = t:run "l:acquire()"
      assert.truthy(shown:find("luasync: deadlock: the only thread waits", 1, true))
      assert.truthy(shown:find("interrupted! nobody could ever have ended this wait", 1, true))
      assert.truthy(t:run("while l:locked() do end"):find("luasync: livelock: threads look at objects", 1, true))
      assert.equal("2", t:run "1 + 1")
      t:key "C-d"
      t:wait_for "exit code 0"
    end)

    it("Ctrl-C ends what computes, also in a thread that the prompt waits for #notsan", function()
      local t = open { args = { "--virtual" } }
      t:key "C-l"
      t:enter "while true do end"
      os.execute "sleep 0.2"
      t:key "C-c"
      t:wait_for "interrupted!"
      t:wait_for_prompt()
      t:enter "w = Thread{ name = 'loop', daemon = true, target = function() while true do end end }:start()"
      os.execute "sleep 0.2"
      t:key "C-c"
      t:wait_for "threads go on running"
      t:enter ":kill loop"
      t:wait_for "Exception in thread loop:\ninterrupted"
      t:wait_for_prompt()
      assert.equal("2", t:run "1 + 1")
    end)

    it("leaves as the real world does: os.exit, threads that are left, untaken errors", function()
      local t = open { args = { "--virtual" } }
      t:enter "w = Thread{ name = 'slow', target = function() sleep(100) print 'done' end }:start()"
      t:wait_for "[1 running]>"
      t:key "C-d"
      t:wait_for "join, stop or stay?"
      t:enter "join"
      t:wait_for "done\nexit code 0"
      t = open { args = { "--seed", "1" } }
      t:enter "os.exit(7)"
      t:wait_for "exit code 7"
      assert.falsy(t:screen():find("replay", 1, true))
      t = open { args = { "--virtual" } }
      t:enter "w = spawn(function() sleep(100) end) os.exit(5)"
      t:wait_for "join, stop or stay?"
      t:enter "stop"
      t:wait_for "exit code 5"
    end)

    it("tells a deadlock of threads that are to be joined at the end", function()
      local t = open { args = { "--virtual" }, height = 40 }
      t:enter "l = Lock{ name = 'L' } l:acquire() w = Thread{ name = 'W', target = l.acquire, args = { l } }:start()"
      t:wait_for "[1 blocked]>"
      t:key "C-d"
      t:wait_for "join, stop or stay?"
      t:key "C-l"
      t:enter "join"
      t:wait_for "luasync: deadlock: all 2 threads wait"
      assert.falsy(t:screen():find("in function <luasync/repl", 1, true))
      t:wait_until(function(screen) return screen:find "join, stop or stay%?$" end)
      t:enter "stay"
      t:wait_for_prompt()
      assert.equal("2", t:run "1 + 1")
    end)

    it("comes behind a script with -i", function()
      local home = os.tmpname()
      os.remove(home)
      os.execute("mkdir " .. home)
      local file = io.open(home .. "/s.lua", "w")
      file:write "sync = require 'luasync' sync.sleep(50) from_script = sync.monotonic()"
      file:close()
      local t = open { home = home, args = { "--virtual", "-i", home .. "/s.lua" } }
      t.owns_home = true
      assert.equal("50.0", t:run "from_script")
    end)
  end)

  it("--seed N repeats what threads do between the same entries", function()
    local function session(seed)
      local t = open { args = { "--seed", tostring(seed) } }
      t:run "s = Shared{} function note(c) for i = 1, 5 do table.insert(s, c) end end"
      os.execute "sleep 0.3"                     -- how long somebody types plays no part
      t:type "a, b = spawn("
      t:key("Tab", "Tab")
      t:type "note, 'a'), spawn(note, 'b')"
      t:key "Enter"
      t:wait_for_prompt()
      local order = t:run "table.concat(s)"
      t:close()
      return order
    end
    local first = session(5)
    assert.is_true(#first >= 5)
    assert.equal(first, session(5))
    local others = {}
    for seed = 1, 3 do others[session(seed)] = true end
    assert.is_true(next(others, next(others)) ~= nil)
  end)

  it("--replay and --explore need a script", function()
    local t = open { args = { "--replay", "." }, waits = false }
    t:wait_for "luasync: --replay needs a script"
    t = open { args = { "--explore" }, waits = false }
    t:wait_for "--explore needs a script"
  end)

  describe("a wait that can never end", function()
    it("of the entry itself is told and ended", function()
      local t = open { width = 100 }
      t:run "l = Lock{ name = 'L' } q = Queue{ name = 'Q' }"
      local shown = t:run "l:acquire() l:acquire()"
      assert.truthy(shown:find("luasync: deadlock: the only thread waits, and nothing can wake it\n"
        .. "  MainThread waits for Lock 'L' held by MainThread ([2]:1)\n"
        .. "      [2]:1 | l:acquire() l:acquire()\n", 1, true))
      assert.truthy(shown:find "%[2%]:1: in main chunk\ninterrupted! nobody could ever have ended this wait$")
      assert.truthy(t:run("q:get()"):find("waiting in get of Queue 'Q' (0 items)", 1, true))
      assert.equal("2", t:run "1 + 1")
    end)

    it("of the entry and of threads it waits for is told with all of them", function()
      local t = open { width = 100 }
      t:run "e = Event{ name = 'E' } w = Thread{ name = 'W', target = function() e:wait() end }:start()"
      local shown = t:run "w:join()"
      assert.truthy(shown:find("luasync: deadlock: all 2 threads wait", 1, true))
      assert.truthy(shown:find("Thread W: waiting in wait of Event 'E'", 1, true))
      assert.equal("", t:run "e:set()")
      assert.equal("true", t:run "w:join()")
    end)

    it("is none while another thread can still run", function()
      local t = open()
      t:run "q = Queue() w = spawn(function() sleep(0.3) q:put 'came' end)"
      assert.equal("came", t:run "q:get()")
    end)

    it("of a thread is none while somebody types", function()
      local t = open()
      t:run "e = Event() w = Thread{ daemon = true, target = function() e:wait() print 'woken' end }:start()"
      t:wait_for "[1 blocked]>"
      os.execute "sleep 0.3"
      t:key "C-l"
      t:enter "e:set()"
      t:wait_for "woken"
      assert.falsy(t:screen():find("deadlock", 1, true))
    end)

    it("is not looked for with --no-deadlock-check", function()
      local t = open { args = { "--no-deadlock-check" } }
      t:enter "Queue():get()"
      os.execute "sleep 0.3"
      assert.falsy(t:screen():find("deadlock", 1, true))
      t:key "C-c"
      t:wait_for "interrupted!"
      t:wait_for_prompt()
    end)
  end)
end)

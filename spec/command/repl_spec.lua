-- The prompt, driven through a real terminal.
local support = require "spec.support"
local terminal = require "spec.terminal"

describe("The prompt #repl #novalgrind", function()
  if not terminal.available() then
    pending "needs tmux"
    return
  end

  local open = terminal.opener(after_each)

  describe("evaluates", function()
    it("expressions without `=`, and keeps the last value in _", function()
      local t = open()
      assert.equal("2", t:run "1 + 1")
      assert.equal("3       2", t:run "_ + 1, _")
      assert.equal("text", t:run "'text'")
      assert.equal("nil", t:run "nil")
      assert.equal("text", t:run "_")
      assert.equal("7", t:run "= 7")
      assert.equal("", t:run "x = 5")
      assert.equal("5", t:run "x")
    end)

    it("tables readably", function()
      local t = open()
      assert.equal('{ 1, "two", b = { 3 }, z = true }', t:run "{ 1, 'two', z = true, b = { 3 } }")
      assert.equal("{ self = <cycle> }", t:run "(function() local t = {} t.self = t return t end)()")
    end)

    it("objects of luasync without `require`", function()
      local t = open()
      assert.equal("Lock 'A' (unlocked)", t:run "Lock { name = 'A' }")
      assert.equal("true", t:run "Queue == sync.Queue and Thread ~= nil and select ~= sync.select")
    end)

    it("mistakes with a hint, whether they compile or not", function()
      local t = open()
      t:run "local l = Lock()"
      assert.truthy(t:run "l:aquire()":find(
        "nil value (method 'aquire')\nhint: did you mean l:acquire?\n    [2]:1 | l:aquire()\n", 1, true))
      assert.truthy(t:run "x += 1":find("\nhint: Lua has no `+=`: write `x = x + 1`", 1, true))
      assert.falsy(t:run "x = = 1":find("hint", 1, true))
    end)

    it("entries that use the locals of earlier ones", function()
      local t = open()
      t:run "local a, b = 1, 2"
      t:run "local function add() b = b + a return b end"
      assert.equal("3", t:run "add()")
      assert.equal("3", t:run "b")
      t:run "local b"
      assert.equal("nil", t:run "b")
    end)

    it("locals that a thread's function names", function()
      local t = open()
      t:run "local q = Queue()"
      t:run "local n = 41"
      t:run "local w = spawn(function() q:put(n + 1) end)"
      assert.equal("42", t:run "q:get()")
    end)

    it("errors: the message, a traceback of the entry, and the prompt is back", function()
      local t = open()
      local shown = t:run "error 'boom'"
      assert.truthy(shown:find("[1]:1: boom\n    [1]:1 | error 'boom'\nstack traceback:", 1, true))
      assert.truthy(shown:find("in main chunk", 1, true))
      assert.falsy(shown:find("repl", 1, true))
      assert.equal("[2]:1: unexpected symbol near ')'\n    [2]:1 | )", t:run ")")
    end)
  end)

  describe("several lines", function()
    it("are continued as in lua", function()
      local t = open()
      t:enter "for i = 1, 2 do"
      t:wait_for "      >>"
      t:enter "  print('line ' .. i)"
      t:enter "end"
      t:wait_for "line 2"
      t:wait_for_prompt()
    end)

    it("come back as one entry with Up, and into the next session", function()
      local t = open()
      t:enter "text = [[first"
      t:wait_for "      >>"
      t:enter "second]]"
      t:wait_for_prompt()
      t:key("C-l", "Up")
      t:wait_until(function(screen) return screen:find "^luasync> text = %[%[first\nsecond%]%]$" end)
      t:key "C-c"
      local home = t.home
      t.owns_home = false
      t:close()
      t = open { home = home }
      t.owns_home = true
      t:key("C-l", "Up")
      t:wait_until(function(screen) return screen:find "^luasync> text = %[%[first\nsecond%]%]$" end)
      t:key "Enter"
      t:wait_for_prompt()
      assert.equal("first\nsecond", t:run "text")
    end)

    it("that are typed can be taken back into one entry with Up", function()
      local t = open()
      t:enter "n = {"
      t:wait_for "      >>"
      t:type "  2 }"
      t:key "Up"
      t:wait_for "luasync> n = {\n  2 }"
      t:key("Up", "Home")
      t:type "local "
      t:key "Enter"
      t:wait_for_prompt()
      assert.equal("{ 2 }", t:run "n")
    end)

    it("pasted stay one entry that can be edited", function()
      local t = open()
      t:paste "total = 0\nfor i = 1, 10 do\n\ttotal = total + i\nend\nprint(total)\n"
      t:wait_for "print(total)"
      assert.falsy(t:screen():find("55", 1, true))
      t:key("Up", "Up", "Home")
      t:type "  "
      t:key "Enter"
      t:wait_for "\n55\n"
      t:key("C-l", "Up")
      t:wait_for "total = 0\nfor i"
    end)

    it("pasted by the thousand are one entry", function()
      local t = open()
      local text = { "sum = 0" }
      for i = 2, 1999 do text[i] = "sum = sum + " .. i .. " -- padding so that lines have some length" end
      text[2000] = "print('sum is ' .. sum)"
      t:paste(table.concat(text, "\n"))
      t:wait_for "sum is"
      t:key("Up", "Up", "Up", "End", "Left")
      t:type "X"
      t:wait_for "lengtXh"
      t:key "Enter"
      t:wait_for "sum is 1998999"
      t:wait_for_prompt()
      assert.equal("3", t:run "1 + 2")
    end)
  end)

  describe("editing", function()
    it("keeps UTF-8 and wide characters in lines that wrap", function()
      local t = open { width = 40 }
      t:type "'äöü 日本語日本語日本語日本語日本語日本語 €ß'"
      t:key("Left", "Left", "Left", "Left", "BSpace")
      t:type "x"
      t:key "Enter"
      t:wait_for_prompt()
      t:wait_for "\näöü 日本語日本語日本語日本語日本語日本x €ß\n"
    end)

    it("shows a line that is taller than the screen through a window", function()
      local t = open { width = 40, height = 10 }
      t:paste("x = '" .. ("0123456789"):rep(500) .. "'")
      t:wait_for "456789'"
      t:key("Home", "Right", "Right", "Right", "Right", "Right")
      t:type "ABC"
      t:wait_for "x = 'ABC0123"
      t:key "Enter"
      t:wait_for_prompt()
      assert.equal("5003/ABC012/9", t:run "#x .. '/' .. x:sub(1, 6) .. '/' .. x:sub(-1)")
    end)

    it("takes binary garbage, typed or pasted, and is back", function()
      local t = open()
      local bytes = {}
      for i = 1, 2000 do bytes[i] = string.char(i * 7919 % 251 + 3) end
      t:paste(table.concat(bytes))
      t:key "Enter"
      for i = 1, 20 do
        local codes = {}
        for k = 1, 20 do
          local byte = (i * 7919 + k * 104729) % 251 + 3
          codes[k] = ("%02x"):format((byte == 4 or byte == 26 or byte == 28) and 5 or byte)
        end
        t:tmux("send-keys", "-H", table.unpack(codes))
      end
      os.execute "sleep 0.5"
      t:key "C-c"
      os.execute "sleep 0.1"
      t:key "C-c"
      t:wait_for_prompt()
      assert.equal("2", t:run "1 + 1")
    end)

    it("searches the history with Ctrl-R", function()
      local t = open()
      t:run "alpha = 1"
      t:run "beta = 2"
      t:run "gamma = 3"
      t:key "C-l"
      t:key "C-r"
      t:type "alp"
      t:wait_for "(search) 'alp': alpha = 1"
      t:key "End"
      t:wait_for "luasync> alpha = 1"
      t:type "0"
      t:key "Enter"
      t:wait_for_prompt()
      assert.equal("10", t:run "alpha")
    end)

    it("completes globals, fields, methods and commands", function()
      local t = open()
      t:type "coro"
      t:key "Tab"
      t:wait_for "luasync> coroutine"
      t:type ".cr"
      t:key "Tab"
      t:wait_for "luasync> coroutine.create"
      t:key("C-u")
      t:run "lock = Lock()"
      t:type "lock:acq"
      t:key "Tab"
      t:wait_for "luasync> lock:acquire"
      t:key("C-u")
      t:type ":thr"
      t:key "Tab"
      t:wait_for "luasync> :threads"
      t:key("C-u")
      t:type "table.r"
      t:key "Tab"
      t:type "table.un"
      t:key("C-u")
      t:type "string.re"
      t:key "Tab"
      t:wait_for "rep      reverse"
      t:wait_for "luasync> string.re"
    end)

    it("drops the line with Ctrl-C", function()
      local t = open()
      t:type "something"
      t:wait_for "> something"
      t:key "C-c"
      t:wait_for "something^C\nluasync>"
      t:enter "for i = 1, 3 do"
      t:wait_for "      >>"
      t:key "C-c"
      t:wait_for_prompt()
      assert.equal("1", t:run "1")
    end)
  end)

  describe("commands", function()
    it("show the threads, what they wait for, and interrupt them", function()
      local t = open { width = 120 }
      t:run "a = Lock { name = 'A' }; a:acquire()"
      t:run "w = Thread { name = 'waiter', daemon = true, target = function() a:acquire() end }:start(); sleep(0.05)"
      local threads = t:run ":threads"
      assert.truthy(threads:find "id%s+name%s+state")
      assert.truthy(threads:find "waiter%s+blocked, daemon%s+acquire Lock 'A'%s+MainThread")
      local locks = t:run ":locks"
      assert.truthy(locks:find "Lock 'A' %(locked by MainThread%)%s+waiter%s+a")
      local why = t:run ":why waiter"
      assert.truthy(why:find "^waiter waits for acquire Lock 'A'")
      assert.truthy(why:find "held by MainThread")
      assert.truthy(why:find "MainThread is running")
      assert.truthy(t:run(":bt waiter"):find "traceback")
      assert.truthy(t:run(":kill waiter"):find "interrupted waiter")
      t:wait_for "Exception in thread waiter"
      assert.truthy(t:run(":kill nobody"):find "no thread 'nobody'")
    end)

    it("take variables, parts of names and numbers for a thread", function()
      local t = open { width = 120 }
      t:run "e = Event{ name = 'E' } function wait() e:wait() end chat = {}"
      t:run "function go(n) chat[n] = Thread{ name = n, daemon = true, target = wait }:start() end"
      t:run "go 'chat-server' go 'chat-client' settle()"
      t:run "t2 = chat['chat-client'] last = Thread{ name = 'unused' }"
      for _, name in ipairs { "t2", "client", "CHAT-C", "chat['chat-client']", "3" } do
        assert.truthy(t:run(":why " .. name):find("^chat%-client waits for wait Event 'E'"), name)
      end
      assert.equal("'chat' may be any of chat-server, chat-client", t:run ":kill chat")
      assert.equal("thread 'unused' has not been started", t:run ":bt last")
      t:run ":kill t2"
      t:wait_for "Exception in thread chat-client"
      t:wait_for "luasync [1 "
      assert.equal("thread 'chat-client' has ended", t:run ":why t2")
      assert.truthy(t:run(":why chat"):find "^chat%-server waits")
    end)

    it("list locks of all kinds, in variables, tables and shared tables", function()
      local t = open { width = 120 }
      t:run "rw, b, p = RWLock{ name = 'rw' }, Barrier(2, nil, nil, { name = 'b' }), Pool(1) rw:read()"
      t:run "list = { Semaphore(3, { name = 's' }) } sh = Shared{ inner = Lock{ name = 'l' } } q = Queue{ name = 'q' }"
      t:run "w = Thread{ name = 'W', daemon = true, target = function() rw:write() end }:start() settle()"
      local locks = t:run ":locks"
      for _, row in ipairs { "RWLock 'rw' %(read by MainThread%)%s+W%s+rw\n", "Barrier 'b' %(0 of 2 waiting%)%s+b\n",
        "Pool 'Pool%-1' %b()%s+p\n", "Semaphore 's' %(value 3%)%s+list%[1%]", "Lock 'l' %(unlocked%)%s+sh%.inner\n",
        "Queue 'q' %(0 items%)%s+q\n" } do
        assert.truthy(locks:find(row), row)
      end
    end)

    it("load files, measure time, help", function()
      local t = open()
      support.write_file(t.home .. "/f.lua", "loaded = 'yes'\nreturn 11\n")
      assert.equal("11", t:run(":load " .. t.home .. "/f.lua"))
      assert.equal("yes", t:run "loaded")
      assert.truthy(t:run(":load /nowhere.lua"):find "cannot open")
      assert.truthy(t:run(":time 40 + 2"):find "^42\n0%.%d+ s, cpu 0%.%d+ s$")
      assert.truthy(t:run(":help"):find ":threads")
      assert.truthy(t:run(":help Lock"):find "Lock")
      assert.truthy(t:run(":help nothinglikethat"):find "no entry")
      assert.truthy(t:run(":nonsense"):find "no command ':nonsense'")
    end)
  end)

  describe("leaving", function()
    it("with Ctrl-D or :quit ends with 0", function()
      for _, way in ipairs { "C-d", ":quit" } do
        local t = open()
        if way == "C-d" then t:key "C-d" else t:enter(way) end
        t:wait_for "exit code 0"
        t:close()
      end
    end)

    it("with os.exit ends with its code", function()
      local t = open()
      t:enter "os.exit(7)"
      t:wait_for "exit code 7"
    end)

    it("lists living threads and asks: stay, then join", function()
      local t = open()
      t:enter(("function asked() local f = io.open '%s/go' return f and f:close() end"):format(t.home))
      t:enter "function slow() while not asked() do sleep(0.02) end print 'done' end"
      t:enter "w = Thread { name = 'slow', target = slow }:start()"
      t:wait_for "[1 running]>"
      t:key "C-d"
      t:wait_for "join, stop or stay?"
      t:wait_for "slow"
      t:enter "stay"
      t:wait_until(function(screen) return screen:find "luasync %[1 running%]>$" end)
      t:enter ":quit"
      t:wait_until(function(screen) return screen:find "join, stop or stay%?$" end)
      t:enter "join"
      assert(io.open(t.home .. "/go", "w")):close()
      t:wait_for "done\n"
      t:wait_for "exit code 0"
    end)

    it("stops the threads at a second Ctrl-D", function()
      local t = open()
      t:enter "w = spawn(function() while true do end end)"
      t:wait_for "[1 running]>"
      t:key "C-d"
      t:wait_for "join, stop or stay?"
      t:key "C-d"
      t:wait_for "exit code 0"
    end)

    it("with os.exit asks too, and keeps its code", function()
      local t = open()
      t:enter "l = Lock(); l:acquire(); w = spawn(function() l:acquire() end)"
      t:wait_for "[1 blocked]>"
      t:enter "os.exit(5)"
      t:wait_for "join, stop or stay?"
      t:enter "stop"
      t:wait_for "exit code 5"
    end)

    it("by joining what never ends can be given up with Ctrl-C", function()
      local t = open()
      t:enter "l = Lock(); l:acquire(); w = spawn(function() l:acquire() end)"
      t:wait_for "[1 blocked]>"
      t:key "C-d"
      t:wait_for "join, stop or stay?"
      t:enter "join"
      os.execute "sleep 0.2"
      t:key "C-c"
      t:wait_until(function(screen) return screen:find "join, stop or stay%?$" end)
      t:enter "stay"
      t:wait_for_prompt()
    end)

    it("does not wait for daemons", function()
      local t = open()
      t:enter "w = Thread { daemon = true, target = function() sleep(1000) end }:start()"
      t:wait_for "[1 running]>"
      t:key "C-d"
      t:wait_for "exit code 0"
    end)
  end)

  describe("bad values", function()
    it("give a message, and the prompt is back", function()
      local t = open()
      assert.truthy(t:run("setmetatable({}, { __tostring = function() error 'bad' end })"):find "__tostring: .*bad")
      assert.truthy(t:run("setmetatable({}, { __tostring = coroutine.yield })"):find "yield")
      assert.truthy(t:run("error(setmetatable({}, { __tostring = function() error 'x' end }))"):find "error")
      assert.equal("{}", t:run "setmetatable({}, { __index = error, __len = error, __pairs = error, __metatable = 1 })")
      assert.truthy(t:run("big = {} for i = 1, 1e6 do big[i] = i end return big"):find "999900 more")
      assert.equal("3", t:run "1 + 2")
    end)

    it("in the names of standard functions do not break the prompt", function()
      local t = open()
      assert.equal("", t:run "print, type, error, pcall, tostring, string, table, io, os, next, load = 1")
      assert.equal("{ 1 }", t:run "{ 1 }")
      assert.truthy(t:run(":threads"):find "MainThread")
    end)
  end)

  describe("output", function()
    it("has colours on a terminal, none with NO_COLOR", function()
      local t = open { env = { NO_COLOR = "" } }
      t:key "C-l"
      t:enter "{ 12 }"
      t:wait_for "{ 12 }\n"
      assert.truthy(t:screen("-e"):find "\27%[36m12")
      t:close()
      t = open()
      t:enter "{ 12 }"
      t:wait_for "{ 12 }\n"
      assert.falsy(t:screen("-e"):find "\27%[36m12")
    end)

    it("without a line end does not disturb the prompt", function()
      local t = open()
      t:enter "do io.write 'no line end' end"
      t:wait_for "no line end\nluasync>"
    end)
  end)

  it("without a terminal for its output still answers", function()
    local t = open { redirect = "| cat", waits = false }
    t:wait_for "luasync>"
    t:enter "{ 1, 2 }"
    t:wait_for "{ 1, 2 }"
    t:key "C-d"
    t:wait_for "exit code"
  end)
end)

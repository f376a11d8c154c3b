-- The entries of a session: their numbers, their lines in reports, lists of them, and long output.
local support = require "spec.support"
local terminal = require "spec.terminal"

describe("The prompt's entries #repl #novalgrind", function()
  if not terminal.available() then
    pending "needs tmux"
    return
  end

  local open = terminal.opener(after_each)

  describe("are numbered:", function()
    it("an error names the place, and shows the line once", function()
      local t = open()
      t:run "function f() local x = nil + 1 end"
      assert.equal("[1]:1: attempt to perform arithmetic on a nil value\n"
        .. "    [1]:1 | function f() local x = nil + 1 end\n"
        .. "stack traceback:\n        [1]:1: in function 'f'\n        [2]:1: in main chunk\n"
        .. "            [2]:1 | x = f()", t:run "x = f()")
    end)

    it("a block of Python's is not waited for to go on, but told how Lua says it", function()
      local t = open { width = 120 }
      assert.equal("[1]:1: <name> expected near <eof>\nhint: Python's `while True:` is `while true do ... end`\n"
        .. "    [1]:1 | while True:", t:run "while True:")
      assert.truthy(t:run "for i in range(3):":find("is `for i = 0, 3 - 1 do ... end`", 1, true))
      t:enter "while true do"
      t:wait_for ">>"
      t:run "break end"
    end)

    it("a line of a pasted block is the one that is shown", function()
      local t = open()
      t:paste "do\n  local a = 1\n  error 'in line 3'\nend"
      t:key "Enter"
      t:wait_for "[1]:3: in line 3\n    [1]:3 | error 'in line 3'\n"
    end)

    it("errors of threads and reports show it, too", function()
      local t = open { width = 120 }
      t:run "function work() error 'in a thread' end"
      t:enter "w = Thread{ name = 'W', target = work }:start()"
      t:wait_for "Exception in thread W:\n[1]:1: in a thread\n    [1]:1 | function work() error 'in a thread' end\n"
      t:run "e = Event{ name = 'E' }"
      t:run "v = Thread{ name = 'V', daemon = true, target = function() e:wait() end }:start() settle()"
      t:key "C-\\"
      t:wait_for("waiting in wait of Event 'E' (unset), since")
      t:wait_for("    [4]:1 | v = Thread{ name = 'V'")
    end)

    it("recordings take their texts along, and nothing that the prompt does itself", function()
      local t = open { args = { "--virtual" } }
      t:run ":trace"
      t:run "lock = Lock{ name = 'A' } function work() lock:acquire() lock:release() end"
      t:run "w = spawn(work) print 'printed'"
      t:run "'shown'"
      local shown = t:run ":trace"
      assert.truthy(shown:find("(virtual), 2 threads", 1, true))
      assert.truthy(shown:find("Thread-1 takes Lock 'A'  [1]:1", 1, true))
      local path = t.home .. "/session.json"
      t:run(":trace save " .. path)
      local recording = assert(require "luasync.trace".read(path))
      local texts = {}
      for _, file in ipairs(recording.doc.files) do texts[file.path] = file.text end
      assert.same({ ["[1]"] = "lock = Lock{ name = 'A' } function work() lock:acquire() lock:release() end",
        ["[2]"] = "w = spawn(work) print 'printed'" }, texts)
      local printed = {}
      for event in recording:events() do
        if event.kind == "out" then printed[#printed + 1] = event.text end
      end
      assert.equal(1, #printed)
      assert.truthy(printed[1]:find "printed")
    end)

    it("warnings of what an entry's line shows are given as for a script", function()
      local t = open { width = 120 }
      t:run "function work() end"
      assert.truthy(t:run "t = Thread{ target = work() }":find(
        "luasync: warning: [2]:1: target is nil, for this calls work at once and gives its result: write target = work"
        .. "\n    [2]:1 | t = Thread{ target = work() }", 1, true))
    end)

    it("commands have none", function()
      local t = open()
      t:run ":threads"
      t:run "x = 1"
      assert.equal("[1] x = 1", t:run ":list")
      assert.equal("[2]:1: unexpected symbol near '+'\n    [2]:1 | +", t:run ":time +")
    end)
  end)

  it(":list shows them, or one", function()
    local t = open()
    t:run "a = 1"
    t:paste "function f()\n  return a\nend"
    t:key "Enter"
    t:wait_for_prompt()
    assert.equal("[1] a = 1\n[2] function f()\n      return a\n    end", t:run ":list")
    assert.equal("[1] a = 1", t:run ":list 1")
    assert.equal("no entry 9", t:run ":list 9")
    assert.equal("'x' is no number of an entry", t:run ":list x")
  end)

  it(":save writes a script that runs; what failed is a comment", function()
    local t = open()
    t:run "local l = Lock{ name = 'L' }"
    t:run "l"
    t:run "= 6 * 7"
    t:run "error 'failed'"
    t:run "x = = 1"
    t:run "print(l:acquire())"
    local path = t.home .. "/saved.lua"
    assert.equal("6 entries in " .. path, t:run(":save " .. path))
    assert.equal("Lock 'L' (unlocked)\n42\ntrue\n", support.output(("dofile %q"):format(path)))
    assert.truthy(support.read_file(path):find("\n-- error 'failed'\n-- x = = 1\n", 1, true))
    assert.truthy(t:run(":save /no/such/folder/x.lua"):find("/no/such/folder/x.lua: No such file", 1, true))
    assert.equal("the name of a file is missing", t:run ":save")
  end)

  it("of names that others use to leave or to get help say what to type", function()
    local t = open()
    assert.truthy(t:run "exit":find("Ctrl-D or :quit leaves", 1, true))
    assert.truthy(t:run "quit()":find("Ctrl-D or :quit leaves", 1, true))
    assert.truthy(t:run "help":find(":help lists the commands", 1, true))
    t:run "exit = 'mine'"
    assert.equal("mine", t:run "exit")
  end)

  describe("debug.traceback", function()
    it("shows no frames of the prompt", function()
      local t = open()
      t:run "function f() local trace = debug.traceback('here') return trace end"
      assert.equal("here\nstack traceback:\n        [1]:1: in function 'f'\n        [2]:1: in main chunk",
        t:run "local x = f() print(x)")
      assert.equal("true", t:run "debug.traceback(f) == f")
      assert.truthy(t:run "debug.traceback(coroutine.create(f), 'co')":find "^co\nstack traceback:$")
      assert.equal("false   m\nstack traceback:\n        [C]: in function 'error'\n        [C]: in function 'xpcall'\n"
        .. "        [5]:1: in main chunk", t:run "print(xpcall(error, debug.traceback, 'm'))")
    end)

    it("is that of Lua in a thread", function()
      local t = open()
      local shown = t:run "print(spawn(function() local x = debug.traceback 'T' return x end):result())"
      assert.truthy(shown:find("^T\nstack traceback:\n        %[1%]:1: in function <%[1%]:1>\n"))
      assert.falsy(shown:find("repl", 1, true))
    end)
  end)

  describe("a long output", function()
    it("comes a screen at a time", function()
      local t = open()
      support.write_file(t.home .. "/long.lua",
        "local t = {} for i = 1, 50 do t[i] = 'line ' .. i end return table.concat(t, '\\n')")
      local shown = t:run(":load " .. t.home .. "/long.lua")
      assert.truthy(shown:find "^line 1\n.*line 21\n%(29 more lines: Enter shows them%)$")
      t:key "Enter"
      t:wait_for "line 42\n(8 more lines: Enter shows them)\nluasync>"
      t:key "Enter"
      t:wait_for "line 50\nluasync>"
      t:key "Enter"
      t:wait_for "line 50\nluasync>\nluasync>"
    end)

    it("is forgotten with the next entry", function()
      local t = open { height = 10 }
      t:run ":help Lock"
      t:wait_for "more lines: Enter shows them)"
      assert.equal("2", t:run "1 + 1")
      t:key("C-l", "Enter")
      t:wait_until(function(screen) return screen:find "^luasync>\nluasync>$" end)
    end)
  end)
end)

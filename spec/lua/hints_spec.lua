-- Cures for errors: each by an example that is really run, and the examples in which there is nothing to say.

local command = require "spec.command"
local hints = require "luasync.hints"
local reference = require "luasync.reference"
local support = require "spec.support"

local FORMAT = "Python's \"%d of %s\" % (a, b) is (\"%d of %s\"):format(a, b)"
local SYNC = 'local sync = require "luasync"\n'

--- What is said of the error that a script raises, and the error.
local function cure(text)
  local f, message = load(text, "@script.lua")
  if f then
    local _
    _, message = pcall(f)
  end
  assert.is_string(message, "no error was raised by: " .. text)
  return hints.cure(message, function(name) return name == "script.lua" and text or nil end), message
end

local function examples(title, list, prefix)
  describe(title, function()
    for _, example in ipairs(list) do
      it("in " .. example[1]:gsub("\n", " ⏎ "), function()
        assert.equal(example[2], (cure((prefix or "") .. example[1])))
      end)
    end
  end)
end

describe("A hint says what to write", function()
  examples("where a method got no self,", {
    { "local t = sync.Thread(print) t.start()", "use t:start(...), with a colon" },
    { "local q = sync.Queue() q.put(1)", "use q:put(...), with a colon" },
    { "local l = { lock = sync.Lock() } l.lock.acquire()", "use l.lock:acquire(...), with a colon" },
    { "sync.Thread{ target = print }.start()", "use :start(...), with a colon" },
    { "local s = 'x' s.upper()", "use s:upper(...), with a colon" },
    { "io.stdout.write('x')", "use io.stdout:write(...), with a colon" },
  }, SYNC)

  examples("where a function of the module got one,", {
    { "sync:sleep(1)", "use sync.sleep(...), with a dot: it is a function of the module" },
    { "sync:Lock()", "use sync.Lock(...), with a dot: it is a function of the module" },
    { "local threads = require 'luasync' threads:spawn(print)",
      "use threads.spawn(...), with a dot: it is a function of the module" },
  }, SYNC)

  examples("where arguments are named as in Python,", {
    { "local t = sync.Thread(target=fn)", "Lua's named arguments stand in braces: sync.Thread{ target = ... }" },
    { "local t = Thread(\n  target=fn,\n  args=1)", "Lua's named arguments stand in braces: Thread{ target = ... }" },
    { "local t = sync.Thread{ target = print, args = (1, 2) }",
      "Python's tuple (a, b) is a table in Lua: args = { a, b }" },
    { "local e = sync.Event() sync.Thread{ target = print, args = (e) }", "the arguments are a list: args = { e }" },
    { "sync.Thread{ target = print, args = 3 }", "the arguments are a list: args = { 3 }" },
    { "sync.Thread{ target = tostring(1) }",
      "this calls tostring at once and gives its result; write target = tostring" },
    { "sync.Thread{ tagret = print }", "did you mean target?" },
    { "sync.Queue{ maxsize = 10 }", "Queue takes no maxsize by name: Queue(10)" },
    { "sync.Semaphore{ value = 3 }", "Semaphore takes no value by name: Semaphore(3)" },
    { "sync.Queue(maxsize=10)", "Queue takes no maxsize by name: Queue(10)" },
    { "sync.Barrier(parties = 3)", "Barrier takes no parties by name: Barrier(3)" },
    { "sync.Timer{ interval = 1 }", "Timer takes no interval by name: Timer(1)" },
    { "sync.Thread(print, args=(1,))", "Lua's named arguments stand in braces: sync.Thread{ args = ... }" },
    { "local q = sync.Queue() q:get(timeout=1)",
      "Lua's arguments have no names, their place counts: q:get([block [, timeout]])" },
    { "local q = sync.Queue() q:get{ timeout = 1 }",
      "Lua's arguments have no names, their place counts: q:get([block [, timeout]])" },
    { "local function f(x) end f(x=1)",
      "Lua's arguments have no names: give them by place, or in one table, f{ x = 1 }" },
  }, SYNC)

  examples("where a name is misspelled,", {
    { "sync.lock()", "did you mean sync.Lock?" },
    { "sync.RLok()", "did you mean sync.RLock?" },
    { "local l = sync.Lock() l:aquire()", "did you mean l:acquire?" },
    { "local q = sync.Queue() q.putt(1)", "did you mean q:put?" },
    { "local function work(q) q:gett() end work(sync.Queue())", "did you mean q:get?" },
    { "local t = sync.spawn(print) t:jion()", "did you mean t:join?" },
    { "local e = sync.Event() e:acquire()", "a Event has set, clear, is_set, isSet, wait" },
    { "local t = sync.Thread(print) t.deamon = true", "did you mean daemon?" },
    { "local t = sync.Thread(print) t:name()", "t.name is a value, not a function: no parentheses" },
    { "local e = Event()", 'Event is sync.Event here: local sync = require "luasync"' },
    { "sync.current_thread().name()", "x.name is a value, not a function: no parentheses" },
    { "sync.current_thread().getName()", "use :getName(...), with a colon" },
    { "sync.ThreadPoolExecutor(3)", "Python's ThreadPoolExecutor(n) is sync.Pool(n)" },
    { "pirnt(1)", "did you mean print?" },
    { "tabel.insert({}, 1)", "did you mean table?" },
  }, SYNC)

  examples("where Python's statements do not compile,", {
    { "import threading", 'Python\'s `import x` is `local x = require "x"`; its threading, queue and time are all in '
      .. '`local sync = require "luasync"`' },
    { "from threading import Thread", 'Python\'s `from x import y` is `local y = require "x".y`; its threading, queue '
      .. 'and time are all in `local sync = require "luasync"`' },
    { "with self.lock:\n  print(1)",
      "Python's `with self.lock:` is `local _ <close> = self.lock:hold()` up to the end of the block" },
    { "with ThreadPoolExecutor(3) as pool:\n  pool.map(f)",
      "Python's `with ThreadPoolExecutor(n) as pool:` is `local pool <close> = sync.Pool(n)` "
        .. "up to the end of the block" },
    { "with open('x') as f:\n  f()",
      "Python's `with open(name) as f:` is `local f <close> = io.open(name)` up to the end of the block" },
    { "with a, b:\n  f()", "Python's `with a, b:` is `local _ <close> = a:hold()` and `local _ <close> = b:hold()` "
      .. "up to the end of the block" },
    { "def worker(q, n):\n  return n", "Python's `def worker(q, n):` is `function worker(q, n) ... end`" },
    { "x = 1\nx += 1", "Lua has no `+=`: write `x = x + 1`" },
    { "self.n -= step", "Lua has no `-=`: write `self.n = self.n - step`" },
    { "x++", "Lua has no `++`: write `x = x + 1`" },
    { "if 1 != 2 then end", "`!=` is `~=` in Lua" },
    { "if a && b then end", "`&&` is `and` in Lua" },
    { "if !done then end", "`!x` is `not x` in Lua" },
    { "if x then\nelif y:\n  print(1)", "Python's `elif y:` is `elseif y then`" },
    { "if x then\nelif y then\nend", "Lua's `elif` is `elseif y then`" },
    { "if x > 3:\n  print(x)", "Python's `if x > 3:` is `if x > 3 then ... end`" },
    { "if x then\n  y()\nelse:\n  z()", "Python's `else:` is `else`, and `end` closes it" },
    { "while True:\n  pass", "Python's `while True:` is `while true do ... end`" },
    { "while not stop.is_set() and x is not None:\n  f()", "Python's `while not stop.is_set() and x is not None:` is "
      .. "`while not stop:is_set() and x ~= nil do ... end`" },
    { "if len(items) != 3 and name == 'a b':\n  f()", "Python's `if len(items) != 3 and name == 'a b':` is "
      .. "`if #items ~= 3 and name == 'a b' then ... end`" },
    { "if __name__ == '__main__':\n  main()",
      "Lua needs no `if __name__ == ...:`; what the script does stands in it as it is" },
    { "local t = {}\nlocal found = t not in t", "Python's `x not in t` is `not t[x]` for a table with the key x" },
    { "if not x in y:\n  f()", "Python's `x not in t` is `not t[x]` for a table with the key x" },
    { "for i in range(0, 10, 2):\n  f()",
      "Python's `for i in range(0, 10, 2):` is `for i = 0, 10, 2 do ... end`, whose last value counts as well" },
    { "for i, x in enumerate(list):\n  f()",
      "Python's `for i, x in enumerate(list):` is `for i, x in ipairs(list) do ... end`, which counts from 1" },
    { "for k, v in d.items():\n  f()", "Python's `for k, v in d.items():` is `for k, v in pairs(d) do ... end`" },
    { "f = lambda: 3", "Python's `lambda: x` is `function() return x end`" },
    { "print x, y", "print is a function: print(x, y)" },
    { "print 'a', 'b'", "more than one argument stands in parentheses: print('a', 'b')" },
    { "assert x == 3, 'no'", "assert is a function: assert(x == 3, 'no')" },
    { "print 'a %d' % b", FORMAT },
    { "print '%s: %d' % (a, b)", FORMAT },
    { "print('%s: %d' % (a, b))", FORMAT },
    { "print(', '.join(list))", "Python's sep.join(list) is table.concat(list, sep)" },
    { "print('{}'.format(x))", "Python's \"{}\".format(x) is (\"%s\"):format(x)" },
    { "return a if b else c", "Python's `a if c else b` is `c and a or b`" },
    { "x = (1, 2)", "Python's tuple (a, b) is a table in Lua: { 1, 2 }" },
    { "x = {1: 'a'}", "Python's {1: 'a'} is { [1] = 'a' }" },
    { "x = {a: 1}", "fields of a table are set by `=`: { a = 1 }" },
    { "list[i] += 1", "Lua has no `+=`: write `list[i] = list[i] + 1`" },
    { "d['k'] += 1", "Lua has no `+=`: write `d['k'] = d['k'] + 1`" },
    { "x //= 2", "Lua has no `//=`: write `x = x // 2`" },
    { "x **= 2", "Lua has no `**=`: write `x = x ^ 2`" },
    { "x = 2 ** 3", "`**` is `^` in Lua" },
    { "for i = 1, 3 do\n  if i == 2 then\n    continue\n  end\nend",
      "Lua has no `continue`: write `goto continue`, and `::continue::` before the `end` of the loop" },
    { "local n = q:qsize\nprint(n)", "a method is called with parentheses: qsize()" },
    { "for i in range(3):\n  print(i)", "Python's `for i in range(3):` is `for i = 0, 3 - 1 do ... end`" },
    { "for i in range(1, n):\n  print(i)", "Python's `for i in range(1, n):` is `for i = 1, n - 1 do ... end`" },
    { "for t in threads:\n  t.join()", "Python's `for t in threads:` is `for _, t in ipairs(threads) do ... end`" },
    { "try:\n  f()\nexcept E as e:\n  g()",
      "Python's `try:` is `local ok, err = pcall(function() ... end)`, and `if not ok then` is its `except`" },
    { "if x then\n  pass\nend", "Lua needs no `pass`: an empty block is right" },
    { "raise ValueError('x')", "Python's `raise` is `error(\"message\")`" },
    { "function f()\n  global count\nend",
      "Lua needs no `global`: a variable is global unless it is declared `local`" },
    { "class Worker(Thread):\n  pass", "Lua has no classes; a table with functions will do: `local Worker = {}`, "
      .. "`Worker.__index = Worker`, `function Worker:method() ... end`" },
    { "f = lambda x: x + 1", "Python's `lambda x: x` is `function(x) return x end`" },
    { "return x is not None", "Python's `is not None` is `~= nil`" },
    { "x = [1, 2]", "Python's [1, 2] is { 1, 2 }" },
    { "print(s[1:3])", "Python's s[1:3] is s:sub(2, 3), of a list table.move(list, 2, 3, 1, {})" },
    { "x = list[:-1]", "Python's s[1:3] is s:sub(2, 3), of a list table.move(list, 2, 3, 1, {})" },
    { "yield 5", "Python's `yield x` is `coroutine.yield(x)`" },
    { "x = {'a': 1}", "Python's {'a': 1} is { a = 1 }" },
    { "x = a if b else c", "Python's `a if c else b` is `c and a or b`" },
    { "x = 1 # one", "Lua's comments begin with `--`" },
  })

  examples("where other languages' statements do not compile,", {
    { "local i = 0\ni++", "Lua has no `++`: write `i = i + 1`" },
    { "if x then\n  f()\nelse if y then\n  g()\nend",
      "the `else if` in line 3 wants an `end` of its own; `elseif` wants none" },
    { "if (x == 1) {\n  f()\n}", "Lua's blocks have no braces: `if x == 1 then ... end`" },
    { "while (x) {\n}", "Lua's blocks have no braces: `while x do ... end`" },
    { "for (i = 0; i < 3; i++) {\n}", "Lua's loop is `for i = 1, n do ... end`" },
    { "local f = function(x) {\n}", "Lua's blocks have no braces: `function(x) ... end`" },
    { "const x = 3", "Lua's constant is `local x <const> = ...`" },
    { "let x = 3", "Lua's variable is `local x = ...`" },
    { "x = 1 // a comment", "Lua's comments begin with `--`; `//` divides" },
    { "x = 1 // a long comment\nprint(x)", "Lua's comments begin with `--`; `//` divides" },
    { "// a comment", "Lua's comments begin with `--`; `//` divides" },
    { "/* a comment */", "Lua's comments begin with `--`, long ones stand between `--[[` and `]]`" },
    { "x = y ? 1 : 2", "`c ? a : b` is `c and a or b` in Lua" },
    { "x := 3", "`:=` is `=` in Lua" },
    { "local f = x => x", "`x => y` is `function(x) return y end` in Lua" },
  })

  examples("where Python's expressions do not run,", {
    { "print(f'{x}')", "Python's f\"{x} of {y}\" is (\"%s of %s\"):format(x, y)" },
    { "print('%d' % 3)", "Python's \"%d of %s\" % (a, b) is (\"%d of %s\"):format(a, b)" },
    { "print('a' + 'b')", "strings are joined with `..`" },
    { "print('a' + 1)", "strings are joined with `..`" },
    { "print(len({}))", "Python's len(x) is #x" },
    { "for i in range(3) do end", "Python's range(n) is `for i = 0, n - 1 do`" },
    { "time.sleep(1)", "Python's time is in luasync: sync.time(), sync.sleep(seconds)" },
    { "x = None + 1", "Python's None is nil" },
    { "local l = {} l.append(3)", "Python's x.append(y) is table.insert(x, y)" },
    { "local d = {} for k, v in d.items() do end", "Python's d.items() is pairs(d)" },
    { "local l = { { x = 1 } }\nfor i = 0, #l - 1 do\n  print(l[i].x)\nend",
      "Lua's lists begin at 1: for i = 1, #l do" },
    { "local l = { { x = 1 } }\nfor i = 0, #l - 1 do\n  local one = l[i]\n  print(one.x)\nend",
      "Lua's lists begin at 1: for i = 1, #l do" },
    { "local l = { 1, 2 } for i = 1, l.length do print(i) end", "the length of l is #l in Lua" },
    { "local l = { 1, 2 } print(l.length + 1)", "the length of l is #l in Lua" },
    { "local l = { 1 } for x in l do end", "a list is gone through by `for _, x in ipairs(l) do`" },
    { "local t = {} for k, v in t do end", "write `for k, v in pairs(t) do`" },
    { "local q = require 'luasync'.Queue() for x in q do end", "a Queue is gone through by `for x in q:items() do`" },
    { "print(null.x)", "null is nil in Lua" },
    { "local s = 'a' s.split(',')",
      "Python's s.split() is s:gmatch(\"%S+\"), s.split(\",\") is s:gmatch(\"[^,]+\")" },
    { "logging.info 'x'", 'Python\'s logging is `local logging = require "luasync.logging"`' },
    { 'require "threading"', 'what Python has in threading is here in `local sync = require "luasync"`' },
  })
end)

describe("No hint is given", function()
  examples("for other mistakes:", {
    { "goto continue" }, { "x = 1 // 2 3" }, { "if a // b the c" }, { "local t = { a:b() c }" }, { "f(a = = 1)" },
    { "if (f) { a = 1 } the" }, { "x = y % 2 3" }, { "f(1 2)" }, { "if x = 3 then end" },
    { "while x = 3 do end" }, { "if a then b()\nelse if c then d() end end\nfunction f()" }, { "x = y z" },
    { "local x = 1 // nope" }, { "for i = 1, 3\n f()\nend" }, { "print('a', 'b'" }, { "local end = 3" },
    { "if x the end" }, { "x = = 3" }, { "local function f( end" }, { "goto nowhere" }, { "x = 'unfinished" },
    { "-- with lock:\nx = = 3" }, { "--[[\nimport threading\n]]\nx = = 3" },
    { "local s = [[\nimport threading\n]]\nx = = 3" }, { "print('a != b') x = = 3" },
    { "error 'with lock:'" }, { "error('x += 1', 0)" }, { "no_such_function_anywhere()" },
    { "local t = {} t.x.y = 1" }, { "local x x()" }, { "string.rep()" }, { "table.insert(nil, 1)" },
    { "setmetatable({}, { __index = error }).x()" }, { "local o = {} o:aquire()" },
    { "local o = setmetatable({}, {}) o:putt(1)" }, { "print(1 + {})" }, { "print(#5)" },
    { "local l = {}\nfor i = 0, 3 do\n  local k = 1\n  print(l[k].x)\nend" },
    { "local l = {}\nfor i = 1, 3 do print(l[i].x) end" },
    { "sync.sleep(-1)" }, { "sync.Lock():release()" }, { "sync.Lock(1)" }, { "sync.Lock{ nam = 'A' }" },
    { "sync.Thread(print):join()" }, { "sync.Queue():put(nil)" }, { "sync.qwertyuiop()" },
  }, SYNC)

  it("for any error that the reference quotes", function()
    for entry in reference.entries() do
      for _, err in ipairs(entry.errors or {}) do
        if err[3] and not err[3]:find "luasync.logging" then -- configured once a process: another spec may have done it
          local said = cure(SYNC .. err[3])
          assert(not said or said:find "did you mean", ("%s: %s"):format(err[3], said))
        end
      end
    end
  end)
end)

describe("The host adds hints", function()
  --- lua5.4's first line for the same error, without the name of the program.
  local function first_line(err) return err:match "^[^\n]*":gsub("^%S*lua%S*: ", "") end

  it("below the message of a script, whose first line and exit code stay Lua's own", function()
    for _, text in ipairs{ "x = 1\nx += 1", "local l = {}\nl.append(1)" } do
      local ours = command.text(text)
      local path = command.script(text)
      local pipe = io.popen("lua5.4 " .. support.quote(path) .. " 2>&1 >/dev/null")
      local theirs = pipe:read "a"
      local _, _, code = pipe:close()
      os.remove(path)
      assert.equal(first_line(theirs):gsub(".*%.lua:", ""), (first_line(ours.err):gsub(".*%.lua:", "")))
      assert.equal(code, ours.code)
      assert.truthy(ours.err:match "^[^\n]+\nhint: %C+\n", ours.err)
    end
  end)

  it("below the message of a thread, in stock Lua too", function()
    local path = command.script(SYNC .. "sync.spawn(function()\n  local l = sync.Lock()\n  l:aquire()\nend):join()")
    local i = 0
    while arg[i - 1] do i = i - 1 end
    local pipe = io.popen(support.quote(arg[i]) .. " " .. support.quote(path) .. " 2>&1")
    local text = pipe:read "a"
    pipe:close()
    os.remove(path)
    assert.truthy(text:find("'aquire')\nhint: did you mean l:acquire?\nstack traceback:", 1, true), text)
  end)

  it("in a simulated world, which stays closed", function()
    local run = command.text(SYNC .. "local l = sync.Lock()\nl:aquire()", "--seed", "1")
    assert.equal(1, run.code)
    assert.truthy(run.err:find("\nhint: did you mean l:acquire?\n", 1, true), run.err)
    assert.falsy(run.err:find("not closed", 1, true), run.err)
  end)

  it("to scripts whose path the message cuts", function()
    local folder = os.tmpname()
    os.remove(folder)
    local deep = folder .. "/" .. ("d"):rep(80)
    assert(os.execute("mkdir -p " .. deep))
    local file = assert(io.open(deep .. "/script.lua", "w"))
    file:write "x += 1"
    file:close()
    local run = command.run{ deep .. "/script.lua" }
    os.execute("rm -r " .. folder)
    assert.truthy(run.err:find("hint: Lua has no `+=`", 1, true), run.err)
  end)

  it("and the message stands alone where they fail", function()
    for _, broken in ipairs{ "{ cure = error }", "true", "{ cure = function() return {} end }",
        "setmetatable({}, { __index = function(t) return t.x end })" } do
      local run = command.text("package.loaded['luasync.hints'] = " .. broken .. "\nlen(1)")
      assert.equal(1, run.code)
      assert.truthy(run.err:find "nil value %(global 'len'%)\nstack traceback:", run.err)
    end
  end)

  it("and an overflow of the stack is still one line of Lua's own #noapicheck", function()
    local run = command.text "local function f() return 1 + f() end f()"
    assert.equal(1, run.code)
    assert.truthy(run.err:find "^[^\n]*stack overflow", run.err)
  end)

  describe("where Thread{ ... } wrote nil:", function()
    local function warning(call, before)
      local run = command.text(SYNC .. (before or "") .. "for _ = 1, 3 do\n" .. call .. "\nend")
      assert.equal(0, run.code)
      return (run.err:gsub("^luasync: warning: [^\n]-%.lua:%d+: ", ""))
    end

    it("a daemon that is True, once a line", function()
      assert.equal("daemon is nil, since True has no value in Lua: write daemon = true\n",
        warning "sync.Thread{ target = print,\n  daemon = True }")
    end)

    it("a target that has been called", function()
      assert.equal("target is nil, for this calls fn at once and gives its result: write target = fn\n",
        warning("sync.Thread{ target = fn(1) }", "local function fn() end "))
    end)

    it("a target that has no value", function()
      assert.equal("target is nil: wroker has no value here\n", warning "sync.Thread{ target = wroker }")
    end)

    it("but no warning where nil is meant, or nothing is written", function()
      for _, call in ipairs{ "sync.Thread{ target = print }", "sync.Thread{ target = print, daemon = nil }",
          "local d sync.Thread{ target = print, daemon = d }", "sync.Thread{ name = 'daemon = True' }",
          "sync.Thread{ target = nil }", "sync.Thread{ target = print --[[, daemon = True]] }" } do
        assert.equal("", warning(call))
      end
    end)
  end)
end)

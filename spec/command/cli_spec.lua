-- The command `luasync` beside Debian's `lua5.4`: the same command lines, run
-- in both, must give the same output, the same messages and the same exit code.
--
-- Both binaries are reached under the name `prog` through a link in a folder
-- of their own, so that messages and `arg` agree to the letter.

-- luacheck: no max line length

local support = require "spec.support"

local function first_line_of(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read("l")
  pipe:close()
  return line ~= "" and line or nil
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The host: named by the environment, else running this spec, else built here.
local function find_host()
  local named = os.getenv("LUASYNC")
  if named then return named end
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  local path = arg[lowest]:match("luasync$") and arg[lowest] or "build/luasync"
  return first_line_of("readlink -f " .. quote(path))
end

local HOST = find_host()
local STOCK = first_line_of("command -v lua5.4")
local work = first_line_of("mktemp -d")

-- Nothing of the caller's Lua settings may reach the runs.
local CLEAN = "unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 LUA_CPATH LUA_CPATH_5_4; "

-- Runs the shell command `command` in the work folder, with `prog` being the
-- interpreter in folder `which`. Returns stdout, stderr and the exit code of the shell.
local function run(which, command)
  local script = ("cd %s; PATH=%s/%s:$PATH; export PATH; %s%s"):format(
    quote(work .. "/files"), work, which, CLEAN, command)
  local out, err = work .. "/out", work .. "/err"
  local _, kind, code = os.execute(("timeout 30 sh -c %s >%s 2>%s </dev/null"):format(quote(script), out, err))
  assert(kind == "exit", "the shell itself was killed")
  return support.read_file(out), support.read_file(err), code
end

-- Levels on a full stack: some more or less, by what lies below the script.
local function without_levels(text)
  return (text:gsub("skipping 9999%d%d levels", "skipping many levels"))
end

-- The one line that differs by intention.
local function without_version(text)
  return (text:gsub("^luasync %d+%.%d+%.%d+  Lua 5%.4%.%d+  Copyright ", "Lua VERSION  Copyright ")
    :gsub("^Lua 5%.4%.%d+  Copyright ", "Lua VERSION  Copyright "))
end

local FILES = {
  ["args.lua"] = [[
    print(select("#", ...), ...)
    local low = 0
    while arg[low - 1] do low = low - 1 end
    for i = low, #arg do print(i, arg[i]) end
  ]],
  ["error.lua"] = "local function inner()\n  error('broken')\nend\n\ninner()\n",
  ["syntax.lua"] = "print(1)\nlocal x = = 2\n",
  ["unfinished.lua"] = "if true then\n  print(1)\n",
  ["field.lua"] = "local t\nprint(t.x)\n",
  ["bang.lua"] = "#!/usr/bin/env prog\nprint('line', debug.getinfo(1, 'l').currentline)\n",
  ["bom.lua"] = "\xEF\xBB\xBFprint('bom')\n",
  ["bom_bang.lua"] = "\xEF\xBB\xBF#!/usr/bin/lua\nprint('both')\n",
  ["crlf.lua"] = "print('one')\r\nprint('two')\r\n",
  ["empty.lua"] = "",
  ["zeros.lua"] = "io.write('a\\0b\\n')",
  ["init.lua"] = "print('init file', ...)",
  ["mod.lua"] = "print('mod loaded as', ...) return { name = 'mod' }",
  ["nomod.lua"] = "error('mod fails')",
  ["-"] = "print('a file named -')",
  ["-x.lua"] = "print('a file named -x.lua')",
  ["garbage.bin"] = "\27Lua\0\1\2\3 nothing of use",
  ["table_error.lua"] = "error(setmetatable({}, { __tostring = function() return 'as text' end }))",
  ["deep.lua"] = "local function f() return 1 + f() end\nf()\n",
  ["close.lua"] = [[
    local t <close> = setmetatable({}, { __close = function() print("closed") end })
    setmetatable({}, { __gc = function() print("collected") end })
    os.exit(...)
  ]],
}

-- name, command, exit code; `usage` = only the first line of stderr is the same
local CASES = {
  { "-e runs a chunk", [[prog -e 'print(1 + 1, 7 // 2, 2^53)']], 0 },
  { "-e joined to its text", [[prog "-eprint('joined')"]], 0 },
  { "several -e share the globals, in order", [[prog -e 'x = 1' -e 'x = x + 1' -e 'print(x)']], 0 },
  { "the first failing -e stops the rest", [[prog -e 'print(1)' -e 'error("no")' -e 'print(2)']], 1 },
  { "-e with a syntax error", [[prog -e 'x = = 1']], 1 },
  { "-e of nothing", [[prog -e '']], 0 },
  { "-e without text", "prog -e", 1, usage = true },
  { "-e before another option", "prog -e -v", 1, usage = true },
  { "-l without module", "prog -l", 1, usage = true },
  { "-l sets a global of the module's name", [[prog -l mod -e 'print(mod.name)']], 0 },
  { "-l g=mod sets g only", [[prog -l g=mod -e 'print(g.name, mod)']], 0 },
  { "-l joined", [[prog -lmod -e 'print(mod.name)']], 0 },
  { "-l of a library", [[prog -l s=string -e 'print(s == string)']], 0 },
  { "-l of a missing module", "prog -l no.such.module -e 'print(1)'", 1 },
  { "-l of a module that fails", "prog -l nomod", 1 },
  { "-l and -e act in the order given", [[prog -e 'print("first")' -l mod -e 'print("last")']], 0 },
  { "-v prints a version and does not read stdin", "echo 'print(1)' | prog -v", 0 },
  { "-v with -e", "prog -v -e 'print(1)'", 0 },
  { "-v with a script", "prog -v args.lua a", 0 },
  { "-E ignores LUA_INIT", [[LUA_INIT='print("init")' prog -E -e 'print(1)']], 0 },
  { "-E ignores LUA_PATH", [[LUA_PATH='/nowhere/?.lua' LUA_CPATH='/nowhere/?.so' prog -E -e 'print(package.path, package.cpath)']], 0 },
  { "LUA_PATH without -E", [[LUA_PATH='/nowhere/?.lua;;' prog -e 'print(package.path)']], 0 },
  { "-W turns warnings on", [[prog -W -e 'warn("careful", " now")']], 0 },
  { "warnings are off", [[prog -e 'warn("careful")']], 0 },
  { "warn @on and @off", [[prog -e 'warn("@on") warn("one") warn("@off") warn("two")']], 0 },
  { "-W acts where it stands", [[prog -e 'warn("one")' -W -e 'warn("two")']], 0 },
  { "an unknown short option", "prog -x", 1, usage = true },
  { "an unknown long option", "prog --no-such-option", 1, usage = true },
  { "flags do not combine", "prog -vE", 1, usage = true },
  { "-- then a script", "prog -- args.lua a b", 0 },
  { "-- then a file named -x.lua", "prog -- -x.lua", 0 },
  { "-- then a file named -", "prog -- -", 0 },
  { "-- and nothing reads stdin", "echo 'print(...)' | prog --", 0 },
  { "- runs stdin with arguments", "echo 'print(...) print(arg[0], arg[1])' | prog - a b", 0 },
  { "- with an error", "echo 'error(1)' | prog -", 1 },
  { "stdin without arguments", "echo 'print(...) print(arg[0], #arg)' | prog", 0 },
  { "stdin with an error", "echo 'error(\"x\")' | prog", 0 },
  { "stdin with a syntax error", "echo 'x x' | prog", 0 },
  { "stdin that begins with #!", "prog - < bang.lua", 0 },
  { "stdin is there for the script", "echo data | prog -e 'print(io.read(\"a\"))'", 0 },
  { "binary garbage on stdin", "prog - < garbage.bin", 1 },
  { "arguments and negative indices", [[prog -e 'x = 1' -W args.lua one 'two words' '' -v]], 0 },
  { "arg without a script", [[prog -e 'print(arg[0], arg[1], arg[2], arg[3], #arg)']], 0 },
  { "arg is there in -e before the script", [[prog -e 'arg[1] = "changed"' args.lua original]], 0 },
  { "arg that is no table", [[prog -e 'arg = 3' args.lua]], 1 },
  { "arg with too many values", [[prog -e 'setmetatable(arg, { __len = function() return 2^28 | 0 end })' args.lua]], 1 },
  { "an error in a script", "prog error.lua", 1 },
  { "an error by indexing nil", "prog field.lua", 1 },
  { "a syntax error in a script", "prog syntax.lua", 1 },
  { "an unfinished script", "prog unfinished.lua", 1 },
  { "a missing script", "prog no_such_file.lua", 1 },
  { "a folder as script", "prog .", 1 },
  { "an unreadable chunk", "prog garbage.bin", 1 },
  { "an empty script", "prog empty.lua", 0 },
  { "#! is skipped, lines still count", "prog bang.lua", 0 },
  { "a byte-order mark is skipped", "prog bom.lua", 0 },
  { "a byte-order mark before #!", "prog bom_bang.lua", 0 },
  { "CR LF line ends", "prog crlf.lua", 0 },
  { "zero bytes in output", "prog zeros.lua", 0 },
  { "a precompiled script", [[prog -e 'io.open("pre.luac", "wb"):write(string.dump(loadfile("args.lua")))'; prog pre.luac x]], 0 },
  { "stack overflow #noapicheck", "prog deep.lua", 1 },
  { "error() without a value", "prog -e 'error()'", 1 },
  { "error with a number", "prog -e 'error(42)'", 1 },
  { "error with a table", "prog -e 'error {}'", 1 },
  { "error with a boolean", "prog -e 'error(false)'", 1 },
  { "error with __tostring has no traceback", "prog table_error.lua", 1 },
  { "__tostring that gives no string", "prog -e 'error(setmetatable({}, { __tostring = function() return {} end }))'", 1 },
  { "__tostring that fails", "prog -e 'error(setmetatable({}, { __tostring = function() error \"again\" end }))'", 1 },
  { "error at level 0", "prog -e 'error(\"plain\", 0)'", 1 },
  { "an error in a coroutine", "prog -e 'coroutine.wrap(function() error \"inside\" end)()'", 1 },
  { "an error in __gc at the end", [[prog -W -e 'setmetatable({}, { __gc = function() error "late" end })']], 0 },
  { "LUA_INIT with code", [[LUA_INIT='x = 5' prog -e 'print(x)']], 0 },
  { "LUA_INIT_5_4 comes first", [[LUA_INIT='x = 1' LUA_INIT_5_4='x = 2' prog -e 'print(x)']], 0 },
  { "LUA_INIT with a file", "LUA_INIT=@init.lua prog -e 'print(1)'", 0 },
  { "LUA_INIT with a missing file", "LUA_INIT=@missing.lua prog -e 'print(1)'", 1 },
  { "LUA_INIT with an error", [[LUA_INIT='error("bad init")' prog -e 'print(1)']], 1 },
  { "LUA_INIT_5_4 with a syntax error", [[LUA_INIT_5_4='=' prog -e 'print(1)']], 1 },
  { "LUA_INIT sees arg", [[LUA_INIT='print(arg[0])' prog args.lua]], 0 },
  { "os.exit()", "prog -e 'os.exit()'", 0 },
  { "os.exit(true)", "prog -e 'os.exit(true)'", 0 },
  { "os.exit(false)", "prog -e 'os.exit(false)'", 1 },
  { "os.exit(7)", "prog -e 'os.exit(7)'", 7 },
  { "os.exit(300) wraps", "prog -e 'os.exit(300)'", 44 },
  { "os.exit flushes what was written", "prog -e 'io.write(\"kept\") os.exit(3)'", 3 },
  { "os.exit closes the state on request", [[prog -e 'arg = { "x" }' -e 'loadfile("close.lua")(5, true)']], 5 },
  { "os.exit leaves the state open", [[prog -e 'loadfile("close.lua")(6)']], 6 },
  { "os.exit('x') is an error", "prog -e 'os.exit(\"x\")'", 1 },
  { "closed stdout", "prog -e 'print(1) io.write(2)' >&-", 0 },
  { "closed stdout is seen by io.write", "prog -e 'io.stdout:setvbuf(\"no\") io.stderr:write(tostring(select(2, io.write(1))))' >&-", 0 },
  { "closed stderr", "prog -e 'error(1)' 2>&-", 1 },
  { "closed stdin", "prog <&-", 0 },
  { "a full disk", "prog -e 'print(io.write((\"x\"):rep(1e5)))' >/dev/full", 0 },
  { "a reader that leaves early (SIGPIPE)", "{ prog -e 'for i = 1, 1e6 do print(i) end'; echo $? >&2; } | head -n 2", 0 },
  { "SIGTERM ends it", "prog -e 'os.execute(\"kill -TERM $PPID\") while true do end'", 143 },
  -- ThreadSanitizer holds signals back while no library function is called
  { "Ctrl-C in a loop is an error with a traceback #notsan", [[timeout --foreground --preserve-status -s INT 1 prog -e 'while true do end']], 1 },
  { "Ctrl-C can be caught #notsan", [[timeout --foreground --preserve-status -s INT 1 prog -e 'print(pcall(function() while true do end end)) print "on"']], 0 },
  { "output of print and io.write in order", [[prog -e 'io.write("a") print("b") io.write("c\n")']], 0 },
  { "the libraries at hand", [[prog -e 'local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) print(table.concat(t, " "))']], 0 },
  { "what is no coroutine", [[prog -e 'for _, f in ipairs { "resume", "close", "wrap" } do print(pcall(coroutine[f], 1)) print(pcall(coroutine[f])) end']], 0 },
  { "the collector is generational", [[prog -e 'print(collectgarbage("incremental"))']], 0 },
  { "default search paths", "prog -e 'print(package.path, package.cpath)'", 0 },
  { "-i runs lines after the script", [[printf 'print(x)\n' | prog -i -e 'x = 3']], 0 },
  { "-i shows values of expressions", [[printf '1 + 1\n=2, 3\n"a" .. "b"\nnil\n' | prog -i]], 0 },
  { "-i joins unfinished lines", [[printf 'for i = 1, 2 do\nprint(i)\nend\n' | prog -i]], 0 },
  { "-i goes on after errors", [[printf 'error("x")\nx x\nprint(1)\n' | prog -i]], 0 },
  { "-i with an empty line", [[printf '\n\nprint(1)' | prog -i]], 0 },
  { "-i with prompts of its own", [[printf 'do\nend\n' | prog -i -e '_PROMPT = "one " _PROMPT2 = setmetatable({}, { __tostring = function() return "two " end })']], 0 },
  { "-i with a script and its arguments", [[printf 'print(arg[1])\n' | prog -i args.lua a]], 0 },
  { "-i after a failing script stays out", [[printf 'print(1)\n' | prog -i error.lua]], 1 },
  { "-i with print replaced by nonsense", [[printf '1\n' | prog -i -e 'print = 3']], 0 },
  { "-i and os.exit", [[printf 'os.exit(4)\n' | prog -i]], 4 },
  { "-i with an error object", [[printf 'error({})\nerror()\n' | prog -i]], 0 },
}

describe("the command beside lua5.4", function()
  if not STOCK then
    pending("lua5.4 is not installed")
    return
  end

  setup(function()
    os.execute(("mkdir -p %s/files %s/stock %s/host"):format(work, work, work))
    os.execute(("ln -s %s %s/stock/prog; ln -s %s %s/host/prog"):format(quote(STOCK), work, quote(HOST), work))
    for name, text in pairs(FILES) do support.write_file(work .. "/files/" .. name, text) end
  end)

  for _, case in ipairs(CASES) do
    local name, command, code = case[1], case[2], case[3]
    it(name, function()
      local out, err, status = run("stock", command)
      local host_out, host_err, host_status = run("host", command)
      assert.equal(code, status, "lua5.4 itself gave another exit code; it wrote: " .. err)
      if case.usage then
        err, host_err = err:match("[^\n]*"), host_err:match("[^\n]*")
      end
      assert.equal(without_version(out), without_version(host_out))
      assert.equal(without_levels(err), without_levels(host_err))
      assert.equal(status, host_status)
    end)
  end
end)

describe("the command's own options", function()
  local function host(command) return run("host", command) end

  -- The complaint, then how the command is used, as lua5.4 does; exit code 1.
  local function refuses(command, complaint)
    local out, err, code = host(command)
    assert.equal("prog: " .. complaint .. "\n" .. host "prog --help", err)
    assert.equal("", out)
    assert.equal(1, code)
  end

  it("--help and -h fit one screen", function()
    local out, err, code = host("prog --help")
    local _, lines = out:gsub("\n", "")
    assert.equal(0, code)
    assert.equal("", err)
    assert.is_true(lines <= 23, lines .. " lines")
    for line in out:gmatch("[^\n]+") do assert.is_true(#line < 80, line) end
    for _, option in ipairs { "-e", "-l", "-i", "-v", "-E", "-W", "--", "-h", "--help", "--version", "--virtual",
      "--seed", "--explore", "--replay", "--trace", "--lock-order", "--race", "--no-deadlock-check" } do
      assert.truthy(out:find("[ ,]" .. option:gsub("%-", "%%-") .. "[ ,=%[]"), option)
    end
    assert.equal(out, (host("prog -h")))
  end)

  it("--version names both versions, -v Lua's copyright as well", function()
    local out, err, code = host("prog --version")
    assert.truthy(out:match("^luasync %d+%.%d+%.%d+  %(Lua 5%.4%.%d+%)\n$"), out)
    assert.equal("", err)
    assert.equal(0, code)
    assert.truthy(host("prog -v"):find "^luasync %d+%.%d+%.%d+  Lua 5%.4%.%d+  Copyright .* PUC%-Rio\n$")
  end)

  it("unknown options", function()
    refuses("prog --sed=3", "unrecognized option '--sed=3'")
    refuses("prog --seeds 3", "unrecognized option '--seeds'")
    refuses("prog -hv", "unrecognized option '-hv'")
    refuses("prog -e 'print(1)' --bogus x.lua", "unrecognized option '--bogus'")
  end)

  it("missing and needless values", function()
    refuses("prog --seed", "option '--seed' needs a value")
    refuses("prog --replay --virtual", "option '--replay' needs a value")
    refuses("prog --trace", "option '--trace' needs a value")
    refuses("prog --virtual=1", "option '--virtual' takes no value")
    refuses("prog --version=1", "option '--version' takes no value")
  end)

  it("bad values say what was expected", function()
    for _, value in ipairs { "x", "1.5", "", "1x", " 1", "99999999999999999999" } do
      refuses(("prog '--seed=%s' -e ''"):format(value),
        ("bad value '%s' for option '--seed' (integer expected)"):format(value))
    end
    for _, value in ipairs { "0", "-1", "", "all" } do
      refuses("prog --explore=" .. value,
        ("bad value '%s' for option '--explore' (positive integer expected)"):format(value))
    end
    refuses("prog --replay= x.lua", "bad value '' for option '--replay' (schedule expected)")
    for _, value in ipairs { "out.png", "trace", ".txt" } do
      refuses("prog --trace " .. value, ("bad value '%s' for option '--trace' "
        .. "(file name with .html, .json, .mmd, .svg or .txt expected)"):format(value))
    end
  end)

  it("-W holds for threads and simulated worlds too", function()
    local warn = "local sync = require 'luasync' sync.spawn(function() warn 'thread' end):join() "
                 .. "sync.simulate(function() warn 'world' end) "
                 .. "sync.spawn(function() warn '@off' warn 'off' end):join() warn 'on'"
    for _, option in ipairs { "-W", "-W --virtual" } do
      local _, err, code = host(('prog %s -e "%s"'):format(option, warn))
      assert.equal("Lua warning: thread\nLua warning: world\nLua warning: on\n", err)
      assert.equal(0, code)
    end
  end)

  it("--help of another option says what that does", function()
    for _, option in ipairs { "--seed", "--replay", "--virtual", "--no-deadlock-check" } do
      local out, err, code = host("prog --help " .. option)
      assert.truthy(out:find("luasync " .. option, 1, true), out)
      assert.equal("", err)
      assert.equal(0, code)
    end
  end)

  it("a schedule stands alone", function()
    refuses("prog --seed 1 --replay abc", "options '--replay' and '--seed' exclude each other")
    refuses("prog --replay=abc --explore", "options '--replay' and '--explore' exclude each other")
  end)

  it("--no-deadlock-check runs a script as ever", function()
    local out, err, code = host("prog --no-deadlock-check args.lua a --seed x")
    assert.equal("3\ta\t--seed\tx", out:match("^[^\n]*"))
    assert.equal("", err)
    assert.equal(0, code)
  end)

  it("-i says what an unfinished last line lacks", function()
    local out, err, code = host("printf 'if true then' | prog -i")
    assert.truthy(without_version(out):find "^Lua VERSION [^\n]*\n> if true then\n>> > \n$", out)
    assert.equal("stdin:1: 'end' expected near <eof>\n", err)
    assert.equal(0, code)
  end)

  it("options after the script belong to the script", function()
    local out, _, code = host("prog args.lua --help --version")
    assert.equal("2\t--help\t--version", out:match("^[^\n]*"))
    assert.equal(0, code)
  end)
end)

describe("busted under the command", function()
  local function busted(spec)
    support.write_file(work .. "/files/tiny_spec.lua", spec)
    return run("host", "busted --lua=prog -o plainTerminal tiny_spec.lua")
  end

  it("runs a suite of pure Lua", function()
    local out, _, code = busted([[
      describe("tiny", function()
        it("adds", function() assert.equal(4, 2 + 2) end)
        it("is run by", function() assert.truthy(arg[-1]:match("prog$")) end)
      end)]])
    assert.truthy(out:find("2 successes / 0 failures / 0 errors", 1, true), out)
    assert.equal(0, code)
  end)

  it("reports its failures", function()
    local out, _, code = busted([[it("fails", function() assert.equal(5, 2 + 2) end)]])
    assert.truthy(out:find("0 successes / 1 failure", 1, true), out)
    assert.equal(1, code)
  end)
end)

teardown(function() os.execute("rm -rf " .. quote(work)) end)

describe("LUASYNC_FLAGS", function()
  local command = require "spec.command"

  local function with(flags, words) return command.run(words, "LUASYNC_FLAGS='" .. flags .. "'") end

  it("holds options for every run", function()
    local result = with("--virtual", { "-e", "print(os.time())" })
    assert.same({ "1257894000\n", 0 }, { result.out, result.code })
    result = with(" --seed  7 --no-deadlock-check", { "-e", "print(os.time(), ...)", "-" })
    assert.equal("1257894000\n", result.out)
  end)

  it("gives way to the command line, and to -E", function()
    assert.equal("1257894000\n", with("--seed 7", { "--replay", "0 .", "-e", "print(os.time())" }).out)
    assert.not_equal("1257894000\n", with("--virtual", { "-E", "-e", "print(os.time())" }).out)
  end)

  it("is refused where it says nothing sensible", function()
    local result = with("script.lua", { "-e", "print(1)" })
    assert.same({ "", 1 }, { result.out, result.code })
    assert.truthy(result.err:find("LUASYNC_FLAGS: long options expected, got 'script.lua'", 1, true), result.err)
    assert.truthy(with("--sed=7", { "-e", "" }).err:find("unrecognized option '--sed=7'", 1, true))
    assert.truthy(with("--seed", { "-e", "" }).err:find("option '--seed' needs a value", 1, true))
  end)

  it("may be empty", function() assert.equal("1\n", with("", { "-e", "print(1)" }).out) end)
end)

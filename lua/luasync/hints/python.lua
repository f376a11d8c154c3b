--- What Python and other languages have, and how Lua says it.
--
-- `forms` are lines in a chunk that does not compile: { pattern of a line without comments, cure [, pattern of the
-- message] }; in a cure %1 is the first capture, $1 the same in Lua's words. With a pattern of the message a form
-- counts in the line of the error only, without it in those before as well. What stands in strings is one control
-- character. The first form that fits wins.

local BLOCK = "up to the end of the block"
local TRY = "Python's `try:` is `local ok, err = pcall(function() ... end)`, and `if not ok then` is its `except`"
local FORMAT = "Python's \"%d of %s\" % (a, b) is (\"%d of %s\"):format(a, b)"
local COMMENT = "Lua's comments begin with `--`"

local python = {}

python.forms = {
  { "^import%s+[%a_]", 'Python\'s `import x` is `local x = require "x"`; its threading, queue and time are all in '
    .. '`local sync = require "luasync"`' },
  { "^from%s+[%w_.]+%s+import%f[%W]", 'Python\'s `from x import y` is `local y = require "x".y`; its threading, queue '
    .. 'and time are all in `local sync = require "luasync"`' },

  { "^with%s+.*Executor%s*%b()%s+as%s+([%w_]+)%s*:", "Python's `with ThreadPoolExecutor(n) as %1:` is "
    .. "`local %1 <close> = sync.Pool(n)` " .. BLOCK },
  { "^with%s+open%s*%b()%s+as%s+([%w_]+)%s*:", "Python's `with open(name) as %1:` is "
    .. "`local %1 <close> = io.open(name)` " .. BLOCK },
  { "^with%s+(.-)%s+as%s+([%w_]+)%s*:", "Python's `with %1 as %2:` is `local %2 <close> = %1` " .. BLOCK },
  { "^with%s+([%w_.%[%]]+)%s*,%s*([%w_.%[%]]+)%s*:", "Python's `with %1, %2:` is `local _ <close> = %1:hold()` and "
    .. "`local _ <close> = %2:hold()` " .. BLOCK },
  { "^with%s+([%w_.%[%]]+)%s*:", "Python's `with %1:` is `local _ <close> = %1:hold()` " .. BLOCK },
  { "^with%s.*:$", "Python's `with x:` is `local _ <close> = x` " .. BLOCK },

  { "^async%s", "no function is special here: sync.spawn(fn, ...) runs any in a thread of its own" },
  { "%f[%w_]await%s+[%a_]", "no call is special here: t:result() waits for a thread and gives what it returned" },
  { "^def%s+([%w_]+)%s*(%b())", "Python's `def %1%2:` is `function %1%2 ... end`" },
  { "^class%s+([%w_]+)", "Lua has no classes; a table with functions will do: `local %1 = {}`, `%1.__index = %1`, "
    .. "`function %1:method() ... end`" },

  { "^elif%f[%W]%s*(.-)%s+then%f[%W]", "Lua's `elif` is `elseif $1 then`" },
  { "^elif%f[%W]%s*(.-)%s*:?$", "Python's `elif %1:` is `elseif $1 then`" },
  { "^else%s*:", "Python's `else:` is `else`, and `end` closes it" },
  { "^if%s+__name__%s*==", "Lua needs no `if __name__ == ...:`; what the script does stands in it as it is" },
  { "^if%s.*%snot%s+in%s", "Python's `x not in t` is `not t[x]` for a table with the key x" },
  { "^if%s+not%s+[%w_.\"'%c]+%s+in%s", "Python's `x not in t` is `not t[x]` for a table with the key x" },
  { "^if%s+[%w_.\"'%c]+%s+in%s", "Python's `x in t` is `t[x]` for a table with the key x" },
  { "^if%s*(.-)%s*:$", "Python's `if %1:` is `if $1 then ... end`" },
  { "^while%s*(.-)%s*:$", "Python's `while %1:` is `while $1 do ... end`" },
  { "^for%s+([%w_]+)%s+in%s+range%s*%(%s*([^,]-)%s*%)%s*:", "Python's `for %1 in range(%2):` is "
    .. "`for %1 = 0, $2 - 1 do ... end`" },
  { "^for%s+([%w_]+)%s+in%s+range%s*%(%s*([^,]-)%s*,%s*([^,]-)%s*%)%s*:", "Python's `for %1 in range(%2, %3):` is "
    .. "`for %1 = $2, $3 - 1 do ... end`" },
  { "^for%s+([%w_]+)%s+in%s+range%s*%(%s*([^,]-)%s*,%s*([^,]-)%s*,%s*([^,]-)%s*%)%s*:",
    "Python's `for %1 in range(%2, %3, %4):` is `for %1 = $2, $3, $4 do ... end`, whose last value counts as well" },
  { "^for%s+([%w_]+)%s*,%s*([%w_]+)%s+in%s+enumerate%s*%((.-)%)%s*:$", "Python's `for %1, %2 in enumerate(%3):` is "
    .. "`for %1, %2 in ipairs(%3) do ... end`, which counts from 1" },
  { "^for%s+([%w_]+)%s+in%s+(.-)%s*:$", "Python's `for %1 in %2:` is `for _, %1 in ipairs($2) do ... end`" },
  { "^for%s+(.-)%s+in%s+(.-)%s*:$", "Python's `for k, v in d.items():` is `for k, v in pairs(d) do ... end`" },

  { "^try%s*:", TRY },
  { "^except%f[%W].-:$", TRY },
  { "^finally%s*:", "Python's `finally:` is a variable `local _ <close>`, or what follows a pcall" },
  { "^raise%f[%W]", "Python's `raise` is `error(\"message\")`" },
  { "^global%s+[%a_]", "Lua needs no `global`: a variable is global unless it is declared `local`" },
  { "^nonlocal%s+[%a_]", "Lua needs no `nonlocal`: a function sees the locals around it" },
  { "^del%s+([%w_.%[%]]+)", "Python's `del x` is `x = nil`" },
  { "^@[%a_]", "Lua has no decorators: `f = decorator(f)` behind the function does the same" },
  { "%f[%w_]lambda%s*:", "Python's `lambda: x` is `function() return x end`" },
  { "%f[%w_]lambda%f[%W]%s*([^:]*):", "Python's `lambda %1: x` is `function(%1) return x end`" },
  { "^print%s+([%a_].*)$", "print is a function: print(%1)", " near " },
  { "^print%s*([\"']%c?[\"']%s*,.*)$", "more than one argument stands in parentheses: print(%1)", "near ','" },
  { "^assert%s+([%a_].*)$", "assert is a function: assert($1)", " near " },

  { "^for%s*%(", "Lua's loop is `for i = 1, n do ... end`", " near " },
  { "^if%s*%((.*)%)%s*{%s*$", "Lua's blocks have no braces: `if $1 then ... end`" },
  { "^if%s*%((.*)%)%s*{.*}$", "Lua's blocks have no braces: `if $1 then ... end`", " near " },
  { "^while%s*%((.*)%)%s*{%s*$", "Lua's blocks have no braces: `while $1 do ... end`" },
  { "^while%s*%((.*)%)%s*{.*}$", "Lua's blocks have no braces: `while $1 do ... end`", " near " },
  { "^}?%s*else%s*{", "Lua's blocks have no braces: `else ... end`", " near " },
  { "%f[%w_]function%s*[%w_.:]*%s*(%b())%s*{", "Lua's blocks have no braces: `function%1 ... end`", " near " },
  { "^switch%s*%b()%s*{%s*$", "Lua has no `switch`: if ... then ... elseif ... then ... end", " near " },
  { "^try%s*{%s*$", "Lua has no `try`: `local ok, err = pcall(function() ... end)`", " near " },
  { "^throw%s", "Lua's `throw` is `error(\"message\")`", " near " },
  { "^const%s+([%a_][%w_]*)%s*=", "Lua's constant is `local %1 <const> = ...`", " near " },
  { "^let%s+([%a_][%w_]*)%s*=", "Lua's variable is `local %1 = ...`", " near " },
  { "^var%s+([%a_][%w_]*)%s*=", "Lua's variable is `local %1 = ...`", " near " },

  { "([%w_.%[%]\"'%c]+)%s*%*%*=%s*(.+)$", "Lua has no `**=`: write `%1 = %1 ^ $2`" },
  { "([%w_.%[%]\"'%c]+)%s*(//)=%s*(.+)$", "Lua has no `%2=`: write `%1 = %1 %2 $3`" },
  { "([%w_.%[%]\"'%c]+)%s*(%.%.)=%s*(.+)$", "Lua has no `%2=`: write `%1 = %1 %2 $3`", " near " },
  { "([%w_.%[%]\"'%c]+)%s*([-+*/%%])=%s*(.+)$", "Lua has no `%2=`: write `%1 = %1 %2 $3`" },
  { "([%w_.]+)%s*%+%+", "Lua has no `++`: write `%1 = %1 + 1`" },
  { "%*%*", "`**` is `^` in Lua", "near '%*'" },
  { ":=", "`:=` is `=` in Lua", "near '='" },
  { "=>", "`x => y` is `function(x) return y end` in Lua", "near '='" },
  { "!=", "`!=` is `~=` in Lua" },
  { "&&", "`&&` is `and` in Lua" },
  { "||", "`||` is `or` in Lua" },
  { "!%s*[%a_(]", "`!x` is `not x` in Lua" },
  { "?.*:", "`c ? a : b` is `c and a or b` in Lua", "near '%?'" },
  { "%f[%w_]is%s+not%s+None%f[%W]", "Python's `is not None` is `~= nil`" },
  { "%f[%w_]is%s+None%f[%W]", "Python's `is None` is `== nil`" },
  { "%f[%w_]is%s+not%f[%W]", "Python's `is not` is `~=`" },
  { "%snot%s+in%s", "Python's `x not in t` is `not t[x]` for a table with the key x", "near '?not" },
  { "[=(]%s*.-%s+if%s+(.-)%s+else%s", "Python's `a if c else b` is `c and a or b`" },
  { "^return%s+.-%s+if%s+(.-)%s+else%s", "Python's `a if c else b` is `c and a or b`" },

  { "[\"']%s*%%%s*[%w_(\"']", FORMAT, " near " },
  { "[\"']%.format%s*%(", "Python's \"{}\".format(x) is (\"%s\"):format(x)", "near '%.'" },
  { "[\"']%.join%s*%(", "Python's sep.join(list) is table.concat(list, sep)", "near '%.'" },
  { "%f[%w_]args%s*=%s*%b()", "Python's tuple (a, b) is a table in Lua: args = { a, b }", "near ','" },
  { "=%s*%(([^()]*,[^()]*)%)", "Python's tuple (a, b) is a table in Lua: { %1 }", "near ','" },
  { "{%s*[\"']%c*[\"']%s*:", "Python's {'a': 1} is { a = 1 }" },
  { "{%s*%d+%s*:", "Python's {1: 'a'} is { [1] = 'a' }", "near ':'" },
  { "{%s*[%a_][%w_]*%s*:%s", "fields of a table are set by `=`: { a = 1 }", "<name> expected" },
  { "[=(]%s*%[[^%[=]*", "Python's [1, 2] is { 1, 2 }", "near '%['" },
  { "[%w_%])]%[[%w_%-]*:[%w_%-]*%]", "Python's s[1:3] is s:sub(2, 3), of a list table.move(list, 2, 3, 1, {})",
    "near ':'" },
  { "^yield%s+[^=(]", "Python's `yield x` is `coroutine.yield(x)`" },
  { "#", COMMENT, "near '#'" },
  { "/%*", COMMENT .. ", long ones stand between `--[[` and `]]`", "near '[/*]" },
  { ":([%a_][%w_]*)%s*[^%s%w_({\"'%[=]", "a method is called with parentheses: %1()",
    "^function arguments expected near" },
}

--- Globals that Python has and Lua has not.
python.globals = {
  len = "Python's len(x) is #x", range = "Python's range(n) is `for i = 0, n - 1 do`",
  str = "Python's str(x) is tostring(x)", int = "Python's int(x) is math.tointeger(x), or x // 1 for a float",
  float = "Python's float(x) is tonumber(x)", input = "Python's input() is io.read()",
  open = "Python's open(name) is io.open(name)", isinstance = "Python's isinstance(x, str) is type(x) == \"string\"",
  enumerate = "Python's enumerate(list) is ipairs(list)",
  sorted = "Python's sorted(list) is table.sort(list), in place",
  min = "Python's min(a, b) is math.min(a, b)", max = "Python's max(a, b) is math.max(a, b)",
  abs = "Python's abs(x) is math.abs(x)", round = "Python's round(x) is math.floor(x + 0.5)",
  list = "Python's list() is {}", dict = "Python's dict() is {}", exit = "Python's exit() is os.exit()",
  quit = "Python's quit() is os.exit()", time = 'Python\'s time is in luasync: sync.time(), sync.sleep(seconds)',
  threading = 'Python\'s threading is `local sync = require "luasync"`',
  queue = 'Python\'s queue is in `local sync = require "luasync"`: sync.Queue()',
  random = "Python's random.random() is math.random(), randint(a, b) is math.random(a, b)",
  sys = "Python's sys.argv is arg, sys.exit() is os.exit()",
  ["None"] = "Python's None is nil", ["True"] = "Python's True is true", ["False"] = "Python's False is false",
  sync = 'it is made by `local sync = require "luasync"`',
  logging = 'Python\'s logging is `local logging = require "luasync.logging"`',
  concurrent = "Python's ThreadPoolExecutor(n) is sync.Pool(n)",
  ThreadPoolExecutor = "Python's ThreadPoolExecutor(n) is sync.Pool(n)",
  null = "null is nil in Lua", undefined = "undefined is nil in Lua",
  ["self"] = "self is there in functions written with a colon: function t:method()",
}

--- Methods of Python's lists, strings and dicts.
python.methods = {
  push = "Lua's x.push(y) is table.insert(x, y)", length = "the length of x is #x in Lua",
  append = "Python's x.append(y) is table.insert(x, y)", extend = "Python's x.extend(y) is "
    .. "table.move(y, 1, #y, #x + 1, x)",
  insert = "Python's x.insert(i, y) is table.insert(x, i, y); Lua's lists begin at 1",
  pop = "Python's x.pop() is table.remove(x)", remove = "Lua's table.remove(x, i) removes by place, not by value",
  sort = "Python's x.sort() is table.sort(x)", items = "Python's d.items() is pairs(d)",
  keys = "Python's d.keys() is `for k in pairs(d)`", values = "Python's d.values() is `for _, v in pairs(d)`",
  split = "Python's s.split() is s:gmatch(\"%S+\"), s.split(\",\") is s:gmatch(\"[^,]+\")",
  strip = "Python's s.strip() is s:match \"^%s*(.-)%s*$\"",
  startswith = "Python's s.startswith(x) is s:sub(1, #x) == x", endswith = "Python's s.endswith(x) is s:sub(-#x) == x",
  join = "Python's sep.join(list) is table.concat(list, sep)", replace = "Python's s.replace(a, b) is s:gsub(a, b)",
}

return python

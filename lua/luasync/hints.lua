--- What to write instead: a line with the cure for the messages that newcomers from Python meet first.
--
--     hints.cure("x.lua:3: attempt to call a nil value (method 'aquire')", read)  --> "did you mean l:acquire?"
--
-- The host asks when it reports the error of a script, of a thread, or of an entry at the prompt; nothing here runs
-- before that, and nothing changes what runs. A cure is given where message and source line leave no doubt. Otherwise
-- the result is nil: Lua's own message stands alone.
--
-- `forms` are lines of Python in a chunk that does not compile. `messages` are errors of running code. The first
-- entry that fits wins.

local hints = {}

--- Names of luasync that are meant to come. One that the build has is not looked up here.
hints.planned = {
  "Barrier", "Timer", "RWLock", "Pool", "Scope", "scope", "select", "settle", "wait", "explore",
}

local function set(list)
  local t = {}
  for _, name in ipairs(list) do t[name] = true end
  return t
end

----------------------------------------------------------------------------------------------------
-- The source

--- The text without comments and without what stands in strings; its lines stay where they are.
local function bare(text)
  local function newlines(s) return (s:gsub("[^\n]+", "")) end
  text = text:gsub("(%-?%-?)%[(=*)%[(.-)%]%2%]", function(dashes, _, inside)
    return (dashes == "--" and "" or dashes .. '""') .. newlines(inside)
  end)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    line = line:gsub("\\.", ""):gsub('"[^"]*"', '""'):gsub("'[^']*'", "''"):gsub("%-%-.*$", "")
    lines[#lines + 1] = line:match "^%s*(.-)%s*$"
  end
  return lines
end

--- The lines before `at` and `at` itself, the last one first, within `most` lines.
local function backwards(lines, at, most)
  local i = math.min(at, #lines) + 1
  local stop = math.max(1, i - (most or i))
  return function()
    i = i - 1
    if i >= stop then return lines[i], i end
  end
end

--- Whether `name` stands for the module of luasync.
local function is_module(context, name)
  local required = "%f[%w_]" .. name .. "%s*=%s*require%s*%(?%s*[\"']"
  if context.text:find(required .. "luasync[\"']") then return true end
  return (name == "sync" or name == "threading") and not context.text:find(required)
end

local MAKERS = { spawn = "Thread", current_thread = "Thread", currentThread = "Thread", main_thread = "Thread" }

local function kind_made(sync, maker)
  if MAKERS[maker] then return MAKERS[maker] end
  return maker and maker:find "^%u" and sync[maker] and maker or nil
end

--- What the variable `name` holds at the line of the error: the name of a kind of luasync, "other", or nil: unknown.
local function kind_of(context, name)
  local value = rawget(_G, name)
  local meta = value ~= nil and getmetatable(value)
  if type(value) == "userdata" and type(meta) == "table" then return rawget(meta, "__name") end
  local pattern = "%f[%w_]" .. name .. "%s*=%s*([^=].*)"
  for line in backwards(context.lines, context.line) do
    local made_by = line:match(pattern)
    if made_by then
      local kind = kind_made(context.sync, made_by:match "^[%w_]*%.?([%w_]+)%s*[({]")
      if kind then return kind end
      return made_by:find "^[{\"'%d]" and "other" or made_by:find "^setmetatable" and "other" or nil
    end
  end
  return value ~= nil and "other" or nil
end

----------------------------------------------------------------------------------------------------
-- Did you mean

--- The best of `names` for `wrong`, or nil where none is near.
local function nearest(wrong, names)
  local distance = require "luasync.reference".distance
  local best, least
  for _, name in ipairs(names) do
    local far = distance(wrong:lower(), name:lower())
    if far <= math.max(1, #wrong // 3) and (not least or far < least) then best, least = name, far end
  end
  return best
end

local function keys(t)
  local list = {}
  for name in next, t do
    if type(name) == "string" and name:find "^%a" then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

--- Methods and properties of a kind; of all kinds where `kind` is nil. Their entries stand under their names.
local function members(kind)
  local reference = require "luasync.reference"
  local list, entries = {}, {}
  for _, full in ipairs(reference.names()) do
    local owner, member = full:match "^(%u%w*)[.:]([%w_]+)$"
    if owner and (not kind or owner == kind) and not entries[member] then
      list[#list + 1] = member
      entries[member] = reference.find(full)[1]
    end
  end
  return list, entries
end

local function of_module(context, name, wrong)
  if context.sync[wrong] == nil and set(hints.planned)[wrong] then
    return ("%s.%s is planned: %s does not have it yet"):format(name, wrong, context.sync._VERSION)
  end
  local list = keys(context.sync)
  for _, planned in ipairs(hints.planned) do
    if context.sync[planned] == nil then list[#list + 1] = planned end
  end
  local best = nearest(wrong, list)
  if not best then return nil end
  if context.sync[best] ~= nil then return ("did you mean %s.%s?"):format(name, best) end
  return ("%s.%s is planned: %s does not have it yet"):format(name, best, context.sync._VERSION)
end

local function of_object(context, name, wrong, kind)
  if kind == "other" or not kind and not context.text:find("luasync", 1, true) then return nil end
  local list, entries = members(kind)
  local best = nearest(wrong, list)
  if best then
    return ("did you mean %s%s%s?"):format(name, entries[best].kind == "property" and "." or ":", best)
  end
  if kind and #list > 0 then return ("a %s has %s"):format(kind, table.concat(list, ", ")) end
end

----------------------------------------------------------------------------------------------------
-- Python in a chunk that does not compile

local NAMED = "Lua's named arguments stand in braces: %s{ %s = ... }"

--- { pattern of a line without comments, cure [, pattern of the message] }; %1, %2 in a cure are captures.
-- With a pattern of the message a form counts in the line of the error only, without it in those before as well.
hints.forms = {
  { "^import%s+[%a_]", 'Python\'s `import x` is `local x = require "x"`; its threading, queue and time are all in '
    .. '`local sync = require "luasync"`' },
  { "^from%s+[%w_.]+%s+import%f[%W]", 'Python\'s `from x import y` is `local y = require "x".y`; its threading, queue '
    .. 'and time are all in `local sync = require "luasync"`' },
  { "^with%s+([%w_.%[%]]+)[^:]*:", "Python's `with %1:` is `local _ <close> = %1:hold()` up to the end of the block" },
  { "^with%s.*:$", "Python's `with x:` is `local _ <close> = x` up to the end of the block" },
  { "^async%s", "no function is special here: sync.spawn(fn, ...) runs any in a thread of its own" },
  { "%f[%w_]await%s+[%a_]", "no call is special here: t:result() waits for a thread and gives what it returned" },
  { "^def%s+([%w_]+)%s*(%b())", "Python's `def %1%2:` is `function %1%2 ... end`" },
  { "^class%s+([%w_]+)", "Lua has no classes; a table with functions will do: `local %1 = {}`, `%1.__index = %1`, "
    .. "`function %1:method() ... end`" },
  { "^elif%f[%W]%s*(.-)%s+then%f[%W]", "Lua's `elif` is `elseif %1 then`" },
  { "^elif%f[%W]%s*(.-)%s*:?$", "Python's `elif %1:` is `elseif %1 then`" },
  { "^else%s*:", "Python's `else:` is `else`, and `end` closes it" },
  { "^if%s.*%snot%s+in%s", "Python's `x not in t` is `not t[x]` for a table with the key x" },
  { "^if%s+[%w_.\"']+%s+in%s", "Python's `x in t` is `t[x]` for a table with the key x" },
  { "^if%s+(.-)%s*:$", "Python's `if %1:` is `if %1 then ... end`" },
  { "^while%s+(.-)%s*:$", "Python's `while %1:` is `while %1 do ... end`" },
  { "^for%s+([%w_]+)%s+in%s+range%s*%(%s*([%w_.#]+)%s*%)%s*:", "Python's `for %1 in range(%2):` is "
    .. "`for %1 = 0, %2 - 1 do ... end`" },
  { "^for%s+([%w_]+)%s+in%s+range%s*%(%s*([%w_.]+)%s*,%s*([%w_.]+)%s*%)%s*:", "Python's `for %1 in range(%2, %3):` is "
    .. "`for %1 = %2, %3 - 1 do ... end`" },
  { "^for%s+([%w_]+)%s+in%s+(.-)%s*:$", "Python's `for %1 in %2:` is `for _, %1 in ipairs(%2) do ... end`" },
  { "^for%s+(.-)%s+in%s+(.-)%s*:$", "Python's `for k, v in d.items():` is `for k, v in pairs(d) do ... end`" },
  { "^try%s*:", "Python's `try:` is `local ok, err = pcall(function() ... end)`, and `if not ok then` is its "
    .. "`except`" },
  { "^except%f[%W].-:$", "Python's `try:` is `local ok, err = pcall(function() ... end)`, and `if not ok then` is its "
    .. "`except`" },
  { "^finally%s*:", "Python's `finally:` is a variable `local _ <close>`, or what follows a pcall" },
  { "^raise%f[%W]", "Python's `raise` is `error(\"message\")`" },
  { "^global%s+[%a_]", "Lua needs no `global`: a variable is global unless it is declared `local`" },
  { "^nonlocal%s+[%a_]", "Lua needs no `nonlocal`: a function sees the locals around it" },
  { "^del%s+([%w_.%[%]]+)", "Python's `del x` is `x = nil`" },
  { "^@[%a_]", "Lua has no decorators: `f = decorator(f)` behind the function does the same" },
  { "%f[%w_]lambda%f[%W]%s*([^:]*):", "Python's `lambda %1: x` is `function(%1) return x end`" },
  { "([%w_.]+)%s*([-+*/%%])=%s*(.+)$", "Lua has no `%2=`: write `%1 = %1 %2 %3`" },
  { "([%w_.]+)%s*%+%+", "Lua has no `++`: write `%1 = %1 + 1`" },
  { "!=", "`!=` is `~=` in Lua" },
  { "&&", "`&&` is `and` in Lua" },
  { "||", "`||` is `or` in Lua" },
  { "!%s*[%a_(]", "`!x` is `not x` in Lua" },
  { "%f[%w_]is%s+not%s+None%f[%W]", "Python's `is not None` is `~= nil`" },
  { "%f[%w_]is%s+None%f[%W]", "Python's `is None` is `== nil`" },
  { "%f[%w_]is%s+not%f[%W]", "Python's `is not` is `~=`" },
  { "[=(]%s*.-%s+if%s+(.-)%s+else%s", "Python's `a if c else b` is `c and a or b`" },
  { "%f[%w_]([%w_.:]*)%s*%(%s*([%a_][%w_]*)%s*=%f[^=]", NAMED, "near '='" },
  { "%f[%w_]args%s*=%s*%b()", "Python's tuple (a, b) is a table in Lua: args = { a, b }", "near ','" },
  { "{%s*[\"'][\"']%s*:", "Python's {'a': 1} is { a = 1 }" },
  { "[=(]%s*%[[^%[=]*", "Python's [1, 2] is { 1, 2 }", "near '%['" },
  { "#", "Lua's comments begin with `--`", "near '#'" },
}

--- Fills the captures of `form` into its cure.
local function filled(form, line)
  local captures = table.pack(line:match(form[1]))
  if captures.n == 0 or captures[1] == nil then return nil end
  if form[2] == NAMED then return NAMED:format(captures[1] ~= "" and captures[1] or "f", captures[2]) end
  local cure = form[2]:gsub("%%(%d)", function(n) return captures[tonumber(n)] end)
  return cure
end

local function python_in(line, message)
  for _, form in ipairs(hints.forms) do
    if not form[3] or message:find(form[3]) then
      local cure = filled(form, line)
      if cure then return cure end
    end
  end
end

-- A call that was begun on an earlier line: Thread(⏎ target = fn
local function named_below(context, message)
  local key = message:find("near '='", 1, true) and context.source:match "^([%a_][%w_]*)%s*=%f[^=]"
  if not key then return nil end
  for line in backwards(context.lines, context.line - 1, 8) do
    local name = line:match "([%w_.:]+)%s*%($"
    if name then return NAMED:format(name, key) end
  end
end

local function of_syntax(context, message)
  local cure = python_in(context.source, message) or named_below(context, message)
  if cure then return cure end
  for line in backwards(context.lines, context.line) do
    cure = line ~= "" and python_in(line, "")
    if cure then return cure end
  end
  for line in backwards(context.lines, context.line, 2) do
    if line == "pass" then return "Lua needs no `pass`: an empty block is right" end
  end
end

local SYNTAX = { " near ", "^unfinished ", "^malformed ", "^<goto", "^no visible label" }

local function is_syntax(message)
  for _, pattern in ipairs(SYNTAX) do
    if message:find(pattern) then return not message:find "^attempt to" end
  end
end

----------------------------------------------------------------------------------------------------
-- Errors of running code

--- Globals that Python has and Lua has not.
hints.globals = {
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
  ["self"] = "self is there in functions written with a colon: function t:method()",
}

--- Methods of Python's lists, strings and dicts.
hints.methods = {
  append = "Python's x.append(y) is table.insert(x, y)", extend = "Python's x.extend(y) is "
    .. "table.move(y, 1, #y, #x + 1, x)",
  insert = "Python's x.insert(i, y) is table.insert(x, i, y); Lua's lists begin at 1",
  pop = "Python's x.pop() is table.remove(x)", remove = "Lua's table.remove(x, i) removes by place, not by value",
  sort = "Python's x.sort() is table.sort(x)", items = "Python's d.items() is pairs(d)",
  keys = "Python's d.keys() is `for k in pairs(d)`", values = "Python's d.values() is `for _, v in pairs(d)`",
  split = "Python's s.split() is s:gmatch(\"%S+\")", strip = "Python's s.strip() is s:match \"^%s*(.-)%s*$\"",
  startswith = "Python's s.startswith(x) is s:sub(1, #x) == x", endswith = "Python's s.endswith(x) is s:sub(-#x) == x",
  join = "Python's sep.join(list) is table.concat(list, sep)", replace = "Python's s.replace(a, b) is s:gsub(a, b)",
}

local function nil_global(context, name)
  if name == "f" and context.raw:find "%f[%w_]f[\"']" then
    return "Python's f\"{x} of {y}\" is (\"%s of %s\"):format(x, y)"
  end
  if hints.globals[name] then return hints.globals[name] end
  if context.sync[name] ~= nil then return ('%s is sync.%s here: local sync = require "luasync"'):format(name, name) end
  local best = nearest(name, keys(_G))
  return best and ("did you mean %s?"):format(best) or nil
end

--- What is called `recv.name` or `recv:name` in the line, its last part; nil: nothing simple.
local function receiver(context, name)
  return context.source:match("([%a_][%w_]*)%s*[.:]%s*" .. name .. "%f[^%w_]")
end

local function nil_member(context, name)
  local recv = receiver(context, name)
  if not recv then return nil end
  if is_module(context, recv) then return of_module(context, recv, name) end
  local kind = kind_of(context, recv)
  if hints.methods[name] and (not kind or kind == "other") then return hints.methods[name] end
  return of_object(context, recv, name, kind)
end

--- list[i] in a loop that begins at 0.
local function zero_based(context, name)
  local index = context.source:match "%[%s*([%a_][%w_]*)%s*%]"
  for line in backwards(context.lines, context.line, 20) do
    if not index and name ~= "?" then index = line:match("%f[%w_]" .. name .. "%s*=.*%[%s*([%a_][%w_]*)%s*%]") end
    local variable, limit = line:match "for%s+([%a_][%w_]*)%s*=%s*0%s*,%s*(#?[%w_.]+)"
    if variable then
      if variable ~= index then return nil end
      return ("Lua's lists begin at 1: for %s = 1, %s do"):format(variable, limit)
    end
  end
end

local function colon(context, name, expected)
  local before, recv = context.source:match("()%f[%w_]([%w_.%[%]]+)%.%s*" .. name .. "%s*%(")
  if not recv or is_module(context, recv) or rawget(_G, recv) == string then return nil end
  if expected == "string" and not string[name] then return nil end
  if expected ~= "string" and not expected:find "^%u" then return nil end
  return before and ("use %s:%s(...), with a colon"):format(recv, name)
end

local function bad_self(context, name)
  local recv = context.source:match("([%a_][%w_]*)%s*:%s*" .. name .. "%f[^%w_]")
  if not recv or not is_module(context, recv) or type(context.sync[name]) ~= "function" then return nil end
  return ("use %s.%s(...), with a dot: it is a function of the module"):format(recv, name)
end

local function options(context, kind)
  local key, value = context.source:match("%f[%w_]" .. kind .. "%s*%(?%s*{%s*([%a_][%w_]*)%s*=%s*([%w_.]+)")
  if not key or key == "name" then return nil end
  return ("%s takes no %s by name: %s(%s)"):format(kind, key, kind, value)
end

local function strings_added(context)
  if not context.source:find "+" then return nil end
  return "strings are joined with `..`"
end

local function value_called(context, name)
  local recv = receiver(context, name)
  local kind = recv and kind_of(context, recv)
  local _, entries = members(kind ~= "other" and kind or nil)
  if kind == "other" or not entries[name] or entries[name].kind ~= "property" then return nil end
  return ("%s.%s is a value, not a function: no parentheses"):format(recv, name)
end

local OPTIONS = { "target", "args", "name", "daemon" }

--- { pattern of a message, function(context, captures...) that gives a cure or nil }
hints.messages = {
  { "^attempt to .- a nil value %(global '(.-)'%)", nil_global },
  { "^attempt to call a nil value %(%a+ '([%a_][%w_]*)'%)", nil_member },
  { "^attempt to .- a nil value %(field '(%?)'%)", zero_based },
  { "^attempt to .- a nil value %(local '([%a_][%w_]*)'%)", zero_based },
  { "^bad argument #1 to '([%w_]+)' %((.-) expected, got ", colon },
  { "^calling '([%w_]+)' on bad self", bad_self },
  { "^bad argument #1 to 'Thread' %(field 'target': function expected, got ", function(context)
    local call = context.source:match "target%s*=%s*([%w_.:]+)%s*%("
    return call and ("this calls %s at once and gives its result; write target = %s"):format(call, call)
  end },
  { "^bad argument #1 to 'Thread' %(field 'args': table expected, got ", function(context)
    local value = context.source:match "args%s*=%s*%(%s*(.-)%s*,?%s*%)" or context.source:match "args%s*=%s*([%w_.]+)"
    return value and ("the arguments are a list: args = { %s }"):format(value)
  end },
  { "^bad argument #1 to 'Thread' %(unknown option '(.-)'%)", function(_, name)
    local best = nearest(name, OPTIONS)
    return best and ("did you mean %s?"):format(best)
  end },
  { "^bad argument #1 to '(%u%w*)' %(options are { name = ", options },
  { "^bad argument #1 to '(%u%w*)' %(no arguments but { name = ", options },
  { "^bad argument #1 to '(%u%w*)' %([^)]- expected, got table", options },
  { "^attempt to mod a 'string' with a '", function()
    return "Python's \"%d of %s\" % (a, b) is (\"%d of %s\"):format(a, b)"
  end },
  { "^attempt to add a 'string' with a '", strings_added },
  { "^attempt to add a '%a+' with a 'string'", strings_added },
  { "^attempt to call a %a+ value %(%a+ '([%a_][%w_]*)'%)", value_called },
  { "^cannot set field '(.-)' of a (%w+)", function(_, name, kind)
    local best = nearest(name, (members(kind:find "^%u" and kind or nil)))
    return best and best ~= name and ("did you mean %s?"):format(best)
  end },
  { "^module '(.-)' not found:", function(_, name)
    if not set{ "threading", "queue", "time", "multiprocessing", "concurrent.futures" }[name] then return nil end
    return ('what Python has in %s is here in `local sync = require "luasync"`'):format(name)
  end },
}

local function of_running(context, message)
  for _, entry in ipairs(hints.messages) do
    local captures = table.pack(message:match(entry[1]))
    local cure = captures[1] and entry[2](context, table.unpack(captures, 1, captures.n))
    if cure then return cure end
  end
end

----------------------------------------------------------------------------------------------------
-- What the host calls

--- The script's own path, where a message has it cut down to "...end/of/it.lua".
local function whole_path(name)
  local tail = name:match "^%.%.%.(.*)"
  local script = type(arg) == "table" and arg[0]
  if tail and type(script) == "string" and script:sub(-#tail) == tail then return script end
  return name
end

local function context_of(text, line)
  local lines, raw, n = bare(text), "", 0
  for one in (text .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    if n == line then raw = one break end
  end
  return { sync = require "luasync", text = text, lines = lines, line = line, source = lines[line] or "", raw = raw }
end

--- The cure for an error, or nil.
-- @param message the error message, with its position; what follows its first line is not looked at
-- @param read function(name) that gives the text of a file, or nil
-- @return a text of one line, or nil
function hints.cure(message, read)
  local name, line, what = message:match "^([^\n]-):(%d+): ([^\n]*)"
  if not name then name, line, what = "", "0", message:match "^[^\n]*" end
  local context = context_of(name ~= "" and read(whole_path(name)) or "", tonumber(line))
  return (is_syntax(what) and of_syntax or of_running)(context, what)
end

--- What is to be said of a call Thread{ ... } that wrote `key` with nil, or nil.
-- @param text the source from the line of the call on
-- @param key "target" or "daemon"
-- @return a text of one line, or nil
function hints.unset(text, key)
  local call = table.concat(bare(text), "\n"):match "Thread%s*%(?%s*(%b{})"
  local value = call and call:match("%f[%w_]" .. key .. "%s*=%s*([%w_.:]+%s*%(?)")
  if not value or value:find "^nil" then return nil end
  if key == "daemon" then
    return value:find "^True" and "daemon is nil, since True has no value in Lua: write daemon = true" or nil
  end
  local name = value:match "^[%w_.:]+"
  if name == "None" then return nil end
  if value:find "%($" then
    return ("target is nil, for this calls %s at once and gives its result: write target = %s"):format(name, name)
  end
  return ("target is nil: %s has no value here"):format(name)
end

return hints

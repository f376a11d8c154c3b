--- What to write instead: a line with the cure for the messages that newcomers from Python meet first.
--
--     hints.cure("x.lua:3: attempt to call a nil value (method 'aquire')", read)  --> "did you mean l:acquire?"
--
-- The host asks when it reports the error of a script, of a thread, or of an entry at the prompt; nothing here runs
-- before that, and nothing changes what runs. A cure is given where message and source line leave no doubt. Otherwise
-- the result is nil: Lua's own message stands alone.
--
-- `forms` are lines of Python in a chunk that does not compile (hints/python.lua). `messages` are errors of running
-- code. The first entry that fits wins. What stands in the source is read by hints/source.lua; hints/names.lua
-- finds what was meant by a name.

local hints = {}

local names = require "luasync.hints.names"
local python = require "luasync.hints.python"
local source = require "luasync.hints.source"

hints.forms, hints.globals, hints.methods = python.forms, python.globals, python.methods

local function set(list)
  local t = {}
  for _, name in ipairs(list) do t[name] = true end
  return t
end

----------------------------------------------------------------------------------------------------
-- Python in a chunk that does not compile

--- Python's words as Lua has them: `x is not None` -> `x ~= nil`, `ev.is_set()` -> `ev:is_set()`.
local function in_lua(text)
  local modules = set{ "sync", "math", "string", "table", "os", "io", "time", "threading", "random", "sys", "queue" }
  text = text:gsub("%s+is%s+not%s+None%f[^%w_]", " ~= nil"):gsub("%s+is%s+None%f[^%w_]", " == nil"):gsub("!=", "~=")
  text = text:gsub("%f[%w_]len%s*%(%s*([^()]*)%s*%)", "#%1")
  text = text:gsub("%f[%w_]([%a_][%w_]*)%.([%a_][%w_]*%()", function(name, call)
    return not modules[name] and name .. ":" .. call or nil
  end)
  return (text:gsub("%f[%w_]%a+%f[^%w_]", { True = "true", False = "false", None = "nil" }))
end

--- Fills the captures of `form` into its cure: %1 as it stands there, $1 in Lua. `strings` are those of the line.
local function filled(form, line, strings)
  local captures = table.pack(line:match(form[1]))
  if captures.n == 0 or captures[1] == nil then return nil end
  local cure = form[2]:gsub("([%%$])(%d)", function(mark, n)
    local text = captures[tonumber(n)]
    return mark == "$" and in_lua(text) or text
  end)
  return (cure:gsub("[\1-\8]", function(mark) return strings[mark:byte()] or "…" end))
end

local function python_in(context, at, message)
  local line = context.lines[at]
  for _, form in ipairs(hints.forms) do
    if not form[3] or message:find(form[3]) then
      local cure = filled(form, line, context.strings[at])
      if cure then return cure end
    end
  end
end

--- A call with an argument by name, f(x = 1): what `name` is decides what to write.
local function named(context, name, key, value)
  local last = name:match "([%w_]*)$"
  if last == "Thread" or last == "basicConfig" or key == "name" then
    return ("Lua's named arguments stand in braces: %s{ %s = ... }"):format(name ~= "" and name or "f", key)
  end
  local method = name:match "[.:]([%w_]+)$"
  local _, entries = names.members()
  if context.sync[last] ~= nil and last:find "^%u" then
    return ("%s takes no %s by name: %s(%s)"):format(last, key, last, value:find "^[%w_]" and in_lua(value) or "…")
  elseif method and entries[method] and entries[method].call then
    return ("Lua's arguments have no names, their place counts: %s"):format(entries[method].call)
  end
  return "Lua's arguments have no names: give them by place, or in one table, f{ x = 1 }"
end

local function named_here(context, message)
  if not message:find("near '='", 1, true) then return nil end
  local name, key, value = context.source:match "%f[%w_]([%w_.:]*)%s*%(%s*([%a_][%w_]*)%s*=%f[^=]%s*([^=%s][%w_.]*)"
  if not key then
    name, key, value = context.source:match "%f[%w_]([%w_.:]*)%s*%(.*,%s*([%a_][%w_]*)%s*=%f[^=]%s*([^=%s][%w_.]*)"
  end
  if name == "function" or context.source:find "^if%f[%W]" or context.source:find "^while%f[%W]" then return nil end
  return name and name ~= "" and named(context, name, key, value) or nil
end

-- A call that was begun on an earlier line: Thread(⏎ target = fn
local function named_below(context, message)
  local key, value = context.source:match "^([%a_][%w_]*)%s*=%f[^=]%s*([^=%s][%w_.]*)"
  if not key or not message:find("near '='", 1, true) then return nil end
  for line in source.backwards(context.lines, context.line - 1, 8) do
    local name = line:match "([%w_.:]+)%s*%($"
    if name then return named(context, name, key, value) end
  end
end

--- An `else if` that has no `end` of its own.
local function else_if(context, message)
  local first = message:match "'end' expected %(to close 'if' at line (%d+)%)" or message:find "^'end' expected near"
    and context.line
  if not first then return nil end
  for line, at in source.backwards(context.lines, context.line) do
    if at < tonumber(first) then return nil end
    if line:find "%f[%w_]else%s+if%f[%W]" and not line:find "%f[%w_]else%s+if%f[%W].*%f[%w_]end%f[%W].*%f[%w_]end%f[%W]"
      and not line:find "%f[%w_]else%s+if%f[%W].*%f[%w_]end%f[%W]%s*$" then
      return ("the `else if` in line %d wants an `end` of its own; `elseif` wants none"):format(at)
    end
  end
end

--- Comments of other languages: what follows // is more than one word, and the error is behind the second.
local function comment(context, message)
  local near = message:match "^syntax error near '?(.-)'?$"
  local found = context.source:find "^//"
    or near and context.source:match "//%s*[%a_][%w_]*%s+[%a_][%w_]*%s+([%a_][%w_]*)" == near
  for line in source.backwards(context.lines, near and context.line or 0, 2) do
    local word = line:match "//%s*[%a_][%w_]*%s+([%a_][%w_]*)[.!]?$"
    found = found or word and not word:find "^end$" and not word:find "^then$" and not word:find "^do$"
  end
  return found and "Lua's comments begin with `--`; `//` divides" or nil
end

local function of_syntax(context, message)
  local cure = context.lines[context.line] and python_in(context, context.line, message)
    or named_here(context, message) or named_below(context, message) or comment(context, message)
  if cure then return cure end
  for line, at in source.backwards(context.lines, context.line) do
    cure = line ~= "" and python_in(context, at, "")
    if cure then return cure end
  end
  for line in source.backwards(context.lines, context.line, 2) do
    local method = message:find "^function arguments expected" and line:match "[^:]:([%a_][%w_]*)%s*$"
    if method then return ("a method is called with parentheses: %s()"):format(method) end
    if line == "pass" then return "Lua needs no `pass`: an empty block is right" end
    if line:find "%f[%w_]continue;?$" and not line:find "goto%s+continue" then
      return "Lua has no `continue`: write `goto continue`, and `::continue::` before the `end` of the loop"
    end
  end
  return else_if(context, message)
end

local SYNTAX = { " near ", "^unfinished ", "^malformed ", "^<goto", "^no visible label" }

local function is_syntax(message)
  for _, pattern in ipairs(SYNTAX) do
    if message:find(pattern) then return not message:find "^attempt to" end
  end
end

----------------------------------------------------------------------------------------------------
-- Errors of running code

local function nil_global(context, name)
  if name == "f" and context.raw:find "%f[%w_]f[\"']" then
    return "Python's f\"{x} of {y}\" is (\"%s of %s\"):format(x, y)"
  end
  if hints.globals[name] then return hints.globals[name] end
  if context.sync[name] ~= nil then return ('%s is sync.%s here: local sync = require "luasync"'):format(name, name) end
  local best = names.nearest(name, names.keys(_G))
  return best and ("did you mean %s?"):format(best) or nil
end

--- What is called `recv.name` or `recv:name` in the line, its last part; nil: nothing simple.
local function receiver(context, name)
  return context.source:match("([%a_][%w_]*)%s*[.:]%s*" .. name .. "%f[^%w_]")
end

local function nil_member(context, name)
  local recv = receiver(context, name)
  if not recv then return nil end
  if source.is_module(context, recv) then return names.of_module(context, recv, name) end
  local kind = source.kind_of(context, recv)
  if hints.methods[name] and (not kind or kind == "other") then return hints.methods[name] end
  return names.of_object(context, recv, name, kind)
end

--- list[i] in a loop that begins at 0.
local function zero_based(context, name)
  local index = context.source:match "%[%s*([%a_][%w_]*)%s*%]"
  for line in source.backwards(context.lines, context.line, 20) do
    if not index and name ~= "?" then index = line:match("%f[%w_]" .. name .. "%s*=.*%[%s*([%a_][%w_]*)%s*%]") end
    local variable, limit = line:match "for%s+([%a_][%w_]*)%s*=%s*0%s*,%s*(#?[%w_.]+)"
    if variable then
      if variable ~= index then return nil end
      return ("Lua's lists begin at 1: for %s = 1, %s do"):format(variable, limit)
    end
  end
end

local function colon(context, name, expected)
  local chained = context.source:find("[)%]}]%.%s*" .. name .. "%s*%(")
  if chained and (expected:find "^%u" or expected == "string" and string[name]) then
    return ("use :%s(...), with a colon"):format(name)
  end
  local before, recv = context.source:match("()%f[%w_]([%w_.%[%]]+)%.%s*" .. name .. "%s*%(")
  if not recv or source.is_module(context, recv) or rawget(_G, recv) == string then return nil end
  if expected == "string" and not string[name] then return nil end
  if expected ~= "string" and not expected:find "^%u" then return nil end
  return before and ("use %s:%s(...), with a colon"):format(recv, name)
end

--- x.length, where a number was wanted.
local function length_of(context)
  local recv = context.source:match "([%a_][%w_]*)%.length%f[^%w_]"
  return recv and ("the length of %s is #%s in Lua"):format(recv, recv) or nil
end

local function bad_self(context, name)
  local recv = context.source:match("([%a_][%w_]*)%s*:%s*" .. name .. "%f[^%w_]")
  if not recv or not source.is_module(context, recv) or type(context.sync[name]) ~= "function" then return nil end
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
  local recv = receiver(context, name) or "x"
  local kind = source.kind_of(context, recv)
  local _, entries = names.members(kind ~= "other" and kind or nil)
  if kind == "other" or not entries[name] or entries[name].kind ~= "property" then return nil end
  return ("%s.%s is a value, not a function: no parentheses"):format(recv, name)
end

--- A method that was given its arguments in braces, q:get{ timeout = 1 }.
local function braces(context, name)
  if not context.source:find(":%s*" .. name .. "%s*{") then return nil end
  local _, entries = names.members()
  local entry = entries[name]
  return entry and entry.call and "Lua's arguments have no names, their place counts: " .. entry.call or nil
end

--- `for x in list do`, and what else is no iterator.
local function iterated(context, kind)
  local variables, list = context.source:match "%f[%w_]for%s+([%w_, ]+)%s+in%s+(.-)%s+do%f[%W]"
  if not variables then return nil end
  local name = variables:match "^[%w_]+$"
  if kind == "table" and not name then return ("write `for %s in pairs(%s) do`"):format(variables, list) end
  if not name then return nil end
  if kind == "table" then return ("a list is gone through by `for _, %s in ipairs(%s) do`"):format(name, list) end
  local _, entries = names.members(kind)
  return entries.items and ("a %s is gone through by `for %s in %s:items() do`"):format(kind, name, list) or nil
end

local OPTIONS = { "target", "args", "name", "daemon" }

--- { pattern of a message, function(context, captures...) that gives a cure or nil }
hints.messages = {
  { "^attempt to .- a nil value %(global '(.-)'%)", nil_global },
  { "^attempt to call a nil value %(%a+ '([%a_][%w_]*)'%)", nil_member },
  { "^attempt to .- a nil value %(field 'length'%)", length_of },
  { "^bad 'for' limit %(number expected, got nil", length_of },
  { "^attempt to .- a nil value %(field '(%?)'%)", zero_based },
  { "^attempt to .- a nil value %(local '([%a_][%w_]*)'%)", zero_based },
  { "^bad argument #1 to '([%w_]+)' %((.-) expected, got ", colon },
  { "^calling '([%w_]+)' on bad self", bad_self },
  { "^bad argument #1 to '(%l[%w_]*)' %([^)]- expected, got table%)", braces },
  { "^attempt to call a (%a+) value %(for iterator", iterated },
  { "^attempt to call a (%a+) value$", iterated },
  { "^bad argument #1 to '(Timer)' %(timeout must be a non", options },
  { "^attempt to perform arithmetic on ", function(context)
    return context.source:find "^//" and "Lua's comments begin with `--`; `//` divides" or nil
  end },
  { "^bad argument #1 to 'Thread' %(field 'target': function expected, got ", function(context)
    local call = context.source:match "target%s*=%s*([%w_.:]+)%s*%("
    return call and ("this calls %s at once and gives its result; write target = %s"):format(call, call)
  end },
  { "^bad argument #1 to 'Thread' %(field 'args': table expected, got ", function(context)
    local value = context.source:match "args%s*=%s*%(%s*(.-)%s*,?%s*%)" or context.source:match "args%s*=%s*([%w_.]+)"
    return value and ("the arguments are a list: args = { %s }"):format(value)
  end },
  { "^bad argument #1 to 'Thread' %(unknown option '(.-)'%)", function(_, name)
    local best = names.nearest(name, OPTIONS)
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
    local best = names.nearest(name, (names.members(kind:find "^%u" and kind or nil)))
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

--- The cure for an error, or nil.
-- @param message the error message, with its position; what follows its first line is not looked at
-- @param read function(name) that gives the text of a file, or nil
-- @return a text of one line, or nil
function hints.cure(message, read)
  local name, line, what = message:match "^([^\n]-):(%d+): ([^\n]*)"
  if not name then name, line, what = "", "0", message:match "^[^\n]*" end
  local context = source.context(name ~= "" and read(whole_path(name)) or "", tonumber(line))
  return (is_syntax(what) and of_syntax or of_running)(context, what)
end

--- What is to be said of a call Thread{ ... } that wrote `key` with nil, or nil.
-- @param text the source from the line of the call on
-- @param key "target" or "daemon"
-- @return a text of one line, or nil
function hints.unset(text, key)
  local call = table.concat((source.bare(text)), "\n"):match "Thread%s*%(?%s*(%b{})"
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

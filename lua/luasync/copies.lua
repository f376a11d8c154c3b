--- Threads that change copies: which of the changes are lost, and who would like to see them.
--
-- The host has compared what a thread was sent with what has become of it (src/observe/copies.c); here the source
-- decides. A change is worth a warning where the code of the thread assigns the variable and somebody else looks at it
-- after that: code that the thread does not run, or another thread that was sent the same variable and changes it too.
-- What is assigned anew afterwards, as by `count = t:result()`, is not missed, nor is what is only counted.
--
-- Nothing here runs before a difference is found. Where the source cannot be read there is no warning, but at the
-- prompt, whose globals are there to be looked at.

local Scene = require "luasync.copies.scene"

local copies = {}

--- Whether it is an entry at a prompt; of those that are not numbered nobody knows the text.
local function is_prompt(cache, chunk)
  return chunk:find "^=%[%d+%]" ~= nil or chunk == "=stdin" and not Scene.parsed(cache, chunk)
end

----------------------------------------------------------------------------------------------------
-- Who assigns, who looks

--- The first part of a change's path, "items" of ".items[1]"; nil: the change lies in a list, or in none.
local function begin_path(change)
  change.first = change.path:match "^%.([%w_]+)"
  change.is_direct = change.path == "." .. change.field or change.path:find "^%[[^%]]*%]$" ~= nil
  return change
end

--- The change as it is seen from `t.items`, or `t[i]`, in place of `t`; nil: it is not in there.
local function from_inside(change, use)
  local rest = change.path
  if use.field then
    if use.field ~= change.first then return nil end
    rest = rest:sub(#use.field + 2)
  elseif use.index then
    rest = rest:match "^%[[^%]]*%](.*)$"
  end
  return rest and begin_path { path = rest, field = change.field, added = change.added, is = change.is }
end

local INSIDE_MOST = 5 -- functions that call each other are looked into

--- The variables by which functions of this chunk know what a use passes to them; none: it is not known.
local function known_as(here, use)
  local list = {}
  local passed = use.passed or use.method and { field = use.method, n = 1 }
  for _, func in ipairs(passed and here.s.functions or {}) do
    if func.parameters[passed.n] and (passed.variable and func.variable == passed.variable
      or passed.field and func.field == passed.field) then
      list[#list + 1] = func.parameters[passed.n]
    end
  end
  if use.alias and not passed then list[1] = use.alias end
  return list
end

--- Whether a store is to what has changed, or to its neighbour in a list or map.
local function is_beside(use, change)
  return use.kind == "store" and (use.field or use.stored) == change.first
end

--- Whether code that knows it as `variable` looks at what has changed. What is added by whoever misses it, as to a
-- cache, is not missed by others.
local function look_inside(here, looks, variable, change, depth)
  local looked, stored = false, false
  for _, use in ipairs(variable.uses) do
    looked = looked or looks(here, use, change, depth + 1)
    stored = stored or is_beside(use, change)
  end
  return looked and not (stored and change.added)
end

--- Whether a use looks at what has changed.
local function looks(here, use, change, depth)
  depth = depth or 0
  if use.own or use.sent or use.defines then return false end
  if use.kind == "write" or use.kind == "store" and not use.taken then return false end
  if change.path == "" then return true end
  if use.length then return change.is_direct and (change.added or change.is == "nil") end
  local known = depth < INSIDE_MOST and known_as(here, use) or {}
  local inner = #known > 0 and from_inside(change, use)
  if inner and inner.path ~= "" then
    for _, variable in ipairs(known) do
      if look_inside(here, looks, variable, inner, depth) then return true end
    end
    return false
  end
  if use.field then return use.field == change.first end
  if use.method then return not change.added end
  return not use.calls
end

--- The first assignment outside after the thread has begun, in the function that starts it.
local function assigned_later(here, variable)
  for _, use in ipairs(variable.uses) do
    if use.kind == "write" and not here:runs(use.func) and not use.defines and here:is_later(use) then return use end
  end
end

--- Where somebody else looks at the change.
local function reader(here, variable, change)
  local anew = assigned_later(here, variable)
  for _, use in ipairs(variable.uses) do
    if looks(here, use, change) and not here:runs(use.func) and here:is_later(use) then
      if not anew or use.func == anew.func and use.at < anew.at then return use end
    end
  end
end

--- Whether all threads that run this function were sent the same variable.
local function is_common(here, variable)
  if not variable.is_local then return true end
  if #here.starts == 0 then return variable.func == nil and variable.loop == nil end
  for _, start in ipairs(here.starts) do
    local loop = start.loop
    while loop do
      if loop == variable.loop then return false end
      loop = loop.parent
    end
    if variable.func ~= nil and variable.func ~= start.func then return false end
    if variable.func ~= nil and not start.loop and #here.starts == 1 then return false end
  end
  return true
end

--- Where the thread's own code looks at what each of the threads has changed for itself.
local function reader_among(here, variable, change)
  if not change.again or change.added or not is_common(here, variable) then return nil end
  for _, use in ipairs(variable.uses) do
    if looks(here, use, change) and here:runs(use.func) and not use.returned then return use end
  end
  if change.field == "" then return nil end
  for _, field in ipairs(here.s.fields) do
    if field.name == change.field and not field.own and not field.store and field.func then return field end
  end
end

--- Where a field of that name is changed, whatever the table is called there: a line, or nil. A method that reads it,
-- too, is more likely than one that only sets it, as `new` does.
local function stored(here, change)
  local best
  for _, field in ipairs(change.field ~= "" and here.s.fields or {}) do
    if field.name == change.field and field.store and field.func then
      if field.updates then return field.line end
      best = field.line
    end
  end
  return best
end

--- Adds the uses of the variable, and of what the thread's functions call what it holds.
local function add_uses(here, list, variable, seen)
  if seen[variable] then return end
  seen[variable] = true
  for _, use in ipairs(variable.uses) do
    list[#list + 1] = use
    for _, other in ipairs(here:runs(use.func) and known_as(here, use) or {}) do add_uses(here, list, other, seen) end
  end
end

--- The uses of a variable by which the thread may change it; of an argument also those of the target's parameter.
local function changing_uses(here, variable, change)
  if change.path == "" then return variable.uses end
  local list, seen = {}, {}
  for _, func in ipairs(change.root == "argument" and here.mine or {}) do
    local parameter = func.parameters[change.argument]
    for _, start in ipairs(parameter and here.starts or {}) do
      if Scene.is_target(start, func) then add_uses(here, list, parameter, seen) end
    end
  end
  add_uses(here, list, variable, seen)
  return list
end

--- Where the thread's code changes it: the line, or nil.
local function assignment(here, variable, change)
  local best
  for _, use in ipairs(changing_uses(here, variable, change)) do
    if here:runs(use.func) or change.root == "global" and not best and use.func then
      if change.path == "" and use.kind == "write" then return use.line end
      if change.path ~= "" and use.kind == "store" then
        if use.stored == change.field or change.field == "" then return use.line end
        best = best or use.line
      end
    end
  end
  return stored(here, change) or best
end

--- Where the thread's code comes to what it has changed in a way that the source does not show, as by a module: the
-- line; nil: that is not known, or nobody else looks at just that field, or at the length.
local function approach(here, variable, change, use)
  if change.path == "" or not use or not (use.length or use.field and use.field == change.first) then return nil end
  for _, other in ipairs(changing_uses(here, variable, change)) do
    if here:runs(other.func) and (other.passed or other.method) then return other.line end
  end
end

----------------------------------------------------------------------------------------------------
-- Words

--- What to write instead. A table that the source writes down as such can be shared, an object can only keep in one
-- what changes.
local function cure(change, variable)
  local made = variable and variable.made and variable.made.fields and variable.made
  local owner, what = "local s = ", change.name
  if change.path ~= "" and made then
    owner = (variable.is_local and "local " or "") .. change.name .. " = "
    what = change.is_direct and change.field or ""
  elseif change.path ~= "" then
    what = change.field
    owner = ("keep %s in a "):format(what ~= "" and "'" .. what .. "'" or "what changes")
  end
  local contents = "{ … }"
  if what ~= "" and not change.was:find "^a " then contents = ("{ %s = %s }"):format(what, change.was)
  elseif change.added and (not made or made.is_empty) then contents = "{}" end
  if change.added and made then contents = made.is_empty and "{}" or "{ … }" end
  return ("share it: %ssync.Shared%s, or return it with result()"):format(owner, contents)
end

local function warning(here, thread, change, variable, line, use)
  local name = change.name .. change.path
  local text = ("luasync: warning: %s: '%s' %s → %s in %s, its own copy"):format(
    here:place(line), name, change.was, change.is, thread.name)
  if use then
    local other = here:runs(use.func) and "used in other threads at" or "used at"
    if variable and not use.func and use.variable and not variable.func then other = "still " .. change.was
      .. " in MainThread, read at" end
    text = text .. ("; %s %s"):format(other, here:place(use.line))
  end
  return text .. "\n  hint: " .. cure(change, variable) .. "\n"
end

----------------------------------------------------------------------------------------------------
-- Changes

--- What the code that starts the thread gives it as the n-th argument: variables, and where in each the argument lies.
local function passed(here, n)
  local list, paths = {}, {}
  for _, start in ipairs(here.starts) do
    local arg = start.args[n]
    local variable = arg and arg.root and arg.root.variable
    if variable and not paths[variable] then
      list[#list + 1] = variable
      paths[variable] = arg.source and arg.source:sub(#variable.name + 1) or ""
    end
  end
  return list, paths
end

--- The variables that the change may be one of, and what stands before its path there, by variable.
local function candidates(here, thread, change)
  if change.root == "global" then return { here.s.globals[change.name] }, {} end
  if change.root == "argument" then return passed(here, change.argument) end
  local func = thread.functions[change.func]
  return { func and here:captured(func, change.name) }, {}
end

--- The warning for a change, or nil; and what is to be known for reports.
local function judge(cache, thread, change)
  local func = thread.functions[change.root == "local" and change.func or 1]
  if func and change.root == "global" and is_prompt(cache, func.source) then
    return warning(Scene.unread(func.source), thread, change, nil, func.first)
  end
  local here = func and Scene.new(cache, thread.functions, func.source)
  if not here then return nil end
  local list, paths = candidates(here, thread, change)
  local path = change.path
  for _, variable in ipairs(list) do
    change.name, change.path = variable.name, (paths[variable] or "") .. path
    begin_path(change)
    local use = reader(here, variable, change) or reader_among(here, variable, change)
    local line = assignment(here, variable, change) or approach(here, variable, change, use)
    if line then
      local known = ("%s\t%d\t%s"):format(variable.name, line, here.chunk)
      return use and warning(here, thread, change, variable, line, use), known
    end
  end
end

--- @param thread { name =, functions = { { source =, first =, last = }, … }, changes = { … } }
-- @param read a function that returns the text of a chunk, "@x.lua" or "=stdin"
-- @return warnings, at the places of their changes; likewise what reports shall know, "variable\tline\tchunk"
function copies.changed(thread, read)
  local cache, warnings, known, said = { read = read }, {}, {}, {}
  for i, change in ipairs(thread.changes) do
    local text, line = judge(cache, thread, change)
    known[i] = line
    local key = change.root .. change.name
    if text and not said[key] then warnings[i] = text end
    said[key] = said[key] or text
  end
  return warnings, known
end

return copies

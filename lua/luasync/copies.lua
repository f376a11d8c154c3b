--- Threads that change copies: which of the changes are lost, and who would like to see them.
--
-- The host has compared what a thread was sent with what has become of it (src/observe/copies.c); here the source
-- decides. A change is worth a warning where the code of the thread assigns the variable and somebody else looks at it
-- after that: code that the thread does not run, or another thread that was sent the same variable and changes it too.
-- What is assigned anew afterwards, as by `count = t:result()`, is not missed, nor is what is only counted.
--
-- Nothing here runs before a difference is found. Where the source cannot be read there is no warning, but at the
-- prompt, whose globals are there to be looked at.

local source = require "luasync.copies.source"

local copies = {}

----------------------------------------------------------------------------------------------------
-- Sources

--- A file's name as Lua shows it, "x.lua".
local function short(chunk)
  return chunk:match "^@(.*)" or chunk:match "^=(.*)" or '[string "..."]'
end

local REMEMBERED = 8 -- texts; the state of a report lives on for the next one
local remembered, count = {}, 0

-- What a text parses to: nothing changes it afterwards.
local function parse(text)
  if remembered[text] == nil then
    if count == REMEMBERED then remembered, count = {}, 0 end
    remembered[text], count = source.parse(text) or false, count + 1
  end
  return remembered[text]
end

--- The parsed source of a chunk, or nil. `cache` holds what has been read.
local function parsed(cache, chunk)
  if cache[chunk] == nil then
    local text = chunk
    if chunk:find "^[@=]" then text = cache.read(chunk) end
    cache[chunk] = text and parse(text) or false
  end
  return cache[chunk] or nil
end

--- Whether it is an entry at a prompt; of those that are not numbered nobody knows the text.
local function is_prompt(cache, chunk)
  return chunk:find "^=%[%d+%]" ~= nil or chunk == "=stdin" and not parsed(cache, chunk)
end

--- The parsed functions that a thread was sent, those of `chunk`.
local function sent_functions(s, chunk, functions)
  local list = {}
  for _, sent in ipairs(functions) do
    for _, func in ipairs(s.functions) do
      if sent.source == chunk and func.first == sent.first and func.last == sent.last then list[#list + 1] = func end
    end
  end
  return list
end

local function contains(list, func)
  while func do
    for _, f in ipairs(list) do if f == func then return true end end
    func = func.parent
  end
  return false
end

--- Whether the thread that is started, or made, there runs the function.
local function is_target(start, func)
  local target = start.target or {}
  return target.func == func or target.field and target.field == func.field
    or target.use and func.variable and target.use.variable == func.variable
end

--- What everything below works on: the chunk of the target, its source, and its functions there.
local function scene(cache, functions, chunk)
  local s = chunk and parsed(cache, chunk)
  if not s then return nil end
  local here = { s = s, chunk = chunk, mine = sent_functions(s, chunk, functions) }
  here.starts = {}
  for _, start in ipairs(s.starts) do
    for _, func in ipairs(here.mine) do
      if is_target(start, func) then
        here.starts[#here.starts + 1] = start
        break
      end
    end
  end
  return here
end

local function runs(here, func) return contains(here.mine, func) end

--- The variable `name` that the sent function at these lines captures.
local function captured(here, func, name)
  for _, f in ipairs(here.mine) do
    if f.first == func.first and f.last == func.last then
      for _, use in ipairs(here.captures[name] or {}) do
        if contains({ f }, use.func) and not contains({ f }, use.variable.func) then return use.variable end
      end
    end
  end
end

--- All uses of locals, by name.
local function index_locals(here)
  here.captures = {}
  for _, use in ipairs(here.s.uses) do
    local list = here.captures[use.variable.name] or {}
    here.captures[use.variable.name] = list
    list[#list + 1] = use
  end
end

----------------------------------------------------------------------------------------------------
-- Who assigns, who looks

--- The place from which on the thread may run: its earliest start, or the end of its function.
local function beginning(here)
  local first
  for _, start in ipairs(here.starts) do first = math.min(first or start.at, start.at) end
  if first then return first end
  for _, func in ipairs(here.mine) do first = math.max(first or 0, func.to) end
  return first or 0
end

--- Whether the use comes round again after the thread has begun, with the same variable.
local function in_loop_with(use, here)
  local loop = use.loop
  while loop and loop ~= use.variable.loop do
    for _, start in ipairs(here.starts) do
      if start.func == use.func and start.at > loop.from and start.at < loop.to then return true end
    end
    loop = loop.parent
  end
  return false
end

--- Whether code outside the thread comes to this use after the thread has begun.
local function is_later(here, use)
  if use.func ~= here.home then return true end
  return (use.done or use.at) > here.begin or in_loop_with(use, here)
end

--- Whether a use looks at what has changed.
local function looks(use, change)
  if use.own or use.sent or use.defines then return false end
  if use.kind == "write" or use.kind == "store" and not use.taken then return false end
  if change.path == "" then return true end
  if use.length then return change.is_direct and (change.added or change.is == "nil") end
  if use.field then return use.field == change.first end
  if use.method then return not change.added end
  return not use.calls
end

--- The first assignment outside after the thread has begun, in the function that starts it.
local function assigned_later(here, variable)
  for _, use in ipairs(variable.uses) do
    if use.kind == "write" and not runs(here, use.func) and not use.defines and is_later(here, use) then return use end
  end
end

--- Where somebody else looks at the change.
local function reader(here, variable, change)
  local anew = assigned_later(here, variable)
  for _, use in ipairs(variable.uses) do
    if looks(use, change) and not runs(here, use.func) and is_later(here, use) then
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
    if looks(use, change) and runs(here, use.func) and not use.returned then return use end
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

--- The uses of a variable by which the thread may change it; of an argument also those of the target's parameter.
local function changing_uses(here, variable, change)
  local list = table.move(variable.uses, 1, #variable.uses, 1, {})
  for _, func in ipairs(change.root == "argument" and here.mine or {}) do
    local parameter = func.parameters[change.argument]
    for _, start in ipairs(parameter and here.starts or {}) do
      if is_target(start, func) then
        table.move(parameter.uses, 1, #parameter.uses, #list + 1, list)
        break
      end
    end
  end
  return list
end

--- Where the thread's code changes it: the line, or nil.
local function assignment(here, variable, change)
  local best
  for _, use in ipairs(changing_uses(here, variable, change)) do
    if runs(here, use.func) or change.root == "global" and not best and use.func then
      if change.path == "" and use.kind == "write" then return use.line end
      if change.path ~= "" and use.kind == "store" then
        if use.stored == change.field or change.field == "" then return use.line end
        best = best or use.line
      end
    end
  end
  return stored(here, change) or best
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

local function place(here, line) return short(here.chunk) .. ":" .. line end

local function warning(here, thread, change, variable, line, use)
  local name = change.name .. change.path
  local text = ("luasync: warning: %s: '%s' %s → %s in %s, its own copy"):format(
    place(here, line), name, change.was, change.is, thread.name)
  if use then
    local other = runs(here, use.func) and "used in other threads at" or "used at"
    if variable and not use.func and use.variable and not variable.func then other = "still " .. change.was
      .. " in MainThread, read at" end
    text = text .. ("; %s %s"):format(other, place(here, use.line))
  end
  return text .. "\n  hint: " .. cure(change, variable) .. "\n"
end

----------------------------------------------------------------------------------------------------
-- Changes

--- The variables of the code that starts the thread whose tables are its n-th argument.
local function passed(here, n)
  local list = {}
  for _, start in ipairs(here.starts) do
    local use = start.args[n] and start.args[n].use
    if use and not contains(list, use.variable) then list[#list + 1] = use.variable end
  end
  return list
end

local function candidates(here, thread, change)
  if change.root == "global" then return { here.s.globals[change.name] } end
  if change.root == "argument" then return passed(here, change.argument) end
  local func = thread.functions[change.func]
  return { func and captured(here, func, change.name) }
end

--- The warning for a change, or nil; and what is to be known for reports.
local function judge(cache, thread, change)
  local func = thread.functions[change.root == "local" and change.func or 1]
  if func and change.root == "global" and is_prompt(cache, func.source) then
    return warning({ chunk = func.source }, thread, change, nil, func.first)
  end
  local here = func and scene(cache, thread.functions, func.source)
  if not here then return nil end
  index_locals(here)
  here.home = here.starts[1] and here.starts[1].func
  here.begin = beginning(here)
  change.first = change.path:match "^%.([%w_]+)"
  change.is_direct = change.path == "." .. change.field or change.path:find "^%[[^%]]*%]$" ~= nil
  for _, variable in ipairs(candidates(here, thread, change)) do
    if change.root == "argument" then change.name = variable.name end
    local line = assignment(here, variable, change)
    if line then
      local known = ("%s\t%d\t%s"):format(variable.name, line, here.chunk)
      local use = reader(here, variable, change) or reader_among(here, variable, change)
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

----------------------------------------------------------------------------------------------------
-- Reports: threads that wait for a variable which others have set, each for itself

--- Whether a use decides if its thread waits: in a condition, or in a function such as wait_for calls.
local function decides(use, mine, loops)
  if use.kind ~= "read" or use.method or use.calls or use.defines then return false end
  if loops then return use.condition and not use.condition.once end
  return use.condition or use.func and use.func.parent and mine(use.func.parent)
end

--- Whether the thread stands in the loop, as far as that is known.
local function stands_in(here, t, loop)
  if not t.traceback or not loop.last then return true end
  local file = short(here.chunk)
  for name, line in t.traceback:gmatch "\n[ \t]*([^\n:]+):(%d+):" do
    line = math.tointeger(tonumber(line))
    if name == file and line >= loop.line and line <= loop.last then return true end
  end
  return false
end

--- Whether the functions set the variable that a use asks: all that they do; of a loop's condition, in that loop.
local function sets_itself(use, mine)
  local loop = use.condition and not use.condition.once and use.condition
  for _, other in ipairs(use.variable.uses) do
    if other.kind ~= "read" and mine(other.func)
      and (not loop or other.func ~= use.func or other.at > loop.from and other.at < loop.to) then
      return true
    end
  end
  return false
end

--- The variables from outside by which the functions decide, and do not set themselves: a use of each, in order.
local function decisive(here, t, mine, loops)
  local list, seen = {}, {}
  for _, use in ipairs(here.s.uses) do
    local variable = use.variable
    if not seen[variable] and mine(use.func) and decides(use, mine, loops)
      and (not use.condition or use.condition.once or stands_in(here, t, use.condition))
      and not (variable.is_local and variable.func and mine(variable.func)) then
      seen[variable] = true
      if not sets_itself(use, mine) then list[#list + 1] = use end
    end
  end
  return list
end

--- Who runs the function, by the lists of functions that the living threads were sent.
local function runner(here, threads, context, func)
  if not func then return "MainThread" end
  for _, t in ipairs(threads) do
    if contains(sent_functions(here.s, here.chunk, context.functions[t.id] or {}), func) then return t.name end
  end
end

--- Who else has set the variable, and where.
local function setter(here, threads, context, t, variable)
  for name, known, line, chunk in (context.known or ""):gmatch "([^\n]-)\t(%S+)\t(%d+)\t([^\n]*)\n" do
    if known == variable.name and chunk == here.chunk and name ~= t.name then return name, place(here, line) end
  end
  for _, use in ipairs(variable.uses) do
    if use.kind == "write" and not use.defines and not runs(here, use.func) and is_later(here, use) then
      local name = runner(here, threads, context, use.func)
      if name and name ~= t.name and (use.func or not t.main) then return name, place(here, use.line) end
    end
  end
end

--- The chunk that a thread runs, and what of it.
local function scene_of(cache, context, t)
  local functions = context.functions[t.id] or {}
  local chunk = functions[1] and functions[1].source
  if t.main and not chunk then
    local file = (t.traceback or ""):match "\n[ \t]*([^\n:]+):%d+: in main chunk"
    chunk = file and "@" .. file
  end
  local here = scene(cache, functions, chunk)
  if not here then return nil end
  here.home = here.starts[1] and here.starts[1].func
  here.begin = beginning(here)
  if t.main and #functions == 0 then return here, function(func) return func == nil end end
  return here, function(func) return runs(here, func) end
end

--- Whether a thread that is made there is started nowhere: its variable is only joined, or not used at all.
local function is_never_started(start)
  if not start.made or not start.variable then return false end
  for _, use in ipairs(start.variable.uses) do
    if use.kind == "read" and (not use.method or use.method == "start") then return false end
  end
  return true
end

--- The variable that a parameter stands for, where the thread's start says so; else the variable itself.
local function meant(s, variable)
  for _, start in ipairs(variable.parameter and s.starts or {}) do
    local arg = is_target(start, variable.func) and start.args[variable.parameter]
    if arg and arg.use then return arg.use.variable end
  end
  return variable
end

--- What the code of a thread uses, as a set of variables.
local function used_by(s, start)
  local set = {}
  for _, use in ipairs(s.uses) do
    local func = use.func
    while func and not is_target(start, func) do func = func.parent end
    if func then set[meant(s, use.variable)] = true end
  end
  return set
end

--- "Thread 'producer', made at x.lua:20, is never started; it uses 'q', for which Consumer waits"
local function never_started(here, t, lines)
  local s = here.s
  for _, start in ipairs(s.starts) do
    local set = is_never_started(start) and used_by(s, start)
    for _, use in ipairs(set and s.uses or {}) do
      local variable = use.line == t.line and use.method and meant(s, use.variable)
      if variable and set[variable] and t.operation ~= "join" and t.file == short(here.chunk) then
        local name = start.name and start.name:match "^[\"'](.*)[\"']$" or start.variable.name
        lines[#lines + 1] = ("Thread '%s', made at %s, is never started; it uses '%s', for which %s waits"):format(
          name, place(here, start.line), variable.name, t.name)
        break
      end
    end
  end
end

--- Lines of a report, "Consumer reads 'ready', its own copy; Producer set its own copy at x.lua:14".
-- @param threads the list of sync.threads()
-- @param context { functions = { [id] = { … } }, known = lines of `changed`, read = as there }
function copies.causes(threads, context)
  local cache, lines = { read = context.read }, {}
  for _, t in ipairs(threads) do
    local here, mine = scene_of(cache, context, t)
    for _, use in ipairs(here and decisive(here, t, mine) or {}) do
      local name, where = setter(here, threads, context, t, use.variable)
      if name then
        lines[#lines + 1] = ("%s reads '%s', its own copy; %s set its own copy at %s"):format(
          t.name, use.variable.name, name, where)
      end
    end
    if here and t.state == "blocked" then never_started(here, t, lines) end
  end
  return lines
end

--- A thread whose end somebody waits for, and who asks its own copy of a variable whether to go on.
-- @return a warning, or nil
function copies.awaited(thread, read)
  local context = { functions = { thread.functions }, read = read }
  local t = { id = 1, name = thread.name }
  local here, mine = scene_of({ read = read }, context, t)
  for _, use in ipairs(here and decisive(here, t, mine, true) or {}) do
    for _, other in ipairs(use.variable.uses) do
      if other.kind == "write" and not other.defines and not mine(other.func) and is_later(here, other) then
        return ("luasync: warning: %s: '%s' is %s's own copy, which nobody else can set; it is set at %s\n"
          .. "  hint: share it: %s%s = sync.Event(), with %s:is_set() and %s:set()\n"):format(place(here, use.line),
          use.variable.name, thread.name, place(here, other.line), use.variable.is_local and "local " or "",
          use.variable.name, use.variable.name, use.variable.name)
      end
    end
  end
end

return copies

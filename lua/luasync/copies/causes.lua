--- Reports: threads that wait for a variable which others have set, each for itself; and threads that nobody starts.

local Scene = require "luasync.copies.scene"
local unstarted = require "luasync.copies.unstarted"

local causes = {}

--- Whether a use decides if its thread waits: in a condition, or in a function such as wait_for calls.
local function decides(use, mine, loops)
  if use.kind ~= "read" or use.method or use.calls or use.defines then return false end
  if loops then return use.condition and not use.condition.once end
  return use.condition or use.func and use.func.parent and mine(use.func.parent)
end

--- Whether the thread stands in the loop, as far as that is known.
local function stands_in(here, t, loop)
  if not t.traceback or not loop.last then return true end
  local file = Scene.short(here.chunk)
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
    if here:ran_by(context.functions[t.id] or {}, func) then return t.name end
  end
end

--- The thread that is known to have set its copy of the variable, and where.
local function known_setter(here, context, t, variable)
  for name, known, line, chunk in (context.known or ""):gmatch "([^\n]-)\t(%S+)\t(%d+)\t([^\n]*)\n" do
    if known == variable.name and chunk == here.chunk and name ~= t.name then return name, here:place(line) end
  end
end

--- Who else has set the variable, and where.
local function setter(here, threads, context, t, variable)
  local known, place = known_setter(here, context, t, variable)
  if known then return known, place end
  for _, use in ipairs(variable.uses) do
    if use.kind == "write" and not use.defines and not here:runs(use.func) and here:is_later(use) then
      local name = runner(here, threads, context, use.func)
      if name and name ~= t.name and (use.func or not t.main) then return name, here:place(use.line) end
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
  local here = Scene.new(cache, functions, chunk)
  if not here then return nil end
  if t.main and #functions == 0 then return here, function(func) return func == nil end end
  return here, function(func) return here:runs(func) end
end

--- Lines of a report, "Consumer reads 'ready', its own copy; Producer set its own copy at x.lua:14".
-- @param threads the list of sync.threads()
-- @param context { functions = { [id] = { … } }, known = lines of luasync.copies.changed, read = as there,
-- unstarted =, more_unstarted = }, see luasync.copies.unstarted
function causes.find(threads, context)
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
  end
  for _, line in ipairs(unstarted.lines(cache, threads, context)) do lines[#lines + 1] = line end
  return lines
end

--- A thread whose end somebody waits for, and who asks its own copy of a variable whether to go on. Where another
-- thread has set its copy, that has been told.
-- @return a warning, or nil
function causes.awaited(thread, read)
  local context = { functions = { thread.functions }, read = read, known = thread.known }
  local t = { id = 1, name = thread.name }
  local here, mine = scene_of({ read = read }, context, t)
  for _, use in ipairs(here and decisive(here, t, mine, true) or {}) do
    for _, other in ipairs(known_setter(here, context, t, use.variable) and {} or use.variable.uses) do
      if other.kind == "write" and not other.defines and not mine(other.func) and here:is_later(other) then
        return ("luasync: warning: %s: '%s' is %s's own copy, which nobody else can set; it is set at %s\n"
          .. "  hint: share it: %s%s = sync.Event(), with %s:is_set() and %s:set()\n"):format(here:place(use.line),
          use.variable.name, thread.name, here:place(other.line), use.variable.is_local and "local " or "",
          use.variable.name, use.variable.name, use.variable.name)
      end
    end
  end
end

return causes

--- Reports: threads that were made and that nobody has started, where others wait for what they would do.
--
-- That a thread has not been started is known; what it would do, the source says. It is left out of a report only
-- where the source shows that it has nothing to do with what is waited for.

local Scene = require "luasync.copies.scene"

local unstarted = {}

local NAMED = 3 -- threads that are named, of those that were made at one line

--- The parsed source of the file, by the name that Lua shows.
local function source_of(cache, file)
  return Scene.parsed(cache, "@" .. file) or Scene.parsed(cache, "=" .. file)
end

--- Where the source makes a thread in that line.
local function starts_at(s, line)
  local list = {}
  for _, start in ipairs(s.starts) do
    if start.made and line >= start.first and line <= start.last then list[#list + 1] = start end
  end
  return list
end

--- The variable that a parameter stands for, where the thread's start says so; else the variable itself, which the
-- source does not tell from others then.
local function meant(s, variable)
  for _, start in ipairs(variable.parameter and s.starts or {}) do
    local arg = start.args[variable.parameter]
    if arg and arg.use and Scene.is_target(start, variable.func) then return arg.use.variable end
  end
  return variable
end

--- The functions that the thread would run, as a set: its target, what is called there by name, and what these are
-- inside of; nil: the target stands elsewhere.
local function functions_of(s, start)
  local set, list = {}, {}
  local function add(func)
    if not set[func] then
      set[func] = true
      list[#list + 1] = func
    end
  end
  for _, func in ipairs(s.functions) do if Scene.is_target(start, func) then add(func) end end
  for _, func in ipairs(list) do
    for _, other in ipairs(s.functions) do
      if other.parent == func then add(other) end
      for _, use in ipairs(other.variable and other.variable.uses or {}) do
        if use.func == func then add(other) end
      end
    end
  end
  return list[1] and set
end

--- The variables that the thread would use, as a set; nil: its code stands elsewhere.
local function used_by(s, start)
  local functions = functions_of(s, start)
  local set = {}
  for _, arg in ipairs(start.args) do
    if arg.root then set[arg.root.variable] = true end
  end
  for _, use in ipairs(functions and s.uses or {}) do
    if functions[use.func] then set[meant(s, use.variable)] = true end
  end
  return functions and set
end

--- The variable whose method the thread waits in, or nil.
local function awaited(s, t)
  for _, use in ipairs(s.uses) do
    if use.line == t.line and use.method then return meant(s, use.variable) end
  end
end

--- Whether what a variable holds may be known by others: a field, a parameter.
local function is_shared(variable)
  if variable.parameter or not variable.made or variable.made.root then return true end
  for _, use in ipairs(variable.uses) do
    if use.kind == "read" and not use.method and not use.sent then return true end
  end
  return false
end

--- How the threads that would be started there have to do with those that wait: "; it uses 'q', for which Consumer
-- waits", or "" where the source does not say; nil: in no way.
local function relation(cache, group, threads)
  local s = source_of(cache, group.file)
  local starts = s and starts_at(s, group.line) or {}
  local doubtful = #starts == 0
  for _, start in ipairs(starts) do
    local set = used_by(s, start)
    doubtful = doubtful or not set
    for _, t in ipairs(threads) do
      if t.state == "blocked" and t.operation ~= "join" then
        local variable = t.file == group.file and awaited(s, t) or nil
        if variable and set and set[variable] then
          local who = #group == 1 and "it uses" or "they use"
          return ("; %s '%s', for which %s waits"):format(who, variable.name, t.name)
        end
        doubtful = doubtful or not variable or is_shared(variable)
      end
    end
  end
  return doubtful and "" or nil
end

local function names(group)
  local list = {}
  for i = 1, math.min(#group, NAMED) do list[i] = "'" .. group[i].name .. "'" end
  local kind = group[1].kind
  if #group == 1 then return kind .. " " .. list[1] end
  if #group > NAMED then return ("%ss %s and %d more"):format(kind, table.concat(list, ", "), #group - NAMED) end
  return ("%ss %s and %s"):format(kind, table.concat(list, ", ", 1, #list - 1), list[#list])
end

--- By the line where they were made, in their order.
local function grouped(list)
  local groups, by_place = {}, {}
  for _, made in ipairs(list) do
    local place = made.kind .. made.file .. ":" .. made.line
    local group = by_place[place]
    if not group then
      group = { file = made.file, line = made.line }
      groups[#groups + 1], by_place[place] = group, group
    end
    group[#group + 1] = made
  end
  return groups
end

--- Lines of a report, "Thread 'producer', made at x.lua:20, is never started; it uses 'q', for which Consumer waits".
-- @param cache see luasync.copies.scene
-- @param threads the list of sync.threads()
-- @param context { unstarted = { { kind =, name =, file =, line = }, … }, more_unstarted = how many more there are }
function unstarted.lines(cache, threads, context)
  local lines = {}
  for _, group in ipairs(grouped(context.unstarted)) do
    local related = relation(cache, group, threads)
    if related then
      lines[#lines + 1] = ("%s%s, %s never started%s"):format(names(group),
        group.line > 0 and (", made at %s:%d"):format(group.file, group.line) or "", #group == 1 and "is" or "are",
        related)
    end
  end
  if context.more_unstarted > 0 then
    lines[#lines + 1] = ("%d more threads are never started"):format(context.more_unstarted)
  end
  return lines
end

return unstarted

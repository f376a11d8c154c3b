--- The chunk that a thread runs: its source, and what of it the thread runs, starts with and captures.
--
--     local here = Scene.new(cache, functions, chunk)   --> nil where there is no source
--     here.s        what luasync.copies.source makes of it
--     here.mine     the parsed functions that the thread was sent, those of this chunk
--     here.starts   where the threads are started that run these
--     here.home     the function in which the first of them is started; nil: the main chunk
--     here.begin    the token from which on the thread may run
--
-- `cache` is { read = function that returns the text of a chunk }, and holds what has been read; `functions` the list
-- { { source =, first =, last = }, … } of what a thread was sent.

local source = require "luasync.copies.source"

local Scene = {}
Scene.__index = Scene

----------------------------------------------------------------------------------------------------
-- Sources

--- A file's name as Lua shows it, "x.lua".
function Scene.short(chunk)
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

--- The parsed source of a chunk, or nil.
function Scene.parsed(cache, chunk)
  if cache[chunk] == nil then
    local text = chunk
    if chunk:find "^[@=]" then text = cache.read(chunk) end
    cache[chunk] = text and parse(text) or false
  end
  return cache[chunk] or nil
end

----------------------------------------------------------------------------------------------------
-- Functions

--- Whether the function is one of the list, or inside one.
local function contains(list, func)
  while func do
    for _, f in ipairs(list) do if f == func then return true end end
    func = func.parent
  end
  return false
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

--- Whether the thread that is started, or made, there runs the function.
function Scene.is_target(start, func)
  local target = start.target or {}
  return target.func == func or target.field and target.field == func.field
    or target.use and func.variable and target.use.variable == func.variable
end

--- Whether a thread that was sent these functions runs the function.
function Scene:ran_by(functions, func) return contains(sent_functions(self.s, self.chunk, functions), func) end

function Scene:runs(func) return contains(self.mine, func) end

--- Where the threads are started that run what the thread was sent.
local function find_starts(here)
  local list = {}
  for _, start in ipairs(here.s.starts) do
    for _, func in ipairs(here.mine) do
      if Scene.is_target(start, func) then
        list[#list + 1] = start
        break
      end
    end
  end
  return list
end

--- The place from which on the thread may run: its earliest start, or the end of its function.
local function beginning(here)
  local first
  for _, start in ipairs(here.starts) do first = math.min(first or start.at, start.at) end
  if first then return first end
  for _, func in ipairs(here.mine) do first = math.max(first or 0, func.to) end
  return first or 0
end

function Scene.new(cache, functions, chunk)
  local s = chunk and Scene.parsed(cache, chunk)
  if not s then return nil end
  local here = setmetatable({ s = s, chunk = chunk, mine = sent_functions(s, chunk, functions) }, Scene)
  here.starts = find_starts(here)
  here.home = here.starts[1] and here.starts[1].func
  here.begin = beginning(here)
  return here
end

--- A chunk of which only the name is known: it has places.
function Scene.unread(chunk) return setmetatable({ chunk = chunk }, Scene) end

--- "x.lua:7"
function Scene:place(line) return Scene.short(self.chunk) .. ":" .. line end

----------------------------------------------------------------------------------------------------
-- Variables

--- All uses of variables, by name.
local function index(here)
  local uses = {}
  for _, use in ipairs(here.s.uses) do
    local list = uses[use.variable.name] or {}
    uses[use.variable.name] = list
    list[#list + 1] = use
  end
  return uses
end

--- The variable `name` that the sent function at these lines captures.
function Scene:captured(func, name)
  self.uses = self.uses or index(self)
  for _, f in ipairs(self.mine) do
    if f.first == func.first and f.last == func.last then
      for _, use in ipairs(self.uses[name] or {}) do
        if contains({ f }, use.func) and not contains({ f }, use.variable.func) then return use.variable end
      end
    end
  end
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
function Scene:is_later(use)
  if use.func ~= self.home then return true end
  return (use.done or use.at) > self.begin or in_loop_with(use, self)
end

return Scene

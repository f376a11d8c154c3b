--- What Tab does at the prompt: names of globals, fields, methods, modules, files and `:commands`.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local chunk = require "luasync.repl.chunk"
local path = require "luasync.repl.path"
local sync = require "luasync"

local complete = {}

local CANDIDATES_MOST = 1000    -- of one table; enough to see that one must type more

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do
  KEYWORDS[#KEYWORDS + 1] = word
end

local function reference_names()
  local ok, reference = pcall(require, "luasync.reference")
  return ok and type(reference) == "table" and reference.names and reference.names() or {}
end

----------------------------------------------------------------------------------------------------
-- Fields of a value

--- Properties that only the reference knows, such as Thread's name.
local function add_properties(found, value, prefix, methods)
  local kind = path.kind(value)
  if methods or not kind then return end
  for _, name in ipairs(reference_names()) do
    local property = name:match("^" .. kind:gsub("%W", "%%%0") .. "%.([%a_][%w_]*)$")
    if property and property:sub(1, #prefix) == prefix then found[property] = true end
  end
end

local function add_fields(found, value, prefix, methods)
  local count = 0
  for _, fields in ipairs(path.field_tables(value)) do
    for key, one in next, fields do
      if count >= CANDIDATES_MOST then return end
      if type(key) == "string" and key:sub(1, #prefix) == prefix and key:find "^[%a_][%w_]*$"
        and (not methods or type(one) == "function") and not (value == sync and key:find "^__") then
        found[key] = true
        count = count + 1
      end
    end
  end
end

----------------------------------------------------------------------------------------------------
-- What stands before the cursor

--- The chain of names before the cursor: a list of { token, position }, or nil inside a string or comment.
local function last_tokens(text)
  local tokens = {}
  for start, stop, kind, token in chunk.tokens(text) do
    if not stop then return nil end
    tokens[#tokens + 1] = { token = token, kind = kind, start = start, stop = stop }
  end
  local comment = text:match "%-%-[^\n]*$"
  local last = tokens[#tokens]
  if comment and not (last and last.stop > #text - #comment) then return nil end
  return tokens
end

local function add_globals(found, prefix)
  add_fields(found, _G, prefix, false)
  for _, word in ipairs(KEYWORDS) do
    if word:sub(1, #prefix) == prefix then found[word] = true end
  end
end

--- Modules that can be required. Of our own those that the reference knows: the others are no business of a user's.
local function module_candidates(prefix, files)
  local found = {}
  for name in next, files.modules(prefix) do
    if not name:find "^luasync%." then found[name] = true end
  end
  for _, name in ipairs(reference_names()) do
    if name:find "^luasync%.%l+$" and name:sub(1, #prefix) == prefix then found[name] = true end
  end
  return found, prefix
end

--- Candidates for the Lua text before the cursor, and the part of them that is typed already.
local function lua_candidates(text, files)
  local module = text:match "%f[%w_]require%s*%(?%s*[\"']([^\"'\n]*)$"
  if module then return module_candidates(module, files) end
  local tokens = last_tokens(text)
  if not tokens then return nil end
  local n, prefix, found = #tokens, "", {}
  local last = tokens[n]
  if last and last.kind == "name" and last.stop == #text then
    prefix, n = last.token, n - 1
  end
  if path.is_dot(tokens[n]) then
    local value = path.value(tokens, n - 1)
    if value == nil then return nil end
    local methods = tokens[n].token == ":"
    add_fields(found, value, prefix, methods)
    add_properties(found, value, prefix, methods)
  elseif prefix == "" then return nil
  else add_globals(found, prefix) end
  return found, prefix
end

local function with_prefix(list, prefix)
  local found = {}
  for _, name in ipairs(list) do
    if name:sub(1, #prefix) == prefix then found[name] = true end
  end
  return found, prefix
end

local function command_candidates(text, commands, files)
  local word = text:match "^%s*:(%a*)$"
  if word then return with_prefix(commands.names(), word) end
  local name, argument = text:match "^%s*:(%a+)%s+(.*)$"
  if not name then return lua_candidates(text, files) end
  local kind
  kind, argument = commands.argument(name, argument)
  if kind == "file" then return files.names(argument), argument end
  if kind == "thread" then return with_prefix(commands.threads(), argument) end
  if kind == "reference" then return with_prefix(reference_names(), argument) end
  if kind == "lua" then return lua_candidates(argument, files) end
end

----------------------------------------------------------------------------------------------------

local function common_prefix(names)
  local common = names[1]
  for _, name in ipairs(names) do
    while name:sub(1, #common) ~= common do common = common:sub(1, -2) end
  end
  return common
end

--- What to insert behind a text, and what could follow.
-- @param text string: what stands before the cursor
-- @param commands table: `names()`, a list of the prompt's commands; `argument(name, argument)`, what one takes:
--   "thread", "reference", "lua", "file" or nil, and the part of the argument that is that; `threads()`, a list of
--   names
-- @param files table: luasync.repl.files
-- @return a string to insert ("" where nothing can be said), and a sorted list of candidates where there are several
function complete.complete(text, commands, files)
  local found, prefix = command_candidates(text, commands, files)
  if not found then
    if not text:match "[^\n]*$":find "%S" then return "  " end
    return ""
  end
  local names = {}
  for name in pairs(found) do names[#names + 1] = name end
  if #names == 0 then return "" end
  table.sort(names)
  local more = common_prefix(names):sub(#prefix + 1)
  if more ~= "" or #names == 1 then return more end
  return "", names
end

--- Names in columns of a given width.
function complete.columns(names, width)
  local widest = 0
  for _, name in ipairs(names) do widest = math.max(widest, #name) end
  local per_line = math.max(1, width // (widest + 2))
  local lines = (#names + per_line - 1) // per_line
  local rows = {}
  for i = 1, lines do
    local row = {}
    for k = i, #names, lines do row[#row + 1] = ("%-" .. widest + 2 .. "s"):format(names[k]) end
    rows[i] = table.concat(row):gsub("%s+$", "")
  end
  return table.concat(rows, "\n")
end

return complete

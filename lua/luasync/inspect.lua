--- Values as text that people read: the prompt's way of showing what an expression gives.
--
--     local inspect = require "luasync.inspect"
--     print(inspect { 1, 2, name = "x" })            --> { 1, 2, name = "x" }
--
-- Whatever the value is, the text is short and comes soon: depth, width, entries and string lengths are bounded, cycles
-- are named, keys are sorted. Tables are read raw, so that no metatable can lie about them; `__tostring` is honoured
-- where there is one, and an error in it becomes part of the text.

local debug_getmetatable, next, pairs, rawget, rawlen = debug.getmetatable, next, pairs, rawget, rawlen
local select, setmetatable, type = select, setmetatable, type
local math_type, pcall, tostring, error, ipairs, getinfo = math.type, pcall, tostring, error, ipairs, debug.getinfo
local format, rep, char_length = string.format, string.rep, utf8.len
local concat, sort = table.concat, table.sort

local DEFAULTS = {
  width = 80,         -- columns a table on one line may take
  depth = 6,          -- tables within tables
  entries = 100,      -- of one table
  total = 1000,       -- of all tables together
  string = 300,       -- bytes of a string inside a table
}
local KEYS_SORTED = 10000   -- of a table with more keys than this, any so many are taken

local COLOURS = { string = "32", number = "36", boolean = "35", ["nil"] = "35", note = "2", object = "33" }

local WORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do
  WORDS[word] = true
end

----------------------------------------------------------------------------------------------------
-- Pieces: { text, width, tall }: text with colours, columns it takes, whether it has several lines.

local function piece(text, width) return { text = text, width = width or char_length(text) or #text } end

local function coloured(state, kind, text)
  local p = piece(text)
  if state.colour then p.text = "\27[" .. COLOURS[kind] .. "m" .. text .. "\27[0m" end
  return p
end

----------------------------------------------------------------------------------------------------
-- Strings

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape_byte(c) return ESCAPES[c] or format("\\x%02X", c:byte()) end

--- Quotes a string as Lua source, whatever bytes it holds.
local function quote(text)
  local pattern = char_length(text) and '[%c"\\]' or '[%c"\\\128-\255]'
  return '"' .. text:gsub(pattern, escape_byte) .. '"'
end

local function show_string(state, text)
  local limit = state.string
  if #text <= limit then return coloured(state, "string", quote(text)) end
  while limit > 0 and (text:byte(limit + 1) & 0xC0) == 0x80 do limit = limit - 1 end
  local p = coloured(state, "string", quote(text:sub(1, limit)) .. "…")
  local note = coloured(state, "note", " (" .. #text .. " bytes)")
  return piece(p.text .. note.text, p.width + note.width)
end

----------------------------------------------------------------------------------------------------
-- Objects

--- tostring that cannot fail; an interrupt goes through.
local function safe_tostring(value)
  local ok, text = pcall(tostring, value)
  if ok then return text end
  if type(text) == "string" and text:find("interrupted!", 1, true) then error(text, 0) end
  local said, message = pcall(tostring, text)
  return format("<error in __tostring: %s>", said and message or type(text))
end

local function show_function(value)
  local ok, info = pcall(getinfo, value, "S")
  if ok and info.what ~= "C" then
    return format("function: %p (%s:%d)", value, info.short_src, info.linedefined)
  end
  return format("function: %p", value)
end

local function show_object(state, value)
  local text = type(value) == "function" and show_function(value) or safe_tostring(value)
  if #text > state.string then text = text:sub(1, state.string) .. "…" end
  return coloured(state, "object", (text:gsub("[%c]", escape_byte)))
end

----------------------------------------------------------------------------------------------------
-- Tables

local ORDER = { number = 1, string = 2, boolean = 3 }

local function key_before(a, b)
  local ta, tb = type(a), type(b)
  if ta ~= tb then return (ORDER[ta] or 9) < (ORDER[tb] or 9) end
  if ta == "number" or ta == "string" then return a < b end
  if ta == "boolean" then return a and not b end
  return format("%p", a) < format("%p", b)
end

--- The keys of a table behind its first `border` items: a sorted list, and how many there are.
local function other_keys(walk, value, border)
  local keys, count = {}, 0
  walk(value, function(key)
    if not (math_type(key) == "integer" and key >= 1 and key <= border) then
      count = count + 1
      if count <= KEYS_SORTED then keys[count] = key end
    end
  end)
  sort(keys, key_before)
  return keys, count
end

local show

local function show_key(state, key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not WORDS[key] then return piece(key) end
  local p = type(key) == "table" and show_object(state, format("table: %p", key)) or show(state, key, 0)
  return piece("[" .. p.text .. "]", p.width + 2)
end

local function note_more(state, items, n)
  if n > 0 then items[#items + 1] = coloured(state, "note", "… " .. n .. " more") end
end

--- How many more entries may be shown, of at most n.
local function allowed(state, n)
  if n > state.entries then n = state.entries end
  if n > state.left then n = state.left end
  state.left = state.left - n
  return n
end

--- The pieces of the items 1, 2, …; and of the rest.
local function show_items(state, value, get, border, depth)
  local items, n = {}, allowed(state, border)
  for i = 1, n do items[i] = show(state, get(value, i), depth + 1) end
  note_more(state, items, border - n)
  return items
end

local function show_pairs(state, value, get, keys, count, depth)
  local items, n = {}, allowed(state, #keys)
  for i = 1, n do
    local key = show_key(state, keys[i])
    local shown = show(state, get(value, keys[i]), depth + 1)
    items[i] = { text = key.text .. " = " .. shown.text, width = key.width + 3 + shown.width, tall = shown.tall }
  end
  note_more(state, items, count - n)
  return items
end

--- All on one line, or nil where that is too wide.
local function on_one_line(state, items, pairs_, indent)
  local texts, width = {}, 4
  for _, list in ipairs { items, pairs_ } do
    for _, item in ipairs(list) do
      texts[#texts + 1] = item.text
      width = width + item.width + 2
      if item.tall then return nil end
    end
  end
  if width + indent > state.width then return nil end
  return piece("{ " .. concat(texts, ", ") .. " }", width)
end

--- Items as many on a line as fit, pairs one on each.
local function on_lines(state, items, pairs_, depth)
  local margin = rep("  ", depth + 1)
  local lines, line, width = {}, {}, #margin
  local function flush()
    if #line > 0 then lines[#lines + 1] = margin .. concat(line, ", ") end
    line, width = {}, #margin
  end
  for _, item in ipairs(items) do
    if item.tall or width + item.width + 2 > state.width then flush() end
    line[#line + 1] = item.text
    width = width + item.width + 2
    if item.tall then flush() end
  end
  flush()
  for _, item in ipairs(pairs_) do lines[#lines + 1] = margin .. item.text end
  local p = piece("{\n" .. concat(lines, ",\n") .. "\n" .. rep("  ", depth) .. "}", state.width)
  p.tall = true
  return p
end

--- Shows what can be indexed and walked through, read by get(value, key) and walk(value, visit).
local function show_content(state, value, border, get, walk, depth)
  local keys, count = other_keys(walk, value, border)
  if border + count == 0 then return piece "{}" end
  if depth >= state.depth then return coloured(state, "note", "{…}") end
  state.levels[value] = depth
  local items = show_items(state, value, get, border, depth)
  local pairs_ = show_pairs(state, value, get, keys, count, depth)
  state.levels[value] = nil
  return on_one_line(state, items, pairs_, 2 * depth) or on_lines(state, items, pairs_, depth)
end

local function with_prefix(state, prefix, p)
  if not prefix then return p end
  local name = coloured(state, "object", prefix:sub(1, state.string):gsub("%c", escape_byte) .. " ")
  return { text = name.text .. p.text, width = name.width + p.width, tall = p.tall }
end

local function show_cycle(state, value, depth)
  local up = depth - state.levels[value]
  return coloured(state, "note", up == 1 and "<cycle>" or format("<cycle, %d levels up>", up))
end

local function walk_raw(value, visit)
  for key in next, value do visit(key) end
end

local function show_table(state, value, depth)
  if state.levels[value] then return show_cycle(state, value, depth) end
  local meta = debug_getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") ~= nil then return show_object(state, value) end
  local name = type(meta) == "table" and rawget(meta, "__name")
  local p = show_content(state, value, rawlen(value), rawget, walk_raw, depth)
  return with_prefix(state, type(name) == "string" and name, p)
end

----------------------------------------------------------------------------------------------------
-- luasync's own objects

local function walk_shared(value, visit)
  for key in pairs(value) do visit(key) end
end

local function index(value, key) return value[key] end

local function is_shared(value)
  local meta = debug_getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") == "Shared"
end

local function show_shared(state, value, depth)
  if state.levels[value] then return show_cycle(state, value, depth) end
  local ok, p = pcall(function()
    return show_content(state, value, #value, index, walk_shared, depth)
  end)
  if not ok then
    state.levels[value] = nil
    return show_object(state, value)
  end
  return with_prefix(state, "Shared", p)
end

----------------------------------------------------------------------------------------------------

local PLAIN = { number = true, boolean = true, ["nil"] = true }

function show(state, value, depth)
  local kind = type(value)
  if PLAIN[kind] then return coloured(state, kind, tostring(value)) end
  if kind == "string" then return show_string(state, value) end
  if kind == "table" then return show_table(state, value, depth) end
  if kind == "userdata" and is_shared(value) then return show_shared(state, value, depth) end
  return show_object(state, value)
end

--- The text of any value; see above. Strings are quoted.
-- @param options table, optional: the bounds `width` (columns), `depth`, `entries`, `total`, `string` (bytes), all
--   numbers, and `colour` (boolean)
-- @return a string of one or more lines, without a line end. Raises only "interrupted!".
local function inspect(_, value, options)
  local state = { levels = {}, colour = options and options.colour }
  for name, default in next, DEFAULTS do state[name] = options and options[name] or default end
  state.left = state.total
  return show(state, value, 0).text
end

--- The text of the results of an expression: strings as they are, functions as print has them, one tab between.
-- @param options as above
local function results(options, ...)
  local texts = {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local kind = type(value)
    if kind == "string" then texts[i] = value
    elseif kind == "function" then texts[i] = tostring(value)
    else texts[i] = inspect(nil, value, options) end
  end
  return concat(texts, "\t")
end

return setmetatable({ quote = quote, results = results, tostring = safe_tostring }, { __call = inspect })

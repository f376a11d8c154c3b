--- Values named by what is typed: `a.b`, `list[1]`, `("x")`. Nothing is called to find them.
--
-- Tables are read raw, and `__index` is followed where it is a table. The fields of Shared and Local are seen as well.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local chunk = require "luasync.repl.chunk"
local sync = require "luasync"

local path = {}

local INDEX_MOST = 20           -- __index behind __index

local function metatable_of(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and meta or nil
end

--- The name of the kind of an object of luasync, or nil.
function path.kind(value)
  local meta = type(value) == "userdata" and metatable_of(value)
  local kind = meta and rawget(meta, "__name")
  return type(kind) == "string" and kind or nil
end

--- The string keys of a Shared, as a table with them as keys; empty while it is updated.
local function shared_keys(value)
  local fields = {}
  for _, key in ipairs(sync.__keys(value) or {}) do fields[key] = true end
  return fields
end

local function local_fields(value)
  local fields = {}
  pcall(function() for key, one in pairs(value) do fields[key] = one end end)
  return fields
end

local FIELDS = { Shared = shared_keys, Local = local_fields }

--- The tables in which a value's fields are looked up, in order. Those of a Shared hold true for its values.
function path.field_tables(value)
  local tables = {}
  local special = FIELDS[path.kind(value)]
  if special then tables[1] = special(value) end
  for _ = 1, INDEX_MOST do
    if type(value) == "table" then tables[#tables + 1] = value end
    local meta = metatable_of(value)
    if not meta then break end
    if type(value) == "userdata" and type(rawget(meta, 1)) == "table" then tables[#tables + 1] = rawget(meta, 1) end
    value = rawget(meta, "__index")
    if type(value) ~= "table" then break end
  end
  return tables
end

--- The field of a value, or nil.
function path.field(value, key)
  for _, fields in ipairs(path.field_tables(value)) do
    local found = rawget(fields, key)
    if found ~= nil then
      if path.kind(value) == "Shared" then return value[key] end
      return found
    end
  end
end

function path.is_dot(token) return token and (token.token == "." or token.token == ":") end

local function literal(token)
  local f = load("return " .. token.token, "=", "t", {})
  return f and f()
end

local function key_of(token)
  if token.kind == "name" then return rawget(_G, token.token) end
  return literal(token)
end

local BEFORE_CALL = { name = true, string = true }
local WORDS = { ["return"] = true, ["and"] = true, ["or"] = true, ["not"] = true, ["in"] = true }

--- Whether a "(" behind the token would call something.
local function is_called(token)
  return token and (BEFORE_CALL[token.kind] and not WORDS[token.token] or token.token == ")" or token.token == "]")
end

--- The value of the expression that ends at the token i, and the index of its first token; nil where it is not known.
function path.value(tokens, i)
  local last = tokens[i]
  if not last then return nil end
  if last.kind == "string" then return literal(last), i end
  if last.kind == "name" then
    if not path.is_dot(tokens[i - 1]) then return rawget(_G, last.token), i end
    local value, start = path.value(tokens, i - 2)
    if value == nil then return nil end
    return path.field(value, last.token), start
  elseif last.token == "]" and tokens[i - 1] and tokens[i - 2] and tokens[i - 2].token == "[" then
    local value, start = path.value(tokens, i - 3)
    local key = key_of(tokens[i - 1])
    if value == nil or key == nil then return nil end
    return path.field(value, key), start
  elseif last.token == ")" then
    local value, start = path.value(tokens, i - 1)
    if value == nil or not tokens[start - 1] or tokens[start - 1].token ~= "(" then return nil end
    if is_called(tokens[start - 2]) then return nil end
    return value, start - 1
  end
end

--- The value that a text names, or nil.
function path.read(text)
  local tokens = {}
  for start, stop, kind, token in chunk.tokens(text) do
    if not stop then return nil end
    tokens[#tokens + 1] = { token = token, kind = kind, start = start, stop = stop }
  end
  local value, first = path.value(tokens, #tokens)
  if first == 1 then return value end
end

--- A variable's name with a key behind it: `list[1]`, `t.name`.
function path.join(name, key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return name .. "." .. key end
  return ("%s[%s]"):format(name, type(key) == "string" and ("%q"):format(key) or tostring(key))
end

return path

--- What is typed at the prompt, as Lua code: is it finished, is it an expression, and the function it becomes.
--
-- A local variable would be gone at the end of its entry. So the `local` statements of an entry's outermost level
-- become assignments to globals: the word `local` (and the attribute `<const>`) is replaced by blanks first, so that
-- lines and columns stay what they were. Such a variable is seen by the next entries, and travels with a thread's
-- function like any global of a script. Locals inside blocks and functions are left alone, and so is a statement with
-- `<close>`: its variable is closed at the end of the entry.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local chunk = {}

local NAME = "=stdin"           -- while nothing is known but the beginning

----------------------------------------------------------------------------------------------------
-- Tokens

--- The end of a long bracket that begins at `start`, or nil where there is none; false: it is not closed.
local function long_bracket(text, start)
  local equals = text:match("^%[(=*)%[", start)
  if not equals then return nil end
  local _, stop = text:find("]" .. equals .. "]", start + #equals + 2, true)
  return stop or false
end

local function quoted(text, start)
  local quote, at = text:sub(start, start), start + 1
  while true do
    local c = text:sub(at, at)
    if c == quote then return at end
    if c == "" or c == "\n" then return false end
    at = at + (c == "\\" and 2 or 1)
  end
end

local function comment(text, start)
  local stop = long_bracket(text, start + 2)
  if stop ~= nil then return stop end
  return (text:find("\n", start, true) or #text + 1) - 1
end

--- The end of the token at `start`, and its kind: "name", "number", "string", "comment" or "sign".
-- The end is false where the text stops inside it.
local function token_at(text, start)
  local c = text:sub(start, start)
  local _, stop = text:find("^[%a_][%w_]*", start)
  if stop then return stop, "name" end
  _, stop = text:find("^%.?%d[%w_.]*", start)
  if stop then return stop, "number" end
  if c == '"' or c == "'" then return quoted(text, start), "string" end
  if text:find("^%-%-", start) then return comment(text, start), "comment" end
  local long = c == "[" and long_bracket(text, start)
  if long or long == false and text:find("^%[=*%[", start) then return long, "string" end
  _, stop = text:find("^::", start)
  return stop or start, "sign"
end

--- Iterates over the tokens of a text, comments left out: start, stop, kind, token.
-- A token that the text stops inside of comes last, with `stop` false.
function chunk.tokens(text)
  local at = 1
  return function()
    while at do
      at = text:find("%S", at)
      if not at then return nil end
      local start, stop, kind = at, token_at(text, at)
      at = stop and stop + 1
      if kind ~= "comment" or not stop then return start, stop, kind, stop and text:sub(start, stop) or "" end
    end
  end
end

----------------------------------------------------------------------------------------------------
-- Locals of the outermost level

local DEEPER = { ["function"] = 1, ["do"] = 1, ["if"] = 1, ["repeat"] = 1, ["end"] = -1, ["until"] = -1 }

local function token_list(text)
  local list = {}
  for start, stop, kind, token in chunk.tokens(text) do
    list[#list + 1] = { start = start, stop = stop or #text, kind = kind, token = token }
  end
  return list
end

--- Reads the names of `local a <const>, b` from the token i on.
-- @return the index of the first token behind them, the attributes' tokens, whether one is `close`
local function read_names(list, i)
  local attributes, closes = {}, false
  while list[i] and list[i].kind == "name" do
    i = i + 1
    if list[i] and list[i].token == "<" and list[i + 2] and list[i + 2].token == ">" then
      closes = closes or list[i + 1].token ~= "const"
      for k = i, i + 2 do attributes[#attributes + 1] = list[k] end
      i = i + 3
    end
    if not (list[i] and list[i].token == ",") then break end
    i = i + 1
  end
  return i, attributes, closes
end

local function blank(bytes, token)
  for at = token.start, token.stop do bytes[at] = " " end
end

--- Replaces one local statement; `i` is the token behind the word.
local function hoist_statement(bytes, list, i)
  local word = list[i - 1]
  if not list[i] then return end
  if list[i].token == "function" then return blank(bytes, word) end
  local after, attributes, closes = read_names(list, i)
  if closes or after == i then return end
  blank(bytes, word)
  for _, token in ipairs(attributes) do blank(bytes, token) end
  if not (list[after] and list[after].token == "=") then
    local last = list[after - 1]
    bytes[last.stop] = bytes[last.stop] .. "=nil"
  end
end

--- The text with the locals of its outermost level made globals.
function chunk.hoist(text)
  if not text:find("local", 1, true) then return text end
  local list, bytes, depth = token_list(text), {}, 0
  for i = 1, #text do bytes[i] = text:sub(i, i) end
  for i, token in ipairs(list) do
    if token.kind == "name" then
      depth = depth + (DEEPER[token.token] or 0)
      if token.token == "local" and depth == 0 then hoist_statement(bytes, list, i + 1) end
    end
  end
  return table.concat(bytes)
end

----------------------------------------------------------------------------------------------------
-- Compiling

local function is_unfinished(message) return message:find("<eof>$") ~= nil or message:find("near '?<eof>'?$") ~= nil end

local BLOCKS = { ["if"] = true, ["while"] = true, ["for"] = true, try = true, finally = true, except = true }

--- Does the first line begin a block of Python's? More lines would make no Lua of it; its error has a hint.
local function is_python(text)
  local word = text:match "^%s*(%a+)[^\n]*:[ \t]*$" or text:match "^%s*(%a+)[^\n]*:[ \t]*\n"
  return word ~= nil and BLOCKS[word] ~= nil
end

--- Is the text the beginning of something, so that more lines are wanted?
function chunk.is_incomplete(text)
  if is_python(text) then return false end
  local f, message = load("return " .. text, NAME, "t")
  if f then return false end
  local g, statement = load(text, NAME, "t")
  if g then return false end
  return is_unfinished(message) or is_unfinished(statement)
end

--- Is the expression a call, and so a statement as well?
function chunk.is_call(text) return load(text, NAME, "t") ~= nil end

--- Compiles an entry.
-- @param name string: the chunk's
-- @return a function whose results are to be shown; or nil and Lua's message
function chunk.compile(text, name)
  text = text:gsub("^%s*=", "")               -- as in Lua 5.1
  local f = load("return " .. text, name, "t")
  if f then return f end
  local plain, message = load(text, name, "t")
  if not plain then return nil, message end
  return load(chunk.hoist(text), name, "t") or plain
end

return chunk

--- JSON, as much as a recording needs: strict reading, canonical writing.
--
-- null is left out of an object and has no place in a list. Integers stay
-- integers. A text that ends too early is told from one that is wrong.
local json = {}

local DEEPEST = 200

-- ------------------------------------------------------------------- reading

local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- Raises; caught by json.decode. `cut`: the text ended too early.
local function complain(at, message, cut)
  error({ json = ("%s at byte %d"):format(message, at), cut = cut }, 0)
end

local function skip(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

-- \u003c, and two of them for what lies beyond U+FFFF; half of a pair becomes U+FFFD.
local function unescape_unicode(text, at)
  local code = tonumber(text:match("^%x%x%x%x", at) or complain(at, "four hex digits expected", at + 4 > #text), 16)
  at = at + 4
  if code < 0xD800 or code > 0xDFFF then return utf8.char(code), at end
  local low = code < 0xDC00 and tonumber(text:match("^\\u(%x%x%x%x)", at) or "", 16)
  if low and low >= 0xDC00 and low <= 0xDFFF then
    return utf8.char(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 6
  end
  return "\u{FFFD}", at
end

-- The string that begins at the quote at `at`.
local function read_string(text, at)
  local from, pieces = at + 1, nil
  while true do
    local stop = text:find('["\\%c]', from)
    if not stop then complain(#text, "the text ends inside a string", true) end
    local char = text:sub(stop, stop)
    if char == '"' then
      local tail = text:sub(from, stop - 1)
      if not pieces then return tail, stop + 1 end
      pieces[#pieces + 1] = tail
      return table.concat(pieces), stop + 1
    end
    if char ~= "\\" then
      if char ~= "\127" then complain(stop, "a control character in a string") end
      stop = stop - 1           -- DEL may stand as it is
    end
    pieces = pieces or {}
    pieces[#pieces + 1] = text:sub(from, char == "\\" and stop - 1 or stop + 1)
    from = stop + 2
    if char == "\\" then
      local escape = text:sub(stop + 1, stop + 1)
      if escape == "u" then
        pieces[#pieces + 1], from = unescape_unicode(text, from)
      else
        pieces[#pieces + 1] = ESCAPES[escape] or complain(stop, "an unknown escape", escape == "")
      end
    end
  end
end

local function read_number(text, at)
  local digits, after = text:match("^(-?%d+%.?%d*[eE]?[+-]?%d*)()", at)
  local number = digits and not digits:find "^-?0%d" and not digits:find "%.$" and not digits:find "%.[eE]"
    and tonumber(digits)
  if not number then
    complain(at, "a value expected", not text:find("[^%d.eE+%-]", at))
  end
  return number, after
end

local read_value

-- Reads entries until `close`; one(at) reads an entry and returns what follows.
local function read_entries(text, at, close, one)
  at = skip(text, at + 1)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = skip(text, one(at))
    local char = text:sub(at, at)
    if char == close then return at + 1 end
    if char ~= "," then complain(at, ("',' or '%s' expected"):format(close), char == "") end
    at = skip(text, at + 1)
  end
end

-- What a list of integers has nowhere: a zero in front, a sign that stands alone, two commas, a number of 19 digits.
local NOT_INTEGERS = { "%f[%d]0%d", "%-%D", "%-$", "[%d%-]%-", ",,", ",$", ("%d"):rep(19) }

-- A long list of nothing but integers, as a column of a million events is; nil where it is another list. Nothing reads
-- it faster than Lua itself.
local function read_integers(text, at)
  local digits, after = text:match("^%[(%-?%d[%d,%-]*)%]()", at)
  if not digits or #digits < 100 then return nil end
  for _, pattern in ipairs(NOT_INTEGERS) do
    if digits:find(pattern) then return nil end
  end
  return load("return {" .. digits .. "}", "=json", "t", {})(), after
end

local function read_list(text, at, depth)
  local values, n = read_integers(text, at)
  if values then return values, n end
  values, n = {}, 0
  at = read_entries(text, at, "]", function(from)
    local value, after = read_value(text, from, depth)
    if value == nil then complain(from, "null in a list") end
    n = n + 1
    values[n] = value
    return after
  end)
  return values, at
end

local function read_object(text, at, depth)
  local values = {}
  at = read_entries(text, at, "}", function(from)
    if text:sub(from, from) ~= '"' then complain(from, "a name expected", from > #text) end
    local name, after = read_string(text, from)
    after = skip(text, after)
    if text:sub(after, after) ~= ":" then complain(after, "':' expected", after > #text) end
    values[name], after = read_value(text, skip(text, after + 1), depth)
    return after
  end)
  return values, at
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", nil } }

function read_value(text, at, depth)
  local char = text:sub(at, at)
  if char == '"' then return read_string(text, at) end
  if char == "[" or char == "{" then
    if depth == 0 then complain(at, "nested too deep") end
    return (char == "[" and read_list or read_object)(text, at, depth - 1)
  end
  local word = WORDS[char]
  if word then
    if text:sub(at, at + #word[1] - 1) ~= word[1] then
      complain(at, "a value expected", at + #word[1] - 1 > #text)
    end
    return word[2], at + #word[1]
  end
  return read_number(text, at)
end

--- Reads one value.
-- @return the value (a null: nil); or nil, what is wrong, and whether the text is cut off
function json.decode(text)
  local ok, value, at = pcall(read_value, text, skip(text, 1), DEEPEST)
  if not ok then
    if type(value) ~= "table" or not value.json then error(value, 0) end
    return nil, value.json, value.cut or false
  end
  at = skip(text, at)
  if at <= #text then return nil, ("the text goes on at byte %d"):format(at), false end
  return value
end

-- ------------------------------------------------------------------- writing

-- UTF-8 stays; every byte that is none becomes U+FFFD.
local function clean(text)
  if utf8.len(text) then return text end
  local pieces, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    pieces[#pieces + 1] = text:sub(at, (bad or #text + 1) - 1)
    if not bad then break end
    pieces[#pieces + 1] = "\u{FFFD}"
    at = bad + 1
  end
  return table.concat(pieces)
end
json.clean = clean

local WRITTEN = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  if not text:find '[%c"\\<\128-\255]' then return '"' .. text .. '"' end
  return '"' .. clean(text):gsub('[%c"\\<]', function(char)
    return WRITTEN[char] or ("\\u%04x"):format(char:byte())
  end) .. '"'
end
json.quote = quote

local function number_text(number)
  if math.type(number) == "integer" then return ("%d"):format(number) end
  if number ~= number or number == math.huge or number == -math.huge then error("a number that JSON has not", 0) end
  return ("%.17g"):format(number)
end

-- The names of a table, those of `rank` first, the others sorted. There may be as many as events.
local function names_of(value, rank)
  local names, others = {}, {}
  for name in pairs(value) do table.insert(rank[name] and names or others, name) end
  table.sort(names, function(a, b) return rank[a] < rank[b] end)
  table.sort(others)
  return table.move(others, 1, #others, #names + 1, names)
end

-- A list of nothing but integers as text, or nil.
local function integers(list)
  for i = 1, #list do
    if math.type(list[i]) ~= "integer" then return nil end
  end
  return table.concat(list, ",")
end

--- The JSON text of a value.
-- A table with [1], or without anything, is a list; unless opts.objects names
-- the field it stands in. opts.order is the order of names, which are strings.
function json.encode(value, opts)
  opts = opts or {}
  local rank, out, n = {}, {}, 0
  for i, name in ipairs(opts.order or {}) do rank[name] = i end
  local function add(text)
    n = n + 1
    out[n] = text
  end
  local put
  local function put_list(list)
    add "["
    local text = integers(list)
    if text then add(text) end
    for i = 1, text and 0 or #list do
      if i > 1 then add "," end
      put(list[i])
    end
    add "]"
  end
  function put(item, field)
    local kind = type(item)
    if kind == "string" then add(quote(item))
    elseif kind == "number" then add(number_text(item))
    elseif kind ~= "table" then add(tostring(item))
    elseif (item[1] ~= nil or next(item) == nil) and not (opts.objects or {})[field] then put_list(item)
    else
      add "{"
      for i, name in ipairs(names_of(item, rank)) do
        if i > 1 then add "," end
        add(quote(name))
        add ":"
        put(item[name], name)
      end
      add "}"
    end
  end
  put(value)
  return table.concat(out)
end

return json

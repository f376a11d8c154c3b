--- Python's `%` formatting of one value after the other: what the log lines and log messages are made with.
--
-- `parse` splits a format once, `convert` turns one value into text. Widths count characters where the
-- text is UTF-8, bytes otherwise; `%s` takes any value and is tostring; `%d` cuts a fraction off.

local percent = {}

local INTEGERS = { d = "d", i = "d", u = "d", x = "x", X = "X", o = "o" }
local FLOATS = { e = "e", E = "E", f = "f", F = "f", g = "g", G = "G" }
local TEXTS = { s = true, r = true, a = true, c = true }
local PREFIXES = { x = "0x", X = "0X", o = "0o", d = "" }

-- A width or precision: a number, "*" for "taken from the arguments", nil if there is none, false if it is bad.
local function measure(text)
  if text == "" then return nil end
  if text == "*" then return "*" end
  return text:find("^%d+$") and #text < 10 and tonumber(text) or false
end

-- Reads the specification whose percent sign stands just before `from`.
-- Returns it and the position behind it, or nil and what is wrong.
local function parse_spec(format, from)
  local at, key = from, nil
  if format:sub(at, at) == "(" then
    key, at = format:match("^%(([^()]*)%)()", at)
    if not key then return nil, "incomplete field name" end
  end
  local flags, width, dot, precision, conversion, after =
    format:match("^([#0 +-]*)([*%d]*)(%.?)([*%d]*)[hlL]?(.?)()", at)
  if conversion == "" then return nil, "incomplete format" end
  if not (INTEGERS[conversion] or FLOATS[conversion] or TEXTS[conversion] or conversion == "%") then
    return nil, ("unsupported format character '%s'"):format(conversion)
  end
  local spec = {
    key = key, conversion = conversion, text = format:sub(from - 1, after - 1),
    left = flags:find("-", 1, true) and true, zero = flags:find("0", 1, true) and true,
    alternate = flags:find("#", 1, true) and true,
    sign = flags:find("+", 1, true) and "+" or flags:find(" ", 1, true) and " " or "",
    width = measure(width), precision = measure(precision),
  }
  if dot == "." and precision == "" then spec.precision = 0 end
  if spec.width == false or spec.precision == false or dot == "" and precision ~= "" then
    return nil, ("invalid width in '%s'"):format(spec.text)
  end
  if key and (spec.width == "*" or spec.precision == "*") then
    return nil, ("'*' in '%s'"):format(spec.text)
  end
  return spec, after
end

--- Splits a format into its pieces.
-- @param format string
-- @return a list of literal strings and specifications `{ key, conversion, text, width, precision, … }`,
--   or nil and what is wrong with the format
function percent.parse(format)
  local pieces, at = {}, 1
  while true do
    local sign = format:find("%", at, true)
    if not sign then break end
    if sign > at then pieces[#pieces + 1] = format:sub(at, sign - 1) end
    local spec, after = parse_spec(format, sign + 1)
    if not spec then return nil, after end
    pieces[#pieces + 1] = spec.conversion == "%" and "%" or spec
    at = after
  end
  if at <= #format then pieces[#pieces + 1] = format:sub(at) end
  return pieces
end

-- The first `characters` characters of a text.
local function cut(text, characters)
  local length = utf8.len(text)
  if not length then return text:sub(1, characters) end
  if characters >= length then return text end
  return text:sub(1, utf8.offset(text, characters + 1) - 1)
end

-- `head` is the sign and base of a number: zeros go behind it, spaces before.
local function pad(head, body, spec, width)
  local text = head .. body
  local missing = (width or 0) - (utf8.len(text) or #text)
  if missing <= 0 then return text end
  if spec.left then return text .. (" "):rep(missing) end
  if spec.zero and not TEXTS[spec.conversion] then return head .. ("0"):rep(missing) .. body end
  return (" "):rep(missing) .. text
end

-- Python's repr for strings, Lua's own text for everything else.
local function repr(value)
  if type(value) ~= "string" then return tostring(value) end
  local quote = (value:find("'", 1, true) and not value:find('"', 1, true)) and '"' or "'"
  local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", [quote] = "\\" .. quote }
  local text = value:gsub("[%c\\\"']", function(c)
    return escapes[c] or c:find("%c") and ("\\x%02x"):format(c:byte()) or c
  end)
  return quote .. text .. quote
end

-- The converters return head and body, or nil and what they expected.

local function integer_text(spec, value, precision)
  if type(value) ~= "number" then return nil, "number" end
  local conversion = INTEGERS[spec.conversion]
  local whole = math.tointeger(value)
  if not whole and conversion == "d" and value - value == 0 then
    whole = value < 0 and math.ceil(value) or math.floor(value)
  end
  if not whole then return nil, "integer" end
  local digits
  if conversion == "d" then
    -- a float that no integer can hold stays one
    digits = (math.type(whole) == "integer" and "%d" or "%.0f"):format(whole):gsub("^-", "")
  else
    digits = ("%" .. conversion):format(whole < 0 and -whole or whole)
  end
  digits = ("0"):rep((precision or 0) - #digits) .. digits
  return (whole < 0 and "-" or spec.sign) .. (spec.alternate and PREFIXES[conversion] or ""), digits
end

local function float_text(spec, value, precision)
  if type(value) ~= "number" then return nil, "number" end
  if precision and precision > 99 then return nil, "precision below 100" end
  local format = "%" .. spec.sign .. (spec.alternate and "#" or "")
    .. (precision and "." .. precision or "") .. FLOATS[spec.conversion]
  local text = format:format(value):gsub("^-nan", "nan")
  if spec.conversion == "F" then text = text:upper() end
  return text:match("^([+ -]?)(.*)$")
end

local function character(value)
  local code = type(value) == "number" and math.tointeger(value)
  if code and code >= 0 and code <= 0x10FFFF then return "", utf8.char(code) end
  if type(value) == "string" and (utf8.len(value) or #value) == 1 then return "", value end
  return nil, "character"
end

local function plain_text(spec, value, precision)
  if spec.conversion == "c" then return character(value) end
  local text
  if spec.conversion == "s" then text = tostring(value) else text = repr(value) end
  return "", precision and cut(text, precision) or text
end

--- One value by its specification.
-- @param spec from `parse`
-- @param value any
-- @param width number of characters at least, or nil; negative: left-aligned
-- @param precision number, or nil
-- @return the text, or nil and what was expected instead of the value
function percent.convert(spec, value, width, precision)
  if width and width < 0 then
    spec, width = setmetatable({ left = true }, { __index = spec }), -width
  end
  local converter = INTEGERS[spec.conversion] and integer_text or FLOATS[spec.conversion] and float_text or plain_text
  local head, body = converter(spec, value, precision)
  if not head then return nil, body end
  return pad(head, body, spec, width)
end

return percent

--- What stands around the line of an error: its text without comments and strings, and what its names hold.
--
-- A context has the fields `sync` (the module), `text`, `lines` and `strings` (the text bare), `line` (a number),
-- `source` (that line, bare) and `raw` (as it is written).

local source = {}

--- The text without comments, its lines where they are. What stands in strings is one character, by which it is found
-- in the list of the line's strings.
-- @return the list of lines, the list of their lists of strings
function source.bare(text)
  local function newlines(s) return (s:gsub("[^\n]+", "")) end
  text = text:gsub("(%-?%-?)%[(=*)%[(.-)%]%2%]", function(dashes, _, inside)
    return (dashes == "--" and "" or dashes .. '""') .. newlines(inside)
  end)
  local lines, strings = {}, {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    local inside = {}
    line = line:gsub("\\.", "\14"):gsub("[\"'].*", function(rest)
      return (rest:gsub("([\"'])(.-)%1", function(quote, content)
        if content == "" then return nil end
        inside[#inside + 1] = not content:find "\14" and content or nil
        return quote .. string.char(math.min(#inside, 8)) .. quote
      end))
    end)
    line = line:gsub("\14", ""):gsub("%-%-.*$", "")
    lines[#lines + 1] = line:match "^%s*(.-)%s*$"
    strings[#lines] = inside
  end
  return lines, strings
end

--- The lines before `at` and `at` itself, the last one first, within `most` lines.
function source.backwards(lines, at, most)
  local i = math.min(at, #lines) + 1
  local stop = math.max(1, i - (most or i))
  return function()
    i = i - 1
    if i >= stop then return lines[i], i end
  end
end

--- Whether `name` stands for the module of luasync.
function source.is_module(context, name)
  local required = "%f[%w_]" .. name .. "%s*=%s*require%s*%(?%s*[\"']"
  if context.text:find(required .. "luasync[\"']") then return true end
  return (name == "sync" or name == "threading") and not context.text:find(required)
end

local MAKERS = { spawn = "Thread", current_thread = "Thread", currentThread = "Thread", main_thread = "Thread" }

local function kind_made(sync, maker)
  if MAKERS[maker] then return MAKERS[maker] end
  return maker and maker:find "^%u" and sync[maker] and maker or nil
end

--- What the variable `name` holds at the line of the error: the name of a kind of luasync, "other", or nil: unknown.
function source.kind_of(context, name)
  local value = rawget(_G, name)
  local meta = value ~= nil and getmetatable(value)
  if type(value) == "userdata" and type(meta) == "table" then return rawget(meta, "__name") end
  local pattern = "%f[%w_]" .. name .. "%s*=%s*([^=].*)"
  for line in source.backwards(context.lines, context.line) do
    local made_by = line:match(pattern)
    if made_by then
      local kind = kind_made(context.sync, made_by:match "^[%w_]*%.?([%w_]+)%s*[({]")
      if kind then return kind end
      return made_by:find "^[{\"'%d]" and "other" or made_by:find "^setmetatable" and "other" or nil
    end
  end
  return value ~= nil and "other" or nil
end

--- The context of line `line` in `text`.
function source.context(text, line)
  local raw, n, lines, strings = "", 0, source.bare(text)
  for one in (text .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    if n == line then raw = one break end
  end
  return { sync = require "luasync", text = text, lines = lines, strings = strings, line = line,
    source = lines[line] or "", raw = raw }
end

return source

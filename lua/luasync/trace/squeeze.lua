--- Makes the parts of the page smaller: without comments, indentation and spaces that nobody needs.
--
-- It knows as much of the languages as the page's own files need: JavaScript
-- without template literals, and without semicolons at the ends of lines, so
-- that lines must stay; style sheets; markup.
local squeeze = {}

-- After one of these a slash begins a regular expression.
local BEFORE_REGEX = "[%(,=:%[!&|?{};\n]"

-- Where the literal that begins at `at` ends: a string, or a regular expression, whose flags belong to it.
local function literal_end(text, at)
  local quote, class, i = text:sub(at, at), false, at + 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == "\\" then i = i + 1
    elseif quote == "/" and c == "[" then class = true
    elseif c == "]" then class = false
    elseif c == "\n" then error("squeeze: a literal does not end on its line", 0)
    elseif c == quote and not class then
      return quote == "/" and text:match("^%a*()", i + 1) - 1 or i
    end
    i = i + 1
  end
  error("squeeze: a literal does not end", 0)
end

-- What stays of a stretch of white space between the characters `before` and `after`.
local function space_between(before, after, has_newline)
  if before == "" or after == "" then return "" end
  if has_newline then
    if before:find "[{%(%[,;\n]" or after:find "[}%)%],]" then return "" end
    return "\n"
  end
  local word = "[%w_$\128-\255]"
  if before:find(word) and after:find(word) then return " " end
  if before == after and before:find "[%+%-/]" then return " " end
  return ""
end

--- JavaScript.
function squeeze.script(text)
  local out, last, at, gap, newline = {}, "", 1, false, false
  local function put(piece)
    if gap then out[#out + 1] = space_between(last, piece:sub(1, 1), newline) end
    gap, newline = false, false
    out[#out + 1] = piece
    last = piece:sub(-1)
  end
  while at <= #text do
    local c = text:sub(at, at)
    local spaces, after = text:match("^(%s+)()", at)
    if not spaces and text:find("^//", at) then spaces, after = text:match("^(//[^\n]*)()", at) end
    if not spaces and text:find("^/%*", at) then
      after = select(2, text:find("*/", at, true)) + 1
      spaces = ""
    end
    if spaces then
      gap, newline = true, newline or spaces:sub(1, 2) ~= "//" and spaces:find "\n" ~= nil
      at = after
    elseif c == "'" or c == '"' or (c == "/" and (newline or last == "" or last:find(BEFORE_REGEX))) then
      local stop = literal_end(text, at)
      put(text:sub(at, stop))
      at = stop + 1
    else
      local word, stop = text:match("^([%w_$\128-\255]+)()", at)
      put(word or c)
      at = stop or at + 1
    end
  end
  return table.concat(out)
end

--- A style sheet.
function squeeze.style(text)
  return (text:gsub("/%*.-%*/", ""):gsub("%s+", " "):gsub(" ?([{};,]) ?", "%1"):gsub(": ", ":"):gsub(";}", "}")
    :gsub("^ +", ""):gsub(" +$", ""))
end

--- Markup.
function squeeze.markup(text)
  return (text:gsub("<!%-%-.-%-%->", ""):gsub("\n%s*", "\n"):gsub("\n+", "\n"))
end

return squeeze

--- What run.lua and growth.lua share: running programs and reading their figures, medians, columns, options.
-- Plain Lua 5.4, no luasync: the driver must work while the thing it measures does not.
local lib = {}

--- The folder of the running script, with its slash.
lib.here = (arg and arg[0] or ""):match("^(.*/)") or "./"

--- Quotes a word for the shell.
function lib.quote(word)
  if word:match("^[%w_./=+-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Joins a list of words into a shell command.
function lib.command(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = lib.quote(tostring(word)) end
  return table.concat(quoted, " ")
end

--- Runs a program and reads the `name=value` lines it prints.
-- @param words list of program and arguments
-- @param seconds limit after which it is ended
-- @return table of numbers by name, or nil and what the program said
function lib.figures(words, seconds)
  local pipe = assert(io.popen(("timeout %d %s 2>&1"):format(seconds, lib.command(words))))
  local text = pipe:read("a")
  local ok, _, code = pipe:close()
  if not ok then
    return nil, code == 124 and ("no end within %d s"):format(seconds) or ("exit code %d: %s"):format(code, text)
  end
  local found = {}
  for name, value in text:gmatch("([%a_]+)=(%-?[%d.eE+-]+)") do found[name] = tonumber(value) end
  return found
end

--- True where a program can be found on the path.
function lib.installed(program)
  return os.execute("command -v " .. lib.quote(program) .. " >/dev/null 2>&1") == true
end

--- First line a command prints, or nil.
function lib.first_line(command)
  local pipe = io.popen(command .. " 2>&1")
  local line = pipe and pipe:read("l")
  if pipe then pipe:close() end
  return line
end

--- Median, least and greatest of a non-empty list of numbers.
function lib.spread(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local n = #sorted
  local middle = n % 2 == 1 and sorted[n // 2 + 1] or (sorted[n // 2] + sorted[n // 2 + 1]) / 2
  return middle, sorted[1], sorted[n]
end

--- Three significant digits, no exponent.
function lib.short(x)
  local size = math.abs(x)
  if size >= 100 or size == 0 then return ("%.0f"):format(x) end
  if size >= 10 then return ("%.1f"):format(x) end
  return ("%.2f"):format(x)
end

--- Pads to a width in characters, not bytes.
function lib.pad(text, width, right)
  local gap = (" "):rep(width - utf8.len(text))
  return right and gap .. text or text .. gap
end

--- Prints rows of cells as aligned columns.
-- @param rows list of lists of strings, the first one the heading
-- @param right set of column numbers to align right
function lib.columns(rows, right)
  local width = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do width[i] = math.max(width[i] or 0, utf8.len(cell)) end
  end
  for number, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do cells[i] = lib.pad(cell, width[i], right[i]) end
    print((table.concat(cells, "  "):gsub("%s+$", "")))
    if number == 1 then
      for i = 1, #width do cells[i] = ("-"):rep(width[i]) end
      print(table.concat(cells, "  "))
    end
  end
end

--- Reads `--name value`, `--name=value` and flags.
-- @param known table: option name to true (takes a value) or false (a flag)
-- @return table of options, or nil and a message
function lib.options(list, known)
  local options, i = {}, 1
  while i <= #list do
    local name, value = list[i]:match("^%-%-([%w-]+)=?(.*)$")
    if not name or known[name] == nil then return nil, ("unknown option '%s'"):format(list[i]) end
    if not known[name] then
      value = true
    elseif not list[i]:find("=", 1, true) then
      i = i + 1
      value = list[i]
      if not value then return nil, ("'--%s' needs a value"):format(name) end
    end
    options[name] = value
    i = i + 1
  end
  return options
end

--- The luasync to measure: the program running this script if it is one, else build/luasync.
function lib.host()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  if arg[i]:match("luasync$") then return arg[i] end
  return lib.here .. "../../build/luasync"
end

--- JSON of numbers, strings, booleans, lists and tables with string keys (sorted, so that two files can be compared).
function lib.json(value, indent)
  indent = indent or ""
  local deeper = indent .. "  "
  if type(value) == "string" then
    return '"' .. value:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif #value > 0 and type(value[1]) ~= "table" then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = lib.json(item) end
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  local parts, names = {}, {}
  for i, item in ipairs(value) do parts[i] = deeper .. lib.json(item, deeper) end
  if #parts > 0 then return "[\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "]" end
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = deeper .. lib.json(name) .. ": " .. lib.json(value[name], deeper) end
  return "{\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "}"
end

return lib

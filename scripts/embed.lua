-- Turns the files of lua/luasync into one C file, so that the host carries them.
--
-- usage: lua5.4 scripts/embed.lua OUTPUT.c [lua/luasync/NAME ...]
--
-- The C file defines `luasync_embedded`, described in src/state/embedded.h: one
-- entry for each file, ended by an entry without a name. A Lua file is a module,
-- "luasync.logging"; any other is a chunk that returns its text, under its path,
-- "luasync/trace/page/style.css" (luasync.file asks for it).

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = assert(file:read("a"))
  file:close()
  return text
end

-- "lua/luasync/logging.lua" -> "luasync.logging"; init.lua names its folder. Other files keep their path.
local function entry_name(path)
  local name = path:gsub("^.*lua/luasync/", "luasync/")
  if not name:find "%.lua$" then return name end
  return (name:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["?"] = "\\?" }

-- Three octal digits always: a digit that follows must not join the escape.
local function escape(char)
  return ESCAPES[char] or ("\\%03o"):format(char:byte())
end

local function c_string(text)
  local pieces = {}
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then
      pieces[#pieces + 1] = '  "' .. line:gsub('[%c\\"?\128-\255]', escape) .. '"'
    end
  end
  if #pieces == 0 then pieces[1] = '  ""' end
  return table.concat(pieces, "\n")
end

-- A syntax error should stop the build, not the first script that needs the file.
local function check_syntax(path, text)
  local chunk, message = load(text, "@" .. path, "t")
  if not chunk then
    io.stderr:write(message, "\n")
    os.exit(1)
  end
end

local function generate(paths)
  local out = { "/* made by scripts/embed.lua */", '#include "state/embedded.h"', "",
    "const Embedded luasync_embedded[] = {" }
  for _, path in ipairs(paths) do
    local text = read_file(path)
    if not path:find "%.lua$" then text = ("return %q"):format(text) end
    check_syntax(path, text)
    out[#out + 1] = ('{ "%s",\n%s,\n  %d },'):format(entry_name(path), c_string(text), #text)
  end
  out[#out + 1] = "{ 0, 0, 0 }\n};\n"
  return table.concat(out, "\n")
end

local output = table.remove(arg, 1)
if not output then
  io.stderr:write("usage: lua5.4 scripts/embed.lua OUTPUT.c [FILE ...]\n")
  os.exit(1)
end
local text = generate(arg)
local file = assert(io.open(output, "wb"))
assert(file:write(text))
assert(file:close())

--- The entries of a session: numbered, listed, saved as a script.
--
-- Entry 7 is the chunk "[7]": a place in it reads `[7]:1`.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local chunk = require "luasync.repl.chunk"

local Entries = {}
Entries.__index = Entries

-- Makes the names that are globals at the prompt globals of the script.
local HEAD = [[
local sync = require "luasync"
for name, value in pairs(sync) do
  if _G[name] == nil then _G[name] = value end
end
_G.sync = sync

]]

--- @param note function(number, text): tells the host, whose reports show lines of entries
function Entries.new(note) return setmetatable({ note = note }, Entries) end

--- Compiles the text of a new entry.
-- @return the function, or nil and Lua's message; and the entry, a table whose `failed` is for the caller to set
function Entries:compile(text)
  local number = #self + 1
  local entry = { text = text }
  self[number] = entry
  self.note(number, text)
  local f, message = chunk.compile(text, ("=[%d]"):format(number))
  entry.failed = not f
  return f, message, entry
end

--- The text of the chunk of that name, or nil.
function Entries:source(name)
  local number = math.tointeger(tonumber(name:match "^%[(%d+)%]$"))
  return number and self[number] and self[number].text
end

local function numbered(number, text)
  local head = ("[%d] "):format(number)
  return head .. text:gsub("\n", "\n" .. (" "):rep(#head))
end

--- All entries with their numbers, or that of one number.
function Entries:list(number)
  if number then return self[number] and numbered(number, self[number].text) end
  local lines = {}
  for i, entry in ipairs(self) do lines[i] = numbered(i, entry.text) end
  return table.concat(lines, "\n")
end

local function statement(text)
  local expression = text:gsub("^%s*=", "")
  if chunk.is_call(expression) or not load("return " .. expression, "=", "t") then return text end
  return ("print(%s)"):format(expression)
end

--- The entries as a script. What showed a value prints it; an entry that failed is a comment.
function Entries:script()
  local out = { HEAD }
  for _, entry in ipairs(self) do
    local text = entry.failed and "-- " .. entry.text:gsub("\n", "\n-- ") or statement(entry.text)
    out[#out + 1] = text .. "\n"
  end
  return table.concat(out)
end

return Entries

--- Entries of earlier sessions: a file with one entry on each line; \n and \\ stand for line breaks and backslashes.
--
-- Each entry is appended at once, so that sessions at the same time do not overwrite each other.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local history = {}
history.__index = history

local MOST = 2000               -- entries kept in memory; the file is cut to them when it has twice as many

local function encode(entry) return (entry:gsub("\\", "\\\\"):gsub("\n", "\\n")) end

local function decode(line)
  return (line:gsub("\\(.)", function(c) return c == "n" and "\n" or c end))
end

--- The file's path by the XDG rules, and its folder; nil where there is no home.
function history.default_path(getenv)
  local state, home = getenv "XDG_STATE_HOME", getenv "HOME"
  if not state or not state:find "^/" then
    if not home or home == "" then return nil end
    state = home .. "/.local/state"
  end
  return state .. "/luasync/history", state .. "/luasync"
end

local function read_entries(path)
  local file, message, code = io.open(path, "rb")
  if not file then
    if code == 2 then return {} end             -- no file yet
    return nil, message
  end
  local text, why = file:read "a"
  file:close()
  if not text then return nil, path .. ": " .. tostring(why) end
  local entries = {}
  for line in text:gmatch "[^\n]+" do entries[#entries + 1] = decode(line) end
  return entries
end

--- Writes the file anew beside the old one, which the new one then replaces. `append` makes a file that nobody else
-- may read, whatever is left of an earlier try.
local function rewrite(path, entries, append)
  local lines, new = {}, path .. ".new"
  for i, entry in ipairs(entries) do lines[i] = encode(entry) .. "\n" end
  os.remove(new)
  if not append(new, table.concat(lines)) or not os.rename(new, path) then os.remove(new) end
end

--- Opens the history in a file.
-- @param path string, or nil: nothing is kept
-- @param append function(path, text): adds text to a file that nobody else may read; returns nil and a message where
--   it cannot
-- @return the history; and a message where the file cannot be read: then nothing is written to it either
function history.open(path, append)
  local self = setmetatable({ entries = {}, path = path, append = append }, history)
  if not path then return self end
  local entries, message = read_entries(path)
  if not entries then
    self.path = nil
    return self, "cannot read the history: " .. message
  end
  self.entries = entries
  if #entries > MOST then
    local newest = table.move(entries, #entries - MOST + 1, #entries, 1, {})
    if #entries > 2 * MOST then rewrite(path, newest, append) end
    self.entries = newest
  end
  return self
end

--- Adds an entry, unless it is the same as the one before or holds nothing.
-- @return true; or nil and a message where the file could not be written (then it is not tried again)
function history:add(entry)
  local entries = self.entries
  if not entry:find "%S" or entry == entries[#entries] then return true end
  entries[#entries + 1] = entry
  if not self.path then return true end
  local ok, message = self.append(self.path, encode(entry) .. "\n")
  if ok then return true end
  self.path = nil
  return nil, "cannot write the history: " .. tostring(message)
end

--- The entry `back` steps ago (1: the newest), or nil.
function history:recall(back) return self.entries[#self.entries + 1 - back] end

--- The first entry, from `back` steps ago on, that holds the text.
-- @return how many steps ago, or 0
function history:search(text, back)
  for i = back, #self.entries do
    if self:recall(i):find(text, 1, true) then return i end
  end
  return 0
end

return history

--- Long output, a screen at a time: an empty entry shows the next one.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local pager = {}

--- How many rows a line takes, escape sequences left out.
local function rows_of(line, columns)
  local plain = line:gsub("\27%[[%d;]*m", "")
  return math.max(1, ((utf8.len(plain) or #plain) + columns - 1) // columns)
end

--- Cuts off what fits on a screen.
-- @return the text for this screen, with a remark in its last line where there is more; and what is left, or nil
function pager.cut(text, columns, rows)
  local room, at, shown = rows - 3, 1, {}        -- rows for the entry, the remark and the next prompt
  local total = select(2, text:gsub("\n", "\n")) + 1
  local used = 0
  while true do
    local stop = text:find("\n", at, true)
    local line = text:sub(at, (stop or #text + 1) - 1)
    used = used + rows_of(line, columns)
    local is_last = not stop and used <= room + 1
    if used > room and not is_last and shown[1] then break end
    shown[#shown + 1] = line
    if not stop then return text end
    at = stop + 1
  end
  local left = total - #shown
  shown[#shown + 1] = left == 1 and "(one more line: Enter shows it)"
    or ("(%d more lines: Enter shows them)"):format(left)
  return table.concat(shown, "\n"), text:sub(at)
end

return pager

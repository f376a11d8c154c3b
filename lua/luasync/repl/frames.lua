--- Tracebacks without the frames of the prompt.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local sync = require "luasync"

local frames = {}

local entrances = {}              -- functions through which the prompt calls what is not its own

--- How many frames the prompt's are, at the foot of the stack; `level` is one of the caller's.
local function count_own(level)
  local first
  while true do
    local info = debug.getinfo(level, "f")
    if not info then break end
    if not first and entrances[info.func] then first = level end
    level = level + 1
  end
  return first and level - first or 0
end

--- debug.traceback(message, level) without them.
function frames.traceback(message, level)
  local text, own = debug.traceback(message, level + 1), count_own(level + 1)
  while own > 0 do
    local rest, last = text:match "^(.*)\n([^\n]*)$"
    if not rest then break end
    text = rest
    if not last:find "^\t%(%.%.%." then own = own - 1 end      -- "(...tail calls...)" belongs to the line above
  end
  return text
end

--- A report's traceback of the main thread, cut where the code of the entry begins.
local function cut(trace)
  local last, position = nil, 0
  repeat
    local _, stop = trace:find("in main chunk", position + 1, true)
    if stop then last, position = stop, stop end
  until not stop
  if last then return trace:sub(1, last) end
  return (trace:gsub("\n[^\n]*'evaluate'\n[^\n]*luasync/repl.*$", ""):gsub("\n[^\n]*luasync/repl.*$", ""))
end

--- A report on threads, without the prompt's frames in the main thread.
function frames.cut_report(report)
  local out, own = {}, nil
  local function flush()
    if own then out[#out + 1] = cut(table.concat(own, "\n")) end
    own = nil
  end
  for line in report:gmatch "[^\n]+" do
    if line:find "^Thread MainThread[: ]" then own = {} elseif not line:find "^  " then flush() end
    table.insert(own or out, line)
  end
  flush()
  return table.concat(out, "\n") .. "\n"
end

--- From now on debug.traceback shows none of them either.
-- @param ... the functions of the host that call for the prompt
function frames.hide(...)
  for _, f in ipairs { ... } do entrances[f] = true end
  rawset(_G.debug, "traceback", function(...)
    local message, level = ...
    local plain = message == nil or type(message) == "string" or type(message) == "number"
    if not plain then return debug.traceback(...) end
    local trace = sync.current_thread() == sync.main_thread() and frames.traceback or debug.traceback
    local text = trace(message, (math.tointeger(level) or 1) + 1)
    return text
  end)
end

return frames

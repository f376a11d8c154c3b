-- A watchdog: work that takes too long is told so, work that is done in time cancels its timer.
local sync = require "luasync"

local function within(seconds, work, ...)
  local me = sync.current_thread()
  local watchdog = sync.Timer(seconds, function() me:interrupt("too slow") end)
  watchdog.daemon = true
  watchdog:start()
  local ok, result = pcall(work, ...)
  watchdog:cancel()
  watchdog:join()                 -- whatever it was about to do has been done
  return ok, result
end

print(within(10, function(n) sync.sleep(0.01) return n * 2 end, 21))
print(within(0.02, function() sync.sleep(10) end))

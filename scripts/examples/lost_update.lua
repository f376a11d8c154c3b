-- Two threads count in one Shared field without a lock. Each read and each write is atomic, the step from
-- one to the other is not: both read 7, both write 8, one count is lost.
--
--     luasync lost_update.lua               50000 counts each; on two cores some are lost
--     luasync --explore lost_update.lua 1   one count each, every schedule
--
-- lost_update_fixed.lua has the cure.
local sync = require "luasync"

local times = tonumber(arg[1]) or 50000
local shared = sync.Shared{ count = 0 }

local function work()
  for _ = 1, times do
    shared.count = shared.count + 1
  end
end

local first, second = sync.spawn(work), sync.spawn(work)
first:join()
second:join()

local lost = 2 * times - shared.count
assert(lost == 0, ("%d of %d counts are lost"):format(lost, 2 * times))
print(("%d counts, none lost"):format(shared.count))

-- lost_update.lua in three ways that lose nothing: under a lock, with sync.update, with an Atomic.
--
--     luasync lost_update_fixed.lua               10000 counts each
--     luasync --explore lost_update_fixed.lua 1   one count each, every schedule
local sync = require "luasync"

local times = tonumber(arg[1]) or 10000
local lock = sync.Lock()
local shared = sync.Shared{ locked = 0, updated = 0 }
local atomic = sync.Atomic(0)

local function increment(n) return n + 1 end

local function work()
  for _ = 1, times do
    do
      local _ <close> = lock:hold()
      shared.locked = shared.locked + 1
    end
    sync.update(shared, "updated", increment)
    atomic:add(1)
  end
end

local first, second = sync.spawn(work), sync.spawn(work)
first:join()
second:join()

assert(shared.locked == 2 * times and shared.updated == 2 * times and atomic:get() == 2 * times)
print(("%d counts, none lost"):format(2 * times))

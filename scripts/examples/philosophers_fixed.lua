-- The philosophers of philosophers.lua with an order among the forks: everybody begins with the one that
-- comes first in the alphabet, so no circle can close. `luasync --explore` proves it for every schedule.
local sync = require "luasync"

local function dine(first, second)
  first:acquire()
  second:acquire()
  second:release()
  first:release()
end

local A, B, C = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }, sync.Lock{ name = "C" }
local philosophers = {
  sync.Thread{ name = "P1", target = dine, args = { A, B } },
  sync.Thread{ name = "P2", target = dine, args = { B, C } },
  sync.Thread{ name = "P3", target = dine, args = { A, C } },  -- not C, A
}
for _, philosopher in ipairs(philosophers) do philosopher:start() end
for _, philosopher in ipairs(philosophers) do philosopher:join() end
print("all three have eaten")

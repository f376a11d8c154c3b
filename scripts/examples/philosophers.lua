-- Three philosophers, three forks: each takes the left one, then the right one. Most runs end well; when
-- all three have taken their left fork, nobody goes on. `luasync --explore philosophers.lua` finds that run.
local sync = require "luasync"

local function dine(left, right)
  -- The mistake: everybody begins with the left fork. philosophers_fixed.lua has the cure.
  left:acquire()
  right:acquire()
  right:release()
  left:release()
end

local A, B, C = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }, sync.Lock{ name = "C" }
local philosophers = {
  sync.Thread{ name = "P1", target = dine, args = { A, B } },
  sync.Thread{ name = "P2", target = dine, args = { B, C } },
  sync.Thread{ name = "P3", target = dine, args = { C, A } },
}
for _, philosopher in ipairs(philosophers) do philosopher:start() end
for _, philosopher in ipairs(philosophers) do philosopher:join() end
print("all three have eaten")

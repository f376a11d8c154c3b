-- Barbershop. The barber sleeps while nobody waits. Who comes in and finds a chair waits there, after waking the
-- barber if he sleeps; who finds none goes home. Whoever has taken a chair gets a haircut.
--
-- Attempt: the barber looks at the chairs, and where nobody sits there he goes to sleep.
--
-- luasync --explore scripts/puzzles/10_barbershop.lua
local sync = require "luasync"

local CHAIRS = 1
local taken = sync.Atomic(0, { name = "chairs taken" })
local shop = sync.Condition(sync.Lock{ name = "shop" }, { name = "bell" })
local haircut = sync.Semaphore(0, { name = "haircut" })

local function barber()
  while true do
    while taken:get() == 0 do
      shop:with(function() shop:wait() end)
    end
    taken:add(-1)
    print "snip, snip"
    haircut:release()
  end
end

local function sit_down()
  local _ <close> = shop:hold()
  if taken:get() == CHAIRS then return false end
  assert(taken:add(1) <= CHAIRS, "two sit on one chair")
  shop:notify()
  return true
end

local function customer(name)
  if not sit_down() then
    print(name .. " goes home")
    return
  end
  haircut:acquire()
  print(name .. " looks well")
end

sync.Thread{ name = "barber", target = barber, daemon = true }:start()
local customers = {}
for i, name in ipairs{ "Ann", "Bob" } do
  customers[i] = sync.Thread{ name = name, target = customer, args = { name } }
  customers[i]:start()
end
for _, person in ipairs(customers) do person:result() end
print "closed"

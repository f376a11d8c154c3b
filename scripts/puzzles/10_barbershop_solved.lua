-- Barbershop, solved. Between the look at the chairs and the sleep a customer may come and ring: the bell wakes
-- nobody, and both wait for ever. So the barber looks with the shop's lock in hand, and gives it back by falling
-- asleep, in one: wait_for does that.
local sync = require "luasync"

local CHAIRS = 1
local taken = sync.Atomic(0, { name = "chairs taken" })
local shop = sync.Condition(sync.Lock{ name = "shop" }, { name = "bell" })
local haircut = sync.Semaphore(0, { name = "haircut" })

local function barber()
  while true do
    shop:with(function()
      shop:wait_for(function() return taken:get() > 0 end)
      taken:add(-1)
    end)
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

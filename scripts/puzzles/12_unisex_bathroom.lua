-- Unisex bathroom. Men and women use one bathroom, never both at a time.
--
-- Attempt: who finds nobody of the others inside goes in; else waits until somebody comes out, and looks again.
--
-- luasync --explore scripts/puzzles/12_unisex_bathroom.lua
local sync = require "luasync"

local inside = { men = sync.Atomic(0, { name = "men" }), women = sync.Atomic(0, { name = "women" }) }
local door = sync.Condition(sync.Lock{ name = "door" }, { name = "comes out" })

local function use(name, own, others)
  door:with(function()
    door:wait_for(function() return inside[others]:get() == 0 end)
  end)

  inside[own]:add(1)
  local undisturbed = inside[others]:get() == 0
  print(name .. " is inside")

  door:with(function()
    inside[own]:add(-1)
    door:notify_all()
  end)
  assert(undisturbed, "a scream is heard")
end

local people = {
  sync.Thread{ name = "Ann", target = use, args = { "Ann", "women", "men" } },
  sync.Thread{ name = "Bob", target = use, args = { "Bob", "men", "women" } },
  sync.Thread{ name = "Cleo", target = use, args = { "Cleo", "women", "men" } },
}
for _, person in ipairs(people) do person:start() end
for _, person in ipairs(people) do person:result() end
print "the bathroom is clean"

-- Unisex bathroom, solved. "Nobody of the others is inside" is true when it is seen, and may be false a moment
-- later: to look and to be counted inside must be one thing, under the lock of the door. (Nothing here keeps one
-- sex from waiting for ever while the other comes and goes; 05_no_starve_mutex has an idea for that.)
local sync = require "luasync"

local inside = { men = sync.Atomic(0, { name = "men" }), women = sync.Atomic(0, { name = "women" }) }
local door = sync.Condition(sync.Lock{ name = "door" }, { name = "comes out" })

local function use(name, own, others)
  door:with(function()
    door:wait_for(function() return inside[others]:get() == 0 end)
    inside[own]:add(1)
  end)

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

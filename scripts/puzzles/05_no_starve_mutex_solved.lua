-- No-starve mutex, solved. Two doors, with a room between them, and never both open. Who comes goes through the
-- outer door into the room. When nobody is left outside, the outer door is shut and the inner one opens, for those
-- in the room only, one after the other. The last of them opens the outer door again. So Gus, who comes back,
-- stands outside until all who were before him are through: he passes nobody twice. (The idea is J. M. Morris's,
-- 1979.)
local sync = require "luasync"

local OTHERS = 2
local counter = sync.Semaphore(1, { name = "counter" })
local outer, inner = sync.Semaphore(1, { name = "outer door" }), sync.Semaphore(0, { name = "inner door" })
local outside, inside = sync.Atomic(0, { name = "outside" }), sync.Atomic(0, { name = "inside" })
local hands, passed = sync.Atomic(0, { name = "hands" }), sync.Atomic(0, { name = "passed" })

local function enter()
  local hand
  counter:with(function()
    outside:add(1)
    hand = hands:add(1)
  end)

  outer:acquire()
  inside:add(1)
  local open = counter:with(function() return outside:add(-1) == 0 and inner or outer end)
  open:release()

  inner:acquire()
  return hand
end

local function leave()
  local open = inside:add(-1) == 0 and outer or inner
  open:release()
end

local function go_through(name)
  local hand = enter()

  local turn = passed:add(1)
  assert(turn - hand <= OTHERS, "somebody is passed by again and again")
  print(name .. " goes through")

  leave()
end

local function greedy(name)
  for _ = 1, 3 do go_through(name) end
end

local people = {
  sync.Thread{ name = "Gus", target = greedy, args = { "Gus" } },
  sync.Thread{ name = "Ann", target = go_through, args = { "Ann" } },
  sync.Thread{ name = "Pat", target = go_through, args = { "Pat" } },
}
for _, person in ipairs(people) do person:start() end
for _, person in ipairs(people) do person:result() end
print "the door is closed"

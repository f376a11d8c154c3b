-- No-starve mutex. One at a time goes through the door: Gus three times, Ann and Pat once. Out of semaphores,
-- which do not promise who comes next, make a door at which nobody starves: who has raised a hand is passed at
-- most once by each of those who raised theirs later.
--
-- Attempt: a semaphore with one permit. It keeps them apart; what could be missing?
--
-- luasync --explore scripts/puzzles/05_no_starve_mutex.lua
local sync = require "luasync"

local OTHERS = 2
local door = sync.Semaphore(1, { name = "door" })
local hands, passed = sync.Atomic(0, { name = "hands" }), sync.Atomic(0, { name = "passed" })

local function go_through(name)
  local hand = hands:add(1)
  local _ <close> = door:hold()

  local turn = passed:add(1)
  assert(turn - hand <= OTHERS, "somebody is passed by again and again")
  print(name .. " goes through")
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

-- River crossing. Wolves and goats want to cross a river. The boat has four seats and leaves when they are taken,
-- by four of a kind or by two and two: one alone among three others is not safe.
--
-- Attempt: who comes is counted; who sees that a good crew is there calls it, with a permit for each seat.
--
-- luasync --explore scripts/puzzles/09_river_crossing.lua
local sync = require "luasync"

local waiting = { W = sync.Atomic(0, { name = "wolves" }), G = sync.Atomic(0, { name = "goats" }) }
local seats = {
  W = sync.Semaphore(0, { name = "seats for wolves" }),
  G = sync.Semaphore(0, { name = "seats for goats" }),
}
local boat = sync.Shared({ crew = "" }, { name = "boat" })

local function call(kind, n)
  assert(waiting[kind]:add(-n) >= 0, "somebody is called who is not there")
  seats[kind]:release(n)
end

-- The invariant: four of a kind are aboard, or two and two.
local function board(animal)
  local crew = sync.update(boat, "crew", function(crew) return (#crew < 4 and crew or "") .. animal end)
  local _, wolves = crew:gsub("W", "")
  assert(#crew < 4 or wolves % 2 == 0, "somebody is eaten")
  if #crew == 4 then print("a boat leaves: " .. crew) end
end

local function cross(kind, other)
  local n = waiting[kind]:add(1)
  if n == 4 then
    call(kind, 4)
  elseif n >= 2 and waiting[other]:get() >= 2 then
    call(kind, 2)
    call(other, 2)
  end

  seats[kind]:acquire()
  board(kind)
end

local animals = {
  sync.Thread{ name = "wolf 1", target = cross, args = { "W", "G" } },
  sync.Thread{ name = "wolf 2", target = cross, args = { "W", "G" } },
  sync.Thread{ name = "goat 1", target = cross, args = { "G", "W" } },
  sync.Thread{ name = "goat 2", target = cross, args = { "G", "W" } },
}
for _, animal in ipairs(animals) do animal:start() end
for _, animal in ipairs(animals) do animal:result() end
print "all are across"

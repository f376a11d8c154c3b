-- River crossing, solved. Each count is right, but two of them are two looks: the second wolf and the second goat
-- may both see that the crew is there, and call it twice. Now one at a time looks and calls, with the shore to
-- itself; the captain, who has called, keeps it until all four are aboard, so that no second crew mixes with the
-- first.
local sync = require "luasync"

local shore, aboard = sync.Lock{ name = "shore" }, sync.Barrier(4, { name = "aboard" })
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
  local captain = true
  shore:acquire()
  local n = waiting[kind]:add(1)
  if n == 4 then
    call(kind, 4)
  elseif n >= 2 and waiting[other]:get() >= 2 then
    call(kind, 2)
    call(other, 2)
  else
    captain = false
    shore:release()
  end

  seats[kind]:acquire()
  board(kind)
  aboard:wait()
  if captain then shore:release() end
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

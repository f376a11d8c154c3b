-- Bounded buffer. A shelf has room for one loaf. The baker waits while it is full, a customer while it is empty.
--
-- Attempt: all wait on one condition, and who has changed the shelf wakes one of them.
--
-- luasync --explore scripts/puzzles/03_bounded_buffer.lua
local sync = require "luasync"

local ROOM, LOAVES = 1, 2
local shelf = sync.Shared({}, { name = "shelf" })
local door = sync.Lock{ name = "door" }
local changed = sync.Condition(door, { name = "changed" })

local function put(loaf)
  local _ <close> = door:hold()
  while #shelf == ROOM do changed:wait() end
  shelf[#shelf + 1] = loaf
  assert(#shelf <= ROOM, "a loaf falls from the shelf")
  changed:notify()
end

local function take()
  local _ <close> = door:hold()
  while #shelf == 0 do changed:wait() end
  local loaf = table.remove(shelf, 1)
  changed:notify()
  return loaf
end

local function bake()
  for n = 1, LOAVES do put("loaf " .. n) end
end

local function buy(name)
  local loaf = take()
  print(name .. " has " .. loaf)
  return loaf
end

local baker = sync.Thread{ name = "baker", target = bake }
local ann = sync.Thread{ name = "Ann", target = buy, args = { "Ann" } }
local bob = sync.Thread{ name = "Bob", target = buy, args = { "Bob" } }
for _, thread in ipairs{ baker, ann, bob } do thread:start() end
assert(ann:result() ~= bob:result(), "two customers bite into one loaf")
print "sold out"

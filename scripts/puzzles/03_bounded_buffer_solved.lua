-- Bounded buffer, solved. The baker and the customers wait for different things, so each have a condition of their
-- own. With one for both Ann, who has emptied the shelf, may wake Bob in place of the baker. Bob sees the empty
-- shelf, waits on, and the baker is never told. (notify_all would do as well; sync.Queue(1) is a bounded buffer
-- ready-made.)
local sync = require "luasync"

local ROOM, LOAVES = 1, 2
local shelf = sync.Shared({}, { name = "shelf" })
local door = sync.Lock{ name = "door" }
local not_full = sync.Condition(door, { name = "not full" })
local not_empty = sync.Condition(door, { name = "not empty" })

local function put(loaf)
  local _ <close> = door:hold()
  while #shelf == ROOM do not_full:wait() end
  shelf[#shelf + 1] = loaf
  assert(#shelf <= ROOM, "a loaf falls from the shelf")
  not_empty:notify()
end

local function take()
  local _ <close> = door:hold()
  while #shelf == 0 do not_empty:wait() end
  local loaf = table.remove(shelf, 1)
  not_full:notify()
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

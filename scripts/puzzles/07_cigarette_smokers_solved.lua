-- Cigarette smokers, solved. Who listens for two things may hear one of them and wait for the other in vain, with
-- the first in hand. So nobody does: a helper listens for each thing alone, and puts it on a tray. The second one
-- to come to the tray sees both things there, and so knows which smoker to wake.
local sync = require "luasync"

local THINGS = { "tobacco", "paper", "matches" }
local called, turn = {}, {}
for i, thing in ipairs(THINGS) do
  called[i] = sync.Semaphore(0, { name = thing })
  turn[i] = sync.Semaphore(0, { name = "turn of " .. thing })
end
local smoked = sync.Semaphore(0, { name = "smoked" })
local not_called = sync.Atomic(0, { name = "not called" })
local tray = sync.Shared({}, { name = "tray" })
local lock = sync.Lock{ name = "lock" }

local function agent()
  for kept = 1, 3 do
    not_called:set(kept)
    for thing = 1, 3 do
      if thing ~= kept then called[thing]:release() end
    end
    smoked:acquire()
  end
end

local function help(thing)
  for _ = 1, 2 do -- the agent calls each thing twice
    called[thing]:acquire()
    local _ <close> = lock:hold()
    local other = tray[1]
    if other then
      tray[1] = nil
      turn[6 - thing - other]:release() -- 1 + 2 + 3 = 6
    else
      tray[1] = thing
    end
  end
end

local function smoke(own)
  turn[own]:acquire()
  assert(not_called:get() == own, "a smoker takes what another one needs")
  print("the one with the " .. THINGS[own] .. " smokes")
  smoked:release()
end

local threads = { sync.Thread{ name = "agent", target = agent } }
for i, thing in ipairs(THINGS) do
  table.insert(threads, sync.Thread{ name = thing .. " helper", target = help, args = { i } })
  table.insert(threads, sync.Thread{ name = thing .. " smoker", target = smoke, args = { i } })
end
for _, thread in ipairs(threads) do thread:start() end
for _, thread in ipairs(threads) do thread:result() end
print "the air is thick"

-- Cigarette smokers. One smoker has plenty of tobacco, one of paper, one of matches. An agent calls out two of
-- these things; the smoker who has the third takes both and smokes, and the agent goes on. The agent is not to be
-- changed: all that is heard of it is one name, then another.
--
-- Attempt: each smoker listens for the two things that are missing.
--
-- luasync --explore scripts/puzzles/07_cigarette_smokers.lua
local sync = require "luasync"

local THINGS = { "tobacco", "paper", "matches" }
local called = {}
for i, thing in ipairs(THINGS) do called[i] = sync.Semaphore(0, { name = thing }) end
local smoked = sync.Semaphore(0, { name = "smoked" })
local not_called = sync.Atomic(0, { name = "not called" })

local function agent()
  for kept = 1, 3 do
    not_called:set(kept)
    for thing = 1, 3 do
      if thing ~= kept then called[thing]:release() end
    end
    smoked:acquire()
  end
end

local function smoke(own)
  for thing = 1, 3 do
    if thing ~= own then called[thing]:acquire() end
  end
  assert(not_called:get() == own, "a smoker takes what another one needs")
  print("the one with the " .. THINGS[own] .. " smokes")
  smoked:release()
end

local threads = { sync.Thread{ name = "agent", target = agent } }
for i, thing in ipairs(THINGS) do
  table.insert(threads, sync.Thread{ name = thing .. " smoker", target = smoke, args = { i } })
end
for _, thread in ipairs(threads) do thread:start() end
for _, thread in ipairs(threads) do thread:result() end
print "the air is thick"

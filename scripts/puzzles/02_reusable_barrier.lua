-- Reusable barrier. Three dancers go through a dance step by step: nobody begins a step before all three have done
-- the one before.
--
-- Attempt: a gate that takes permits. Each who has done a step comes to the gate; the last of the three puts three
-- permits there, one for each.
--
-- luasync --explore scripts/puzzles/02_reusable_barrier.lua
local sync = require "luasync"

local DANCERS, STEPS = 3, 2
local arrived = sync.Atomic(0, { name = "arrived" })
local gate = sync.Semaphore(0, { name = "gate" })
local danced = sync.Atomic(0, { name = "danced" })

local function meet()
  if arrived:add(1) == DANCERS then
    arrived:set(0)
    gate:release(DANCERS)
  end
  gate:acquire()
end

local function dance(name)
  for step = 1, STEPS do
    assert(danced:get() >= DANCERS * (step - 1), "a dancer is ahead of the music")
    print(name .. " does step " .. step)
    danced:add(1)
    meet()
  end
end

local dancers = {}
for i, name in ipairs{ "Ann", "Bob", "Cleo" } do
  dancers[i] = sync.Thread{ name = name, target = dance, args = { name } }
  dancers[i]:start()
end
for _, dancer in ipairs(dancers) do dancer:result() end
print "applause"

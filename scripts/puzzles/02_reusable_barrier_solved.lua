-- Reusable barrier, solved. At one gate a quick dancer comes round again and takes the permit of a slow one, who
-- is left behind. With two gates in turn it finds none to take: the second opens when all have come to it, and so
-- have left the first. (sync.Barrier(3) is a reusable barrier ready-made.)
local sync = require "luasync"

local DANCERS, STEPS = 3, 2
local arrived = sync.Atomic(0, { name = "arrived" })
local gates = { sync.Semaphore(0, { name = "first gate" }), sync.Semaphore(0, { name = "second gate" }) }
local danced = sync.Atomic(0, { name = "danced" })

local function meet(step)
  local gate = gates[1 + step % 2]
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
    meet(step)
  end
end

local dancers = {}
for i, name in ipairs{ "Ann", "Bob", "Cleo" } do
  dancers[i] = sync.Thread{ name = name, target = dance, args = { name } }
  dancers[i]:start()
end
for _, dancer in ipairs(dancers) do dancer:result() end
print "applause"

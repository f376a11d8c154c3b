-- Rendezvous, solved. A semaphore for each: what Ann adds, only Bob takes, so that nobody is let on by a signal of
-- one's own. Each gives its signal before it waits for the other's; the other way round both would wait for ever.
local sync = require "luasync"

local ann_done = sync.Semaphore(0, { name = "Ann is done" })
local bob_done = sync.Semaphore(0, { name = "Bob is done" })
local cooked = sync.Atomic(0)

local function cook(dish, mine, other)
  print(dish .. " is ready")
  cooked:add(1)

  mine:release()
  other:acquire()

  assert(cooked:get() == 2, "half a dinner is served")
  print(dish .. " is served")
end

local ann = sync.Thread{ name = "Ann", target = cook, args = { "soup", ann_done, bob_done } }
local bob = sync.Thread{ name = "Bob", target = cook, args = { "roast", bob_done, ann_done } }
ann:start()
bob:start()
ann:result()
bob:result()
print "dinner for two"

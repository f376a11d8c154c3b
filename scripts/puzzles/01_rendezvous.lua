-- Rendezvous. Ann and Bob cook half a dinner each. Neither may serve before both have cooked.
--
-- Attempt: one semaphore counts the halves that are done. Who has cooked adds one to it and takes one from it.
--
-- luasync --explore scripts/puzzles/01_rendezvous.lua
local sync = require "luasync"

local done = sync.Semaphore(0, { name = "done" })
local cooked = sync.Atomic(0)

local function cook(dish)
  print(dish .. " is ready")
  cooked:add(1)

  done:release()
  done:acquire()

  assert(cooked:get() == 2, "half a dinner is served")
  print(dish .. " is served")
end

local ann = sync.Thread{ name = "Ann", target = cook, args = { "soup" } }
local bob = sync.Thread{ name = "Bob", target = cook, args = { "roast" } }
ann:start()
bob:start()
ann:result()
bob:result()
print "dinner for two"

-- Dining philosophers, solved. A butler keeps one chair free: of two at the table at least one can take both
-- forks, so somebody always eats, gets up, and lets the next sit down. (An order among the forks does it, too: see
-- scripts/examples/philosophers_fixed.lua.)
local sync = require "luasync"

local SEATS = 3
local butler = sync.Semaphore(SEATS - 1, { name = "butler" })
local forks, users = {}, {}
for i = 1, SEATS do
  forks[i] = sync.Lock{ name = "fork " .. i }
  users[i] = sync.Atomic(0, { name = "users of fork " .. i })
end

local function eat(name, left, right)
  assert(users[left]:add(1) == 1 and users[right]:add(1) == 1, "two eat with one fork")
  print(name .. " eats")
  users[left]:add(-1)
  users[right]:add(-1)
end

local function dine(name, left, right)
  local _ <close> = butler:hold()
  forks[left]:acquire()
  forks[right]:acquire()
  eat(name, left, right)
  forks[right]:release()
  forks[left]:release()
end

local philosophers = {}
for i, name in ipairs{ "Hypatia", "Laozi", "Zeno" } do
  philosophers[i] = sync.Thread{ name = name, target = dine, args = { name, i, i % SEATS + 1 } }
  philosophers[i]:start()
end
for _, philosopher in ipairs(philosophers) do philosopher:result() end
print "the dishes are washed"

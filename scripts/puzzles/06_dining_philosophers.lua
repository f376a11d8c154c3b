-- Dining philosophers. Three philosophers, three forks; who eats needs the two beside the plate. All shall have
-- eaten in the end.
--
-- Attempt: take the left fork, then the right one.
--
-- luasync --explore scripts/puzzles/06_dining_philosophers.lua
local sync = require "luasync"

local SEATS = 3
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

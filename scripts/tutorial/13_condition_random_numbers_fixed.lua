-- 13_condition_random_numbers.lua without its lost wake-up: taskB looks for a number before it waits
-- and after each wake-up, so a notification that came earlier is not missed.
local sync = require "luasync"

numbers = sync.Shared()

function taskA(c)
  while true do
    c:acquire()
    local num = math.random(1, 10)
    print("Generated random number: " .. num)
    table.insert(numbers, num)
    print("Notification issued")
    c:notify()
    c:release()
    sync.sleep(5)
  end
end

function taskB(c)
  local waits = 0
  while true do
    c:acquire()
    print("waiting for update")
    -- The Python program never ends; this one ends with the fourth "waiting for update".
    waits = waits + 1
    if waits == 4 then return c:release() end
    while #numbers == 0 do                       -- the cure; c:wait_for(function() return #numbers > 0 end)
      c:wait()                                   -- says the same
    end
    print("Obtained random number " .. table.remove(numbers))
    c:release()
    sync.sleep(5)
  end
end

c = sync.Condition()
t1 = sync.Thread{ target = taskB, args = { c } }
t2 = sync.Thread{ target = taskA, args = { c }, daemon = true }
t1:start()
t2:start()

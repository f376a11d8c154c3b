-- One thread makes random numbers, another one waits on a condition for each of them.
--
-- The bug of the original is kept: a notification that comes while nobody waits is lost. Both threads
-- sleep 5 seconds; when taskA wakes first, taskB waits for a number that is there already.
-- 13_condition_random_numbers_fixed.lua has the cure.
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
    -- The Python program never ends. This one ends where the tutorial's output ends, with the
    -- fourth "waiting for update"; taskA is a daemon and does not hold it up.
    waits = waits + 1
    if waits == 4 then return c:release() end
    c:wait()
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

-- 24_lock_shared_list.lua with an order: the consumer waits until there is something in the list,
-- so a condition stands in the lock's place.
local sync = require "luasync"

data = sync.Shared()
condition = sync.Condition()

-- a list of strings as Python prints it
function list(t)
  return #t == 0 and "[]" or "['" .. table.concat(t, "', '") .. "']"
end

function producer()
  local _ <close> = condition:hold()
  table.insert(data, "Item 1")
  condition:notify()
end

function consumer()
  local _ <close> = condition:hold()
  while #data == 0 do
    condition:wait()
  end
  print(list(data))
end

t1 = sync.Thread{ target = producer }
t2 = sync.Thread{ target = consumer }
t1:start()
t2:start()

-- A list that two threads use under a lock.
--
-- The bug of the original is kept: the lock keeps the two apart, but nothing says which comes first.
-- When the consumer does, it prints []. 24_lock_shared_list_fixed.lua has the cure.
local sync = require "luasync"

data = sync.Shared()
lock = sync.Lock()

-- a list of strings as Python prints it
function list(t)
  return #t == 0 and "[]" or "['" .. table.concat(t, "', '") .. "']"
end

function producer()
  local _ <close> = lock:hold()
  table.insert(data, "Item 1")
end

function consumer()
  local _ <close> = lock:hold()
  print(list(data))
end

t1 = sync.Thread{ target = producer }
t2 = sync.Thread{ target = consumer }
t1:start()
t2:start()

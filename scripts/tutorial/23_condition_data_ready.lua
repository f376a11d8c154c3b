-- A consumer waits on a condition until the data is ready.
-- Each thread has its own globals, so the flag that both use stands in a Shared table.
local sync = require "luasync"

condition = sync.Condition()
shared = sync.Shared{ data_ready = false }

function consumer()
  local _ <close> = condition:hold()
  while not shared.data_ready do
    condition:wait()
  end
  print("Data consumed")
end

function producer()
  local _ <close> = condition:hold()
  shared.data_ready = true
  condition:notify()
end

t1 = sync.Thread{ target = consumer }
t2 = sync.Thread{ target = producer }
t1:start()
t2:start()

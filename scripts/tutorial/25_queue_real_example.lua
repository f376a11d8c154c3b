-- Producer and consumer again; here the items are strings.
local sync = require "luasync"

q = sync.Queue()

function producer()
  for i = 0, 2 do
    q:put("Data " .. i)
    print("Produced Data " .. i)
    sync.sleep(1)
  end
end

function consumer()
  while true do
    local item = q:get()
    print("Consumed: " .. item)
    q:task_done()
  end
end

t1 = sync.Thread{ target = producer }
t2 = sync.Thread{ target = consumer, daemon = true }
t1:start()
t2:start()
t1:join()
q:join()

-- A producer and a consumer with a queue between them.
local sync = require "luasync"

q = sync.Queue()

function producer()
  for i = 0, 4 do
    print("Producing: " .. i)
    q:put(i)
    sync.sleep(1)
  end
end

function consumer()
  while true do
    local item = q:get()
    print("Consuming: " .. item)
    q:task_done()
  end
end

t1 = sync.Thread{ target = producer }
t2 = sync.Thread{ target = consumer, daemon = true }
t1:start()
t2:start()
t1:join()
q:join()

-- A thread waits 4 seconds for an event, which is set after 3: it is received.
-- import modules
local sync = require "luasync"

-- initializing the event object
event_object = sync.Event()

-- defining task
function task()
  print("\nStarted thread but waiting for event...")
  local event_set = event_object:wait(4)
  if event_set then
    print("\nreceived and releasing thread")
  else
    print("\ntime is gone...")
  end
end

-- assigning task
thread1 = sync.Thread{ target = task }
-- starting thread
thread1:start()
sync.sleep(3)                                    -- any delay below 4 s takes this branch
event_object:set()
print("\nsetting of event is done")

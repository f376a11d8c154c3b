-- A thread waits until the main thread sets an event.
local sync = require "luasync"

function wait_for_event(event)
  print("Thread is waiting for the event to be set")
  event:wait() -- Wait until the event is set
  print("Event has been set, continuing execution...")
end

event = sync.Event()
thread = sync.Thread{ target = wait_for_event, args = { event } }
thread:start()

sync.sleep(2) -- Simulate some work being done

event:set() -- Set the event

thread:join()

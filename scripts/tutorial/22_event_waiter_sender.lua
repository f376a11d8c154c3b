-- One thread waits for a signal, another one sends it.
local sync = require "luasync"

event = sync.Event()

function waiter()
  print("Waiting for signal...")
  event:wait()
  print("Signal received!")
end

function sender()
  sync.sleep(2)
  print("Sending signal")
  event:set()
end

t1 = sync.Thread{ target = waiter }
t2 = sync.Thread{ target = sender }
t1:start()
t2:start()

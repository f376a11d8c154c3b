-- A traffic policeman's signal is an event: vehicles cross while it is set.
local sync = require "luasync"

function signal_state()
  while true do
    sync.sleep(5)
    print("Traffic Police Giving GREEN Signal")
    event:set()
    sync.sleep(10)
    print("Traffic Police Giving RED Signal")
    event:clear()
  end
end

function traffic_flow()
  local num = 0
  while num < 10 do
    print("Waiting for GREEN Signal")
    event:wait()
    print("GREEN Signal ... Traffic can move")
    while event:is_set() do
      num = num + 1
      print("Vehicle No: " .. num .. "  Crossing the Signal")
      -- The Python program never ends: the policeman goes on for ever. This one ends where the
      -- tutorial's output ends, with vehicle 10; the policeman is a daemon and does not hold it up.
      if num == 10 then return end
      sync.sleep(2)
    end
    print("RED Signal ... Traffic has to wait")
  end
end

event = sync.Event()
t1 = sync.Thread{ target = signal_state, daemon = true }
t2 = sync.Thread{ target = traffic_flow }
t1:start()
t2:start()

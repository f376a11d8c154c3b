-- Program 52 once more, as its walk-through tells it: the event is set before the line that says so.
-- The increment is unlocked here, too; see 52_event_shared_resource_fixed.lua.
local sync = require "luasync"

SharedResource = {}
SharedResource.__index = SharedResource

function SharedResource.new()
  local self = setmetatable({}, SharedResource)
  self.shared = sync.Shared{ value = 0 }
  self.event = sync.Event()
  return self
end

function SharedResource:increment()
  self.event:wait() -- Wait for the event to be set
  self.shared.value = self.shared.value + 1
  print("Incremented value to " .. self.shared.value)
end

function thread_function(shared_resource)
  sync.sleep(1) -- Simulate some work
  print("Thread is trying to increment shared resource…")
  shared_resource:increment()
end

shared_resource = SharedResource.new()

threads = {}
for _ = 1, 5 do
  local thread = sync.Thread{ target = thread_function, args = { shared_resource } }
  table.insert(threads, thread)
  thread:start()
end

sync.sleep(2)

shared_resource.event:set()
print("Allowing threads to increment shared resource…")

for _, thread in ipairs(threads) do
  thread:join()
end
print("All threads have finished.")

-- Five threads wait for an event, then each increments the value of one shared resource.
--
-- The bug of the original is kept: the increment reads, adds and writes without a lock, so two threads
-- may read the same value and one of the increments is lost. 52_event_shared_resource_fixed.lua has the cure.
local sync = require "luasync"

SharedResource = {}
SharedResource.__index = SharedResource

function SharedResource.new()
  local self = setmetatable({}, SharedResource)
  self.shared = sync.Shared{ value = 0 } -- the object itself is copied into each thread, this is not
  self.event = sync.Event()
  return self
end

function SharedResource:increment()
  -- Wait for the event to be set before incrementing
  self.event:wait()
  self.shared.value = self.shared.value + 1
  print("Incremented value to " .. self.shared.value)
end

function thread_function(shared_resource)
  -- Perform some work
  sync.sleep(1)
  print("Thread is trying to increment shared resource...")

  -- Increment the shared resource
  shared_resource:increment()
end

-- Create a shared resource object
shared_resource = SharedResource.new()

-- Create multiple threads
threads = {}
for _ = 1, 5 do
  local thread = sync.Thread{ target = thread_function, args = { shared_resource } }
  table.insert(threads, thread)
  thread:start()
end

-- Simulate some delay before allowing threads to increment
sync.sleep(2)

-- Set the event, allowing threads to proceed with incrementing
print("Allowing threads to increment shared resource...")
shared_resource.event:set()

-- Wait for all threads to finish
for _, thread in ipairs(threads) do
  thread:join()
end

print("All threads have finished.")

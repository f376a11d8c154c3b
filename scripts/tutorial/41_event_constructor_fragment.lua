-- The constructor of an event: it begins unset.
local sync = require "luasync"
local event_object = sync.Event()
print(event_object:is_set() and "True" or "False")

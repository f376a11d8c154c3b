-- The constructor of a condition. Without a lock of its own it makes an RLock, which one thread may
-- take twice: Python shows that by printing `<Condition(<unlocked _thread.RLock object owner=0 count=0`.
local sync = require "luasync"
local c = sync.Condition(nil)
print(tostring(c))

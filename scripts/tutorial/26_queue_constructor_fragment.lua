-- The constructor of a queue: no limit, nothing in it.
local sync = require "luasync"
local q = sync.Queue()
local type_name = tostring(q):match("^%a+")
print(("%s %d %s"):format(type_name, q.maxsize, q:empty() and "True" or "False"))

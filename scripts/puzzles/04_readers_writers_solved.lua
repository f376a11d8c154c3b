-- Readers and writers, solved. While the first reader still waits for the room a second one must not walk past it:
-- "one more, and if it is the first, take the room" is done as a whole, behind a small lock of the readers. The
-- first reader keeps it until it has the room. (sync.RWLock is this ready-made; it lets no writer starve.)
local sync = require "luasync"

local readers = sync.Atomic(0, { name = "readers" })
local counter = sync.Lock{ name = "counter" }
local room = sync.Lock{ name = "room" }
local writing = sync.Atomic(0, { name = "writing" })

local function read(name)
  counter:acquire()
  if readers:add(1) == 1 then room:acquire() end
  counter:release()

  assert(writing:get() == 0, "half a sentence is read")
  print(name .. " reads")

  counter:acquire()
  if readers:add(-1) == 0 then room:release() end
  counter:release()
end

local function write(name)
  room:acquire()
  writing:add(1)
  print(name .. " writes")
  writing:add(-1)
  room:release()
end

local guests = {
  sync.Thread{ name = "Ann", target = read, args = { "Ann" } },
  sync.Thread{ name = "Will", target = write, args = { "Will" } },
  sync.Thread{ name = "Bob", target = read, args = { "Bob" } },
}
for _, guest in ipairs(guests) do guest:start() end
for _, guest in ipairs(guests) do guest:result() end
print "the book is closed"

-- Readers and writers. Any number may read the guest book at a time; who writes in it is alone with it.
--
-- Attempt: the readers are counted. The first one takes the room from the writers, the last one gives it back.
--
-- luasync --explore scripts/puzzles/04_readers_writers.lua
local sync = require "luasync"

local readers = sync.Atomic(0, { name = "readers" })
local room = sync.Lock{ name = "room" }
local writing = sync.Atomic(0, { name = "writing" })

local function read(name)
  if readers:add(1) == 1 then room:acquire() end

  assert(writing:get() == 0, "half a sentence is read")
  print(name .. " reads")

  if readers:add(-1) == 0 then room:release() end
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

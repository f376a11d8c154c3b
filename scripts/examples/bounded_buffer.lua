-- A buffer with room for three, made by hand from a lock and two conditions on it: producers wait while it is
-- full, consumers while it is empty. (`sync.Queue(3)` is the same thing ready-made.)
local sync = require "luasync"

local Buffer = {}
Buffer.__index = Buffer

-- A plain object: threads get copies of it, but the lock, the conditions and the Shared table in it are the same.
function Buffer.new(size)
  local lock = sync.Lock{ name = "buffer" }
  return setmetatable({
    size = size, items = sync.Shared(), lock = lock,
    not_full = sync.Condition(lock), not_empty = sync.Condition(lock),
  }, Buffer)
end

function Buffer:put(item)
  local _ <close> = self.lock:hold()
  while #self.items == self.size do self.not_full:wait() end
  table.insert(self.items, item)
  self.not_empty:notify()
end

function Buffer:get()
  local _ <close> = self.lock:hold()
  while #self.items == 0 do self.not_empty:wait() end
  local item = table.remove(self.items, 1)
  self.not_full:notify()
  return item
end

local function produce(buffer, from, to)
  for n = from, to do buffer:put(n) end
end

-- Takes numbers until the 0 that says that there are no more; returns how many, and their sum.
local function consume(buffer)
  local count, sum = 0, 0
  while true do
    local n = buffer:get()
    if n == 0 then return count, sum end
    count, sum = count + 1, sum + n
  end
end

local buffer = Buffer.new(3)
local consumers = { sync.spawn(consume, buffer), sync.spawn(consume, buffer) }
local producers = { sync.spawn(produce, buffer, 1, 500), sync.spawn(produce, buffer, 501, 1000) }
for _, producer in ipairs(producers) do producer:join() end
for _ in ipairs(consumers) do buffer:put(0) end

local count, sum = 0, 0
for _, consumer in ipairs(consumers) do
  local n, partial = consumer:result()
  count, sum = count + n, sum + partial
end
print(("%d items through a buffer of %d, sum %d"):format(count, buffer.size, sum))

-- One thread that listens to two queues and a stop event at once: orders and cancellations come by different ways,
-- and each is served as it comes. `select` takes exactly one thing at a time and never loses what it does not take.
local sync = require "luasync"

local orders = sync.Queue{ name = "orders" }
local cancellations = sync.Queue{ name = "cancellations" }
local stop = sync.Event{ name = "stop" }

local function desk()
  local open, count = {}, { taken = 0, cancelled = 0 }
  while true do
    local index, number = sync.select { orders, cancellations, stop }
    if index == 1 then
      open[number] = true
      count.taken = count.taken + 1
    elseif index == 2 and open[number] then
      open[number] = nil
      count.cancelled = count.cancelled + 1
    elseif index == 3 then
      return count
    end
  end
end

local clerk = sync.spawn(desk)
local function customer(first, last)
  for number = first, last do
    orders:put(number)
    sync.sleep(0.002)                         -- time for the desk to have seen it
    if number % 10 == 0 then cancellations:put(number) end
  end
end
local customers = { sync.spawn(customer, 1, 50), sync.spawn(customer, 51, 100) }
for _, thread in ipairs(customers) do thread:join() end
sync.settle()                                 -- the desk has served all there is
stop:set()

local count = clerk:result()
print(("%d orders, %d cancelled"):format(count.taken, count.cancelled))

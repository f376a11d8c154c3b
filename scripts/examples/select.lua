-- One thread that listens to two queues and a stop event at once: orders and cancellations come by different ways,
-- and each is served as it comes. `select` takes exactly one thing at a time and never loses what it does not take.
local sync = require "luasync"

local orders = sync.Queue{ name = "orders" }
local cancellations = sync.Queue{ name = "cancellations" }
local stop = sync.Event{ name = "stop" }

local function desk()
  local taken, cancelled = {}, {}             -- a cancellation may overtake its order: they come by different ways
  while true do
    local index, number = sync.select { orders, cancellations, stop }
    if index == 1 then
      taken[#taken + 1] = number
    elseif index == 2 then
      cancelled[number] = true
    else
      local open = 0
      for _, order in ipairs(taken) do if not cancelled[order] then open = open + 1 end end
      return #taken, open
    end
  end
end

local clerk = sync.spawn(desk)
local function customer(first, last)
  for number = first, last do
    orders:put(number)
    if number % 10 == 0 then cancellations:put(number) end
  end
end
local customers = { sync.spawn(customer, 1, 50), sync.spawn(customer, 51, 100) }
for _, thread in ipairs(customers) do thread:join() end
sync.settle()                                 -- the desk has served all there is
stop:set()

print(("%d orders, %d of them open"):format(clerk:result()))

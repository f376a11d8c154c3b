-- Buyer, seller and retailer again: here the seller waits between its two lines, and T1 starts first.
local sync = require "luasync"

product = {}
product.__index = product

function product:buyer()
  print('John consumer is wait for product')
  event_object:wait()
  print('got product')
end

function product:seller()
  sync.sleep(5)
  print('Tom producer producing items')
  event_object:wait()
  print('tom goes to retailer')
end

function product:retailer()
  sync.sleep(10)
  print('retailer found that product and directly send to buyer')
  event_object:set()
end

-- class object
class_obj = setmetatable({}, product)

-- setting event object
event_object = sync.Event()

-- creating threads: a method travels with its object as first argument
T1 = sync.Thread{ target = class_obj.buyer, args = { class_obj } }
T2 = sync.Thread{ target = class_obj.seller, args = { class_obj } }
T3 = sync.Thread{ target = class_obj.retailer, args = { class_obj } }

-- starting threads
T1:start()
T2:start()
T3:start()

-- 35_condition_notify_all.lua without its lost wake-up: the producer leaves word in a Shared table, and
-- a consumer waits only as long as the word is not there. Start the threads in any order.
local logging = require "luasync.logging"
local sync = require "luasync"

logging.basicConfig{ level = logging.DEBUG,
                     format = '%(asctime)s (%(threadName)-2s) %(message)s',
                   }

resource = sync.Shared{ available = false }

-- wait for the condition and use the resource
function consumer(cond)
  logging.debug('Starting consumer thread')
  local _ <close> = cond:hold()
  while not resource.available do
    cond:wait()
  end
  logging.debug('Resource is available to consumer')
end

-- set up the resource to be used by the consumer
function producer(cond)
  logging.debug('Starting producer thread')
  local _ <close> = cond:hold()
  logging.debug('Making resource available')
  resource.available = true
  cond:notifyAll()
end

condition = sync.Condition()
c1 = sync.Thread{ name = 'c1', target = consumer, args = { condition } }
c2 = sync.Thread{ name = 'c2', target = consumer, args = { condition } }
p = sync.Thread{ name = 'p', target = producer, args = { condition } }

p:start()                                        -- first: the original would hang
sync.sleep(2)
c1:start()
sync.sleep(2)
c2:start()

-- Two consumers wait on a condition until a producer notifies them all.
--
-- The bug of the original is kept: a consumer that begins to wait after the producer's notifyAll
-- waits for ever. Only the sleeps between the starts prevent that.
-- 35_condition_notify_all_fixed.lua has the cure.
local logging = require "luasync.logging"
local sync = require "luasync"

logging.basicConfig{ level = logging.DEBUG,
                     format = '%(asctime)s (%(threadName)-2s) %(message)s',
                   }

-- wait for the condition and use the resource
function consumer(cond)
  logging.debug('Starting consumer thread')
  local t = sync.currentThread()
  local _ <close> = cond:hold()
  cond:wait()
  logging.debug('Resource is available to consumer')
end

-- set up the resource to be used by the consumer
function producer(cond)
  logging.debug('Starting producer thread')
  local _ <close> = cond:hold()
  logging.debug('Making resource available')
  cond:notifyAll()
end

condition = sync.Condition()
c1 = sync.Thread{ name = 'c1', target = consumer, args = { condition } }
c2 = sync.Thread{ name = 'c2', target = consumer, args = { condition } }
p = sync.Thread{ name = 'p', target = producer, args = { condition } }

c1:start()
sync.sleep(2)
c2:start()
sync.sleep(2)
p:start()

-- Two threads wait for an event, one of them no longer than 2 seconds at a time.
local logging = require "luasync.logging"
local sync = require "luasync"

logging.basicConfig{ level = logging.DEBUG,
                     format = '(%(threadName)-10s) %(message)s',
                   }

-- a truth value as Python prints it
function bool(value)
  return value and "True" or "False"
end

-- Wait for the event to be set before doing anything
function wait_for_event(e)
  logging.debug('wait_for_event starting')
  local event_is_set = e:wait()
  logging.debug('event set: %s', bool(event_is_set))
end

-- Wait t seconds and then timeout
function wait_for_event_timeout(e, t)
  while not e:isSet() do
    logging.debug('wait_for_event_timeout starting')
    local event_is_set = e:wait(t)
    logging.debug('event set: %s', bool(event_is_set))
    if event_is_set then
      logging.debug('processing event')
    else
      logging.debug('doing other work')
    end
  end
end


e = sync.Event()
t1 = sync.Thread{ name = 'block',
                  target = wait_for_event,
                  args = { e } }
t1:start()

t2 = sync.Thread{ name = 'non-block',
                  target = wait_for_event_timeout,
                  args = { e, 2 } }
t2:start()

logging.debug('Waiting before calling Event.set()')
sync.sleep(3)
e:set()
logging.debug('Event is set')

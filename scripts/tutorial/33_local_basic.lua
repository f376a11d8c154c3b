-- A local: every thread sees its own value in the same field. A field that was never set is nil.
local sync = require "luasync"
local logging = require "luasync.logging"

logging.basicConfig{ level = logging.DEBUG,
                     format = '(%(threadName)-10s) %(message)s',
                   }

function show_value(data)
  local val = data.value
  if val == nil then
    logging.debug('No value yet')
  else
    logging.debug('value=%s', val)
  end
end


function worker(data)
  show_value(data)
  data.value = math.random(1, 100)
  show_value(data)
end

local_data = sync.Local()
show_value(local_data)
local_data.value = 1000
show_value(local_data)

for i = 1, 2 do
  local t = sync.Thread{ target = worker, args = { local_data } }
  t:start()
end

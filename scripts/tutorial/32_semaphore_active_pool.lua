-- A semaphore lets two of four workers into the pool at a time.
local logging = require "luasync.logging"
local sync = require "luasync"

logging.basicConfig{ level = logging.DEBUG,
                     format = '%(asctime)s (%(threadName)-2s) %(message)s',
                   }

-- a list of strings as Python prints it
function list(t)
  return #t == 0 and "[]" or "['" .. table.concat(t, "', '") .. "']"
end

-- Python's list.remove
function remove(t, value)
  for i, item in ipairs(t) do
    if item == value then return table.remove(t, i) end
  end
end

ActivePool = {}
ActivePool.__index = ActivePool

function ActivePool.new()
  local self = setmetatable({}, ActivePool)
  self.active = sync.Shared()
  self.lock = sync.Lock()
  return self
end

function ActivePool:makeActive(name)
  local _ <close> = self.lock:hold()
  table.insert(self.active, name)
  logging.debug('Running: %s', list(self.active))
end

function ActivePool:makeInactive(name)
  local _ <close> = self.lock:hold()
  remove(self.active, name)
  logging.debug('Running: %s', list(self.active))
end

function worker(s, pool)
  logging.debug('Waiting to join the pool')
  local _ <close> = s:hold()
  local name = sync.currentThread():getName()
  pool:makeActive(name)
  sync.sleep(0.1)
  pool:makeInactive(name)
end

pool = ActivePool.new()
s = sync.Semaphore(2)
for i = 0, 3 do
  local t = sync.Thread{ target = worker, name = tostring(i), args = { s, pool } }
  t:start()
end

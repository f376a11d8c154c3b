-- Readers and writers: a small table of prices is read all the time and changed now and then, two fields at once. An
-- RWLock lets all readers in together and keeps them out while one of the two fields has changed and the other has not.
local sync = require "luasync"

local lock, prices = sync.RWLock{ name = "prices" }, sync.Shared{ net = 100, gross = 119 }
local stop = sync.Event()

local function read()
  local looks, torn = 0, 0
  while not stop:is_set() do
    local _ <close> = lock:hold_read()
    if prices.net * 119 ~= prices.gross * 100 then torn = torn + 1 end
    looks = looks + 1
  end
  return looks, torn
end

local function write(from, to)
  for net = from, to, 100 do
    local _ <close> = lock:hold_write()
    prices.net = net
    sync.sleep(0)                        -- a good moment for somebody else to look
    prices.gross = net * 119 // 100
  end
end

local readers = { sync.spawn(read), sync.spawn(read), sync.spawn(read) }
local writers = { sync.spawn(write, 100, 5000), sync.spawn(write, 5100, 10000) }
for _, writer in ipairs(writers) do writer:join() end -- they come to their turn, however many read
stop:set()

local torn = 0
for _, reader in ipairs(readers) do
  local _, bad = reader:result()
  torn = torn + bad
end
print(("100 changes, %d torn looks, %s"):format(torn, tostring(lock)))

-- One thread waits for news, another one brings it. The waiter looks at the flag before it takes the lock:
-- news that comes in between notifies nobody, and the waiter waits for ever. Rare when it runs by itself,
-- found at once by `luasync --explore lost_wakeup.lua`.
--
-- The cure: look at the flag while holding the lock, `cond:wait_for(function() return news.here end)`.
local sync = require "luasync"

local news = sync.Shared{ here = false }
local cond = sync.Condition{ name = "news" }

local function waiter()
  if not news.here then
    cond:acquire()
    cond:wait()
    cond:release()
  end
end

local function bringer()
  news.here = true
  cond:acquire()
  cond:notify()
  cond:release()
end

local w = sync.Thread{ name = "waiter", target = waiter }
local b = sync.Thread{ name = "bringer", target = bringer }
w:start()
b:start()
w:join()
b:join()
print("the news has come")

-- A crawler of a small web that exists in a table: a Pool of three fetches pages, a Scope holds the threads that look
-- at them, and the first page that fails ends the whole crawl: nobody is left behind, and the error says what failed.
local sync = require "luasync"

local web = {
  ["/"] = { "/a", "/b" }, ["/a"] = { "/b", "/c" }, ["/b"] = { "/d" }, ["/c"] = { "/", "/d" }, ["/d"] = {},
  ["/broken"] = { "/nowhere" },
}

local pool = sync.Pool(3, { name = "fetch" })

local function fetch(url)
  sync.sleep(0.005)                                    -- the network
  return web[url] or error("404 " .. url, 0)
end

-- Visits all that can be reached from `start`; returns how many pages there are.
local function crawl(start)
  local seen = sync.Shared()
  sync.scope(function(scope)
    local function visit(url)
      if sync.update(seen, url, function(n) return (n or 0) + 1 end) > 1 then return end
      for _, link in ipairs(pool:submit(fetch, url):result()) do scope:spawn(visit, link) end
    end
    scope:spawn(visit, start)
  end)
  local count = 0
  for _ in pairs(seen) do count = count + 1 end
  return count
end

print("pages: " .. crawl("/"))
print(pcall(crawl, "/broken"))
pool:shutdown()
print("threads left: " .. sync.active_count() - 1)

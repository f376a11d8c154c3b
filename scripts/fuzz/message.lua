--- Messages: values of every shape go to another thread and back, and must be what they were.
--
-- usage: luasync message.lua SEED CALLS
--
-- Half of the values are plain ones, compared with their originals; the others are of any type, of which only those
-- that cannot cross may raise an error.

local sync = require "luasync"
local folder = arg[0]:match "^(.*/)" or "./"
local worker = dofile(folder .. "worker.lua")
local seed, calls = tonumber(arg[1]), tonumber(arg[2])

math.randomseed(seed)
local random = math.random

local there, back = sync.Queue(), sync.Queue()
local echo = sync.spawn(function()
  while not there.is_shutdown do
    local ok, item = pcall(there.get, there)        -- a __transfer may fail here
    if not ok or item == nil or not pcall(back.put, back, item) then back:put(false) end
  end
end)

local classes = { { __index = function() return 1 end }, { tag = "b" }, {}, { __name = "D" } }

--- A random graph of tables: shared, circular, with tables as keys and with metatables.
local function graph(size)
  local tables = {}
  for i = 1, size do tables[i] = {} end
  local function any()
    local how = random(9)
    if how < 5 then return tables[random(size)]
    elseif how == 5 then return random(-5, 5)
    elseif how == 6 then return random() * 10 ^ random(-300, 300)
    elseif how == 7 then return ("s"):rep(random(0, 60)) .. random(9)
    elseif how == 8 then return math.random(0)
    else return random(2) == 1 end
  end
  for i = 1, size do
    for _ = 1, random(0, 4) do tables[i][random(3) == 1 and any() or #tables[i] + 1] = any() end
    -- What hangs on a metatable is sent once, so nothing of the graph does.
    if random(4) == 1 then setmetatable(tables[i], classes[random(#classes)]) end
  end
  return tables
end

--- The parts of a value in an order that does not depend on addresses: strings, numbers and booleans as keys; tables
-- as keys are counted.
local function compare(a, b, seen)
  if math.type(a) ~= math.type(b) or type(a) ~= type(b) then return false, type(b) end
  if type(a) ~= "table" then return a == b or a ~= a and b ~= b, tostring(b) end
  if seen[a] then return seen[a] == b, "shared" end
  seen[a] = b
  local tables = 0
  for key, value in next, a do
    if type(key) == "table" then tables = tables + 1
    else
      local ok, why = compare(value, rawget(b, key), seen)
      if not ok then return false, tostring(key) .. " " .. why end
    end
  end
  for key in next, b do
    if type(key) == "table" then tables = tables - 1
    elseif rawget(a, key) == nil then return false, "more" end
  end
  if tables ~= 0 then return false, "keys" end
  return getmetatable(a) == getmetatable(b), "class"
end

local fuzz = { sync = sync, pool = { 1 }, library = {}, objects = { sync.Lock(), sync.Event(), sync.Queue() },
               common = sync.Shared(), properties = { "name" }, note = function() end }
local plan = worker.plan(folder)
fuzz.arguments = plan.arguments
for _, part in ipairs(plan.parts) do assert(load(part.text, "@" .. part.name))()(fuzz) end
-- No calls on the side: this is about what arrives, and whoever waits for ever answers nothing.
fuzz.nest = function() end
fuzz.visitor = function(object) return function() return object end end

-- Most graphs are small, some have hundreds of tables.
for n = 1, calls do
  if n % 2 == 0 then
    local value = graph(random(20) == 1 and random(300) or random(12))
    there:put(value)
    local ok, why = compare(value, back:get(), {})
    if not ok then io.stderr:write("FUZZ: message ", n, " came back otherwise: ", why, "\n") end
  else
    local value = fuzz.value()
    if value ~= nil and pcall(there.put, there, value) then pcall(back.get, back) end
  end
end
there:shutdown()
echo:join()
print("CALLS " .. calls)

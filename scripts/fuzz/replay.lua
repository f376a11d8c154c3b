--- Broken schedules: a simulated world is repeated from its schedule, then from ones that have been damaged.
--
-- usage: luasync replay.lua SEED CALLS THREADS
--
-- The whole schedule must give the same run. A damaged one is an error in the argument or a report; whatever it is,
-- it comes twice the same.

local sync = require "luasync"
local folder = arg[0]:match "^(.*/)" or "./"
local worker = dofile(folder .. "worker.lua")
local world = dofile(folder .. "world.lua")

local seed, calls, threads = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local WORLDS, DAMAGES = 3, 60

math.randomseed(seed)
local random = math.random

local BITS = { "", " ", ",", ".", "0", "1", "9", "-", "+", "t", "x", ":", "*", "\0", "99999999999999999999", "\n", "é" }

--- The text with a few characters or stretches removed, doubled, swapped or replaced.
local function damaged(text)
  for _ = 1, random(4) do
    local from = random(#text + 1)
    local to = math.min(#text, from + (random(3) == 1 and random(40) or random(0, 1)) - 1)
    local how, piece = random(5), text:sub(from, to)
    if how == 1 then piece = ""
    elseif how == 2 then piece = piece .. piece
    elseif how == 3 then piece = piece:reverse()
    elseif how == 4 then piece = BITS[random(#BITS)]
    else piece = piece .. BITS[random(#BITS)]:rep(random(3) == 1 and random(200) or 1) end
    text = text:sub(1, from - 1) .. piece .. text:sub(to + 1)
  end
  return random(30) == 1 and text:rep(random(30)) or text
end

local function same(a, b)
  for _, field in ipairs { "schedule", "output", "steps", "deadlock", "livelock", "virtual_time", "error" } do
    if type(a[field]) ~= "table" and a[field] ~= b[field] then return false, field end
  end
  return true
end

local plan = worker.plan(folder)
local total = 0
local function complain(...) io.stderr:write("FUZZ: ", string.format(...), "\n") end

for i = 1, WORLDS do
  local own = seed * 100 + i
  local main = world.make(plan, own, calls, threads)
  local whole = sync.simulate(main, { seed = own })
  local again = sync.simulate(main, { schedule = whole.schedule })
  local ok, field = same(whole, again)
  total = total + world.calls(whole) + world.calls(again)
  if not ok then complain("world %d is not repeated by its schedule: %s", own, field) end
  for n = 1, DAMAGES do
    local schedule = damaged(whole.schedule)
    local made, report = pcall(sync.simulate, main, { schedule = schedule })
    local made_too, report_too = pcall(sync.simulate, main, { schedule = schedule })
    if made ~= made_too then complain("world %d, damage %d: once an error, once none", own, n)
    elseif not made and report ~= report_too then complain("world %d, damage %d: %s / %s", own, n, report, report_too)
    elseif made and not same(report, report_too) then complain("world %d, damage %d: two outcomes", own, n) end
    if made then total = total + world.calls(report) + world.calls(report_too) end
  end
end
print("CALLS " .. total)

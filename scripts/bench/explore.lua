--- What sync.explore costs: executions a second, and how long the programs of the issue take.
--
--   build/luasync scripts/bench/explore.lua [--quick] [--only PATTERN] [--repeat N] [--json FILE] [--host PROGRAM]
--
-- Each figure comes from a process of its own, in processor time; shown are the median, the least and the most of all
-- repeats, beside the target, and how many times as long as the floor an execution takes: a search in C over the same
-- program as a table (explore_floor.c). The rest goes to Lua, objects, copies of memory and notes for reports.
-- Run with `--point NAME` this file is the process that is measured, under luasync; else it runs under stock Lua, too.

local program = {} -- name = function of the arguments: the program that is explored

--- Three threads with six operations each: a lock between two increments.
function program.six()
  local sync = require "luasync"
  local lock, shared = sync.Lock(), sync.Shared{ x = 0, y = 0 }
  local function worker()
    shared.x = shared.x + 1
    lock:acquire()
    lock:release()
    shared.y = shared.y + 1
  end
  for _ = 1, 3 do sync.spawn(worker) end
end

--- Three threads that increment three keys each, a get and a set: 46,656 executions.
function program.increments()
  local sync = require "luasync"
  local shared = sync.Shared{ 0, 0, 0 }
  local function worker()
    for k = 1, 3 do shared[k] = shared[k] + 1 end
  end
  for _ = 1, 3 do sync.spawn(worker) end
end

--- A reader scans array[n] .. array[0] until a zero; n writers do array[j] = array[j - 1] + 1.
function program.lastzero(n)
  local sync = require "luasync"
  local array = sync.Shared{}
  for i = 0, n do array[i] = 0 end
  sync.spawn(function()
    local i = n
    while array[i] ~= 0 do i = i - 1 end
  end)
  for j = 1, n do sync.spawn(function() array[j] = array[j - 1] + 1 end) end
end

--- A bounded buffer of two: three producers, three consumers that drop what they get.
function program.buffer(items, differ)
  local sync = require "luasync"
  local queue = sync.Queue(2)
  for p = 1, 3 do
    sync.spawn(function() for i = 1, items do queue:put(differ and p * items + i or 1) end end)
    sync.spawn(function() for _ = 1, items do queue:get() end end)
  end
end

--- Three threads, some rounds of a locked increment.
function program.rounds(rounds)
  local sync = require "luasync"
  local lock, shared = sync.Lock(), sync.Shared{ x = 0 }
  for _ = 1, 3 do
    sync.spawn(function()
      for _ = 1, rounds do
        lock:acquire()
        shared.x = shared.x + 1
        lock:release()
      end
    end)
  end
end

--- Four threads of six operations, two of them under a lock, two free: 284,040 executions.
function program.four()
  local sync = require "luasync"
  local lock, shared = sync.Lock(), sync.Shared{ x = 0 }
  local function worker()
    lock:acquire()
    shared.x = shared.x + 1
    lock:release()
    shared.x = shared.x + 1
  end
  for _ = 1, 4 do sync.spawn(worker) end
end

--- A thread with so many operations, whose last one meets three others: 24 executions of that length.
function program.long(n)
  local sync = require "luasync"
  local shared = sync.Shared{ x = 0, y = 0 }
  sync.spawn(function()
    for i = 1, n do shared.x = i end
    shared.y = 1
  end)
  for _ = 1, 3 do sync.spawn(function() shared.y = 2 end) end
end

--- Explores the program called name and prints its figures.
local function point(name, strategy, ...)
  local sync = require "luasync"
  local arguments = { ... }
  for i, word in ipairs(arguments) do arguments[i] = math.tointeger(word) or word == "true" end
  local function memory()
    for line in io.lines "/proc/self/status" do
      local kib = line:match "^VmHWM:%s*(%d+)"
      if kib then return tonumber(kib) / 1024 end
    end
  end
  local before, t = memory(), os.clock()
  local fn = program[name]
  local r = sync.explore(function() fn(table.unpack(arguments)) end, { strategy = strategy, seconds = 600 })
  t = os.clock() - t
  assert(r.complete, "not complete")
  print(("s=%.6g"):format(t))
  print(("us=%.6g"):format(t / r.runs * 1e6))
  print(("rate=%.6g"):format(r.runs / t / 1000))
  print(("mib=%.6g"):format(memory() - before))
  print(("executions=%.17g"):format(r.executions))
  print(("states=%d"):format(r.states or 0))
end

if arg[1] == "--point" then
  point(table.unpack(arg, 2))
  os.exit(0)
end

-- label, the words of the point, figure, unit, the most (or, of a rate, the least) it may be
local rows = {
  { "three threads of six operations", { "six", "dpor" }, "rate", "k/s", least = 100, floor = { "six", 20 } },
  { "46,656 executions of three times three increments", { "increments", "dpor" }, "us", "us", most = 10,
    floor = { "increments", 5 } },
  { "lastzero(10), 3,328 executions", { "lastzero", "dpor", 10 }, "us", "us" },
  { "lastzero(15), 147,456 executions", { "lastzero", "dpor", 15 }, "s", "s", most = 15, long = true },
  { "  memory", { "lastzero", "dpor", 15 }, "mib", "MiB", most = 16, long = true },
  { "four threads of six operations, 284,040 executions", { "four", "dpor" }, "s", "s", most = 4,
    long = true, floor = { "four", 1 } },
  { "bounded buffer, 3+3 threads, 4 equal items", { "buffer", "states", 4 }, "s", "s", most = 5 },
  { "bounded buffer, 3+3 threads, 3 items that differ", { "buffer", "states", 3, "true" }, "s", "s", most = 20,
    long = true },
  { "3 threads, 5 locked increments", { "rounds", "states", 5 }, "s", "s", most = 1 },
  { "an execution of 20 operations", { "long", "dpor", 20 }, "us", "us" },
  { "  of 200", { "long", "dpor", 200 }, "us", "us" },
  { "  of 2,000", { "long", "dpor", 2000 }, "us", "us" },
}

local here = arg[0]:match "^(.*/)" or "./"
local lib = dofile(here .. "lib.lua")
local options, problem = lib.options(arg,
  { quick = false, only = true, ["repeat"] = true, json = true, host = true, help = false })
if not options or options.help then
  print((problem and problem .. "\n" or "")
    .. "usage: explore.lua [--quick] [--only PATTERN] [--repeat N] [--json FILE] [--host PROGRAM]")
  os.exit(problem and 2 or 0)
end
local repeats = tonumber(options["repeat"]) or (options.quick and 1 or 5)
local host = options.host or lib.host()

-- The program of the floors, made anew; nil: there is no compiler.
local function make_floor()
  local made = os.tmpname()
  local words = { os.getenv "CC" or "cc", "-O2", "-std=c11", "-o", made, here .. "explore_floor.c" }
  if os.execute(lib.command(words) .. " 2>/dev/null") then return made end
  os.remove(made)
end

-- Time of an execution against that of the floor, measured now.
local function ratio_to(floor, row, figures)
  local least = assert(lib.figures({ floor, table.unpack(row.floor) }, 600))
  assert(least.executions == figures.executions, "the floor has other executions")
  return figures.us / least.us
end

local measured, floor = {}, make_floor()
for _, row in ipairs(rows) do
  local wanted = not options.only or row[1]:lower():find(options.only:lower())
  if wanted and not (options.quick and row.long) then
    local words = { host, here .. "explore.lua", "--point" }
    table.move(row[2], 1, #row[2], 4, words)
    local list, ratios, failed = {}, {}, nil
    for i = 1, repeats do
      local figures, message = lib.figures(words, 600)
      list[i] = figures and figures[row[3]]
      if figures and floor and row.floor then ratios[i] = ratio_to(floor, row, figures) end
      failed = failed or message
    end
    if failed then print(("%-52s %s"):format(row[1], failed))
    else
      local target, judged = "–", ""
      local middle, least, most = lib.spread(list)
      if row.most then target, judged = "≤ " .. row.most, middle <= row.most and "ok" or "MISSED" end
      if row.least then target, judged = "≥ " .. row.least, middle >= row.least and "ok" or "MISSED" end
      local times = ratios[1] and ("  %s × the floor"):format(lib.short((lib.spread(ratios)))) or ""
      print(("%-52s %9s %-3s (%s–%s)  %s %s%s"):format(row[1], lib.short(middle), row[4], lib.short(least),
        lib.short(most), target, judged, times))
      measured[row[1]] = list
      if ratios[1] then measured[row[1] .. ", × the floor"] = ratios end
    end
  end
end
if floor then os.remove(floor) end
if options.json then
  local file = assert(io.open(options.json, "w"))
  file:write(lib.json(measured), "\n")
  file:close()
end

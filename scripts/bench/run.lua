--- make bench: each figure of luasync beside its floor, Python 3 and Go.
--
--   lua5.4 scripts/bench/run.lua [--quick] [--only PATTERN] [--repeat N] [--json FILE] [--host PROGRAM]
--
-- Runs under luasync or stock Lua. Every figure comes from a process of its own; the measured side, the floor and the
-- peers take turns (A B C, A B C, …), so that noise meets all of them, and a ratio is the median of the ratios of
-- neighbours. rows.lua says what is run and what it must reach, floor.c what each floor is, cases.lua how the measured
-- side works.
--
-- What pays, and is in the sources: states copied from an image of one with open libraries (heap.c, state.c; a thread
-- costs a quarter of pthread + newstate + openlibs + close), blocks of a state by size in slabs (plain Lua is 5 to 30 %
-- faster than with malloc, but for pure calls like fib), latches instead of mutexes around the ends of a queue (30 ns
-- for put and get), looking a few times before standing in line while a processor is free (world_patience: contended
-- locks twice as fast, round trips without the kernel), arguments not looked at where there are none.
--
-- Cache lines decide about queues: what producers write, what consumers write and what both only read lie apart, and a
-- consumer that has caught up lets items gather for some microseconds, or lets others run where threads are more than
-- processors (queue.c: a fifth faster one to one, half as fast again four to four; not in conversations). The fence
-- between a message and whoever waits for it is on the side of who waits (fence.h: half as fast again four to four).
-- Free segments are kept up to half of all (a tenth of what large tables cost). The interpreter's code begins on a
-- cache line (Makefile). More futex lists where threads are many (world_real.c). The line editor is loaded by the first
-- prompt (a quarter of what a start costs).
--
-- What did not pay: spinning on a latch for longer than some 30 pauses; in simulated worlds, comparing blocks before
-- they are put back, or copying them by other means than memcpy. Not tried: methods of queues without the __index
-- function that serves q.maxsize and q.is_shutdown; it costs 13 ns a call, but a plain table cannot know whose field
-- is asked for.
local here = (arg[0]:match("^(.*/)") or "./")
local lib = dofile(here .. "lib.lua")

local LIMIT = 120 -- seconds for one process

local usage = [[
usage: run.lua [options]
  --quick         fewer repeats, smaller counts
  --only PATTERN  only rows whose label matches the Lua pattern (case does not matter)
  --repeat N      repeats (default 7, with --quick 3)
  --json FILE     also write every measured value to FILE
  --host PROGRAM  the luasync to measure]]

local function fail(message)
  io.stderr:write("bench: ", message, "\n")
  os.exit(2)
end

local options, problem = lib.options(arg,
  { quick = false, only = true, ["repeat"] = true, json = true, host = true, help = false })
if not options then fail(problem .. "\n" .. usage) end
if options.help then
  print(usage)
  os.exit(0)
end
local repeats = math.tointeger(tonumber(options["repeat"] or (options.quick and 3 or 7)))
if not repeats or repeats < 1 then fail("'--repeat' needs a positive whole number") end

local host = options.host or lib.host()
local stock = lib.installed("lua5.4") and "lua5.4" or "lua"

-- ---- programs

--- The folder for programs compiled on the fly: the build folder where there is one.
local function scratch()
  local build = here .. "../../build"
  local built = os.execute("test -d " .. lib.quote(build))
  local base = built and build .. "/bench" or (os.getenv("TMPDIR") or "/tmp") .. "/luasync-bench"
  assert(os.execute("mkdir -p " .. lib.quote(base)))
  return base
end

--- Compiles the floors against the Lua that the host uses too: the static library where there is one.
local function compile_floor(folder)
  local program, source = folder .. "/floor", here .. "floor.c"
  local build = [[
    for name in lua5.4 lua-5.4 lua54 lua; do pkg-config --exists "$name" && break; done
    archive=$(pkg-config --variable=libdir "$name")/lib$name.a
    test -f "$archive" && libs="$archive -lm -ldl" || libs=$(pkg-config --libs "$name")
    ${CC:-cc} -O2 -std=gnu11 $(pkg-config --cflags "$name") %s -o %s $libs -lpthread]]
  if not os.execute(build:format(lib.quote(source), lib.quote(program))) then fail("cannot compile " .. source) end
  return program
end

--- Compiles peers.go, or returns nil where there is no Go.
local function compile_go(folder)
  local probe = io.open(here .. "peers.go")
  if not probe then return nil end
  probe:close()
  if not lib.installed("go") then return nil end
  local program = folder .. "/peers-go"
  local ok = os.execute(("go build -o %s %s"):format(lib.quote(program), lib.quote(here .. "peers.go")))
  return ok and program or nil
end

local folder = scratch()
local floor = compile_floor(folder)
local go = compile_go(folder)
-- the program itself: what stands on the path may be a script that looks for it
local python = lib.installed("python3") and lib.first_line("python3 -c 'import sys; print(sys.executable)'") or nil

-- ---- what a group runs

--- A {full, quick} pair is one of the two, anything else itself.
local function chosen(item)
  if type(item) ~= "table" then return item end
  return options.quick and item[2] or item[1]
end

--- Words of a command: {full, quick} pairs chosen, `@file` put into this folder.
local function words(...)
  local list = { ... }
  for _, item in ipairs(table.remove(list)) do
    item = chosen(item)
    list[#list + 1] = type(item) == "string" and item:gsub("^@", here) or item
  end
  return list
end

--- The commands of a group by column.
local function commands(group)
  local list = {}
  if group.start then
    local function start(...) return words(floor, "exec", { group.starts, ... }) end
    return { ours = start(host, "-e", ""), floor = start(stock, "-e", ""), python = python and start(python, "-c", "") }
  elseif group.program then
    list.ours, list.floor = words(host, group.program), words(stock, group.program)
  else
    list.ours = words(host, here .. "cases.lua", group.ours)
    list.floor = group.floor and words(floor, group.floor)
  end
  if group.peer then
    list.python = python and words(python, here .. "peers.py", group.peer)
    if group.queues then list.queue = python and words(python, here .. "peers.py", "--queue", group.peer) end
    list.go = go and words(go, group.peer)
  end
  return list
end

local columns = { "ours", "floor", "python", "queue", "go" }

--- Runs the commands of a group in turn.
-- @return values by column: list of tables of figures; messages by column where a run failed
local function measure(group)
  local list, values, failed = commands(group), {}, {}
  for round = 1, repeats do
    for _, column in ipairs(columns) do
      if list[column] and not failed[column] then
        values[column] = values[column] or {}
        local figures, message = lib.figures(list[column], LIMIT)
        values[column][round] = figures
        if not figures then
          failed[column] = message
          values[column] = nil
        end
      end
    end
  end
  return values, failed
end

-- ---- what a row shows

local rates = { ["M/s"] = true, ["GB/s"] = true }

--- The values of one figure over all repeats, or nil.
local function series(runs, key)
  if not runs or not key or not runs[1][key] then return nil end
  local list = {}
  for i, figures in ipairs(runs) do list[i] = figures[key] end
  return list
end

--- Median of the ratios of neighbours: ours to the other's, turned over where `least` asks how many times as fast.
local function ratio(row, ours, other)
  local turn = row.least and not rates[row.unit]
  local list = {}
  for i, value in ipairs(ours) do list[i] = turn and other[i] / value or value / other[i] end
  return (lib.spread(list))
end

local names = { python = "SimpleQueue", queue = "Queue" }

--- The target in words and whether it is met (nil: there is none).
local function judge(row, ours, against)
  local middle = lib.spread(ours)
  local share = against and ratio(row, ours, against)
  local behind = row.than and " " .. names[row.than] or ""
  if row.max then return share, "≤ " .. row.max, middle <= row.max end
  if row.min then return share, "≥ " .. row.min, middle >= row.min end
  if row.most then return share, "≤ " .. row.most .. " ×" .. behind, share and share <= row.most end
  if row.least then return share, "≥ " .. row.least .. " ×" .. behind, share and share >= row.least end
  return share, "–", nil
end

local function with_spread(list)
  if not list then return "–" end
  local middle, least, most = lib.spread(list)
  return ("%s (%s–%s)"):format(lib.short(middle), lib.short(least), lib.short(most))
end

local function middle_of(list) return list and lib.short((lib.spread(list))) or "–" end

--- One row of the table and its record for --json.
-- @param title label of the group's first row
local function show(row, title, values, failed)
  local ours, against = series(values.ours, row.key), series(values.floor, row.floor)
  local label = chosen(row.label)
  local record = { label = label:gsub("^%s+", title .. ": "), unit = row.unit, luasync = ours, floor = against }
  for _, peer in ipairs { "python", "queue", "go" } do record[peer] = series(values[peer], row.key) end
  local share, target, met
  if ours then share, target, met = judge(row, ours, row.than and record[row.than] or against) end
  local verdict = not ours and (failed.ours and "FAILED" or "–") or met == nil and "" or met and "ok" or "MISS"
  record.ratio, record.target, record.verdict = share, target, verdict
  local cells = { label, row.unit, with_spread(ours), row.than and "–" or with_spread(against),
    share and lib.short(share) or "–", target or "–", verdict }
  for _, peer in ipairs { "python", "queue", "go" } do cells[#cells + 1] = middle_of(record[peer]) end
  return cells, record
end

-- ---- the whole

local function wanted(group)
  if not options.only then return true end
  for _, row in ipairs(group.rows) do
    if chosen(row.label):lower():find(options.only:lower()) then return true end
  end
  return false
end

local function load_average()
  local file = io.open("/proc/loadavg")
  local load = file and file:read("n")
  if file then file:close() end
  return load
end

local function heading()
  local load = load_average()
  print(table.concat({ lib.first_line(lib.quote(host) .. " --version") or "?", lib.first_line(stock .. " -v") or "?",
    python and lib.first_line("python3 --version") or "no python3",
    go and lib.first_line("go version") or "no go" }, "; "))
  local busy = load and load > 0.5 and " (NOT A QUIET MACHINE, figures of several threads suffer most)" or ""
  print(("medians of %d (least–greatest), run in turn; load %s before the start%s"):format(repeats, load or "?", busy))
  print("floor: see scripts/bench/floor.c; ratio: median of the ratios of neighbouring runs; ×: times the floor\n")
end

local watched = os.execute("test -t 2")

--- Says on a terminal what is being measured.
local function progress(text)
  if watched then io.stderr:write("\27[2K\r", text) end
end

local function main()
  heading()
  local cells = { { "work", "unit", "luasync", "floor", "ratio", "target", "", "Python", "(Queue)", "Go" } }
  local records, problems, misses = {}, {}, 0
  for _, group in ipairs(dofile(here .. "rows.lua")) do
    if wanted(group) then
      local title = chosen(group.rows[1].label)
      progress(title)
      local values, failed = measure(group)
      for _, row in ipairs(group.rows) do
        cells[#cells + 1], records[#records + 1] = show(row, title, values, failed)
        if records[#records].verdict == "MISS" then misses = misses + 1 end
      end
      for _, column in ipairs(columns) do
        local text = failed[column]
        if text then problems[#problems + 1] = ("%s, %s: %s"):format(title, column, text) end
      end
    end
  end
  progress("")
  lib.columns(cells, { [3] = true, [4] = true, [5] = true, [8] = true, [9] = true, [10] = true })
  print(("\n%d figures, %d missed, %d runs failed"):format(#records, misses, #problems))
  for _, text in ipairs(problems) do print("failed: " .. text) end
  if options.json then
    local file = assert(io.open(options.json, "w"))
    file:write(lib.json { repeats = repeats, rows = records }, "\n")
    file:close()
  end
  os.exit(#problems == 0 and 0 or 1)
end

main()

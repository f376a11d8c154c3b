--- Growth curves: what a message, a wake-up or a thread costs when there are many of everything else.
-- All should be flat.
--
--   build/luasync scripts/bench/growth.lua [--quick] [--only PATTERN] [--repeat N] [--svg FILE] [--host PROGRAM]
--
-- Each point is measured in a process of its own, all points of a curve in turn, so that noise meets all of them; shown
-- is the median. Run with `--point NAME N` this file is that process (under luasync); else it draws, under luasync or
-- stock Lua. `--svg` writes the same curves as a picture.

-- ---- points: print `name=value`, all in ns

local function report(name, seconds, count) print(("%s=%.6g"):format(name, seconds / count * 1e9)) end

local point = {}

--- put + get by one thread.
local function time_pair(sync, q)
  local count = 400000
  local t = sync.monotonic()
  for i = 1, count do
    q:put(i)
    q:get()
  end
  report("pair", sync.monotonic() - t, count)
end

--- n messages queued: filling, put + get at that depth, emptying.
function point.queued(sync, n)
  local q, now = sync.Queue(), sync.monotonic
  local t = now()
  for i = 1, n do q:put(i) end
  report("put", now() - t, n)
  time_pair(sync, q)
  t = now()
  for _ = 1, n do q:get() end
  report("get", now() - t, n)
end

local function wait_at(ready, event)
  ready:release()
  event:wait()
end

--- n threads asleep on an Event.
-- @return the event, the list of threads
local function sleepers(sync, n)
  local ready, event, list = sync.Semaphore(0), sync.Event(), {}
  for i = 1, n do list[i] = sync.spawn(wait_at, ready, event) end
  for _ = 1, n do ready:acquire() end
  sync.sleep(0.05 + n * 5e-6) -- let the last ones reach the event
  return event, list
end

local function put_ints(q, n)
  for i = 1, n do q:put(i) end
end

--- n threads wait elsewhere: put + get by one thread, and a message from thread to thread.
function point.waiting(sync, n)
  local event, list = sleepers(sync, n)
  local q, count = sync.Queue(), 300000
  time_pair(sync, q)
  local t = sync.monotonic()
  local producer = sync.spawn(put_ints, q, count)
  for _ = 1, count do q:get() end
  report("message", sync.monotonic() - t, count)
  producer:join()
  event:set()
  for i = 1, n do list[i]:join() end
end

--- n objects exist: making one, put + get beside them.
function point.objects(sync, n)
  local list = {}
  local t = sync.monotonic()
  for i = 1, n do list[i] = sync.Event() end
  report("make", sync.monotonic() - t, n)
  time_pair(sync, sync.Queue())
  assert(#list == n)
end

--- n waiters woken at once, until all have ended, each.
function point.wake(sync, n)
  local event, list = sleepers(sync, n)
  local t = sync.monotonic()
  event:set()
  for i = 1, n do list[i]:join() end
  report("wake", sync.monotonic() - t, n)
end

local function nothing() end

--- n threads alive: one more started and joined.
function point.alive(sync, n)
  local event, list = sleepers(sync, n)
  local count = 1000
  local t = sync.monotonic()
  for _ = 1, count do sync.spawn(nothing):join() end
  report("spawn", sync.monotonic() - t, count)
  event:set()
  for i = 1, n do list[i]:join() end
end

if arg[1] == "--point" then
  point[arg[2]](require "luasync", math.tointeger(tonumber(arg[3])))
  os.exit(0)
end

-- ---- curves

local here = arg[0]:match("^(.*/)") or "./"
local lib = dofile(here .. "lib.lua")

-- at: the points; series: name of a figure, what it is, and the first point that is more than a start-up cost
local curves = {
  { point = "queued", title = "messages queued", at = { 1000, 10000, 100000, 1000000, 10000000 },
    series = { { "put", "put while filling up to n" }, { "pair", "put + get with n queued" },
      { "get", "get while emptying" } } },
  { point = "waiting", title = "threads waiting elsewhere", at = { 0, 1, 10, 100, 1000, 10000 },
    series = { { "pair", "put + get by one thread" }, { "message", "a message between two threads" } } },
  { point = "objects", title = "objects existing", at = { 1, 1000, 10000, 100000, 1000000 },
    series = { { "pair", "put + get beside them" }, { "make", "making one, after the first", from = 2 } } },
  { point = "wake", title = "waiters woken at once", at = { 10, 100, 1000, 10000 },
    series = { { "wake", "each waiter, from set() until joined" } } },
  { point = "alive", title = "threads alive", at = { 0, 10, 100, 1000, 10000 },
    series = { { "spawn", "starting and joining one more" } } },
}

local function fail(message)
  io.stderr:write("growth: ", message, "\n")
  os.exit(2)
end

local options, problem = lib.options(arg, { quick = false, only = true, ["repeat"] = true, svg = true, host = true })
if not options then fail(problem) end
local repeats = math.tointeger(tonumber(options["repeat"] or (options.quick and 1 or 5)))
if not repeats or repeats < 1 then fail("'--repeat' needs a positive whole number") end
local host = options.host or lib.host()

--- Runs all points of a curve, round after round. Fills curve.runs[i] with the figures at curve.at[i].
-- @return true, or nil and what went wrong
local function measure(curve)
  curve.runs = {}
  for _ = 1, repeats do
    for i, n in ipairs(curve.at) do
      local figures, message = lib.figures({ host, arg[0], "--point", curve.point, n }, 300)
      if not figures then return nil, ("failed at %d: %s"):format(n, message) end
      curve.runs[i] = curve.runs[i] or {}
      table.insert(curve.runs[i], figures)
    end
  end
  return true
end

--- Medians of one series: list of {n, ns, least, greatest}.
local function medians(curve, name, from)
  local list = {}
  for i = from or 1, #curve.at do
    local values = {}
    for k, figures in ipairs(curve.runs[i]) do values[k] = figures[name] end
    list[#list + 1] = { curve.at[i], lib.spread(values) }
  end
  return list
end

local function time_text(ns)
  if ns >= 1e6 then return lib.short(ns / 1e6) .. " ms" end
  if ns >= 1e4 then return lib.short(ns / 1e3) .. " us" end
  return lib.short(ns) .. " ns"
end

--- One series as bars, with the last point over the first.
local function draw(points, title)
  local most = 0
  for _, p in ipairs(points) do most = math.max(most, p[2]) end
  print(("  %s: last is %.2f x the first"):format(title, points[#points][2] / points[1][2]))
  for _, p in ipairs(points) do
    local bar = ("█"):rep(math.max(1, math.floor(p[2] / most * 40 + 0.5)))
    local range = ("%s–%s"):format(time_text(p[3]), time_text(p[4]))
    print(("    %10d  %s  %s  %s"):format(p[1], lib.pad(time_text(p[2]), 8, true), lib.pad(bar, 40), range))
  end
end

-- ---- the same as a picture

local PANEL, WIDTH, LEFT, HEIGHT = 200, 640, 70, 130
local inks = { "#1f6fb4", "#c8581b", "#3b8f3b" }

local function escape(text) return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })) end

--- One curve as a panel: points evenly spaced from left to right, cost from zero upwards.
local function panel(curve, top)
  local out, most = {}, 0
  local function add(format, ...) out[#out + 1] = format:format(...) end
  for _, s in ipairs(curve.series) do
    for _, p in ipairs(medians(curve, s[1], s.from)) do most = math.max(most, p[2]) end
  end
  local step = (WIDTH - LEFT - 20) / (#curve.at - 1)
  local function x(i) return LEFT + (i - 1) * step end
  local function y(ns) return top + 30 + HEIGHT * (1 - ns / most) end
  add('<text x="%d" y="%d" font-weight="bold">cost against %s</text>', LEFT, top + 14, escape(curve.title))
  add('<path d="M%d %.1fV%.1fH%d" fill="none" stroke="#888"/>', LEFT, y(most), y(0), WIDTH - 10)
  add('<text x="%d" y="%.1f" text-anchor="end">%s</text>', LEFT - 6, y(most) + 4, time_text(most))
  for i, n in ipairs(curve.at) do add('<text x="%.1f" y="%.1f" text-anchor="middle">%d</text>', x(i), y(0) + 15, n) end
  for k, s in ipairs(curve.series) do
    local line = {}
    for i, p in ipairs(medians(curve, s[1], s.from)) do
      line[i] = ("%.1f,%.1f"):format(x(i + (s.from or 1) - 1), y(p[2]))
    end
    add('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>', table.concat(line, " "), inks[k])
    add('<text x="%d" y="%d" fill="%s" text-anchor="end">%s</text>', WIDTH - 10, top + 14 * k, inks[k], escape(s[2]))
  end
  return table.concat(out, "\n")
end

local function write_svg(path, drawn)
  local file = assert(io.open(path, "w"))
  local head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">\n'
  file:write(head:format(WIDTH, PANEL * #drawn), '<rect width="100%" height="100%" fill="white"/>\n')
  for i, curve in ipairs(drawn) do file:write(panel(curve, (i - 1) * PANEL + 5), "\n") end
  file:write("</svg>\n")
  file:close()
end

local drawn, failures = {}, 0
for _, curve in ipairs(curves) do
  if not options.only or (curve.point .. " " .. curve.title):find(options.only) then
    if options.quick then curve.at[#curve.at] = nil end
    local ok, message = measure(curve)
    print("cost against " .. curve.title)
    if ok then
      for _, s in ipairs(curve.series) do draw(medians(curve, s[1], s.from), s[2]) end
      drawn[#drawn + 1] = curve
    else
      print("  " .. message)
      failures = failures + 1
    end
    print()
  end
end
if options.svg and #drawn > 0 then write_svg(options.svg, drawn) end
os.exit(failures == 0 and 0 or 1)

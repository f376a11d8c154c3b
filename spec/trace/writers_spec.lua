-- The forms of a timeline that are text: plain characters, Mermaid, SVG, Chrome's JSON, the table of waits.
local builder = require "spec.trace.builder"
local json = require "luasync.trace.json"
local trace = require "luasync.trace"

local function recorded(name) return assert(trace.read("spec/trace/recordings/" .. name .. ".json")) end
local function format(made, ending) return assert(trace.format(made, ending)) end

local NAMES = { "traffic_signal", "semaphore_pool", "philosophers", "pipeline", "lost_update" }
local function all()
  local list = { builder.every_object():doc() }
  for _, name in ipairs(NAMES) do list[#list + 1] = recorded(name) end
  return list
end

-- Names and texts that would break out of any form that forgot to escape them.
local NASTY = "</script><b>\"'&;#%%:\n\t\1\127\xFF\u{FFFD}"
local function nasty()
  return builder.new {
    threads = { "MainThread", NASTY }, objects = { { "Lock", NASTY .. "lock" }, { "Queue", "q" .. NASTY } },
    file = NASTY .. ".lua", command = NASTY, text = NASTY .. "\n" .. NASTY,
    verdict = { kind = "error", text = NASTY, sentence = NASTY },
  }:at(1):op(0, "start", NASTY):op(0, "acquire", NASTY .. "lock", 1, 1):op(0, "put", "q" .. NASTY, 1, 1, NASTY)
    :wait(0, "join", NASTY):turn(1):wait(1, "acquire", NASTY .. "lock"):turn(0):out(0, NASTY):err(0, NASTY)
end

describe("the timeline in plain characters", function()
  it("has a lane for each thread and object, and the steps", function()
    assert.equal([[
philosophers.lua: deadlock (seed 16), 4 threads, 10 steps
All 4 threads wait, and nothing can wake them.
P1 waits for Lock 'B' held by P2 (philosophers.lua:7) → P2 waits for Lock 'C' held by P3 (philosophers.lua:7) → ]]
.. [[P3 waits for Lock 'A' held by P1 (philosophers.lua:7)
repeat: luasync --replay "0x1 1x0 0x1 1x1 2x0 0 3 2 1 ." scripts/examples/philosophers.lua

step        0         10
MainThread  ██░██╱╱╱╱╱╱╱╱╱
P1           ░█░░░░░░█╱╱╱╱
P2            ░░░░░██╱╱╱╱╱
P3              ░██╱╱╱╱╱╱╱
Lock 'A'       P1─────────
Lock 'B'            P2────
Lock 'C'          P3──────
█ runs  ░ ready  ╱ waits  · sleeps

 1  MainThread starts P1  philosophers.lua:19
 2  MainThread starts P2  philosophers.lua:19
 3  P1 takes Lock 'A'  philosophers.lua:7
]], format(recorded "philosophers", ".txt"):match "^(.-) 4  MainThread")
  end)

  it("shows sleeps, flags and times", function()
    local text = format(recorded "traffic_signal", ".txt")
    assert.truthy(text:find("Thread-1 (signal_state)   ░░█···███······················███·····███", 1, true))
    assert.truthy(text:find("\n 9  5.000 s  Thread-1 sets Event-1 → wakes Thread-2  11_event_traffic_signal.lua:8\n",
      1, true))
  end)

  it("marks reads and writes of tables, and the one that was lost", function()
    assert.truthy(format(recorded "lost_update", ".txt"):find("\nShared-1           rw rwrr!wrw  rw  r\n", 1, true))
    local text = format(recorded "lost_update", ".svg")
    assert.equal(1, select(2, text:gsub('class="r" text%-decoration="line%-through">3<', "")))
  end)

  it("fits into a width, and shows only the last steps where that is asked", function()
    local text = require "luasync.trace.text"
    local doc = recorded("pipeline").doc
    for line in text.lanes(doc, 1, { width = 60 }):gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 60, line) end
    local short = text.write(doc, { last = 5 })
    assert.truthy(short:find("\n148  MainThread prints", 1, true))
    assert.is_nil(short:find("\n147  ", 1, true))
  end)

  it("says that nothing was recorded", function()
    local doc = builder.new { threads = { "MainThread" } }:doc()
    assert.truthy(format(doc, ".txt"):find("nothing was recorded", 1, true))
    assert.truthy(format(doc, ".mmd"):find("nothing was recorded", 1, true))
    assert.truthy(format(doc, ".svg"):find("nothing was recorded", 1, true))
    assert.truthy(json.decode(format(doc, ".perfetto.json")))
  end)

  it("keeps a line a line whatever names and texts hold", function()
    local text = format(nasty():doc(), ".txt")
    assert.is_nil(text:find "[\1\127\t]")
    assert.truthy(text:find("\n5  thread '</script><b>", 1, true))
  end)
end)

describe("the Chrome trace", function()
  -- Slices of a track, in order of time.
  local function tracks(events)
    local by_track = {}
    for _, e in ipairs(events) do
      if e.ph == "X" then
        local key = e.pid .. "/" .. e.tid
        by_track[key] = by_track[key] or {}
        table.insert(by_track[key], e)
      end
    end
    for _, list in pairs(by_track) do table.sort(list, function(a, b) return a.ts < b.ts end) end
    return by_track
  end

  it("has no overlapping slices, and both ends of every flow inside one", function()
    for _, made in ipairs(all()) do
      local events = assert(json.decode(format(made, ".perfetto.json"))).traceEvents
      local by_track, flows = tracks(events), {}
      for key, list in pairs(by_track) do
        for i = 2, #list do
          assert.is_true(list[i].ts >= list[i - 1].ts + list[i - 1].dur - 1e-6, key .. " at " .. list[i].ts)
        end
      end
      local function inside(e)
        for _, slice in ipairs(by_track[e.pid .. "/" .. e.tid] or {}) do
          if slice.ts <= e.ts and e.ts <= slice.ts + slice.dur then return true end
        end
      end
      for _, e in ipairs(events) do
        if e.ph == "s" or e.ph == "f" then
          assert.is_true(inside(e), json.encode(e))
          flows[e.id] = (flows[e.id] or "") .. e.ph
        end
      end
      for id, ends in pairs(flows) do assert.equal("sf", ends, "flow " .. id) end
    end
  end)

  it("begins a wake of a thread that has ended in its last slice", function()
    local b = builder.new { threads = { "MainThread", "T", "U" }, objects = { { "Lock", "A" } }, world = "real" }
    b:later(500):op(0, "start", "T"):op(0, "start", "U"):later(500):turn(1):turn(2):wait(0, "join", "T")
    b:later(500):finish(1):later(900000):out(2, "x"):later(100):wake(1, "join", "T", 0)
    local events = json.decode(format(b:doc(), ".perfetto.json")).traceEvents
    local last, flow
    for _, e in ipairs(events) do
      if e.ph == "X" and e.pid == 1 and e.tid == 2 then last = e end
      if e.ph == "s" and e.cat == "wake" then flow = e end
    end
    assert.equal(2, flow.tid)
    assert.is_true(last.ts <= flow.ts and flow.ts <= last.ts + last.dur, json.encode(flow) .. json.encode(last))
  end)

  it("says where the clock was helped", function()
    local function clock(name) return json.decode(format(recorded(name), ".perfetto.json")).metadata.clock end
    assert.equal("each step at which the clock stood still is 1 µs further", clock "philosophers")
    local b = builder.new { threads = { "MainThread" }, world = "real" }:later(500):out(0, "a"):later(500):out(0, "b")
    assert.equal("true", json.decode(format(b:doc(), ".perfetto.json")).metadata.clock)
  end)
end)

describe("the Mermaid diagram", function()
  it("creates threads where they are started, and closes a deadlock's circle", function()
    assert.equal([[
sequenceDiagram
  participant t0 as MainThread
  create participant t1 as P1
  t0->>t1: start
  create participant t2 as P2
  t0->>t2: start
  Note over t1: takes Lock 'A'
  create participant t3 as P3
  t0->>t3: start
  Note over t0: waits for the end of P1
  Note over t3: takes Lock 'C'<br/>waits for Lock 'A', held by P1
  Note over t2: takes Lock 'B'<br/>waits for Lock 'C', held by P3
  Note over t1: waits for Lock 'B', held by P2
  rect rgba(220, 40, 40, 0.15)
  t1--xt2: waits for Lock 'B'
  t2--xt3: waits for Lock 'C'
  t3--xt1: waits for Lock 'A'
  end
]], format(recorded "philosophers", ".mmd"))
  end)

  it("is small enough for a README, and says what it leaves out", function()
    local text = format(recorded "pipeline", ".mmd")
    local _, lines = text:gsub("\n", "")
    assert.is_true(lines <= 90)
    assert.truthy(text:find("Note over t0: … and %d+ more steps\n$"))
  end)

  it("escapes what means something in a diagram", function()
    for line in format(nasty():doc(), ".mmd"):gmatch "[^\n]+" do
      assert.truthy(line:find "^sequenceDiagram$" or line:find "^  %a", line)
      local text = line:match ": (.*)$" or line:match " as (.*)$" or ""
      assert.is_nil(text:gsub("<br/>", ""):find "[<>\1\127\t]")
    end
  end)
end)

describe("the SVG", function()
  -- Every element that opens closes, in order; attributes are quoted, text is escaped.
  local function check_markup(text)
    local open = {}
    for close, name, rest in text:gmatch "<(/?)([%a]+)(.-)>" do
      if close == "/" then assert.equal(name, table.remove(open))
      elseif rest:sub(-1) ~= "/" then open[#open + 1] = name end
    end
    assert.same({}, open)
    assert.is_nil(text:find "[\1\127\t]")
    assert.is_nil(text:gsub("&%a+;", ""):find("&", 1, true))
  end

  it("is well formed for every recording", function()
    local list = all()
    list[#list + 1] = nasty():doc()
    for _, made in ipairs(list) do check_markup(format(made, ".svg")) end
  end)

  it("has bars, brackets, the circle and the owners", function()
    local text = format(recorded "philosophers", ".svg")
    local function count(pattern) return select(2, text:gsub(pattern, "")) end
    assert.equal(3, count 'class="stuck"')
    assert.equal(3, count 'class="circle"')
    assert.equal(3, count 'class="hold"')
    assert.equal(3, count 'class="start"')
    for _, word in ipairs { ">acquire A<", ">start P1<", ">Lock 'B'<", ">philosophers.lua · deadlock<" } do
      assert.truthy(text:find(word, 1, true), word)
    end
  end)

  it("stays small for a long run", function()
    local b = builder.new { threads = { "MainThread" }, objects = { { "Lock", "A" } }, world = "real" }
    for _ = 1, 20000 do
      b:later(1000):op(0, "acquire", "A", 1, 1):later(500):op(0, "release", "A", 0, 0):later(100)
        :wait(0, "sleep", nil, b.now + 900):later(900):go(0, "sleep", nil, 2)
    end
    assert.is_true(#format(b:doc(), ".svg") < 200000)
  end)
end)

describe("the table of waits", function()
  it("says who waited how long for whom, what threads did, and the critical path", function()
    local b = builder.new { threads = { "MainThread", "P1" }, objects = { { "Lock", "A" } }, world = "virtual" }
    b:at(1):op(0, "start", "P1"):at(2):op(0, "acquire", "A", 1, 1):at(3):wait(0, "sleep", nil, 3000000000)
    b:turn(1):at(7):wait(1, "acquire", "A"):clock(3000000000):turn(0):go(0, "sleep", nil, 2)
    b:at(4):op(0, "release", "A", 0, 0):wake(0, "acquire", "A", 1):at(5):wait(0, "join", "P1")
    b:turn(1):go(1, "acquire", "A"):at(7):op(1, "acquire", "A", 1, 1):at(8):wait(1, "sleep", nil, 4500000000)
    b:clock(1500000000):turn(1):go(1, "sleep", nil, 2):op(1, "release", "A", 1, 0):finish(1):wake(1, "join", "P1", 0)
    b:turn(0):go(0, "join", "P1"):op(0, "join", "P1", 1)
    assert.equal([[
waited for     thread       time  times  held by
Lock 'A'       P1            3 s      1  MainThread (made_up.lua:2)
the end of P1  MainThread  1.5 s      1

thread      running  ready  waiting  sleeping
MainThread      0 s    0 s    1.5 s       3 s
P1              0 s    0 s      3 s     1.5 s

critical path: MainThread sleeps 3 s → P1 sleeps 1.5 s
]], trace.waits(b:doc()))
  end)

  it("counts a wait once, also where something is handed over", function()
    local text = trace.waits(recorded "semaphore_pool")
    local row = "\nSemaphore%-1            thread '2'  100 ms      1  thread '0' %(.-:45%), thread '1' %(.-:45%)\n"
    assert.matches(row, text)
    assert.truthy(text:find("critical path: thread '1' sleeps 100 ms → thread '3' sleeps 100 ms\n", 1, true))
  end)

  it("shows the longest waits where there are many", function()
    local text = trace.waits(builder.busy(5000, 24):doc())
    local rows = select(2, text:match "^(.-)\n\n":gsub("\n", ""))
    assert.equal(41, rows)
    assert.truthy(text:find("\n… and %d+ shorter ones\n"))
  end)

  it("says that nobody waited", function()
    local b = builder.new { threads = { "MainThread" }, world = "real" }:later(2000000000):out(0, "x")
    assert.equal([[
nobody waited

thread      running  ready  waiting  sleeping
MainThread      2 s    0 s      0 s       0 s

critical path: MainThread 2 s
]], trace.waits(b:doc()))
  end)
end)

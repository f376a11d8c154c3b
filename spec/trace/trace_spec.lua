-- luasync.trace: reading, states at a step, orders, writing by ending.
local builder = require "spec.trace.builder"
local trace = require "luasync.trace"

local function recorded(name) return assert(trace.read("spec/trace/recordings/" .. name .. ".json")) end

describe("luasync.trace", function()
  it("iterates over events", function()
    local lines = {}
    for event in recorded "philosophers":events() do
      local words = "%s %s %s:%d"
      if event.kind == "op" then lines[#lines + 1] = words:format(event.thread, event.op, event.object, event.line) end
    end
    assert.same({
      "MainThread start P1:19", "MainThread start P2:19", "P1 acquire A:7", "MainThread start P3:19", "P3 acquire C:7",
      "P2 acquire B:7",
    }, lines)
  end)

  it("knows states at a step", function()
    local state, file = recorded "philosophers":state(9), "philosophers.lua"
    assert.same({
      { name = "MainThread", state = "waiting", holds = {}, file = file, line = 20, waits_for = "Thread 'P1'" },
      { name = "P1", state = "ready", holds = { "Lock 'A'" }, file = file, line = 8 },
      { name = "P2", state = "waiting", holds = { "Lock 'B'" }, file = file, line = 8, waits_for = "Lock 'C'" },
      { name = "P3", state = "waiting", holds = { "Lock 'C'" }, file = file, line = 8, waits_for = "Lock 'A'" },
    }, state.threads)
    assert.same({ { name = "Lock 'A'", text = "held by P1" }, { name = "Lock 'B'", text = "held by P2" },
      { name = "Lock 'C'", text = "held by P3" } }, state.objects)
    assert.equal("not started", recorded "philosophers":state(0).threads[2].state)
    assert.has_error(function() recorded "philosophers":state(11) end, "step must be an integer from 0 to 10")
  end)

  it("knows the items of queues and the keys of tables", function()
    local pipeline = recorded "pipeline"
    assert.equal("2 of 2 items 'the quick brown fox ju…' 'a lock is a door and a…'", (function()
      for _, object in ipairs(pipeline:state(10).objects) do
        if object.name == "Queue-1" then return object.text end
      end
    end)())
    assert.equal("count = 3", recorded "lost_update":state(11).objects[1].text)
  end)

  it("names the call that is waited in where no object is waited for", function()
    local b = builder.new { threads = { "MainThread" }, objects = { { "Atomic", "N" }, { "PriorityQueue", "q" } } }
    b:op(0, "put", "q", 1, 1, "5"):wait(0, "select")
    local state = assert(trace.parse(b:doc())):state(2)
    assert.equal("select", state.threads[1].waits_for)
    assert.same({ { name = "Atomic 'N'", text = "?" }, { name = "PriorityQueue 'q'", text = "1 item 5" } },
      state.objects)
  end)

  it("says a step in a sentence with its consequences", function()
    assert.equal("thread '1' gives a unit back to Semaphore-1 → hands a unit to thread '3', wakes thread '3'",
      recorded "semaphore_pool":sentence(41))
    assert.equal("P1 waits for Lock 'B', held by P2", recorded "philosophers":sentence(10))
    assert.equal("MainThread starts P1", recorded "philosophers":sentence(1))
  end)

  it("tells whether events come in an order", function()
    local pipeline = recorded "pipeline"
    assert.is_true(pipeline:order { "put 'the'", "get 'the'", "put 'quick'" })
    assert.is_true(pipeline:order { "Thread-1 put the", "Thread-5 get", "MainThread print letters:" })
    local _, message = pipeline:order { "get 'quick'", "shutdown Queue-9" }
    assert.truthy(message:find([["shutdown Queue-9" does not come after "get 'quick'" (step ]], 1, true))
    assert.same({ nil, '"acquire Z" does not come' }, { recorded "philosophers":order { "acquire Z" } })
    assert.is_true(recorded "philosophers":order { "P1 acquire A", "wait philosophers.lua:8" })
  end)

  it("writes every form, by the ending", function()
    local made = recorded "semaphore_pool"
    for ending, start in pairs {
      [".json"] = '{"format":"luasync timeline"', [".perfetto.json"] = '{"displayTimeUnit"',
      [".html"] = "<!doctype html>",
      [".mmd"] = "sequenceDiagram\n", [".svg"] = "<svg xmlns=", [".txt"] = "32_semaphore_active_pool.lua: ended well",
    } do
      local file = os.tmpname()
      assert.is_true(trace.write(made, file .. ending))
      local handle <close> = assert(io.open(file .. ending, "rb"))
      local text = handle:read "a"
      os.remove(file)
      os.remove(file .. ending)
      assert.equal(start, text:sub(1, #start))
    end
  end)

  it("reads a page back", function()
    local file = os.tmpname() .. ".html"
    assert(trace.write(recorded "philosophers", file))
    local again = assert(trace.read(file))
    os.remove(file)
    os.remove((file:gsub("%.html$", "")))
    assert.equal(trace.format(recorded "philosophers", ".json"), trace.format(again, ".json"))
  end)

  it("says what is wrong with a file", function()
    local made = recorded "philosophers"
    assert.same({ nil, "unknown ending of 'x.gif': use .html, .json, .perfetto.json, .mmd, .svg or .txt" },
      { trace.write(made, "x.gif") })
    assert.same({ nil, "unknown ending of 'x': use .html, .json, .perfetto.json, .mmd, .svg or .txt" },
      { trace.can_write "x" })
    assert.same({ nil, "cannot write /nowhere/x.txt: No such file or directory" },
      { trace.write(made, "/nowhere/x.txt") })
    assert.same({ nil, "cannot read /nowhere/x.json: No such file or directory" }, { trace.read "/nowhere/x.json" })
    local link = os.tmpname() .. ".txt"
    assert(os.execute("ln -s /dev/full " .. link))
    assert.same({ nil, ("cannot write %s: No space left on device"):format(link) }, { trace.write(made, link) })
    os.remove(link)
  end)

  it("takes JSON text as well, and says where that is wrong", function()
    local text = trace.format(recorded "lost_update", ".json")
    assert.equal(trace.format(recorded "lost_update", ".txt"), trace.format(text, ".txt"))
    assert.same({ nil, "the recording is cut off (after 100 bytes)" }, { trace.format(text:sub(1, 100), ".txt") })
  end)
end)

describe("the checker of recordings", function()
  it("finds nothing in true ones", function()
    for _, name in ipairs { "traffic_signal", "semaphore_pool", "pipeline", "lost_update" } do
      assert.same({}, trace.check(recorded(name)))
    end
    for run = 1, 2 do assert.same({}, trace.check(recorded "philosophers", run)) end
    assert.same({}, trace.check(builder.every_object():doc()))
  end)

  local function two()
    return builder.new { threads = { "MainThread", "P1" }, objects = { { "Lock", "A" }, { "Queue", "q" } } }
  end
  for symptom, case in pairs {
    ["two owners at once"] = { "event 3: P1 takes Lock 'A', which MainThread has", function()
      return two():op(0, "start", "P1"):op(0, "acquire", "A", 1, 1):turn(1):op(1, "acquire", "A", 1, 1)
    end, "event 2: P1 gets the turn while MainThread runs" },
    ["a get without its put"] = { "event 0: item 1 is taken out of Queue 'q' before it was put", function()
      return two():op(0, "get", "q", 1, 0)
    end },
    ["an item taken twice"] = { "event 2: item 1 is taken out of Queue 'q' twice", function()
      return two():op(0, "put", "q", 1, 1):op(0, "get", "q", 1, 0):op(0, "get", "q", 1, -1)
    end },
    ["a length that jumps"] = { "event 1: Queue 'q': put leaves 3, but 1 was there", function()
      return two():op(0, "put", "q", 1, 1):op(0, "put", "q", 2, 3)
    end },
    ["a wake of who does not wait"] = { "event 1: P1 is woken but ready", function()
      return two():op(0, "start", "P1"):wake(0, "acquire", "A", 1)
    end },
    ["a thread that acts while it waits"] = { "event 1: MainThread acts but is waiting", function()
      return two():wait(0, "acquire", "A"):out(0, "x")
    end },
    ["a release by who has it not"] = { "event 1: Lock 'A' is released of P1, who has it not", function()
      return two():op(0, "acquire", "A", 1, 1):op(0, "release", "A", 1, 0)
    end },
    ["a thread that acts before its start"] = { "event 0: P1 acts but not started", function()
      return two():out(1, "x")
    end },
  } do
    it("finds " .. symptom, function()
      local complaints = table.concat(trace.check(case[2]():doc()), "\n")
      assert.truthy(complaints:find(case[1], 1, true), complaints)
      if case[3] then assert.truthy(complaints:find(case[3], 1, true), complaints) end
    end)
  end
end)

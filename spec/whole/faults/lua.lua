--- Cases for faults.lua: dumps and recordings of this world, the modules written in Lua.
-- @param case function(name, make, call, check, ...), as there
-- @param nothing function that makes nothing
-- @param raised function(fn, ...): what fn(...) raises, unless memory is short
return function(case, nothing, _, raised)
  local sync = require "luasync"

  local function parked()
    local e = sync.Event { name = "E" }
    local t = sync.Thread { name = "T", target = e.wait, args = { e } }:start()
    sync.settle()
    return { e = e, t = t }
  end
  local function ends(it)
    it.e:set()
    assert(it.t:result() == true)
  end
  case("dump", parked, function() return sync.dump() end, function(it, text)
    assert(text:find "Thread T: waiting in wait of Event 'E'")
    ends(it)
  end)
  case("threads", parked, function() return sync.threads() end, function(it, list)
    local found
    for _, record in ipairs(list) do found = found or record.name == "T" and record end
    assert(found.state == "blocked" and found.object_name == "E")
    ends(it)
  end)

  -- Recordings. A recorder remembers each object that it has met.
  local door = sync.Lock { name = "door" }
  case("trace.start", nothing, function() return sync.trace.start { events = 1000 } end, function()
    door:with(nothing)
    assert(sync.trace.stop() == true)
  end)
  local function recorded()
    local file = os.tmpname()
    sync.trace.start { events = 1000 }
    door:with(nothing)
    return file
  end
  case("trace.stop", recorded, function() sync.trace.stop() end, function(file)
    assert(sync.trace.stop() == false)
    os.remove(file)
  end)
  case("trace.save", recorded, function(file) return assert(sync.trace.save(file .. ".json")) end,
    function(file, done)
      assert(done == true)
      local recording = assert(require "luasync.trace".read(file .. ".json"))
      assert(recording:steps() > 0)
      sync.trace.stop()
      os.remove(file .. ".json")
      os.remove(file)
    end, "not enough memory for the recording$")
  local trace = require "luasync.trace"
  local function recording()
    local file = recorded()
    assert(sync.trace.save(file .. ".json"))
    sync.trace.stop()
    local it = assert(trace.read(file .. ".json"))
    os.remove(file .. ".json")
    os.remove(file)
    return it
  end
  case("Recording", recording, function(r)
    local events = 0
    for _ in r:events() do events = events + 1 end
    return events, r:steps(), r:sentence(1), r:state(1), trace.check(r)
  end, function(_, events, steps, sentence, state, complaints)
    assert(events > 0 and steps > 0 and sentence and state and #complaints == 0)
  end)
  case("trace.format", recording, function(r) return assert(trace.format(r, ".txt")) end,
    function(_, text) assert(text:find "door") end)
  case("trace.waits", recording, function(r) return trace.waits(r) .. trace.lock_order(r) end,
    function(_, text) assert(type(text) == "string") end)

  -- Logs, tests.
  local logging = require "luasync.logging"
  case("logging", os.tmpname, function(file)
    logging.basicConfig { filename = file, level = "INFO", format = "%(threadName)s %(message)s", force = true }
    logging.info("hello %s", "you")
    logging.debug "not this"
  end, function(file)
    local lines = {}
    for line in io.lines(file) do lines[#lines + 1] = line end
    assert(#lines >= 1 and lines[#lines] == "MainThread hello you")
    os.remove(file)
  end)
  case("logging, an argument too many", nothing, function() return raised(logging.critical, "no", 1) end,
    function(_, why) assert(type(why) == "string") end)
  local testing = require "luasync.testing"
  case("testing.in_thread", nothing, function() return testing.in_thread(function(x) return { x } end, 1) end,
    function(_, t) assert(t[1] == 1) end, "can't start new thread")
  local claim = require "luasync.testing.inside".assert
  case("assert.eventually", nothing, function() return claim.eventually(function() return true end, 10) end)
  case("assert.never", nothing, function() return claim.never(function() return false end, 0.0001) end)
  case("assert.completes_within", nothing, function() return claim.completes_within(10, nothing) end, nil,
    "can't start new thread")
  local function alone()
    sync.settle()
    for _, thread in ipairs(sync.enumerate()) do assert(thread.name ~= "asserted") end
    sync.set_excepthook(nil)
  end
  case("assert.blocks", function()
    sync.set_excepthook(nothing)
    return sync.Event()
  end, function(e) return claim.blocks(function() e:wait() end) end, alone, "can't start new thread")
  case("assert.eventually, which does not come", nothing, function()
    return raised(claim.eventually, function() return false end, 0.0001)
  end, function(_, why) assert(tostring(why):find "Expected the condition to come true") end)
  if not pcall(testing.sometimes, "a simulated world", true) then return end
  case("testing.sometimes", nothing, function() testing.sometimes("it is so", true) end)
  local looks = 0
  case("testing.invariant", nothing, function()
    looks = 0
    testing.invariant("it is so", function()
      looks = looks + 1
      return true
    end)
  end, function()
    sync.Lock():with(nothing)
    assert(looks > 0)
  end)
end

-- Threads that were made and never started, in the reports of those that wait for what they would do.
local command = require "spec.command"

local SYNC = 'local sync = require "luasync"\n'

--- The lines of the report above what each thread does, of a script whose name is SCRIPT there.
local function causes(text, ...)
  local result = command.text(SYNC .. text, ...)
  assert.equal(3, result.code, result.err)
  local report = result.err:gsub(result.name:gsub("%p", "%%%0"), "SCRIPT")
  local head = report:match "^luasync: deadlock: [^\n]*\n(.-)Thread MainThread: "
  return (head:gsub("^  ", ""):gsub("\n  ", "\n"))
end

local function reports(text, expected)
  for _, world in ipairs { {}, { "--virtual" } } do
    assert.equal(expected, causes(text, table.unpack(world)))
  end
end

describe("a thread that was made and never started", function()
  it("is named with its line and with what somebody waits for", function()
    reports([[
q = sync.Queue()
function producer() q:put(1) end
function consumer(queue) print(queue:get()) end
t1 = sync.Thread{ target = producer }
t2 = sync.Thread{ name = "Consumer", target = consumer, args = { q } }
t2:start()]], "Thread 'Thread-1 (producer)', made at SCRIPT:5, is never started; it uses 'q', for which Consumer "
      .. "waits\n")
  end)

  it("is named in a table, a field and an upvalue", function()
    reports([[
local q, threads = sync.Queue(), {}
threads[1] = sync.Thread{ target = function() q:get() end, name = "Consumer" }
threads[2] = sync.Thread{ target = function() q:put(1) end, name = "Producer" }
threads[1]:start()
threads[1]:join()]], "Thread 'Producer', made at SCRIPT:4, is never started; it uses 'q', for which Consumer waits\n")
    reports([[
local Worker = {}
function Worker:run() self.done:set() end
local done = sync.Event()
local worker = { done = done }
worker.thread = sync.Thread{
  name = "Worker", target = Worker.run, args = { worker }
}
local function finish() done:wait() return worker end
finish()]], "Thread 'Worker', made at SCRIPT:6, is never started\n")
  end)

  it("is named once with all that were made at its line", function()
    reports([[
local e, list = sync.Event(), {}
for i = 1, 5 do list[i] = sync.Thread{ target = function() e:set() end, name = "T" .. i } end
for i = 1, 0 do list[i]:start() end
e:wait()]], "Threads 'T1', 'T2', 'T3' and 2 more, made at SCRIPT:3, are never started; they use 'e', for which "
      .. "MainThread waits\n")
  end)

  it("is named where it is a Timer, or in an exploration", function()
    local timer = "local e = sync.Event()\nlocal t = sync.Timer(1, function() e:set() end)\ne:wait() t:join()"
    reports(timer, "Timer 'Thread-1', made at SCRIPT:3, is never started; it uses 'e', for which MainThread waits\n")
    assert.matches("Timer 'Thread%-1', made at .-:3, is never started", command.text(SYNC .. timer, "--explore").out)
  end)

  it("is not named where it has nothing to do with the wait, or has been started", function()
    reports([[
q = sync.Queue()
other = sync.Thread{ target = function() print "no" end }
done = sync.Thread{ target = function() q:put(1) q:get() end }
done:start()
done:join()
q:get()]], "")
  end)

  it("is forgotten with its handle", function()
    reports([[
local q = sync.Queue()
do
  local t = sync.Thread{ target = function() q:put(1) end }
  t.name = "gone"
end
collectgarbage() collectgarbage()
q:get()]], "")
  end)
end)

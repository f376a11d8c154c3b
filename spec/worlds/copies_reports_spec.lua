-- Reports of deadlocks and loops that name the copy which another thread has set.
local command = require "spec.command"
local copies = require "spec.worlds.copies"

local run, everywhere, SYNC, TUTORIAL_23 = copies.run, copies.everywhere, copies.SYNC, copies.TUTORIAL_23

describe("a report of threads that wait for ever names the copy", function()
  --- Asserts that a deadlock report of each world has the line, in place of the names of threads that are numbered.
  local function reports(text, line)
    everywhere(text, function(result, world)
      assert.equal(3, result.code, world)
      assert.matches("\n  " .. line .. "\n", result.err, 1, true)
    end)
  end

  it("that another thread has set", function()
    reports(TUTORIAL_23, "Consumer reads 'data_ready', its own copy; Producer set its own copy at SCRIPT:13")
    reports([[
local ready, cond = false, sync.Condition()
sync.Thread{ name = "Setter", target = function()
  local _ <close> = cond:hold()
  ready = true
  cond:notify_all()
end }:start()
cond:acquire()
while not ready do cond:wait() end]], "MainThread reads 'ready', its own copy; Setter set its own copy at SCRIPT:5")
  end)

  it("of a list from which it takes", function()
    reports([[
local cond, items = sync.Condition(), {}
local function consumer()
  local _ <close> = cond:hold()
  while #items == 0 do cond:wait() end
  print(table.remove(items, 1))
end
local function producer()
  local _ <close> = cond:hold()
  table.insert(items, "x")
  cond:notify()
end
local c = sync.Thread{ name = "Consumer", target = consumer }:start()
sync.Thread{ name = "Producer", target = producer }:start()
c:join()]], "Consumer reads 'items', its own copy; Producer set its own copy at SCRIPT:10")
  end)

  it("in each failure that --explore finds", function()
    local result = run(TUTORIAL_23, "--explore")
    assert.equal(2, select(2, result.out:gsub("Consumer reads 'data_ready', its own copy; Producer set its own copy "
      .. "at [^\n]+:13\n", "")))
    assert.matches("FAIL lost wake-up", result.out, 1, true)
    assert.equal(1, select(2, result.err:gsub("'data_ready' false → true", "")))
  end)

  it("that the main thread has set", function()
    reports([[
local ready, cond = false, sync.Condition()
local t = sync.Thread{ name = "Consumer", target = function()
  local _ <close> = cond:hold()
  cond:wait_for(function() return ready end)
end }
t:start()
sync.sleep(0.01)
cond:acquire()
ready = true
cond:notify()
cond:release()
t:join()]], "Consumer reads 'ready', its own copy; MainThread set its own copy at SCRIPT:10")
  end)

  it("not where it waits elsewhere", function()
    everywhere([[
local ready, cond, q = true, sync.Condition(), sync.Queue()
local c = sync.Thread{ name = "Consumer", target = function()
  while not ready do cond:wait() end
  q:get()
end }:start()
ready = false
c:join()]], function(result)
      assert.equal(3, result.code)
      assert.is_nil(result.err:find("its own copy", 1, true))
    end)
  end)

  it("not where the variable is the thread's business", function()
    everywhere([[
local q, tries = sync.Queue(), 0
local function work()
  while tries < 1 do
    tries = tries + 1
    q:get()
  end
end
sync.spawn(work):join()]], function(result)
      assert.equal(3, result.code)
      assert.is_nil(result.err:find("its own copy", 1, true))
    end)
  end)
end)

describe("a loop that asks a copied flag", function()
  local STOP = [[
local stop = false
local t = sync.spawn(function()
  while not stop do%s end
end)
stop = true
t:join(%s)]]

  it("is named while somebody waits for its end", function()
    local result = command.run({ "-e", SYNC .. "sync.spawn(function() sync.sleep(1.5) os.exit(0) end)\n"
      .. STOP:format("", "") })
    assert.equal("luasync: warning: (command line):5: 'stop' is Thread-2's own copy, which nobody else can set; "
      .. "it is set at (command line):7\n  hint: share it: local stop = sync.Event(), with stop:is_set() and "
      .. "stop:set()\n", result.err)
  end)

  it("is not named again where the thread that set its own copy has been, however late the wait", function()
    local result = run([[
local stop = false
local t = sync.spawn(function()
  sync.sleep(0.3)
  while not stop do sync.sleep(0.05) end
end)
local setter = sync.spawn(function() stop = true end)
setter:join()
sync.spawn(function() sync.sleep(0.5) os.exit(0) end)
t:join()]])
    local _, count = result.err:gsub("luasync: warning: ", "")
    assert.equal(1, count, result.err)
    assert.matches("SCRIPT:7: 'stop' false → true in Thread-2", result.err, 1, true)
  end)

  it("is named where a simulated run gets nowhere #notsan", function()
    local result = run(STOP:format(" sync.sleep(0)", ""), "--virtual")
    assert.matches("Thread-1 reads 'stop', its own copy; MainThread set its own copy at SCRIPT:6", result.err, 1, true)
  end)
end)

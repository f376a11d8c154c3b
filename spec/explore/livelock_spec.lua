--- Rounds that threads can go for ever, and loops that a fair scheduler leaves.
local sync = require "luasync"
local command = require "spec.command"

local function join_all(threads)
  for _, t in ipairs(threads) do t:join() end
end

local stuck, fine = {}, {}

function stuck.polite_philosophers()
  local a, b = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }
  local function eat(left, right)
    repeat
      left:acquire()
      local both = right:acquire(false)
      if both then right:release() end
      left:release()
    until both
  end
  join_all{ sync.spawn(eat, a, b), sync.spawn(eat, b, a) }
end

function stuck.mutual_courtesy()
  local wants = { sync.Event(), sync.Event() }
  local function enter(me)
    wants[me]:set()
    while wants[3 - me]:is_set() do
      wants[me]:clear()
      wants[me]:set()
    end
    wants[me]:clear()
  end
  join_all{ sync.spawn(enter, 1), sync.spawn(enter, 2) }
end

function stuck.flag_that_nobody_sets()
  local s = sync.Shared{ ready = false }
  join_all{ sync.spawn(function() while not s.ready do end end) }
end

function stuck.flag_that_is_missed()
  local turn = sync.Atomic(0)
  join_all{ sync.spawn(function() while turn:get() ~= 1 do end end),
    sync.spawn(function()
      turn:set(1)
      turn:set(2)
    end) }
end

function fine.flag()
  local ready = sync.Event()
  join_all{ sync.spawn(function() while not ready:is_set() do end end), sync.spawn(function() ready:set() end) }
end

function fine.try_until_it_is_free()
  local lock = sync.Lock()
  local function work()
    while not lock:acquire(false) do end
    lock:release()
  end
  join_all{ sync.spawn(work), sync.spawn(work) }
end

-- Who is about to set the flag can go now and then only.
function fine.poll_under_the_lock()
  local lock, ready = sync.Lock(), sync.Atomic(0)
  local function look()
    local _ <close> = lock:hold()
    return ready:get() == 1
  end
  join_all{ sync.spawn(function() while not look() do end end),
    sync.spawn(function() lock:with(function() ready:set(1) end) end) }
end

function fine.flag_set_later()
  local stop = sync.Event()
  local t = sync.spawn(function() while not stop:is_set() do end end)
  sync.sleep(1)
  stop:set()
  t:join()
end

function fine.for_ever_by_intention()
  local ping, pong = sync.Semaphore(0), sync.Semaphore(0)
  sync.spawn(function()
    while true do
      ping:release()
      pong:acquire()
    end
  end)
  while true do
    ping:acquire()
    pong:release()
  end
end

describe("explore", function()
  for name, fn in pairs(stuck) do
    it("finds the livelock of " .. name .. ", with a schedule that goes round #noasan #notsan", function()
      local r = sync.explore(fn, { seconds = 20 })
      local f = r.failures[1]
      assert.same({ false, "livelock", true }, { r.ok, f.kind, r.unbounded })
      assert.matches("round: after step %d+ all is as it was before step %d+\n", f.message)
      assert.equal(name:find "flag" ~= nil, f.doomed)
      assert.matches(" %( .+ %) %.$", f.schedule)
      local again = sync.simulate(fn, { schedule = f.schedule })
      assert.matches("threads do the same again and again", again.livelock, 1, true)
      assert.equal(f.schedule, again.schedule)
    end)
  end

  for name, fn in pairs(fine) do
    it("takes " .. name .. " for no livelock #noasan #notsan", function()
      for _, strategy in ipairs{ "states", false } do
        local r = sync.explore(fn, { strategy = strategy or nil, seconds = 2 })
        for _, f in ipairs(r.failures) do assert.not_equal("livelock", f.kind) end
      end
    end)
  end

  it("--explore shows the round, and ends with code 3 #noasan #notsan", function()
    local r = command.text([[
      local sync = require "luasync"
      local s = sync.Shared{ ready = false }
      while not s.ready do end]], "--explore")
    assert.equal(3, r.code)
    assert.matches("  … and again from step 2 on, for ever\n  MainThread goes round: after step 2 all is as it was "
      .. "before step 2\n  nothing ends that any more\n", r.out, 1, true)
    assert.matches("COMPLETE (", r.out, 1, true)
  end)
end)

describe("a schedule with a round", function()
  it("is refused where brackets are not closed, or hold nothing", function()
    for _, text in ipairs{ "0 ( 1 .", "0 ) .", "0 ( ) .", "0 ( ! ) .", "0 ( 1 ( 2 ) ) ." } do
      assert.error_matches(function() sync.simulate(function() end, { schedule = text }) end,
        "brackets in a schedule come in pairs, with turns inside", nil, true)
    end
  end)

  it("ends with the program", function()
    local report = sync.simulate(function()
      local t = sync.spawn(function() end)
      t:join()
    end, { schedule = "( 0 1 ) ." })
    assert.is_true(report.ok)
  end)
end)

describe("a search", function()
  it("goes on behind an execution that loops without any operation #slow #noasan #notsan", function()
    local report = sync.explore(function()
      local a = sync.Atomic(0)
      sync.spawn(a.add, a, 1)
      if a:get() == 0 then while true do end end
      assert(a:add(1) == 3, "behind it")
    end, { strategy = "dpor", seconds = 600 })
    local kinds = {}
    for _, failure in ipairs(report.failures) do kinds[failure.kind] = failure.message or failure.report end
    assert.is_true(report.complete)
    assert.same({ 2, 2 }, { report.executions, #report.failures })
    assert.matches("MainThread loops at .*livelock_spec.lua:%d+ without any operation", kinds.livelock)
    assert.matches("behind it", kinds.error)
  end)

  it("takes no long computation for a loop whose operations come now and then #slow #noasan #notsan", function()
    local function work(n) for _ = 1, n do end end
    local n, begin = 1 << 20, os.clock()
    work(n)
    n = math.ceil(n * 0.02 / (os.clock() - begin)) -- takes 20 ms
    local report = sync.explore(function()
      local a = sync.Atomic(0)
      for _ = 1, 150 do
        work(n)
        a:add(1)
      end
    end, { strategy = "dpor", seconds = 600 })
    assert.same({ true, 1, 0 }, { report.complete, report.executions, #report.failures })
  end)
end)

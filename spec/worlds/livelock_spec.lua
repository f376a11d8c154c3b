local sync = require "luasync"
local command = require "spec.command"

describe("Threads that never wait let time pass for those who sleep:", function()
  local function body(poll)
    return function()
      local sync_ = require "luasync"
      local shared, lock, atomic = sync_.Shared { done = false }, sync_.Lock(), sync_.Atomic(1)
      sync_.spawn(function()
        sync_.sleep(0.2)
        atomic:set(0)
        lock:with(function() shared.done = true end)
      end)
      poll(sync_, shared, lock, atomic)
    end
  end
  local polls = {
    ["a flag under a lock"] = function(_, shared, lock)
      while true do
        local _ <close> = lock:hold()
        if shared.done then break end
      end
    end,
    ["compare_exchange"] = function(_, _, _, atomic)
      while not atomic:compare_exchange(0, 1) do end
    end,
    ["active_count"] = function(sync_) while sync_.active_count() > 1 do end end,
    ["enumerate"] = function(sync_) while #sync_.enumerate() > 1 do end end,
    ["prints"] = function(_, shared) while not shared.done do for _ = 1, 100 do io.write "." end end end,
  }
  for name, poll in pairs(polls) do
    it(name .. " #slow", function()
      for seed = 0, 1 do
        local report = sync.simulate(body(poll), seed > 0 and { seed = seed } or nil)
        assert.is_true(report.ok, report.livelock or report.error)
        assert.is_true(report.virtual_time >= 0.2)
      end
    end)
  end
end)

describe("livelock", function()
  local spinning = {
    event = function() local e = sync.Event() while not e:is_set() do end end,
    lock = function() local l = sync.Lock() l:acquire() while not l:acquire(false) do end end,
    queue = function() local q = sync.Queue() while q:empty() do end end,
    get = function() local q = sync.Queue() while not q:get_nowait() do end end,
    shared = function() local s = sync.Shared { go = false } while not s.go do end end,
    atomic = function() local a = sync.Atomic(0) while a:get() == 0 do end end,
    sleep = function() local e = sync.Event() while not e:is_set() do sync.sleep(0) end end,
    wait = function() local e = sync.Event() while not e:wait(1) do end end,
    timeout = function() local q = sync.Queue() while not q:get(true, 1) do end end,
    two = function()
      local s = sync.Shared { a = false, b = false }
      sync.spawn(function() while not s.a do end s.b = true end)
      while not s.b do end
      s.a = true
    end,
  }

  local function is_reported(name, options)
    local report = sync.simulate(spinning[name], options)
    assert.is_false(report.ok, name)
    assert.is_string(report.livelock, name)
    assert.matches("livelock: threads look at objects again and again, and nobody will ever change them",
      report.livelock, 1, true)
    assert.matches("livelock_spec.lua:%d+: in ", report.livelock)
  end

  it("is spinning on something that nobody will ever change #novalgrind", function()
    is_reported "event"
  end)

  it("is the same whatever is looked at, with a seed too #slow #long", function()
    for name in pairs(spinning) do
      for _, options in ipairs { {}, { seed = 1 } } do is_reported(name, options) end
    end
  end)

  it("is reported by the command with the lines, a replay, and exit code 3 #slow", function()
    local result = command.text([[
local sync = require "luasync"
local e = sync.Event{ name = "never" }
while not e:is_set() do
end]], "--seed", "1")
    assert.equal(3, result.code)
    assert.matches("luasync: livelock: ", result.err, 1, true)
    assert.matches(result.name .. ":3: in main chunk", result.err, 1, true)
    assert.is_string(result.replay)
  end)

  it("is not where the one that is waited for sleeps or has work to do", function()
    for name, body in pairs {
      event = function()
        local e = sync.Event()
        sync.spawn(function() sync.sleep(1000) e:set() end)
        while not e:is_set() do end
        return sync.monotonic()
      end,
      yield = function()
        local e = sync.Event()
        sync.spawn(function() sync.sleep(1000) e:set() end)
        while not e:is_set() do sync.sleep(0) end
        return sync.monotonic()
      end,
      poll = function()
        local e = sync.Event()
        sync.spawn(function() sync.sleep(1000) e:set() end)
        while not e:is_set() do sync.sleep(0.01) end
        return sync.monotonic()
      end,
      timeout = function()
        local l = sync.Lock()
        sync.spawn(function() l:acquire() l:acquire(true, 1000) l:release() end)
        sync.sleep(1)
        while not l:acquire(false) do end
        return sync.monotonic()
      end,
      work = function()
        local s = sync.Shared { n = 0 }
        sync.spawn(function() for i = 1, 5000 do s.n = i end end)
        while s.n < 5000 do end
        return 1000
      end,
    } do
      for seed = 0, 2 do
        local report = sync.simulate(body, seed > 0 and { seed = seed } or nil)
        assert.is_true(report.ok, name .. " " .. tostring(report.livelock))
        assert.is_true(report.results[1] >= 1000 and report.results[1] < 1001.1, name)
      end
    end
  end)

  it("is not a long loop of looks that ends", function()
    local report = sync.simulate(function()
      local s, threads = sync.Shared { n = 1 }, {}
      for i = 1, 4 do
        threads[i] = sync.spawn(function()
          local sum = 0
          for _ = 1, 200000 do sum = sum + s.n end
          return sum
        end)
      end
      for i = 1, 4 do assert(threads[i]:result() == 200000) end
    end)
    assert.is_true(report.ok)
  end)

  it("is not a daemon that ticks while somebody sleeps long #slow", function()
    local report = sync.simulate(function()
      sync.Thread { daemon = true, target = function() while true do sync.sleep(0.001) end end }:start()
      sync.sleep(15000)
    end)
    assert.is_true(report.ok)
    assert.equal(15000, report.virtual_time)
  end)

  it("is not polling the clock, for hours", function()
    for seconds, slack in pairs { [60] = 0.1, [7200] = 1 } do
      local report = sync.simulate(function()
        local begin = sync.monotonic()
        while sync.monotonic() < begin + seconds do end
        return sync.monotonic() - begin
      end)
      assert.is_true(report.ok)
      assert.is_true(report.results[1] >= seconds and report.results[1] < seconds + slack)
    end
  end)

  it("is a loop without any operation, named by its thread and line #slow", function()
    local report = sync.simulate(function()
      local t = sync.Thread { name = "stuck", target = function()
        local n = 0
        while true do n = n + 1 end
      end }
      t:start():join()
    end)
    assert.is_false(report.ok)
    assert.matches("livelock: stuck loops at %S+livelock_spec.lua:%d+ without any operation", report.livelock)
  end)

  it("is a loop over coroutines that end soon, or over the handlers that closing one runs #slow #long", function()
    local loops = { short = function()
      while true do coroutine.wrap(function() for _ = 1, 1000 do local _ = {} end end)() end
    end, closed = function()
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function() while true do end end })
        coroutine.yield()
      end)
      coroutine.resume(co)
      coroutine.close(co)
    end }
    for name, loop in pairs(loops) do
      local report = sync.simulate(loop)
      assert.is_false(report.ok)
      assert.matches("MainThread loops at %S+livelock_spec.lua:%d+", report.livelock, name)
    end
  end)

  it("is a loop in a finaliser, where Lua calls no hook, also of a state that closes #slow #notsan", function()
    local report = sync.simulate(function()
      sync.Thread { name = "stuck", target = function()
        setmetatable({}, { __gc = function() while true do end end })
      end }:start():join()
    end)
    assert.matches("livelock: stuck loops without any operation", report.livelock)
    report = sync.simulate(function()
      setmetatable({}, { __gc = function() while true do local _ = {} end end })
      collectgarbage()
    end)
    assert.matches("livelock: MainThread loops without any operation", report.livelock)
    assert.is_true(sync.simulate(function() end).ok)
  end)

  it("is not a long computation that ends, which keeps its hook and sees no other #slow", function()
    local report = sync.simulate(function()
      local n, hook, count = 0, false, 0
      for i = 1, 150000000 do
        n = n ~ i
        if i % 1000000 == 0 then hook = hook or debug.gethook() end
      end
      debug.sethook(function() count = count + 1 end, "", 1000000)
      for i = 1, 20000000 do n = n ~ i end
      return hook or false, select(3, debug.gethook()), count
    end)
    assert.is_true(report.ok)
    assert.same({ false, 1000000, 40 }, { table.unpack(report.results, 1, 3) })
  end)
end)

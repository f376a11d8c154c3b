-- --lock-order: locks taken in opposite orders, found in a run that ended well.
local command = require "spec.command"

local PRELUDE = [[
local sync = require "luasync"
local A, B, G = sync.Lock { name = "A" }, sync.Lock { name = "B" }, sync.Lock { name = "G" }
local function both(x, y)
  x:acquire()
  y:acquire()
  y:release()
  x:release()
end
local function forth() both(A, B) end
local function back() both(B, A) end
]]

-- Threads that meet in a deadlock would not get as far as the warning: so one comes when the other is through.
local WORLDS = { "-W", "--virtual" }

local function warnings(script, option)
  local result = command.text(PRELUDE .. script, option, "--lock-order")
  assert.equal("", result.out)
  return result.err:gsub("%(%S-(:%d+%))", "(%1"), result.code
end

local function warns(script, ...)
  for _, option in ipairs(WORLDS) do
    local text, code = warnings(script, option)
    assert.equal(0, code, text)
    for _, expected in ipairs { ... } do
      assert.is_truthy(text:find(expected, 1, true), option .. ": " .. text)
    end
    assert.equal(select("#", ...), select(2, text:gsub("\n", "\n")), text)
  end
end

local function is_silent(script)
  for _, option in ipairs(WORLDS) do assert.equal("", (warnings(script, option))) end
end

describe("--lock-order", function()
  it("warns of two locks that two threads take in opposite orders, with four lines", function()
    warns([[
      local t = sync.Thread { name = "T", target = forth }
      local u = sync.Thread { name = "U", target = function() sync.settle() back() end }
      t:start() u:start() t:join() u:join()
    ]],
    "luasync: warning: lock order: Lock 'A' and Lock 'B' are taken in opposite orders, which may end in a deadlock\n",
    "  T takes Lock 'A' (:4), then Lock 'B' (:5)\n",
    "  U takes Lock 'B' (:4), then Lock 'A' (:5)\n")
  end)

  it("tells of each circle once, however often and by however many threads it is made", function()
    warns([[
      local ts = {}
      for i = 1, 6 do
        ts[i] = sync.spawn(function() sync.sleep(i / 4) for _ = 1, 10 do (i % 2 == 0 and forth or back)() end end)
      end
      for i = 1, 6 do ts[i]:join() end
    ]], "lock order: Lock 'B' and Lock 'A'", "takes Lock 'A' (:4), then Lock 'B' (:5)\n", "takes Lock 'B' (:4)")
  end)

  it("finds circles of three, in the philosophers and not in the philosophers with an order", function()
    for _, options in ipairs { {}, { "--virtual" }, { "--seed", "3" } } do
      local words = table.move(options, 1, #options, 1, {})
      words[#words + 1] = "--lock-order"
      words[#words + 1] = "scripts/examples/philosophers.lua"
      local result = command.run(words)
      if result.code == 0 then
        local said = "^luasync: warning: lock order: Lock '[ABC]', Lock '[ABC]' and Lock '[ABC]' are taken in"
        assert.is_truthy(result.err:find(said), result.err)
      else assert.equal(3, result.code, result.err) end
      words[#words] = "scripts/examples/philosophers_fixed.lua"
      assert.equal("", command.run(words).err)
    end
  end)

  it("sees RLocks, Condition's wait, and readers and writers", function()
    warns([[
      local R = sync.RLock { name = "R" }
      local t = sync.spawn(function() R:acquire() both(A, R) R:release() end)
      sync.settle()
      both(A, R)
      t:join()
    ]], "RLock 'R' and Lock 'A'", "(:12), then Lock 'A' (:4)", "takes Lock 'A' (:4), then RLock 'R' (:5)")
    warns([[
      local c = sync.Condition(A)
      local t = sync.spawn(function()
        A:acquire()
        B:acquire()
        c:wait(0.001)     -- lets A go, and takes it again while it has B
        B:release()
        A:release()
      end)
      sync.sleep(1)
      forth()
      t:join()
    ]], "Lock 'A' and Lock 'B'", "then Lock 'B'", "takes Lock 'B' (:14), then Lock 'A' (:15)")
    warns([[
      local W = sync.RWLock { name = "W" }
      local t = sync.spawn(function() W:read() A:acquire() A:release() W:release() end)
      sync.settle()
      A:acquire() W:write() W:release() A:release()
      t:join()
    ]], "RWLock 'W' and Lock 'A'",
    "reads RWLock 'W' (:12), then Lock 'A' (:12)", "takes Lock 'A' (:14), then RWLock 'W' (:14)")
  end)

  it("warns after os.exit and after an error as well", function()
    local meet = "local t = sync.spawn(function() forth() end) sync.settle() back() t:join() "
    for _, option in ipairs(WORLDS) do
      local text, code = warnings(meet .. "os.exit(7)", option)
      assert.equal(7, code)
      assert.is_truthy(text:find "luasync: warning: lock order")
      text, code = warnings(meet .. "error 'over'", option)
      assert.equal(1, code)
      assert.is_truthy(text:find "luasync: warning: lock order")
    end
  end)

  describe("is silent where the circle cannot close:", function()
    it("a common outer lock", function()
      is_silent [[
        local function guarded(f) G:acquire() f() G:release() end
        local t = sync.spawn(function() guarded(forth) end)
        guarded(back)
        t:join()
      ]]
    end)

    it("one thread", function() is_silent "forth() back()" end)

    it("a join, a result, the end of a scope, a timer's end before the start", function()
      is_silent "sync.spawn(forth):join() sync.spawn(back):join()"
      is_silent "sync.spawn(forth):result() back()"
      is_silent "sync.scope(function(s) s:spawn(forth) end) back()"
      is_silent "local t = sync.Timer(0.01, forth) t:start() t:join() back()"
      is_silent "sync.select { sync.spawn(forth) } back()"
    end)

    it("what was before the start", function() is_silent "forth() sync.spawn(back):join()" end)

    it("the result of one task before the submit of another", function()
      is_silent "local p <close> = sync.Pool(2) p:submit(forth):result() p:submit(back):result()"
    end)

    it("a take with a timeout, or a try", function()
      for _, how in ipairs { "5", "false", "true, 5" } do
        is_silent([[
          local t = sync.spawn(function() forth() end)
          sync.settle()
          B:acquire()
          if A:acquire(]] .. how .. [[) then A:release() end
          B:release()
          t:join()
        ]])
      end
      is_silent [[
        local W = sync.RWLock()
        local t = sync.spawn(function() W:read() A:acquire() A:release() W:release() end)
        sync.settle()
        A:acquire() if W:write(5) then W:release() end A:release()
        t:join()
      ]]
    end)

    it("two readers", function()
      is_silent [[
        local W = sync.RWLock()
        local t = sync.spawn(function() W:read() A:acquire() A:release() W:release() end)
        sync.settle()
        A:acquire() W:read() W:release() A:release()
        t:join()
      ]]
    end)

    it("a lock that other threads release", function()
      is_silent [[
        A:acquire()
        local t = sync.spawn(function() B:acquire() A:release() B:release() end)
        A:acquire()
        local u = sync.spawn(function() B:acquire() A:release() A:acquire() A:release() B:release() end)
        u:join()
        t:join()
        forth()
      ]]
    end)
  end)

  it("goes with no search, whose own word it would be", function()
    local result = command.text("return", "--explore", "--lock-order")
    assert.equal(1, result.code)
    assert.is_truthy(result.err:find("options '--explore' and '--lock-order' exclude each other", 1, true))
  end)
end)

describe("A recording", function()
  it("has the threads of timers among its threads", function()
    local result = command.text([[
      local sync = require "luasync"
      local t = sync.Timer(0.01, print, "rings")
      t:start()
      t:join()
    ]], "--virtual", "--trace", "-")
    assert.is_truthy(result.err:find("2 threads", 1, true), result.err)
    assert.is_truthy(result.err:find("MainThread starts Thread-1", 1, true), result.err)
  end)
end)

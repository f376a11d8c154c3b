--- A call with a timeout of 0 is one try: where another thread may come first or not, a search has to find both.
local sync = require "luasync"

-- What the try is about and who may come first; the try itself.
local TRIES = {
  { "local e = sync.Event() sync.spawn(e.set, e)", "e:wait(0)" },
  { "local e = sync.Event() sync.spawn(e.set, e)", "sync.select({ e }, 0)" },
  { "local q = sync.Queue() sync.spawn(q.put, q, 1)", "q:get(true, 0)" },
  { "local q = sync.Queue() sync.spawn(q.put, q, 1)", "sync.select({ sync.Event(), q }, 0)" },
  { "local q = sync.Queue(1) q:put(1) sync.spawn(q.get, q)", "q:put(2, true, 0)" },
  { "local q = sync.Queue() q:put(1) sync.spawn(q.task_done, q)", "q:join(0)" },
  { "local s = sync.Semaphore(0) sync.spawn(s.release, s)", "s:acquire(true, 0)" },
  { "local l = sync.Lock() l:acquire() sync.spawn(l.release, l)", "l:acquire(true, 0)" },
  { "local l = sync.Lock() l:acquire() sync.spawn(l.release, l)", "sync.select({ l }, 0)" },
  { "local rw = sync.RWLock() sync.Thread{ target = rw.write, args = { rw }, daemon = true }:start()", "rw:read(0)" },
  { "local rw = sync.RWLock() sync.Thread{ target = rw.read, args = { rw }, daemon = true }:start()", "rw:write(0)" },
  { "local b = sync.Barrier(2) sync.Thread{ target = b.wait, args = { b }, daemon = true }:start()", "b:wait(0)" },
  { "local t = sync.spawn(function() return true end)", "t:join(0)" },
  { "local t = sync.spawn(function() return true end)", "t:result(0)" },
  { "local t = sync.spawn(function() end)", "sync.select({ t }, 0)" },
  { "local f = sync.Pool(1):submit(function() return true end)", "f:result(0)" },
  { "local f = sync.Pool(1):submit(function() end)", "sync.select({ f }, 0)" },
  { "local f = sync.Pool(1):submit(function() end)", "sync.wait({ f }, 0)[1]" },
  { "local f = sync.Pool(1):submit(function() end)", "sync.wait({ f }, 0, 'first')[1]" },
  { "local s = sync.Scope() s:spawn(function() end)", "s:join(0)" },
}

--- How many ways a program fails that asserts what the try comes to, or the contrary.
local function failures(setting, try, contrary)
  local code = ('local sync = require "luasync" %s assert(%s(%s))'):format(setting, contrary and "not" or "", try)
  local report = sync.explore(assert(load(code)))
  assert.is_true(report.complete, code)
  for _, failure in ipairs(report.failures) do assert.equal("error", failure.kind, code) end
  return #report.failures
end

describe("explore finds that a try", function()
  it("may come to something and to nothing", function()
    for _, case in ipairs(TRIES) do
      local setting, try = table.unpack(case)
      assert.is_true(failures(setting, try) > 0, setting .. " " .. try .. " is never in vain")
      assert.is_true(failures(setting, try, true) > 0, setting .. " " .. try .. " is always in vain")
    end
  end)

  it("that is made again and again for what never comes is a livelock #noasan #notsan", function()
    for _, try in ipairs { "e:wait(0)", "q:get(true, 0)", "rw:read(0)", "f:result(0)" } do
      local report = sync.explore(assert(load(([[
        local sync = require "luasync"
        local e, q, rw, pool = sync.Event(), sync.Queue(), sync.RWLock(), sync.Pool(1)
        local f = pool:submit(function() e:wait() end)
        rw:write()
        sync.spawn(function() while not %s do end end):join()
      ]]):format(try))))
      assert.equal("livelock", report.failures[1].kind, try)
    end
  end)

  it("of a Future finds it pending, running and done", function()
    for _, look in ipairs { "running", "done", "cancelled" } do
      local found = {}
      for _, word in ipairs { "", "not" } do
        found[#found + 1] = #sync.explore(assert(load(([[
          local f = require "luasync".Pool(1):submit(function() end)
          assert(%s f:%s())
        ]]):format(word, look)))).failures
      end
      assert.same(look == "cancelled" and { 1, 0 } or { 1, 1 }, found, look)
    end
  end)
end)

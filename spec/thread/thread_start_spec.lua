-- What a thread that has not been started brings along, and who starts it.
local sync = require "luasync"
local support = require "spec.support"

describe("An unstarted thread", function()
  local function check(thread, ...)
    assert.same({ ... }, { support.finish(thread:start()) })
  end

  it("starts though its captured locals hold it", function()
    local thread
    thread = sync.Thread { name = "W", target = function() return thread.name end }
    check(thread, "W")
  end)

  it("starts though a global holds it", function()
    local script = [[
      local sync = require "luasync"
      g = sync.Thread { name = "G", target = function() return g.name end }
      print(g:start():result())
    ]]
    assert.equal("G\n", support.output(script))
  end)

  it("starts though its own argument holds it", function()
    local job = {}
    job.thread = sync.Thread { name = "J", target = function(own) return own.thread.name end, args = { job } }
    check(job.thread, "J")
  end)

  it("starts though it is in the list of all workers, however many", function()
    local workers = {}
    for i = 1, 300 do workers[i] = sync.Thread(function() return #workers end) end
    for i = 1, 3 do check(workers[i], 300) end
  end)

  it("is encoded once, however many ways lead to it", function()
    local threads = {}
    for i = 1, 40 do
      threads[i] = sync.Thread { target = function(...) return select("#", ...) end, args = { table.unpack(threads) } }
    end
    for i = #threads, 1, -1 do check(threads[i], i - 1) end
  end)

  it("starts those behind it, a thousand deep #heavy", function()
    local first
    for _ = 1, 1000 do
      local behind = first
      first = sync.Thread(function() return behind and behind:start():result() or "the last" end)
    end
    check(first, "the last")
  end)

  it("starts where its handle has arrived, with what its arguments were when it was sent", function()
    local queue, list = sync.Queue(), { "first" }
    local thread = sync.Thread { args = list, target = function(word) return word end }
    for _, word in ipairs { "second", "third" } do
      list[1] = word
      queue:put(thread)
    end
    local starter = support.start(function()
      queue:get()
      return queue:get():start():result()
    end)
    assert.equal("third", support.finish(starter))
  end)

  it("that knows itself starts where its handle has arrived", function()
    local queue = sync.Queue()
    local thread
    thread = sync.Thread { name = "W", target = function() return thread.name end }
    queue:put(thread)
    assert.equal("W", support.finish(support.start(function() return queue:get():start():result() end)))
  end)

  it("is started by one of those who try it at the same time", function()
    for _ = 1, 40 do
      local queue, go = sync.Queue(), sync.Event()
      local thread = sync.Thread(function(text) return #text end, ("x"):rep(1000))
      local function try(own) return pcall(own.start, own) end
      local others = {}
      for i = 1, 3 do
        others[i] = support.start(function()
          local own = queue:get()
          go:wait()
          return (pcall(own.start, own))
        end)
        queue:put(thread)
      end
      go:set()
      local started = try(thread) and 1 or 0
      for _, other in ipairs(others) do
        if support.finish(other) then started = started + 1 end
      end
      assert.equal(1, started)
      assert.equal(1000, support.finish(thread))
    end
  end)

  it("that its own argument starts on the way is started once", function()
    local thread, ok, message
    local eager = setmetatable({}, { __transfer = function()
      if not ok then
        ok = true
        ok, message = pcall(function() thread:start() end)
      end
      return tostring, 1
    end })
    thread = sync.Thread(function(text) return text end, eager)
    support.raises("threads can only be started once", function() thread:start() end)
    assert.is_true(ok, message)
    assert.equal("1", support.finish(thread))
  end)

  it("says what cannot cross of another one, and starts when that has gone", function()
    local list = { coroutine.create(print) }
    local inner = sync.Thread { target = print, args = list }
    local outer = sync.Thread(function(own) return own.name end, inner)
    support.raises("cannot send a coroutine (at args[1])", function() outer:start() end)
    list[1] = 1
    check(outer, inner.name)
  end)

  it("is out of reach until it is whole", function()
    local said = {}
    --- Tries every userdata among the temporary values of the functions that run.
    local function look()
      for level = 2, 5 do
        for i = 1, 20 do
          local name, value = debug.getlocal(level, i)
          if not name then break end
          if type(value) == "userdata" then said[#said + 1] = select(2, pcall(tostring, value)) end
        end
      end
    end
    local options = setmetatable({ target = print }, { __index = function(_, key)
      if key == "name" then look() end
    end })
    assert.matches("^Thread", sync.Thread(options).name)
    assert.same({ "object is not ready" }, said)
  end)

  it("may be given what is nested however deep: looking for changes of it must not fill the stack", function()
    assert.equal("ok\n", support.output [[
      local sync = require "luasync"
      local flat = {}
      for i = 1, 100000 do flat = { flat } end
      local t = sync.spawn(function(value) value[2] = true end, flat)
      t:join()
      print "ok"
    ]])
  end)

  it("has no number of the kernel for a hook inside its start, which would wait for it for ever", function()
    local script = [[
      local sync = require "luasync"
      local thread = sync.Thread { target = function() end }
      local early
      debug.sethook(function()
        if thread.ident and not early then early = tostring(thread.native_id) end
      end, "crl", 1)
      thread:start()
      debug.sethook()
      print(early ~= nil, math.type(thread.native_id))
    ]]
    assert.equal("true\tinteger\n", support.output(script))
  end)

  it("may happen while another thread interrupts the one that starts", function()
    local box, stop, restore = sync.Shared {}, sync.Event(), support.quiet()
    local interrupter = sync.spawn(function()
      local last
      while not stop:is_set() do
        local thread = box.thread
        if thread ~= last and pcall(thread.interrupt, thread) then last = thread end
      end
    end)
    local strangers = 0
    for _ = 1, 100 do
      local thread = sync.Thread { target = function() pcall(sync.sleep, 0.001) return "over" end }
      box.thread = thread
      thread:start():join()
      local ok, e = pcall(thread.result, thread)
      if e ~= (ok and "over" or "interrupted") then strangers = strangers + 1 end
    end
    stop:set()
    interrupter:result()
    restore()
    assert.equal(0, strangers)
  end)
end)

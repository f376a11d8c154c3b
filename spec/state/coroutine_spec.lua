-- Which coroutine of a thread runs, as interrupts and hooks must know.
local sync = require "luasync"
local support = require "spec.support"

describe("a thread whose coroutine has been closed", function()
  --- Leaves a coroutine that is closed while one of its <close> variables resumes another.
  local ways = {
    ["by coroutine.close"] = function(body)
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = body })
        coroutine.yield()
      end)
      coroutine.resume(co)
      coroutine.close(co)
    end,
    ["by an error in coroutine.wrap"] = function(body)
      pcall(coroutine.wrap(function()
        local _ <close> = setmetatable({}, { __close = body })
        error "on purpose"
      end))
    end,
    ["by its end"] = function(body)
      coroutine.wrap(function()
        local _ <close> = setmetatable({}, { __close = body })
      end)()
    end,
  }

  for how, leave in pairs(ways) do
    it("is interrupted in what it runs afterwards, " .. how .. " #notsan", function()
      local begun = sync.Event()
      local thread = support.start(function()
        leave(function() coroutine.wrap(function() end)() end)
        collectgarbage()
        collectgarbage()
        return pcall(function()
          begun:set()
          while true do local _ = {} end
        end)
      end)
      begun:wait()
      thread:interrupt "stop"
      local ok, message = support.finish(thread)
      assert.same({ false, "stop" }, { ok, message })
    end)

    it("is interrupted in the handler itself, " .. how .. " #notsan", function()
      local begun = sync.Event()
      local thread = support.start(function()
        local ok, message
        leave(function()
          ok, message = pcall(function()
            begun:set()
            while true do local _ = {} end
          end)
        end)
        return ok, message
      end)
      begun:wait()
      thread:interrupt "stop"
      assert.same({ false, "stop" }, { support.finish(thread) })
    end)
  end
end)

describe("coroutine.close", function()
  it("says what Lua's own says", function()
    local dead = coroutine.create(function() error "on purpose" end)
    coroutine.resume(dead)
    local ok, message = coroutine.close(dead)
    assert.is_false(ok)
    assert.matches("on purpose$", message)
    assert.same({ true }, { coroutine.close(coroutine.create(print)) })
    support.raises("cannot close a running coroutine", function() coroutine.close((coroutine.running())) end)
    support.raises("cannot close a normal coroutine", function()
      local outer = coroutine.running()
      local inner = coroutine.create(function() coroutine.close(outer) end)
      local _, why = coroutine.resume(inner)
      error(why, 0)
    end)
    assert.is_false(pcall(coroutine.close, 1))
  end)
end)

describe("a coroutine's own hook", function()
  it("is there again after an interrupt that another coroutine took #notsan", function()
    local begun = sync.Event()
    local thread = support.start(function()
      local function mine() end
      local co = coroutine.wrap(function()
        local ok, message = pcall(function()
          begun:set()
          while true do local _ = {} end
        end)
        return ok, message, debug.gethook()
      end)
      debug.sethook(mine, "", 1000000)
      local ok, message, inner = co()
      return ok, message, inner == nil, debug.gethook() == mine
    end)
    begun:wait()
    thread:interrupt "stop"
    assert.same({ false, "stop", true, true }, { support.finish(thread) })
  end)
end)

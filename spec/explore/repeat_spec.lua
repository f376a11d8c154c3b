--- A schedule that a search reports comes to the same where it is run again.
local sync = require "luasync"
local programs = require "spec.explore.programs"

local function repeats(fn, options, text)
  local result = sync.explore(fn, options)
  programs.assert_repeats(fn, result, text)
  return result
end

--- Ends of threads with what they have come to, as the error of main.
local function fail_with(...)
  local words = {}
  for i, thread in ipairs{ ... } do words[i] = tostring(select(2, pcall(thread.result, thread))) end
  error(table.concat(words, ", "), 0)
end

describe("a schedule that a search reports #noasan #notsan", function()
  it("lets the time of a wait begin that is a thread's first operation", function()
    local result = repeats(function()
      local lock = sync.Lock()
      lock:acquire()
      local function try(s) return lock:acquire(true, s) end
      fail_with(sync.spawn(try, 1), sync.spawn(try, 2))
    end)
    assert.equal("false, false", result.failures[1].message)
  end)

  it("has a thread in its first operation where it is interrupted", function()
    local result = repeats(function()
      local shared = sync.Shared{}
      local target = sync.spawn(function()
        local ok, message = pcall(function() return shared.x end)
        return ok and "came first" or "caught " .. message
      end)
      target:interrupt "stop"
      fail_with(target)
    end)
    local messages = {}
    for _, f in ipairs(result.failures) do messages[f.message] = true end
    assert.same({ ["came first"] = true, ["caught stop"] = true }, messages)
  end)

  it("gives threads the numbers that they had in the search", function()
    repeats(function()
      local atomic = sync.Atomic()
      local parent = sync.spawn(function() return sync.spawn(function() return atomic:add(10) end).name end)
      atomic:add(1)
      fail_with(parent, sync.spawn(function() return sync.current_thread().name .. " " .. atomic:get() end))
    end)
  end)

  it("ends a settle where others were held in front of what they could not do", function()
    repeats(function()
      local lock = sync.Lock()
      local settler = sync.spawn(function()
        lock:acquire()
        sync.settle()
        sync.settle()
        lock:release()
        return "settled"
      end)
      local other = sync.spawn(function() return lock:acquire() and sync.settle() end)
      fail_with(settler, other)
    end)
  end)

  it("does so in random programs", function()
    for number = 1, 40 do
      local program = programs.draw(number, 4, true)
      local text = ("program %d:\n%s"):format(number, programs.text(program))
      local early = number % 6 == 0 and math.huge or 0
      repeats(programs.body(program), { seconds = 0.05, early_ticks = early }, text)
    end
  end)
end)

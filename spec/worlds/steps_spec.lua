--- Worlds moved from outside by the calls of src/sim/steps.h: steps_test.c moves some and prints what it sees.
local sync = require "luasync"
local support = require "spec.support"

local program = support.host:gsub("luasync$", "steps_test")

--- What the program has printed, by title: a list of lines.
local function run()
  local pipe = assert(io.popen(support.quote(program) .. " 2>&1"))
  local parts, part = {}, nil
  for line in pipe:lines() do
    if line:find "^[%a:' ]+$" and not line:find "^ " and not line:find "%d:" then
      part = {}
      parts[line] = part
    else
      part[#part + 1] = (line:gsub("^%s+", ""))
    end
  end
  assert(pipe:close())
  return parts
end

describe("a world moved from outside", function()
  local parts = run()

  it("holds each thread in front of its operation until it is stepped", function()
    local lines = parts["one after the other"]
    assert.equal("0:start", lines[1])
    assert.equal("0  0:start 1:acquire", lines[2])
    assert.equal("0  0:join 1:acquire 2:acquire", lines[3])
    assert.equal("1  0:join 1:get 2:acquire", lines[4])
    assert.equal("1  0:join 1:end 2:acquire", lines[7])
    assert.equal("1  0:join 2:acquire", lines[8])
    assert.matches("^done, output '2'", lines[#lines])
  end)

  it("ends wherever it stands", function()
    local lines = parts["abandoned in the midst"]
    assert.matches("^abandoned, output ''", lines[#lines])
  end)

  it("lets a thread that must wait stand in line, and runs it on when it is woken", function()
    local lines = parts["a taken lock: the second stands in line"]
    assert.equal("2  0:join 1:get 2:parked", lines[5])
    assert.equal("1  0:join 1:release 2:parked", lines[7])
    assert.equal("1  0:join 1:end 2:get", lines[8])
    lines = parts["a condition"]
    assert.equal("1  0:acquire 1:parked", lines[4])
    assert.equal("0  0:join 1:reacquire", lines[#lines - 1])
  end)

  it("has a clock that goes on only when it is told to", function()
    local lines = parts["the clock"]
    assert.equal("0  0:parked 1:parked", lines[4])
    assert.equal("! 0:parked 1:end", lines[5])
    assert.equal("! 0:clock 1:end", lines[6])
    assert.equal("! (no deadline) 0:clock 1:end", lines[7])
  end)

  it("goes back to a checkpoint as if nothing had happened since #noasan #notsan", function()
    local runs = {
      ["every way of a lost update"] = 20, ["every way of two adders"] = 2217,
      ["every way of a condition"] = 15, ["every way with much garbage"] = 28,
    }
    for title, n in pairs(runs) do
      assert.equal(("%d runs with checkpoints, %d without: the same"):format(n, n), parts[title][1], title)
    end
  end)

  it("writes schedules that a replay follows", function()
    local lines = parts["last first"]
    local output, schedule = lines[#lines]:match "^done, output '(.*)', schedule (.*)$"
    assert.equal("2", output)
    local report = sync.simulate(function()
      local lock, shared = sync.Lock(), sync.Shared { n = 0 }
      local function add()
        lock:acquire()
        shared.n = shared.n + 1
        lock:release()
      end
      local a, b = sync.spawn(add), sync.spawn(add)
      a:join()
      b:join()
      io.write(shared.n)
    end, { schedule = schedule })
    assert.is_nil(report.error)
    assert.is_nil(report.note)
    assert.equal("2", report.output)
  end)
end)

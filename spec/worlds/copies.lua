--- What the specs of warnings of changed copies share: Python programs typed in with plain globals and tables.
local assert = require "luassert"
local command = require "spec.command"

local copies = {}

copies.SYNC = 'local sync = require "luasync"\n'

--- Runs a script, whose second line is the first of `text`; its name in what it says is SCRIPT.
function copies.run(text, ...)
  local result = command.text(copies.SYNC .. text, ...)
  result.err = result.err:gsub(result.name:gsub("%p", "%%%0"), "SCRIPT")
  return result
end

local WORLDS = { { "real" }, { "virtual", "--virtual" }, { "seed", "--seed", "3" } }

--- Runs it in each world; `check` gets the result.
function copies.everywhere(text, check)
  for _, world in ipairs(WORLDS) do
    check(copies.run(text, table.unpack(world, 2)), world[1])
  end
end

--- Asserts that each world gives these warnings, threads having the number N.
function copies.warns(text, expected)
  copies.everywhere(text, function(result, world)
    local warnings = {}
    for line in result.err:gmatch "luasync: warning: ([^\n]*)" do
      warnings[#warnings + 1] = line:gsub("Thread%-%d", "Thread-N")
    end
    assert.same(expected, warnings, world .. ": " .. result.err)
  end)
end

--- Asserts that nothing is said in any world.
function copies.is_silent(text)
  copies.everywhere(text, function(result, world)
    assert.equal("", result.err, world)
    assert.equal(0, result.code)
  end)
end

--- A thread that counts in a captured local, which main prints.
copies.COUNT = [[
local count = 0
local t = sync.spawn(function()
  for _ = 1, 1000 do
    count = count + 1
  end
end)
t:join()
print(count)]]

copies.TUTORIAL_23 = [[
condition = sync.Condition()
data_ready = false
function consumer()
  local _ <close> = condition:hold()
  while not data_ready do
    condition:wait()
  end
  print("Data consumed")
end
function producer()
  local _ <close> = condition:hold()
  data_ready = true
  condition:notify()
end
t1 = sync.Thread{ name = "Consumer", target = consumer }
t2 = sync.Thread{ name = "Producer", target = producer }
t1:start()
t2:start()]]

return copies

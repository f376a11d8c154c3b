--- How a report names the steps of an execution: as the script has written them.
local command = require "spec.command"

local program = [[
local sync = require "luasync"
local list = sync.Shared({}, { name = "list" })
local count = sync.Atomic(0, { name = "count" })
local queue = sync.Queue{ name = "queue" }
table.insert(list, "x")
list.n = #list
for _ in pairs(list) do end
for _ in ipairs(list) do end
list.n = nil
list["two words"] = true
sync.update(list, "n", function() return 1 end)
sync.snapshot(list)
count:add(1)
pcall(count.compare_exchange, count, 1, 2)
queue:qsize()
table.remove(list)
error "end"]]

local expected = [[
     1   100%  #list in table.insert  :5
     2   100%  list[1] = … in table.insert  :5
     3   100%  #list  :6
     4   100%  list.n = …  :6
     5   100%  pairs(list)  :7
     6   100%  list[1]  :7
     7   100%  list.n  :7
     8   100%  list[1]  :8
     9   100%  list[2]  :8
    10   100%  list.n = nil  :9
    11   100%  list["two words"] = …  :10
    12   100%  update(list, "n")  :11
    13   100%  snapshot(list)  :12
    14   100%  count:add  :13
    15   100%  count:update  :14
    16   100%  queue:qsize  :15
    17   100%  #list in table.remove  :16
    18   100%  list[1] in table.remove  :16
    19   100%  list[1] = nil in table.remove  :16
]]

describe("a report's steps", function()
  it("stand there as the script has written them #noasan #notsan", function()
    local r = command.text(program, "--explore")
    assert.equal(expected, (r.out:match "MainThread\n(.-  )[^\n]*:17: end\n" or r.out):gsub("  $", ""))
  end)

  it("name the starts of a thread that is started twice #noasan #notsan", function()
    local r = command.text([[
local sync = require "luasync"
local t = sync.Thread(function() end)
sync.Thread{ daemon = true, target = function() t:start() end }:start()
t:start()]], "--explore")
    assert.matches("\n     1 +%d+%%  Thread%-1:start  :4 *\n     2 +100%%  +Thread%-1:start  :3\n", r.out)
    assert.matches("\n     1 +100%%  +Thread%-1:start  :3\n     2 +100%%  Thread%-1:start  :4 *\n", r.out)
    assert.equal(1, r.code)
  end)

  it("say in a race which function of Lua's has looked", function()
    local r = command.text([[
local sync = require "luasync"
local list = sync.Shared({ 1 }, { name = "list" })
local t = sync.spawn(function() return #list end)
table.insert(list, "x")
t:join()]], "--explore")
    assert.matches("asks for its length at [^\n]*:3\n", r.out)
    assert.matches("MainThread sets it in table.insert at [^\n]*:4\n", r.out)
  end)

  it("end where all has happened that makes a race", function()
    local r = command.text([[
local sync = require "luasync"
local s, n = sync.Shared{ x = 0 }, sync.Atomic(0)
local t = sync.spawn(function() s.x = 1 n:add(1) end)
s.x = 2
n:add(1)
t:join()
assert(n:get() == 2)]], "--explore")
    assert.matches("\n     3 +Shared%-1%.x = …  :3\n     …\n  race on 'x' of Shared", r.out)
  end)

  it("are those of the script, not of the module logging", function()
    local r = command.text([[
local sync = require "luasync"
local logging = require "luasync.logging"
logging.basicConfig{ level = logging.DEBUG }
local a, b = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }
local t = sync.spawn(function()
  a:acquire()
  logging.debug "first"
  b:acquire()
end)
b:acquire()
logging.debug "second"
a:acquire()]], "--explore")
    assert.equal(3, r.code)
    assert.matches("A:acquire  :6\n", r.out, 1, true)
    assert.is_nil(r.out:find("config", 1, true))
  end)

  it("are shown once for threads that do the same #noasan #notsan", function()
    local r = command.run{ "--explore", "scripts/puzzles/02_reusable_barrier.lua" }
    local _, whole = r.out:gsub("%f[^\n\0]FAIL deadlock", "")
    local _, short = r.out:gsub("\nalso deadlock in 7344 executions: all 3 threads wait", "")
    assert.same({ 1, 2 }, { whole, short }, r.out)
  end)
end)

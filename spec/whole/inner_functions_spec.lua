-- Functions that luasync calls under lua_pcall are seen by hooks, and so by scripts: whatever they are called with then
-- is an error and no crash.
local command = require "spec.command"

local PROGRAM = [==[
local sync = require "luasync"
local known, seen = {}, {}
for _, library in pairs { _G, debug, io, os, coroutine, package, string, table, math, utf8, sync } do
  for _, f in pairs(library) do known[f] = true end
end
for _, kind in pairs(sync) do
  local methods = type(kind) == "table" and kind or {}
  for _, f in pairs(methods) do known[f] = true end
end
local function look()
  local f = debug.getinfo(2, "f").func
  if debug.getinfo(f, "S").what == "C" and not known[f] then seen[f] = true end
end

sync.set_excepthook(function() end)
debug.sethook(look, "cr")
local Class = setmetatable({ __index = { method = function() return sync.current_thread() end } }, { __call = print })
local function work(...) return setmetatable({ ... }, Class), print, debug.traceback "here" end
local queue, shared, pool = sync.Queue(), sync.Shared { list = {}, [1] = sync.Lock() }, sync.Pool(2)
for _, value in ipairs { 1, "text", work, Class, sync.Lock(), string.rep("long", 50), { { { {} } } }, work(1) } do
  queue:put(value)
  queue:get()
  pcall(function() shared.value = value end)
  local _ = shared.value
end
for key in pairs(shared) do shared[key] = nil end
print(pcall(queue.put, queue, coroutine.create(work)))
sync.spawn(work, Class, queue):result()
pcall(function() sync.spawn(error, "wrong"):result() end)
pool:submit(work, 1):result()
pool:map(work, { 1, 2 })
pool:shutdown()
local own = sync.Local(function() return { queue } end)
own.x = own
sync.update(shared, "n", function(n) return (n or 0) + 1 end)
sync.snapshot(shared)
local _ = #sync.dump(), sync.enumerate(), sync.select({ queue }, 0)
sync.simulate(function() return sync.spawn(sync.Lock):result(), debug.sethook() end, { seed = 1 })
sync.explore(function() sync.spawn(print, 1):join() end)
collectgarbage()
debug.sethook()

local n = 0
for f in pairs(seen) do
  n = n + 1
  for _, arguments in ipairs { {}, { 1, 2, 3 }, { "x", {}, {} }, { {}, 1 }, { queue, queue, queue }, { work, work },
                               { pool, 1 }, { sync.current_thread(), "e" }, { io.stdout } } do
    pcall(f, table.unpack(arguments))
  end
end
print(n)
]==]

describe("A function of the inside that a hook has shown", function()
  it("raises an error when a script calls it", function()
    local run = command.text(PROGRAM)
    assert.equal("", run.err)
    assert.equal(0, run.code)
    assert.is_true(tonumber(run.out:match "(%d+)\n$") > 10, run.out)
  end)
end)

describe("A table of the inside that the debug library shows", function()
  it("may hold anything: an object comes as itself, and waits are looked at", function()
    local run = command.text [==[
local sync = require "luasync"
local queue, lock = sync.Queue(), sync.Lock()
for key, value in next, debug.getregistry() do
  if type(key) == "userdata" and type(value) == "table" then
    for k, v in next, value do
      if v == queue then value[k] = io.stdout elseif v == lock then value[k] = 42 end
    end
  end
end
local a, b = sync.spawn(function(...) return ... end, queue, lock):result()
print(a == queue, b == lock)
sync.Queue():get(true, 0.3) -- while it waits, what the state has is looked at
]==]
    assert.equal("true\ttrue\n", run.out, run.err)
    assert.equal(0, run.code)
  end)
end)

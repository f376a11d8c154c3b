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

describe("debug.getregistry", function()
  it("shows and takes what Lua and others keep there", function()
    local registry = debug.getregistry()
    assert.equal(registry, debug.getregistry())
    assert.equal(_G, registry[2])
    assert.equal(package.loaded, registry._LOADED)
    assert.equal(2, #registry)
    registry.of_a_spec = { 1 }
    local found
    for key, value in pairs(registry) do found = key == "of_a_spec" and value or found end
    assert.same({ 1 }, found)
    registry.of_a_spec = nil
    assert.is_nil(registry.of_a_spec)
    assert.has_error(function() registry[nil] = 1 end, "table index is nil")
  end)

  it("shows nothing of ours that a script could break", function()
    local run = command.text [==[
local sync = require "luasync"
local l = sync.Local()
l.x = 1
sync.spawn(function(own) own.x = 2 return function() end, setmetatable({}, { __index = own }) end, l):result()
local function look()
  for key in pairs(debug.getregistry()) do
    if type(key) == "userdata" or tostring(key):find "^luasync" then print(key) end
  end
end
look()
sync.spawn(look):join()
print(debug.getregistry()["luasync.Lock"], pcall(function() debug.getregistry()["luasync.Pin"] = 1 end))
local queue = sync.Queue()
queue:put(l)
print(queue:get().x)
]==]
    assert.matches("^nil\tfalse\t.*is luasync's own\n1\n$", run.out, 1, false)
    assert.equal(0, run.code, run.err)
  end)
end)

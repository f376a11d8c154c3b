--- One thread of a fuzzed program: puts a state's `fuzz` table together and makes calls.

local worker = {}

local PARTS = { "values", "calls", "lua" }

--- The text of the parts and what all threads agree on: a plain table, to be handed to each of them.
-- @param folder of these files
function worker.plan(folder)
  local plan = { folder = folder, parts = {}, properties = { "name", "nothing", 1, 2 } }
  for i, name in ipairs(PARTS) do
    local file = assert(io.open(folder .. name .. ".lua"))
    plan.parts[i] = { name = name, text = file:read "a" }
    file:close()
  end
  plan.arguments = dofile(folder .. "arguments.lua")
  for _, section in ipairs(require "luasync.reference".sections) do
    for _, entry in ipairs(section) do
      if entry.kind == "property" then
        plan.properties[#plan.properties + 1] = entry.name:match "[%w_]+$"
      end
    end
  end
  return plan
end

--- Makes `job.calls` calls, drawn from job.seed and job.number.
-- @param job { plan =, seed =, number =, calls =, common = Shared, progress = Atomic, objects = list, log = boolean,
--   ready = Atomic or nil: counts those that have begun }
-- @return how many were made, how many of them raised an error, a number that all results have gone into
function worker.run(job)
  local CHUNK = 20                -- calls between two signs of life
  local sync = require "luasync"
  local fuzz = {
    sync = sync, objects = job.objects, pool = { 1 }, common = job.common,
    arguments = job.plan.arguments, properties = job.plan.properties, library = {},
  }
  for _, library in pairs { _G, debug, io, os, coroutine, package, string, table, sync } do
    for _, f in pairs(library) do fuzz.library[f] = true end     -- not to be called blindly: os.exit, debug.debug
  end
  -- Lua's own buffers have a finaliser that takes any table for one of them; the first long text makes it.
  local boxes = ("x"):rep(10000) and debug.getregistry()["_UBOX*"]
  for _, f in pairs(boxes or {}) do fuzz.library[f] = true end
  for name in pairs { sleep = 1, simulate = 1 } do fuzz.library[sync[name]] = true end

  local digest, last, byte = 0, "nothing", string.byte
  local function mix(text)
    local bytes = { byte(text, 1, 60) }           -- at once: each call of a function is slow where stacks move
    for i = 1, #bytes do digest = (digest * 33 ~ bytes[i]) & 0xffffffffffff end
  end
  function fuzz.note(...)
    last = ("%s %s %s"):format(..., select(2, ...) or "", fuzz.kind((select(3, ...))) or "")
    mix(last)
    if job.log then print(job.number, last) end
  end
  local function result(...)
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      local kind = type(value)
      mix((kind == "string" or kind == "number" or kind == "boolean") and tostring(value) or kind)
    end
    if job.log then print(job.number, collectgarbage "count" * 1024 | 0, "->", ...) end
    return ...
  end

  math.randomseed(job.seed, job.number)
  for _, part in ipairs(job.plan.parts) do assert(load(part.text, "@" .. part.name))()(fuzz) end
  local made, failed = 0, 0
  local function call()
    fuzz.inside = true              -- from here on hooks act
    return fuzz.call()
  end
  local function some()
    while made < job.calls do
      made = made + 1
      if made % CHUNK == 0 then
        job.progress:add(CHUNK)
        mix(tostring(collectgarbage "count"))
      end
      local results = table.pack(pcall(call))
      fuzz.inside = false
      if not result(table.unpack(results, 1, results.n)) then failed = failed + 1 end
    end
  end
  --- An interrupt may come between two calls, and between two calls of that.
  local function go_on()
    while made < job.calls do
      pcall(some)
      fuzz.inside = false
    end
  end
  if job.ready then job.ready:add(1) end
  while made < job.calls do pcall(go_on) end
  debug.sethook()
  return made, failed, digest
end

return worker

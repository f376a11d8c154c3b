-- Draws the timelines that README and the reference show, from the programs themselves.
--
-- usage: luasync scripts/pictures.lua FOLDER
--
-- FOLDER, which must exist, gets an SVG for each. The runs are simulated, so the same programs give the same bytes.
local trace = require "luasync.trace"

local WIDTH = 700

local RUNS = {
  traffic_signal = "--virtual scripts/tutorial/11_event_traffic_signal.lua",
  semaphore_pool = "--virtual scripts/tutorial/32_semaphore_active_pool.lua",
  philosophers = "--seed 16 scripts/examples/philosophers.lua",
}

local folder, host = arg[1], arg[-1]
if not folder then
  io.stderr:write "usage: luasync scripts/pictures.lua FOLDER\n"
  os.exit(1)
end

local function quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function record(run)
  local name = os.tmpname()
  os.execute(("%s --trace %s %s >%s 2>&1"):format(quote(host), quote(name .. ".json"), run, quote(name)))
  local recording, problem = trace.read(name .. ".json")
  os.remove(name)
  os.remove(name .. ".json")
  return recording or error(problem, 0)
end

for name, run in pairs(RUNS) do
  local file = assert(io.open(("%s/%s.svg"):format(folder, name), "wb"))
  assert(file:write(assert(trace.format(record(run), ".svg", { width = WIDTH }))))
  assert(file:close())
end

-- Heat along a rod, in phases: three threads each compute a part, and none begins a step before all have ended the
-- one before. The barrier's action runs between two steps, while everybody waits: it swaps old and new.
local sync = require "luasync"

local CELLS, WORKERS, STEPS = 12, 3, 30
local rod, now = { sync.Shared(), sync.Shared() }, sync.Atomic(1) -- rod[now] is read, the other one written
for i = 0, CELLS + 1 do rod[1][i], rod[2][i] = 0.0, 0.0 end
rod[1][0], rod[2][0] = 100.0, 100.0                                -- one end is kept hot

local phase = sync.Barrier(WORKERS, function() now:set(3 - now:get()) end, { name = "phase" })

local function work(first, last)
  for _ = 1, STEPS do
    local old, new = rod[now:get()], rod[3 - now:get()]
    for i = first, last do new[i] = (old[i - 1] + old[i] + old[i + 1]) / 3 end
    phase:wait()
  end
end

local threads, each = {}, CELLS // WORKERS
for i = 1, WORKERS do threads[i] = sync.spawn(work, (i - 1) * each + 1, i * each) end
for _, thread in ipairs(threads) do thread:result() end

local cells = {}
for i = 1, CELLS do cells[i] = ("%.0f"):format(rod[now:get()][i]) end
print(table.concat(cells, " "))

-- Work for the processor, spread over its cores: each thread has its own Lua state, so they run at the same
-- time. Arguments go in as copies, `result()` brings the results back.
local sync = require "luasync"

-- the sum of 1/k² for k in [from, to]
local function partial_sum(from, to)
  local sum = 0.0
  for k = to, from, -1 do sum = sum + 1 / (k * k) end
  return sum
end

local N = 12000000
local cores = sync.cpu_count()

local begin = sync.monotonic()
local alone = partial_sum(1, N)
local alone_seconds = sync.monotonic() - begin

begin = sync.monotonic()
local threads = {}
for i = 1, cores do
  threads[i] = sync.spawn(partial_sum, N * (i - 1) // cores + 1, N * i // cores)
end
local together = 0.0
for _, thread in ipairs(threads) do together = together + thread:result() end
local together_seconds = sync.monotonic() - begin

print(("one thread:  %.9f in %.2f s"):format(alone, alone_seconds))
print(("%d threads:   %.9f in %.2f s"):format(cores, together, together_seconds))
print(("pi²/6:       %.9f"):format(math.pi ^ 2 / 6))

-- A pipeline: lines go through three stages, each in threads of its own, with a queue before each stage.
-- A stage that has finished shuts down the queue behind it; `items()` then ends when the last item is taken,
-- and the end runs down the whole pipeline.
local sync = require "luasync"

local text = [[
the quick brown fox jumps over the lazy dog
a lock is a door and a queue is a corridor
every word of every line is counted by its length
]]

local lines, words, lengths = sync.Queue(2), sync.Queue(8), sync.Queue(8)

local function split()
  for line in lines:items() do
    for word in line:gmatch("%a+") do words:put(word) end
  end
  words:shutdown()
end

local function measure()
  for word in words:items() do lengths:put{ word = word, length = #word } end
end

local function count()
  local counts = {}
  for item in lengths:items() do
    counts[item.length] = (counts[item.length] or 0) + 1
  end
  return counts
end

sync.spawn(split)
local measurers = { sync.spawn(measure), sync.spawn(measure), sync.spawn(measure) }
local counter = sync.spawn(count)

for line in text:gmatch("[^\n]+") do lines:put(line) end
lines:shutdown()
-- Three threads fill this queue, so the end is theirs together.
for _, measurer in ipairs(measurers) do measurer:join() end
lengths:shutdown()

local counts = counter:result()
for length = 1, 10 do
  if counts[length] then print(("%2d letters: %s"):format(length, ("#"):rep(counts[length]))) end
end

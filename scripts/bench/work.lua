--- Plain Lua work, none of it knowing of threads: run as it is by lua5.4, by luasync and by the C floor.
-- Each function takes a size and returns something that depends on all it did.
local work = {}

--- Calls and integer arithmetic.
function work.fib(n)
  local function fib(k)
    if k < 2 then return k end
    return fib(k - 1) + fib(k - 2)
  end
  return fib(n)
end

--- String building: short strings made, interned, collected in a table, joined; then taken apart again.
function work.strings(n)
  local total = 0
  for round = 1, n do
    local parts = {}
    for i = 1, 1000 do parts[i] = "item " .. i .. ":" .. round end
    local text = table.concat(parts, ",")
    for word in text:gmatch("[^,]+") do total = total + #word end
  end
  return total
end

--- Table work: records made, filled, sorted, looked up by name and dropped.
function work.tables(n)
  local total = 0
  for round = 1, n do
    local list, byname = {}, {}
    for i = 1, 1000 do
      local record = { id = i, weight = (i * 7919 + round) % 1009, tags = { i, i + 1 } }
      list[i] = record
      byname["r" .. i] = record
    end
    table.sort(list, function(a, b) return a.weight < b.weight end)
    for i = 1, 1000, 3 do total = total + byname["r" .. i].weight + list[i].tags[2] end
  end
  return total
end

--- Large tables built and collected: n generations of 50,000 records; the allocator and the collector do most of it.
function work.churn(n)
  local total = 0
  for _ = 1, n do
    local list = {}
    for i = 1, 50000 do list[i] = { i, name = "x" } end
    total = total + #list
  end
  collectgarbage()
  return total
end

return work

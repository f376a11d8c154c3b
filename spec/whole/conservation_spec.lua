-- Eight producers, eight consumers, every way to put and to get, interrupts and shutdowns:
-- what a queue has accepted is delivered exactly once, in the order of its producer.
-- LUASYNC_STRESS_SEED=n repeats the random choices of a failing run, LUASYNC_STRESS=n makes it n times longer.
local sync = require "luasync"
local support = require "spec.support"

local seed = tonumber(os.getenv "LUASYNC_STRESS_SEED") or os.time()
local factor = tonumber(os.getenv "LUASYNC_STRESS") or 1
local PRODUCERS, CONSUMERS = 8, 8

-- A message is a number, a string or a table; all say who sent it and which of its it is.
local function message(p, n)
  local way = n % 4
  if way == 0 then return ("%d/%d"):format(p, n) end
  if way == 1 then return { p, n, tostring(n) } end
  return p << 32 | n
end

local function read(item)
  if type(item) == "table" then return item[1], item[2] end
  if type(item) == "string" then
    local p, n = item:match "(%d+)/(%d+)"
    return tonumber(p), tonumber(n)
  end
  return item >> 32, item & 0xffffffff
end

--- Calls fn() until it returns, again after each interrupt. One interrupt is due for each time that
-- the token is set, and the call goes on without its token only when that has come: so none hits
-- the thread elsewhere. Returns how many came that fn did not raise itself, as "told".
local function interruptible(token, fn)
  local over = false
  local function body()
    token:set(1)
    if not over then fn() end
    over = true
    if not token:compare_exchange(1, 0) then sync.Event():wait() end
  end
  local times = 0
  repeat
    local ok, why = pcall(body)
    if not ok and why ~= "told" and not over then times = times + 1 end
  until over
  return times
end

--- A producer. Returns the numbers of its messages that were refused, and of those of which it
-- cannot know: an interrupt came before it could look at what the call had returned.
local function produce(queue, token, p, each, chance, message_of)
  math.randomseed(chance, p)
  local refused, unknown, n, settled = {}, {}, 0, 0
  local function one(item)
    local way = math.random(4)
    if way == 1 then return pcall(queue.put, queue, item) end
    if way == 2 then return pcall(queue.put, queue, item, true, 0.0005) end
    if way == 3 then return pcall(queue.put, queue, item, false) end
    return pcall(queue.put_nowait, queue, item)
  end
  local function all()
    while n < each do
      n = n + 1
      local item = message_of(p, n)
      local ok, accepted, why
      repeat
        ok, accepted, why = one(item)
      until not ok or accepted or why == "shutdown"
      if not (ok and accepted) then refused[#refused + 1] = n end
      settled = n
      if not ok then error("told", 0) end
    end
  end
  interruptible(token, function()
    if settled < n then
      unknown[#unknown + 1] = n
      settled = n
    end
    all()
  end)
  return refused, unknown
end

--- A consumer, until the queue is shut down and empty. Returns what it has got, as the numbers
-- of each producer, and how often an interrupt came when an item might have been in its hands.
local function consume(queue, token, c, chance, producers, read_of)
  math.randomseed(chance, -c)
  local got, over = {}, false
  for p = 1, producers do got[p] = {} end
  local never = sync.Event()
  local function one()
    local way = math.random(6)
    if way == 1 then return pcall(queue.get, queue) end
    if way == 2 then return pcall(queue.get, queue, true, 0.0005) end
    if way == 3 then return pcall(queue.get, queue, false) end
    if way == 4 then return pcall(queue.get_nowait, queue) end
    local ok, index, item, why = pcall(sync.select, { never, queue }, way == 5 and 0.0005 or nil)
    if not ok or index then return ok, item, why end
    return ok, nil, item
  end
  local function all()
    repeat
      local ok, item, why = one()
      if not ok then error("told", 0) end
      if item then
        local p, n = read_of(item)
        table.insert(got[p], n)
      elseif why == "shutdown" then
        over = true
      end
    until over
  end
  return got, interruptible(token, all)
end

--- How often each message has been delivered; fails where one consumer got a producer's out of order.
local function count(results, in_order)
  local times = {}
  for p = 1, PRODUCERS do times[p] = {} end
  for _, got in ipairs(results) do
    for p, list in ipairs(got) do
      local before = 0
      for _, n in ipairs(list) do
        if in_order and n <= before then error(("producer %d: %d after %d"):format(p, n, before)) end
        before = n
        times[p][n] = (times[p][n] or 0) + 1
      end
    end
  end
  return times
end

--- Fails unless everything accepted has been delivered once; `lost` may be in no one's hands.
local function check(times, each, refused, unknown, lost)
  for p = 1, PRODUCERS do
    local may = {}
    for _, n in ipairs(refused[p]) do may[n] = "refused" end
    for _, n in ipairs(unknown[p]) do may[n] = "unknown" end
    for n = 1, each do
      local delivered = times[p][n] or 0
      if delivered > 1 or (may[n] == "refused" and delivered > 0) then
        error(("message %d of producer %d, %s: delivered %d times"):format(n, p, may[n] or "accepted", delivered))
      end
      if delivered == 0 and not may[n] then
        lost = lost - 1
        if lost < 0 then error(("message %d of producer %d is lost"):format(n, p)) end
      end
    end
  end
end

--- One run; disturb(producers, consumers, tokens) is called when all have started.
local function run(queue, each, in_order, disturb)
  local producers, consumers, tokens = {}, {}, {}
  local function start(list, i, fn, ...)
    local token = sync.Atomic(0)
    list[i] = support.start(fn, queue, token, i, ...)
    tokens[list[i]] = token
  end
  for c = 1, CONSUMERS do start(consumers, c, consume, seed, PRODUCERS, read) end
  for p = 1, PRODUCERS do start(producers, p, produce, each, seed, message) end
  if disturb then disturb(producers, consumers, tokens) end
  local refused, unknown, results, lost = {}, {}, {}, 0
  for p, thread in ipairs(producers) do
    thread:join()
    refused[p], unknown[p] = thread:result()
  end
  queue:shutdown()
  for c, thread in ipairs(consumers) do
    local doubt
    thread:join()
    results[c], doubt = thread:result()
    lost = lost + doubt
  end
  assert.equal(0, queue:qsize())
  check(count(results, in_order), each, refused, unknown, lost)
end

local function alive(threads)
  for _, thread in ipairs(threads) do
    if thread:is_alive() then return true end
  end
  return false
end

--- Interrupts one of the victims now and then, for as long as the producers run.
local function interrupting(choose)
  return function(producers, consumers, tokens)
    local victims = choose(producers, consumers)
    while alive(producers) do
      local victim = victims[math.random(#victims)]
      if tokens[victim]:compare_exchange(1, 0) then victim:interrupt() end
      sync.sleep(0.0003)
    end
  end
end

describe("conservation (seed " .. seed .. ")", function()
  local each = 50 * factor
  local queues = {
    ["a queue of one"] = { function() return sync.Queue(1) end, true },
    ["a queue of two"] = { function() return sync.Queue(2) end, true },
    ["a queue of 64"] = { function() return sync.Queue(64) end, true },
    ["a queue without a bound"] = { function() return sync.Queue() end, true },
    ["a stack"] = { function() return sync.LifoQueue(3) end, false },
  }

  for name, case in pairs(queues) do
    it("holds for " .. name, function() run(case[1](), each, case[2]) end)

    it("holds for " .. name .. " whose producers are interrupted", function()
      run(case[1](), each, case[2], interrupting(function(producers) return producers end))
    end)

    it("holds for " .. name .. " whose consumers are interrupted", function()
      run(case[1](), each, case[2], interrupting(function(_, consumers) return consumers end))
    end)

    it("holds for " .. name .. " that is shut down in the middle", function()
      local queue = case[1]()
      run(queue, each, case[2], function()
        sync.sleep(math.random() * 0.003 * factor)
        queue:shutdown()
      end)
    end)
  end

  it("holds in simulated worlds, interrupts and shutdowns included", function()
    for round = 1, 4 do
      local report = sync.simulate(function()
        local ways = {
          false,
          interrupting(function(producers) return producers end),
          interrupting(function(_, consumers) return consumers end),
        }
        for _, way in ipairs(ways) do
          for size = 0, 2 do run(sync.Queue(size), 12, true, way or nil) end
        end
      end, { seed = seed + round })
      assert(report.ok, report.message)
    end
  end)
end)

-- Runs every program of scripts/tutorial in a child process and compares its lines with the Python
-- program's. Where Python leaves the order open, so do the expectations here.
--
-- On a virtual clock if the host has one, otherwise with sleeps made shorter.

local sync = require "luasync"
local support = require "spec.support"

local root = (debug.getinfo(1, "S").source:match "^@(.*)spec/" or "") .. "./"

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local have_host = exists(support.host)

-- Runs a script; `before` is what stands before the host on the command line, `after` behind it.
-- Returns its lines (both streams in one, as on a terminal) and its exit code.
local function run(script, before, after)
  local command = ("%s timeout -k 1 60 %s %s %s 2>&1 </dev/null"):format(before or "",
    support.quote(support.host), after or "", support.quote(root .. script))
  local pipe = io.popen(command)
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  local lines = {}
  for line in text:gmatch "([^\n]*)\n?" do lines[#lines + 1] = line end
  if lines[#lines] == "" then lines[#lines] = nil end
  return lines, code
end

local have_virtual = have_host
  and (os.execute(support.quote(support.host) .. " --virtual -e 'local x = 1' >/dev/null 2>&1")) == true

----------------------------------------------------------------------------------------------------
-- Expectations
--
-- A list of steps, one after the other. A step is a string (one write, maybe of several lines), a
-- pattern(...), or together{ a, b, … }: lists of steps, each in its order, that may mix with each other.

local function pattern(text) return { pattern = "^" .. text .. "$" } end
local function together(chains) return { chains = chains } end

local match_steps

-- How many lines the step's own text takes at `at`; nil if it does not stand there.
local function match_text(step, lines, at)
  if type(step) == "table" then
    return lines[at] and lines[at]:find(step.pattern) and 1
  end
  local count = 0
  for part in (step .. "\n"):gmatch "([^\n]*)\n" do
    if lines[at + count] ~= part then return nil end
    count = count + 1
  end
  return count
end

-- Takes the next step of any chain, then the others; tries the chains one after the other.
local function match_chains(chains, positions, lines, at, after)
  local open = false
  for c, chain in ipairs(chains) do
    local step = chain[positions[c]]
    if step then
      open = true
      local count = match_text(step, lines, at)
      if count then
        positions[c] = positions[c] + 1
        if match_chains(chains, positions, lines, at + count, after) then return true end
        positions[c] = positions[c] - 1
      end
    end
  end
  return not open and after(at)
end

-- after(at) is what has to hold behind the last step.
function match_steps(steps, index, lines, at, after)
  local step = steps[index]
  if not step then return after(at) end
  local function rest(position) return match_steps(steps, index + 1, lines, position, after) end
  if type(step) == "table" and step.chains then
    local positions = {}
    for c in ipairs(step.chains) do positions[c] = 1 end
    return match_chains(step.chains, positions, lines, at, rest)
  end
  local count = match_text(step, lines, at)
  return count and rest(at + count) or false
end

local function matches(steps, lines)
  return match_steps(steps, 1, lines, 1, function(at) return at == #lines + 1 end)
end

local function vehicles(from, to)
  local steps = {}
  for n = from, to do steps[#steps + 1] = ("Vehicle No: %d  Crossing the Signal"):format(n) end
  return steps
end

local function join(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

-- 11: policeman and traffic wake at the same moment, so on a real clock one vehicle more may slip
-- through before the signal is red.
local function traffic(first)
  return {
    "Waiting for GREEN Signal",
    together {
      { "Traffic Police Giving GREEN Signal", "Traffic Police Giving RED Signal",
        "Traffic Police Giving GREEN Signal" },
      join({ "GREEN Signal ... Traffic can move" }, vehicles(1, first),
        { "RED Signal ... Traffic has to wait", "Waiting for GREEN Signal", "GREEN Signal ... Traffic can move" },
        vehicles(first + 1, 10)),
    },
  }
end

local function check_traffic(lines)
  return matches(traffic(5), lines) or not have_virtual and matches(traffic(6), lines)
end

-- 13: what is obtained was generated, the last one first; four waits, three numbers.
-- Returns whether the lines hold together, and how many numbers were generated before the last wait.
local function follow_numbers(lines)
  local numbers, waits, obtained, generated = {}, 0, 0, 0
  local last
  for _, line in ipairs(lines) do
    local made, got = line:match "^Generated random number: (%d+)$", line:match "^Obtained random number (%d+)$"
    if made then
      if tonumber(made) < 1 or tonumber(made) > 10 then return false end
      numbers[#numbers + 1] = made
      if waits < 4 then generated = generated + 1 end
    elseif line == "Notification issued" then
      if not last:find "^Generated" then return false end
    elseif got then
      if table.remove(numbers) ~= got then return false end
      obtained = obtained + 1
    elseif line == "waiting for update" then
      waits = waits + 1
      if obtained ~= waits - 1 then return false end
    else
      return false
    end
    last = line
  end
  return waits == 4 and obtained == 3, generated
end

local function time_line(text) return pattern("%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d,%d%d%d " .. text) end

-- 32: at most two in the pool, everybody comes and goes once.
local function check_pool(lines)
  local waiting, inside, most = {}, {}, 0
  for _, line in ipairs(lines) do
    local name, text = line:match "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d,%d%d%d %(([0-3]) %) (.*)$"
    if not name then return false end
    if text == "Waiting to join the pool" then
      if waiting[name] then return false end
      waiting[name] = true
    else
      local list = text:match "^Running: %[(.*)%]$"
      if not (list and waiting[name]) then return false end
      local at
      for i, member in ipairs(inside) do at = member == name and i or at end
      if at then table.remove(inside, at) else inside[#inside + 1] = name end
      local shown = #inside > 0 and "'" .. table.concat(inside, "', '") .. "'" or ""
      if list ~= shown then return false end
      most = math.max(most, #inside)
    end
  end
  return #lines == 12 and #inside == 0 and most == 2
end

local function times(count, step)
  local steps = {}
  for i = 1, count do steps[i] = step end
  return steps
end

local consumer_lines = {
  time_line "%(c1%) Starting consumer thread", time_line "%(c2%) Starting consumer thread",
}
local producer_lines = {
  time_line "%(p %) Starting producer thread", time_line "%(p %) Making resource available",
}
local available = function(name) return time_line(("%%(%s%%) Resource is available to consumer"):format(name)) end

local function wait4(...)
  return { "\nStarted thread but waiting for event...", ... }
end

-- The lines of 52 and 53 behind the first five.
local incremented = times(5, pattern "Incremented value to [1-5]")

local expected = {
  ["11_event_traffic_signal"] = check_traffic,
  ["12_condition_constructor_fragment"] = { pattern "Condition.*" },
  ["13_condition_random_numbers"] = follow_numbers,
  ["13_condition_random_numbers_fixed"] = function(lines)
    local fine, generated = follow_numbers(lines)
    -- nothing is lost: a number is there for each wait, so the waits do not outlast four rounds
    return fine and generated <= 4
  end,
  ["21_queue_producer_consumer"] = {
    "Producing: 0", "Consuming: 0", "Producing: 1", "Consuming: 1", "Producing: 2", "Consuming: 2",
    "Producing: 3", "Consuming: 3", "Producing: 4", "Consuming: 4",
  },
  ["22_event_waiter_sender"] = { "Waiting for signal...", "Sending signal", "Signal received!" },
  ["23_condition_data_ready"] = { "Data consumed" },
  ["24_lock_shared_list"] = { pattern "%[.*%]" },
  ["24_lock_shared_list_fixed"] = { "['Item 1']" },
  ["25_queue_real_example"] = {
    together { { "Produced Data 0" }, { "Consumed: Data 0" } },
    together { { "Produced Data 1" }, { "Consumed: Data 1" } },
    together { { "Produced Data 2" }, { "Consumed: Data 2" } },
  },
  ["26_queue_constructor_fragment"] = { "Queue 0 True" },
  ["31_event_wait_timeout_logging"] = {
    together {
      { "(block     ) wait_for_event starting" },
      { "(non-block ) wait_for_event_timeout starting" },
      { "(MainThread) Waiting before calling Event.set()" },
    },
    "(non-block ) event set: False",
    "(non-block ) doing other work",
    "(non-block ) wait_for_event_timeout starting",
    together {
      { "(block     ) event set: True" },
      { "(non-block ) event set: True", "(non-block ) processing event" },
      { "(MainThread) Event is set" },
    },
  },
  ["32_semaphore_active_pool"] = check_pool,
  ["33_local_basic"] = {
    "(MainThread) No value yet",
    "(MainThread) value=1000",
    together {
      { "(Thread-1 (worker)) No value yet", pattern "%(Thread%-1 %(worker%)%) value=%d+" },
      { "(Thread-2 (worker)) No value yet", pattern "%(Thread%-2 %(worker%)%) value=%d+" },
    },
  },
  ["34_local_subclass_init"] = {
    pattern "%(MainThread%) Initializing .+",
    "(MainThread) value=1000",
    together {
      { pattern "%(Thread%-1 %(worker%)%) Initializing .+", "(Thread-1 (worker)) value=1000",
        pattern "%(Thread%-1 %(worker%)%) value=%d+" },
      { pattern "%(Thread%-2 %(worker%)%) Initializing .+", "(Thread-2 (worker)) value=1000",
        pattern "%(Thread%-2 %(worker%)%) value=%d+" },
    },
  },
  ["35_condition_notify_all"] = join(consumer_lines, producer_lines,
    { together { { available "c1" }, { available "c2" } } }),
  ["35_condition_notify_all_fixed"] = join(producer_lines,
    { consumer_lines[1], available "c1", consumer_lines[2], available "c2" }),
  ["41_event_constructor_fragment"] = { "False" },
  ["42_event_wait4"] = wait4(together {
    { "\nsetting of event is done" },
    { "\nreceived and releasing thread" },
  }),
  ["42b_event_wait4_timeout"] = wait4("\ntime is gone...", "\nsetting of event is done"),
  ["43_event_buyer_seller_retailer"] = {
    "John consumer is wait for product", "Tom producer producing items", "tom goes to retailer",
    "retailer found that product and directly send to buyer", "got product",
  },
  ["43b_event_buyer_seller_retailer_v2"] = {
    "John consumer is wait for product", "Tom producer producing items",
    "retailer found that product and directly send to buyer",
    together { { "got product" }, { "tom goes to retailer" } },
  },
  ["51_event_basic"] = {
    "Thread is waiting for the event to be set", "Event has been set, continuing execution...",
  },
  ["52_event_shared_resource"] = join(
    times(5, "Thread is trying to increment shared resource..."),
    { "Allowing threads to increment shared resource..." }, incremented, { "All threads have finished." }),
  ["52_event_shared_resource_fixed"] = join(
    times(5, "Thread is trying to increment shared resource..."),
    { "Allowing threads to increment shared resource...", "Incremented value to 1", "Incremented value to 2",
      "Incremented value to 3", "Incremented value to 4", "Incremented value to 5", "All threads have finished." }),
  ["53_event_shared_resource_walkthrough"] = join(
    times(5, "Thread is trying to increment shared resource…"),
    { together { { "Allowing threads to increment shared resource…" }, incremented } },
    { "All threads have finished." }),
}

local function holds(expectation, lines)
  if type(expectation) == "function" then return (expectation(lines)) end
  return matches(expectation, lines)
end

-- Checks one script. Shortened sleeps may come out of order on a busy machine: then it runs again, slower.
local function check(script, expectation)
  local ways = have_virtual and { { "", "--virtual" } }
    or { { "LUASYNC_SLEEP_SCALE=0.05", "" }, { "LUASYNC_SLEEP_SCALE=0.3", "" } }
  local lines, code
  for _, way in ipairs(ways) do
    lines, code = run(script, way[1], way[2])
    if code == 0 and holds(expectation, lines) then return end
  end
  error(("exit code %s; not the lines expected:\n%s"):format(code, table.concat(lines, "\n")), 2)
end

local function scripts_in(folder)
  local names = {}
  local pipe = io.popen("ls " .. support.quote(root .. folder))
  for name in pipe:lines() do names[#names + 1] = name:match "^(.*)%.lua$" end
  pipe:close()
  return names
end

describe("tutorial", function()
  for _, name in ipairs(scripts_in "scripts/tutorial") do
    it(name .. " prints the lines of the Python program", function()
      if not have_host then return pending "no host to run" end
      assert(expected[name], "no expectation for this script")
      check("scripts/tutorial/" .. name .. ".lua", expected[name])
    end)
  end

  it("has a script for every expectation", function()
    local there = {}
    for _, name in ipairs(scripts_in "scripts/tutorial") do there[name] = true end
    for name in pairs(expected) do assert.is_true(there[name], name) end
  end)

  it("the fixed programs hold every time", function()
    if not have_host then return pending "no host to run" end
    for _ = 1, 20 do
      assert.same({ "['Item 1']" }, (run "scripts/tutorial/24_lock_shared_list_fixed.lua"))
    end
  end)

  it("runs at the tutorial's own pace in real time", function()
    if not have_host then return pending "no host to run" end
    local seconds, lines, code = support.timed(run, "scripts/tutorial/22_event_waiter_sender.lua")
    assert.equal(0, code)
    assert.same({ "Waiting for signal...", "Sending signal", "Signal received!" }, lines)
    support.took(2, seconds)
  end)

  it("the traffic signal keeps its pace: GREEN after 5 seconds, a vehicle every 2 #slow", function()
    if not have_host then return pending "no host to run" end
    -- on a terminal, as a reader would watch it; into a pipe the lines would come in blocks
    local command = support.quote(support.host) .. " "
      .. support.quote(root .. "scripts/tutorial/11_event_traffic_signal.lua")
    local pipe = io.popen(("timeout 60 script -qec %s /dev/null </dev/null"):format(support.quote(command)))
    local begin, lines = nil, {}
    for line in pipe:lines() do
      line = line:gsub("\r$", "")
      begin = begin or sync.monotonic() -- a process may be long in starting
      lines[#lines + 1] = line
      local due = ({ 0, 5, 5, 5, 7, 9, 11, 13, 15, 15, 15, 20, 20, 20, 22, 24, 26, 28 })[#lines]
      assert.is_true(math.abs(sync.monotonic() - begin - due) < 0.9, line)
    end
    local _, _, code = pipe:close()
    assert.equal(0, code)
    assert.is_true(matches(traffic(5), lines), table.concat(lines, "\n"))
  end)
end)

describe("example", function()
  local all_counts = pattern "%d+ counts, none lost"
  local fine = {
    bounded_buffer = { "1000 items through a buffer of 3, sum 500500" },
    crawler = { "pages: 5", "false\t404 /nowhere", "threads left: 0" },
    lost_update_fixed = { all_counts },
    parallel_sum = {
      pattern "one thread: +1%.64493%d* in [%d.]+ s", pattern "%d+ threads: +1%.64493%d* in [%d.]+ s",
      pattern "pi²/6: +1%.644934067",
    },
    phases = { "82 66 51 38 27 18 12 7 4 3 1 1" },
    select = { "100 orders, 90 of them open" },
    timer = { "true\t42", "false\ttoo slow" },
    readers_writers = { "100 changes, 0 torn looks, RWLock 'prices' (unlocked)" },
    philosophers_fixed = { "all three have eaten" },
    pipeline = {
      " 1 letters: ####", " 2 letters: #####", " 3 letters: ######", " 4 letters: ######", " 5 letters: ######",
      " 6 letters: #", " 7 letters: #", " 8 letters: #",
    },
    primes = { "2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97" },
  }
  for name, expectation in pairs(fine) do
    it(name .. " runs", function()
      if not have_host then return pending "no host to run" end
      local lines, code = run("scripts/examples/" .. name .. ".lua")
      assert.equal(0, code, table.concat(lines, "\n"))
      assert.is_true(matches(expectation, lines), table.concat(lines, "\n"))
    end)
  end

  it("lost_update says how many counts are lost", function()
    if not have_host then return pending "no host to run" end
    local lines, code = run("scripts/examples/lost_update.lua")
    if code == 0 then
      assert.same({ "100000 counts, none lost" }, lines)
    else
      assert.equal(1, code)
      assert.is_truthy(lines[1]:find "%d+ of 100000 counts are lost$", lines[1])
    end
  end)

  it("deadlocks are for the explorer; most runs end well", function()
    if not have_host then return pending "no host to run" end
    for name, text in pairs { philosophers = "all three have eaten", lost_wakeup = "the news has come" } do
      local lines, code = run("scripts/examples/" .. name .. ".lua", "", have_virtual and "--virtual" or "")
      if code == 0 then
        assert.same({ text }, lines)
      else
        assert.equal(3, code, table.concat(lines, "\n"))
      end
    end
  end)
end)

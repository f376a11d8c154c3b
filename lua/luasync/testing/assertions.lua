--- The assertions that luasync.testing adds to luassert.

local sync = require "luasync"

local POLL = 0.001      -- seconds between two looks, at first
local POLL_MOST = 0.05  -- and at most
local PATIENCE = 10     -- seconds that `eventually` waits, and `blocks` for a thread that runs
local LOOKS = 3         -- in a row that find a thread in the same wait

local function record_of(thread)
  for _, record in ipairs(sync.threads()) do
    if record.id == thread.ident then return record end
  end
end

local function where(record)
  if not record then return "it has ended" end
  if record.state == "running" then return record.name .. " is running" end
  return ("%s is in %s%s at %s:%s"):format(record.name, record.operation or "a wait",
    record.object and " of " .. record.object or "", record.file or "?", record.line or "?")
end

--- Ends a thread that an assertion has started, also where there is no memory to say why.
local function stop(thread)
  if not pcall(thread.interrupt, thread, require "luasync.testing.inside".OVER) then thread:interrupt() end
  thread:join(1)
end

--- What an assertion closes: its thread ends with it, whatever comes meanwhile (an interrupt of the test, say).
local Guard = {}
Guard.__close = function(guard)
  if guard.thread:is_alive() then stop(guard.thread) end
end

--- @return a started thread, and its guard
local function start(fn)
  local thread = sync.Thread{ target = fn, daemon = true, name = "asserted" }
  local guard = setmetatable({ thread = thread }, Guard)
  return thread:start(), guard
end

--- Whether fn() parks for an object: in the same wait, look after look.
local function blocks(fn)
  local deadline, looks, since, record = sync.monotonic() + PATIENCE, 0, nil, nil
  local thread, _ <close> = start(fn)
  while looks < LOOKS and sync.monotonic() < deadline and not thread:join(POLL) do
    record = record_of(thread)
    local began = record and record.state == "blocked" and sync.monotonic() - record.since
    looks = began and since and math.abs(began - since) < POLL / 2 and looks + 1 or 0
    since = began
  end
  if looks >= LOOKS then return true, "it is parked: " .. where(record) end
  if thread:is_alive() then return false, "it has not parked: " .. where(record_of(thread)) end
  thread:result()
  return false, "it has returned"
end

local function completes_within(seconds, fn)
  local thread, _ <close> = start(fn)
  if thread:join(seconds) then
    thread:result()
    return true, ("it has returned within %g s"):format(seconds)
  end
  return false, ("after %g s %s"):format(seconds, where(record_of(thread)))
end

--- Looks until condition() is true or the time is over.
local function comes_true(condition, seconds)
  local deadline, pause = sync.monotonic() + seconds, POLL
  while true do
    if condition() then return true end
    local rest = deadline - sync.monotonic()
    if rest <= 0 then return false end
    sync.sleep(math.min(pause, rest))
    pause = math.min(2 * pause, POLL_MOST)
  end
end

local function deadlocks(fn)
  local report = sync.simulate(fn)
  local how = report.ok and "it has ended well" or report.message
  return report.deadlock ~= nil, how
end

local function eventually(condition, seconds)
  seconds = seconds or PATIENCE
  return comes_true(condition, seconds), ("within %g s"):format(seconds)
end

local function never(condition, seconds)
  return not comes_true(condition, seconds), ("within %g s"):format(seconds)
end

--- { name, check, what is said where it should hold, and where it should not }
local ASSERTIONS = {
  { "deadlocks", deadlocks, "Expected a deadlock, but:\n%s", "Expected no deadlock, but:\n%s" },
  { "blocks", blocks, "Expected the function to block, but %s", "Expected the function not to block, but %s" },
  { "completes_within", completes_within, "Expected the function to return, but %s",
    "Expected the function not to return, but %s" },
  { "eventually", eventually, "Expected the condition to come true %s", "Expected the condition not to come true %s" },
  { "never", never, "Expected the condition not to come true %s", "Expected the condition to come true %s" },
}

--- Adds them to luassert, once in each state.
return function(luassert)
  local say = require "say"
  for _, assertion in ipairs(ASSERTIONS) do
    local name, check = assertion[1], assertion[2]
    say:set("luasync." .. name .. ".positive", assertion[3])
    say:set("luasync." .. name .. ".negative", assertion[4])
    luassert:register("assertion", name, function(_, arguments)
      local holds, text = check(table.unpack(arguments, 1, arguments.n))
      arguments[1], arguments.n, arguments.nofmt = text, 1, { true }
      return holds
    end, "luasync." .. name .. ".positive", "luasync." .. name .. ".negative")
  end
end

--- Helpers that the specs share. Everything here uses the public API only.
--
-- None of these functions may be named inside a thread's function: a thread
-- gets a copy of what it names, and this module belongs to the spec.

local sync = require "luasync"

local support = {}

--- The host binary that the child processes of specs run.
support.host = os.getenv "LUASYNC" or (os.getenv "PWD" or ".") .. "/build/luasync"

--- Seconds that no correct step of a spec comes near, also under a sanitizer on a busy machine.
support.LONG = 120

--- Asserts that a thread ends, and returns its results.
-- @param thread a started thread
-- @return the target's return values
-- Raises the thread's own error, or "still running" after support.LONG seconds.
function support.finish(thread)
  if not thread:join(support.LONG) then
    error("still running: " .. tostring(thread), 2)
  end
  return thread:result()
end

--- Starts fn(...) in a thread of its own.
-- The thread is a daemon, so that a failing spec does not keep the run from ending.
-- @return the started thread
function support.start(fn, ...)
  return sync.Thread { target = fn, args = table.pack(...), daemon = true }:start()
end

--- The letter of the kernel for the state of one of this process's threads.
local function os_state(native_id)
  local file = io.open("/proc/self/task/" .. native_id .. "/stat")
  if not file then return nil end
  local line = file:read "a"
  file:close()
  return line and line:match "^%d+ %(.*%) (%a)"
end

--- Waits until a started thread sleeps in the kernel, as every blocked thread does.
-- It asks several times in a row, so that a short wait on the way does not count.
-- @return the thread
-- Raises after support.LONG seconds.
function support.blocked(thread)
  local deadline = sync.monotonic() + support.LONG
  local readings = 0
  while readings < 4 do
    if sync.monotonic() > deadline then
      error("never blocked: " .. tostring(thread), 2)
    end
    sync.sleep(0.002)
    readings = os_state(thread.native_id) == "S" and readings + 1 or 0
  end
  return thread
end

--- Starts fn(...) in a daemon thread and waits until it is blocked.
-- @return the thread
function support.start_blocked(fn, ...)
  return support.blocked(support.start(fn, ...))
end

--- Waits until condition() is true.
-- Raises after support.LONG seconds.
function support.wait_until(condition)
  local deadline = sync.monotonic() + support.LONG
  while not condition() do
    if sync.monotonic() > deadline then
      error("the condition never came true", 2)
    end
    sync.sleep(0.001)
  end
end

--- Runs fn(...) and measures it.
-- @return seconds (float) and fn's first two results
function support.timed(fn, ...)
  local begin = sync.monotonic()
  local first, second = fn(...)
  return sync.monotonic() - begin, first, second
end

--- Asserts that a wait took its time: not less than `low`, and not absurdly more.
function support.took(low, seconds)
  if seconds < low then
    error(("ended early: %.6f s instead of %.6f s"):format(seconds, low), 2)
  end
  if seconds > low + 5 then
    error(("took %.3f s instead of %.3f s"):format(seconds, low), 2)
  end
end

--- Runs fn() in the real world, then in simulated worlds with the seeds 1 to 10.
-- fn asserts by plain `assert`; it is copied, and may use nothing of a spec.
function support.in_both_worlds(fn)
  fn()
  for seed = 1, 10 do
    local report = sync.simulate(fn, { seed = seed })
    if not report.ok then
      error(("seed %d: %s"):format(seed, report.deadlock or report.livelock or tostring(report.error)), 2)
    end
  end
end

--- Splits "file.lua:12: text" into the text and its position.
-- @return text, position; the position is nil where there is none
function support.split(message)
  if type(message) ~= "string" then return message, nil end
  local position, text = message:match "^([^\n]-%.lua:%d+): (.*)$"
  if not position then return message, nil end
  return text, position
end

--- Runs fn(...), which must raise a message with a position.
-- @return the message without its position
-- Raises where fn succeeds, or the error is no string, or has no position.
function support.error_of(fn, ...)
  local ok, message = pcall(fn, ...)
  if ok then error("no error was raised", 2) end
  local text, position = support.split(message)
  if not position then
    error("an error without position: " .. tostring(message), 2)
  end
  return text
end

--- Asserts that fn(...) raises exactly `text` behind a position.
-- The same text as Lua's own "bad argument #n to 'f' (text)" will do as well.
function support.raises(text, fn, ...)
  local ok, message = pcall(support.error_of, fn, ...)
  if not ok then error(tostring(message) .. "; expected: " .. text, 2) end
  local reason = message:match "^bad argument #[1-9]%d* to '[^']*' %((.*)%)$"
  if message ~= text and reason ~= text then
    error(("expected the error '%s', got '%s'"):format(text, message), 2)
  end
end

--- Asserts that fn() raises "bad argument #number to 'name' (...)" behind a position.
function support.bad_argument(number, name, fn)
  local ok, message = pcall(support.error_of, fn)
  local start = ("bad argument #%d to '%s' ("):format(number, name)
  if not ok or message:sub(1, #start) ~= start then
    error(("expected '%s...', got '%s'"):format(start, tostring(message)), 2)
  end
end

--- Timeouts that every blocking call must refuse, with their names.
support.bad_timeouts = {
  { "a negative integer", -1 },
  { "a negative float", -0.001 },
  { "minus infinity", -math.huge },
  { "NaN", 0 / 0 },
  { "a string", "soon" },
  { "a table", {} },
}

--- Asserts that call(timeout) refuses every bad timeout.
-- @param call a function of one timeout
function support.refuses_bad_timeouts(call)
  for _, case in ipairs(support.bad_timeouts) do
    local ok, message = pcall(support.raises, "timeout must be a non-negative number",
      function() call(case[2]) end)
    if not ok then error(case[1] .. ": " .. tostring(message), 2) end
  end
end

--- What is in a file, which must be there.
function support.read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function support.write_file(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- A name for a new file, with that ending; the caller removes the file.
function support.temporary(ending)
  local name = os.tmpname()
  os.remove(name)
  return name .. ending
end

--- Quotes a string for the shell.
function support.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Runs a script in a child process with the host.
-- @param script the text of the script
-- @param options table, all fields optional: `args` (list of strings), `stdin` (text; default: none),
--   `before` (shell text to run first, such as "ulimit -v 1000000"),
--   `redirect` (shell text in place of the stdin redirection), `seconds` (limit, default 60)
-- @return table with `out` and `err` (strings), `code` (exit code; 124 after the limit), `seconds`
--   and `name` (the path of the script, as its messages have it)
function support.run(script, options)
  options = options or {}
  local base = os.tmpname()
  local paths = { script = base .. ".lua", out = base .. ".out", err = base .. ".err", input = base .. ".in" }
  support.write_file(paths.script, script)
  support.write_file(paths.input, options.stdin or "")
  local command = { "timeout", "-k", "1", tostring(options.seconds or 60), support.quote(support.host),
    support.quote(paths.script) }
  for _, argument in ipairs(options.args or {}) do
    command[#command + 1] = support.quote(argument)
  end
  local line = ("%s%s %s >%s 2>%s"):format(options.before and options.before .. "; " or "",
    table.concat(command, " "), options.redirect or "<" .. support.quote(paths.input),
    support.quote(paths.out), support.quote(paths.err))
  local begin = sync.monotonic()
  local _, how, code = os.execute(line)
  local result = { out = support.read_file(paths.out), err = support.read_file(paths.err),
    seconds = sync.monotonic() - begin,
    code = how == "exit" and code or 128 + code, name = paths.script }
  os.remove(base)
  for _, path in pairs(paths) do os.remove(path) end
  return result
end

--- Runs a script in a child process, which must end with code 0 and an empty stderr.
-- @return its standard output
function support.output(script, options)
  local result = support.run(script, options)
  if result.code ~= 0 or result.err ~= "" then
    error(("exit code %d, stderr: %s, stdout: %s"):format(result.code, result.err, result.out), 2)
  end
  return result.out
end

--- Silences the reports of failing threads until the returned function is called.
-- For specs in which threads fail on purpose.
function support.quiet()
  local previous = sync.set_excepthook(function() end)
  return function() sync.set_excepthook(previous) end
end

return support

--- The fuzzer: starts programs that call anything with anything, and judges how they end.
--
-- usage: lua5.4 scripts/fuzz/run.lua HOST [seed=N] [calls=N] [seconds=N] [only=KIND] [failures=N] [limit=N]
--                                       [keep=FOLDER]
--
-- Each program is a process of its own with a time limit (seconds: more than any takes on a busy machine with a
-- sanitizer), drawn from its seed: which kind of program, how many threads. A failure is a crash, a report of a
-- sanitizer, a failed assert, a hang, or a simulated run that the same seed does not repeat. Its output is kept, and
-- the command that repeats it is printed; programs in the real world repeat as far as their threads happen to meet
-- again.
--
-- KINDS: real, signals, simulated, inside, replay, message.

local options = { seed = os.time() % 1000000, calls = 200000, seconds = 20, failures = 5, limit = 600,
                  keep = "build/fuzz" }
local host = arg[1]
if not host or host:find "^%-" then
  print "usage: run.lua HOST [seed=N] [calls=N] [seconds=N] [only=KIND] [failures=N] [limit=N] [keep=FOLDER]"
  os.exit(host and 0 or 1)
end
for i = 2, #arg do
  local name, value = arg[i]:match "^(%a+)=(.*)$"
  assert(name, "not name=value: " .. arg[i])
  if value ~= "" then options[name] = tonumber(value) or value end
end
local folder = arg[0]:match "^(.*/)" or "./"

--- A word for the shell.
local function quoted(word) return "'" .. tostring(word):gsub("'", "'\\''") .. "'" end

local function read(name)
  local file = io.open(name, "rb")
  local text = file and file:read "a" or ""
  if file then file:close() end
  return text
end

--- Runs a command line; output goes to files by that name.
-- Short of time it is asked for a dump (SIGQUIT), then killed.
-- @return exit code (128 + n for a signal, 124 or 137 for the time limit)
local function run(command, name)
  local line = "timeout -s QUIT -k 10 %d env %s >%s.out 2>%s.err </dev/null"
  local _, _, code = os.execute(line:format(options.limit, command, name, name))
  return code
end

--- What is wrong with a process that has ended, or nil.
local FINDINGS = { "ERROR: %w+Sanitizer[^\n]*", "WARNING: ThreadSanitizer[^\n]*", "runtime error:[^\n]*",
                   "Assertion `[^\n]*", "ThreadSanitizer: [^\n]*", "FUZZ: [^\n]*", "STUCK[^\n]*", "double free[^\n]*",
                   "malloc%b(): [^\n]*", "PANIC[^\n]*" }
local function fault(code, errors)
  for _, pattern in ipairs(FINDINGS) do
    local found = errors:match(pattern)
    if found then return found end
  end
  if code == 124 or code == 137 then return "hang: killed after " .. options.limit .. " s" end
  if code > 128 then return "died of signal " .. code - 128 end
  return nil
end

--- To start a sanitized process takes as long as a thousand calls do, so each makes many.
local KINDS = {
  real = { share = 4, threads = 5, file = "program.lua", calls = 8000 },
  signals = { share = 1, threads = 3, file = "program.lua", calls = 4000, how = "signals" },
  simulated = { share = 3, threads = 5, file = "program.lua", calls = 3000, repeats = true },
  inside = { share = 2, threads = 3, file = "inside.lua", calls = 300, compares = true },
  replay = { share = 1, threads = 3, file = "replay.lua", calls = 200, compares = true },
  message = { share = 1, threads = 1, file = "message.lua", calls = 4000 },
}
local ORDER = { "real", "simulated", "inside", "replay", "message", "signals" }

local function kind_of(seed)
  if options.only then return options.only end
  local total, shares = 0, {}
  for _, name in ipairs(ORDER) do
    for _ = 1, KINDS[name].share do total = total + 1 shares[total] = name end
  end
  return shares[seed * 48271 % 2147483647 % total + 1]
end

--- Sanitizers: their own exit codes say nothing that their words do not. A short quarantine and short stacks of those
-- who allocated make AddressSanitizer three times as fast.
local ENVIRONMENT = "ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16:malloc_context_size=6:$ASAN_OPTIONS "
  .. "TSAN_OPTIONS=halt_on_error=1:atexit_sleep_ms=0:$TSAN_OPTIONS "
  .. "LUASYNC_FUZZ=%d LUA_PATH=" .. quoted "lua/?.lua;;" .. " "

--- How often Lua's stack moves where it can be told (scripts/apicheck.sh): at each call in few programs, which are
-- shorter by as much as they are slower; and in those that compare two worlds, since the count goes on from the first
-- into the second.
local function moves(seed, how)
  if how.compares or seed % 20 == 0 then return 1, 8 end
  return 31, 1
end

--- How many calls a program says it has made.
local function calls_in(output) return tonumber(output:match "CALLS (%d+)") or 0 end

--- One program; returns the number of calls and what went wrong.
local function try(seed)
  local kind = kind_of(seed)
  local how = KINDS[kind]
  local threads = seed % how.threads + 1
  local every, shorter = moves(seed, how)
  local command = ("%sLUA_STACK_MOVES=%d %s %s%s %d %d %d %s"):format(ENVIRONMENT, every, quoted(host),
    how.repeats and "--seed " .. seed .. " " or "", quoted(folder .. how.file), seed, how.calls // shorter, threads,
    how.how or "")
  local name = ("%s/%s-%d"):format(options.keep, kind, seed)
  local code = run(command:format(0), name)
  local wrong, calls = fault(code, read(name .. ".err")), calls_in(read(name .. ".out"))
  if not wrong and how.repeats then
    -- Another process, with other places in memory.
    local again = run(command:format(10 ^ (seed % 17)), name .. "-again")
    calls = calls + calls_in(read(name .. "-again.out"))
    for _, part in ipairs { ".out", ".err" } do
      if code ~= again or read(name .. part) ~= read(name .. "-again" .. part) then wrong = "seed not repeated" end
    end
    if not wrong then os.execute("rm -f " .. quoted(name .. "-again.out") .. " " .. quoted(name .. "-again.err")) end
  end
  if wrong then
    print(("%s, seed %d: %s\n  %s\n  output in %s.err"):format(kind, seed, wrong, command:format(0), name))
  else
    os.remove(name .. ".out")
    os.remove(name .. ".err")
  end
  return calls, wrong
end

io.stdout:setvbuf "line"
os.execute("mkdir -p " .. quoted(options.keep))
print(("fuzz: seed=%d calls=%d seconds=%d"):format(options.seed, options.calls, options.seconds))
local started, seed, made, failures, unfinished = os.time(), options.seed, 0, 0, 0
local told = started
while made < options.calls and os.time() - started < options.seconds and failures < options.failures do
  local calls, wrong = try(seed)
  made, seed, failures = made + calls, seed + 1, failures + (wrong and 1 or 0)
  unfinished = unfinished + (calls == 0 and 1 or 0)
  if os.time() - told >= 60 then
    told = os.time()
    print(("fuzz: %d calls so far; the next seed is %d"):format(made, seed))
  end
end
print(("fuzz: %d programs (%d that did not come to count their calls), %d calls, %d failures"):format(
  seed - options.seed, unfinished, made, failures))
os.exit(failures == 0)

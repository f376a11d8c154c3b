-- Programs that end in every way while threads do everything: none hangs, none crashes, each has the
-- right exit code, and no output is lost.
-- LUASYNC_STRESS_SEED=n repeats the random choices of a failing run, LUASYNC_STRESS=n makes it n times longer.
local support = require "spec.support"

local seed = tonumber(os.getenv "LUASYNC_STRESS_SEED") or os.time()
local factor = tonumber(os.getenv "LUASYNC_STRESS") or 1

-- What lives when the program ends. None of it keeps the program from ending.
local INHABITANTS = {
  "daemon(function() while true do end end)",
  "daemon(function() local t while true do t = { t and 1 } end end)",
  "daemon(function() while true do pcall(error, 'x') end end)",
  "daemon(function() coroutine.wrap(function() while true do end end)() end)",
  "daemon(function() sync.sleep(1000) end)",
  "daemon(function() while true do pcall(sync.sleep, 1000) end end)",
  "daemon(function() sync.Queue():get() end)",
  "daemon(function() local q = sync.Queue(1) q:put(1) q:put(2) end)",
  "daemon(function() local q = sync.Queue() q:put(1) q:join() end)",
  "daemon(function() local lock = sync.Lock() lock:acquire() lock:acquire() end)",
  "daemon(function() local c = sync.Condition() c:acquire() c:wait() end)",
  "daemon(function() sync.Semaphore(0):acquire() end)",
  "daemon(function() sync.Barrier(2):wait() end)",
  "daemon(function() local l = sync.RWLock() l:write() daemon(function() l:read() end):join() end)",
  "daemon(function() sync.select { sync.Queue(), sync.Event() } end)",
  "daemon(function() sync.main_thread():join() sync.sleep(1000) end)",
  "daemon(function() while true do sync.spawn(function() end):join() end end)",
  "daemon(function() local s <close> = sync.Scope() s:spawn(sync.sleep, 1000) s:join() end)",
  "daemon(function() sync.Pool(2):submit(sync.sleep, 0.01):result() end)",
  "daemon(function() os.execute 'sleep 0.05' end)",
  "daemon(function() for line in io.popen('sleep 0.05; echo x'):lines() do line = line end end)",
  "sync.spawn(function() sync.sleep(0.003) end)",
  "sync.spawn(function() sync.main_thread():join() sync.spawn(function() sync.sleep(0.001) end) end)",
  "sync.Timer(0.003, function() end):start()",
  "sync.spawn(function() sync.main_thread():join() sync.Timer(0.001, function() end):start() end)",
  "open_pool = sync.Pool(2) open_pool:submit(function() end)",
  "finished = setmetatable({}, { __gc = function() sync.spawn(function() end) end })",
  "finished2 = setmetatable({}, { __gc = function() for _ = 1, 100 do sync.Queue():put {} end end })",
}

-- How it ends: the last lines of main, the exit code, and what stderr must contain.
local ENDS = {
  ["returns"] = { "", 0 },
  ["returns while a thread fails"] = { "sync.spawn(function() error 'in a thread' end)", 1, "in a thread" },
  ["fails"] = { "error 'in main'", 1, "in main" },
  ["calls os.exit"] = { "os.exit(7)", 7 },
  ["calls os.exit and closes"] = { "os.exit(7, true)", 7 },
  ["calls os.exit in a thread"] = { "sync.spawn(function() os.exit(5) end):join()", 5 },
  ["calls os.exit in a thread while main goes on"] = {
    "sync.spawn(function() os.exit(5) end) while true do sync.sleep(0.001) end", 5 },
  ["calls os.exit in a timer"] = { "sync.Timer(0.002, function() os.exit(6) end):start() sync.Event():wait()", 6 },
  ["calls os.exit in two threads at once"] = {
    "for _ = 1, 2 do sync.spawn(function() os.exit(5) end) end sync.sleep(1000)", 5 },
}

local PROGRAM = [[
local sync = require "luasync"
local function daemon(fn) return sync.Thread { daemon = true, target = fn }:start() end
%s
sync.sleep(%s)
io.write "main ends\n"
%s
]]

describe("a program (seed " .. seed .. ")", function()
  for name, ending in pairs(ENDS) do
    it("that " .. name .. " ends whatever else there is", function()
      for round = 1, 3 * factor do
        math.randomseed(seed, round)
        local lives = {}
        for i = 1, math.random(0, 6) do lives[i] = INHABITANTS[math.random(#INHABITANTS)] end
        local script = PROGRAM:format(table.concat(lives, "\n"), math.random(2) == 1 and "0" or "0.004", ending[1])
        local result = support.run(script, { seconds = 60 })
        local good = result.code == ending[2] and result.out == "main ends\n"
          and (ending[3] and result.err:find(ending[3], 1, true) or not ending[3] and result.err == "")
        if not good then
          error(("round %d: exit code %d after %.1f s, stdout %q, stderr %s\n%s"):format(round, result.code,
            result.seconds, result.out, result.err, script))
        end
      end
    end)
  end
end)

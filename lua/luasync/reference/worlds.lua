--- The reference: simulated worlds, deadlocks, what threads are doing. See luasync.reference for the shape of an entry.

return {
  title = "Worlds",
  {
    name = "worlds", kind = "topic", aliases = { "simulation", "virtual time" },
    about = "A script runs in the real world: threads of the operating system, the wall clock. It can also run in a "
      .. "simulated one, by `--virtual`, `--seed N` or `--replay S`, and any function by `simulate`: the same objects "
      .. "and rules, one thread at a time, every choice of the scheduler known. When every thread waits, the clock "
      .. "jumps to the next deadline, so waiting takes no time; where some never wait, a million operations in a row "
      .. "take a second. It begins at 2009-11-10 23:00:00 UTC, and os.time, "
      .. "os.clock, os.date, time and monotonic follow it. The same seed gives the same bytes in every process: also "
      .. "addresses, the order of pairs and math.random, whose numbers differ between threads but not between seeds. "
      .. "A run that fails prints the line that repeats it. Files, "
      .. "the environment and other programs may be used; the report then says that the run was not closed, for "
      .. "another one may get another answer. os.date shows local time, the machine's. A livelock is reported, "
      .. "exit code 3: threads that have only looked at things ten million times in a row, with nobody asleep who "
      .. "might change them; a loop without any operation; a hundred million operations in all.",
    example = [[
local report = sync.simulate(function()
  sync.sleep(24 * 3600)
  return os.date("!%Y-%m-%d %H:%M:%S")
end)
print(report.results[1], report.virtual_time)]],
    output = "2009-11-11 23:00:00\t86400.0",
    see = { "simulate", "--virtual", "--seed", "--replay", "deadlocks" },
  },
  {
    name = "schedule", kind = "topic", aliases = { "schedules" }, call = '--replay "0x2 1 0x1+3 ! 0 ."',
    about = "A schedule is one line that says which thread ran when. Each word is a turn. `0`: thread 0, which is the "
      .. "main thread, ran until it had to wait or ended; the others count by their making. `0x2`: it did two "
      .. "operations of luasync, and lost its turn in front of the next one. `0x1+3`: the same after one operation and "
      .. "three prints. `!`: no thread could run, and the clock went on to the next deadline. What stands in "
      .. "brackets, `( 1x1 2x1 )`, comes again and again: after a thousand times the run ends as a livelock. The dot "
      .. "says that nothing is cut off.",
    example = [[
local function fn()
  sync.spawn(print, "in thread 1"):join()
  sync.sleep(1)
end
print(sync.simulate(fn).schedule)
io.write(sync.simulate(fn, { schedule = "0x1 1 0 ! 0 ." }).output)]],
    output = "0 1 0 ! 0 .\nin thread 1",
    see = { "--replay", "simulate" },
  },
  {
    name = "races", kind = "topic",
    about = "Two threads race where they access one key of a Shared, one of them writes, and nothing orders the "
      .. "two: no "
      .. "lock that both hold, no event, queue, semaphore, barrier, notify, start or join between them. Each access is "
      .. "whole, but which comes first is chance, whatever the schedule of this run was. What sync.update and "
      .. "Atomic do "
      .. "is no race and orders what stands around it. An update is lost where a thread gets a key, another one writes "
      .. "it, and the first writes what it made of the old value. sync.explore and --explore also find a table that is "
      .. "looked into before anything is there, where only a lock keeps the look and the first write apart; and a wait "
      .. "that looks at nothing first, with a notify that only time keeps behind it.",
    example = [=[
local result = sync.explore(function()
  local shared = sync.Shared{ count = 0 }
  local function work() shared.count = shared.count + 1 end
  local a, b = sync.spawn(work), sync.spawn(work)
  a:join()
  b:join()
end)
local failure = result.failures[1]
print(failure.kind, failure.executions .. " of " .. result.executions)
print((failure.message:gsub("%S+:(%d+)", "line %1")))]=],
    output = "lost update\t2 of 4\nan update of 'count' of Shared 'Shared-1' is lost\n"
      .. "  Thread-1 (work) gets it at line 4\n  Thread-2 (work) sets it at line 4\n"
      .. "  Thread-1 (work) sets it at line 4, from what it got before",
    see = { "explore", "Shared", "update" },
  },
  {
    name = "explore", kind = "function", call = "sync.explore(fn [, opts])",
    about = "Runs `fn` in simulated worlds under every interleaving, one execution for each that differs: executions "
      .. "in which only independent operations change places are one. fn is copied as by simulate. Operations on "
      .. "one object depend on each other, unless both only look; so do accesses to one key of a Shared. "
      .. "Starting, joining and ending are no steps of their own, unless some thread may see their order (it "
      .. "interrupts another or asks whether it lives, one starts or joins what another has made, a daemon starts "
      .. "what main waits for), and no thread stops in front of a print. Names of threads, ident and daemon, and "
      .. "what tostring makes of an object are read without a step: where a program goes by them, executions that "
      .. "differ may be taken for one. Time "
      .. "passes only where no thread can run (every step is quicker than any timeout), unless `early_ticks` lets "
      .. "it. An os.exit, and the program's end where there have been daemons, depend on all that others do. An "
      .. "execution is cut after 10,000 steps, 256 MB of output, or where its objects need more than 256 MB. At "
      .. "most 62 threads. In a world with a module in C, which keeps memory of its own, each execution begins "
      .. "anew, which is slower, and states cannot be told apart.",
    args = {
      { "fn", "function", "without arguments; it makes its own objects" },
      { "opts", "{ executions: integer, seconds: number, strategy: string, preemptions: integer, seed: integer, "
        .. "early_ticks: number, outputs: boolean, snapshots: boolean, trace: string }?",
        "`executions`, `seconds`: the budget, by default 200,000 and 2 (of the processor; ten times that by the "
        .. "clock on the wall), 60 where only executions are given; `strategy`: \"dpor\" (one "
        .. "execution after the other), \"states\" (every state once, which is quicker where threads fight over few "
        .. "objects), by default both in turn until one has seen all; \"bounded\" (every schedule with at most "
        .. "`preemptions`, by default 2), \"dfs\" (every interleaving, for checking), or schedules drawn from `seed`: "
        .. "\"random\", \"pct\", \"pos\", \"urw\"; `early_ticks`: math.huge: "
        .. "the clock may go on at any moment (any step may take longer than any timeout), and starts, joins and ends "
        .. "are steps; a failure's message says what must be quick; 0: not so; by default both, one after the other, "
        .. "where threads wait for times and all is well in the first search: see `early`; `outputs`: what is "
        .. "printed counts as an outcome, and a print is a step; `snapshots`: false begins each execution anew, for "
        .. "checking: slower, and the same result; `trace`: a file for the timeline, which shows the first failure's "
        .. "run beside the nearest one that ends well, and what differs" },
    },
    returns = { { "table", "`ok`: `failures` is empty; `complete`: there is no other; `executions` that differ, "
      .. "`failing`: how many of them end badly; `interleavings` they stand for, an integer where it fits, else "
      .. "a float, and too small "
      .. "where `exact` is false; `failures`: a list, the commonest first, of { kind, message, executions, schedule, "
      .. "preemptions, trace, output }: kind is \"deadlock\", \"lost wake-up\", \"error\", \"livelock\" or "
      .. "\"nondeterminism\", and behind these what is wrong however executions end: \"lost update\", \"race\", and "
      .. "\"lost wake-up\" where only time keeps a notify behind the wait (see races); `schedule` is one for "
      .. "simulate or --replay, the one with the fewest preemptions where `fewest` is true; `cause`, if there is one, "
      .. "has `first` and `second`, numbers of steps of the trace: the other way round the run ends well; "
      .. "`chance`: how likely a schedule that draws each step evenly fails, where the states of the program are few "
      .. "enough to know; then each step of the trace of an execution that ends badly has a `chance` too, how likely "
      .. "a failure is once it is done, and `no_return` is the number of the step from which on nothing helps; "
      .. "`trace` are the steps, each with `time`, of the clock before it, `thread`, its name, `operation`, `source` "
      .. "and `line` (-1: not in Lua), `call`, the name by which the script calls what does it, `within`, the function "
      .. "of Lua that has asked for it (\"insert\" of table.insert), and where it is on an object `object`, its name, "
      .. "`kind`, for a Shared `key`, and `removes` where that is set to nil; where the operation is \"the clock goes "
      .. "on\" while some thread could go, `overtaken` is that one's name and `at` the step that it stands before; "
      .. "with `outputs` a list `outcomes` of { ok, kind, message, output, executions }, the commonest first; "
      .. "`budget`: its { executions, seconds }; `estimate`: how many executions there are, by random samples, where "
      .. "that was worth a look; `fresh`, of schedules drawn: the share of new executions among the last hundred "
      .. "`runs`; "
      .. "`early`: the result of the second search, for a quarter of the budget at most: what fails in it is a "
      .. "condition on the times that steps take, and `ok` does not count it, unless `stands`; "
      .. "`closed`: false where an execution has asked something outside its world; "
      .. "`message` what a test would print, or nil; `engine`: the strategy that had the last word; `runs`; `states`; "
      .. "`unbounded`: states come again, so executions have no end and were not counted; a round of steps that a fair "
      .. "scheduler may go for ever, one that lets each thread go that can go again and again, is a \"livelock\": "
      .. "`cycle` is the number of the step it begins with, and `doomed` says that nothing ends it any more; of a "
      .. "program of which no execution ends only a round in which threads but look; `stands`: there would be one, "
      .. "did not some thread wait for its time, which never comes while others can run; `seconds`" } },
    errors = {
      { "function expected, got nil", "fn is no function", "sync.explore(nil)" },
      { "unknown strategy 'luck'", "no such way to search", "sync.explore(function() end, { strategy = 'luck' })" },
      { "field 'preemptions' goes with strategy 'bounded', not 'dpor'", "options that contradict each other",
        "sync.explore(function() end, { strategy = 'dpor', preemptions = 1 })" },
      { "field 'early_ticks' must be 0 or math.huge", "a bound in between would be neither exact nor complete",
        "sync.explore(function() end, { early_ticks = 3 })" },
      { "field 'outputs' does not go with strategy 'states'", "states do not tell what was printed",
        "sync.explore(function() end, { strategy = 'states', outputs = true })" },
      { "field 'seconds' must be a positive number", "the budget is none",
        "sync.explore(function() end, { seconds = 0 })" },
    },
    example = [=[
local result = sync.explore(function()
  local a, b = sync.Lock{ name = "A" }, sync.Lock{ name = "B" }
  local function take(first, second)
    first:acquire()
    second:acquire()
    second:release()
    first:release()
  end
  local t, u = sync.spawn(take, a, b), sync.spawn(take, b, a)
  t:join()
  u:join()
end)
print(result.complete, result.executions, result.failing, result.interleavings)
print(result.failures[1].kind)
]=],
    output = "true\t3\t1\t6\ndeadlock",
    python = nil, see = { "simulate", "worlds", "races", "--explore" },
  },
  {
    name = "simulate", kind = "function", call = "sync.simulate(fn [, opts])",
    about = "Runs `fn` as the main thread of a new simulated world and reports how that went. fn and what it captures "
      .. "are copied, so it makes its own objects: those of another world cannot come along. Without options a thread "
      .. "runs until it waits, then the one that has been ready longest; with a seed the schedule is drawn from that. "
      .. "When fn has returned, the world's other threads are joined, as at the end of a script; daemons are dropped. "
      .. "What the world prints goes into the report, warnings too. Ctrl-C interrupts its main thread. os.exit ends "
      .. "the program, as anywhere. A world holds 8,191 threads at a time beside its main thread; more cannot be "
      .. "started. Worlds may be nested and "
      .. "run in several real threads at once; addresses are the same in each run only for the first eight alive at a "
      .. "time, and in stock lua5.4 the order of pairs over string keys is its own. Tables come along in the order of "
      .. "their keys, so that a seed gives the same run in every process; tables and functions as keys have none.",
    args = {
      { "fn", "function", "without arguments" },
      { "opts", "{ seed: integer, schedule: string, trace: string }?",
        "`seed` to draw the schedule from; `schedule` to repeat, as a report has it; `trace` a file for the timeline" },
    },
    returns = { { "table", "`ok` boolean: all ended well; `message` what a test would print, with the "
      .. "line that repeats the run, nil where all ended well; `results` of fn, with n; `error` of fn, if it failed, "
      .. "or why the schedule could not be followed; "
      .. "`deadlock`, `livelock` the report as text; `output` what was printed; `schedule` that repeats the run; "
      .. "`steps` operations; `virtual_time` seconds; `closed` false where it asked something outside; "
      .. "`thread_errors` errors that nobody took; `note` that the run ended before its schedule did, or "
      .. "a turn before it was over" } },
    units = "Times are seconds of the virtual clock.",
    errors = {
      { "function expected, got nil", "fn is no function", "sync.simulate(nil)" },
      { "field 'seed' must be an integer", "the seed is something else",
        "sync.simulate(function() end, { seed = 'x' })" },
      { "field 'schedule': the schedule is cut off: it must end with ' .'", "it is not whole",
        "sync.simulate(function() end, { schedule = '0 1' })" },
    },
    example = [=[
local function race()
  local s = sync.Shared{ n = 0 }
  local function work() s.n = s.n + 1 end
  local a, b = sync.spawn(work), sync.spawn(work)
  a:join()
  b:join()
  return s.n
end
local seen = {}
for seed = 1, 100 do
  local report = sync.simulate(race, { seed = seed })
  seen[report.results[1]] = report
end
print(seen[1] ~= nil, seen[2] ~= nil)
local again = sync.simulate(race, { schedule = seen[1].schedule })
print(again.results[1])]=],
    output = "true\ttrue\n1",
    python = "none", see = { "worlds" },
  },
  {
    name = "deadlocks", kind = "topic", aliases = { "deadlock", "lost wake-up" }, picture = "philosophers",
    about = "When all threads wait and nothing can wake any, the program stops with exit code 3 and a report: who "
      .. "waits for what, held by whom and since where, the circle in one sentence, and each thread's traceback. A "
      .. "wait that began after the notify or set that should have ended it is called a lost wake-up, with both "
      .. "lines. Threads and timers that were made and never started are named, unless the source shows that they have "
      .. "nothing to do with what is waited for. A circle among some threads, while others go on, is a warning on "
      .. "stderr, in a simulated run when the "
      .. "clock goes on without them or at its end; it says what is, though an interrupt may end it yet. Plain locks "
      .. "that threads release for each other are signals and count as no circle. In the real world a thread "
      .. "that waits without a timeout for an object that nothing can reach any more, only others that are stuck in "
      .. "the same way, is told of once, with object and line, and the program goes on; a select, where that is so for "
      .. "each of its objects. Sleeping threads, timeouts "
      .. "and threads in io.read can wake others: no alarm. Who sleeps for ever may be waiting for Ctrl-C, except in a "
      .. "simulated run, where nothing comes from outside. `--trace -` adds a lane for each thread, with what it did. "
      .. "`--no-deadlock-check` switches it off; "
      .. "a simulated run ends there all the same, as nothing else can happen in it.",
    example = [[
local report = sync.simulate(function()
  local a = sync.Lock{ name = "A" }
  a:acquire()
  sync.Thread{ name = "T", target = function() a:acquire() end }:start()
end)
print(report.ok)
print(report.deadlock:match "T waits for Lock 'A' held by MainThread")]],
    output = "false\nT waits for Lock 'A' held by MainThread",
    python = "none", see = { "worlds", "dump" },
  },
  {
    name = "dump", kind = "function", aliases = { "thread dump" }, call = "sync.dump()",
    about = "What every thread is doing, as text: its name, whether it runs or what it waits for since when and where, "
      .. "and its Lua traceback; only of one that computes in a C function there is none. Ctrl-\\ (SIGQUIT) "
      .. "prints the same on stderr and the program goes on, also when threads are in tight loops of Lua code; in a "
      .. "simulated run, at the next instruction of it.",
    returns = { { "string", "" } },
    example = [[
local queue = sync.Queue{ name = "inbox" }
sync.Thread{ name = "reader", daemon = true, target = function() queue:get() end }:start()
sync.sleep(0.05)
print(sync.dump():match "Thread reader[^,]*")]],
    output = "Thread reader (daemon): waiting in get of Queue 'inbox' (0 items)",
    python = "faulthandler.dump_traceback", see = { "threads" },
  },
  {
    name = "threads", kind = "function", call = "sync.threads()",
    about = "What every thread is doing, as a list of tables. Fields: `id`, `name`, `state` (\"running\", \"sleeping\" "
      .. "or \"blocked\"), `daemon`, `main`, `traceback`; of one that waits also `operation`, `since` and `deadline` "
      .. "(seconds from now), `file`, `line`, and where it waits for an object `object`, `object_kind`, `object_name`, "
      .. "`holder`, `holder_id`, `holder_ended`, `held_file`, `held_line`, and `lost_file`, `lost_line` of the last "
      .. "notify or set, where that woke nobody. One in select has `objects`, a list of texts.",
    returns = { { "table[]", "one for each thread" } }, units = "Times are seconds.",
    example = [[
local lock = sync.Lock{ name = "A" }
lock:acquire()
sync.Thread{ name = "T", daemon = true, target = function() lock:acquire() end }:start()
sync.sleep(0.05)
local t = sync.threads()[2]
print(t.name, t.state, t.operation, t.object_name, t.holder)]],
    output = "T\tblocked\tacquire\tA\tMainThread",
    python = "sys._current_frames", see = { "dump", "enumerate" },
  },
}

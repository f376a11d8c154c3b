--- The reference: the command and its options. See luasync.reference for the shape of an entry.
-- An entry with `planned` describes what this version refuses or does not have; a spec checks that it is so.

-- `short`: { as --help lists it, what it says there }
local function option(call, short, about, fields)
  local entry = {
    name = call:match "^%-[%-%w]*", kind = "option", call = "luasync " .. call, short = short, about = about,
  }
  for name, value in pairs(fields or {}) do entry[name] = value end
  return entry
end

local function like_lua(call, short, about)
  return option(call, short, about .. " As in lua5.4.", { as_lua = true })
end

return {
  title = "The command",
  {
    name = "luasync", kind = "topic", aliases = { "command", "usage", "options" },
    call = "luasync [options] [script [args]]",
    about = "lua5.4 with threads. Options act in the order given; `arg` and `...` hold the arguments; a script may "
      .. "begin with #!; `-` is standard input. Without a script it reads statements from a terminal, or runs "
      .. "standard input as a script. Long options take their value as `--opt value` or `--opt=value`. "
      .. "`require \"luasync\"` finds the module without any path.",
    python = "python3", see = { "-e", "--help", "ends" },
  },
  like_lua("-e STAT", { "-e stat", "execute string 'stat'" }, "Executes the string as Lua code."),
  like_lua("-l MOD, -l G=MOD", { "-l mod, -l g=mod", "require library 'mod' into global 'mod', or 'g'" },
    "Requires a library into the global MOD, or G."),
  like_lua("-i SCRIPT", { "-i", "enter interactive mode after executing 'script'" },
    "Enters the prompt after the script."),
  like_lua("-v", { "-v", "show version information" }, "Shows the version and Lua's copyright."),
  like_lua("-E", { "-E", "ignore environment variables" },
    "Ignores the environment: LUA_INIT, LUA_PATH, LUA_CPATH, LUASYNC_FLAGS."),
  like_lua("-W", { "-W", "turn warnings on" }, "Turns warnings on."),
  option("--virtual", { "--virtual", "virtual clock: waiting takes no time" },
    "Runs the script in a simulated world: when every thread waits, its clock jumps to the next "
    .. "deadline, so waiting takes no time. A failed run prints the line that repeats it. Without a script: a prompt.",
    { see = { "worlds", "simulated-prompt" } }),
  option("--seed N", { "--seed N", "the same, scheduled by N: same seed, same output" },
    "As --virtual, with the schedule drawn from the integer N: same seed, same output, byte for byte.",
    { see = { "worlds" } }),
  option("--explore[=N]", { "--explore[=N]", "try every interleaving" },
    "Runs the script under every interleaving, one execution for each that differs, at most N (and a "
    .. "minute), else for ten seconds, and reports each failure with the schedule that repeats it; of more than "
    .. "four three are shown whole, the simplest first (--json has all). The last "
    .. "line says whether it was all: COMPLETE, or BOUNDED. With --trace the timeline has the first failure's "
    .. "run, the nearest one that ends well, and what differs: two operations that come the other way round. "
    .. "Exit code 0, 1 for errors and races, 3 where threads are stuck. Time passes only where no thread can "
    .. "run: every step is quicker than any timeout. Ctrl-C ends the search with what is known by then.",
    { see = { "worlds", "explore", "races" } }),
  option("--replay S", { "--replay S", "run schedule S again: \"0x1 1 .\" (see --help schedule)" },
    "Runs the one schedule S, as a report printed it, again. Where the script no longer follows "
    .. "it, it says at which turn.", { see = { "worlds" } }),
  option("--trace FILE", { "--trace FILE", "write a timeline; -: as text on stderr" },
    "Records what every thread does and writes it when the program ends, also after a deadlock, an error, os.exit, "
    .. "Ctrl-C, SIGTERM, SIGHUP or a crash. The ending says how: .html, a page that opens in any browser; .json, "
    .. ".perfetto.json, .mmd, .svg, .txt. The FILE - is stderr, as .txt: a lane of plain characters for a thread, "
    .. "below a deadlock's report. A script that ends in .json or .html is a recording: it is written in the other "
    .. "form. A page that has been cut off says so, unless next to nothing is left of it (200 bytes): that is blank. "
    .. "Where the file cannot be written the exit code is 1. LUASYNC_TRACE=FILE in the environment does the same for "
    .. "runs that fail, under stock lua5.4 as well; there an error of the script itself, which stock Lua tells no "
    .. "module, is no failure.",
    { see = { "trace", "--open", "--waits" } }),
  option("--open", { "--open", "show that timeline in the browser" },
    "Opens what --trace has written, through xdg-open.", { see = { "--trace" } }),
  option("--json", nil,
    "Prints what --explore has found as one line of JSON in place of the report: the fields of sync.explore's result, "
    .. "and `script`, `summary` and each failure's `replay`, the command that repeats it.",
    { see = { "--explore", "explore" } }),
  option("--outputs", nil,
    "With --explore: a print is a step like any other, and what executions have printed is listed, with how many "
    .. "executions each.", { see = { "--explore", "explore" } }),
  option("--waits", { "--waits", "print at the end where time went" },
    "Prints a table at the end: who waited how long, for what and whom; how long each thread ran, was ready, waited "
    .. "and slept; the critical path.", { see = { "--trace" } }),
  option("--lock-order", { "--lock-order", "warn of locks taken in opposite orders" },
    "Warns at the end of every circle of locks: here B is taken while A is held, there A while B is held, by another "
    .. "thread, so that a deadlock was only a matter of luck. Each warning names the lines. Nothing is said where a "
    .. "third lock lets only one of the threads in, where starts and joins keep them apart, or where a take has a "
    .. "timeout. What it looks at is the newest million of events.", { see = { "--trace", "deadlocks" } }),
  option("--race", { "--race", "report unordered accesses" },
    "Tells on stderr where two threads access one key of a Shared, one of them writes it, and no lock, event, queue "
    .. "or the like orders the two: both threads and lines, each pair of lines once. The program goes on; its exit "
    .. "code is 1 where it would be 0. The accesses need not have come close together in this run. In any world; "
    .. "--explore finds races by itself. Up to 256 threads at a time are followed.",
    { see = { "races", "--explore" } }),
  option("--no-deadlock-check", { "--no-deadlock-check", "wait for ever instead of reporting a deadlock" },
    "Waits for ever where else a deadlock would be reported.", { see = { "deadlocks" } }),
  option("--help", { "-h, --help [NAME]", "this text, or what the reference says of NAME" },
    "Shows the options; -h does, too. With a NAME: what this reference says of it.", { aliases = { "-h" } }),
  option("--version", { "--version", "the versions of luasync and Lua" }, "The versions of luasync and Lua."),
  {
    name = "LUASYNC_FLAGS", kind = "topic", call = "LUASYNC_FLAGS='--virtual' luasync script.lua",
    about = "This variable of the environment holds long options for every run of the command, for where there is no "
      .. "command line to write them in. Those of the command line come after; --virtual, --seed, --replay or "
      .. "--explore there takes the place of all of that sort here. -E ignores it.",
    see = { "busted", "-E" },
  },
}

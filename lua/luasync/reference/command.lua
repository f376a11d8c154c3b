--- The reference: the command and its options. See luasync.reference for the shape of an entry.
-- An entry with `planned` describes what this version refuses or does not have; a spec checks that it is so.

local function option(call, about, planned, see, aliases)
  return {
    name = call:match "^%-[%-%w]*", kind = "option", call = "luasync " .. call, about = about, planned = planned,
    see = see, aliases = aliases,
  }
end

local function like_lua(call, about)
  return option(call, about .. " As in lua5.4.")
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
  like_lua("-e STAT", "Executes the string as Lua code."),
  like_lua("-l MOD, -l G=MOD", "Requires a library into the global MOD, or G."),
  like_lua("-i SCRIPT", "Enters the prompt after the script."),
  like_lua("-v", "Shows the version."),
  like_lua("-E", "Ignores the environment: LUA_INIT, LUA_PATH, LUA_CPATH, LUASYNC_FLAGS."),
  like_lua("-W", "Turns warnings on."),
  option("--help", "Shows the options; -h does, too.", nil, nil, { "-h" }),
  option("--version", "The versions of luasync and Lua."),
  option("--virtual", "Runs the script in a simulated world: when every thread waits, its clock jumps to the next "
    .. "deadline, so waiting takes no time. A failed run prints the line that repeats it.", nil,
    { "worlds" }),
  option("--seed N", "As --virtual, with the schedule drawn from the integer N: same seed, same output, byte for byte.",
    nil, { "worlds" }),
  option("--explore[=N]", "Runs every distinct interleaving, at most N, and reports failures.", true),
  option("--replay S", "Runs the one schedule S, as a report printed it, again. Where the script no longer follows "
    .. "it, it says at which turn.", nil, { "worlds" }),
  option("--trace FILE", "Writes a timeline; the ending says how: .html, .json, .mmd, .svg, .txt.", true),
  option("--race", "Reports accesses to shared data that nothing orders.", true),
  {
    name = "LUASYNC_FLAGS", kind = "topic", call = "LUASYNC_FLAGS='--virtual' luasync script.lua",
    about = "This variable of the environment holds long options for every run of the command, for where there is no "
      .. "command line to write them in. Those of the command line come after; --virtual, --seed, --replay or "
      .. "--explore there takes the place of all of that sort here. -E ignores it.",
    see = { "busted", "-E" },
  },
  option("--no-deadlock-check", "Waits for ever where else a deadlock would be reported.", nil, { "deadlocks" }),
}

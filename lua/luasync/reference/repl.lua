--- The reference: the prompt and its commands. See luasync.reference for the shape of an entry.

local function command(call, about, see)
  return { name = call:match "^:%w+", kind = "command", call = call, about = about, see = see }
end

return {
  title = "The prompt",
  {
    name = "prompt", kind = "topic", aliases = { "repl" }, call = "luasync",
    about = "luasync alone on a terminal reads statements and expressions and shows what they give. All names of the "
      .. "module are globals there, `_` is the last value, and locals of one entry can be used in the next. Threads "
      .. "keep running while you type; what they print appears above the prompt, which says how many of them run and "
      .. "how many are blocked. Ctrl-C interrupts what runs or waits, at the prompt it clears the line; Tab completes, "
      .. "Ctrl-R searches the history, Ctrl-_ takes a change back and Alt-_ makes it again, Ctrl-D leaves. Entries are "
      .. "numbered: [7]:1 is line 1 of entry 7, which errors and reports show. "
      .. "An entry that waits for what can never come is reported and ended. What is longer than "
      .. "the screen stops there, and Enter shows more of it. The file LUASYNC_RC names, or luasync/init.lua in the "
      .. "XDG config folder, is run at the start; NO_COLOR switches colours off; what is being typed has none.",
    python = "python3",
  },
  {
    name = "simulated-prompt", kind = "topic", aliases = { "simulated prompt" },
    call = "luasync --virtual, luasync --seed N",
    about = "Without a script --virtual and --seed N open the prompt in a simulated world. Time jumps while an entry "
      .. "waits, for a time or for other threads, and stands still while you type; before each entry the threads run "
      .. "until all of them wait. With the same seed the same entries do the same. A deadlock or a livelock ends the "
      .. "entry, not the session.",
    see = { "worlds", "prompt" },
  },
  command(":threads", "Lists the threads: state, what each waits for, who has it, since when and where.",
    { "threads" }),
  command(":locks", "Lists the locks, queues and all else that threads wait for, as far as variables and the tables in "
    .. "them hold it, with owners and waiting threads."),
  command(":why NAME", "Shows what a thread waits for, and what that waits for in turn. NAME is the thread's name, a "
    .. "part of it that no other name has, its number, or a variable that holds it.", { "deadlocks" }),
  command(":bt NAME", "Shows the Lua traceback of a thread.", { "dump" }),
  command(":kill NAME", "Interrupts a thread, named as for :why.", { "Thread:interrupt" }),
  command(":trace", "Records from now on what the threads do. While that goes on, :trace shows it as lanes of plain "
    .. "characters; :trace save FILE writes it, in the form that the ending of the name says; :trace off ends it, and "
    .. "what has been recorded can still be saved.", { "trace.start", "--trace" }),
  command(":load FILE", "Runs a file in the session."),
  command(":list [N]", "Lists the entries of the session with their numbers, or shows one."),
  command(":save FILE", "Writes the entries into a file, as a script. What showed a value prints it there; "
    .. "entries that failed become comments.", { ":list" }),
  command(":time EXPR", "Evaluates an expression and shows how long it took."),
  command(":help [NAME]", "Lists the commands, or shows what this reference says of a name or an object."),
  command(":quit", "Leaves; so does Ctrl-D. With threads alive it asks what is to become of them."),
}

--- The reference: the prompt and its commands. See luasync.reference for the shape of an entry.
-- An entry with `planned` describes what this version does not have; a spec checks that it is so.

local function command(call, about)
  return { name = call:match "^:%w+", kind = "command", call = call, about = about, planned = true }
end

return {
  title = "The prompt",
  {
    name = "prompt", kind = "topic", aliases = { "repl" }, call = "luasync",
    about = "luasync alone on a terminal reads statements and expressions and shows what they give.",
    python = "python3",
  },
  command(":threads", "Lists the threads: state, what each waits for, who has it, since when and where."),
  command(":locks", "Lists the locks with owners and waiting threads."),
  command(":why NAME", "Shows the chain of waits that holds a thread up."),
  command(":bt NAME", "Shows the Lua traceback of a thread."),
  command(":kill NAME", "Interrupts a thread."),
  command(":load FILE", "Runs a file in the session."),
  command(":time EXPR", "Evaluates an expression and shows how long it took."),
  command(":help [NAME]", "Shows an entry of this reference."),
  command(":quit", "Leaves; so does Ctrl-D."),
}

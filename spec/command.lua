--- Runs the command with options of its own: what the specs of simulated worlds share.

local support = require "spec.support"

local command = {}

--- Writes a script to a new file.
-- @return its path; the caller removes it
function command.script(text)
  local base = os.tmpname()
  local path = base .. ".lua"
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  os.remove(base)
  return path
end

--- Runs the command with the words of a list, stdin being empty.
-- @param words list of strings: options, script, arguments
-- @param before shell text in front of the command, such as "cd /;" (default: none)
-- @param after shell text behind it, such as "<file" (default: stdin is empty)
-- @return table with `out`, `err`, `code` (124 after support.LONG seconds) and `replay`, the schedule in its replay
--   line, or nil
function command.run(words, before, after)
  local line = { before or "", "timeout -k 1 " .. support.LONG, support.quote(support.host) }
  for _, word in ipairs(words) do line[#line + 1] = support.quote(word) end
  local out, err = os.tmpname(), os.tmpname()
  line[#line + 1] = ("%s >%s 2>%s"):format(after or "</dev/null", out, err)
  local _, how, code = os.execute(table.concat(line, " "))
  local result = { out = support.read_file(out), err = support.read_file(err),
    code = how == "exit" and code or 128 + code }
  os.remove(out)
  os.remove(err)
  result.replay = result.err:match 'replay: %S+ %-%-replay "([^"]*)"'
  return result
end

--- Runs the text of a script with options before it.
-- @param text the script, or a list { options..., text } with the options in front
-- @return as command.run, and `name`, the script's path
function command.text(text, ...)
  local path = command.script(text)
  local words = table.pack(...)
  words[#words + 1] = path
  local result = command.run(words)
  result.name = path
  os.remove(path)
  return result
end

--- Asserts that a run ended well and wrote nothing on stderr; returns its output.
function command.output(text, ...)
  local result = command.text(text, ...)
  if result.code ~= 0 or result.err ~= "" then
    error(("exit code %d, stderr: %s, stdout: %s"):format(result.code, result.err, result.out), 2)
  end
  return result.out
end

return command

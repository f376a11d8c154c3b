--- The texts of the command.
local command = {}

local function options(out, as_lua)
  for _, entry in ipairs(require "luasync.reference.command") do
    if entry.short and not entry.as_lua == not as_lua then
      out[#out + 1] = ("  %-20s %s%s"):format(entry.short[1], entry.short[2],
        entry.planned and " (not in this version)" or "")
    end
  end
end

--- What --help prints, and what follows the message about a mistake in the command line.
-- @param program string: the command as the user called it
function command.help(program)
  local out = {
    ("usage: %s [options] [script [args]]"):format(program),
    "Without a script: the prompt on a terminal, else runs standard input.",
    "As lua5.4:",
  }
  options(out, true)
  out[#out + 1] = "  --, -                stop handling options; - executes stdin"
  out[#out + 1] = "Threads (--opt VALUE and --opt=VALUE are the same):"
  options(out, false)
  return table.concat(out, "\n") .. "\n"
end

-- A word, in quotes where a shell would do something with it.
local function quote(word)
  if word:find "^[%w_%-+=./:,@%%]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local CHOOSING = { ["--virtual"] = 1, ["--seed"] = 2, ["--replay"] = 2, ["--explore"] = 1 }
local DRAWING = { ["--trace"] = 2, ["--open"] = 1, ["--json"] = 1 }

local function explores(words, script)
  for i = 1, script - 1 do
    if (words[i] or ""):find "^%-%-explore" then return true end
  end
end

-- How many words at words[i] choose the schedule, or draw what an exploration has found: 0, 1 or 2.
local function choosing(words, i, explored)
  local option, equals = words[i]:match "^(%-%-%a+)(=?)"
  local count = CHOOSING[option] or explored and DRAWING[option] or 0
  if equals == "=" then return count > 0 and 1 or 0 end
  return option == words[i] and count or 0
end

local LONGEST = 100000 -- of a schedule; systems take 128 KiB in one argument

--- The line that repeats a simulated run: the command as it was given, quoted for a shell, with the schedule in place
-- of the options that chose it. A schedule too long for a command line leaves those as they are.
-- @param program string: the command as the user called it
-- @param script integer: the index of the script among the words; greater than all where there is none
-- @param schedule string
-- @param closed boolean: the run has asked nothing outside its world
-- @param ... the words of the command line behind the program
function command.replay(program, script, schedule, closed, ...)
  local words, out = { ... }, { "replay: " .. program }
  local fits, explored = #schedule < LONGEST, explores(words, script)
  if fits then out[2] = ('--replay "%s"'):format(schedule) end
  local i = 1
  while i <= #words do
    local skipped = fits and i < script and choosing(words, i, explored) or 0
    if skipped == 0 then
      out[#out + 1] = quote(words[i])
      if i < script and words[i] == "-e" then        -- its text may look like an option
        i = i + 1
        out[#out + 1] = words[i] and quote(words[i])
      end
      skipped = 1
    end
    i = i + skipped
  end
  return table.concat(out, " ") .. "\n" .. (closed and ""
    or "(not closed: the run asked something outside its world, another may get another answer)\n")
end

return command

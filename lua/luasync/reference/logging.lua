--- The reference: luasync.logging. See luasync.reference for the shape of an entry.

local FUNCTION = "the arguments do not fit the message"

local function level(name, number, extra)
  return {
    name = "logging." .. name, kind = "function", aliases = extra, call = "logging." .. name .. "(message, ...)",
    about = ("Writes a line of level %s (%d), if that is high enough. With further arguments the message is a format "
      .. "in Python's style: %%s takes any value, %%d, %%5.2f, %%x and the like a number, %%r quotes, and `%%(key)s` "
      .. "takes all values from one table. Without, it is written as it is."):format(name:upper(), number),
    args = { { "message", "any", "" }, { "...", "any", "the values for the format" } },
    errors = {
      { "(the message needs 1 argument, got 2)", FUNCTION,
        'local l = require "luasync.logging" l.basicConfig{ level = 0 } l.' .. name .. '("%d", 1, 2)' },
      { "(value expected)", "there is no message", 'require "luasync.logging".' .. name .. "()" },
    },
    example = ([[
local logging = require "luasync.logging"
logging.basicConfig{ level = logging.DEBUG, stream = io.stdout }
logging.%s("%%d of %%s", 3, "four")]]):format(name),
    output = ("%s:root:3 of four"):format(name:upper()),
    python = "logging." .. name, see = { "logging.basicConfig" },
  }
end

return {
  title = "Logging",
  {
    name = "luasync.logging", kind = "module", aliases = { "logging" }, call = 'require "luasync.logging"',
    about = "Log lines from many threads, as Python's logging module writes them. A line never mixes with another. One "
      .. "configuration holds for all threads. Lines go to stderr, unless basicConfig says otherwise.",
    example = [[
local logging = require "luasync.logging"
logging.basicConfig{ level = logging.DEBUG, stream = io.stdout, format = "(%(threadName)-10s) %(message)s" }
sync.Thread{ name = "worker", target = function() logging.debug("starting") end }:start():join()
logging.debug("worker has ended")]],
    output = "(worker    ) starting\n(MainThread) worker has ended",
    python = "logging", see = { "logging.basicConfig", "logging.debug" },
  },
  {
    name = "logging.basicConfig", kind = "function", call = "logging.basicConfig{ level=, format=, … }",
    about = "Sets up logging for the whole program. Does nothing if that has happened before, by an earlier call or by "
      .. "a log call before any, unless `force` is true. Format fields: asctime, created, filename, funcName, "
      .. "levelname, levelno, lineno, message, module, msecs, name, pathname, process, processName, relativeCreated, "
      .. "thread, threadName, written as in `%(threadName)-10s`.",
    args = {
      { "options", "table?", "all fields optional: `level` a number or a name, default WARNING; `format` default "
        .. "\"%(levelname)s:%(name)s:%(message)s\"; `datefmt` for asctime, as os.date takes it; `stream` io.stderr "
        .. "(the default) or io.stdout; `filename` a file to append to instead; `filemode` \"w\" empties that first; "
        .. "`force` replaces an earlier configuration" },
    },
    errors = {
      { "unknown option 'levl'", "an option does not exist", 'require "luasync.logging".basicConfig{ levl = 1 }' },
      { "unknown level 'LOUD'", "a level has no such name", 'require "luasync.logging".basicConfig{ level = "LOUD" }' },
      { "unknown field 'nam'", "the format names no such field",
        'require "luasync.logging".basicConfig{ format = "%(nam)s" }' },
      { "cannot open log file: ", "the file cannot be opened",
        'require "luasync.logging".basicConfig{ filename = "/no/such/folder/x", force = true }' },
    },
    example = [[
local logging = require "luasync.logging"
logging.basicConfig{ level = "INFO", stream = io.stdout, format = "%(levelname)-8s|%(message)s" }
logging.info("ready")
logging.debug("not shown")]],
    output = "INFO    |ready",
    python = "logging.basicConfig", see = { "luasync.logging" },
  },
  level("debug", 10),
  level("info", 20),
  level("warning", 30),
  level("error", 40),
  level("critical", 50),
  {
    name = "logging.log", kind = "function", call = "logging.log(level, message, ...)",
    about = "Writes a line of any level, if that is high enough. NOTSET 0, DEBUG 10, INFO 20, WARNING 30, ERROR 40 and "
      .. "CRITICAL 50 are fields of the module (WARN and FATAL, too).",
    args = { { "level", "integer|string", "" }, { "message", "any", "as in logging.debug" }, { "...", "any", "" } },
    errors = { { "unknown level 'LOUD'", "a level has no such name", 'require "luasync.logging".log("LOUD", "x")' } },
    example = [[
local logging = require "luasync.logging"
logging.basicConfig{ level = logging.INFO, stream = io.stdout, format = "%(levelno)d %(message)s" }
logging.log(25, "in between")]],
    output = "25 in between",
    python = "logging.log", see = { "logging.debug" },
  },
  {
    name = "logging.getLevelName", kind = "function", call = "logging.getLevelName(level)",
    about = "The name of a level.", args = { { "level", "integer", "" } },
    returns = { { "string", "for a level without a name \"Level N\"" } },
    example = [[
local logging = require "luasync.logging"
print(logging.getLevelName(30), logging.getLevelName(31))]],
    output = "WARNING\tLevel 31",
    python = "logging.getLevelName", see = { "logging.log" },
  },
}

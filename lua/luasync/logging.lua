--- Log lines from many threads, in the manner of Python's `logging` module.
--
--     local logging = require "luasync.logging"
--     logging.basicConfig{ level = logging.DEBUG, format = "(%(threadName)-10s) %(message)s" }
--     logging.debug("event set: %s", flag)
--
-- One configuration holds for all threads, also for those already running. Every thread has its own
-- Lua state and therefore its own copy of this module, so the configuration lives in a Shared table.
-- It is one string in there: a log call then costs a single read, and no thread ever sees half of a
-- new configuration.

local sync = require "luasync"
local percent = require "luasync.logging.percent"

local logging = {
  NOTSET = 0, DEBUG = 10, INFO = 20, WARNING = 30, WARN = 30, ERROR = 40, CRITICAL = 50, FATAL = 50,
}

local LEVEL_NAMES = {
  [0] = "NOTSET", [10] = "DEBUG", [20] = "INFO", [30] = "WARNING", [40] = "ERROR", [50] = "CRITICAL",
}
local DEFAULT_FORMAT = "%(levelname)s:%(name)s:%(message)s"
local DEFAULT_DATE = "%Y-%m-%d %H:%M:%S"

-- level, relative start, format, datefmt, kind of stream, filename
local PACKED = "<i8ds4s4s4s4"

local shared = sync.__named_shared("luasync.logging")

----------------------------------------------------------------------------------------------------
-- Messages: a printf format and its arguments

local function wrong_argument(call, index, spec, expected, value)
  return ("bad argument #%d to '%s' (%s expected for '%s', got %s)"):format(
    index, call, expected, spec.text, type(value) == "number" and tostring(value) or type(value))
end

-- How many arguments the pieces take.
local function count_arguments(pieces)
  local count = 0
  for _, piece in ipairs(pieces) do
    if type(piece) == "table" then
      count = count + 1 + (piece.width == "*" and 1 or 0) + (piece.precision == "*" and 1 or 0)
    end
  end
  return count
end

local function uses_names(pieces)
  for _, piece in ipairs(pieces) do
    if type(piece) == "table" and piece.key then return true end
  end
  return false
end

-- `%(key)s` messages take all their values from one table.
local function fill_by_name(call, first, pieces, values)
  local out = {}
  for i, piece in ipairs(pieces) do
    if type(piece) == "string" then
      out[i] = piece
    else
      if not piece.key then
        return nil, ("bad argument #%d to '%s' ('%s' has no name)"):format(first - 1, call, piece.text)
      end
      local text, expected = percent.convert(piece, values[piece.key], piece.width, piece.precision)
      if not text then return nil, wrong_argument(call, first, piece, expected, values[piece.key]) end
      out[i] = text
    end
  end
  return table.concat(out)
end

-- `first` is the position of the first value among the arguments of `call`.
local function fill_in_order(call, first, pieces, values)
  local out, taken = {}, 0
  local function take()
    taken = taken + 1
    return values[taken]
  end
  for i, piece in ipairs(pieces) do
    if type(piece) == "string" then
      out[i] = piece
    else
      local width, precision = piece.width, piece.precision
      if width == "*" then width = take() end
      if piece.width == "*" and math.type(width) ~= "integer" then
        return nil, wrong_argument(call, first + taken - 1, piece, "integer", width)
      end
      if precision == "*" then precision = take() end
      if piece.precision == "*" and math.type(precision) ~= "integer" then
        return nil, wrong_argument(call, first + taken - 1, piece, "integer", precision)
      end
      local value = take()
      local text, expected = percent.convert(piece, value, width, precision and math.max(precision, 0))
      if not text then return nil, wrong_argument(call, first + taken - 1, piece, expected, value) end
      out[i] = text
    end
  end
  return table.concat(out)
end

-- The finished message, or nil and an error text. Without values a message is not a format at all:
-- `logging.info("100%")` is fine.
local function compose(call, first, message, ...)
  local count = select("#", ...)
  if count == 0 then return tostring(message) end
  local pieces, wrong = percent.parse(tostring(message))
  if not pieces then return nil, ("bad argument #%d to '%s' (%s)"):format(first - 1, call, wrong) end
  if uses_names(pieces) then
    if count > 1 or type((...)) ~= "table" and type((...)) ~= "userdata" then
      return nil, ("bad argument #%d to '%s' (one table expected for a message with names)"):format(first, call)
    end
    return fill_by_name(call, first, pieces, (...))
  end
  local needed = count_arguments(pieces)
  if needed ~= count then
    return nil, ("bad argument #%d to '%s' (the message needs %d argument%s, got %d)"):format(
      first - 1, call, needed, needed == 1 and "" or "s", count)
  end
  return fill_in_order(call, first, pieces, { ... })
end

----------------------------------------------------------------------------------------------------
-- Fields of a line

--- The name of a level: "DEBUG", or "Level 15" for one without a name.
function logging.getLevelName(level)
  return LEVEL_NAMES[level] or ("Level %s"):format(level)
end

-- A clock that stands at .889 exactly reads a hair less as a float: hence the small addition.
local function milliseconds(time)
  return math.min(math.floor(time % 1 * 1000 + 0.0005), 999)
end

local function asctime(record)
  local seconds = record.time // 1
  local datefmt = record.config.datefmt
  local text = os.date(datefmt ~= "" and datefmt or DEFAULT_DATE, math.tointeger(seconds))
  if datefmt ~= "" then return text end
  return ("%s,%03d"):format(text, milliseconds(record.time))
end

local function pathname(record)
  local source = record.caller.source
  return source:find("^@") and source:sub(2) or record.caller.short_src
end

local function filename(record)
  return pathname(record):match("([^/]*)$")
end

local function function_name(record)
  local caller = record.caller
  return caller.name or (caller.what == "main" and "main chunk") or "?"
end

-- Those that are numbers stand in SAMPLES, too.
local FIELDS = {
  asctime = asctime,
  created = function(record) return record.time end,
  filename = filename,
  funcName = function_name,
  levelname = function(record) return logging.getLevelName(record.level) end,
  levelno = function(record) return record.level end,
  lineno = function(record) return math.max(record.caller.currentline, 0) end,
  message = function(record) return record.message end,
  module = function(record) return (filename(record):gsub("%.[^.]*$", "")) end,
  msecs = function(record) return milliseconds(record.time) end,
  name = function() return "root" end,
  pathname = pathname,
  -- on Linux the first thread's id is the process's
  process = function() return sync.main_thread().native_id end,
  processName = function() return "MainProcess" end,
  relativeCreated = function(record) return (record.time - record.config.start) * 1000 end,
  thread = function() return sync.get_ident() end,
  threadName = function() return sync.current_thread().name end,
}
-- What a field's specification is tried with when it is configured: numbers here, text for all others.
local SAMPLES = {
  created = 1.5, levelno = 1, lineno = 1, msecs = 1, process = 1, relativeCreated = 1.5, thread = 1,
}
local ABOUT_CALLER = { filename = true, funcName = true, lineno = true, module = true, pathname = true }

-- Checks a line format; returns its pieces, or nil and what is wrong.
local function parse_line_format(format)
  local pieces, wrong = percent.parse(format)
  if not pieces then return nil, wrong end
  local fields = 0
  for _, piece in ipairs(pieces) do
    if type(piece) == "table" then
      if not piece.key then return nil, ("'%s' has no field name"):format(piece.text) end
      if not FIELDS[piece.key] then return nil, ("unknown field '%s'"):format(piece.key) end
      if not percent.convert(piece, SAMPLES[piece.key] or "text") then
        return nil, ("'%s' does not fit the field"):format(piece.text)
      end
      fields = fields + 1
    end
  end
  if fields == 0 then return nil, "no field in it" end
  return pieces
end

local function wants_caller(pieces)
  for _, piece in ipairs(pieces) do
    if type(piece) == "table" and ABOUT_CALLER[piece.key] then return true end
  end
  return false
end

local function render(record)
  local out = {}
  for i, piece in ipairs(record.config.pieces) do
    if type(piece) == "string" then
      out[i] = piece
    else
      out[i] = percent.convert(piece, FIELDS[piece.key](record), piece.width, piece.precision) or "?"
    end
  end
  out[#out + 1] = "\n"
  return table.concat(out)
end

----------------------------------------------------------------------------------------------------
-- The configuration that all threads see

-- This state's reading of the string in `shared`, and the log file it has open.
local current, current_text
local open_file, open_name

local function encode(config)
  return PACKED:pack(config.level, config.start, config.format, config.datefmt, config.stream, config.filename)
end

local function decode(text)
  local config = {}
  config.level, config.start, config.format, config.datefmt, config.stream, config.filename = PACKED:unpack(text)
  config.pieces = parse_line_format(config.format)
  config.caller = wants_caller(config.pieces)
  return config
end

-- The configuration in force; the first log call of a program without one installs the default.
local function configuration()
  local text = shared.config
  if not text then
    local default = encode{
      level = logging.WARNING, start = sync.time(), format = DEFAULT_FORMAT, datefmt = "", stream = "stderr",
      filename = "",
    }
    text = sync.update(shared, "config", function(old) return old or default end)
  end
  if text ~= current_text then
    current, current_text = decode(text), text
  end
  return current
end

-- Unbuffered and in append mode: each line is one write at the file's end, whoever else writes there.
local function log_file(name)
  if open_name ~= name then
    local file, wrong = io.open(name, "a")
    if not file then return nil, wrong end
    file:setvbuf("no")
    if open_file then open_file:close() end
    open_file, open_name = file, name
  end
  return open_file
end

local function write_line(config, line)
  if config.filename ~= "" then
    local file, wrong = log_file(config.filename)
    if not file then return nil, wrong end
    file:write(line)
  elseif config.stream == "stdout" then
    io.stdout:write(line)
    io.stdout:flush()
  else
    io.stderr:write(line)
  end
  return true
end

----------------------------------------------------------------------------------------------------
-- basicConfig

local OPTIONS = {
  level = true, format = true, datefmt = true, stream = true, filename = true, filemode = true, force = true,
}

-- A level as a number: an integer as it is, a name by its meaning. nil and a message otherwise.
local function level_number(level)
  if math.type(level) == "integer" then return level end
  if type(level) ~= "string" then return nil, ("level must be an integer or a name, got %s"):format(
    type(level) == "number" and tostring(level) or type(level)) end
  local number = level:find("^%u+$") and logging[level]
  if not number then return nil, ("unknown level '%s'"):format(level) end
  return number
end

local function check_string(options, name)
  local value = options[name]
  if value ~= nil and type(value) ~= "string" then
    return ("%s must be a string, got %s"):format(name, type(value))
  end
end

local function check_target(options)
  if options.stream ~= nil and options.filename ~= nil then
    return "stream and filename should not be specified together"
  end
  if options.stream ~= nil and options.stream ~= io.stderr and options.stream ~= io.stdout then
    return "stream must be io.stderr or io.stdout (a file is named by filename)"
  end
  if options.filename == "" then return "filename is empty" end
  local mode = options.filemode
  if mode ~= nil and mode ~= "a" and mode ~= "w" then
    return ("filemode must be 'a' or 'w', got '%s'"):format(tostring(mode))
  end
end

-- Everything that can be said about the options without looking at the world; nil if they are fine.
local function check_options(options)
  for name in pairs(options) do
    if not OPTIONS[name] then return ("unknown option '%s'"):format(tostring(name)) end
  end
  if options.level ~= nil then
    local _, wrong = level_number(options.level)
    if wrong then return wrong end
  end
  local wrong = check_string(options, "format") or check_string(options, "datefmt")
    or check_string(options, "filename") or check_target(options)
  if wrong then return wrong end
  if options.format then
    local pieces, why = parse_line_format(options.format)
    if not pieces then return ("invalid format '%s' (%s)"):format(options.format, why) end
  end
  if options.datefmt and not pcall(os.date, options.datefmt, 0) then
    return ("invalid datefmt '%s'"):format(options.datefmt)
  end
end

-- The new file must be there for every thread to append to.
local function prepare_file(options)
  if not options.filename then return true end
  local file, wrong = io.open(options.filename, options.filemode or "a")
  if not file then return nil, wrong end
  file:close()
  return true
end

--- Sets up logging for the whole program.
-- Does nothing if it is set up already (by an earlier call, or by a log call before any), unless `force` is true.
-- @param options a table, all fields optional:
--   `level` a number or one of the level names, default WARNING;
--   `format` default "%(levelname)s:%(name)s:%(message)s". Fields: asctime, created, filename, funcName,
--     levelname, levelno, lineno, message, module, msecs, name, pathname, process, processName,
--     relativeCreated, thread, threadName, with Python's flags, width and precision;
--   `datefmt` for asctime, as in os.date; by default date, time and milliseconds;
--   `stream` io.stderr (the default) or io.stdout;
--   `filename` a file to append to instead; `filemode = "w"` empties it first;
--   `force` true replaces an earlier configuration (its level stays if none is given).
-- Errors: an unknown option, a bad value, a format that does not hold together, a file that cannot be opened.
function logging.basicConfig(options)
  if options == nil then options = {} end
  if type(options) ~= "table" then
    error(("bad argument #1 to 'basicConfig' (table expected, got %s)"):format(type(options)), 2)
  end
  local wrong = check_options(options)
  if wrong then error(("bad argument #1 to 'basicConfig' (%s)"):format(wrong), 2) end
  local before = shared.config
  if before and not options.force then return end
  local prepared, why = prepare_file(options)
  if not prepared then error("cannot open log file: " .. why, 2) end
  local level = options.level and level_number(options.level)
  local text = encode{
    level = level or before and decode(before).level or logging.WARNING,
    start = before and decode(before).start or sync.time(),
    format = options.format or DEFAULT_FORMAT, datefmt = options.datefmt or "",
    stream = options.stream == io.stdout and "stdout" or "stderr", filename = options.filename or "",
  }
  local force = options.force
  sync.update(shared, "config", function(old) return not force and old or text end)
end

----------------------------------------------------------------------------------------------------
-- Log calls

-- Stands in for a caller that left no frame.
local NOBODY = { source = "=?", short_src = "?", currentline = 0 }

-- Stack: emit, the public function, its caller. So errors are raised at level 3, and the fields about the
-- caller ask for level 3, too; the public functions must not end in a tail call.
local function emit(level, call, first, message, ...)
  local config = configuration()
  if level < config.level then return end
  local text, wrong = compose(call, first, message, ...)
  if not text then error(wrong, 3) end
  local record = { level = level, message = text, time = sync.time(), config = config }
  if config.caller then record.caller = debug.getinfo(3, "Sln") or NOBODY end
  local done, why = write_line(config, render(record))
  if not done then error("cannot open log file: " .. why, 3) end
end

local function message_missing(call, index)
  return ("bad argument #%d to '%s' (value expected)"):format(index, call)
end

local function level_function(level, call)
  return function(...)
    if select("#", ...) == 0 then error(message_missing(call, 1), 2) end
    emit(level, call, 2, ...)
  end
end

--- `debug(message, ...)` and its siblings write one line if their level is high enough.
-- With further arguments the message is a format in Python's style (`%s`, `%-5d`, `%.2f`, `%r`, `%x`, `%%`, or
-- `%(key)s` with one table); `%s` takes any value and writes what tostring gives. The line goes out in one piece.
-- Errors: arguments that do not fit the message.
logging.debug = level_function(logging.DEBUG, "debug")
logging.info = level_function(logging.INFO, "info")
logging.warning = level_function(logging.WARNING, "warning")
logging.error = level_function(logging.ERROR, "error")
logging.critical = level_function(logging.CRITICAL, "critical")

--- `log(level, message, ...)`: the same with any level, a number or a name.
function logging.log(level, ...)
  local number, wrong = level_number(level)
  if not number then error(("bad argument #1 to 'log' (%s)"):format(wrong), 2) end
  if select("#", ...) == 0 then error(message_missing("log", 2), 2) end
  emit(number, "log", 3, ...)
end

return logging

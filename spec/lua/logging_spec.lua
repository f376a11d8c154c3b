local sync = require "luasync"
local logging = require "luasync.logging"
local support = require "spec.support"

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

describe("logging", function()
  local path

  -- What has been logged since the test began.
  local function logged()
    local file = assert(io.open(path))
    local text = file:read "a"
    file:close()
    return text
  end

  local function configure(format, options)
    options = options or {}
    options.format, options.filename, options.force = format, path, true
    options.level = options.level or logging.DEBUG
    logging.basicConfig(options)
  end

  -- One message through the format `%(message)s`.
  local function message(...)
    configure "%(message)s"
    logging.debug(...)
    local text = logged()
    logging.basicConfig { filename = path, filemode = "w", force = true }
    return (text:gsub("\n$", ""))
  end

  before_each(function()
    path = os.tmpname()
  end)

  after_each(function()
    os.remove(path)
    logging.basicConfig { force = true, level = logging.WARNING }
  end)

  describe("levels", function()
    it("are numbers with names", function()
      local numbers = { NOTSET = 0, DEBUG = 10, INFO = 20, WARNING = 30, ERROR = 40, CRITICAL = 50 }
      for name, number in pairs(numbers) do
        assert.equal(number, logging[name])
        assert.equal(name, logging.getLevelName(number))
      end
      assert.equal("Level 15", logging.getLevelName(15))
    end)

    it("let through what is as high or higher", function()
      configure("%(levelname)s:%(levelno)d", { level = logging.WARNING })
      for _, name in ipairs { "debug", "info", "warning", "error", "critical" } do logging[name]("x") end
      assert.equal("WARNING:30\nERROR:40\nCRITICAL:50\n", logged())
    end)

    it("can be given by name", function()
      configure("%(levelname)s", { level = "INFO" })
      logging.debug "x"
      logging.info "x"
      logging.log("ERROR", "x")
      assert.equal("INFO\nERROR\n", logged())
    end)

    it("may be any integer in log", function()
      configure("%(levelname)s", { level = 15 })
      logging.log(14, "x")
      logging.log(15, "x")
      assert.equal("Level 15\n", logged())
    end)

    it("of an earlier configuration stays when force gives none", function()
      configure("%(levelname)s", { level = logging.ERROR })
      logging.basicConfig { filename = path, force = true, format = "%(message)s" }
      logging.warning "hidden"
      logging.error "shown"
      assert.equal("shown\n", logged())
    end)
  end)

  describe("fields", function()
    local function line(format, ...)
      configure(format)
      logging.info(...)
      return (logged():gsub("\n$", ""))
    end

    it("have Python's widths", function()
      assert.equal("(root  )|  INFO|x|020", line("(%(name)-6s)|%(levelname)6s|%(message)s|%(levelno)03d", "x"))
    end)

    it("are cut by a precision, counted in characters", function()
      assert.equal("äö|  äöüß|", line("%(message).2s|%(message)6s|", "äöüß"))
    end)

    it("show a percent sign written twice", function()
      assert.equal("100% x", line("100%% %(message)s", "x"))
    end)

    it("asctime is date, time and milliseconds after a comma", function()
      local before = sync.time()
      local text = line("%(asctime)s", "x")
      local after = sync.time()
      local year, month, day, hour, minute, second, ms =
        text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d) (%d%d):(%d%d):(%d%d),(%d%d%d)$"
      assert.is_truthy(year, text)
      local time = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = second }
      time = time + ms / 1000
      assert.is_true(time >= before - 0.002 and time <= after + 0.002, text)
    end)

    it("asctime follows datefmt", function()
      configure("%(asctime)s", { datefmt = "<%Y>" })
      logging.info "x"
      assert.equal(os.date "<%Y>\n", logged())
    end)

    it("threadName is the thread's name as it is now", function()
      configure "(%(threadName)-10s) %(message)s"
      logging.info "main"
      local t = sync.Thread { name = "block", target = function() logging.info "there" end }:start()
      support.finish(t)
      assert.equal("(MainThread) main\n(block     ) there\n", logged())
    end)

    it("thread is the thread's ident", function()
      assert.equal(tostring(sync.get_ident()), line("%(thread)d", "x"))
    end)

    it("lineno, filename, module and funcName are those of the caller", function()
      configure "%(filename)s:%(module)s:%(lineno)d:%(funcName)s"
      local expected = debug.getinfo(1, "l").currentline + 1
      local function here() logging.info "x"; return true end
      here()
      local _, number = nil, debug.getinfo(1, "l").currentline + 1
      local function there() logging.log(30, "x"); return true end
      there()
      assert.equal(("logging_spec.lua:logging_spec:%d:here\nlogging_spec.lua:logging_spec:%d:there\n")
        :format(expected, number), logged())
    end)

    it("created and relativeCreated are seconds and milliseconds", function()
      configure "%(created).3f %(relativeCreated)d"
      local before = sync.time()
      logging.info "x"
      local created, relative = logged():match "^(%d+%.%d%d%d) (%d+)\n$"
      assert.is_truthy(created)
      assert.is_true(math.abs(created - before) < 5)
      assert.is_true(tonumber(relative) >= 0)
    end)
  end)

  describe("messages", function()
    it("take any value for %s", function()
      assert.equal("event set: true", message("event set: %s", true))
      assert.equal("nil 1 1.5 x", message("%s %s %s %s", nil, 1, 1.5, "x"))
      local object = setmetatable({}, { __tostring = function() return "an object" end })
      assert.equal("an object", message("%s", object))
    end)

    it("take numbers as Python's printf does", function()
      assert.equal("42|   42|42   |00042|+42|-042", message("%d|%5d|%-5d|%05d|%+d|%04d", 42, 42, 42, 42, 42, -42))
      assert.equal("3|-3|ff|0xff|-ff|17", message("%d|%d|%x|%#x|%x|%o", 3.9, -3.9, 255, 255, -255, 15))
      assert.equal("3.14|   3.1|1e+10|100%", message("%.2f|%6.1f|%g|%d%%", 3.14159, 3.14159, 1e10, 100))
      assert.equal("    7|7  |é", message("%*d|%*d|%c", 5, 7, -3, 7, 233))
    end)

    it("quote strings for %r", function()
      assert.equal([['a' "it's" 'x\n' 5]], message("%r %r %r %r", "a", "it's", "x\n", 5))
    end)

    it("with names take their values from one table", function()
      assert.equal("worker has 007", message("%(who)s has %(n)03d", { who = "worker", n = 7 }))
    end)

    it("without arguments are not formats, and may be any value", function()
      assert.equal("100% %d", message "100% %d")
      assert.equal("12", message(12))
      assert.equal("nil", message(nil))
    end)

    it("below the level are not looked at", function()
      configure("%(message)s", { level = logging.ERROR })
      logging.debug("%d", {})
      assert.equal("", logged())
    end)

    it("that do not fit their arguments are errors of the caller", function()
      configure "%(message)s"
      local function raises(expected, fn)
        local ok, wrong = pcall(fn)
        assert.is_false(ok)
        local line = debug.getinfo(2, "l").currentline
        assert.equal(("logging_spec.lua:%d: bad argument %s"):format(line, expected), wrong:match "([^/]*)$")
      end
      raises("#1 to 'debug' (the message needs 2 arguments, got 1)", function() logging.debug("%s %s", 1) end)
      raises("#1 to 'info' (the message needs 1 argument, got 2)", function() logging.info("%s", 1, 2) end)
      raises("#2 to 'error' (number expected for '%d', got string)", function() logging.error("%d", "x") end)
      raises("#4 to 'log' (integer expected for '%x', got 1.5)", function() logging.log(50, "%s%x", 1, 1.5) end)
      raises("#1 to 'warning' (unsupported format character 'y')", function() logging.warning("%y", 1) end)
      raises("#1 to 'critical' (incomplete format)", function() logging.critical("50%", 1) end)
      raises("#1 to 'debug' (value expected)", function() logging.debug() end)
      raises("#2 to 'log' (value expected)", function() logging.log(10) end)
      raises("#1 to 'log' (unknown level 'LOUD')", function() logging.log("LOUD", "x") end)
      assert.equal("", logged())
    end)
  end)

  describe("basicConfig", function()
    it("does nothing when logging is configured already", function()
      configure("%(levelname)s", { level = logging.INFO })
      logging.basicConfig { level = logging.DEBUG, format = "second %(message)s", filename = path }
      logging.debug "x"
      logging.info "x"
      assert.equal("INFO\n", logged())
    end)

    it("appends to a file, or empties it first", function()
      configure "%(message)s"
      logging.info "one"
      configure "%(message)s"
      logging.info "two"
      assert.equal("one\ntwo\n", logged())
      configure("%(message)s", { filemode = "w" })
      logging.info "three"
      assert.equal("three\n", logged())
    end)

    local wrong = {
      { "unknown level 'debug'", { level = "debug" } },
      { "level must be an integer or a name, got 1.5", { level = 1.5 } },
      { "level must be an integer or a name, got table", { level = {} } },
      { "invalid format '%(foo)s' (unknown field 'foo')", { format = "%(foo)s" } },
      { "invalid format '%(message)d' ('%(message)d' does not fit the field)", { format = "%(message)d" } },
      { "invalid format '%(message)' (incomplete format)", { format = "%(message)" } },
      { "invalid format '%(message' (incomplete field name)", { format = "%(message" } },
      { "invalid format '%s' ('%s' has no field name)", { format = "%s" } },
      { "invalid format 'plain' (no field in it)", { format = "plain" } },
      { "format must be a string, got number", { format = 5 } },
      { "invalid datefmt '%Q'", { datefmt = "%Q" } },
      { "unknown option 'lvl'", { lvl = 10 } },
      { "stream must be io.stderr or io.stdout (a file is named by filename)", { stream = "stderr" } },
      { "stream and filename should not be specified together", { stream = io.stderr, filename = "x" } },
      { "filemode must be 'a' or 'w', got 'r'", { filename = "x", filemode = "r" } },
    }
    for _, case in ipairs(wrong) do
      it("refuses: " .. case[1], function()
        configure "%(message)s"
        case[2].force = true
        assert.equal(("bad argument #1 to 'basicConfig' (%s)"):format(case[1]),
          support.error_of(function() logging.basicConfig(case[2]) end))
        logging.info "as before"
        assert.equal("as before\n", logged())
      end)
    end

    it("refuses what is no table, and a file that cannot be opened", function()
      support.bad_argument(1, "basicConfig", function() logging.basicConfig(5) end)
      local text = support.error_of(function() logging.basicConfig { filename = path .. "/x", force = true } end)
      assert.is_truthy(text:find("cannot open log file: " .. path .. "/x: ", 1, true), text)
    end)
  end)

  describe("in threads", function()
    it("holds in threads started before and after the configuration", function()
      configure "first %(message)s"
      local begin, ready = sync.Event(), sync.Event()
      local function work(name)
        logging.info(name)
        ready:set()
        begin:wait()
        logging.info(name)
      end
      local early = support.start(work, "early")
      assert.is_true(ready:wait(support.LONG))
      configure "second %(message)s"
      begin:set()
      support.finish(early)
      support.finish(support.start(work, "late"))
      assert.equal("first early\nsecond early\nsecond late\nsecond late\n", logged())
    end)

    it("configured in one thread holds in all", function()
      local where = path
      support.finish(support.start(function()
        logging.basicConfig { level = "INFO", format = "there %(message)s", filename = where, force = true }
      end))
      logging.info "here"
      assert.equal("there here\n", logged())
    end)

    it("lines of many threads never interleave", function()
      configure "%(message)s"
      local threads = {}
      for i = 1, 6 do
        threads[i] = support.start(function()
          for k = 1, 100 do logging.info("<%d %d %s>", i, k, (tostring(i)):rep(300)) end
        end)
      end
      for _, thread in ipairs(threads) do support.finish(thread) end
      local counts, lines = {}, 0
      for text in logged():gmatch "[^\n]+" do
        local i, k, rest = text:match "^<(%d) (%d+) (%d+)>$"
        assert.is_truthy(i, text)
        assert.equal(i:rep(300), rest)
        counts[i] = (counts[i] or 0) + 1
        assert.equal(counts[i], tonumber(k))
        lines = lines + 1
      end
      assert.equal(600, lines)
    end)
  end)

  describe("in a program", function()
    local function program(text)
      if not exists(support.host) then return nil end
      return support.run("local logging = require 'luasync.logging'\n" .. text)
    end

    it("writes warnings to stderr by default", function()
      local run = program [[logging.info("hidden") logging.warning("shown %d", 1)]]
      if not run then return pending "no host to run" end
      assert.equal("WARNING:root:shown 1\n", run.err)
      assert.equal("", run.out)
      assert.equal(0, run.code)
    end)

    it("is configured by a log call that comes first", function()
      local run = program [[
        logging.debug("hidden")
        logging.basicConfig{ level = logging.DEBUG, format = "%(message)s" }
        logging.debug("hidden, too")
        logging.error("shown")]]
      if not run then return pending "no host to run" end
      assert.equal("ERROR:root:shown\n", run.err)
    end)

    it("writes to stdout when asked, in order with print", function()
      local run = program [[
        logging.basicConfig{ stream = io.stdout, format = "%(message)s" }
        print("one") logging.error("two") print("three")]]
      if not run then return pending "no host to run" end
      assert.equal("one\ntwo\nthree\n", run.out)
      assert.equal("", run.err)
    end)

    it("lines on stderr come out whole", function()
      local run = program [[
        local sync = require "luasync"
        for i = 1, 6 do
          sync.spawn(function()
            for k = 1, 100 do logging.error("<%s>", tostring(i):rep(300)) end
          end)
        end]]
      if not run then return pending "no host to run" end
      local lines = 0
      for text in run.err:gmatch "[^\n]+" do
        local digits = text:match "^ERROR:root:<(%d+)>$"
        assert.is_truthy(digits, text)
        assert.equal(digits:sub(1, 1):rep(300), digits)
        lines = lines + 1
      end
      assert.equal(600, lines)
    end)
  end)
end)

--- Tests of busted under supervision: what goes wrong in a thread fails the test that started it, and the run goes on.
--
-- A test of a file that has loaded luasync.testing runs between `Watch.begin` and its closing. Meanwhile an exception
-- hook collects the errors of threads, and a deadlock interrupts the main thread instead of ending the program.

local inside = require "luasync.testing.inside"
local report = require "luasync.report"
local sync = require "luasync"

local busted = package.loaded.busted
local failures = sync.Queue{ name = "failed threads" }

local supervise = { wants_none_left = false }
local current      -- the watch of the test that runs

local GRACE = 1 -- seconds that a thread has to end, once its test is over

local function hook(thread, err, trace)
  require "luasync.testing.inside".note(failures, thread, err, trace)
end

local Watch = {}
Watch.__index = Watch

local function alive()
  local idents = {}
  for _, thread in ipairs(sync.enumerate()) do idents[thread.ident] = true end
  return idents
end

function Watch.begin(element)
  local trace = element.trace
  local watch = setmetatable({ before = alive(), hooked = true, unread = {} }, Watch)
  watch.place = trace and ("%s:%d: "):format(trace.short_src, trace.currentline) or ""
  watch.previous = sync.set_excepthook(hook)
  if watch.previous ~= sync.__excepthook then      -- the spec has one of its own
    sync.set_excepthook(watch.previous)
    watch.hooked = false
  end
  sync.__deadlock(true)
  return watch
end

--- The threads that the test has started and that are still there.
function Watch:left()
  local list = {}
  for _, thread in ipairs(sync.enumerate()) do
    if not self.before[thread.ident] then list[#list + 1] = thread end
  end
  return list
end

--- Interrupts the threads that are left, so that they are nobody's trouble.
function Watch:clear()
  local threads = self:left()
  for _, thread in ipairs(threads) do thread:interrupt(inside.OVER) end
  for _, thread in ipairs(threads) do thread:join(GRACE) end
end

--- The first line of a traceback that stands in a spec or the code under test.
local function own_line(trace)
  for line in trace:gmatch "\n%s*([^\n]+)" do
    if not line:find "^%[C%]" then return line end
  end
end

local function failure_text(watch, failed)
  local text = failed.text
  if not text:find "^[^\n]-:%d+: " then
    local line = own_line(failed.trace)
    if line then text = text .. "\n" .. line end
  end
  local late = watch.before[failed.ident] and ", which an earlier test has left behind" or ""
  return ("%s\nin thread %s%s"):format(text, failed.name, late)
end

--- The text of all errors that nobody has taken, or nil.
function Watch:failed()
  local texts = {}
  while not failures:empty() do
    local failed = failures:get()
    if sync.__untaken(failed.thread) then texts[#texts + 1] = failure_text(self, failed) end
  end
  return texts[1] and table.concat(texts, "\n")
end

--- The threads that are left, where that is a failure.
function Watch:leftover()
  if not supervise.wants_none_left then return nil end
  for _, thread in ipairs(self:left()) do thread:join(GRACE) end
  local names = {}
  for _, record in ipairs(sync.threads()) do
    if not self.before[record.id] then
      names[#names + 1] = record.file and ("%s, at %s:%d"):format(record.name, record.file, record.line) or record.name
    end
  end
  if #names == 0 then return nil end
  return (#names == 1 and "a thread is left: " or #names .. " threads are left: ") .. table.concat(names, "; ")
end

--- Ctrl-C ends the run, not the test alone.
local function end_of_run(_, _, message)
  if type(message) == "string" and message:find "interrupted!$" then
    io.stdout:flush()
    io.stderr:write "luasync: interrupted!\n"
    os.exit(130)
  end
  return nil, true
end

--- A report of simulate or explore that tells of a failure: the test fails with it, unless it reads the report.
-- Until then the fields are elsewhere, and come back with the first look at one.
function supervise.reported(result)
  local fields, watch = {}, current
  if not watch then return end
  for key, value in pairs(result) do fields[key] = value end
  for key in pairs(fields) do
    if key ~= "closed" then result[key] = nil end      -- something stays, so that it is not the same as {}
  end
  local function open()
    watch.unread[result] = nil
    setmetatable(result, nil)
    for key, value in pairs(fields) do result[key] = value end
    return result
  end
  watch.unread[result] = fields
  table.insert(watch.unread, result)
  setmetatable(result, {
    __index = function(_, key) return open()[key] end,
    __newindex = function(_, key, value) fields[key] = value end,
    __pairs = function() return next, open() end,
    __transfer = function()
      open()
      return table.unpack, { fields }
    end,
  })
end

--- The message of the first report of a failure that nobody has read, or nil.
function Watch:unread_report()
  for _, result in ipairs(self.unread) do
    local fields = self.unread[result]
    if fields then return fields.message end
  end
end

--- What the test fails with besides its own error; nil: nothing.
function Watch:verdict()
  local deadlock = sync.__deadlock(false)
  if deadlock then
    self:clear()
    self:failed()
    return report.brief(deadlock), true
  end
  local text = self:failed()
  if text then return text end
  text = self:unread_report()
  if text then return text end
  local left = self:leftover()
  if left then self:clear() end
  return left
end

--- The end of the test. What is raised here takes the place of its own error, so with one of its own there is only a
-- line on stderr; except after a deadlock, where that has interrupted it.
function Watch:__close()
  local text, deadlock = self:verdict()
  current = nil
  if self.hooked then sync.set_excepthook(self.previous) end
  if not text then return end
  if not text:find "^[^\n]-:%d+: " then text = self.place .. text end
  if not self.returned and not deadlock then
    io.stderr:write(text, "\n")
    return
  end
  inside.fail(text)
end

local function wrap(element)
  local run = element.run
  element.run = function(...)
    element.run = run
    local watch <close> = Watch.begin(element)
    current = watch
    run(...)
    watch.returned = true
  end
end

--- The path of the file that a test stands in.
local function file_of(element)
  while element and element.descriptor ~= "file" do element = busted.parent(element) end
  return element and element.name
end

--- The files that are being loaded: a spec, or a helper of the whole run.
local function loading()
  local files, level = {}, 2
  repeat
    local info = debug.getinfo(level, "S")
    if info and info.source:find "^@" then files[info.source:sub(2)] = true end
    level = level + 1
  until not info
  return files
end

local function is_helper(files)
  for path in pairs(files) do
    if path:find "busted/modules/helper_loader%.lua$" then return true end
  end
  return false
end

--- Supervises the tests of the file that is being loaded.
function supervise.install()
  local files = loading()
  local all, over = is_helper(files), false
  busted.subscribe({ "test", "start" }, function(element)
    if not over and (all or files[file_of(element)]) and not element.supervised then
      element.supervised = true
      wrap(element)
    end
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function()
    supervise.wants_none_left = false
    return nil, true
  end)
  busted.subscribe({ "error" }, end_of_run)
  busted.subscribe({ "file", "end" }, function(element)
    over = over or not all and files[element.name]      -- the next file has a copy of this module of its own
    return nil, true
  end)
end

return supervise

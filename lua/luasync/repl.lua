--- The session at the prompt: reads entries, evaluates them, shows what they give.
--
-- The host (repl.c) gives it a `terminal`, calls `open(terminal)` once and then `step()` until that returns false. What
-- needs care is there: calls that Ctrl-C can end, and what other threads print while an entry is typed.
--
-- Locals of an entry live on as globals: see luasync.repl.chunk.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local chunk = require "luasync.repl.chunk"
local commands = require "luasync.repl.commands"
local complete = require "luasync.repl.complete"
local Entries = require "luasync.repl.entries"
local Files = require "luasync.repl.files"
local frames = require "luasync.repl.frames"
local history = require "luasync.repl.history"
local inspect = require "luasync.inspect"
local pager = require "luasync.repl.pager"
local sync = require "luasync"

-- Tracebacks look for the names of functions among the loaded modules: they should not find them there.
package.loaded["luasync.repl.env"] = nil

local stdout = io.stdout

local SIMULATED = "Simulated time: it jumps while an entry waits, and stands still while you type."
local HOPELESS = "interrupted! nobody could ever have ended this wait"

local WORDS = {
  exit = "Ctrl-D or :quit leaves; os.exit(code) leaves with an exit code",
  help = ":help lists the commands, :help NAME shows what the reference says of a function or an object",
}
for _, word in ipairs { "exit", "help" } do WORDS[word .. "()"] = WORDS[word] end
WORDS.quit, WORDS["quit()"] = WORDS.exit, WORDS.exit

local Session = {}
Session.__index = Session

----------------------------------------------------------------------------------------------------
-- Printing

--- Prints a text and a line end; of a long one the first screen.
function Session:print(text)
  if self.terminal.read then text, self.rest = pager.cut(text, self.terminal.size()) end
  self.terminal.show(text .. "\n")
end

--- Shows the next screen of a long text.
function Session:print_rest()
  if self.rest then self:print(self.rest) end
end

function Session.interrupted(message)
  return type(message) == "string" and message:find("interrupted!", 1, true) ~= nil
end

function Session:paint(code, text)
  return self.colour and ("\27[%sm%s\27[0m"):format(code, text) or text
end

function Session:complain(message)
  if self.interrupted(message) then self.terminal.show("\n", 2) end      -- behind the ^C that the terminal shows
  local first, rest = tostring(message):match "^([^\n]*)(.*)$"
  self.terminal.show(self:paint("31", first) .. rest .. "\n", 2)
end

----------------------------------------------------------------------------------------------------
-- Evaluating

local function error_text(err)
  if type(err) == "string" then return err end
  if type(err) == "number" then return tostring(err) end
  local meta = debug.getmetatable(err)
  if type(meta) == "table" and rawget(meta, "__tostring") then return inspect.tostring(err) end
  if type(err) == "table" then return inspect(err) end
  return ("(error object is a %s value)"):format(type(err))
end

local entries                     -- the session's: hints look at their lines

local function read_source(name)
  if entries:source(name) then return entries:source(name) end
  local file = io.open(name, "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return text
end

--- A message with the cure for it, where there is one.
local function with_hint(message)
  local ok, cure = pcall(function() return require "luasync.hints".cure(message, read_source) end)
  return ok and cure and message .. "\nhint: " .. cure or message
end

--- The message handler: the error's text with a traceback; values with a text of their own need none.
local function handle(err)
  local ok, text = pcall(error_text, err)
  if not ok then text = "(error object whose text cannot be had)" end
  if type(err) ~= "string" then return text end
  local trace = frames.traceback(with_hint(text), 2)
  return trace
end

local reported = setmetatable({}, { __tostring = function() return "the entry has failed" end })

--- Shows the report of a world in which no thread could go on, if a call has ended for that.
function Session:tell_stuck()
  local stuck = sync.__deadlock(true)
  if stuck then self.terminal.show(frames.cut_report(stuck), 2) end
  return stuck ~= nil
end

--- The results of terminal.call, packed. Raises `reported` after an error.
function Session:take(results)
  if self:tell_stuck() and not results[1] and tostring(results[2]):find "^interrupted\n" then
    self.terminal.show(self:paint("31", HOPELESS) .. "\n", 2)
    error(reported, 0)
  end
  if not results[1] then
    self:complain(results[2])
    error(reported, 0)
  end
  return table.pack(table.unpack(results, 2, results.n))
end

--- Calls f(...) so that Ctrl-C ends it. An error is reported.
-- @return the results, packed. Raises `reported` after an error.
function Session:call(f, ...) return self:take(table.pack(self.terminal.call(handle, f, ...))) end

--- The same for what the user has typed: where no thread can ever go on, that is told, and the call ends.
function Session:call_typed(f, ...) return self:take(table.pack(self.terminal.evaluate(handle, f, ...))) end

--- Evaluates Lua code and shows what it gives.
function Session:run(text)
  local f, message, entry = self.entries:compile(text)
  if not f then return self:complain(with_hint(message)) end
  entry.failed = true
  local results = self:call_typed(f)
  entry.failed = false
  return results
end

--- Prints the results of an entry; the first becomes `_`.
function Session:show(results)
  if results.n == 0 then return end
  if results[1] ~= nil then rawset(_G, "_", results[1]) end
  local options = { colour = self.colour, width = self.terminal.size() - 1 }
  local text = self:call(inspect.results, options, table.unpack(results, 1, results.n))[1]
  self:print(text)
end

function Session:evaluate(text)
  local name, argument = commands.parse(text)
  if name then return commands.run(self, name, argument) end
  if WORDS[text] and rawget(_G, text:match "%a+") == nil then return self:print(WORDS[text]) end
  local results = self:run(text)
  if results then self:show(results) end
end

----------------------------------------------------------------------------------------------------
-- The prompt

local function state_text()
  local ok, running, blocked = pcall(commands.count_threads)
  if not ok or running + blocked == 0 then return "" end
  local parts = {}
  if running > 0 then parts[#parts + 1] = running .. " running" end
  if blocked > 0 then parts[#parts + 1] = blocked .. " blocked" end
  return " [" .. table.concat(parts, ", ") .. "]"
end

--- The prompt as lua's, where _PROMPT or _PROMPT2 is set, else ours.
function Session:prompt(continued)
  local own = rawget(_G, continued and "_PROMPT2" or "_PROMPT")
  if own ~= nil then return inspect.tostring(own) end
  local name = "luasync" .. state_text()
  if continued then return (" "):rep(#name - 1) .. ">> " end
  if not self.colour or not self.terminal.read then return name .. "> " end
  return "\1\27[1m\1" .. name .. ">\1\27[0m\1 "
end

function Session:completion(text, cursor)
  local before = (self.so_far and self.so_far .. "\n" or "") .. text:sub(1, cursor)
  local more, names = complete.complete(before, commands, self.files)
  if names then self.terminal.show(complete.columns(names, self.terminal.size() - 1) .. "\n") end
  return more
end

--- The functions that the editor calls while it reads.
local function make_hooks(session)
  return {
    prompt = function() return session:prompt(session.so_far ~= nil) end,
    recall = function(back) return session.history:recall(back) end,
    search = function(text, back) return tostring(session.history:search(text, back)) end,
    complete = function(text, cursor) return session:completion(text, cursor) end,
  }
end

--- Reads a line, with the editor or without.
-- @return "text", "end", "interrupt" or "back", and the text
function Session:read_with(hooks, initial)
  if self.terminal.read then return self.terminal.read(hooks, initial, self.so_far ~= nil) end
  stdout:write(hooks.prompt())
  stdout:flush()
  local line = io.stdin:read "l"
  if line then return "text", line end
  return "end", ""
end

local function is_finished(text)
  if commands.parse(text) then return true end
  return not chunk.is_incomplete(text)
end

--- Reads an entry of as many lines as it takes.
-- @return its text, "" where it was dropped, or nil at the end of the input
function Session:read_entry()
  local initial
  self.so_far = nil
  while true do
    local kind, line = self:read_with(self.hooks, initial)
    initial = nil
    if kind == "interrupt" then return "" end
    if kind == "end" and not self.so_far then return nil end
    local text = self.so_far and self.so_far .. "\n" .. line or line
    if kind == "back" then
      initial = text
      self.so_far = nil
    elseif kind == "end" or is_finished(text) then
      self.so_far = nil
      return text
    else
      self.so_far = text
    end
  end
end

function Session:remember(text)
  local ok, message = self.history:add(text)
  if not ok then self:complain(message) end
end

----------------------------------------------------------------------------------------------------
-- Leaving

local function foreground_threads()
  local list = {}
  for _, thread in ipairs(sync.enumerate()) do
    if not thread.daemon and thread ~= sync.main_thread() then list[#list + 1] = thread end
  end
  return list
end

local function join_all()
  local list = foreground_threads()
  while #list > 0 do
    for _, thread in ipairs(list) do thread:join() end
    list = foreground_threads()
  end
end

function Session:list_foreground(threads)
  local wanted, list = {}, {}
  for _, thread in ipairs(threads) do wanted[thread.ident] = true end
  for _, info in ipairs(commands.thread_list()) do
    if wanted[info.id] then list[#list + 1] = info end
  end
  self:print(#threads == 1 and "one thread is alive:" or #threads .. " threads are alive:")
  self:print(commands.thread_table(list))
end

local ANSWERS = { j = "join", join = "join", s = "stop", stop = "stop", t = "stay", stay = "stay" }

--- Asks what shall become of the threads: "join", "stop" or "stay". The end of the input means stop.
function Session:ask_threads()
  local hooks = setmetatable({ prompt = function() return "join, stop or stay? " end }, { __index = self.hooks })
  while true do
    local kind, line = self:read_with(hooks)
    if kind == "end" then return "stop" end
    if kind == "interrupt" then return "stay" end
    local answer = ANSWERS[line:lower():match "^%s*(.-)%s*$"]
    if answer then return answer end
  end
end

--- Whether the user may go: no threads are left that ask for anything, or they have been joined.
-- Where they are to be stopped, the process ends here with `code`.
function Session:may_leave(code)
  while true do
    local threads = foreground_threads()
    if #threads == 0 then return true end
    self:list_foreground(threads)
    local answer = self:ask_threads()
    if answer == "stay" then return false end
    if answer == "stop" then self.terminal.stop(code) end
    if pcall(self.call, self, join_all) then return true end
  end
end

function Session:leave()
  if self:may_leave(self.code or 0) then self.left = true end
end

--- os.exit asks first; in other threads, and in code that runs there, it is the plain one.
local function guard_exit(session)
  rawset(_G.os, "exit", function(code, close)
    if sync.current_thread() == sync.main_thread() then
      local status = code == nil and 0 or code == true and 0 or code == false and 1 or code
      if not session:may_leave(math.tointeger(status) or 1) then error("stayed in the session", 0) end
    end
    return os.exit(code, close)
  end)
end

----------------------------------------------------------------------------------------------------
-- The session

--- In a simulated world the other threads run before an entry is typed, until all of them wait.
function Session:settle()
  if #sync.enumerate() == 1 then return end
  -- In a coroutine there is no line of Lua code around it, and so none that a recording could name.
  local results = table.pack(self.terminal.call(handle, coroutine.wrap(sync.settle)))
  if not self:tell_stuck() and not results[1] then
    self:complain "interrupted! threads go on running (:threads lists them, :kill ends one)"
  end
end

--- Reads and evaluates one entry.
-- @return false once the user has left
function Session:step()
  if self.terminal.is_simulated then self:settle() end
  local text = self:read_entry()
  if text == nil then self:leave()
  elseif not text:find "%S" then self:print_rest()
  else
    self.rest = nil
    self:remember(text)
    local ok, err = pcall(self.evaluate, self, text)
    if not ok and err ~= reported then self:complain(inspect.tostring(err)) end
  end
  return not self.left
end

--- Makes all names of luasync globals, those that Lua has itself excepted.
local function offer_names()
  for name, value in next, sync do
    if type(name) == "string" and name:find "^%a" and rawget(_G, name) == nil then rawset(_G, name, value) end
  end
  if rawget(_G, "sync") == nil then rawset(_G, "sync", sync) end
end

local function startup_path()
  local path = os.getenv "LUASYNC_RC"
  if path then return path ~= "" and path or nil, true end
  local config, home = os.getenv "XDG_CONFIG_HOME", os.getenv "HOME"
  if not config or not config:find "^/" then
    if not home or home == "" then return nil end
    config = home .. "/.config"
  end
  return config .. "/luasync/init.lua", false
end

--- Runs the start-up file; it need not be there unless LUASYNC_RC names it.
function Session:run_startup()
  local path, required = startup_path()
  if not path then return end
  local file, message = io.open(path, "rb")
  if file then file:close() end
  if not file and not required then return end
  local f
  if file then f, message = loadfile(path) end
  if not f then return self:complain("start-up file: " .. tostring(message)) end
  pcall(self.call, self, f)
end

function Session:open_history()
  local path, folder = history.default_path(os.getenv)
  if folder then self.terminal.make_folder(folder) end
  local message
  self.history, message = history.open(path, self.terminal.append)
  if message then self:complain(message) end
end

--- Begins a session.
-- @param terminal table of the host: `read(hooks, initial, continued)` (nil where nothing can be edited),
--   `call(handler, f, ...)`, `evaluate(handler, f, ...)`, `show(text)`, `note(number, text)`, `stop(code)`,
--   `append(path, text)`, `make_folder(path)`, `list(folder)`, `size()`, `is_terminal`, `is_simulated`
-- @return the session, with the method `step`
local function open(terminal)
  local no_colour = os.getenv "NO_COLOR"
  local session = setmetatable({ terminal = terminal }, Session)
  session.colour = terminal.is_terminal and (not no_colour or no_colour == "") and os.getenv "TERM" ~= "dumb"
  session.hooks = make_hooks(session)
  session.entries = Entries.new(terminal.note)
  entries = session.entries
  session.files = Files.new(terminal.list)
  sync.__deadlock(true)
  offer_names()
  guard_exit(session)
  frames.hide(terminal.call, terminal.evaluate)
  session:open_history()
  session:print(session:paint("2", ":help lists the commands, Ctrl-D leaves"))
  if terminal.is_simulated then session:print(session:paint("2", SIMULATED)) end
  session:run_startup()
  return session
end

return { open = open }

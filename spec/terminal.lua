--- A terminal for specs: runs the host in tmux, types, and reads what the screen shows.
--
-- Each terminal is a tmux server of its own, with a home folder of its own, so that nothing of the user's is read or
-- written.

local support = require "spec.support"
local sync = require "luasync"

local quote = support.quote

local Terminal = {}
Terminal.__index = Terminal

local terminal = {}

--- Seconds until a wait for something on the screen fails.
terminal.LONG = 20

local count = 0

local function capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

--- Whether the machine has tmux.
function terminal.available() return (os.execute "command -v tmux >/dev/null 2>&1") == true end

function Terminal:tmux(...)
  local words = { "tmux -u -L", self.server, "-f", quote(self.home .. "/tmux.conf") }
  for _, word in ipairs { ... } do words[#words + 1] = quote(tostring(word)) end
  return capture(table.concat(words, " ") .. " 2>&1")
end

--- The absolute path of a file.
local function absolute(path)
  if path:sub(1, 1) == "/" then return path end
  return capture "pwd":gsub("\n$", "") .. "/" .. path
end

--- The script that tmux runs: the host, then its exit code, then a wait so that the screen stays.
local function shell_script(self, options)
  local words = { "exec env -i PATH=" .. quote(os.getenv "PATH"), "HOME=" .. quote(self.home), 'TERM="$TERM"',
    "LANG=C.UTF-8" }
  local env = options.env or {}
  if env.NO_COLOR == nil then words[#words + 1] = "NO_COLOR=1" end
  for name, value in pairs(env) do words[#words + 1] = name .. "=" .. quote(value) end
  words[#words + 1] = options.shell and "PS1='shell: ' sh -i" or quote(absolute(support.host))
  for _, word in ipairs(options.args or {}) do words[#words + 1] = quote(word) end
  if options.redirect then words[#words + 1] = options.redirect end
  return "trap : INT QUIT\n(trap - INT QUIT; " .. table.concat(words, " ") .. ")\n"
    .. "echo \"exit code $?\"\nexec sleep 600\n"
end

--- Opens a terminal in which the host runs.
-- @param options table, all optional: `args` (list), `env` (table; NO_COLOR=1 unless given), `width`,
--   `height` (80, 24), `home` (folder to go on with), `redirect` (shell text), `waits` (false: do not
--   wait for the first prompt), `shell` (true: a shell in place of the host, which the spec calls from there)
-- @return the terminal; close it
function terminal.open(options)
  options = options or {}
  count = count + 1
  local self = setmetatable({}, Terminal)
  self.server = ("luasync-spec-%d-%d"):format(math.floor(sync.monotonic() * 1e9), count)
  self.home = options.home
  if not self.home then
    self.home = os.tmpname()
    os.remove(self.home)
    os.execute("mkdir " .. quote(self.home))
    self.owns_home = true
  end
  local script = self.home .. "/run.sh"
  support.write_file(script, shell_script(self, options))
  support.write_file(self.home .. "/tmux.conf", "set-option -g history-limit 200000\nset-option -sg escape-time 0\n")
  local said = self:tmux("new-session", "-d", "-x", options.width or 80, "-y", options.height or 24, "sh " .. script)
  if said ~= "" then error("tmux: " .. said, 2) end
  if options.shell then self:wait_for "shell:" elseif options.waits ~= false then self:wait_for_prompt() end
  return self
end

--- The host as a word of a shell's command line.
function terminal.host() return quote(absolute(support.host)) end

--- Ends the host and its terminal.
function Terminal:close()
  if self.closed then return end
  self.closed = true
  self:tmux "kill-server"
  if self.owns_home then os.execute("rm -rf " .. quote(self.home)) end
end

--- Types a text as it is.
function Terminal:type(text) self:tmux("send-keys", "-l", "--", text) end

--- Presses keys, by their names in tmux: "Enter", "C-c", "Up".
function Terminal:key(...) self:tmux("send-keys", ...) end

--- Pastes a text, bracketed where the program has asked for it.
function Terminal:paste(text)
  local path = self.home .. "/paste"
  support.write_file(path, text)
  self:tmux("load-buffer", path)
  self:tmux("paste-buffer", "-p", "-r")
end

function Terminal:resize(width, height) self:tmux("resize-window", "-x", width, "-y", height) end

--- Waits until the program could know of a resize: the terminal emulator passes it on when it likes.
function Terminal:wait_for_size(width, height)
  local tty = self:tmux("display-message", "-p", "#{pane_tty}"):match "%S+"
  local deadline = sync.monotonic() + terminal.LONG
  local wanted = ("%d %d"):format(height, width)
  local size
  repeat
    local pipe = io.popen("stty -F " .. tty .. " size")
    size = pipe:read "l"
    pipe:close()
    if sync.monotonic() > deadline then error("the terminal stays at " .. tostring(size), 2) end
  until size == wanted
end

--- What the screen shows, empty lines at the end removed.
-- @param options string of capture-pane's options: "-J" joins wrapped lines, "-S -" begins with what has scrolled off
function Terminal:screen(options)
  local words = {}
  for word in (options or "-J"):gmatch "%S+" do words[#words + 1] = word end
  local text = self:tmux("capture-pane", "-p", table.unpack(words))
  return (text:gsub("[ \n]+$", ""):gsub("[ ]+\n", "\n"))
end

local function wait(self, condition, what)
  local deadline = sync.monotonic() + terminal.LONG
  while true do
    local screen = self:screen()
    local found = condition(screen)
    if found then return screen, found end
    if sync.monotonic() > deadline then
      error(("%s; the screen:\n%s\n"):format(what, self:screen "-S -"), 3)
    end
    sync.sleep(0.02)
  end
end

--- Waits until the screen shows a text.
-- @return the screen
function Terminal:wait_for(text)
  return (wait(self, function(screen) return screen:find(text, 1, true) end, "never seen: " .. text))
end

--- Waits until a text is gone from the screen.
function Terminal:wait_until_gone(text)
  return (wait(self, function(screen) return not screen:find(text, 1, true) end, "still there: " .. text))
end

--- Waits until condition(screen) is true.
function Terminal:wait_until(condition) return (wait(self, condition, "the condition never came true")) end

--- Waits until the last line is a prompt behind which nothing is typed.
function Terminal:wait_for_prompt()
  return (wait(self, function(screen)
    local last = screen:match "[^\n]*$"
    return last:find "^luasync[^>]*>$" or last == ">"
  end, "no prompt"))
end

--- Types an entry (one line) and presses Enter.
function Terminal:enter(text)
  self:type(text)
  self:key "Enter"
end

--- Evaluates an entry on a cleared screen.
-- @return what it has printed, without the entry and the new prompt
function Terminal:run(text)
  self:key "C-l"
  self:wait_until(function(screen) return not screen:find "\n" end)
  self:enter(text)
  self:wait_until(function(screen) return screen:find "\n" end)
  local screen = self:wait_for_prompt()
  return (screen:gsub("^[^\n]*\n", "", 1):gsub("\n?[^\n]*$", ""))
end

--- terminal.open for the specs of one block, which need not close what they open.
-- @param after_each busted's function of that name, of the block
function terminal.opener(after_each)
  local opened = {}
  after_each(function()
    for _, t in ipairs(opened) do t:close() end
    opened = {}
  end)
  return function(options)
    local t = terminal.open(options)
    opened[#opened + 1] = t
    return t
  end
end

return terminal

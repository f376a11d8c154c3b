--- The prompt's commands: `:threads`, `:why NAME` and the others.
--
-- Each is a function (session, argument) in `commands.list`; it prints through session:print, and raises a message
-- without position where it cannot do what it is asked for.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local path = require "luasync.repl.path"
local sync = require "luasync"

local commands = {}

----------------------------------------------------------------------------------------------------
-- Threads

--- What is known of the living threads: sync.threads(), or less where that is missing.
function commands.thread_list()
  if sync.threads then return sync.threads() end
  local list = {}
  for i, thread in ipairs(sync.enumerate()) do
    list[i] = { id = thread.ident, name = thread.name, state = "running", daemon = thread.daemon,
      main = thread == sync.main_thread() }
  end
  return list
end

--- How many threads besides the main one run (or sleep), and how many are blocked.
function commands.count_threads()
  local running, blocked = 0, 0
  for _, thread in ipairs(commands.thread_list()) do
    if not thread.main then
      if thread.state == "blocked" then blocked = blocked + 1 else running = running + 1 end
    end
  end
  return running, blocked
end

local function fail(message, ...) error(message:format(...), 0) end

--- The thread that a variable of the session is, or nil. Raises where that does not run.
local function thread_variable(text)
  local value = path.read(text)
  local kind = path.kind(value)
  if kind ~= "Thread" and kind ~= "Timer" then return nil end
  for _, thread in ipairs(commands.thread_list()) do
    if thread.id == value.ident then return thread end
  end
  fail("thread '%s' %s", value.name, value.ident and "has ended" or "has not been started")
end

--- The threads in whose names the text stands, at the beginning if that is so of any; capitals do not count.
local function threads_named(text)
  local first, within = {}, {}
  for _, thread in ipairs(commands.thread_list()) do
    local at = thread.name:lower():find(text:lower(), 1, true)
    if at == 1 then first[#first + 1] = thread elseif at then within[#within + 1] = thread end
  end
  return #first > 0 and first or within
end

local function find_thread(name)
  if name == "" then fail "the name or number of a thread is missing (:threads lists them)" end
  for _, thread in ipairs(commands.thread_list()) do
    if thread.name == name or tostring(thread.id) == name then return thread end
  end
  local variable = thread_variable(name)
  if variable then return variable end
  local found, names = threads_named(name), {}
  if #found == 1 then return found[1] end
  if #found == 0 then fail("no thread '%s' (:threads lists them)", name) end
  for i, thread in ipairs(found) do names[i] = thread.name end
  fail("'%s' may be any of %s", name, table.concat(names, ", "))
end

local function find_object(info)
  for _, thread in ipairs(sync.enumerate()) do
    if thread.ident == info.id then return thread end
  end
  fail("thread '%s' has ended", info.name)
end

----------------------------------------------------------------------------------------------------
-- Layout

--- Rows of strings as text, columns aligned; trailing blanks removed.
local function columns(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(text) or #text) end
  end
  for k, row in ipairs(rows) do
    local cells = {}
    for i, text in ipairs(row) do cells[i] = text .. (" "):rep(widths[i] - (utf8.len(text) or #text)) end
    lines[k] = table.concat(cells, "  "):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

local function seconds(s)
  if not s then return "" end
  if s < 60 then return ("%.1f s"):format(s) end
  return ("%d:%02d min"):format(s // 60, math.floor(s % 60))
end

local function place(thread)
  return thread.file and ("%s:%d"):format(thread.file, thread.line or 0) or ""
end

local function object_text(thread)
  if thread.object_name and thread.object_kind then
    return ("%s '%s'"):format(thread.object_kind, thread.object_name)
  end
  return thread.objects and table.concat(thread.objects, ", ") or thread.object
end

local function waits_for(thread)
  if thread.state == "running" then return "" end
  local object = object_text(thread)
  return table.concat({ thread.operation or "", object }, " ")
end

local function thread_rows(list)
  local rows = { { "id", "name", "state", "waits for", "held by", "since", "at" } }
  for _, thread in ipairs(list) do
    local state = thread.daemon and thread.state .. ", daemon" or thread.state
    rows[#rows + 1] = { tostring(thread.id), thread.name, state, waits_for(thread), thread.holder or "",
      thread.state ~= "running" and seconds(thread.since) or "", place(thread) }
  end
  return rows
end

--- The living threads as a table of text.
function commands.thread_table(list) return columns(thread_rows(list or commands.thread_list())) end

----------------------------------------------------------------------------------------------------
-- Locks

local LOCKS = {}
for kind in ([[Lock RLock RWLock Condition Semaphore BoundedSemaphore Barrier Event Queue LifoQueue PriorityQueue
  SimpleQueue Pool Scope]]):gmatch "%a+" do
  LOCKS[kind] = true
end

--- The locks that the session can name: globals, and fields of tables among them. A list of { text, where }.
local function known_locks()
  local list, seen = {}, {}
  local function add(value, where)
    if LOCKS[path.kind(value)] and not seen[value] then
      seen[value] = true
      list[#list + 1] = { tostring(value), where }
    end
  end
  for name, value in next, _G do
    local where = tostring(name)
    add(value, where)
    if type(value) == "table" and value ~= _G and value ~= package.loaded then
      for key, inner in next, value do add(inner, path.join(where, key)) end
    end
    for _, key in ipairs(path.kind(value) == "Shared" and sync.__keys(value) or {}) do
      add(value[key], path.join(where, key))
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

--- Objects that somebody waits for: object text -> list of names.
local function waiters()
  local waiting, order = {}, {}
  for _, thread in ipairs(commands.thread_list()) do
    for _, object in ipairs(thread.state == "blocked" and (thread.objects or { thread.object }) or {}) do
      if not waiting[object] then
        waiting[object] = {}
        order[#order + 1] = object
      end
      table.insert(waiting[object], thread.name)
    end
  end
  return waiting, order
end

----------------------------------------------------------------------------------------------------
-- The commands

local list = {}
commands.list = list

function list.threads(session) session:print(commands.thread_table()) end

function list.locks(session)
  local waiting, order = waiters()
  local rows, shown = { { "lock", "waiting", "variable" } }, {}
  for _, lock in ipairs(known_locks()) do
    shown[lock[1]] = true
    rows[#rows + 1] = { lock[1], table.concat(waiting[lock[1]] or {}, ", "), lock[2] }
  end
  for _, object in ipairs(order) do
    if not shown[object] then rows[#rows + 1] = { object, table.concat(waiting[object], ", "), "" } end
  end
  session:print(#rows == 1 and "no locks" or columns(rows))
end

local function describe_wait(thread)
  local text = ("%s waits for %s"):format(thread.name, waits_for(thread))
  if thread.since then text = text .. ", since " .. seconds(thread.since) end
  if thread.file then text = text .. ", at " .. place(thread) end
  return text
end

--- The thread that this one waits for: the holder of the lock, or the one it joins.
local function next_in_chain(thread, by_name)
  local name = thread.holder
  if not name and (thread.object_kind == "Thread" or thread.object_kind == "Timer") then name = thread.object_name end
  return name, name and by_name[name]
end

local function why_lines(thread)
  local by_name, seen, lines = {}, {}, {}
  for _, other in ipairs(commands.thread_list()) do by_name[other.name] = other end
  while true do
    if thread.state == "sleeping" then
      lines[#lines + 1] = thread.name .. " sleeps"
      return lines
    elseif thread.state ~= "blocked" then
      lines[#lines + 1] = thread.name .. " is running"
      return lines
    elseif seen[thread.name] then
      lines[#lines + 1] = ("%s: a circle, this is a deadlock"):format(thread.name)
      return lines
    end
    seen[thread.name] = true
    local name, following = next_in_chain(thread, by_name)
    lines[#lines + 1] = describe_wait(thread) .. (thread.holder and ", held by " .. thread.holder or "")
    if not name then return lines end
    if not following then
      lines[#lines + 1] = name .. " has ended"
      return lines
    end
    thread = following
  end
end

function list.why(session, name) session:print(table.concat(why_lines(find_thread(name)), "\n")) end

function list.bt(session, name)
  local thread = find_thread(name)
  session:print(thread.traceback or ("no traceback of '%s': it is %s"):format(thread.name, thread.state))
end

function list.kill(session, name)
  local thread = find_thread(name)
  if thread.main then fail "the main thread is this prompt; Ctrl-C interrupts what it runs" end
  find_object(thread):interrupt()
  session:print(("interrupted %s"):format(thread.name))
end

local LAST_STEPS = 20

-- The lanes of what has been recorded, as text.
local function lanes()
  local name = os.tmpname()
  local saved, problem = sync.trace.save(name .. ".json")
  local trace = require "luasync.trace"
  local recording = saved and trace.read(name .. ".json")
  os.remove(name)
  os.remove(name .. ".json")
  if not recording then fail("%s", problem or "the recording cannot be read") end
  return (trace.format(recording, ".txt", { last = LAST_STEPS }):gsub("%s+$", ""))
end

local function save_trace(session, file)
  if file == "" then fail "the name of a file is missing" end
  local saved, problem = sync.trace.save(file)
  if not saved then fail("%s", problem) end
  session:print("saved " .. file)
end

function list.trace(session, argument)
  local word, rest = argument:match "^(%S*)%s*(.*)$"
  if word == "save" then save_trace(session, rest)
  elseif word == "off" and rest == "" then
    session:print(sync.trace.stop() and "recording ends" or "nothing is recorded")
    session.recording = false
  elseif argument ~= "" then fail(":trace takes nothing, `save FILE` or `off`")
  elseif session.recording then session:print(lanes())
  else
    sync.trace.start()
    session.recording = true
    session:print "recording: :trace shows it, :trace save FILE writes it, :trace off ends it"
  end
end

function list.load(session, file)
  if file == "" then fail "the name of a file is missing" end
  local loaded, message = loadfile(file)
  if not loaded then fail("%s", message) end
  session:show(session:call_typed(loaded))
end

function list.list(session, number)
  if number ~= "" and not math.tointeger(tonumber(number)) then fail("'%s' is no number of an entry", number) end
  local text = session.entries:list(math.tointeger(tonumber(number)))
  if not text then fail("no entry %s", number) end
  session:print(text ~= "" and text or "no entries")
end

function list.save(session, name)
  if name == "" then fail "the name of a file is missing" end
  local file, message = io.open(name, "wb")
  if not file then fail("%s", message) end
  local written, problem = file:write(session.entries:script())
  local closed, late = file:close()
  if not written or not closed then fail("%s: %s", name, problem or late) end
  session:print(("%d entries in %s"):format(#session.entries, name))
end

function list.time(session, text)
  if text == "" then fail "an expression is missing" end
  local cpu, begin = os.clock(), sync.monotonic()
  local results = session:run(text)
  if not results then return end
  local took, used = sync.monotonic() - begin, os.clock() - cpu
  session:show(results)
  session:print(("%.6f s, cpu %.6f s"):format(took, used))
end

local HELP = {
  { ":threads", "the threads: state, what each waits for, who holds it, where" },
  { ":locks", "locks, queues and what else threads wait for, and who waits" },
  { ":why NAME", "what a thread waits for, and what that waits for" },
  { ":bt NAME", "the traceback of a thread" },
  { ":kill NAME", "interrupts a thread, by name, a part of it, number, variable" },
  { ":trace", "records the threads; once more shows it (also: save FILE, off)" },
  { ":load FILE", "runs a file" },
  { ":save FILE", "writes the entries into a file, as a script" },
  { ":list [N]", "the entries of this session; [7]:1 is line 1 of entry 7" },
  { ":time EXPR", "evaluates, and shows how long it took" },
  { ":help [NAME]", "this list, or what the reference says of a function or an object" },
  { ":quit", "leaves, as Ctrl-D does" },
}

--- The reference's text of a name, or of the kind of the session's variable of that name.
local function reference_text(name)
  local ok, reference = pcall(require, "luasync.reference")
  if not ok or type(reference) ~= "table" then return nil, "the reference is not installed" end
  local text, message = reference.render(name)
  if text or not reference.of then return text, message end
  local value = rawget(_G, name)
  local kind = value ~= nil and reference.of(value)
  if kind then return reference.render(kind) end
  return nil, message
end

function list.help(session, name)
  if name == "" then
    session:print(columns(HELP) .. "\nAll names of luasync are globals here; _ is the last value.")
    return
  end
  local text, message = reference_text(name)
  if not text then fail("%s", message or "no entry '" .. name .. "'") end
  session:print((text:gsub("\n$", "")))
end

function list.quit(session) session:leave() end

----------------------------------------------------------------------------------------------------
-- What completion asks

local ARGUMENTS = { why = "thread", bt = "thread", kill = "thread", time = "lua", help = "reference", load = "file",
  save = "file" }

function commands.argument(name, argument)
  local file = name == "trace" and argument:match "^save%s+(.*)$"
  if file then return "file", file end
  return ARGUMENTS[name], argument
end

function commands.names()
  local names = {}
  for name in pairs(list) do names[#names + 1] = name end
  return names
end

function commands.threads()
  local names = {}
  for i, thread in ipairs(commands.thread_list()) do names[i] = thread.name end
  return names
end

--- Takes an entry apart: the command's name and its argument, or nil where it is none.
function commands.parse(text)
  local name, argument = text:match "^%s*:(%a%w*)%s*(.-)%s*$"
  if name then return name, argument end
end

--- Runs a command. Raises a message without position.
function commands.run(session, name, argument)
  local command = list[name]
  if not command then fail("no command ':%s' (:help lists them)", name) end
  command(session, argument)
end

return commands

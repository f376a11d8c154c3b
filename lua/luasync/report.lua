--- The texts of dumps, deadlocks and livelocks.
-- Every function takes the list that `sync.threads()` returns and gives back
-- the text, ending in a newline.
local report = {}

local THREADS = { Thread = true, Timer = true } -- kinds whose holder is the thread itself

local function place(file, line)
  return file and (file .. ":" .. line) or nil
end

--- "Lock 'A'"
local function object_of(t)
  return t.object_kind and ("%s '%s'"):format(t.object_kind, t.object_name) or nil
end

local function seconds(s)
  return ("%.3f s"):format(math.max(s, 0))
end

--- Who holds what t waits for: "held by P2 (philosophers.lua:9)", or nil.
local function holder_of(t)
  if not t.holder or THREADS[t.object_kind] then return nil end
  local since = place(t.held_file, t.held_line)
  return ("held by %s%s%s"):format(t.holder, t.holder_ended and ", which has ended" or "",
    since and (" (" .. since .. ")") or "")
end

--- "P1 waits for Lock 'A' held by P2 (philosophers.lua:9)"
local function waits(t)
  local object = object_of(t)
  if t.objects then return ("%s waits for one of %s"):format(t.name, table.concat(t.objects, ", ")) end
  if not object then return ("%s is in %s"):format(t.name, t.operation or "Lua code") end
  if THREADS[t.object_kind] then return ("%s waits for the end of %s"):format(t.name, object) end
  local held = holder_of(t)
  return ("%s waits for %s%s"):format(t.name, object, held and (" " .. held) or "")
end

local function by_id(threads)
  local index = {}
  for _, t in ipairs(threads) do index[t.id] = t end
  return index
end

--- The threads of the first circle of waits, in order, or nil.
local function find_circle(threads, from)
  local index = by_id(threads)
  for _, start in ipairs(threads) do
    local t, path, seen = (not from or start.id == from) and start or nil, {}, {}
    while t and not seen[t.id] do
      seen[t.id] = true
      path[#path + 1] = t
      t = t.holder_id and t.state == "blocked" and index[t.holder_id] or nil
    end
    if t and t.id == start.id then return path end
  end
end

local function circle_sentence(circle)
  local parts = {}
  for i, t in ipairs(circle) do parts[i] = waits(t) end
  return table.concat(parts, " → ")
end

--- One thread: a line that says what it does, and its traceback.
local function describe(t, out)
  local head = ("Thread %s%s: "):format(t.name, t.daemon and " (daemon)" or "")
  if t.state == "running" then
    out[#out + 1] = head .. "running"
  else
    local where, held = place(t.file, t.line), holder_of(t)
    if t.main and t.operation == "join" and not where then where = "the end of the script" end
    local object = t.objects and table.concat(t.objects, ", ") or object_of(t)
    out[#out + 1] = head .. ("%s%s%s, since %s%s%s"):format(
      t.state == "sleeping" and "sleeping" or ("waiting in " .. t.operation),
      object and (" of " .. (t.object or object)) or "",
      held and (", " .. held) or "",
      seconds(t.since),
      t.deadline and (", %s to go"):format(seconds(t.deadline)) or "",
      where and (" at " .. where) or "")
  end
  for line in (t.traceback or ""):gmatch("[^\n]+") do
    out[#out + 1] = "  " .. line
  end
end

--- Threads that wait for what was signalled before they began to.
local function lost_wakeups(threads, out)
  for _, t in ipairs(threads) do
    if t.lost_line and t.state == "blocked" then
      local what = t.object_kind == "Event" and "set" or "notify"
      out[#out + 1] = ("  lost wake-up: the %s of %s at %s woke nobody, and %s began to wait at %s after it"):format(
        what, object_of(t), place(t.lost_file, t.lost_line), t.name, place(t.file, t.line) or "?")
    end
  end
end

--- What all threads do: a thread dump.
function report.dump(threads)
  local out = { ("luasync: %d thread%s"):format(#threads, #threads == 1 and "" or "s") }
  for _, t in ipairs(threads) do describe(t, out) end
  return table.concat(out, "\n") .. "\n"
end

--- Who waits for a variable that others have set in their own copies.
local function lost_changes(threads, context, out)
  for _, line in ipairs(context and require "luasync.copies.causes".find(threads, context) or {}) do
    out[#out + 1] = "  " .. line
  end
end

--- Nobody can ever run again.
-- @param context see luasync.copies.causes.find; nil: copies are not looked at
function report.deadlock(threads, _, context)
  local out = { ("luasync: deadlock: all %d threads wait, and nothing can wake them"):format(#threads) }
  if #threads == 1 then out[1] = "luasync: deadlock: the only thread waits, and nothing can wake it" end
  local circle = find_circle(threads)
  if circle then
    out[#out + 1] = "  " .. circle_sentence(circle)
  else
    for _, t in ipairs(threads) do
      if t.holder_ended then out[#out + 1] = "  " .. waits(t) end
    end
  end
  lost_wakeups(threads, out)
  lost_changes(threads, context, out)
  for _, t in ipairs(threads) do describe(t, out) end
  return table.concat(out, "\n") .. "\n"
end

--- Some threads wait for each other while others go on; `id` is one of them.
function report.circle(threads, id)
  local circle = find_circle(threads, math.tointeger(tonumber(id)))
  if not circle then return "" end
  local out = { ("luasync: warning: %d threads wait for each other, the others go on"):format(#circle) }
  out[#out + 1] = "  " .. circle_sentence(circle)
  for _, t in ipairs(circle) do describe(t, out) end
  return table.concat(out, "\n") .. "\n"
end

local HOPELESS = "luasync: warning: %s waits for ever, unless it is interrupted: %s"

--- Why it waits for ever.
local function why_hopeless(t)
  if t.objects then
    local names = {}
    for i, object in ipairs(t.objects) do names[i] = object:gsub(" %(.*$", "") end
    return ("nothing that goes on can bring about one of %s"):format(table.concat(names, ", "))
  end
  if THREADS[t.object_kind] then return "the thread that it waits for does" end
  return ("nothing that goes on can reach %s any more"):format(object_of(t))
end

--- Threads that wait for what nobody can do any more, while others go on; `ids` are their numbers.
function report.stranded(threads, ids, context)
  local index, out = by_id(threads), {}
  local causes = context and require "luasync.copies.causes".find(threads, context) or {}
  for id in ids:gmatch "%d+" do
    local t = index[math.tointeger(id)]
    if t and t.state == "blocked" then
      out[#out + 1] = HOPELESS:format(t.name, why_hopeless(t))
      for _, line in ipairs(causes) do
        if line:sub(1, #t.name + 7) == t.name .. " reads " then out[#out + 1] = "  " .. line end
      end
      describe(t, out)
    end
  end
  return #out > 0 and table.concat(out, "\n") .. "\n" or ""
end

local LIVELOCK = {
  looking = "threads look at objects again and again, and nobody will ever change them",
  operations = "the limit of operations has been reached",
  round = "threads do the same again and again, and may do so for ever",
}

--- A simulated world that runs without getting anywhere.
function report.livelock(threads, how, context)
  local out = { "luasync: livelock: " .. LIVELOCK[how] }
  lost_changes(threads, context, out)
  for _, t in ipairs(threads) do describe(t, out) end
  return table.concat(out, "\n") .. "\n"
end

--- A report without the tracebacks: the lines that say who waits for what.
function report.brief(text)
  return (text:gsub("\n  stack traceback:", ""):gsub("\n  \t[^\n]*", ""):gsub("%s+$", ""))
end

local function error_text(err)
  local ok, text = pcall(tostring, err)
  return ok and text or ("(error object is a %s value, and its __tostring fails)"):format(type(err))
end

--- What a test prints of a simulated run; it ends with the line that repeats the run.
-- @param run the table that sync.simulate returns
-- @param thread_error the text of the first error that nobody took, or nil
-- Sets the field `message`, a text without a newline at its end, where not all went well.
function report.simulation(run, thread_error)
  if run.ok then return nil end
  local what = run.deadlock or run.livelock
  if what then what = report.brief(what)
  elseif run.error ~= nil then what = error_text(run.error)
  else what = (thread_error or "a thread has failed"):gsub("%s+$", "") end
  run.message = ('%s\nreplay: sync.simulate(fn, { schedule = "%s" })'):format(what, run.schedule)
  report.show_test(run)
end

--- Lets a supervised test of luasync.testing fail with a run, or a search, that it does not look at.
function report.show_test(run)
  local supervise = package.loaded["luasync.testing.supervise"]
  if supervise then supervise.reported(run) end
end

--- A simulated thread that loops without any operation; `what` says which and where.
function report.loop(threads, what, context)
  local out = { "luasync: livelock: " .. what }
  lost_changes(threads, context, out)
  for _, t in ipairs(threads) do describe(t, out) end
  return table.concat(out, "\n") .. "\n"
end

return report

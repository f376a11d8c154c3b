--- The reference: select, settle. See luasync.reference for the shape of an entry.

local words = require "luasync.reference.words"

return {
  title = "Waiting for one of several",
  {
    name = "select", kind = "function", call = "sync.select(list [, timeout])",
    about = "Waits until one of the objects in the list can be taken, and takes exactly that one: an item of a Queue "
      .. "(of any kind), a Lock, an RLock, a permit of a Semaphore; an Event that is set and a Thread that has "
      .. "ended are only noticed. It stands in all lines at once and keeps its place there. Where several are ready "
      .. "the choice goes round, so that none is starved; in a simulated world it is the first of the list.",
    args = { { "list", "any[]", "the objects, at least one" }, words.timeout }, units = words.seconds,
    returns = {
      { "integer|nil", "the index in the list; nil where the time ran out" },
      { "any", 'an item, or true; nil for a queue that is shut down and empty; "timeout" after nil' },
      { "string?", '"shutdown" for such a queue' },
    },
    errors = {
      { "the list is empty", "there is nothing to wait for", "sync.select({})" },
      { "cannot select a Shared (at [1])", "the list has anything else", "sync.select({ sync.Shared() })" },
      { "cannot select the current thread", "its end would never come", "sync.select({ sync.current_thread() })" },
      words.bad_timeout "sync.select({ sync.Event() }, -1)",
    },
    example = [[
local jobs, urgent, stop = sync.Queue(), sync.Queue(), sync.Event()
local worker = sync.spawn(function()
  local log = {}
  while true do
    local index, job = sync.select { urgent, jobs, stop }
    if index == 3 then return table.concat(log, ", ") end
    log[#log + 1] = job
  end
end)
jobs:put("sweep")
sync.settle()
urgent:put("fire")
sync.settle()
stop:set()
print(worker:result())
print(sync.select({ jobs, urgent }, 0.01))]],
    output = "sweep, fire\nnil\ttimeout",
    python = "none; select.select is for files", see = { "Queue:get", "Event:wait", "timeouts" },
  },
  {
    name = "settle", kind = "function", call = "sync.settle([timeout])",
    about = "Waits until every other thread has ended or waits: for an object, for a time, for the system. What they "
      .. "have been told by then has been done, so tests need not guess with sleep. In a simulated world no time "
      .. "passes meanwhile.",
    args = { words.timeout }, units = words.seconds,
    returns = { { "boolean", "true: nobody runs; false: the time ran out" } },
    errors = { words.bad_timeout "sync.settle(-1)" },
    example = [[
local inbox, seen = sync.Queue(), sync.Atomic()
local reader = sync.spawn(function()
  for n in inbox:items() do seen:add(n) end
end)
for n = 1, 10 do inbox:put(n) end
sync.settle()
print(seen:get())
inbox:shutdown()
reader:join()]],
    output = "55",
    python = "none", see = { "sleep", "simulate" },
  },
}

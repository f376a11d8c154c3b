--- Lengths of queues and values of semaphores of OS threads, each from the one before.
--
-- The order of the events is that in which calls took effect, or one that nobody could tell from it. But what a call
-- has read of the other side's number may be older or newer than its place in that order; so the state after it is
-- counted here, from what it and those before it have done.
local COUNTED = {
  Queue = true, LifoQueue = true, PriorityQueue = true, SimpleQueue = true, Pool = true, Semaphore = true,
  BoundedSemaphore = true,
}
local ADDS = {
  put = 1, try_put = 1, submit = 1, get = -1, try_get = -1, take = -1, down = -1, try_down = -1,
}

--- Counts.
-- @param events the columns of a recording, of which b is changed
-- @param objects the objects; `whole`: their `first`, or 0, is what was there before the first event
return function(events, objects, kinds, ops, whole)
  local now, handed = {}, {}
  for o, object in ipairs(objects) do
    if whole and COUNTED[object.kind] then now[o] = object.first or 0 end
  end
  for i, x in ipairs(events.th) do
    local o, kind, op = events.ob[i] + 1, kinds[events.k[i] + 1], ops[events.op[i] + 1]
    local object = objects[o]
    if object and COUNTED[object.kind] and (kind == "op" or kind == "handed") then
      local repeats = kind == "op" and handed[x] == op and events.b[i] == -1
      handed[x] = kind == "handed" and op or nil
      local add = op == "up" and events.a[i] or ADDS[op] and (events.a[i] > 0 and ADDS[op] or 0)
      if op == "shutdown" then now[o] = events.b[i]
      elseif add and not repeats then
        now[o] = now[o] and now[o] + add or events.b[i]
        events.b[i] = now[o]
      end
    end
  end
end

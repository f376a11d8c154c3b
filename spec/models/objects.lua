--- Models of luasync's objects: what each call does, as if no two threads ever ran at the same time.
-- Each is a function(kit, ...) as driver.lua wants it, of at most 50 lines.
local models = {}

--- Whether a call of acquire's kind is one try only.
local function is_try(blocking, timeout)
  return blocking == false or blocking == 0 or timeout == 0
end

local function time_of(blocking, timeout)
  return math.type(blocking) and blocking or timeout
end

function models.Lock(kit, reentrant)
  local lock, line, coming = { depth = 0 }, kit.line(), nil
  function lock.take_in_line(me, deadline, starving)
    while true do
      if starving and coming == me then coming = nil end
      if me.handed then
        me.handed = false
        return true
      end
      if not lock.owner then
        lock.owner = me
        return true
      end
      me.starving = starving
      if not line:wait(me, deadline, starving) then return false end
      starving = true
    end
  end
  function lock.give()
    if coming and coming.handed then coming = nil end
    lock.owner = nil
    if coming then return end -- one that has been woken is on its way
    coming = line:choose()
    if coming and coming.starving then
      coming.handed = true
      lock.owner = coming
    end
  end
  function lock.move_here(waiter) line[#line + 1] = waiter end
  function lock.acquire(me, blocking, timeout)
    if reentrant and lock.owner == me then
      lock.depth = lock.depth + 1
      return true
    end
    if lock.owner and is_try(blocking, timeout) then return false end
    return lock.take_in_line(me, kit.deadline(time_of(blocking, timeout)), false)
  end
  function lock.release(me)
    if reentrant and lock.owner ~= me then error("cannot release un-acquired lock", 0) end
    if not lock.owner then error("release unlocked lock", 0) end
    if lock.depth > 0 then lock.depth = lock.depth - 1 else lock.give() end
  end
  function lock.locked() return lock.owner ~= nil end
  return lock
end

function models.RLock(kit) return models.Lock(kit, true) end

function models.Condition(kit)
  local lock, line = models.Lock(kit, true), kit.line()
  local condition = { acquire = lock.acquire, release = lock.release }
  function condition.wait(me, timeout)
    if lock.owner ~= me then error("cannot wait on un-acquired lock", 0) end
    local levels, deadline = lock.depth, kit.deadline(timeout)
    lock.depth = 0
    lock.give()
    me.starving = false
    local chosen = line:wait(me, deadline)
    kit.announce()
    lock.take_in_line(me, nil, chosen)
    lock.depth = levels
    return chosen
  end
  function condition.notify(me, n)
    if lock.owner ~= me then error("cannot notify on un-acquired lock", 0) end
    for _ = 1, n or 1 do
      if line[1] then lock.move_here(table.remove(line, 1)) end
    end
  end
  --- Whether the call raises before it begins.
  function condition.is_refused(me, name)
    return lock.owner ~= me and (name == "wait" or name:find "^notify")
  end
  function condition.notify_all(me) condition.notify(me, #line) end
  return condition
end

function models.Event(kit)
  local event, line, flag = {}, kit.line(), false
  function event.set()
    flag = true
    line:choose_all()
  end
  function event.clear() flag = false end
  function event.is_set() return flag end
  function event.wait(me, timeout)
    if flag or timeout == 0 then return flag end
    return line:wait(me, kit.deadline(timeout)) or flag
  end
  return event
end

function models.Semaphore(kit, value, bound)
  local semaphore, line = {}, kit.line()
  function semaphore.acquire(me, blocking, timeout)
    if value > 0 then
      value = value - 1
      return true
    end
    return not is_try(blocking, timeout) and line:wait(me, kit.deadline(time_of(blocking, timeout)))
  end
  function semaphore.release(_, n)
    n = n or 1
    if bound and value + n > bound then error("semaphore released too many times", 0) end
    value = value + n
    while value > 0 and line:choose() do value = value - 1 end
  end
  function semaphore.value() return value end
  return semaphore
end

function models.BoundedSemaphore(kit, value) return models.Semaphore(kit, value, value) end

function models.Barrier(kit, parties)
  local barrier, line, broken = {}, kit.line(), false
  --- All in line go on with that result: an index each, or "broken".
  local function finish(passes)
    for i = 1, #line do line:choose().index = passes and i or nil end
  end
  local function breaks(me)
    broken = true
    me.index = nil
    finish(false)
    return nil, "timeout"
  end
  function barrier.wait(me, timeout)
    if broken then return nil, "broken" end
    if #line + 1 == parties then
      finish(true)
      return parties
    end
    if timeout == 0 then return breaks(me) end
    if not line:wait(me, kit.deadline(timeout)) then return breaks(me) end
    if me.index then return me.index end
    return nil, "broken"
  end
  function barrier.abort()
    broken = true
    finish(false)
  end
  function barrier.reset()
    broken = false
    finish(false)
  end
  function barrier.n_waiting() return #line end
  function barrier.broken() return broken end
  return barrier
end

function models.RWLock(kit)
  local lock, line, holders, count, writing = {}, kit.line(), {}, 0, false
  local function is_open(write) return count == 0 or not write and not writing end
  local function add(me, write)
    holders[me], count, writing = (holders[me] or 0) + 1, count + 1, write
  end
  local function serve()
    while line[1] and is_open(line[1].write) do
      local me = line:choose()
      add(me, me.write)
    end
  end
  local function take(me, write, timeout)
    if write and not writing and holders[me] then error("cannot upgrade a read lock", 0) end
    if #line == 0 and is_open(write) then
      add(me, write)
      return true
    end
    if timeout == 0 then return false end
    me.write = write
    if line:wait(me, kit.deadline(timeout), false, write) then return true end
    serve()
    return false
  end
  function lock.read(me, timeout) return take(me, false, timeout) end
  function lock.write(me, timeout) return take(me, true, timeout) end
  function lock.release(me)
    if not holders[me] then error("release unlocked lock", 0) end
    count, holders[me] = count - 1, holders[me] > 1 and holders[me] - 1 or nil
    if count == 0 then writing = false end
    serve()
  end
  return lock
end

function models.Atomic(_, value)
  local atomic = {}
  function atomic.get() return value end
  function atomic.set(_, v) value = v end
  function atomic.add(_, n)
    value = value + n
    return value
  end
  function atomic.exchange(_, v)
    local old = value
    value = v
    return old
  end
  function atomic.compare_exchange(_, old, new)
    if value ~= old then return false end
    value = new
    return true
  end
  return atomic
end

--- @param take the index of the item that leaves first
local function queue(kit, maxsize, take)
  local q, items, putters, getters, joiners, open, shut = {}, {}, kit.line(), kit.line(), kit.line(), 0, false
  local function try_put(me)
    if shut then me.outcome = { n = 2, nil, "shutdown" }
    elseif maxsize > 0 and #items >= maxsize then return false
    else
      items[#items + 1], open, me.outcome = me.item, open + 1, { true }
    end
    return true
  end
  local function try_get(me)
    if items[1] == nil and not shut then return false end
    me.outcome = items[1] and { table.remove(items, take(items)) } or { n = 2, nil, "shutdown" }
    return true
  end
  local function serve()
    while getters[1] and try_get(getters[1]) and getters:choose() or putters[1] and try_put(putters[1])
      and putters:choose() do end -- luacheck: ignore 542
  end
  local function call(me, line, try, late, blocking, timeout)
    if try(me) then serve()
    elseif is_try(blocking, timeout) or not line:wait(me, kit.deadline(time_of(blocking, timeout))) then
      return nil, late
    end
    return table.unpack(me.outcome, 1, me.outcome.n)
  end
  function q.put(me, item, ...)
    me.item = item
    return call(me, putters, try_put, "full", ...)
  end
  function q.get(me, ...) return call(me, getters, try_get, "empty", ...) end
  function q.task_done()
    if open == 0 then error("task_done() called too many times", 0) end
    open = open - 1
    if open == 0 then joiners:choose_all() end
  end
  function q.join(me, timeout)
    return open == 0 or timeout ~= 0 and joiners:wait(me, kit.deadline(timeout))
  end
  function q.shutdown(_, immediate)
    shut = true
    if immediate then items, open = {}, math.max(0, open - #items) end
    if open == 0 then joiners:choose_all() end
    serve()
  end
  function q.qsize() return #items end
  function q.empty() return #items == 0 end
  function q.full() return maxsize > 0 and #items >= maxsize end
  return q
end

local function first() return 1 end
local function last(items) return #items end
local function priority(item) return type(item) == "table" and item[1] or item end
local function smallest(items)
  local found = 1
  for i = 2, #items do
    if priority(items[i]) < priority(items[found]) then found = i end
  end
  return found
end

function models.Queue(kit, maxsize) return queue(kit, maxsize, first) end
function models.LifoQueue(kit, maxsize) return queue(kit, maxsize, last) end
function models.PriorityQueue(kit, maxsize) return queue(kit, maxsize, smallest) end
function models.SimpleQueue(kit) return queue(kit, 0, first) end

function models.Shared()
  local t, shared = {}, {}
  function shared.read(_, key) return t[key] end
  function shared.write(_, key, value) t[key] = value end
  function shared.update(_, key, n)
    t[key] = (t[key] or 0) + n
    return t[key]
  end
  return shared
end

function models.Local()
  local kept, values = {}, {}
  local function own(me)
    values[me] = values[me] or {}
    return values[me]
  end
  function kept.read(me, key) return own(me)[key] end
  function kept.write(me, key, value) own(me)[key] = value end
  return kept
end

--- select among a queue, an event, a semaphore and a lock. The line in which it stands is not modelled, so this one
-- only tells which results are possible.
function models.Choice(kit)
  local choice, items, flag, units, owner = {}, {}, false, 0, nil
  local function ready()
    local list = {}
    if items[1] then list[1] = 1 end
    if flag then list[#list + 1] = 2 end
    if units > 0 then list[#list + 1] = 3 end
    if not owner then list[#list + 1] = 4 end
    return list
  end
  function choice.select(me, timeout)
    if not kit.await(function() return ready()[1] end, timeout) then return nil, "timeout" end
    local list = ready()
    local n = list[kit.pick(#list)]
    if n == 1 then return 1, table.remove(items, 1) end
    if n == 3 then units = units - 1 end
    if n == 4 then owner = me end
    return n, true
  end
  function choice.put(_, n) items[#items + 1] = n end
  function choice.get(_, timeout)
    if not kit.await(function() return items[1] end, timeout) then return nil, "empty" end
    return table.remove(items, 1)
  end
  function choice.set() flag = true end
  function choice.clear() flag = false end
  function choice.up(_, n) units = units + n end
  function choice.down(_, timeout)
    if not kit.await(function() return units > 0 end, timeout) then return false end
    units = units - 1
    return true
  end
  function choice.unlock()
    if not owner then error("release unlocked lock", 0) end
    owner = nil
  end
  return choice
end

--- A pool of one worker and its futures. The worker is a thread of the program that calls `work` for each task.
function models.Pool(kit)
  local pool, waiting, shut = {}, {}, false
  local function is_done(future) return future.state == "done" or future.state == "cancelled" end
  function pool.submit(me, n)
    if shut then error("cannot schedule new futures after shutdown", 0) end
    local future = { state = "pending", value = n }
    waiting[#waiting + 1] = future
    me.futures = me.futures or {}
    me.futures[#me.futures + 1] = future
  end
  function pool.work()
    if not kit.await(function() return waiting[1] end) then return end
    local future = table.remove(waiting, 1)
    if future.state == "cancelled" then return end
    future.state = "running"
    kit.announce()
    future.state = "done"
  end
  local function of(me, k) return me.futures and me.futures[k] end
  function pool.result(me, k, timeout)
    local future = of(me, k)
    if not future then return "none" end
    if not kit.await(function() return is_done(future) end, timeout) then return nil, "timeout" end
    if future.state == "cancelled" then return nil, "cancelled" end
    if future.value == 3 then error("three", 0) end
    return future.value
  end
  function pool.cancel(me, k)
    local future = of(me, k)
    if not future then return "none" end
    if future.state == "pending" then future.state = "cancelled" end
    return future.state == "cancelled"
  end
  function pool.state(me, k)
    local future = of(me, k)
    return future and future.state or "none"
  end
  function pool.shutdown() shut = true end
  return pool
end

--- A timer of `interval` seconds in a program of one thread: what happens when is known.
function models.Timer(kit, interval)
  local timer, due, cancelled, awaited = {}, nil, false, false
  local function has_fired()
    return awaited or due ~= nil and due <= kit.now and not (cancelled and cancelled <= due)
  end
  function timer.start()
    if due then error("threads can only be started once", 0) end
    due = kit.now + interval
  end
  function timer.cancel() cancelled = cancelled or kit.now end
  function timer.sleep(_, seconds) kit.now = kit.now + seconds end
  function timer.fired() return has_fired() end
  function timer.is_alive() return due ~= nil and not cancelled and kit.now < due end
  function timer.join()
    if not due then error("cannot join thread before it is started", 0) end
    if not cancelled then kit.now, awaited = math.max(kit.now, due), true end
    return true
  end
  return timer
end

--- A scope in a program of one thread whose tasks sleep, and then return or fail.
function models.Scope(kit)
  local scope, tasks, failed = {}, {}, nil -- when the first has failed
  function scope.spawn(_, seconds, fails)
    tasks[#tasks + 1] = { ends = kit.now + seconds, fails = fails }
  end
  local function settle()
    for i, task in ipairs(tasks) do
      if task.fails and task.ends <= kit.now and (not failed or task.ends < failed.at) then
        failed = { at = task.ends, number = i }
      end
    end
  end
  function scope.sleep(_, seconds)
    kit.now = kit.now + seconds
    settle()
  end
  --- How task number k has ended, or that it has not.
  function scope.state(_, k)
    local task = tasks[k]
    if not task then return "none" end
    if failed and task.ends > failed.at then return "interrupted" end
    if task.ends > kit.now then return "alive" end
    return task.fails and "failed" or "ended"
  end
  function scope.finish()
    local blamed
    for i, task in ipairs(tasks) do
      if task.fails and (not blamed or task.ends < tasks[blamed].ends) then blamed = i end
    end
    for _, task in ipairs(tasks) do
      kit.now = math.max(kit.now, blamed and math.min(task.ends, tasks[blamed].ends) or task.ends)
    end
    settle()
    if blamed then error("task " .. blamed, 0) end
    return true
  end
  return scope
end

return models

--- Events of OS threads, so that what a step brings about follows it.
--
-- Between a release and the wake that it causes other threads act, and their events come in between by time. A wake, a
-- hand-over or a move then seems to belong to somebody else's step. Here it goes to its cause, as far as it stays
-- behind all that it depends on: the last event of its thread, of the one that it concerns, and of the object.
local FAR = 200 -- events; what is farther away stays where it is

-- Moves entry i of every column, and of the texts, to `to`, which is before it. Its time is that of its new place.
local function move(columns, text, i, to)
  local t = columns.t
  if t[i + 1] then t[i + 1] = t[i + 1] + t[i] end
  t[i] = 0
  for _, column in pairs(columns) do
    local value = column[i]
    table.move(column, to, i - 1, to + 1)
    column[to] = value
  end
  local own = text[tostring(i - 1)]
  for k = i - 1, to, -1 do text[tostring(k)] = text[tostring(k - 1)] end
  text[tostring(to - 1)] = own
end

-- Who wakes thread x next, from event i on.
local function waker(events, kinds, i, x)
  for k = i + 1, math.min(#events.k, i + FAR) do
    local kind = kinds[events.k[k] + 1]
    if kind == "wake" and events.a[k] == x then return events.th[k] end
    if events.th[k] == x and kind ~= "handed" then return nil end
  end
end

-- The thread whose doing event i is, and the one that it concerns.
local function concerned(events, kinds, i)
  local kind = kinds[events.k[i] + 1]
  if kind == "wake" then return events.th[i], events.a[i] end
  if kind == "moved" then return events.a[i], events.th[i] end
  if kind == "handed" then return waker(events, kinds, i, events.th[i]), events.th[i] end
end

--- Brings events and what causes them together.
-- @param events the columns of a recording, which are changed
-- @param kinds the words of the column k
return function(events, kinds)
  local text = events.text
  local columns = {}
  for name, column in pairs(events) do
    if name ~= "text" then columns[name] = column end
  end
  for i = 1, #events.k do
    local actor, other = concerned(events, kinds, i)
    if actor and actor >= 0 and actor ~= other then
      local ob, k = events.ob[i], i - 1
      while k > 0 and i - k <= FAR and events.th[k] ~= actor and events.th[k] ~= other
        and not (kinds[events.k[k] + 1] == "wake" and events.a[k] == other)
        and not (ob >= 0 and events.ob[k] == ob) do
        k = k - 1
      end
      if k > 0 and i - k <= FAR and k < i - 1 then move(columns, text, i, k + 1) end
    end
  end
end

--- The picture of a run alone, as SVG: lanes, brackets, objects, arrows, the circle of a deadlock. Light or dark as the
-- reader's screen is.
local Run = require "luasync.trace.run"
local lanes = require "luasync.trace.lanes"
local words = require "luasync.trace.words"

local svg = {}

local LEFT, RIGHT, TOP = 168, 24, 46
local ROW, BAR = 42, 18
local WIDEST = 1100
local MOST_MARKS = 400       -- in a lane; more are shown as shares of columns
local WIDE = 5.7             -- pixels of a letter, about; fonts differ
local BOLD = 1.3             -- so much wider is one of a name

local STYLE = [[
svg{--bg:#fff;--ink:#1b212b;--ink2:#545f6e;--line:#e3e7ec;--hatch:#8a94a3;--red:#c2212b;
--t0:#5d6876;--t1:#1876c2;--t2:#cf7a2a;--t3:#206740;--t4:#480972;--t5:#892474;--t6:#3c9cb0;--t7:#566212;--t8:#602101;
--o0:#fff;--o1:#fff;--o2:#11151b;--o3:#fff;--o4:#fff;--o5:#fff;--o6:#11151b;--o7:#fff;--o8:#fff}
@media(prefers-color-scheme:dark){svg{--bg:#191d24;--ink:#e7eaef;--ink2:#a9b2bf;--line:#303742;--hatch:#77828f;
--red:#ff7b7b;
--t0:#9aa5b4;--t1:#5e93e1;--t2:#eba42e;--t3:#78edad;--t4:#8662a6;--t5:#c96db0;--t6:#65c7e2;--t7:#dcd16e;--t8:#a3603d;
--o0:#11151b;--o1:#11151b;--o2:#11151b;--o3:#11151b;--o4:#fff;--o5:#11151b;--o6:#11151b;--o7:#11151b;--o8:#fff}}
text{font:10px "Inter","Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;fill:var(--ink)}
.p{paint-order:stroke;stroke:var(--bg);stroke-width:4px;stroke-linejoin:round}
.b{font-weight:600;font-size:12px}.d{fill:var(--ink2)}.r{fill:var(--red)}.l{stroke:var(--line)}
.wait{fill:url(#w);stroke:var(--hatch)}.stuck{fill:url(#s);stroke:var(--red)}
.hold{fill:none;stroke:var(--ink2);stroke-width:1.5}
.wake,.start,.item,.circle{fill:none;stroke-width:1.5}.start{stroke-dasharray:1 4}
.item{stroke:var(--ink);stroke-dasharray:5 3}
.circle{stroke:var(--red);stroke-width:2;stroke-dasharray:6 3}.value{fill:var(--ink2);fill-opacity:.2;stroke:none}
]]

local function escape(text)
  return (words.visible(text):gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end
local function slot(x) return x == 0 and 0 or 1 + (x - 1) % 8 end
local function colour(x) return x < 0 and "var(--ink2)" or ("var(--t%d)"):format(slot(x)) end
-- About as wide as the text is drawn.
local function width_of(text) return (utf8.len(text) or #text) * WIDE end
local function fit(text, width)
  local n = math.floor(width / WIDE)
  if (utf8.len(text) or #text) <= n then return text end
  return n > 2 and text:sub(1, utf8.offset(text, n) - 1) .. "…" or ""
end

-- A thread's name, where it is too long without what stands in brackets.
local function fit_name(name, width)
  if width_of(name) * BOLD > width then name = name:match "^(.-) %(.*%)$" or name end
  return fit(name, width / BOLD)
end

local Picture = {}
Picture.__index = Picture

function Picture:add(format, ...) self.out[#self.out + 1] = format:format(...) end
-- The place of a step: between its number and its time, as the page has it.
function Picture:x(s)
  local run, m = self.run, self.mix
  local place = (1 - m) * s + (m > 0 and m * run:step_time(s) * run.steps / run.total or 0)
  return LEFT + place * self.scale
end
function Picture:text(x, y, class, text, anchor)
  if text == "" then return end
  self:add('<text x="%.1f" y="%.1f" class="%s"%s>%s</text>', x, y, class,
    anchor and ' text-anchor="' .. anchor .. '"' or "", escape(text))
end

-- ------------------------------------------------------------------- threads

-- Many entries in few pixels: columns of two pixels, as high as weight(entry) is in their mean.
function Picture:dense_lane(entries, weight, y, height, fill)
  local sums = {}
  local columns = math.ceil((self:x(self.run.steps) - LEFT) / 2)
  for _, entry in ipairs(entries) do
    local w = weight(entry)
    local a, b = (self:x(entry.from) - LEFT) / 2, (self:x(entry.to) - LEFT) / 2
    for column = math.floor(a), w > 0 and math.min(columns - 1, math.floor(b)) or -1 do
      local share = math.min(b, column + 1) - math.max(a, column)
      sums[column] = (sums[column] or 0) + math.max(share, 0) * w
    end
  end
  self:add('<rect x="%d" y="%.1f" width="%d" height="%d" fill="var(--line)"/>', LEFT, y, columns * 2, height)
  local path = {}
  for column = 0, columns - 1 do
    local h = math.min(1, sums[column] or 0) * height
    if h > 0 then path[#path + 1] = ("M%d %.1fv%.1fh2v%.1fz"):format(LEFT + column * 2, y + height, -h, h) end
  end
  self:add('<path d="%s" fill="%s"/>', table.concat(path), fill)
end

-- Text on the ground's colour, which is as wide as the text, whatever the font is.
function Picture:plate(x, y, class, label) self:text(x, y, class .. " p", label) end

function Picture:wait(entry, a, b, y, stuck)
  self:add('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2.5" class="%s"/>', a + .5, y + 1.5,
    math.max(b - a - 1, .5), BAR - 3, stuck and "stuck" or "wait")
  local object = entry.object and self.run:object(entry.object)
  local label = object and (object.thread and "end of " .. words.thread(self.run, object.thread)
    or words.object(self.run, entry.object)) or ""
  label = fit(label, b - a - 16)
  if label == "" then return end
  self:plate(a + 8, y + 12.5, stuck and "r" or "", label)
end

function Picture:state(x, entry, y, is_last)
  local a, b = self:x(entry.from), self:x(entry.to)
  if entry.open then b = b + self.tail end
  if entry.state == "ended" then
    self:add('<path d="M%.1f %.1fv%d" stroke="%s" stroke-width="3"/>', a + 1.5, y - 1, BAR + 2, colour(x))
  elseif b - a < .3 then return
  elseif entry.state == "running" then
    self:add('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="%d" fill="%s"/>', a, y,
      math.max(self:x(entry.to) - a, 1.2), BAR, b - a > 6 and 3 or 0, colour(x))
  elseif entry.state == "ready" then
    self:add('<rect x="%.1f" y="%.1f" width="%.1f" height="8" rx="3" fill="var(--bg)" stroke="%s" stroke-width="1.5"/>',
      a + .75, y + BAR / 2 - 4, math.max(b - a - 1.5, .5), colour(x))
  elseif entry.state == "sleeping" then
    self:add('<path d="M%.1f %.1fH%.1f" stroke="%s" stroke-width="2" stroke-dasharray="2 5"/>', a + 2, y + BAR / 2,
      b - 2, colour(x))
    local i = entry.event
    local label = "sleep " .. words.seconds(math.max(0, self.run.events.a[i] - self.run.time[i]))
    if width_of(label) < b - a - 16 then self:plate((a + b - width_of(label)) / 2, y + 12.5, "d", label) end
  elseif entry.state == "waiting" then
    self:wait(entry, a, b, y, is_last and self.stuck[x])
  end
end

-- A cell for each operation of a running bar, with the words that fit.
function Picture:cells(x, y)
  local run, before = self.run, nil
  local running = {}
  for _, entry in ipairs(self.picture.threads[x]) do
    if entry.state == "running" then running[#running + 1] = entry end
  end
  local at = 1
  for s = 1, run.steps do
    local i = run.main[s]
    if run.events.th[i] == x then
      while running[at] and running[at].to < s do at = at + 1 end
      local entry, kind = running[at], run:kind(i)
      if entry and entry.from < s and s <= entry.to then
        local a, b = self:x(math.max(entry.from, before or 0)), self:x(s)
        local object = run:object(run.events.ob[i])
        local word = kind == "out" and "print" or kind == "end" and "end" or words.call(run:op(i))
        local named = object and kind ~= "out" and run:family(run.events.ob[i]) ~= "cells"
        local name = named and words.visible(object.name):match "^[^ ]*"
        local label = name and width_of(word .. " " .. name) < b - a - 4 and word .. " " .. name or word
        if kind ~= "end" and b - a > 3 then
          self:add('<path d="M%.1f %.1fv%d" stroke="var(--bg)" stroke-width="1.5"/>', b, y, BAR)
        end
        if kind ~= "err" and width_of(label) < b - a - 3 then
          self:add('<text x="%.1f" y="%.1f" text-anchor="middle" style="fill:var(--o%d)">%s</text>', (a + b) / 2,
            y + 12.5, slot(x), escape(label))
        end
        if kind == "out" then
          self:add('<path d="M%.1f %.1fh8v5h-3l-3 3v-3h-2z" fill="var(--ink2)"/>', b - 8, y - 6)
        end
      end
      if kind == "err" then
        self:add('<path d="M%.1f %.1fl9 10m0 -10l-9 10" stroke="var(--red)" stroke-width="2.5"/>',
          self:x(s) - 4.5, y + 4)
      end
      before = s
    end
  end
end

function Picture:brackets(x, y)
  local ends = {}           -- of the brackets on each of three rows
  for _, hold in ipairs(self.picture.holds[x]) do
    local a, b = self:x(hold.from), self:x(hold.to) + (hold.open and self.tail or 0)
    local row = 1
    while ends[row] and ends[row] > a do row = row + 1 end
    if row <= 3 and b - a > 2 then
      ends[row] = b
      local yy = y + (row - 1) * 13 + 5
      self:add('<path d="M%.1f %.1fv6H%.1f%s" class="hold"%s/>', a + .75, yy, b - .75, hold.open and "" or "v-6",
        self.run:family(hold.object) == "count" and ' stroke-dasharray="4 2.5"' or "")
      local name = words.visible(self.run:object(hold.object).name)
      if b - a > width_of(name) + 12 then
        self:plate(a + 6, yy + 9, "d", name)
      end
    end
  end
end

function Picture:thread(x)
  local run, y, tag = self.run, self.rows[x], self.tags[x]
  local width = math.max(16, (utf8.len(tag) or 1) * 7 + 8)
  self:add('<path d="M0 %.1fH%.1f" class="l"/>', y - 6, self.width)
  self:add('<rect x="10" y="%.1f" width="%d" height="16" rx="8" fill="%s"/>', y + 1, width, colour(x))
  self:add('<text x="%.1f" y="%.1f" text-anchor="middle" style="fill:var(--o%d);font-weight:700">%s</text>',
    10 + width / 2, y + 12.5, slot(x), escape(tag))
  self:text(17 + width, y + 13, "b", fit_name(words.visible(run:thread(x).name), LEFT - 24 - width))
  local entries = self.picture.threads[x]
  if #entries > MOST_MARKS then
    self:dense_lane(entries, function(entry) return entry.state == "running" and 1 or 0 end, y, BAR, colour(x))
  else
    for n, entry in ipairs(entries) do self:state(x, entry, y, n == #entries) end
    if self.scale > 2 then self:cells(x, y) end
    if #self.picture.holds[x] < 400 then self:brackets(x, y + BAR) end
  end
end

-- ------------------------------------------------------------------- objects

function Picture:owner(x, a, b, y)
  self:add('<rect x="%.1f" y="%.1f" width="%.1f" height="14" rx="3" fill="%s"/>', a, y + 2, b - a, colour(x))
  local name = words.thread(self.run, x)
  if width_of(name) > b - a - 6 then name = self.tags[x] end
  if width_of(name) < b - a - 2 then
    self:add('<text x="%.1f" y="%.1f" style="fill:var(--o%d)">%s</text>', a + 4, y + 12.5, slot(x), escape(name))
  end
end

function Picture:value(value, most, family, a, b, y)
  local h = 14 * value / most
  self:add('<path d="M%.1f %.1fV%.1fH%.1fV%.1fz" class="value"/>', a, y + 17, y + 17 - h, b, y + 17)
  self:add('<path d="M%.1f %.1fH%.1f" stroke="var(--ink2)" stroke-width="1.5"/>', a, y + 17 - h, b)
  local label = family == "flag" and (value > 0 and "set" or "") or tostring(value)
  if width_of(label) < b - a - 4 then self:text(a + 3, y + 17 - h + (h > 10 and 11 or -3), "d", label) end
end

-- Ring = read, dot = write, with the value beside it; a value that was overwritten unseen is struck through.
function Picture:accesses(list, y)
  local before = -9
  for n, access in ipairs(list) do
    local x = self:x(access.step)
    if x - before > 3 or access.lost then
      self:add('<circle cx="%.1f" cy="%.1f" r="4" fill="%s" stroke="%s" stroke-width="1.75"/>', x, y + 9,
        access.write and colour(access.thread) or "var(--bg)", colour(access.thread))
      local room = (list[n + 1] and self:x(list[n + 1].step) or self.width) - x - 14
      local text = width_of(access.text) < room and access.text or words.visible(access.value)
      if text ~= "" and width_of(text) < room then
        self:add('<text x="%.1f" y="%.1f" class="%s"%s>%s</text>', x + 8, y + 12.5, access.lost and "r" or "d",
          access.lost and ' text-decoration="line-through"' or "", escape(text))
      end
      before = x
    end
  end
end

function Picture:object(o, y)
  local run, family = self.run, self.run:family(o)
  self:add('<path d="M0 %.1fH%.1f" class="l"/>', y - 4, self.width)
  self:text(12, y + 12, "", fit(words.object(run, o), LEFT - 20))
  if #self.picture.accesses[o] > 0 then return self:accesses(self.picture.accesses[o], y) end
  local entries, most = self.picture.objects[o], math.max(1, math.tointeger(run:object(o).max) or 1)
  for _, entry in ipairs(entries) do most = math.max(most, entry.value) end
  if #entries > MOST_MARKS then
    local owned = family == "lock" or family == "future"
    self:dense_lane(entries, function(entry)
      if owned then return entry.value >= 0 and 1 or 0 end
      return math.abs(entry.value) / most
    end, y + 2, 14, "var(--ink2)")
    return
  end
  for _, entry in ipairs(entries) do
    local a, b, value = self:x(entry.from), self:x(entry.to) + (entry.open and self.tail or 0), entry.value
    local owner = (family == "lock" or family == "future") and value or family == "rwlock" and value < 0 and -1 - value
    if b - a < .3 then goto continue end
    if not owner then self:value(value, most, family, a, b, y)
    elseif owner >= 0 then self:owner(owner, a, b, y) end
    ::continue::
  end
end

-- -------------------------------------------------------------------- arrows

function Picture:arrow(arrow)
  local y0, y1 = self.rows[arrow.from], self.rows[arrow.to]
  if not y0 or not y1 or arrow.from == arrow.to then return end
  local a, b = self:x(arrow.step), self:x(arrow.to_step)
  local down = y1 > y0 and 1 or -1
  y0, y1 = y0 + BAR / 2 + down * BAR / 2, y1 + BAR / 2 - down * (BAR / 2 + 5)
  local stroke = arrow.kind == "item" and "" or (' style="stroke:%s"'):format(colour(arrow.from))
  local bend = math.min(13, 5 + math.abs(y1 - y0) / 14)
  local dy = y1 - y0
  local first, second = { a + bend, y0 + dy * .25 }, { a + bend, y0 + dy * .6 }
  if b - a >= 3 then first, second = { a + (b - a) * .12, y0 + dy * .75 }, { b - (b - a) * .12, y0 + dy * .2 } end
  local path = ("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"):format(a, y0, first[1], first[2], second[1], second[2],
    b + 1, y1)
  if arrow.kind ~= "start" then self:add('<path d="%s" fill="none" stroke="var(--bg)" stroke-width="4"/>', path) end
  self:add('<path d="%s" class="%s"%s/>', path, arrow.kind, stroke)
  self:add('<path d="M%.1f %.1fl-4 %d h8z" fill="%s"/>', b + 1, y1 + down * 6, -7 * down,
    arrow.kind == "item" and "var(--ink)" or colour(arrow.from))
end

-- A deadlock: each waits for the next, behind the end of the lanes.
function Picture:circle()
  local circle = (self.run.run.verdict or {}).circle
  if not circle then return end
  local x = self:x(self.run.steps) + self.tail + 4
  for n, from in ipairs(circle) do
    local to = circle[n % #circle + 1]
    local y0, y1 = self.rows[from] + BAR / 2, self.rows[to] + BAR / 2
    local back = y1 < y0
    local bend = back and 62 or 24
    y0, y1 = y0 + (back and 2 or 3), y1 + (back and -2 or -3)
    self:add('<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f" class="circle"/>', x, y0, x + bend, y0, x + bend, y1,
      x + 4, y1)
    self:add('<path d="M%.1f %.1fl9 -4.5v9z" fill="var(--red)"/>', x - 2, y1)
    local entries = self.picture.threads[from]
    local last = entries[#entries]
    local object = last and last.object and self.run:object(last.object)
    if object and not object.thread then
      local name = fit(words.visible(object.name), 60)
      self:add('<rect x="%.1f" y="%.1f" width="%.1f" height="16" rx="4" fill="var(--bg)" stroke="var(--red)"/>',
        x + bend * .75 - width_of(name) / 2 - 5, (y0 + y1) / 2 - 8, width_of(name) + 10)
      self:text(x + bend * .75, (y0 + y1) / 2 + 3.5, "r", name, "middle")
    end
  end
end

-- The next of 1, 2, 5, 10, 20 … that is not less than x.
local function nice(x)
  local power = 10 ^ math.floor(math.log(x, 10))
  for _, factor in ipairs { 1, 2, 5 } do
    if x <= factor * power then return factor * power end
  end
  return 10 * power
end

-- Where a time is: between the steps before and after it.
function Picture:x_of_time(t)
  local run, low, high = self.run, 0, self.run.steps
  while low < high do
    local mid = (low + high) // 2
    if run:step_time(mid) < t then low = mid + 1 else high = mid end
  end
  local t1, t0 = run:step_time(low), run:step_time(math.max(0, low - 1))
  local x1, x0 = self:x(low), self:x(math.max(0, low - 1))
  return t1 > t0 and x0 + (x1 - x0) * (t - t0) / (t1 - t0) or x1
end

-- Instants where they are few, as in a simulated world; else even times.
function Picture:time_ruler()
  local run, instants = self.run, { 0 }
  for s = 1, run.steps do
    if #instants < 62 and run:step_time(s) ~= run:step_time(s - 1) then instants[#instants + 1] = run:step_time(s) end
  end
  if #instants > 60 then
    local distance = nice(run.total / math.max(2, run.steps * self.scale / 100))
    instants = {}
    for t = 0, run.total // distance do instants[t + 1] = t * distance end
  end
  local before = -100
  for _, t in ipairs(instants) do
    local x = self:x_of_time(t)
    if x - before > 60 then
      self:text(x, 28, "", words.seconds(t), "middle")
      before = x
    end
  end
end

function Picture:ruler()
  local run, before = self.run, -100
  local distance = math.max(1, math.floor(nice(46 / self.scale)))
  for s = 0, run.steps, distance do
    local x = self:x(s)
    if x - before > 40 then
      self:text(x, 40, "d", tostring(s), "middle")
      before = x
    end
  end
  if run.total > 0 then self:time_ruler() end
end

-- Where everything goes.
local function lay(doc, run, widest)
  local self = setmetatable({ out = {}, run = run, rows = {}, stuck = {} }, Picture)
  self.picture, self.tags = lanes.of(run), words.tags(run)
  self.mix = run.total == 0 and 0 or run.simulated and .55 or 1
  self.scale = math.min(58, widest / math.max(1, run.steps))
  local circle = (run.run.verdict or {}).circle
  for _, x in ipairs(circle or {}) do self.stuck[x] = true end
  self.tail = circle and 110 or 0
  self.width = math.ceil(math.max(420, LEFT + run.steps * self.scale + self.tail + RIGHT + (circle and 100 or 0)))
  local y = TOP + 8
  for x = 0, run.thread_count - 1 do
    if #self.picture.threads[x] > 0 then
      self.rows[x] = y
      local most = math.min(2, #self.picture.holds[x])
      y = y + ROW + math.max(0, most - 1) * 13 - (most == 0 and 8 or 0)
    end
  end
  self.bottom = y
  self.objects = lanes.drawn(run, self.picture)
  self.height = math.ceil(y) + #self.objects * 26 + 12
  self.title = doc.files[1] and doc.files[1].name or "timeline"
  return self
end

--- The first run of a recording as SVG.
-- @param opts { width = of the lanes at most, in pixels; default 1100 }
function svg.write(doc, opts)
  local run = Run.new(doc, 1)
  local self, verdict = lay(doc, run, opts and opts.width or WIDEST), run.run.verdict or { kind = "done" }
  self:add('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">',
    self.width, self.height, self.width, self.height)
  self:add("<title>%s</title>", escape(self.title .. ": " .. (verdict.sentence or verdict.kind)))
  self.out[#self.out + 1] = "<style>" .. STYLE .. "</style>"
  for _, pattern in ipairs { { "w", "--hatch" }, { "s", "--red" } } do
    self:add('<pattern id="%s" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
      .. '<rect width="7" height="7" fill="var(--bg)"/><rect width="1.5" height="7" fill="var(%s)"/></pattern>',
      pattern[1], pattern[2])
  end
  self:add('<rect width="100%%" height="100%%" fill="var(--bg)"/>')
  self:text(10, 14, verdict.kind == "done" and "b" or "b r", words.visible(self.title)
    .. (verdict.kind == "done" and "" or " · " .. verdict.kind) .. (run.n == 0 and " · nothing was recorded" or ""))
  self:ruler()
  for x = 0, run.thread_count - 1 do
    if self.rows[x] then self:thread(x) end
  end
  for n, o in ipairs(self.objects) do self:object(o, self.bottom + (n - 1) * 26 + 4) end
  local arrows = self.picture.arrows
  if #arrows > math.max(24, self.width / 11) then
    self:text(self.width - 8, 14, "d", ("%d arrows are left out"):format(#arrows), "end")
  else
    for _, arrow in ipairs(arrows) do self:arrow(arrow) end
  end
  self:circle()
  self:add "</svg>"
  return table.concat(self.out, "\n") .. "\n"
end

return svg

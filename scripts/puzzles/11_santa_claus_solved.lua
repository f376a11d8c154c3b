-- Santa Claus, solved. When four elves have come before Santa is up, the number goes past two and is never two
-- again, so nobody wakes him for the second group. Every second elf wakes him, whatever he has done by then: the
-- elves who have come are counted, and never counted back.
local sync = require "luasync"

local REINDEER, GROUP, GROUPS = 2, 2, 2
local reindeer, elves = sync.Atomic(0, { name = "reindeer" }), sync.Atomic(0, { name = "elves" })
local wake = sync.Semaphore(0, { name = "wake" })
local sleigh, answer = sync.Semaphore(0, { name = "sleigh" }), sync.Semaphore(0, { name = "answer" })

local function santa()
  local helped = 0
  for _ = 1, 1 + GROUPS do
    wake:acquire()
    if reindeer:compare_exchange(REINDEER, 0) then
      print "Santa flies"
      sleigh:release(REINDEER)
    else
      helped = helped + GROUP
      assert(elves:get() >= helped, "Santa is woken for a single elf")
      print "Santa explains"
      answer:release(GROUP)
    end
  end
end

local function come_home()
  if reindeer:add(1) == REINDEER then wake:release() end
  sleigh:acquire()
end

local function ask()
  if elves:add(1) % GROUP == 0 then wake:release() end
  answer:acquire()
end

local threads = { sync.Thread{ name = "Santa", target = santa } }
for n = 1, REINDEER do table.insert(threads, sync.Thread{ name = "reindeer " .. n, target = come_home }) end
for n = 1, GROUP * GROUPS do table.insert(threads, sync.Thread{ name = "elf " .. n, target = ask }) end
for _, thread in ipairs(threads) do thread:start() end
for _, thread in ipairs(threads) do thread:result() end
print "merry Christmas"

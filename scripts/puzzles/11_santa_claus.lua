-- Santa Claus. Santa sleeps until all reindeer are back, or until a group of elves has a question. The elves come
-- in twos: a single one must wait for another. If both are at the door, the reindeer come first.
--
-- Attempt: each counts itself in, and the one who makes the number whole wakes Santa.
--
-- luasync --explore scripts/puzzles/11_santa_claus.lua
local sync = require "luasync"

local REINDEER, GROUP, GROUPS = 2, 2, 2
local reindeer, elves = sync.Atomic(0, { name = "reindeer" }), sync.Atomic(0, { name = "elves" })
local wake = sync.Semaphore(0, { name = "wake" })
local sleigh, answer = sync.Semaphore(0, { name = "sleigh" }), sync.Semaphore(0, { name = "answer" })

local function santa()
  for _ = 1, 1 + GROUPS do
    wake:acquire()
    if reindeer:compare_exchange(REINDEER, 0) then
      print "Santa flies"
      sleigh:release(REINDEER)
    else
      assert(elves:add(-GROUP) >= 0, "Santa is woken for a single elf")
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
  if elves:add(1) == GROUP then wake:release() end
  answer:acquire()
end

local threads = { sync.Thread{ name = "Santa", target = santa } }
for n = 1, REINDEER do table.insert(threads, sync.Thread{ name = "reindeer " .. n, target = come_home }) end
for n = 1, GROUP * GROUPS do table.insert(threads, sync.Thread{ name = "elf " .. n, target = ask }) end
for _, thread in ipairs(threads) do thread:start() end
for _, thread in ipairs(threads) do thread:result() end
print "merry Christmas"

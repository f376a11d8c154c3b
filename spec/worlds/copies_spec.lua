-- Warnings of threads that change copies, as of Python programs typed in with plain globals and tables.
local command = require "spec.command"
local copies = require "spec.worlds.copies"

local run, everywhere, warns, is_silent = copies.run, copies.everywhere, copies.warns, copies.is_silent
local SYNC, COUNT, TUTORIAL_23 = copies.SYNC, copies.COUNT, copies.TUTORIAL_23

local TUTORIAL_24 = [[
data = {}
lock = sync.Lock()
function producer()
  local _ <close> = lock:hold()
  table.insert(data, "Item 1")
end
function consumer()
  local _ <close> = lock:hold()
  print(table.concat(data, ", "))
end
t1 = sync.Thread{ target = producer }
t2 = sync.Thread{ target = consumer }
t1:start()
t2:start()]]

local TUTORIAL_13 = [[
numbers = {}
function taskA(c)
  while true do
    c:acquire()
    local num = 7
    table.insert(numbers, num)
    c:notify()
    c:release()
    sync.sleep(0.05)
  end
end
function taskB(c)
  for _ = 1, 3 do
    c:acquire()
    c:wait()
    print("Obtained random number", table.remove(numbers))
    c:release()
  end
end
c = sync.Condition()
t1 = sync.Thread{ target = taskB, args = { c } }
t2 = sync.Thread{ target = taskA, args = { c }, daemon = true }
t1:start()
t2:start()]]

local TUTORIAL_52 = [[
SharedResource = {}
SharedResource.__index = SharedResource
function SharedResource.new()
  local self = setmetatable({}, SharedResource)
  self.value = 0
  self.event = sync.Event()
  return self
end
function SharedResource:increment()
  self.event:wait()
  self.value = self.value + 1
  print("Incremented value to " .. self.value)
end
function thread_function(shared_resource)
  shared_resource:increment()
end
shared_resource = SharedResource.new()
threads = {}
for _ = 1, 5 do
  local thread = sync.Thread{ target = thread_function, args = { shared_resource } }
  table.insert(threads, thread)
  thread:start()
end
shared_resource.event:set()
for _, thread in ipairs(threads) do thread:join() end]]

describe("a thread that changes a copy", function()
  it("is named with the variable, its lines and the cure", function()
    everywhere(COUNT, function(result)
      assert.equal("0\n", result.out)
      assert.equal(0, result.code)
      assert.equal("luasync: warning: SCRIPT:5: 'count' 0 → 1000 in Thread-1, its own copy; still 0 in MainThread, "
        .. "read at SCRIPT:9\n  hint: share it: local s = sync.Shared{ count = 0 }, or return it with result()\n",
        result.err)
    end)
  end)

  it("is named where a tutorial is typed in with plain globals and tables", function()
    warns(TUTORIAL_24, { "SCRIPT:6: 'data[1]' nil → \"Item 1\" in Thread-N (producer), its own copy; "
      .. "used at SCRIPT:10" })
    warns(TUTORIAL_13, { "SCRIPT:7: 'numbers[1]' nil → 7 in Thread-N (taskA), its own copy; used at SCRIPT:17" })
    warns(TUTORIAL_52, { "SCRIPT:12: 'shared_resource.value' 0 → 1 in Thread-N (thread_function), its own copy; "
      .. "used in other threads at SCRIPT:13" })
    warns(TUTORIAL_23, { "SCRIPT:13: 'data_ready' false → true in Producer, its own copy; used at SCRIPT:6" })
  end)

  it("is named for a global that it makes", function()
    warns([[
function work() answer = 42 end
local t = sync.spawn(work)
t:join()
print(answer)]], { "SCRIPT:2: 'answer' nil → 42 in Thread-N (work), its own copy; still nil in MainThread, "
      .. "read at SCRIPT:5" })
  end)

  it("is named for a field of a captured table, and of an object", function()
    warns([[
local state = { total = 0 }
local function add(n) state.total = state.total + n end
sync.spawn(add, 5):join()
print(state.total)]], { "SCRIPT:3: 'state.total' 0 → 5 in Thread-N (add), its own copy; still 0 in MainThread, "
      .. "read at SCRIPT:5" })
    warns([[
local Counter = {}
Counter.__index = Counter
function Counter:increment() self.n = self.n + 1 end
function Counter:get() return self.n end
local counter = setmetatable({ n = 0 }, Counter)
local t = sync.spawn(function() counter:increment() end)
t:join()
print(counter:get())]], { "SCRIPT:4: 'counter.n' 0 → 1 in Thread-N, its own copy; still 0 in MainThread, "
      .. "read at SCRIPT:9" })
  end)

  it("is named for results that are collected in a list", function()
    warns([[
local results, threads = {}, {}
for i = 1, 3 do
  threads[i] = sync.spawn(function() results[i] = i * i end)
end
for _, t in ipairs(threads) do t:join() end
print(#results)]], { "SCRIPT:4: 'results[1]' nil → 1 in Thread-N, its own copy; still nil in MainThread, "
      .. "read at SCRIPT:7" })
  end)

  it("is named for a list that it gets as an argument", function()
    warns([[
local results = {}
local function square(i, out) out[#out + 1] = i * i end
sync.spawn(square, 3, results):join()
print(#results)]], { "SCRIPT:3: 'results[1]' nil → 9 in Thread-N (square), its own copy; still nil in MainThread, "
      .. "read at SCRIPT:5" })
    warns([[
local list = { 3, 1, 2 }
local function sort(l) table.sort(l) end
sync.spawn(sort, list):join()
print(list[1])]], { "SCRIPT:3: 'list[1]' 3 → 1 in Thread-N (sort), its own copy; still 3 in MainThread, "
      .. "read at SCRIPT:5" })
  end)

  it("is named where a function changes what it is passed", function()
    warns([[
local list, row = {}, { {} }
local function add(t, x) t[#t + 1] = x end
sync.spawn(function() add(list, 1) add(row[1], 2) end):join()
print(#list, row[1][1])]], {
      "SCRIPT:3: 'list[1]' nil → 1 in Thread-N, its own copy; still nil in MainThread, read at SCRIPT:5",
      "SCRIPT:3: 'row[1][1]' nil → 2 in Thread-N, its own copy; still nil in MainThread, read at SCRIPT:5" })
    warns([[
local done = { {} }
local function work(out) out.finished = true end
sync.spawn(work, done[1]):join()
print(done[1].finished)]], { "SCRIPT:3: 'done[1].finished' nil → true in Thread-N (work), its own copy; still nil in "
      .. "MainThread, read at SCRIPT:5" })
    warns([[
local Stack = {}
Stack.__index = Stack
function Stack:push(x) table.insert(self.items, x) end
function Stack:size() return #self.items end
local stack = setmetatable({ items = {} }, Stack)
sync.spawn(function() stack:push "x" end):join()
print(stack:size())]], { "SCRIPT:4: 'stack.items[1]' nil → \"x\" in Thread-N, its own copy; still nil in MainThread, "
      .. "read at SCRIPT:8" })
  end)

  it("is named where it has another name for the table", function()
    warns([[
local log, rows = {}, { { n = 0 } }
sync.spawn(function()
  local l = log
  l[1] = "x"
  for _, row in ipairs(rows) do row.n = 1 end
end):join()
print(#log, rows[1].n)]], {
      "SCRIPT:5: 'log[1]' nil → \"x\" in Thread-N, its own copy; still nil in MainThread, read at SCRIPT:8",
      "SCRIPT:6: 'rows[1].n' 0 → 1 in Thread-N, its own copy; still 0 in MainThread, read at SCRIPT:8" })
  end)

  it("is named where a module changes it", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    local file = assert(io.open(folder .. "/pushing.lua", "w"))
    file:write "return { push = function(t, x) t[#t + 1] = x end }"
    file:close()
    warns(("package.path = %q\n"):format(folder .. "/?.lua;" .. package.path) .. [[
local push = require "pushing".push
local list = {}
sync.spawn(function() push(list, 1) end):join()
print(#list)]], { "SCRIPT:5: 'list[1]' nil → 1 in Thread-N, its own copy; still nil in MainThread, read at SCRIPT:6" })
    assert(os.execute("rm -r " .. folder))
  end)

  it("is named where the target is a method", function()
    warns([[
local Account = {}
Account.__index = Account
function Account:withdraw(n) self.balance = self.balance - n end
local account = setmetatable({ balance = 100 }, Account)
sync.Thread{ target = account.withdraw, args = { account, 60 } }:start():join()
print(account.balance)]], { "SCRIPT:4: 'account.balance' 100 → 40 in Thread-N, its own copy; still 100 in "
      .. "MainThread, read at SCRIPT:7" })
  end)

  it("is named for a task of a Pool, by a Timer, and in a Scope", function()
    warns([[
local pool <close> = sync.Pool(1)
local total, out = 0, {}
sync.wait{ pool:submit(function(n) total = total + n end, 5) }
pool:map(function(i) out[i] = i end, { 1 })
print(total, #out)]], {
      "SCRIPT:4: 'total' 0 → 5 in Pool-1_1, its own copy; still 0 in MainThread, read at SCRIPT:6",
      "SCRIPT:5: 'out[1]' nil → 1 in Pool-1_1, its own copy; still nil in MainThread, read at SCRIPT:6" })
    warns([[
local rings = 0
local timer = sync.Timer(0, function() rings = rings + 1 end)
timer:start()
timer:join()
print(rings)]], { "SCRIPT:3: 'rings' 0 → 1 in Thread-N, its own copy; still 0 in MainThread, read at SCRIPT:6" })
    warns([[
local n = 0
sync.scope(function(s) s:spawn(function() n = n + 1 end) end)
print(n)]], { "SCRIPT:3: 'n' 0 → 1 in Thread-N, its own copy; still 0 in MainThread, "
      .. "read at SCRIPT:4" })
  end)

  it("is named where it ends by an error", function()
    warns([[
local tries = 0
local t = sync.spawn(function() tries = tries + 1 error "no" end)
pcall(t.result, t)
print(tries)]], { "SCRIPT:3: 'tries' 0 → 1 in Thread-N, its own copy; still 0 in MainThread, read at SCRIPT:5" })
  end)

  it("is named where it was sent much", function()
    warns([[
local text, list, n = ("x"):rep(200000), {}, 0
for i = 1, 20000 do list[i] = i end
sync.spawn(function() n = #text end):join()
sync.spawn(function() list[#list + 1] = 0 end):join()
print(n, #list)]], {
      "SCRIPT:4: 'n' 0 → 200000 in Thread-N, its own copy; still 0 in MainThread, read at SCRIPT:6",
      "SCRIPT:5: 'list[20001]' nil → 0 in Thread-N, its own copy; still nil in MainThread, read at SCRIPT:6" })
  end)

  it("is named in a script that comes through stdin", function()
    local path = command.script(SYNC .. COUNT)
    for _, arguments in ipairs { {}, { "-" }, { "--virtual", "-" } } do
      local result = command.run(arguments, nil, "<" .. path)
      assert.matches("warning: stdin:5: 'count' 0 → 1000 in Thread-1, its own copy; still 0 in MainThread, "
        .. "read at stdin:9\n", result.err, 1, true)
    end
    os.remove(path)
  end)

  it("is told what to write, by what the table is", function()
    local function hint(text) return run(text).err:match "  hint: share it: (.-), or return it with result%(%)\n$" end
    assert.equal("local s = sync.Shared{ n = 0 }", hint "local n = 0 sync.spawn(function() n = 1 end):join() print(n)")
    assert.equal("list = sync.Shared{}", hint "list = {} sync.spawn(function() list[1] = 1 end):join() print(#list)")
    assert.equal("local list = sync.Shared{ … }",
      hint "local list = { 2, 1 } sync.spawn(function() table.sort(list) end):join() print(list[1])")
    assert.equal("local s = sync.Shared{ on = false }",
      hint "local s = { on = false } sync.spawn(function() s.on = true end):join() print(s.on)")
    assert.equal("keep 'on' in a sync.Shared{ on = false }", hint [[
local function new() return setmetatable({ on = false }, {}) end
local s = new()
sync.spawn(function() s.on = true end):join()
print(s.on)]])
  end)

  it("is named once for each function and variable", function()
    everywhere([[
local seen, count, gate = {}, 0, sync.Barrier(8)
local function work(i)
  gate:wait()
  count = count + 1
  seen["k" .. i] = true
end
local threads = {}
for i = 1, 8 do threads[i] = sync.spawn(work, i) end
for _, t in ipairs(threads) do t:join() end
for k in pairs(seen) do print(k) end
print(count)]], function(result)
      assert.equal(1, select(2, result.err:gsub("'count'", "")))
      assert.equal(1, select(2, result.err:gsub("'seen%.", "")))
    end)
    warns([[
local hits, misses = 0, 0
local function work() hits = hits + 1 misses = misses + 2 end
for _ = 1, 3 do sync.spawn(work):join() end
print(hits, misses)]], {
      "SCRIPT:3: 'hits' 0 → 1 in Thread-N (work), its own copy; still 0 in MainThread, read at SCRIPT:5",
      "SCRIPT:3: 'misses' 0 → 2 in Thread-N (work), its own copy; still 0 in MainThread, read at SCRIPT:5" })
  end)

  it("is named while it goes on for ever", function()
    everywhere([[
local total = 0
local q = sync.Queue()
local function consume()
  while true do
    total = total + q:get()
    q:task_done()
  end
end
sync.Thread{ target = consume, daemon = true }:start()
for i = 1, 9 do q:put(i) sync.sleep(0.001) end
q:join()
print(total)]], function(result)
      assert.matches("SCRIPT:6: 'total' 0 → %d+ in Thread%-1 %(consume%), its own copy; still 0 in MainThread, "
        .. "read at SCRIPT:13", result.err)
    end)
  end)

  it("is not named after warn('@off')", function()
    is_silent('warn "@off"\n' .. COUNT)
    local result = run('warn "@off"\nwarn "@on"\n' .. COUNT)
    assert.matches("SCRIPT:7: 'count' 0", result.err, 1, true)
    assert.equal("", run('warn "@off"\nsync.simulate(function()\n' .. COUNT .. " end)").err)
  end)

  it("is named in simulate, once a program", function()
    local result = run("for seed = 1, 5 do sync.simulate(function()\n" .. COUNT .. "\nend, { seed = seed }) end")
    assert.equal(1, select(2, result.err:gsub("'count' 0 → 1000", "")))
    assert.equal("", result.out)
  end)

  it("is named in a chunk of the command line", function()
    local result = command.run { "-e", SYNC .. COUNT }
    assert.matches("warning: (command line):5: 'count' 0 → 1000", result.err, 1, true)
  end)
end)

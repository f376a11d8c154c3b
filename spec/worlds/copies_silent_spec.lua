-- Programs in which a thread changes what it has got, and nobody is misled: no warning is given.
local command = require "spec.command"
local copies = require "spec.worlds.copies"

local is_silent, COUNT = copies.is_silent, copies.COUNT

describe("no warning is given", function()
  it("of results that are returned", function()
    is_silent(COUNT:gsub("  end\nend%)", "  end\n  return count\nend)"):gsub("t:join%(%)", "count = t:result()"))
  end)

  it("of what only the thread itself uses", function()
    is_silent [[
local cache, calls = {}, 0
local function fib(n)
  calls = calls + 1
  if n < 2 then return n end
  cache[n] = cache[n] or fib(n - 1) + fib(n - 2)
  return cache[n]
end
local a, b = sync.spawn(fib, 20), sync.spawn(fib, 21)
assert(a:result() + b:result() == 17711)]]
    is_silent [[
local n = 0
local t = sync.spawn(function()
  for _ = 1, 10 do n = n + 1 end
  print(n)
end)
t:join()]]
    is_silent [[
print(n)
n = 5
print(n)
function countdown() while n > 0 do n = n - 1 end end
sync.spawn(countdown):join()]]
  end)

  it("of a cache that the main thread uses, too", function()
    is_silent [[
local cache = {}
local function square(n)
  if not cache[n] then cache[n] = n * n end
  return cache[n]
end
print(square(2))
local t = sync.spawn(square, 3)
print(t:result(), square(4))]]
  end)

  it("of a cache that functions are passed, of an object's, and of what is only counted", function()
    is_silent [[
local cache = {}
local function lookup(c, k)
  if not c[k] then c[k] = k * k end
  return c[k]
end
print(sync.spawn(function() return lookup(cache, 2) end):result(), lookup(cache, 3))]]
    is_silent [[
local Memo = {}
Memo.__index = Memo
function Memo:get(k)
  self.calls = self.calls + 1
  local v = self.store[k]
  if not v then
    v = k * 2
    self.store[k] = v
  end
  return v
end
local memo = setmetatable({ store = {}, calls = 0 }, Memo)
print(sync.spawn(function() return memo:get(1) end):result(), memo:get(2))]]
  end)

  it("of loop variables, locals and parameters of the thread", function()
    is_silent [[
local list = { 3, 1, 2 }
local function work(n, t)
  local sum = 0
  for i = 1, n do sum = sum + i n = n - 1 end
  t = { sum }
  t[1] = t[1] + 1
  return t[1]
end
print(sync.spawn(work, 4, list):result(), #list)
for i = 1, 3 do
  local private = i
  sync.spawn(function() private = private + 1 print(private) end):join()
end]]
  end)

  it("of an argument that belongs to the thread", function()
    is_silent [[
local function work(state)
  state.n = state.n + 1
  print(state.n)
end
for i = 1, 3 do sync.spawn(work, { n = i }):join() end
for i = 1, 3 do
  local state = { n = i }
  sync.spawn(work, state):join()
end]]
    is_silent [[
local function sort(list) table.sort(list) return list end
local list = { 3, 1, 2 }
list = sync.spawn(sort, list):result()
print(list[1])]]
  end)

  it("of Shared tables and objects", function()
    is_silent [[
local state, n = sync.Shared{ count = 0 }, sync.Atomic(0)
local function work() state.count = state.count + 1 n:add(1) end
sync.spawn(work):join()
print(state.count, n:get())]]
  end)

  it("of a loop's own variables", function()
    is_silent [[
for i = 1, 3 do
  local x = i
  local t = sync.spawn(function() x = x * 2 i = i + 1 return x end)
  print(t:result())
end]]
  end)

  it("of a table that is sent there and comes back", function()
    is_silent [[
local Account = {}
Account.__index = Account
function Account:deposit(n) self.balance = self.balance + n end
local function work(a) a:deposit(5) return a end
local account = setmetatable({ balance = 10 }, Account)
account = sync.spawn(work, account):result()
print(account.balance)]]
    is_silent [[
local function fill(t) t.done = true return t end
local state = {}
state = sync.spawn(fill, state):result()
print(state.done)]]
  end)

  it("of objects each of which has a thread", function()
    is_silent [[
local Worker = {}
Worker.__index = Worker
function Worker.new(name)
  local self = setmetatable({ name = name, steps = 0 }, Worker)
  self.thread = sync.Thread{ target = Worker.run, args = { self } }
  return self
end
function Worker:run()
  for _ = 1, 3 do self.steps = self.steps + 1 end
  print(self.name, self.steps)
end
local workers = {}
for _, name in ipairs { "a", "b" } do workers[#workers + 1] = Worker.new(name) end
for _, worker in ipairs(workers) do worker.thread:start():join() end]]
  end)

  it("of a list whose length stays as it is", function()
    is_silent [[
local function smallest(list) table.sort(list) return list[1] end
local list = { 5, 3, 4 }
print(sync.spawn(smallest, list):result(), #list)]]
  end)

  it("of globals that an earlier task of the worker has brought", function()
    is_silent [[
local pool <close> = sync.Pool(1)
function helper() return 1 end
function first() return helper() end
function second() made = 2 return made end
print(pool:submit(first):result(), pool:submit(second):result(), helper())]]
  end)

  it("of a variable that is set anew before it is read", function()
    is_silent [[
local sum = 0
local function work() sum = sum + 1 return sum end
local t = sync.spawn(work)
sum = t:result()
print(sum)]]
    is_silent [[
local n = 0
local function work() n = n + 1 end
for round = 1, 2 do
  n = round
  sync.spawn(work):join()
end]]
  end)

  local programs = io.popen "ls scripts/tutorial/*.lua scripts/examples/*.lua"
  for path in programs:lines() do
    it("by " .. path, function()
      local result = command.run { "--virtual", path }
      assert.is_nil(result.err:find("warning", 1, true))
    end)
  end
  programs:close()

  it("by longer programs", function()
    for _, path in ipairs { "scripts/bench/run.lua", "scripts/fuzz/run.lua" } do
      assert.is_nil(command.run { path, "--help" }.err:find("its own copy", 1, true))
    end
  end)
end)

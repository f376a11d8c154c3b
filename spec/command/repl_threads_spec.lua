-- The prompt while threads run, and Ctrl-C, through a real terminal.
local terminal = require "spec.terminal"

local function lines_of(text)
  local list = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do list[#list + 1] = line end
  return list
end

describe("The prompt among threads #repl #novalgrind", function()
  if not terminal.available() then
    pending "needs tmux"
    return
  end

  local open = terminal.opener(after_each)

  describe("threads", function()
    it("print above what is being typed, errors too", function()
      local t = open()
      t:enter "w = spawn(function() sleep(0.5) print 'from a thread' error 'and an error' end)"
      t:type "typed text"
      t:wait_for "from a thread\n"
      t:wait_for "Exception in thread"
      t:wait_for "and an error"
      t:wait_until(function(screen) return screen:find "luasync[^\n]*> typed text$" end)
    end)

    it("are told of when they change a copy of a global, until warn '@off'", function()
      local t = open()
      t:run "count = 0"
      t:enter "spawn(function() count = count + 1 end):join()"
      t:wait_for "'count' 0 → 1 in Thread-1, its own copy"
      t:run "warn '@off'"
      t:run "spawn(function() other = 1 end):join()"
      assert.equal("0\tnil", (t:run "print(count, other)":gsub(" +", "\t")))
      assert.is_nil(t:screen():find("'other'", 1, true))
    end)

    it("are recorded from :trace to :trace off", function()
      local t = open()
      local file = os.tmpname()
      assert.truthy(t:run ":trace":find "^recording: ")
      t:run "lock = Lock{ name = 'A' }"
      t:run "spawn(function() lock:acquire() lock:release() end):join()"
      local lanes = t:run ":trace"
      assert.truthy(lanes:find "MainThread +█")
      assert.truthy(lanes:find "Thread%-1 takes Lock 'A'")
      assert.equal("recording ends", t:run ":trace off")
      t:run "lock:acquire()"
      assert.equal("saved " .. file .. ".json", t:run(":trace save " .. file .. ".json"))
      local recording = assert(require "luasync.trace".read(file .. ".json"))
      os.remove(file)
      os.remove(file .. ".json")
      assert(recording:order { "Thread-1 acquire A", "Thread-1 release A" })
      assert.is_nil(recording:order { "MainThread acquire A" })
      assert.equal("nothing is recorded", t:run ":trace off")
    end)

    it("that print 10000 lines lose none, tear none, and leave the typed text alone", function()
      local t = open()
      t:enter "function say(k, i) print(('%d:%05d %s'):format(k, i, ('x'):rep(40))) end"
      t:enter("function talk(k) sleep(0.5) for i = 1, 5000 do say(k, i) if i % 100 == 0 then sleep(0.01) end end end")
      t:enter "for k = 1, 2 do spawn(talk, k) end"
      t:wait_for "[2 running]>"
      local typed = "abcdefghijklmnopqrstuvwxyz"
      for c in typed:gmatch "." do t:type(c) end
      t:wait_until(function(screen) return screen:find("luasync> " .. typed .. "$") end)
      local next_line = { 1, 1 }
      for _, line in ipairs(lines_of(t:screen "-S -")) do
        local k, i, rest = line:match "^(%d):(%d%d%d%d%d) (x+)$"
        if k then
          k = tonumber(k)
          assert.equal(next_line[k], tonumber(i))
          assert.equal(40, #rest)
          next_line[k] = next_line[k] + 1
        else
          assert.falsy(line:find "xx" and line)
        end
      end
      assert.same({ 5001, 5001 }, next_line)
      t:key "C-c"
      t:wait_for_prompt()
    end)

    it("is searched in a window of a few columns", function()
      local t = open()
      for _, width in ipairs { 8, 5, 2, 30, 8, 80 } do
        t:resize(width, 24)
        os.execute "sleep 0.1"
        t:key "C-r"
        t:key "x"
        t:key "C-g"
      end
      assert.truthy(t:run("6 * 7"):find "42")
    end)

    local TYPED = "a text that is wrapped when the window is narrow, and then not"
    -- Spaces at the end of a row are not seen.
    local function shows(text)
      return function(screen) return screen:gsub("%s", ""):find(">" .. text:gsub(" ", "") .. "$") end
    end
    local shows_typed = shows(TYPED)

    -- The lines that a thread has printed, and whether each is whole.
    local function printed(t)
      local shown = {}
      for _, line in ipairs(lines_of(t:screen "-J -S -")) do
        shown[#shown + 1] = tonumber(line:match "^line (%d+)$")
      end
      return shown
    end

    it("that print between changes of the window's size lose nothing", function()
      local t = open()
      local widths = { 60, 40, 90, 30, 80, 25, 120, 80 }
      t:enter "function asked(path) local f = io.open(path) if f then f:close() end return f end"
      t:enter(("function say(i) while not asked('%s/' .. i) do sleep(0.01) end print('line ' .. i) end"):format(t.home))
      t:enter(("w = spawn(function() for i = 1, %d do say(i) end end)"):format(#widths + 1))
      t:wait_for "[1 running]>"         -- what is typed earlier the terminal shows by itself
      local typed = TYPED
      t:type(typed)
      local all = {}
      for i = 1, #widths + 1 do
        all[i] = i
        io.open(t.home .. "/" .. i, "w"):close()
        t:wait_for(("line %d\n"):format(i))
        t:wait_until(shows(typed))
        if widths[i] then
          t:resize(widths[i], 24)
          t:wait_for_size(widths[i], 24)
          t:type(tostring(i))           -- the prompt looks at the size before it takes a key
          typed = typed .. i
          t:wait_until(shows(typed))
        end
      end
      assert.same(all, printed(t))
    end)

    -- What is on its way to the terminal when that takes a new size was measured with the old one: it may erase lines.
    it("that print while the window's size changes leave the typed text alone, and their lines in order", function()
      local t = open()
      t:enter "w = spawn(function() for i = 1, 40 do print('line ' .. i) sleep(0.03) end end)"
      t:wait_for "[1 running]>"
      t:type(TYPED)
      for _, width in ipairs { 60, 40, 90, 30, 80 } do t:resize(width, 24) os.execute "sleep 0.1" end
      t:wait_for "line 40\n"
      t:wait_until(shows_typed)
      local shown = printed(t)
      for i = 2, #shown do assert.is_true(shown[i] > shown[i - 1]) end
    end)

    it("are shown by Ctrl-\\ behind keys that have not been read yet, and these are not lost", function()
      local t = open()
      local pid = t:run "get_native_id()"
      os.execute("kill -STOP " .. pid)
      t:type "typed before"
      t:key "C-\\"
      t:type " and after"
      os.execute("kill -CONT " .. pid)
      t:wait_for "luasync: 1 thread\nThread MainThread: running"
      t:wait_until(function(screen) return screen:find "luasync> typed before and after$" end)
    end)

    it("put their lines together from pieces", function()
      local t = open()
      t:enter "function pieces(i) io.write('a', i) sleep(0.05) io.write('b') io.write '\\n' end"
      t:enter "w = spawn(function() sleep(0.3) for i = 1, 3 do pieces(i) end end)"
      t:wait_for "a1b\na2b\na3b\n"
    end)

    it("that print without end leave the prompt usable, and :kill ends them", function()
      local t = open()
      t:enter "w = Thread { name = 'flood', target = function() while true do print(('y'):rep(60)) end end }:start()"
      t:type "typed"
      t:wait_until(function(screen) return screen:find "%[1 running%]> typed$" end)
      t:key "C-u"
      t:enter ":kill flood"
      t:wait_for "Exception in thread flood"
      t:wait_until(function(screen) return screen:find "luasync>$" end)
    end)

    it("are shown by Ctrl-\\, above what is being typed", function()
      local t = open()
      t:type "before any thread"
      t:key "C-\\"
      t:wait_for "luasync: 1 thread\nThread MainThread: running"
      t:wait_until(function(screen) return screen:find "luasync> before any thread$" end)
      t:key "C-u"
      t:enter "function wait() Event{ name = 'E' }:wait(60) end"
      t:enter "w = Thread{ name = 'waiter', target = wait, daemon = true }:start()"
      t:wait_for "luasync [1 "
      t:key "C-\\"
      t:wait_for "Thread waiter (daemon): waiting in wait of Event 'E' (unset)"
      assert.equal("2", t:run "1 + 1")
    end)

    it("in a deadlock are announced above the prompt", function()
      local t = open()
      t:enter "a, b, n = Lock { name = 'A' }, Lock { name = 'B' }, Atomic()"
      t:enter "function grab(x, y) x:acquire() n:add(1) while n:get() < 2 do sleep(0.01) end y:acquire() end"
      t:enter "one = Thread { name = 'one', daemon = true, target = grab, args = { a, b } }:start()"
      t:enter "two = Thread { name = 'two', daemon = true, target = grab, args = { b, a } }:start()"
      t:type "typed"
      t:wait_for "wait for each other"
      t:wait_until(function(screen) return screen:find "%[2 blocked%]> typed$" end)
    end)

    it("are counted in the prompt", function()
      local t = open()
      t:enter "l = Lock { name = 'L' }; l:acquire()"
      t:enter "function nap() while true do sleep(10) end end"
      t:enter "for i = 1, 2 do Thread { target = nap, daemon = true }:start() end"
      t:enter "b = Thread { target = function() l:acquire() end, daemon = true }:start()"
      t:wait_for "luasync [2 running, 1 blocked]>"
      t:enter "l:release()"
      t:wait_until(function(screen) return screen:find "luasync %[2 running%]>$" end)
    end)
  end)

  describe("Ctrl-C interrupts", function()
    for name, code in pairs {
      ["running code #notsan"] = "while true do end",
      ["a lock that is held"] = "l:acquire()",
      ["a timed acquire"] = "l:acquire(true, 60)",
      ["an RLock held elsewhere"] = "r:acquire()",
      ["a semaphore"] = "Semaphore(0):acquire()",
      ["a queue"] = "Queue():get()",
      ["a full queue"] = "full:put(2)",
      ["a queue's join"] = "full:join()",
      ["an event"] = "Event():wait()",
      ["a condition"] = "(function() local c = Condition() c:acquire() c:wait() end)()",
      ["a thread's join"] = "w:join()",
      ["a thread's result"] = "w:result()",
      ["sleep"] = "sleep(100)",
      ["code in a coroutine #notsan"] = "coroutine.wrap(function() while true do end end)()",
      ["a __tostring that never ends #notsan"] = "setmetatable({}, { __tostring = function() while true do end end })",
    } do
      it(name, function()
        local t = open()
        t:run "l = Lock(); l:acquire(); r = RLock(); full = Queue(1); full:put(1)"
        t:run "w = Thread { target = function() r:acquire() sleep(1000) end, daemon = true }:start(); sleep(0.05)"
        t:key "C-l"
        t:enter(code)
        os.execute "sleep 0.1"
        t:key "C-c"
        t:wait_for "interrupted!"
        t:wait_for_prompt()
        assert.equal("6", t:run "2 * 3")
      end)
    end

    it("the only thread, blocked for ever, without ending the process", function()
      local t = open()
      t:enter "l = Lock(); l:acquire(); l:acquire()"
      os.execute "sleep 0.3"
      t:key "C-c"
      t:wait_for "interrupted!"
      t:wait_for_prompt()
    end)
  end)
end)

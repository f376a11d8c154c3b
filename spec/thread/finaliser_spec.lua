-- Finalisers while a state closes, at the end of a thread or of the program.
local command = require "spec.command"
local support = require "spec.support"

local PRELUDE = 'local sync = require "luasync"\n'

local function output(script, options)
  return support.output(PRELUDE .. script, options)
end

describe("a finaliser at the end", function()
  it("EX09 cannot start a thread, as nobody would wait for it", function()
    for _, option in ipairs { "-W", "--virtual" } do
      local result = command.text(PRELUDE .. [[
        kept = setmetatable({}, { __gc = function()
          print(pcall(sync.spawn, print, "lost"))
        end })
        sync.spawn(function() print(sync.spawn(print, "joined"):join()) end)
      ]], option)
      assert.equal("joined\ntrue\nfalse\tcan't start new thread: the program is ending\n", result.out)
      assert.equal(0, result.code)
    end
  end)

  it("still finds objects that live, also in a thread", function()
    for _, option in ipairs { "-W", "--virtual" } do
      assert.equal("nil\tan item\tLock 'L' (unlocked)\n"
                   .. "nil\tan item\tLock 'L' (unlocked)\n", command.output(PRELUDE .. [[
        local queue = sync.Queue()
        local function body()
          local sync = require "luasync"
          kept = setmetatable({}, { __gc = function()
            local lock = queue:get(false)
            print(sync.current_thread().missing, queue:get(false), lock)
          end })
          queue:put(sync.Lock { name = "L" })
          queue:put "an item"
        end
        sync.spawn(body):join()
        body()
      ]], option))
    end
  end)

  it("leaves no memory behind with its thread #noasan #notsan #novalgrind", function()
    assert.equal("flat\n", output [[
      local function memory()
        for line in io.lines "/proc/self/status" do
          local size = line:match "^VmRSS:%s*(%d+)"
          if size then return tonumber(size) end
        end
      end
      local shared = sync.Shared()
      for i = 1, 300 do shared["k" .. i] = i end
      local function run(times)
        for _ = 1, times do
          sync.spawn(function()
            local sync = require "luasync"
            kept = setmetatable({}, { __gc = function()
              sync.current_thread()
              coroutine.wrap(function() for _ in pairs(shared) do break end end)()
              for _ in pairs(shared) do break end
              for _ = 1, 20 do sync.Queue { name = ("q"):rep(1000) }:put(sync.Lock()) end
            end })
          end):join()
        end
        return memory()
      end
      local before = run(100)
      local more = run(300) - before
      print(more < 2000 and "flat" or more)
    ]])
  end)

  it("may end the program, closing the state that is being closed", function()
    for _, option in ipairs { "-W", "--virtual" } do
      for code, last in pairs { [5] = "", [6] = "os.exit(9, true)" } do
        local script = ('kept = setmetatable({}, { __gc = function() os.exit(%d, true) end }) %s'):format(code, last)
        assert.equal(code, command.text(script, option).code)
      end
    end
  end)

  it("that ends the program with os.exit(code, true) lets those after it run", function()
    for _, option in ipairs { "-W", "--virtual" } do
      local result = command.text([[
        kept = {}
        for i = 1, 4 do
          kept[i] = setmetatable({}, { __gc = function() print(i) if i > 2 then os.exit(10 + i, true) end end })
        end]], option)
      assert.same({ "4\n3\n2\n1\n", 13 }, { result.out, result.code })
    end
  end)

  it("EX11 still sees the main thread, and it alone", function()
    for _, option in ipairs { "-W", "--virtual" } do
      assert.equal("1\t1\ttrue\n", command.output(PRELUDE .. [[
        kept = setmetatable({}, { __gc = function()
          print(#sync.enumerate(), sync.active_count(), sync.enumerate()[1] == sync.current_thread())
        end })
        sync.spawn(function() end)
      ]], option))
    end
  end)
end)

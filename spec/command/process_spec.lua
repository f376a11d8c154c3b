-- Other programs: os.execute and io.popen among threads.
local command = require "spec.command"
local support = require "spec.support"

local PRELUDE = 'local sync = require "luasync"\n'

local function output(script, options)
  return support.output(PRELUDE .. script, options)
end

describe("other programs", function()
  it("of a thread get signals as any program does", function()
    assert.equal("nil\tsignal\t15\nnil\tsignal\t15\n", output [[
      local killed = "kill -TERM $$; sleep 5"
      sync.spawn(function()
        print(os.execute("exec sh -c '" .. killed .. "'"))
        print(io.popen(killed):close())
      end):join()
    ]])
  end)

  it("run by a thread do not keep Ctrl-C from the main one", function()
    assert.equal("false\tinterrupted!\n", output [[
      sync.Thread { daemon = true, target = function() os.execute "sleep 2" end }:start()
      sync.Thread { daemon = true, target = function()
        sync.sleep(0.3)
        os.execute "kill -INT $PPID"
      end }:start()
      print(pcall(sync.sleep, 10))
    ]])
  end)

  it("return what they do in Lua's own library", function()
    local script = [[
      print(os.execute())
      print(os.execute "exit 3")
      print(os.execute "kill -9 $$")
      print(os.execute "true")
      print(pcall(io.popen, "true", "q"))
      print(pcall(os.execute, {}))
    ]]
    assert.equal(table.concat({
      "true", "nil\texit\t3", "nil\tsignal\t9", "true\texit\t0",
      "false\tbad argument #2 to 'io.popen' (invalid mode)",
      "false\tbad argument #1 to 'os.execute' (string expected, got table)", "",
    }, "\n"), output(script))
  end)

  it("do not inherit the pipe of another thread, whose close() would wait for them", function()
    assert.equal("closed\n", output [[
      local pipe = io.popen("cat >/dev/null", "w")
      local other = sync.Thread { daemon = true, target = function() os.execute "exec sleep 20" end }:start()
      sync.sleep(0.3)
      pipe:close()
      print(other:is_alive() and "closed" or "waited")
    ]])
  end)

  it("do not wait for a thread in io.read", function()
    local result = command.run({ "-e", [[
      local sync = require "luasync"
      sync.Thread { daemon = true, target = function() io.read() end }:start()
      sync.sleep(0.2)
      print(io.popen "echo started":read())
    ]] }, "sleep 5 |", "")
    assert.equal("started\n", result.out)
    assert.equal(0, result.code)
  end)
end)

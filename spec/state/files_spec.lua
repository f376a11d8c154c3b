local support = require "spec.support"

--- Writes to a file and, before it is flushed, has programs read it; in the thread that runs it. The os.execute of
-- stock Lua, which is main's there, flushes nothing.
local function check(name, execute)
  local file = assert(io.open(name, "w"))
  file:write("b\n", "a\n")
  local pipe = io.popen("sort " .. name)
  assert(pipe:read "a" == "a\nb\n")
  pipe:close()
  if not execute then return file:close() end
  file:write "c\n"
  assert(os.execute("test $(wc -l < " .. name .. ") = 3"))
  local previous = io.output()
  io.output(file)
  io.write "d\n"
  io.output(previous)
  assert(os.execute("test $(wc -l < " .. name .. ") = 4"))
  file:close()
  assert(os.execute "true")
end

describe("Programs see what has been written to files that are still open", function()
  local name
  before_each(function() name = os.tmpname() end)
  after_each(function() os.remove(name) end)

  it("by main", function() check(name) end)
  it("by a thread", function() support.finish(support.start(check, name, true)) end)

  it("and no thread that reads is waited for", function()
    assert.equal("written\ttrue\tgo on\n", support.output [[
      local sync = require "luasync"
      local name, gate = os.tmpname(), os.tmpname()
      os.execute("rm " .. gate .. "; mkfifo " .. gate)
      local ready = sync.Event()
      local reader = sync.spawn(function()
        local pipe = io.popen("cat " .. gate)
        ready:set()
        return pipe:read "l"
      end)
      ready:wait()
      local file = io.open(name, "w")
      file:write "written"
      local seen = io.popen("cat " .. name):read "a"
      local waits = reader:is_alive()
      os.execute("echo go on > " .. gate)
      print(seen, waits, reader:result())
      os.execute("rm " .. name .. " " .. gate)
    ]])
  end)
end)

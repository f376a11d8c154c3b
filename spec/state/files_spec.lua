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

describe("Reading is as in stock Lua", function()
  local name
  before_each(function()
    name = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    file:write "12 -0x1p4 .5e-3x 0X.8 1e+ 0x; --\nline\n\nlast"
  end)
  after_each(function() os.remove(name) end)

  local function numbers(text)
    local file <close> = assert(io.open(name, "w"))
    file:write(text)
    file:close()
    local from <close> = assert(io.open(name))
    local list = {}
    for i = 1, 9 do
      local n = from:read "n"
      list[i] = n and ("%s %s"):format(math.type(n), n) or "none before " .. tostring(from:read(1))
    end
    return list
  end

  it("of numbers: the longest beginning that may be one is taken", function()
    assert.same({ "integer 12", "float -16.0", "float 0.0005", "none before x", "float 0.5", "none before ;",
      "none before -", "none before nil", "none before nil" }, numbers "12 -0x1p4 .5e-3x 0X.8 1e+; --")
    local digits = ("9"):rep(201)
    assert.same("none before 9", numbers(digits)[1])
    assert.same("float 1e+198", numbers("1" .. ("0"):rep(198))[1])
  end)

  it("of lines, pieces and all", function()
    local file <close> = assert(io.open(name))
    assert.equal("", file:read(0))
    assert.same({ "12", " -0x1p4 .5e-3x 0X.8 1e+ 0x; --\n", "line", "", "last" },
      { file:read(2, "L", "l", "*l", "a") })
    assert.same({ "", nil }, { file:read("a", 0) })
    assert.is_nil(file:read())
    support.bad_argument(1, "read", function() file:read "x" end)
  end)

  it("by io.read and io.lines, with a name and without", function()
    local old, list = io.input(), {}
    io.input(name)
    assert.equal("12", io.read(2))
    for line in io.lines() do list[#list + 1] = line end
    io.input():close()
    io.input(old)
    assert.same({ " -0x1p4 .5e-3x 0X.8 1e+ 0x; --", "line", "", "last" }, list)
    list = {}
    for a, b in io.lines(name, 1, "L") do list[#list + 1] = a .. "|" .. tostring(b) end
    assert.same({ "1|2 -0x1p4 .5e-3x 0X.8 1e+ 0x; --\n", "l|ine\n", "\n|last" }, list)
    assert.matches("No such file", support.error_of(function() io.lines(name .. ".none") end))
  end)
end)

-- The module in programs of others: stock lua5.4, and hosts that have OS threads of their own.
local support = require "spec.support"
local MODULE = os.getenv "LUASYNC_MODULE" or "build/luasync.so"
local FOLDER = MODULE:match "^(.*)/[^/]*$"

local function output_of(command)
  local pipe = io.popen(command)
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

local function succeeds(command) return (os.execute(command .. " >/dev/null 2>&1")) == true end

describe("stock lua5.4", function()
  if FOLDER:find "build/[%a-]+$" and not FOLDER:find "coverage$" or not succeeds "command -v lua5.4" then
    pending "it cannot load a sanitized module, or is not installed"
    return
  end

  local library

  setup(function()
    library = os.tmpname()
    os.remove(library)
    os.execute("mkdir " .. library)
  end)

  teardown(function() os.execute("rm -r " .. library) end)

  --- Runs a script in stock Lua; returns its output, stderr included, and its exit code.
  local function run(script)
    local path = library .. "/script.lua"
    local file = assert(io.open(path, "w"))
    file:write(script)
    file:close()
    return output_of(("LUA_CPATH='%s/?.so;%s/?.so' timeout 60 lua5.4 %s 2>&1"):format(FOLDER, library, path))
  end

  local SYNC = 'local sync = require "luasync" '

  it("writes a timeline where LUASYNC_TRACE says, of what fails", function()
    local trace = require "luasync.trace"
    local file = library .. "/run.json"
    local function verdict_of(script)
      os.remove(file)
      local path = library .. "/script.lua"
      support.write_file(path, SYNC .. 'local lock = sync.Lock{ name = "A" } lock:acquire() ' .. script)
      output_of(("LUASYNC_TRACE=%s LUA_CPATH='%s/?.so' timeout 60 lua5.4 %s 2>&1"):format(file, FOLDER, path))
      local recording = trace.read(file)
      if not recording then return nil end
      assert(recording:order { "MainThread acquire A script.lua:1" })
      assert.same({}, trace.check(recording))
      return recording.runs[1].verdict.kind
    end
    assert.equal("deadlock", verdict_of "lock:acquire()")
    assert.equal("error", verdict_of "sync.spawn(error, 'no')")
    assert.equal("exit", verdict_of "os.exit(3)")
    assert.equal("signal", verdict_of "io.popen 'kill -TERM $PPID':close() sync.sleep(20)")
    for _, script in ipairs { "", "os.exit(0)", "sync.spawn(print):join()" } do assert.is_nil(verdict_of(script)) end
  end)

  it("joins its threads at the end, but not in os.exit", function()
    local threads = SYNC .. 'sync.spawn(function() sync.sleep(%s) print "joined" end) print "end" '
    assert.same({ "end\njoined\n", 0 }, { run(threads:format "0.1") })
    for _, exit in ipairs { "os.exit(7, true)", "os.exit(7)" } do
      assert.same({ "end\n", 7 }, { run(threads:format "30" .. exit) })
    end
  end)

  it("writes what it has held back for files when os.exit leaves threads behind", function()
    local name = library .. "/held"
    assert.same({ "", 3 }, { run(([[
      local file = assert(io.open("%s", "w"))
      file:write "held back"
      local sync = require "luasync"
      sync.spawn(sync.sleep, 60)
      os.exit(3)
    ]]):format(name)) })
    assert.equal("held back", support.read_file(name))
  end)

  describe("in OS threads that luasync has not made", function()
    local flags = "$(pkg-config --cflags lua5.4 2>/dev/null || echo -I/usr/include/lua5.4)"
    local source = "spec/module/foreign.c"
    local FOREIGN = 'local foreign = require "foreign" '
    local WHO = [==[
      print(foreign.join(foreign.start [[
        local sync = require "luasync"
        local me, main = sync.current_thread(), sync.main_thread()
        return ("%s %s %s %s %s"):format(me.name, me.daemon, me:is_alive(), main.name, me == main)
      ]]))
    ]==]

    local built

    setup(function()
      built = succeeds(("cc -shared -fPIC %s -o %s/foreign.so %s -lpthread"):format(flags, library, source))
    end)

    local function says(expected, script)
      if not built then return pending "no C compiler" end
      assert.same({ expected, 0 }, { run(script) })
    end

    it("is a dummy thread, and main stays main", function()
      says("Dummy-1 true true MainThread false\nMainThread\ttrue\t1\n", SYNC .. FOREIGN .. WHO .. [[
        print(sync.current_thread().name, sync.current_thread() == sync.main_thread(), #sync.enumerate())
      ]])
    end)

    it("is one also where the main thread has not required luasync yet", function()
      says("Dummy-1 true true MainThread false\nMainThread\ttrue\na thread\n", FOREIGN .. WHO .. SYNC .. [[
        print(sync.current_thread().name, sync.current_thread() == sync.main_thread())
        print(sync.spawn(function() return "a thread" end):result())
      ]])
    end)

    it("starts threads, waits, and ends with its state or with the OS thread", function()
      says("true\tfalse\n1\n2\n1\ttrue\n", SYNC .. FOREIGN .. [==[
        local code = [[
          local sync = require "luasync"
          local thread = sync.spawn(function(...) return ... end, %d)
          local late = setmetatable({}, { __gc = function() sync.Lock():acquire() end })
          return sync.Event():wait(0.01) or thread:result()
        ]]
        local done = sync.Event()
        local first, second = foreign.start(code:format(1)), foreign.start(code:format(2), true)
        print(sync.main_thread():is_alive(), done:wait(0.01))
        print(foreign.join(first))
        print(foreign.join(second))
        print(sync.active_count(), sync.main_thread():is_alive())
      ]==])
    end)

    it("is interrupted as any other", function()
      says("false stop\n", SYNC .. FOREIGN .. [==[
        local run = foreign.start [[
          local ok, message = pcall(function() require "luasync".sleep(30) end)
          return tostring(ok) .. " " .. message
        ]]
        local other
        repeat other = sync.enumerate()[2] until other
        other:interrupt "stop"
        print(foreign.join(run))
      ]==])
    end)
  end)
end)

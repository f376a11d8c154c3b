-- What C libraries leave to the end of the process: handlers, and streams of their own.
local support = require "spec.support"

local ENDS = {
  ["by the end of main"] = "",
  ["by os.exit"] = "os.exit(0)",
  ["by os.exit, closing"] = "os.exit(0, true)",
}

describe("a C library", function()
  local folder, built

  setup(function()
    folder = support.temporary ""
    os.execute("mkdir " .. folder)
    local flags = "$(pkg-config --cflags lua5.4 2>/dev/null || echo -I/usr/include/lua5.4)"
    local command = "cc -shared -fPIC %s -o %s/library.so spec/command/library.c 2>/dev/null"
    built = os.execute(command:format(flags, folder))
  end)

  teardown(function() os.execute("rm -r " .. folder) end)

  local function output(script, ending)
    return support.output(([[
      package.cpath = %q
      local sync, library = require "luasync", require "library"
    ]]):format(folder .. "/?.so") .. script .. " " .. ending)
  end

  for name, ending in pairs(ENDS) do
    it("has its exit handlers run where no thread is left, " .. name, function()
      if not built then return pending "no C compiler" end
      assert.equal("farewell\n", output("library.at_exit()", ending))
      assert.equal("done\nfarewell\n", output("library.at_exit() sync.spawn(print, 'done'):join()", ending))
    end)

    it("has its streams flushed though a thread still runs, " .. name, function()
      if not built then return pending "no C compiler" end
      local held = folder .. "/held"
      assert.equal("", output(([[
        library.hold(%q, "held back")
        sync.Thread{ daemon = true, target = sync.sleep, args = { 1000 } }:start()
      ]]):format(held), ending))
      assert.equal("held back", support.read_file(held))
    end)
  end
end)

--- The order of the folders of src/: a breach of it is caught, and src/README.md lists the same folders.
local support = require "spec.support"

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  return text, (pipe:close())
end

local root = output("pwd"):gsub("%s+$", "")

-- Runs the check over a tree of { path = text }; `after` is shell text that runs in it before.
local function check(files, after, arguments)
  local folder = output("mktemp -d"):gsub("%s+$", "")
  for path, text in pairs(files) do
    os.execute("mkdir -p " .. support.quote(folder .. "/" .. path:match "^(.*)/"))
    local file = assert(io.open(folder .. "/" .. path, "w"))
    file:write(text)
    file:close()
  end
  local text, ok = output(("cd %s && { %s; lua5.4 %s/scripts/layers.lua %s; }"):format(
    support.quote(folder), after or ":", support.quote(root), arguments or ""))
  os.execute("rm -rf " .. support.quote(folder))
  return ok, text
end

describe("the layers of src/", function()
  it("let a file use its own folder and those below", function()
    local ok, text = check{ ["src/world/a.c"] = '#include "base/b.h"\n#include "world/a.h"\n', ["src/base/b.h"] = "" }
    assert.is_true(ok, text)
  end)

  it("let no file include one of a folder above its own", function()
    local ok, text = check{ ["src/base/a.c"] = '#include "thread/thread.h"\n', ["src/thread/thread.h"] = "" }
    assert.is_falsy(ok)
    assert.matches("src/base/a.c uses src/thread/thread.h (#include)", text, 1, true)
  end)

  it("keep a private header inside its folder", function()
    local ok, text = check{ ["src/sim/a.c"] = '#include "message/private.h"\n', ["src/message/private.h"] = "" }
    assert.is_falsy(ok)
    assert.matches("message/private.h", text, 1, true)
  end)

  it("see through an extern declaration, by the symbols of the objects", function()
    local ok, text = check({ ["src/base/a.c"] = "int above (void);\nint below (void) { return above(); }\n",
      ["src/thread/b.c"] = "int above (void) { return 1; }\n" },
      "mkdir -p o/base o/thread; cc -c -o o/base/a.o src/base/a.c; cc -c -o o/thread/b.o src/thread/b.c", "o")
    assert.is_falsy(ok)
    assert.matches("src/base/a.c uses src/thread/b.c (above)", text, 1, true)
  end)

  it("are those that src/README.md lists, in that order", function()
    local listed, checked = {}, {}
    for line in io.lines "src/README.md" do listed[#listed + 1] = line:match "^| `(%l+)/`" end
    local file = assert(io.open "scripts/layers.lua")
    for name in file:read "a":match "LAYERS = {(.-)}":gmatch '"(%l+)"' do checked[#checked + 1] = name end
    file:close()
    assert.same(checked, listed)
  end)
end)

-- What make builds and installs: into an empty root, and used from there.

local support = require "spec.support"
local sync = require "luasync"

local function sh(command)
  local pipe = io.popen("(" .. command .. ") 2>&1 </dev/null")
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

local MAKE = "env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SANITIZE make "

describe("packaging #slow #novalgrind", function()
  local root = os.tmpname()

  -- A build of its own would take long: what is tested is built already.
  local build = (os.getenv "LUASYNC" or "build/luasync"):match "^(.*)/[^/]*$"
  local make = MAKE .. "BUILD=" .. support.quote(build:match "build/[%w/]*$" or build) .. " "

  setup(function()
    os.remove(root)
    assert(os.execute("mkdir " .. root))
    sh(make .. "all")
    sh("touch " .. root .. "/stamp && sleep 0.02")
    local text, code = sh(make .. "install SUDO_UID=1 DESTDIR=" .. root .. " PREFIX=/usr")
    assert(code == 0, text)
  end)

  teardown(function() os.execute("rm -r " .. root) end)

  it("leaves nothing to make after a build", function()
    local text, code = sh(make .. "-q")
    assert.equal(0, code, text)
    assert.is_true(#(sh(make .. "-n")) < 200)
  end)

  it("makes all anew with other flags", function()
    local _, code = sh(make .. "-q CFLAGS=-DOTHER")
    assert.equal(1, code)
  end)

  it("writes nothing into the tree while it installs", function()
    assert.equal("", (sh("find . -newer " .. root .. "/stamp -not -path './.git*'")))
  end)

  it("says what to set where there is no Lua", function()
    local text, code = sh(make .. "BUILD=" .. root .. "/build LUA=")
    assert.truthy(text:find("set LUA=/path/to/lua", 1, true), text)
    assert.equal(2, code)
    text = sh(make .. "BUILD=" .. root .. "/build PKG_CONFIG=false")
    assert.truthy(text:find("pkg-config does not find it", 1, true), text)
  end)

  it("takes an interpreter that is called lua", function()
    local folder = root .. "/bin"
    local text = sh(("mkdir %s; for c in env make sh gcc ar grep pkg-config nproc; do ln -s $(command -v $c) %s; done; "
      .. "ln -s $(command -v lua5.4) %s/lua; PATH=%s %s -n BUILD=%s/other"):format(folder, folder, folder, folder,
      make, root))
    assert.truthy(text:find("\nlua scripts/embed.lua", 1, true) or text:find("&& lua scripts/embed.lua", 1, true), text)
  end)

  it("installs command, module, Lua files, licence, page and annotations", function()
    for _, path in ipairs{ "bin/luasync", "lib/lua/5.4/luasync.so", "share/lua/5.4/luasync/logging.lua",
        "share/lua/5.4/luasync/testing/inside.lua", "share/man/man1/luasync.1", "share/doc/luasync/LICENSE",
        "share/doc/luasync/CHANGELOG.md", "share/doc/luasync/luasync.html",
        "share/doc/luasync/scripts/puzzles/01_rendezvous.lua", "share/doc/luasync/scripts/tutorial/51_event_basic.lua",
        "share/luasync/library/luasync.lua",
        "share/luasync/library/luasync/logging.lua", "share/luasync/library/luasync/testing.lua" } do
      assert.is_true(#support.read_file(root .. "/usr/" .. path) > 0, path)
    end
  end)

  it("is used from there, by the command and by stock Lua", function()
    local code = [[local sync = require "luasync" local logging = require "luasync.logging"
      print(sync.spawn(function() return 6 * 7 end):result(), logging.INFO)]]
    local at = ("cd / && env -u LUA_PATH -u LUA_CPATH -u LUASYNC PATH=%s/usr/bin:$PATH "):format(root)
    assert.equal("42\t20\n", (sh(at .. "luasync -e " .. support.quote(code))))
    local paths = ("LUA_PATH=%s/usr/share/lua/5.4/?.lua LUA_CPATH=%s/usr/lib/lua/5.4/?.so "):format(root, root)
    if not os.getenv "SANITIZE" then
      assert.equal("42\t20\n", (sh(at .. paths .. "lua5.4 -e " .. support.quote(code))))
    end
    assert.equal(sync._VERSION, (sh(at .. "luasync --version"):match "^(%S+ %S+)  "))
  end)

  it("is taken away again", function()
    local text, code = sh(make .. "uninstall DESTDIR=" .. root .. " PREFIX=/usr")
    assert.equal(0, code, text)
    assert.equal("", (sh("find " .. root .. "/usr -type f")))
  end)
end)

describe("The tree", function()
  it("has the version in one place, and a list of changes that knows it", function()
    assert.equal(sync._VERSION:match "%S+$", support.read_file "CHANGELOG.md":match "\n## (%S+),")
    local hits = sh("grep -rlF " .. sync._VERSION:match "%S+$" .. " src Makefile lua *.rockspec")
    assert.equal("src/module/luasync.h\n", hits)
  end)

  it("has a rockspec that says what LuaRocks needs", function()
    local rock = {}
    assert(loadfile("luasync-scm-1.rockspec", "t", rock))()
    assert.equal("luasync", rock.package)
    assert.equal("scm-1", rock.version)
    local text = support.read_file "Makefile"
    for _, target in ipairs{ rock.build.build_target, rock.build.install_target } do
      assert.truthy(text:find("\n" .. target .. ":", 1, true), target)
    end
  end)
end)

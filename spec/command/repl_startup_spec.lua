-- What the prompt does as it begins: the start-up file and the history.
local support = require "spec.support"
local terminal = require "spec.terminal"

describe("The prompt's start-up #repl #novalgrind", function()
  if not terminal.available() then
    pending "needs tmux"
    return
  end

  local open = terminal.opener(after_each)

  it("runs LUASYNC_RC, or init.lua in the XDG folder", function()
    local home = os.tmpname()
    os.remove(home)
    os.execute("mkdir -p " .. home .. "/.config/luasync")
    support.write_file(home .. "/.config/luasync/init.lua", "from_init = 'xdg'")
    support.write_file(home .. "/rc.lua", "from_init = 'rc'")
    local t = open { home = home }
    assert.equal("xdg", t:run "from_init")
    t:close()
    t = open { home = home, env = { LUASYNC_RC = home .. "/rc.lua" } }
    t.owns_home = true
    assert.equal("rc", t:run "from_init")
  end)

  it("goes on after a start-up file with an error, and without the file", function()
    local home = os.tmpname()
    os.remove(home)
    os.execute("mkdir -p " .. home)
    support.write_file(home .. "/rc.lua", "error 'in rc'")
    local t = open { home = home, env = { LUASYNC_RC = home .. "/rc.lua" } }
    assert.truthy(t:screen():find("rc.lua:1: in rc", 1, true))
    assert.equal("2", t:run "1 + 1")
    t:close()
    t = open { home = home, env = { LUASYNC_RC = home .. "/none.lua" } }
    t.owns_home = true
    assert.truthy(t:screen():find("none.lua: No such file", 1, true))
    assert.equal("2", t:run "1 + 1")
  end)

  it("cuts a long history to its newest entries, which nobody else may read", function()
    local home, lines = os.tmpname(), {}
    os.remove(home)
    local folder = home .. "/.local/state/luasync"
    os.execute("mkdir -p " .. folder)
    for i = 1, 4100 do lines[i] = "entry " .. i .. "\n" end
    support.write_file(folder .. "/history", table.concat(lines))
    support.write_file(folder .. "/history.new", "left behind\n")
    os.execute("chmod 644 " .. folder .. "/*")
    local t = open { home = home }
    t.owns_home = true
    t:run "'one more'"
    local pipe = io.popen(("cd %s && ls && stat -c %%a history && sed -n '1p;$p' history"):format(folder))
    assert.equal("history\n600\nentry 2101\n'one more'\n", pipe:read "a")
    pipe:close()
  end)

  it("takes a history from others that could be read by all", function()
    local home = os.tmpname()
    os.remove(home)
    local file = home .. "/.local/state/luasync/history"
    os.execute("mkdir -p " .. file:match ".*/")
    support.write_file(file, "old\n")
    os.execute("chmod 644 " .. file)
    local t = open { home = home }
    t.owns_home = true
    t:run "'new'"
    local pipe = io.popen("stat -c %a " .. file)
    assert.equal("600\n", pipe:read "a")
    pipe:close()
  end)

  it("goes on with an unreadable history", function()
    local home = os.tmpname()
    os.remove(home)
    os.execute("mkdir -p " .. home .. "/.local/state/luasync/history")
    local t = open { home = home }
    t.owns_home = true
    assert.truthy(t:screen():find("cannot read the history", 1, true))
    assert.equal("2", t:run "1 + 1")
  end)
end)

-- Keys at the prompt that the other specs do not press: Tab in all places, undo and redo, Ctrl-Z.
local support = require "spec.support"
local terminal = require "spec.terminal"

describe("The prompt's keys #repl #novalgrind", function()
  if not terminal.available() then
    pending "needs tmux"
    return
  end

  local open = terminal.opener(after_each)

  local function shows(t, line)
    t:wait_until(function(screen) return ("\n" .. screen):sub(-#line - 10) == "\nluasync> " .. line end)
  end

  -- The prompt has a space behind it that the screen does not show.
  local function shows_empty(t) t:wait_for_prompt() end

  local function completes(t, list)
    for typed, whole in pairs(list) do
      t:type(typed)
      t:key "Tab"
      shows(t, whole)
      t:key "C-u"
      shows_empty(t)
    end
  end

  describe("Tab completes", function()
    it("fields of Shared and Local, of elements, of what stands in parentheses", function()
      local t = open()
      t:run "s = Shared{ alpha = 1, inner = { beta = 2 } } l = Local{ gamma = 3 } list = { Lock(), { deep = 4 } }"
      t:run "map = { ['a key'] = Queue() }"
      completes(t, {
        ["s.al"] = "s.alpha", ["s.inner.be"] = "s.inner.beta", ["l.ga"] = "l.gamma",
        ["list[1]:acq"] = "list[1]:acquire", ["list[2].de"] = "list[2].deep", ['("x"):rev'] = '("x"):reverse',
        ["map['a key']:task"] = "map['a key']:task_done", ["(s.inner).be"] = "(s.inner).beta",
        ["print(s.al"] = "print(s.alpha", ["return (list[2]).de"] = "return (list[2]).deep",
      })
    end)

    it("nothing behind a call, and waits for nobody", function()
      local t = open()
      t:run "function f() error 'called' end s = Shared{ alpha = 1 } started = Event()"
      t:type "f('x'):re"
      t:key "Tab"
      t:type "v"
      shows(t, "f('x'):rev")
      t:key "C-u"
      t:run "function work() update(s, 'alpha', function() started:set() while true do end end) end"
      t:run "w = Thread{ target = work, daemon = true, name = 'updater' }:start() started:wait()"
      t:wait_for "[1 running]>"
      t:type "s.al"
      t:key "Tab"
      t:type "x"
      t:wait_for "> s.alx"
    end)

    it("modules that can be required, names of files, and nothing internal", function()
      local t = open()
      os.execute(("mkdir -p '%s/folder'"):format(t.home))
      support.write_file(t.home .. "/script.lua", "return 1")
      support.write_file(t.home .. "/folder/inner_module.lua", "return 1")
      t:run(("package.path = '%s/?.lua'"):format(t.home))
      completes(t, {
        ["require 'scri"] = "require 'script", ["require('folder.inn"] = "require('folder.inner_module",
        ['require "luasync.log'] = 'require "luasync.logging',
        [":load " .. t.home .. "/scr"] = ":load " .. t.home .. "/script.lua",
        [":load " .. t.home .. "/fol"] = ":load " .. t.home .. "/folder/",
        [":trace save " .. t.home .. "/fol"] = ":trace save " .. t.home .. "/folder/",
        ["sync.__"] = "sync.__", ["require 'luasync.repl"] = "require 'luasync.repl",
      })
    end)
  end)

  describe("Ctrl-_", function()
    it("takes changes back word by word, and Alt-_ makes them again", function()
      local t = open()
      t:type "for i = 1, 3 do end"
      shows(t, "for i = 1, 3 do end")
      t:key "C-_"
      shows(t, "for i = 1, 3 do")
      t:key "C-_"
      shows(t, "for i = 1, 3")
      t:key "M-_"
      shows(t, "for i = 1, 3 do")
      t:key "C-u"
      shows_empty(t)
      t:key "C-_"
      shows(t, "for i = 1, 3 do")
      t:key "BSpace"
      t:key "M-_"                        -- nothing: another change has been made since
      shows(t, "for i = 1, 3 d")
    end)

    it("takes a paste of many lines back as one change, and the history as well", function()
      local t = open()
      t:run "old = 'entry'"
      t:key "C-l"
      t:type "x = "
      t:paste "{\n  1,\n  2,\n}"
      t:wait_for "luasync> x = {\n  1,\n  2,\n}"
      t:key "C-_"
      t:wait_until(function(screen) return screen:find "^luasync> x =$" end)
      t:key "Up"
      shows(t, "old = 'entry'")
      t:key "C-_"
      t:wait_until(function(screen) return screen:find "^luasync> x =$" end)
      t:key("C-_", "C-_", "C-_", "C-_")
      shows_empty(t)
      assert.equal("2", t:run "1 + 1")
    end)
  end)

  it("Ctrl-Z stops the process, and after fg the prompt and what was typed are there", function()
    local t = open { shell = true }
    t:enter(terminal.host())
    t:wait_for_prompt()
    t:type "x = 'typed before'"
    shows(t, "x = 'typed before'")
    t:key "C-z"
    t:wait_for "shell:"
    t:wait_for "luasync> x = 'typed before'\n"
    t:enter "echo between"
    t:wait_for "\nbetween\n"
    t:enter "fg"
    t:wait_until(function(screen) return screen:find "fg\n[^\n]*luasync[\"']?\nluasync> x = 'typed before'$" end)
    t:type " y = 1"
    t:key "Enter"
    t:wait_for_prompt()
    assert.equal("typed before    1", t:run "x, y")
    t:key "C-z"
    t:wait_until(function(screen) return screen:find "shell:$" end)
    t:enter "fg"
    t:wait_for_prompt()
    assert.equal("2", t:run "1 + 1")
  end)
end)

-- The reference says what is so: every example runs and prints what it says, every error is raised as quoted, and
-- names and methods are the ones that exist.

local sync = require "luasync"
local support = require "spec.support"
local reference = require "luasync.reference"

--- The command line of the Lua that runs this spec: the host, or stock Lua with the module.
local function this_lua()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

--- Runs code in a fresh process of this Lua.
-- @return what it wrote to stdout and stderr, together; whether it ended with code 0
local function run(code)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(code, "\n")
  file:close()
  local pipe = io.popen(("timeout -k 1 %d %s %s 2>&1 </dev/null"):format(
    support.LONG, support.quote(this_lua()), support.quote(path)))
  local output = pipe:read "a"
  local ok = pipe:close()
  os.remove(path)
  return output, ok == true
end

local samples = {
  sync.Thread(print), sync.Lock(), sync.RLock(), sync.Condition(), sync.Event(), sync.Semaphore(),
  sync.BoundedSemaphore(), sync.Queue(), sync.LifoQueue(), sync.PriorityQueue(), sync.SimpleQueue(),
  sync.Barrier(1), sync.RWLock(), sync.Scope(), sync.Pool(1),
}

--- The names of an object's methods, from its real metatable.
local function methods_of(object)
  local index = debug.getmetatable(object).__index
  return type(index) == "table" and index or debug.getmetatable(object)[1]
end

local function first_line(text) return text:match "^[^\n]*" end

describe("Reference", function()
  describe("example of", function()
    for entry in reference.entries() do
      if entry.example then
        it(entry.name .. " runs and prints what it says", function()
          local output, ok = run('local sync = require "luasync"\n' .. entry.example)
          assert.equal(entry.output and entry.output .. "\n" or "", output)
          assert.is_true(ok)
        end)
      end
    end
  end)

  describe("errors of", function()
    -- Other specs may have set up logging, whose first configuration stays.
    setup(function() require("luasync.logging").basicConfig { level = "DEBUG", force = true } end)
    teardown(function() require("luasync.logging").basicConfig { level = "WARNING", force = true } end)

    for entry in reference.entries() do
      for _, err in ipairs(entry.errors or {}) do
        if err[3] then
          it(entry.name .. ": " .. err[1], function()
            local code = assert(load('local sync = require "luasync"; ' .. err[3], "=example"))
            local ok, message = pcall(code)
            assert.is_false(ok)
            assert.matches(err[1], tostring(message), 1, true)
          end)
        end
      end
    end
  end)

  it("names everything the module has", function()
    for name in pairs(sync) do
      if not name:find "^__" then
        assert.equal(1, #reference.find(name), "no entry for sync." .. name)
      end
    end
  end)

  it("names every method of every kind", function()
    for _, object in ipairs(samples) do
      local kind = getmetatable(object).__name
      local count = 0
      for method in pairs(methods_of(object)) do
        count = count + 1
        assert.equal(1, #reference.find(kind .. ":" .. method), ("no entry for %s:%s"):format(kind, method))
      end
      assert.is_true(count > 0)
    end
    local atomic = sync.Atomic()
    for method in pairs(methods_of(atomic)) do assert.equal(1, #reference.find("Atomic:" .. method)) end
  end)

  for _, module in ipairs { "logging", "testing", "trace" } do
    it("names every function of luasync." .. module, function()
      for name, value in pairs(require("luasync." .. module)) do
        if type(value) == "function" then assert.equal(1, #reference.find(module .. "." .. name), name) end
      end
    end)
  end

  it("has an entry for each of Python's calls that it names a counterpart of", function()
    for _, row in ipairs(reference.find "python"[1].counterparts) do
      if not row[2]:find "^sync%." then assert.equal(1, #reference.find(row[2]), row[2]) end
    end
  end)

  it("names nothing that does not exist", function()
    local by_kind = {
      Atomic = sync.Atomic(), Timer = sync.Timer(1, print), Future = sync.Pool(1):submit(tostring, 1),
    }
    by_kind.Recording = require "luasync.trace".read "spec/trace/recordings/philosophers.json"
    for _, object in ipairs(samples) do by_kind[getmetatable(object).__name] = object end
    for _, name in ipairs(reference.names()) do
      local entry = reference.find(name)[1]
      local owner, member = name:match "^(%w+)[.:]([%w_]+)$"
      if name:find " " then
        assert.not_equal(entry.name, name)   -- a subject, as an alias
      elseif entry.kind == "constructor" or entry.kind == "function" and not owner then
        assert.is_function(sync[name], name)
      elseif entry.kind == "method" then
        assert.is_function(methods_of(assert(by_kind[owner], name))[member], name)
      elseif entry.kind == "function" then
        assert.is_function(require("luasync." .. owner)[member], name)
      elseif entry.kind == "property" and owner then
        local object = owner == "Thread" and sync.current_thread() or by_kind[owner]
        assert.equal((entry.type:gsub("%?", ""):gsub("integer", "number")), type(object[member]), name)
      end
    end
  end)

  it("says of each option of the command whether this version has it", function()
    local file = os.tmpname()
    for entry in reference.entries() do
      if entry.kind == "option" and entry.name:find "^%-%-" then
        local option = entry.call:match "luasync (%S+ ?%S*)":gsub("%[.*%]", ""):gsub(" N$", " 1"):gsub(" S$", " 1")
          :gsub(" FILE$", " " .. file .. ".txt"):gsub("%-%-open$", "--trace " .. file .. ".txt")
        local pipe = io.popen(("%s %s -e '' 2>&1 </dev/null"):format(support.quote(support.host), option))
        local output = pipe:read "a"
        pipe:close()
        assert.is_nil(output:match "unrecognized option", option)
        assert.equal(entry.planned or false, output:match "is not available in this version" ~= nil, option)
      end
    end
    os.remove(file)
    os.remove(file .. ".txt")
  end)

  it("names every option that --help lists", function()
    local pipe = io.popen(support.quote(support.host) .. " --help")
    local help, count = pipe:read "a", 0
    pipe:close()
    for option in ("\n" .. help):gmatch "\n +(%-%-?%a[%a-]*)" do
      count = count + 1
      assert.equal(1, #reference.find(option), option)
    end
    assert.is_true(count > 10)
  end)

  it("names the commands of the prompt, and no others", function()
    local list = require "luasync.repl.commands".list
    for name in pairs(list) do assert.equal(1, #reference.find(":" .. name), name) end
    for entry in reference.entries() do
      if entry.kind == "command" then assert.is_function(list[entry.name:sub(2)], entry.name) end
    end
  end)

  it("has a text for every name, and no line longer than a terminal", function()
    for _, name in ipairs(reference.names()) do
      local text = assert(reference.render(name))
      assert.is_true(#text > 40)
      local prose = text:match "^(.-)\nExample\n" or text
      for line in prose:gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= 80, line)
      end
    end
    assert.matches("Lock:acquire", reference.render(), 1, true)
  end)

  it("refers to names that exist", function()
    for entry in reference.entries() do
      for _, name in ipairs(entry.see or {}) do
        assert.equal(1, #reference.find(name), entry.name .. " refers to " .. name)
      end
    end
  end)

  it("gives each entry its own name", function()
    for entry in reference.entries() do
      assert.equal(entry, reference.find(entry.name)[1], entry.name)
    end
  end)

  describe("finds", function()
    local function names(name)
      local list = {}
      for i, entry in ipairs(reference.find(name)) do list[i] = entry.name end
      return list
    end

    it("a name in several spellings", function()
      for _, name in ipairs{ "Lock:acquire", "Lock.acquire", "lock:acquire", "sync.Lock.acquire", "LOCK:ACQUIRE()",
          "luasync.Lock:acquire", "threading.Lock.acquire" } do
        assert.same({ "Lock:acquire" }, names(name), name)
      end
      assert.same({ "Thread.name" }, names "Thread:name")
      assert.same({ "Event:is_set" }, names "event:isSet")
      assert.same({ "Queue:put" }, names "LifoQueue:put")
      assert.same({ "Queue:put" }, names "queue.Queue.put")
      assert.same({ "-e" }, names "-e")
      assert.same({ "-E" }, names "-E")
      assert.same({ ":threads" }, names ":threads")
    end)

    it("the candidates of a method's bare name", function()
      assert.same({ "Thread:join", "Queue:join", "Scope:join" }, names "join")
      assert.same({ "Thread:join", "Queue:join", "Scope:join" }, names "t:join")
      local text = reference.render "join"
      assert.matches("Thread:join", text, 1, true)
      assert.matches("Queue:join", text, 1, true)
    end)

    it("nothing, and suggests the nearest names", function()
      local text, message = reference.render "Lock:aquire"
      assert.is_nil(text)
      assert.equal("no entry 'Lock:aquire' (see Lock:acquire, RLock:acquire)", message)
      assert.equal("no entry 'Evnet' (see Event)", select(2, reference.render "Evnet"))
      assert.equal("no entry 'xyzzyxyzzy'", select(2, reference.render "xyzzyxyzzy"))
      assert.equal(("no entry '%s...'"):format(("x"):rep(64)), select(2, reference.render(("x"):rep(100000))))
      assert.matches("no entry ''", select(2, reference.render ""), 1, true)
    end)

    it("words in the texts", function()
      assert.equal("Condition:notify", reference.search "notif"[1])
      local found = {}
      for _, name in ipairs(reference.search "un-acquired") do found[name] = true end
      assert.is_true(found["Condition:wait"])
      assert.is_true(found["RLock:release"])
      assert.is_nil(found["Queue:put"])
      assert.same({}, reference.search "xyzzy")
    end)

    it("the entry of a value", function()
      assert.equal("Lock", reference.of(sync.Lock()))
      assert.equal("Thread", reference.of(sync.current_thread()))
      assert.equal("sleep", reference.of(sync.sleep))
      for _, value in ipairs{ print, 42, "Lock", {}, io.stdout } do assert.is_nil(reference.of(value)) end
    end)
  end)

  describe("documents", function()
    local folder, root
    local function read(name)
      local file = assert(io.open(folder .. "/" .. name))
      local text = file:read "a"
      file:close()
      return text
    end

    setup(function()
      root = debug.getinfo(1, "S").source:match "^@(.*)spec/" or "./"
      folder = os.tmpname()
      os.remove(folder)
      assert(os.execute(("mkdir -p %s/library/luasync && LUA_PATH='%slua/?.lua;;' lua5.4 %sscripts/docs.lua %s"):format(
        folder, root, root, folder)))
    end)
    teardown(function() os.execute("rm -r " .. support.quote(folder)) end)

    it("a man page with every entry, which groff takes without a warning", function()
      local page = read "luasync.1"
      local count, options = 0, 0
      for entry in reference.entries() do
        if entry.kind == "option" then options = options + 1 else count = count + 1 end
      end
      local _, sections = page:gsub("\n%.SS ", "")
      assert.equal(count, sections)
      assert.equal(options, select(2, page:match "%.SH OPTIONS(.-)%.SH":gsub("\n%.TP\n", "")))
      if os.execute "command -v groff >/dev/null" then
        local pipe = io.popen("groff -man -Tutf8 -ww -z " .. support.quote(folder .. "/luasync.1") .. " 2>&1")
        assert.equal("", pipe:read "a")
        pipe:close()
      end
    end)

    it("a man page in the order that man pages have", function()
      local titles = {}
      for title in read "luasync.1":gmatch "\n%.SH ([^\n]+)" do titles[#titles + 1] = title end
      assert.same({ "NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT" }, table.move(titles, 1, 5, 1, {}))
      assert.equal("SEE ALSO", titles[#titles])
      assert.is_true(#titles > 10)
    end)

    it("an HTML page whose elements close and whose links lead somewhere", function()
      local page = read "luasync.html"
      local void, open = { meta = true, br = true, input = true }, {}
      local body = page:gsub("<!DOCTYPE html>", ""):gsub("<style>.-</style>", ""):gsub("<script>.-</script>", "")
      for closing, tag in body:gmatch "<(/?)(%w+)[^>]*>" do
        if closing == "/" then assert.equal(tag, table.remove(open))
        elseif not void[tag] then open[#open + 1] = tag end
      end
      assert.same({}, open)
      local ids = {}
      for id in page:gmatch ' id="([^"]+)"' do
        assert.is_nil(ids[id], id)
        ids[id] = true
      end
      for id in page:gmatch 'href="#([^"]+)"' do assert.is_true(ids[id], id) end
    end)

    it("annotations that are Lua, with every name", function()
      local text = read "library/luasync.lua"
      assert(load(text))
      assert(load(read "library/luasync/logging.lua"))
      assert.matches("function Recording:order(list, run) end", read "library/luasync/trace.lua", 1, true)
      assert(load(read "library/luasync/trace.lua"))
      assert.matches("function testing.in_thread(fn, ...) end", read "library/luasync/testing.lua", 1, true)
      for name in pairs(sync) do
        if name:find "^%a" then
          local found = text:find("sync." .. name .. "(", 1, true) or text:find('sync["' .. name .. '"]', 1, true)
          assert.is_truthy(found, name)
        end
      end
      assert.matches("function Lock:acquire(blocking, timeout) end", text, 1, true)
      assert.equal("---@meta luasync", first_line(text))
    end)
  end)
end)

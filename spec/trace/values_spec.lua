-- The short forms of items, keys and values in a recording.
local support = require "spec.support"
local sync = require "luasync"
local trace = require "luasync.trace"

local function texts_of(body)
  local file = support.temporary ".json"
  local report = sync.simulate(body, { seed = 1, trace = file })
  local recording = assert(trace.read(file))
  os.remove(file)
  assert.is_true(report.ok, report.error)
  assert.same({}, trace.check(recording))
  local list, texts = {}, recording.doc.runs[1].events.text
  for number, text in pairs(texts) do list[#list + 1] = { tonumber(number), text } end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  for i, pair in ipairs(list) do list[i] = pair[2] end
  return list
end

describe("a recording shows", function()
  it("numbers, booleans and strings", function()
    assert.same({ "0", "7", "10", "-1", "-10", "9223372036854775807", "-9223372036854775808", "0.5", "1e+100", "true",
      "false", "''", "'it\\'s'", "'a\\\\b'", "'two\\nlines'", "'\\7\\127\\0'", "'äöü'",
    }, texts_of(function()
      local q = sync.Queue()
      for _, value in ipairs { 0, 7, 10, -1, -10, math.maxinteger, math.mininteger, 0.5, 1e100, true, false, "", "it's",
        "a\\b", "two\nlines", "\a\127\0", "äöü" } do q:put(value) end
    end))
  end)

  it("the beginning of a long string, up to a whole character", function()
    local a = ("a"):rep(21)
    local expected = { "'" .. a .. "b'", "'" .. a .. "b…'", "'" .. a .. "…'", "'" .. ("ä"):rep(11) .. "'" }
    assert.same(expected, texts_of(function()
      local q, x = sync.Queue(), ("a"):rep(21)
      for _, value in ipairs { x .. "b", x .. "bc", x .. "ä", ("ä"):rep(11) } do q:put(value) end
    end))
  end)

  it("three fields of a table, and none of those inside", function()
    assert.same({ "{}", "{1, 2, 3}", "{1, 2, 3, …}", "{x=1}", "{x_1=1}", "{['a b']=1}", "{['']=1}",
      "{[5]=1}", "{[true]=1}", "{[0.5]=1}", "{{…}, 'x'}", "{1, 2, n=2}",
      "{['" .. ("k"):rep(22) .. "…']=1}", "{" .. ("k"):rep(22) .. "=1}",
    }, texts_of(function()
      local q, k = sync.Queue(), ("k"):rep(22)
      for _, value in ipairs { {}, { 1, 2, 3 }, { 1, 2, 3, 4 }, { x = 1 }, { x_1 = 1 }, { ["a b"] = 1 }, { [""] = 1 },
        { [5] = 1 }, { [true] = 1 }, { [0.5] = 1 }, { {}, "x" }, { 1, 2, n = 2 }, { [k .. "k"] = 1 }, { [k] = 1 } } do
        q:put(value)
      end
    end))
  end)

  it("as much of a table as there is room for, up to a whole character", function()
    local function expected(n, rest)
      return ("{'%s', '%s', %s='%s"):format(("a"):rep(22), ("a"):rep(n), ("k"):rep(22), ("ä"):rep(rest))
    end
    assert.same({ expected(22, 8), expected(21, 9) }, texts_of(function()
      local q, a = sync.Queue(), ("a"):rep(22)
      for n = 22, 21, -1 do q:put { a, ("a"):rep(n), [("k"):rep(22)] = ("ä"):rep(11) } end
    end))
  end)

  it("functions by their line, objects by their names", function()
    assert.same({ "function", "function (values_spec.lua:9)", "Lock 'A'", "Lock-2", "Thread 't'" }, texts_of(function()
      local q = sync.Queue()
      local named = load("\n\n\n\n\n\n\n\nreturn function() end", "=values_spec.lua")()
      for _, value in ipairs { print, named, sync.Lock{ name = "A" }, sync.Lock(),
        sync.Thread{ name = "t" } } do q:put(value) end
    end))
  end)

  it("the keys of a Shared with their values", function()
    assert.same({ "x = 1", "x = -5", "x = nil", "['a\\0b'] = 'y'", "[1] = 0.5", "[true] = 'v'", ("k"):rep(22) .. " = 1",
      "['" .. ("k"):rep(22) .. "…'] = 1", "[Lock 'A'] = 1" }, texts_of(function()
      local s, k, lock = sync.Shared(), ("k"):rep(22), sync.Lock{ name = "A" }
      s.x = 1
      s.x = -5
      s.x = nil
      s["a\0b"] = "y"
      s[1] = 0.5
      s[true] = "v"
      s[k] = 1
      s[k .. "k"] = 1
      s[lock] = 1
    end))
  end)
end)

-- The form of a recording: what is read, what is refused, what is written.
local builder = require "spec.trace.builder"
local json = require "luasync.trace.json"
local recording = require "luasync.trace.recording"
local trace = require "luasync.trace"

local function small()
  return builder.new { threads = { "MainThread", "P1" }, objects = { { "Lock", "A" } } }
    :op(0, "start", "P1"):wait(0, "join", "P1"):turn(1):op(1, "acquire", "A", 1, 1):out(1, "hello")
    :op(1, "release", "A", 1, 0):finish(1):wake(1, "join", "P1", 0):turn(0):go(0, "join", "P1"):op(0, "join", "P1", 1)
end

describe("a recording", function()
  it("is the same after it was written and read", function()
    local text = recording.encode(small():doc())
    local doc = assert(recording.parse(text))
    assert.equal(text, recording.encode(doc))
    assert.truthy(text:find('^{"format":"luasync timeline","version":1,"program":'))
  end)

  it("says so where it is cut off, wherever that is", function()
    local text = recording.encode(small():doc())
    for length = 1, #text - 1, 7 do
      local doc, message = recording.parse(text:sub(1, length))
      assert.is_nil(doc)
      assert.equal(("the recording is cut off (after %d bytes)"):format(length), message)
    end
  end)

  it("of another version is refused by its number", function()
    local doc = small():doc()
    doc.version = 2
    local read, message = recording.check(doc)
    assert.is_nil(read)
    assert.equal("a recording of version 2; this luasync reads version 1", message)
  end)

  it("is told from other files", function()
    assert.same({ nil, "not a recording of luasync" }, { recording.parse "{}" })
    assert.same({ nil, "not a recording of luasync: a value expected at byte 1" }, { recording.parse "hello" })
    assert.same({ nil, "not a recording of luasync: the text goes on at byte 4" }, { recording.parse "{} x" })
  end)

  it("with a number out of range is refused with its column and event", function()
    for column, message in pairs {
      th = "runs[0].events.th: event 3 says 99, not a number from -1 to 1",
      ob = "runs[0].events.ob: event 3 says 99, not a number from -1 to 2",
      at = "runs[0].events.at: event 3 says 99, not a number from 0 to 40",
    } do
      local doc = small():doc()
      doc.runs[1].events[column][4] = 99
      assert.same({ nil, message }, { recording.check(doc) })
    end
    local doc = small():doc()
    table.remove(doc.runs[1].events.a)
    assert.same({ nil, "runs[0].events.a has 10 entries, not 11" }, { recording.check(doc) })
  end)

  it("may name its kinds and operations in another order", function()
    local doc = small():doc()
    local ops, moved = {}, {}
    for i, word in ipairs(recording.OPS) do ops[#recording.OPS - i + 1] = word end
    for i, word in ipairs(ops) do moved[word] = i - 1 end
    for i, op in ipairs(doc.runs[1].events.op) do
      if op >= 0 then doc.runs[1].events.op[i] = moved[recording.OPS[op + 1]] end
    end
    doc.ops = ops
    local made = assert(trace.parse(doc))
    assert.equal("MainThread starts P1", made:sentence(1))
  end)
end)

describe("JSON", function()
  it("keeps integers, floats and all of Unicode", function()
    assert.same({ 1, 2.5, -300.0, "é😀\127", { a = true } },
      (json.decode '[1,2.5,-3e2,"\\u00e9\\ud83d\\ude00\127",{"a":true}]'))
    assert.equal("integer", math.type(json.decode "9007199254740993"))
  end)

  it("is read strictly", function()
    for text, message in pairs {
      ["[01]"] = "a value expected at byte 2", ["[1.]"] = "a value expected at byte 2",
      ["[null]"] = "null in a list at byte 2",
      ['"\\x"'] = "an unknown escape at byte 2", ['["a\nb"]'] = "a control character in a string at byte 4",
      ["[1 2]"] = "',' or ']' expected at byte 4", ["{1:2}"] = "a name expected at byte 2",
    } do
      assert.same({ nil, message, false }, { json.decode(text) })
    end
    local _, message = json.decode(("["):rep(100000))
    assert.equal("nested too deep at byte 201", message)
  end)

  it("is read as strictly where a list of integers is long", function()
    local many = ("7,"):rep(60)
    for _, last in ipairs { "01", "--1", "1-", "-", ",1", "1-1", "-,1", "" } do
      local value, message, cut = json.decode("[" .. many .. last .. "]")
      assert.same({ nil, false }, { value, cut })
      assert.matches("^a value expected at byte 12%d$", message)
    end
    assert.same({ nil, true }, { json.decode("[" .. many), (select(3, json.decode("[" .. many))) })
    for last, wanted in pairs { ["-9223372036854775808"] = math.mininteger, ["0"] = 0, ["-5"] = -5, ["1.5"] = 1.5 } do
      local list = json.decode("[" .. many .. last .. "]")
      assert.same({ 61, wanted, math.type(wanted) }, { #list, list[61], math.type(list[61]) })
    end
  end)

  it("is written so that no text closes a script element, and as UTF-8 whatever came", function()
    assert.equal('"\\u003c/script>\\u0000\\n\\"\\\\"', json.encode "</script>\0\n\"\\")
    assert.equal('"a\u{FFFD}b\u{FFFD}"', json.encode "a\xFFb\xC3")
  end)
end)

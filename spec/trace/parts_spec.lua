-- The parts of the timeline page: found, squeezed, joined.
local builder = require "spec.trace.builder"
local causes = require "luasync.trace.causes"
local counts = require "luasync.trace.counts"
local file = require "luasync.file"
local recording = require "luasync.trace.recording"
local squeeze = require "luasync.trace.squeeze"
local trace = require "luasync.trace"

describe("luasync.file", function()
  it("finds what belongs to luasync, and says what does not", function()
    assert.truthy(file "trace/page/page.html":find("<!doctype html>", 1, true))
    assert.is_false(pcall(file, "trace/page/none.css"))
  end)
end)

describe("squeeze", function()
  it("takes comments and needless spaces out of a script, and keeps what they stand between", function()
    assert.equal("const a=b+ +c\nreturn x in y", squeeze.script [[
      // a comment
      const a = b + +c      // another
      /* and
         a third */
      return x in y
    ]])
  end)

  it("leaves strings and regular expressions as they are", function()
    local text = [[f('a  // b',"c \" /* d */")
x=y.replace(/[/ "]+ \/ /g,' ')
z=a/b/c]]
    assert.equal(text, squeeze.script(text))
  end)

  it("keeps the ends of lines that end a statement", function()
    assert.equal("if(a){b()\nc()}\nd()", squeeze.script "if (a) {\n  b()\n  c()\n}\n\nd()\n")
  end)

  it("says where a string does not end", function()
    assert.has_error(function() squeeze.script "x = 'a\n'" end, "squeeze: a literal does not end on its line")
  end)

  it("takes comments and needless spaces out of a style sheet", function()
    assert.equal("a b,c{margin:0 1px;color:red}@media (max-width:9px){d :hover{e:f}}", squeeze.style [[
/* x */
a b, c { margin: 0 1px; color: red; }
@media (max-width: 9px) {
  d :hover { e: f; }
}
]])
  end)
end)

describe("a page of JSON text", function()
  it("escapes what would close the script element, whoever wrote it", function()
    local json = trace.format(assert(trace.read "spec/trace/recordings/lost_update.json"), ".json")
    local html = assert(trace.format((json:gsub("lost_update.lua", "</script>")), ".html"))
    assert.is_nil(html:match('id="data">(.-)</script>'):find("<", 1, true))
    assert.truthy(html:find("\\u003c/script>", 1, true))
  end)

  it("is made of one that is cut off too, and says so when it is opened", function()
    local json = trace.format(assert(trace.read "spec/trace/recordings/lost_update.json"), ".json")
    assert.truthy(trace.format(json:sub(1, 1000), ".html"))
    assert.same({ nil, "the recording is cut off (after 1000 bytes)" }, { trace.format(json:sub(1, 1000), ".txt") })
  end)
end)

describe("what a step of an OS thread brings about", function()
  it("follows it, as far as it stays behind all that it depends on", function()
    local b = builder.new { threads = { "MainThread", "T", "U" }, objects = { { "Lock", "A" }, { "Queue", "q" } },
      world = "real" }
    b:wait(1, "acquire", "A"):later(10):op(0, "release", "A", 0, 0):later(10):out(2, "between")
    b:later(10):handed(1, "acquire", "A", 1, 1):later(10):out(2, "again"):later(10):wake(0, "acquire", "A", 1)
    b:later(10):out(2, "late")
    local events = b.events
    causes(events, recording.KINDS)
    local told = {}
    local time = 0
    for i = 1, #events.k do
      time = time + events.t[i]
      told[i] = ("%d %s %d %s"):format(time, recording.KINDS[events.k[i] + 1], events.th[i],
        events.text[tostring(i - 1)] or "")
    end
    assert.same({ "0 wait 1 ", "10 op 0 ", "10 handed 1 ", "10 wake 0 ", "20 out 2 between", "40 out 2 again",
      "60 out 2 late" }, told)
  end)

  it("stays behind the wait that it ends", function()
    local b = builder.new { threads = { "MainThread", "T" }, objects = { { "Lock", "A" } }, world = "real" }
    b:op(0, "release", "A", 0, 0):later(10):wait(1, "acquire", "A"):later(10):wake(0, "acquire", "A", 1)
    causes(b.events, recording.KINDS)
    assert.same({ 0, 1, 2 }, b.events.k)
  end)
end)

describe("the lengths of queues of OS threads", function()
  local function counted(whole, semaphore)
    local objects = { { "Queue", "q" }, { "Semaphore", "s", first = 2 } }
    local b = builder.new { threads = { "MainThread", "T" }, objects = objects }
    b:op(0, "put", "q", 1, 2):op(1, "put", "q", 2, 2):op(0, "try_get", "q", 0, 9):handed(1, "get", "q", 1, 7)
    b:op(1, "get", "q", 1, -1):op(0, "shutdown", "q", 1, 0)
    b:op(0, "down", "s", 1, 0):op(1, "down", "s", 1, 1):op(0, "up", "s", 2, 9)
    counts(b.events, b.objects, recording.KINDS, recording.OPS, whole)
    return semaphore and { table.unpack(b.events.b, 7) } or { table.unpack(b.events.b, 1, 6) }
  end

  it("go on from each other, from nothing", function() assert.same({ 1, 2, 2, 1, -1, 0 }, counted(true)) end)
  it("go on from the first that is known", function() assert.same({ 2, 3, 3, 2, -1, 0 }, counted(false)) end)
  it("are not the only ones", function() assert.same({ 1, 0, 2 }, counted(true, true)) end)
end)

-- The parts of the timeline page: found, squeezed, joined.
local file = require "luasync.file"
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

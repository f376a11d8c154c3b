--- The timeline as a page: one file that any browser opens, without a network.
local file = require "luasync.file"
local recording = require "luasync.trace.recording"
local squeeze = require "luasync.trace.squeeze"

local html = {}

local SLOT = '<script type="application/json" id="data"></script>'

local function part(name) return file("trace/page/" .. name) end

local skeleton

-- The page without a recording, its parts joined: what stands before the recording, and what behind it.
local function join()
  if skeleton then return skeleton.before, skeleton.after end
  local scripts = {}
  local page = squeeze.markup(part "page.html")
    :gsub('<link rel="stylesheet" href="(.-)">', function(name)
      return "<style>" .. squeeze.style(part(name)) .. "</style>"
    end)
    :gsub('<script src="(.-)"></script>\n', function(name)
      scripts[#scripts + 1] = part(name)
      return ""
    end)
    :gsub("</body>", function()
      return "<script>" .. squeeze.script(table.concat(scripts, "\n")) .. "</script></body>"
    end)
  local from, to = page:find(SLOT, 1, true)
  skeleton = { before = page:sub(1, from + #SLOT - #"</script>" - 1), after = page:sub(to - #"</script>" + 1) }
  return skeleton.before, skeleton.after
end

--- The page of a recording that is JSON text already.
-- What could close the script element is escaped, whoever wrote the text.
function html.of_json(text)
  local before, after = join()
  return before .. text:gsub("<", "\\u003c") .. after
end

--- The page of a recording.
function html.write(doc)
  return html.of_json(recording.encode(doc))
end

return html

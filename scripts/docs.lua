-- Writes the documentation from the reference: a man page, an HTML page, annotations for editors.
--
-- usage: LUA_PATH='lua/?.lua;;' lua5.4 scripts/docs.lua FOLDER
--
-- FOLDER, which must exist and may have pictures/ in it, gets luasync.1, luasync.html, and in library/ the definition
-- files that the Lua language server reads (`"Lua.workspace.library": ["…/library"]`).

local reference = require "luasync.reference"

local folder = arg[1]
if not folder then
  io.stderr:write("usage: lua5.4 scripts/docs.lua FOLDER\n")
  os.exit(1)
end

local function write_file(path, text)
  local file, wrong = io.open(path, "wb")
  if not file then
    io.stderr:write("docs.lua: ", wrong, "\n")
    os.exit(1)
  end
  assert(file:write(text))
  assert(file:close())
end

local function version()
  local file = assert(io.open((arg[0]:match "^(.*)scripts/" or "./") .. "src/module/luasync.h"))
  local text = file:read "a"
  file:close()
  return (assert(text:match '"luasync (%d[%w.]*)"', "src/module/luasync.h has no version"))
end

-- A buffer: out(format, ...) adds text, out() returns all.
local function buffer()
  local pieces = {}
  return function(format, ...)
    if not format then return table.concat(pieces) end
    pieces[#pieces + 1] = select("#", ...) > 0 and format:format(...) or format
  end
end

-- "boolean|number?" -> "boolean or number"
local function type_in_words(kind)
  return (kind:gsub("%?$", ""):gsub("|", " or "))
end

local function describe_argument(argument)
  local kind = type_in_words(argument[2])
  return argument[3] == "" and kind or kind .. ", " .. argument[3]
end

local KIND_WORDS = { option = "option", command = "command at the prompt" }

local function kind_in_words(entry)
  local owner = entry.name:match "^(%w+)[.:]"
  local words = KIND_WORDS[entry.kind] or entry.kind
  if entry.kind == "method" or entry.kind == "property" then
    local owners = { owner or "the module", table.unpack(entry.also or {}) }
    words = words .. " of " .. table.concat(owners, ", ")
  end
  return entry.planned and words .. "; not in this version" or words
end

----------------------------------------------------------------------------------------------------
-- Man page

local function roff(text)
  text = text:gsub("\\", "\\e"):gsub("-", "\\-"):gsub("…", "..."):gsub("→", "->")
  return (text:gsub("`([^`]+)`", "\\fB%1\\fR"))
end

-- Text lines; a line must not begin like a request.
local function roff_lines(text)
  return (roff(text):gsub("^([.'])", "\\&%1"):gsub("\n([.'])", "\n\\&%1"))
end

local function roff_code(out, text)
  local plain = text:gsub("`", "\1")
  out(".EX\n")
  out((roff_lines(plain):gsub("\1", "`")))
  out("\n.EE\n")
end

local function man_list(out, title, list, tag, body)
  if not list then return end
  out(".PP\n%s\n.RS 4\n", title)
  for _, item in ipairs(list) do
    out(".TP\n")
    out(roff_lines(tag(item)) .. "\n")
    out((roff_lines(body(item)):gsub("^$", "\\&")) .. "\n")
  end
  out(".RE\n")
end

local function first(item) return item[1] end
local function second(item) return item[2] end

-- A counterpart: how it is written here, and what differs.
local function differs(row) return row[2] .. (row[3] and ": " .. row[3] or "") end

local function man_entry(out, entry)
  out(".SS " .. roff(entry.call or entry.name):gsub('"', '\\(dq') .. "\n")
  out("\\fI%s\\fR\n.PP\n", roff(kind_in_words(entry)))
  out(roff_lines(entry.about) .. "\n")
  man_list(out, "Arguments:", entry.args, first, describe_argument)
  man_list(out, "Results:", entry.returns, function(r) return type_in_words(r[1]) end, second)
  man_list(out, "Errors:", entry.errors, first, second)
  man_list(out, "Python's calls:", entry.counterparts, first, differs)
  if entry.units then out(".PP\n" .. roff_lines(entry.units) .. "\n") end
  if entry.example then
    out(".PP\nExample:\n.RS 4\n")
    roff_code(out, entry.example)
    out(".RE\n")
  end
  if entry.output then
    out(".PP\nwhich prints\n.RS 4\n")
    roff_code(out, entry.output)
    out(".RE\n")
  end
  if entry.aliases and entry.kind ~= "topic" then
    out(".PP\n" .. roff_lines("Also written: " .. table.concat(entry.aliases, ", ")) .. "\n")
  end
  if entry.python then out(".PP\n" .. roff_lines("Python: " .. entry.python) .. "\n") end
end

local EXIT_STATUS = {
  { "0", "All went well." },
  { "1", "An error in the script, a usage error, or an error in any thread that nobody took with result()." },
  { "3", "A deadlock, or in a simulated run a livelock." },
  { "n", "What os.exit(n) said." },
}

local ENVIRONMENT = {
  { "LUA_INIT, LUA_INIT_5_4", "Lua code, or @FILE, to run first. As in lua5.4." },
  { "LUA_PATH, LUA_CPATH, LUA_PATH_5_4, LUA_CPATH_5_4", "Where `require` looks. As in lua5.4." },
  { "LUASYNC_FLAGS", "Long options for every run." },
  { "LUASYNC_RC", "The start-up file of the prompt, in place of luasync/init.lua in XDG_CONFIG_HOME or ~/.config; "
    .. "empty: none." },
  { "NO_COLOR", "Not empty: the prompt shows no colours." },
}

local function man_tags(out, title, list)
  out(".SH %s\n", title)
  for _, item in ipairs(list) do out(".TP\n.B %s\n%s\n", roff(item[1]), roff_lines(item[2])) end
end

local function man_options(out)
  out(".SH OPTIONS\n")
  for entry in reference.entries() do
    if entry.kind == "option" then
      local about = entry.planned and entry.about .. " Not in this version." or entry.about
      out(".TP\n.B %s\n%s\n", roff((entry.call:gsub("^luasync ", ""))), roff_lines(about))
    end
  end
end

local function man_page()
  local out = buffer()
  out('.TH LUASYNC 1 "" "luasync %s" "luasync"\n', version())
  out(".SH NAME\nluasync \\- Lua 5.4 with threads\n")
  out(".SH SYNOPSIS\n.B luasync\n[options] [script [args]]\n.PP\n")
  roff_code(out, 'local sync = require "luasync"')
  man_options(out)
  man_tags(out, "EXIT STATUS", EXIT_STATUS)
  man_tags(out, "ENVIRONMENT", ENVIRONMENT)
  out(".SH DESCRIPTION\n")
  out(roff_lines([[The command runs Lua scripts as lua5.4 does; the module gives them threads, locks, signals and queues
with the names and rules of Python's threading and queue modules. All examples below begin with the line above.
Where nothing else is said, times are seconds.]]) .. "\n")
  for _, section in ipairs(reference.sections) do
    out(".SH " .. section.title:upper() .. "\n")
    for _, entry in ipairs(section) do
      if entry.kind ~= "option" then man_entry(out, entry) end
    end
  end
  out ".SH SEE ALSO\n.BR lua (1),\n.BR luac (1),\n.BR busted (1)\n"
  return out()
end

----------------------------------------------------------------------------------------------------
-- HTML page

local STYLE = [[
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: light-dark(#0645ad, #8ab4f8); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 17em 1fr; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1em; box-sizing: border-box;
  border-right: 1px solid var(--line); font-size: 14px; }
nav ul { list-style: none; margin: 0 0 .7em; padding: 0; } nav h2 { font-size: 14px; margin: .6em 0 .1em; }
nav input { width: 100%; box-sizing: border-box; font: inherit; padding: .3em; }
main { padding: 1em 2em 40vh; max-width: 48em; min-width: 0; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
article { border-top: 1px solid var(--line); margin-top: 2em; } article.planned { opacity: .6; }
h3 { font: 600 17px/1.4 ui-monospace, monospace; margin-bottom: 0; } h3 small { font: 14px system-ui; opacity: .7; }
h4 { font-size: 14px; margin: 1em 0 .2em; } pre, code { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .7em 1em; overflow: auto; border-radius: 4px; }
.picture { max-width: 100%; }
pre.output { background: none; border-left: 3px solid var(--line); border-radius: 0; }
dl { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em; } dd { margin: 0; }
dl.errors { display: block; } dl.errors dd { margin: 0 0 .4em 2em; } .foot { font-size: 14px; opacity: .85; }
summary { display: none; }
@media (max-width: 50em) {
  body { display: block; } main { padding: 1em 1em 40vh; } summary { display: list-item; cursor: pointer; }
  nav { position: sticky; height: auto; max-height: 80vh; background: Canvas; border: 0 solid var(--line);
    border-bottom-width: 1px; padding: .5em 1em; }
}
]]

-- On a narrow screen the index is folded at first and after each choice.
local FILTER = [[
var index = document.getElementById("index"), narrow = matchMedia("(max-width: 50em)");
function fold() { index.open = !narrow.matches; }
fold();
narrow.addEventListener("change", fold);
index.addEventListener("click", function (event) { if (event.target.closest("a")) fold(); });
document.getElementById("filter").addEventListener("input", function () {
  var word = this.value.toLowerCase();
  document.querySelectorAll("article").forEach(function (article) {
    var hit = article.textContent.toLowerCase().indexOf(word) >= 0;
    article.hidden = !hit;
    document.getElementById("to-" + article.id).hidden = !hit;
  });
});
]]

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function html(text) return (text:gsub('[&<>"]', ESCAPES)) end

local function anchor(name)
  return (name:gsub("^%-%-", "option-"):gsub("^%-", "flag-"):gsub("^:", "prompt-"):gsub(":", "."))
end

-- A name of the reference as a link, anything else as it is.
local function link(name)
  local entries = reference.find(name)
  if #entries ~= 1 then return html(name) end
  return ('<a href="#%s">%s</a>'):format(anchor(entries[1].name), html(name))
end

-- Text with `code` in it.
local function prose(text)
  local pieces = {}
  for plain, code in (text .. "``"):gmatch "([^`]*)`([^`]*)`" do
    pieces[#pieces + 1] = html(plain) .. (code ~= "" and "<code>" .. link(code) .. "</code>" or "")
  end
  return table.concat(pieces)
end

local function html_list(out, title, class, list, tag, body)
  if not list then return end
  out('<h4>%s</h4>\n<dl class="%s">\n', title, class)
  for _, item in ipairs(list) do out("<dt>%s</dt><dd>%s</dd>\n", tag(item), body(item)) end
  out("</dl>\n")
end

local function code_of(item) return "<code>" .. html(item[1]) .. "</code>" end

-- A timeline of scripts/pictures.lua, inside the page, so that the page stands alone.
local function html_picture(out, name)
  local file = io.open(("%s/pictures/%s.svg"):format(folder, name), "rb")
  if not file then return end
  local svg = file:read "a":gsub("[^%w%-._~ =:/;,()]", function(c) return ("%%%02X"):format(c:byte()) end)
  file:close()
  out('<p><img class="picture" alt="timeline: %s" src="data:image/svg+xml,', html(name))
  out(svg)
  out('"></p>\n')
end

local function html_counterparts(out, rows)
  if not rows then return end
  out("<table>\n<tr><th>Python</th><th>luasync</th><th>differs in</th></tr>\n")
  for _, row in ipairs(rows) do
    out("<tr><td><code>%s</code></td><td>%s</td><td>%s</td></tr>\n", html(row[1]),
      row[2]:find "^sync%." and "<code>" .. html(row[2]) .. "</code>" or link(row[2]), prose(row[3] or ""))
  end
  out("</table>\n")
end

local function html_entry(out, entry)
  out('<article id="%s"%s>\n', anchor(entry.name), entry.planned and ' class="planned"' or "")
  out('<h3>%s <small>%s</small></h3>\n', html(entry.call or entry.name), html(kind_in_words(entry)))
  out("<p>%s</p>\n", prose(entry.about))
  html_list(out, "Arguments", "args", entry.args, code_of,
    function(argument) return prose(describe_argument(argument)) end)
  html_list(out, "Results", "results", entry.returns,
    function(r) return "<em>" .. html(type_in_words(r[1])) .. "</em>" end, function(r) return prose(r[2]) end)
  html_list(out, "Errors", "errors", entry.errors, code_of, function(e) return prose(e[2]) end)
  html_counterparts(out, entry.counterparts)
  if entry.units then out("<p>%s</p>\n", html(entry.units)) end
  if entry.picture then html_picture(out, entry.picture) end
  if entry.example then out("<h4>Example</h4>\n<pre>%s</pre>\n", html(entry.example)) end
  if entry.output then out('<pre class="output">%s</pre>\n', html(entry.output)) end
  out('<p class="foot">')
  if entry.aliases and entry.kind ~= "topic" then
    out("Also written: %s<br>", html(table.concat(entry.aliases, ", ")))
  end
  if entry.python then out("Python: <code>%s</code><br>", html(entry.python)) end
  if entry.see then
    local links = {}
    for i, name in ipairs(entry.see) do links[i] = link(name) end
    out("See also: %s", table.concat(links, ", "))
  end
  out("</p>\n</article>\n")
end

local function html_contents(out)
  out('<nav>\n<details id="index" open>\n<summary>Index</summary>\n')
  out('<input id="filter" type="search" placeholder="filter" aria-label="filter">\n')
  for _, section in ipairs(reference.sections) do
    out("<h2>%s</h2>\n<ul>\n", html(section.title))
    for _, entry in ipairs(section) do
      local id = anchor(entry.name)
      out('<li id="to-%s"><a href="#%s">%s</a></li>\n', id, id, html(entry.name))
    end
    out("</ul>\n")
  end
  out("</details>\n</nav>\n")
end

local function html_page()
  local out = buffer()
  out('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
  out('<meta name="viewport" content="width=device-width">\n<title>luasync %s</title>\n<style>\n', version())
  out(STYLE)
  out("</style>\n</head>\n<body>\n")
  html_contents(out)
  out("<main>\n<h1>luasync %s</h1>\n", version())
  out("<p>%s</p>\n", html 'Threads for Lua 5.4. The examples begin with: local sync = require "luasync".')
  for _, section in ipairs(reference.sections) do
    out("<h2>%s</h2>\n", html(section.title))
    for _, entry in ipairs(section) do html_entry(out, entry) end
  end
  out("</main>\n<script>\n")
  out(FILTER)
  out("</script>\n</body>\n</html>\n")
  return out()
end

----------------------------------------------------------------------------------------------------
-- Annotations

local classes = {}
for entry in reference.entries() do
  if entry.kind == "constructor" then classes[entry.name] = true end
end
classes.Recording = true        -- made by functions of luasync.trace

-- "Lock|RLock?" -> "luasync.Lock|luasync.RLock|nil"
local function annotation_type(kind)
  local text = kind:gsub("%?$", "|nil"):gsub("%f[%w][A-Z]%w+", function(word)
    return classes[word] and "luasync." .. word
  end)
  return text
end

local function comment(out, text)
  for line in (text .. "\n"):gmatch "(.-)\n" do
    out("---" .. line .. "\n")
  end
end

local function annotate_text(out, entry)
  comment(out, entry.about)
  for _, err in ipairs(entry.errors or {}) do comment(out, ("* error `%s`: %s"):format(err[1], err[2])) end
  if entry.example then comment(out, "```lua\n" .. entry.example .. "\n```") end
  if entry.python then comment(out, "Python: `" .. entry.python .. "`") end
end

-- Writes `function OWNER NAME(…) end` with its annotations.
local function annotate_function(out, entry, full_name)
  annotate_text(out, entry)
  local parameters = {}
  for _, argument in ipairs(entry.args or {}) do
    parameters[#parameters + 1] = argument[1]
    local optional = argument[1] ~= "..." and argument[2]:find "%?$" and "?" or ""
    out("---@param %s%s %s ", argument[1], optional, annotation_type(argument[2]:gsub("%?$", "")))
    out(argument[3] .. "\n")
  end
  for _, result in ipairs(entry.returns or {}) do
    out("---@return %s%s", annotation_type(result[1]), result[2] ~= "" and " # " or "\n")
    if result[2] ~= "" then out(result[2] .. "\n") end
  end
  out("function %s(%s) end\n\n", full_name, table.concat(parameters, ", "))
end

local function members_of(class)
  local members = {}
  for entry in reference.entries() do
    local owner, member = entry.name:match "^(%w+)[.:]([%w_]+)$"
    local has = owner == class
    for _, other in ipairs(entry.also or {}) do has = has or other == class end
    if has and (entry.kind == "method" or entry.kind == "property") then
      members[#members + 1] = { entry = entry, name = member }
      for _, alias in ipairs(entry.aliases or {}) do
        members[#members + 1] = { entry = entry, name = alias:match "[%w_]+$" }
      end
    end
  end
  return members
end

local function annotate_class(out, class)
  local members = members_of(class)
  out("---@class luasync.%s\n", class)
  for _, member in ipairs(members) do
    if member.entry.kind == "property" then
      out("---@field %s %s ", member.name, annotation_type(member.entry.type))
      out(member.entry.about .. "\n")
    end
  end
  if class == "Shared" or class:find "Queue" then out("---@operator len: integer\n") end
  if class == "Local" or class == "Shared" then out("---@field [any] any\n") end
  out("local %s = {}\n\n", class)
  for _, member in ipairs(members) do
    if member.entry.kind == "method" then annotate_function(out, member.entry, class .. ":" .. member.name) end
  end
end

local function annotate_module(out, owner, entries)
  for _, entry in ipairs(entries) do
    annotate_function(out, entry, owner .. "." .. entry.name:match "[%w_]+$")
    for _, alias in ipairs(entry.aliases or {}) do
      if not alias:find " " then
        out('%s["%s"] = %s.%s\n\n', owner, alias:match "[%w_]+$", owner, entry.name:match "[%w_]+$")
      end
    end
  end
end

local function sync_annotations()
  local out, functions = buffer(), {}
  out("---@meta luasync\n\n")
  for entry in reference.entries() do
    if entry.kind == "constructor" then annotate_class(out, entry.name) end
    if entry.kind == "constructor" or entry.kind == "function" and not entry.name:find "%." then
      functions[#functions + 1] = entry
    end
  end
  out("---@class luasync\n---@field _VERSION string\nlocal sync = {}\n\n")
  annotate_module(out, "sync", functions)
  out('sync["trace"] = {}\n\n')
  for entry in reference.entries() do
    if (entry.call or ""):find "^sync%.trace%." then annotate_function(out, entry, "sync." .. entry.name) end
  end
  out("return sync\n")
  return out()
end

-- Of luasync.NAME, with the class of what it makes, if any, and integer fields.
local function module_annotations(name, class, fields)
  local out, functions = buffer(), {}
  for entry in reference.entries() do
    if entry.name:find("^" .. name .. "%.") then functions[#functions + 1] = entry end
  end
  out("---@meta luasync.%s\n\n", name)
  if class then annotate_class(out, class) end
  out("---@class luasync.%s\n", name)
  for _, field in ipairs(fields or {}) do out("---@field %s integer\n", field) end
  out("local %s = {}\n\n", name)
  annotate_module(out, name, functions)
  out("return %s\n", name)
  return out()
end

local LEVELS = { "NOTSET", "DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL" }

----------------------------------------------------------------------------------------------------

write_file(folder .. "/luasync.1", man_page())
write_file(folder .. "/luasync.html", html_page())
write_file(folder .. "/library/luasync.lua", sync_annotations())
write_file(folder .. "/library/luasync/logging.lua", module_annotations("logging", nil, LEVELS))
write_file(folder .. "/library/luasync/trace.lua", module_annotations("trace", "Recording"))
write_file(folder .. "/library/luasync/testing.lua", module_annotations("testing"))

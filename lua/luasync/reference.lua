--- The reference of luasync: one table, from which `:help`, `luasync --help NAME`, the man page, the HTML page and the
-- annotations for editors are made.
--
--     local reference = require "luasync.reference"
--     print(reference.render "Lock:acquire")
--
-- `reference.sections` is the list of sections: { title=, entry, entry, … }. Fields of an entry:
--   name     canonical: "spawn", "Lock:acquire", "Thread.name", "logging.debug", "--seed", ":threads", "crossing"
--   kind     "constructor", "function", "method", "property", "module", "topic", "option" or "command"
--   call     how it is written
--   about    one paragraph
--   args     list of { name, type, text }, types as LuaLS writes them; a type that ends in ? is optional
--   returns  list of { type, text };  `type` of a property
--   units    of the numbers among them
--   errors   list of { message, when [, code that raises it] }
--   example  Lua code, run by a spec with `local sync = require "luasync"` before it
--   output   what the example prints, without the last line's end; nil: nothing
--   picture  a timeline of scripts/pictures, for the page
--   python   the counterpart
--   counterparts  list of { Python's call, an entry's name, what differs or nil }
--   see      list of other names
--   also     other kinds that have the same method or property; aliases: other spellings
--   planned  true: not in this version

local reference = {}

local FILES = {
  "threads", "module", "locks", "signals", "barriers", "queues", "pools", "data", "worlds", "verdicts", "puzzles",
  "trace", "logging", "testing", "topics", "python", "command", "repl",
}
local WIDTH = 78

reference.sections = {}
for i, file in ipairs(FILES) do
  reference.sections[i] = require("luasync.reference." .. file)
end

----------------------------------------------------------------------------------------------------
-- Names

-- by_key: normalised name -> entry; by_member: normalised last part -> list of { entry, name }.
local all_names, by_key, by_member = {}, {}, {}

local function normalise(name)
  if name:find "^%-" then return name end        -- -e is not -E
  return (name:lower():gsub("^%s+", ""):gsub("%s*%(?%)?%s*$", ""):gsub("^luasync%.", ""):gsub("^sync%.", "")
    :gsub("^threading%.", ""):gsub("^queue%.queue", "queue"):gsub("(%w)[.:](%a)", "%1:%2"))
end

local function add(name, entry)
  local key = normalise(name)
  if by_key[key] then return end
  all_names[#all_names + 1] = name
  by_key[key] = entry
  local member = key:match "[%w_]+:([%w_]+)$"
  if member then
    by_member[member] = by_member[member] or {}
    table.insert(by_member[member], { entry = entry, name = name })
  end
end

local function add_entry(entry)
  add(entry.name, entry)
  for _, alias in ipairs(entry.aliases or {}) do add(alias, entry) end
  for _, kind in ipairs(entry.also or {}) do add(kind .. entry.name:match "[.:].*", entry) end
end

for _, section in ipairs(reference.sections) do
  for _, entry in ipairs(section) do add_entry(entry) end
end

--- All names the reference knows, in its order: aliases, and methods under each kind that has them, included.
-- @return a new list of strings
function reference.names()
  return table.move(all_names, 1, #all_names, 1, {})
end

--- An iterator over the entries in order: `for entry, section in reference.entries() do`.
function reference.entries()
  return coroutine.wrap(function()
    for _, section in ipairs(reference.sections) do
      for _, entry in ipairs(section) do coroutine.yield(entry, section) end
    end
  end)
end

-- One hit for each entry, under the first of its names.
local function distinct(hits)
  local seen, list = {}, {}
  for _, hit in ipairs(hits or {}) do
    if not seen[hit.entry] then
      seen[hit.entry] = true
      list[#list + 1] = hit.entry
    end
  end
  return list
end

--- The entries a name may mean, in any of its spellings: `Lock.acquire`, `Lock:acquire`, `lock:acquire`,
-- `sync.Lock`, `acquire`, and `t:join` with any variable in place of the kind.
-- @param name string
-- @return a list of entries; empty: there is none
function reference.find(name)
  local key = normalise(name)
  if by_key[key] then return { by_key[key] } end
  return distinct(by_member[key:match "^[%w_]+:([%w_]+)$" or key])
end

----------------------------------------------------------------------------------------------------
-- Searching

local LONGEST = 64 -- bytes of a name that is worth comparing; none of ours comes near

--- The number of single changes (Levenshtein's, and neighbours swapped) between two strings.
function reference.distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local older = before
    before, row = row, { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], older[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- Names that look like one that is unknown, best first.
-- @param name string
-- @return a list of at most five names
function reference.nearest(name)
  if #name > LONGEST then return {} end
  local key, found = normalise(name), {}
  local limit = math.max(1, #key // 3)
  for i, known in ipairs(all_names) do
    local long = normalise(known)
    local far = math.min(reference.distance(key, long), reference.distance(key, long:match "[%w_]+$" or long))
    if far <= limit then found[#found + 1] = { name = known, far = far, place = i } end
  end
  table.sort(found, function(a, b)
    if a.far ~= b.far then return a.far < b.far end
    return a.place < b.place
  end)
  local names = {}
  for i = 1, math.min(5, #found) do names[i] = found[i].name end
  return names
end

local function texts_of(entry)
  local texts = { entry.about, entry.call or "", entry.python or "" }
  for _, err in ipairs(entry.errors or {}) do texts[#texts + 1] = err[1] .. " " .. err[2] end
  for _, list in ipairs{ entry.args or {}, entry.returns or {} } do
    for _, item in ipairs(list) do texts[#texts + 1] = item[#item] end
  end
  return table.concat(texts, "\n"):lower()
end

--- The names of the entries in which a word occurs: those with it in their name first.
-- @param word string; case does not matter
-- @return a list of names
function reference.search(word)
  local wanted = word:lower()
  local first, second = {}, {}
  for entry in reference.entries() do
    local names = (entry.name .. " " .. table.concat(entry.aliases or {}, " ")):lower()
    if names:find(wanted, 1, true) then first[#first + 1] = entry.name
    elseif texts_of(entry):find(wanted, 1, true) then second[#second + 1] = entry.name end
  end
  return table.move(second, 1, #second, #first + 1, first)
end

----------------------------------------------------------------------------------------------------
-- Text

-- Breaks a paragraph into lines of at most `width` characters.
local function wrap(text, indent, width)
  local lines, line, used = {}, nil, 0
  for word in text:gmatch "%S+" do
    local length = utf8.len(word) or #word
    if line and used + 1 + length > width - #indent then
      lines[#lines + 1] = indent .. line
      line = nil
    end
    line, used = line and line .. " " .. word or word, line and used + 1 + length or length
  end
  lines[#lines + 1] = line and indent .. line
  return table.concat(lines, "\n")
end

local function indented(text, indent)
  return indent .. text:gsub("\n", "\n" .. indent)
end

-- "  timeout   number?  seconds …", the text hanging.
local function item_lines(name, text)
  local head = ("  %-10s "):format(name)
  local body = wrap(text, (" "):rep(13), WIDTH)
  if #head == 13 then head = head .. body:sub(14) else head = head .. "\n" .. body end
  return (head:gsub("%s+$", ""))
end

local function describe_type(kind, text)
  local optional = kind:match "%?$"
  local words = kind:gsub("%?$", ""):gsub("|", " or ")
  if optional and not text:find "default" then words = "optional " .. words end
  return text == "" and words or words .. ", " .. text
end

local function list_args(entry, add_line)
  if entry.args then add_line "\nArguments" end
  for _, arg in ipairs(entry.args or {}) do
    add_line(item_lines(arg[1], describe_type(arg[2], arg[3])))
  end
  if entry.returns then add_line "\nResults" end
  for _, result in ipairs(entry.returns or {}) do
    local kind = result[1]:gsub("%?$", ""):gsub("|", " or ")
    add_line(item_lines(kind, result[2]))
  end
  if entry.type then add_line("\nType: " .. describe_type(entry.type, "")) end
  if entry.units then add_line("\n" .. entry.units) end
end

local function list_errors(entry, add_line)
  if entry.errors then add_line "\nErrors" end
  for _, err in ipairs(entry.errors or {}) do
    add_line("  " .. err[1])
    add_line(wrap(err[2], "      ", WIDTH))
  end
end

local function list_counterparts(entry, add_line)
  for i, row in ipairs(entry.counterparts or {}) do
    if i == 1 then add_line "" end
    add_line("  " .. row[1])
    add_line(wrap("→ " .. row[2] .. (row[3] and ": " .. row[3] or ""), "      ", WIDTH))
  end
end

local WORDS = {
  constructor = "constructor", ["function"] = "function", module = "module", topic = "topic",
  option = "option of the command", command = "command at the prompt",
}

local function headline(entry)
  local owner = entry.name:match "^(%w+)[.:]"
  local what = WORDS[entry.kind] or ("%s of %s"):format(entry.kind, owner or "the module")
  if entry.also then what = what .. ", " .. table.concat(entry.also, ", ") end
  if entry.planned then what = what .. "; not in this version" end
  return wrap(("%s  (%s)"):format(entry.call or entry.name, what), "", WIDTH)
end

local function render_entry(entry)
  local lines = { headline(entry), "", wrap(entry.about, "", WIDTH) }
  local function add_line(text) lines[#lines + 1] = text end
  list_args(entry, add_line)
  list_errors(entry, add_line)
  list_counterparts(entry, add_line)
  if entry.example then add_line("\nExample\n" .. indented(entry.example, "    ")) end
  if entry.output then add_line("  prints\n" .. indented(entry.output, "    ")) end
  if entry.aliases and entry.kind ~= "topic" then
    add_line("\nAlso written: " .. table.concat(entry.aliases, ", "))
  elseif entry.python or entry.see then
    add_line ""
  end
  if entry.python then add_line(wrap("Python: " .. entry.python, "", WIDTH)) end
  if entry.see then add_line(wrap("See also: " .. table.concat(entry.see, ", "), "", WIDTH)) end
  return table.concat(lines, "\n") .. "\n"
end

local function first_sentence(text)
  return text:match "^(.-[.:])%s" or text
end

local function render_candidates(name, entries)
  local lines = { ("'%s' may be:"):format(name) }
  for _, entry in ipairs(entries) do
    lines[#lines + 1] = ("  %-28s %s"):format(entry.name, first_sentence(entry.about))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- All names, section by section.
local function render_contents()
  local lines = {}
  for _, section in ipairs(reference.sections) do
    local names = {}
    for i, entry in ipairs(section) do names[i] = entry.name end
    lines[#lines + 1] = section.title .. "\n" .. wrap(table.concat(names, "  "), "  ", WIDTH)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- An entry as plain text.
-- @param name string, in any spelling that find knows; nil: the table of contents
-- @return the text, which ends with a newline: the entry, or a list where the name may mean several;
--   or nil and a message with the nearest names where it means none
function reference.render(name)
  if name == nil then return render_contents() end
  local entries = reference.find(name)
  if #entries == 1 then return render_entry(entries[1]) end
  if #entries > 1 then return render_candidates(name, entries) end
  local near = reference.nearest(name)
  if #near == 0 then near = reference.search(name) end
  local hint = #near > 0 and (" (see %s)"):format(table.concat(near, ", ", 1, math.min(5, #near))) or ""
  local shown = #name > LONGEST and name:sub(1, LONGEST) .. "..." or name
  return nil, ("no entry '%s'%s"):format(shown, hint)
end

--- The name under which a value stands in the reference: an object by its kind, a function of the module by its name.
-- @param value any
-- @return a name, or nil
function reference.of(value)
  if type(value) == "function" then
    for name, known in pairs(require "luasync") do
      if rawequal(known, value) and by_key[normalise(name)] then return by_key[normalise(name)].name end
    end
    return nil
  end
  local meta = getmetatable(value)
  local kind = type(value) == "userdata" and type(meta) == "table" and meta.__name
  local entry = type(kind) == "string" and by_key[normalise(kind)]
  return entry and entry.name or nil
end

return reference

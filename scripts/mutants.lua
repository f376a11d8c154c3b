--- Changes the source a little and looks whether the specs notice.
--
-- usage: lua5.4 scripts/mutants.lua [n=N] [seed=N] [only=PATTERN] [seconds=N] [build=FOLDER]
--
-- Each mutant is one random change in one line of src/: a comparison, a constant, a condition turned round, && for ||,
-- a statement left out. It is made in a copy of the tree and built there; the specs nearest to the file run first, then
-- those of its room, until one fails. A mutant that does not build is none. One that takes longer than `seconds` counts
-- as hung: on a busy machine that says little. What survives is either a change of nothing that anybody can see, or a
-- spec is missing.

local options = { n = 20, seed = os.time() % 1000000, only = "", seconds = 240, build = "build/mutants" }
for _, word in ipairs(arg) do
  local name, value = word:match "^(%a+)=(.*)$"
  assert(name and options[name], "unknown option: " .. word)
  if value ~= "" then options[name] = tonumber(value) or value end
end
local tree = options.build .. "/tree"

local function quoted(word) return "'" .. tostring(word):gsub("'", "'\\''") .. "'" end

local function read(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read "a"
end

local function write(name, text)
  local file <close> = assert(io.open(name, "wb"))
  assert(file:write(text))
end

local function lines_of(command)
  local list = {}
  local pipe <close> = assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  return list
end

--- The rooms of src/ whose mutants are looked for, the specs of each room, and those that come last.
local ROOMS = {
  { "^src/objects/", "spec/objects", "spec/explore/agree_spec.lua" },
  { "^src/message/", "spec/message", "spec/thread" },
  { "^src/sim/", "spec/worlds", "spec/explore/agree_spec.lua spec/explore/input_spec.lua" },
  { "^src/real/", "spec/thread", "spec/command/cli_spec.lua spec/command/process_spec.lua spec/whole/exits_spec.lua" },
  { "^src/thread/", "spec/thread", "spec/command/cli_spec.lua" },
}

--- The specs that run for a file: lists of words for busted, in order.
local function specs_of(file)
  local near, room, last, seen = {}, nil, nil, {}
  for _, r in ipairs(ROOMS) do if file:find(r[1]) then room, last = r[2], r[3] end end
  local base = file:match "([^/]+)%.c$"
  while base do
    for _, spec in ipairs(lines_of("ls " .. room .. "/" .. base .. "*_spec.lua 2>/dev/null")) do
      if not seen[spec] then near[#near + 1], seen[spec] = spec, true end
    end
    base = base:match "^(.*)_[^_]+$"
  end
  if file:find "^src/objects/pool/" then near[1] = "spec/objects/pool_spec.lua" end
  local sets = { near[1] and near or nil }
  if room == "spec/objects" then sets[#sets + 1] = { "spec/models" } end
  sets[#sets + 1] = { room }
  sets[#sets + 1] = { last }
  return sets
end

--- Every place of a line that a pattern matches outside of strings and comments, with what may stand there.
local SWAPS = {
  { " == ", " != " }, { " != ", " == " }, { " < ", " <= " }, { " <= ", " < " }, { " > ", " >= " }, { " >= ", " > " },
  { " && ", " || " }, { " || ", " && " }, { " %+ 1", "" }, { " %- 1", "" }, { "%f[%w]true%f[%W]", "false" },
  { "%f[%w]false%f[%W]", "true" }, { "%f[%w]0%f[^%w.]", "1" }, { "%f[%w]1%f[^%w.]", "0" }, { "%+%+", "--" },
}

local function code_of(line)
  return (line:gsub('"[^"]*"', function(s) return ("\1"):rep(#s) end):gsub("/%*.*$", ""))
end

--- All changes of one line: { line } for each.
local function changes_of(line)
  local list, code = {}, code_of(line)
  if code:find "^%s*[#*/]" or code:find "^%S" then return list end
  for _, swap in ipairs(SWAPS) do
    local from = 1
    while true do
      local a, b = code:find(swap[1], from)
      if not a then break end
      list[#list + 1] = line:sub(1, a - 1) .. swap[2] .. line:sub(b + 1)
      from = b + 1
    end
  end
  local before, condition = code:match "^(.-%f[%w]if )(%b())"
  if condition then
    local a = #before
    list[#list + 1] = line:sub(1, a) .. "(!" .. line:sub(a + 1, a + #condition) .. ")" .. line:sub(a + #condition + 1)
  end
  local indent, statement = code:match "^(%s+)([%a_][^;]*);%s*$"
  if statement and not statement:find "^return%f[%W]" and not statement:find "^[%a_]+ [*%a_]" then
    list[#list + 1] = indent .. ";"
  end
  return list
end

local files = {}
for _, room in ipairs(ROOMS) do
  for _, file in ipairs(lines_of("ls " .. room[1]:sub(2) .. "*.c " .. room[1]:sub(2) .. "*/*.c 2>/dev/null")) do
    if file:find(options.only) then files[#files + 1] = file end
  end
end
assert(files[1], "no file matches " .. options.only)

--- Draws a mutant: file, number of the line, the new text of the line.
local function draw()
  while true do
    local file = files[math.random(#files)]
    local lines = {}
    for line in (read(file)):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
    local number = math.random(#lines)
    local changes = changes_of(lines[number])
    if changes[1] then return file, number, lines, changes[math.random(#changes)] end
  end
end

--- Runs make in the copy, within the time limit.
-- @return whether it has ended well, and whether it has ended
local function make(words)
  local command = "timeout -k 5 %d make -C %s BUILD=build %s >%s/log 2>&1"
  local ok, _, code = os.execute(command:format(options.seconds, tree, words, options.build))
  return ok, code ~= 124 and code ~= 137
end

--- The models that a file of src/objects has to do with.
local KINDS = {
  lock = "Lock", condition = "Condition", event = "Event", semaphore = "Semaphore", barrier = "Barrier",
  rwlock = "RWLock", atomic = "Atomic", select = "Choice", ["local"] = "Local", pool = "Pool", future = "Pool",
}

--- Runs specs in the mutant: whether they pass, and whether they have ended.
local function passes(specs, file)
  local filter = ""
  if specs[1] == "spec/models" then -- those of the kind that the file makes
    local base = file:match "([^/]+)%.c$"
    local kind = KINDS[base] or file:find "/queue/" and "Queue" or file:find "/shared/" and "Shared"
    if not kind then return true end
    filter = " --filter=" .. quoted("for %a*" .. kind)
  end
  return make(("host-specs MODELS=200 SPECS=%s BUSTED_FLAGS=%s"):format(quoted(table.concat(specs, " ")),
    quoted("--no-keep-going --exclude-tags=slow -o plainTerminal" .. filter)))
end

local COPIED = "Makefile README.md CHANGELOG.md LICENSE src lua spec scripts"
assert(os.execute(("rm -rf %s && mkdir -p %s && cp -r %s %s"):format(tree, tree, COPIED, tree)))
assert(make "build/luasync", "the unchanged tree does not build: see " .. options.build .. "/log")

math.randomseed(options.seed)
print(("seed %d, %d mutants"):format(options.seed, options.n))
local caught, hung, survived = 0, 0, 0
while caught + hung + survived < options.n do
  local file, number, lines, changed = draw()
  local original = read(file)
  local mutant = table.move(lines, 1, #lines, 1, {})
  mutant[number] = changed
  write(tree .. "/" .. file, table.concat(mutant, "\n") .. "\n")
  if make "build/luasync" then
    local by, verdict = nil, "SURVIVED"
    for _, specs in ipairs(specs_of(file)) do
      if not by then
        local ok, ended = passes(specs, file)
        by = not ok and table.concat(specs, " ") or nil
        if by then verdict = ended and "caught  " or "hung    " end
      end
    end
    if not by then survived = survived + 1
    elseif verdict:find "hung" then hung = hung + 1
    else caught = caught + 1 end
    print(("%s %s:%d: %s  ->  %s%s"):format(verdict, file, number,
      lines[number]:match "^%s*(.-)%s*$", changed:match "^%s*(.-)%s*$", by and "  (" .. by .. ")" or ""))
    io.stdout:flush()
  end
  write(tree .. "/" .. file, original)
end
print(("%d of %d caught, %d more have hung, %d have survived"):format(caught, options.n, hung, survived))

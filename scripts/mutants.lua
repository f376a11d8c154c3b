--- Changes the source a little and looks whether the specs notice.
--
-- usage: lua5.4 scripts/mutants.lua [n=N] [seed=N] [only=PATTERN] [seconds=N] [build=FOLDER]
--
-- Each mutant is one random change in one line of src/: a comparison, a constant, a condition turned round, && for ||,
-- a statement left out. It is made in a copy of the tree and built there; the specs nearest to the file run first, then
-- those of its room, until some fail twice. A mutant that does not build, or is compiled to the same code, is none. One
-- that takes four times as long as the unchanged tree, and then some, counts as hung. Specs that fail without a change
-- are told and left out. What survives is either a change of nothing that anybody can see, or a spec is missing.

local options = { n = 20, seed = os.time() % 1000000, only = "", seconds = 300, build = "build/mutants" }
for _, word in ipairs(arg) do
  local name, value = word:match "^(%a+)=(.*)$"
  assert(name and options[name], "unknown option: " .. word)
  if value ~= "" then options[name] = tonumber(value) or value end
end
local tree, plain = options.build .. "/tree", options.build .. "/plain"

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
  { "^src/objects/", "spec/objects", "spec/trace spec/worlds/dump_spec.lua spec/message/memory_spec.lua",
    "spec/explore/agree_spec.lua" },
  { "^src/world/", "spec/objects", "spec/trace spec/worlds/dump_spec.lua spec/message/memory_spec.lua", "spec/thread" },
  { "^src/message/", "spec/message", "spec/thread", "spec/worlds/copies_spec.lua spec/worlds/copies_reports_spec.lua" },
  { "^src/sim/", "spec/worlds/simulate_spec.lua spec/worlds/memory_spec.lua",
    "spec/worlds/worlds_spec.lua spec/worlds/steps_spec.lua",
    "spec/lua/testing_spec.lua spec/explore/input_spec.lua spec/explore/explore_spec.lua",
    "spec/explore/livelock_spec.lua", "spec/worlds",
    "spec/explore/agree_spec.lua" },
  { "^src/real/", "spec/thread", "spec/command/library_spec.lua spec/command/process_spec.lua",
    "spec/command/cli_spec.lua spec/whole/exits_spec.lua spec/worlds/worlds_spec.lua" },
  { "^src/thread/", "spec/thread", "spec/command/cli_spec.lua" },
}

--- The specs that run for a file: lists of words for busted, in order.
local function specs_of(file)
  local near, seen = {}, {}
  local rooms
  for _, r in ipairs(ROOMS) do if file:find(r[1]) then rooms = r end end
  local room = rooms[2]:match "^[^ /]+/[^ /]+"
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
  for i = 2, #rooms do sets[#sets + 1] = { rooms[i] } end
  return sets
end

--- Every place of a line that a pattern matches outside of strings and comments, with what may stand there.
local SWAPS = {
  { " == ", " != " }, { " != ", " == " }, { " < ", " <= " }, { " <= ", " < " }, { " > ", " >= " }, { " >= ", " > " },
  { " && ", " || " }, { " || ", " && " }, { " %+ 1", "" }, { " %- 1", "" }, { "%f[%w]true%f[%W]", "false" },
  { "%f[%w]false%f[%W]", "true" }, { "%f[%w]0%f[^%w.]", "1" }, { "%f[%w-]1%f[^%w.]", "0" }, { "%+%+", "--" },
}

--- A file's lines, and the same with strings and comments, and what defines a macro, blanked out.
local function lines_and_code(text)
  local function blank(s) return (s:gsub("[^\n]", "\1")) end
  local code = text:gsub("\\[\"'\\]", "\1\1"):gsub('"[^"\n]*"', blank):gsub("/%*.-%*/", blank)
  local lines, codes = {}, {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  for line in code:gmatch "([^\n]*)\n" do codes[#codes + 1] = line end
  return lines, codes
end

--- All changes of one line: { line } for each.
local function changes_of(line, code)
  local list = {}
  if code:find "^%s*#" or code:find "^%S" then return list end
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

--- A file for each of its lines: all lines are as likely to be drawn.
local files = {}
for _, room in ipairs(ROOMS) do
  for _, file in ipairs(lines_of("ls " .. room[1]:sub(2) .. "*.c " .. room[1]:sub(2) .. "*/*.c 2>/dev/null")) do
    if file:find(options.only) then
      for _ in io.lines(file) do files[#files + 1] = file end
    end
  end
end
assert(files[1], "no file matches " .. options.only)

local drawn = {}

--- Draws a mutant that has not been drawn before: file, number of the line, the new text of the line.
local function draw()
  while true do
    local file = files[math.random(#files)]
    local lines, codes = lines_and_code(read(plain .. "/" .. file))
    local number = math.random(#lines)
    local changes = changes_of(lines[number], codes[number])
    local changed = changes[1] and changes[math.random(#changes)]
    local key = changed and file .. number .. changed
    if key and not drawn[key] then
      drawn[key] = true
      return file, number, lines, changed
    end
  end
end

--- Runs make in a copy, within a time limit.
-- @return whether it has ended well, and whether it has ended
local function make(words, folder, seconds)
  local command = "timeout -k 5 %d make -C %s BUILD=build %s >%s/log 2>&1"
  local ok, _, code = os.execute(command:format(seconds or options.seconds, folder or tree, words, options.build))
  return ok, code ~= 124 and code ~= 137
end

--- The models that a file of src/objects has to do with.
local KINDS = {
  lock = "Lock", condition = "Condition", event = "Event", semaphore = "Semaphore", barrier = "Barrier",
  rwlock = "RWLock", atomic = "Atomic", select = "Choice", ["local"] = "Local", pool = "Pool", future = "Pool",
}

--- The words for make that run specs of a file; nil where there are none.
local function words_for(specs, file)
  local filter = ""
  if specs[1] == "spec/models" then -- those of the kind that the file makes
    local base = file:match "([^/]+)%.c$"
    local kind = KINDS[base] or file:find "/queue/" and "Queue" or file:find "/shared/" and "Shared"
    if not kind then return nil end
    filter = " --filter=" .. quoted("for %a*" .. kind)
  end
  return ("host-specs MODELS=200 SPECS=%s BUSTED_FLAGS=%s"):format(quoted(table.concat(specs, " ")),
    quoted("--no-keep-going --exclude-tags=slow -o plainTerminal" .. filter))
end

--- How long specs may take with a mutant: by the time that they take without one, where they have to pass.
local limits = {}
local function limit_of(words)
  if limits[words] == nil then
    local start = os.time()
    local ok = make(words, plain)
    limits[words] = ok and 20 + 4 * (os.time() - start) or false
    if not ok then print("left out, red without a mutant: " .. words) end
  end
  return limits[words]
end

--- Runs specs in the mutant: whether they have failed (twice, as one that fails now and then says nothing), and whether
-- they have ended.
local function notice(specs, file)
  local words = words_for(specs, file)
  local limit = words and limit_of(words)
  if not limit then return false, true end
  local ended
  for _ = 1, 2 do
    local ok
    ok, ended = make(words, tree, limit)
    if ok then return false, true end
    if not ended then break end
  end
  return true, ended
end

local COPIED = "Makefile README.md CHANGELOG.md LICENSE src lua spec scripts"
local BUILT = "build/luasync build/steps_test build/search_check"
assert(os.execute(("rm -rf %s %s && mkdir -p %s && cp -r %s %s"):format(tree, plain, tree, COPIED, tree)))
assert(make(BUILT), "the unchanged tree does not build: see " .. options.build .. "/log")
assert(os.execute(("cp -a %s %s"):format(tree, plain)))

--- Whether a file of the mutant is compiled to other code than without the change.
local function differs(file)
  local object = file:gsub("^src/(.*)%.c$", "build/host/%1.o")
  for _, folder in ipairs{ tree, plain } do
    assert(os.execute(("objcopy -g %s/%s %s/bare.o"):format(folder, object, folder)))
  end
  return read(tree .. "/bare.o") ~= read(plain .. "/bare.o")
end

--- What specs say to the mutant: a word, and those that notice it.
local function verdict_on(file)
  for _, specs in ipairs(specs_of(file)) do
    local noticed, ended = notice(specs, file)
    if noticed then return ended and "caught" or "hung", table.concat(specs, " ") end
  end
  return "SURVIVED"
end

math.randomseed(options.seed)
print(("seed %d, %d mutants"):format(options.seed, options.n))
local counts, all = { caught = 0, hung = 0, SURVIVED = 0 }, 0
while all < options.n do
  local file, number, lines, changed = draw()
  local mutant = table.move(lines, 1, #lines, 1, {})
  mutant[number] = changed
  write(tree .. "/" .. file, table.concat(mutant, "\n") .. "\n")
  if make(BUILT) and differs(file) then
    local verdict, by = verdict_on(file)
    counts[verdict], all = counts[verdict] + 1, all + 1
    print(("%-8s %s:%d: %s  ->  %s%s"):format(verdict, file, number,
      lines[number]:match "^%s*(.-)%s*$", changed:match "^%s*(.-)%s*$", by and "  (" .. by .. ")" or ""))
    io.stdout:flush()
  end
  write(tree .. "/" .. file, table.concat(lines, "\n") .. "\n")
end
print(("%d of %d caught, %d more have hung, %d have survived"):format(counts.caught, all, counts.hung, counts.SURVIVED))

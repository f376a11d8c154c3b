--- How much of src/ has run: reads what a build with --coverage has counted (`make coverage`).
--
-- usage: lua5.4 scripts/coverage.lua BUILD [all]
--
-- Prints the share of lines for each room and for the whole; with `all`, first every line that has not.

local build, all = arg[1], arg[2] == "all"
local folders = build .. "/host " .. build .. "/module"

local function lines_of(command)
  local pipe <close> = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  return list
end

--- For each source the lines with code: number -> whether it has run, and their texts.
local sources, texts = {}, {}
for _, notes in ipairs(lines_of("find " .. folders .. " -name '*.gcno' | sort")) do
  local file
  for _, line in ipairs(lines_of(("gcov -t -o %s %s 2>/dev/null"):format(notes:match "^(.*)/", notes))) do
    local count, number, text = line:match "^%s*([^:]+):%s*(%d+):(.*)$"
    if number == "0" and text:find "^Source:" then
      file = text:match "^Source:(src/.*)$"
      if file then sources[file], texts[file] = sources[file] or {}, texts[file] or {} end
    elseif file and count ~= "-" and number ~= "0" then
      sources[file][tonumber(number)] = sources[file][tonumber(number)] or not count:find "[#=]"
      texts[file][tonumber(number)] = text
    end
  end
end

local rooms, names = {}, {}
local function add(room, ran)
  if not rooms[room] then
    rooms[room] = { lines = 0, ran = 0 }
    names[#names + 1] = room
  end
  rooms[room].lines = rooms[room].lines + 1
  rooms[room].ran = rooms[room].ran + (ran and 1 or 0)
end
local files = {}
for file in pairs(sources) do files[#files + 1] = file end
table.sort(files)
for _, file in ipairs(files) do
  local missing = {}
  for number, ran in pairs(sources[file]) do
    add(file:match "^src/[^/]+", ran)
    add("src", ran)
    if not ran then missing[#missing + 1] = number end
  end
  table.sort(missing)
  if all then
    for _, number in ipairs(missing) do print(("%s:%d:%s"):format(file, number, texts[file][number])) end
  end
end
table.sort(names)
for _, name in ipairs(names) do
  local room = rooms[name]
  print(("%6.2f %%  %5d of %5d lines  %s"):format(100 * room.ran / room.lines, room.ran, room.lines, name))
end

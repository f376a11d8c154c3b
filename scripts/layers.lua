--- Who may use whom: fails where a file of src/ uses one of a folder that stands above its own.
--
-- usage: lua5.4 scripts/layers.lua [BUILD/host]
--
-- Two looks: the #include lines, and (given the folder of objects) what the linker sees: `extern` is no way round it.

-- From the ground up. A folder may use itself and those before it.
local LAYERS = {
  "base", "world", "message", "thread", "state", "objects", "real", "observe", "sim", "explore", "module", "command",
}

local rank, faults = {}, 0
for i, name in ipairs(LAYERS) do rank[name] = i end

local function lines(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local function folder(path) return path:match "^([%w_]+)/" end

local function check(from, to, how)
  local above, below = rank[folder(from)], rank[folder(to)]
  local private = to:find "private%.h$" and folder(to) ~= folder(from)
  if not above or not below or below > above or private then
    print(("src/%s uses src/%s (%s)"):format(from, to, how))
    faults = faults + 1
  end
end

for _, path in ipairs(lines "cd src && find . -name '*.[ch]' | sed 's|^./||' | sort") do
  for line in io.lines("src/" .. path) do
    local used = line:match '^#include "(.-)"'
    if used and used:find "/" then check(path, used, "#include") end
  end
end

-- nm: "build/host/world/object.o:0000000000000000 T object_keep", "...: U object_kinds"
local defined, wanted = {}, {}
local NM = "cd %s && find * -path 'lua/*' -prune -o -name '*.o' -print | xargs nm -A"
for _, line in ipairs(arg[1] and lines(NM:format(arg[1])) or {}) do
  local path, kind, symbol = line:match "^(.-)%.o:%s*%x*%s+(%a) (%S+)$"
  if kind == "U" then wanted[#wanted + 1] = { path, symbol }
  elseif kind and kind:find "[TDBRVC]" then defined[symbol] = path end
end
for _, want in ipairs(wanted) do
  local path = defined[want[2]]
  if path and folder(path) and folder(want[1]) then check(want[1] .. ".c", path .. ".c", want[2]) end
end

if faults > 0 then os.exit(1) end

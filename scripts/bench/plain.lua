--- plain.lua NAME N: processor time of one function of work.lua, in whatever Lua runs this file. Prints `ms=`.
local here = arg[0]:match("^(.*/)") or "./"
local work = dofile(here .. "work.lua")
local name, n = arg[1], math.tointeger(tonumber(arg[2]))
local t = os.clock()
work[name](n)
print(("ms=%.3f"):format((os.clock() - t) * 1e3))

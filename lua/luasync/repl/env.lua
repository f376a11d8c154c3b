--- The globals as they were when this was loaded, for the session's own code.
--
-- At the prompt anything may be assigned to, `print` and `string` included; the prompt goes on all the same. `_G` is
-- the real table of globals.

local function copy(original)
  local new = {}
  for key, value in next, original do new[key] = value end
  return new
end

local env = copy(_G)
for _, name in ipairs { "coroutine", "debug", "io", "math", "os", "string", "table", "utf8" } do
  env[name] = copy(_G[name])
end
env._G = _G

return env

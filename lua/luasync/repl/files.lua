--- Names of files and of modules, for completion.

local _ENV = require "luasync.repl.env"   -- luacheck: ignore 211

local Files = {}
Files.__index = Files

--- @param list function(folder): the names in it, those of folders with a slash, or nil
function Files.new(list)
  local self = {}

  local function add(found, folder, prefix, head)
    for _, name in ipairs(list(folder) or {}) do
      local hidden = name:find "^%." and prefix == ""
      if not hidden and name ~= "./" and name ~= "../" and name:sub(1, #prefix) == prefix then
        found[head .. name] = true
      end
    end
  end

  --- Paths that begin so, as the keys of a table.
  function self.names(text)
    local head, prefix = text:match "^(.*/)([^/]*)$"
    local found = {}
    add(found, head or ".", prefix or text, head or "")
    return found
  end

  --- Modules of one template of a search path, "./?.lua".
  local function add_modules(found, template, head, prefix)
    local before, after = template:match "^([^?]*)%?(.*)$"
    if not before or after:find("?", 1, true) then return end
    local folder = before .. head:gsub("%.", "/")
    local names = {}
    add(names, folder ~= "" and folder or ".", prefix, "")
    for name in next, names do
      local module = name:match "^(.-)/?$"
      local file = folder .. module .. after
      if name:sub(-#after) == after and after:find "^%." then found[head .. name:sub(1, -#after - 1)] = true
      elseif after:find "^/" and name ~= module and self.names(file)[file] then found[head .. module] = true end
    end
  end

  --- Modules that `require` finds and whose names begin so, as the keys of a table.
  function self.modules(text)
    local head, prefix = text:match "^(.*%.)([^.]*)$"
    head, prefix = head or "", prefix or text
    local found = {}
    for _, known in ipairs { package.loaded, package.preload } do
      for name in next, known do
        if type(name) == "string" and name:sub(1, #text) == text and name ~= "_G" then found[name] = true end
      end
    end
    for _, search in ipairs { _G.package.path, _G.package.cpath } do
      if type(search) == "string" then
        for template in search:gmatch "[^;]+" do add_modules(found, template, head, prefix) end
      end
    end
    return found
  end

  return self
end

return Files

--- The text of a file of luasync that is no Lua module, such as a part of the timeline page.
--
-- The command and luasync.so carry these files as they carry the modules: in
-- package.preload, under the path. Elsewhere they stand beside the modules.

local folder

-- Where the modules of luasync stand: "…/luasync/".
local function find_folder()
  local path, message = package.searchpath("luasync.file", package.path)
  if not path then error("cannot find the files of luasync: " .. message, 0) end
  return (path:gsub("file%.lua$", ""))
end

--- @param name a path below luasync's folder, "trace/page/style.css"
-- @return the bytes of the file; raises where there is none
return function(name)
  local carried = package.preload["luasync/" .. name]
  if carried then return carried() end
  folder = folder or find_folder()
  local file <close> = assert(io.open(folder .. name, "rb"))
  return file:read "a"
end

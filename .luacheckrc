std = "lua54"
cache = false
max_line_length = 120
-- A loop variable, an unused self or a trailing argument is often the clearest
-- way to write a callback.
self = false
unused_args = false

files["spec"] = { std = "+busted" }

-- Tutorial and example programs are read beside their Python originals: they
-- may keep state in globals and shadow names as those do.
local program = {
  allow_defined = true,
  ignore = { "111", "112", "113", "131", "4", "211", "213", "542" },
}
files["scripts/tutorial"] = program
files["scripts/examples"] = program

-- Configuration files of other tools.
exclude_files = { "build" }

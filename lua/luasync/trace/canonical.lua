--- The recording itself as JSON: the same recording gives the same bytes.
local recording = require "luasync.trace.recording"

return { write = function(doc) return recording.encode(doc) .. "\n" end }

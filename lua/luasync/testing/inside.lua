--- What luasync.testing needs inside a thread or a simulated world: luassert, and failures that cross.
--
-- A function of a spec that runs in another thread finds Lua's plain `assert` there. While luasync.testing is loaded
-- the global `assert` of the spec's process is `inside.assert`: it calls as the plain one does, has the fields of
-- luassert, and arrives in every thread as that thread's own. luassert itself is loaded when a field is first used.

local inside = {}

local sync = require "luasync"
local plain = assert

--- What a thread that outlives its test is interrupted with.
inside.OVER = "luasync.testing: the test is over"

--- The error that a failed assertion raises in a thread. Where it arrives in a process of busted's it is busted's own.
inside.Failure = { __name = "failure", __type = "failure" }
inside.Failure.__index = inside.Failure
inside.Failure.__tostring = function(failure) return tostring(failure.message) end
inside.Failure.__transfer = function(failure)
  return function(message) return require "luasync.testing.inside".failure(message) end, failure.message
end

--- A failure that can be raised here.
function inside.failure(message)
  local busted = package.loaded.busted
  if not busted then return setmetatable({ message = message }, inside.Failure) end
  local _, failure = pcall(busted.fail, message, 0)
  return failure
end

function inside.is_failure(err)
  local meta = debug.getmetatable(err)
  return type(meta) == "table" and rawget(meta, "__type") == "failure"
end

--- The text of any error.
function inside.text(err)
  local ok, text = pcall(tostring, err)
  return ok and text or ("(error object is a %s value)"):format(type(err))
end

-- In place of `error` inside luassert, where busted is not there to do it.
local function fail(message, level)
  local _, text = pcall(error, message, level and level > 0 and level + 2 or 0)
  error(inside.failure(text), 0)
end

--- Raises the failure of a test.
function inside.fail(message) error(inside.failure(message), 0) end

--- Gives a function of luassert another `error`.
local function redirect(f)
  for i = 1, math.huge do
    local name = debug.getupvalue(f, i)
    if not name then return end
    if name == "_ENV" then
      local _ENV = setmetatable({ error = fail }, { __index = _G })
      debug.upvaluejoin(f, i, function() return _ENV end, 1)
    end
  end
end

local loaded

local function luassert()
  if loaded then return loaded end
  loaded = require "luassert"
  if not package.loaded.busted then redirect(debug.getmetatable(loaded.state()).__call) end
  require "luasync.testing.assertions"(loaded)
  return loaded
end

inside.luassert = luassert

-- Whether this Lua's assert adds the position to a message, which differs among releases.
local _, probe = pcall(function() plain(false, "x") end)
local LEVEL = probe == "x" and 0 or 2

local function plainly(_, ...)
  if (...) then return ... end
  if package.loaded.busted then return luassert()(...) end      -- there it is the test's failure
  if select("#", ...) < 2 then return plain(...) end
  error((select(2, ...)), LEVEL)
end

--- In the spec's process and in its threads: the plain assert with luassert's fields.
inside.assert = setmetatable({}, {
  __name = "assert",
  __call = plainly,
  __index = function(_, name) return luassert()[name] end,
  __transfer = function() return function() return require "luasync.testing.inside".assert end end,
})

--- The hook of a supervised test: notes the error for the end of the test.
-- @param failures a queue
function inside.note(failures, thread, err, trace)
  if err == inside.OVER then return end
  sync.__untaken(thread)
  failures:put{ thread = thread, name = thread.name, ident = thread.ident, text = inside.text(err),
    trace = inside.is_failure(err) and "" or trace or "" }
end

return inside

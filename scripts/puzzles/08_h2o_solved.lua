-- Water, solved. An invitation does not say which oxygen it is from, and who has come may still be slow to bond.
-- So there is one molecule at a time: the oxygen has the flask for itself until all three have bonded, which a
-- barrier says.
local sync = require "luasync"

local MOLECULES = 2
local invited = sync.Semaphore(0, { name = "invited" })
local one_at_a_time, bonded = sync.Lock{ name = "one at a time" }, sync.Barrier(3, { name = "bonded" })
local flask = sync.Shared({ molecule = "" }, { name = "flask" })

-- The invariant: what bonds is water, or on the way to it. What is not stays in the flask.
local function bond(atom)
  sync.update(flask, "molecule", function(molecule)
    if molecule == "not water" then return molecule end
    molecule = (#molecule < 3 and molecule or "") .. atom
    return (molecule == "HHH" or molecule:find "O.?O") and "not water" or molecule
  end)
  print(atom .. " bonds")
end

local function oxygen()
  local _ <close> = one_at_a_time:hold()
  invited:release(2)
  bond "O"
  bonded:wait()
end

local function hydrogen()
  invited:acquire()
  bond "H"
  bonded:wait()
end

local atoms = {}
for m = 1, MOLECULES do
  table.insert(atoms, sync.Thread{ name = "O" .. m, target = oxygen })
  for h = 2 * m - 1, 2 * m do table.insert(atoms, sync.Thread{ name = "H" .. h, target = hydrogen }) end
end
for _, atom in ipairs(atoms) do atom:start() end
for _, atom in ipairs(atoms) do atom:join() end
assert(flask.molecule ~= "not water", "something else than water in the flask")
print "a drop of water"

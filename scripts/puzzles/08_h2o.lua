-- Water. Atoms of hydrogen and oxygen come one by one. Two of hydrogen and one of oxygen bond, and no atom of the
-- next molecule bonds before all three have.
--
-- Attempt: each oxygen invites two of hydrogen, and no hydrogen bonds uninvited.
--
-- luasync --explore scripts/puzzles/08_h2o.lua
local sync = require "luasync"

local MOLECULES = 2
local invited = sync.Semaphore(0, { name = "invited" })
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
  invited:release(2)
  bond "O"
end

local function hydrogen()
  invited:acquire()
  bond "H"
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

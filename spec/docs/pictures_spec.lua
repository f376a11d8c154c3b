-- The timelines that README.md and the reference show are those of the programs as they are.
local support = require "spec.support"

local NAMES = { "philosophers", "semaphore_pool", "traffic_signal" }

describe("The pictures", function()
  it("are what their programs draw (make pictures brings them up to date)", function()
    local pipe = io.popen "mktemp -d"
    local folder = pipe:read "l"
    pipe:close()
    assert.is_true(os.execute(("%s scripts/pictures.lua %s"):format(support.quote(support.host), folder)))
    local made = {}
    for _, name in ipairs(NAMES) do made[name] = support.read_file(folder .. "/" .. name .. ".svg") end
    os.execute("rm -r " .. folder)
    for _, name in ipairs(NAMES) do
      assert.is_true(made[name] == support.read_file("scripts/pictures/" .. name .. ".svg"), name)
    end
  end)

  it("stand in README.md and in the reference", function()
    local readme = support.read_file "README.md"
    local shown = {}
    for _, section in ipairs(require "luasync.reference".sections) do
      for _, entry in ipairs(section) do
        if entry.picture then shown[entry.picture] = true end
      end
    end
    for _, name in ipairs(NAMES) do
      assert.matches("](scripts/pictures/" .. name .. ".svg)", readme, 1, true)
      assert.is_true(shown[name])
    end
  end)
end)

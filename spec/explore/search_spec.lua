-- The search by itself: small models in C (search_check.c), no Lua state and no thread.

local check = os.getenv "LUASYNC_SEARCH" or "build/search_check"

assert(io.open(check), check .. " has not been built: make spec builds it"):close()

local function run(arguments)
  local pipe = assert(io.popen(check .. " " .. arguments))
  local text = pipe:read "a"
  return text, pipe:close()
end

-- name = { executions, failing, interleavings }; the interleavings of plain depth-first search.
local known = {
  ["readers(8)"] = { 256, 0, 362880 },
  ["lastzero(4)"] = { 28, 0, 44300 },
  ["lastzero(5)"] = { 64, 0, 3487880 },
  ["adders(4)"] = { 24, 0, 24 },
  ["lockers(3)"] = { 6, 0, 6 },
  ["lockers(4)"] = { 24, 0, 24 },
  ["lost update(2)"] = { 16, 8, 50 },
  ["philosophers(2)"] = { 3, 1, 6 },
  ["philosophers(3)"] = { 7, 1, 168 },
  ["philosophers(4)"] = { 15, 1, 98184 },
  ["philosophers(5)"] = { 31, 1, 66468720 },
  ["ordered forks(3)"] = { 6, 0, 142 },
  ["lost wake-up"] = { 3, 1, 8 },
  ["reorder(3)"] = { 36, 16, 90 },
  ["one slot(5)"] = { 1, 0, 1 },
}

local function results(way)
  local names, found = {}, {}
  for name in pairs(known) do names[#names + 1] = "'" .. name .. "'" end
  for line in run(way .. table.concat(names, " ")):gmatch "[^\n]+" do
    local name, executions, failing, ways, blocked = line:match "^(.-)\t(%d+)\t(%d+)\t(%d+)\t(%d+)"
    assert(name, line)
    found[name] = { tonumber(executions), tonumber(failing), tonumber(ways), blocked = tonumber(blocked) }
  end
  return found
end

describe("the search", function()
  it("runs one execution for each trace, and knows how many interleavings each stands for", function()
    for name, r in pairs(results "") do
      assert.same(known[name], { r[1], r[2], r[3] }, name)
      assert.equal(0, r.blocked, name)
    end
  end)

  it("counts the same from the graph of states", function()
    for name, r in pairs(results "-s ") do assert.same(known[name], { r[1], r[2], r[3] }, name) end
  end)

  it("agrees with plain depth-first search on random programs", function()
    local text = run "-r 1 150"
    assert.matches("^150 programs, 0 differ", text)
  end)

  it("gets back from a wakeup tree what it has put there, long sequences of many footprints too", function()
    assert.equal("200 trees, 0 differ\n", run "-t 1 200")
  end)

  it("counts the interleavings of a history that has been taken back and has grown again", function()
    assert.equal("100 histories, 0 differ\n", run "-o 1 100")
  end)
end)

-- What an exploration has found, as a timeline: the failing run beside the nearest one that ends well.
local compare = require "luasync.trace.compare"
local support = require "spec.support"
local sync = require "luasync"
local trace = require "luasync.trace"

local function read(file)
  local recording = assert(trace.read(file))
  os.remove(file)
  return recording
end

local function run(command)
  local pipe = io.popen(command .. " 2>&1")
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

-- The reversed pair as "thread n".
local function pair_of(recording)
  local out = {}
  for i, call in ipairs(recording.doc.compare.pair) do
    out[i] = recording.runs[1].threads[call.th + 1].name .. " " .. call.n
  end
  return out
end

local function lost_update()
  local s = require "luasync"
  local counter = s.Shared({ n = 0 }, { name = "counter" })
  local function work() counter.n = counter.n + 1 end
  local a = s.Thread{ name = "A", target = work }:start()
  local b = s.Thread{ name = "B", target = work }:start()
  a:join()
  b:join()
  assert(counter.n == 2, "lost")
end

describe("a timeline of an exploration", function()
  it("has the failing run and the nearest one that ends well, and what differs", function()
    local file = support.temporary ".json"
    local result = sync.explore(lost_update, { trace = file })
    local recording = read(file)
    assert.equal(2, result.failing)
    assert.equal(2, #recording.runs)
    assert.equal("error", recording.runs[1].verdict.kind)
    assert.matches("lost$", recording.runs[1].verdict.text)
    assert.equal("error, 2 of 4 executions", recording.runs[1].title)
    assert.same({ "done", "nearest run that ends well" }, { recording.runs[2].verdict.kind, recording.runs[2].title })
    assert.same({ "B 1", "A 2" }, pair_of(recording))
    assert.equal(3, recording.doc.compare.part)
    assert.same({}, trace.check(recording, 1))
    assert.same({}, trace.check(recording, 2))
    assert(recording:order({ "A read n", "B read n", "B write n", "A write n" }, 1))
    assert(recording:order({ "A read n", "A write n", "B read n", "B write n" }, 2))
  end)

  it("is the same each time", function()
    local files = { support.temporary ".html", support.temporary ".html" }
    local texts = {}
    for i, file in ipairs(files) do
      sync.explore(lost_update, { trace = file })
      local handle <close> = assert(io.open(file, "rb"))
      texts[i] = handle:read "a"
      os.remove(file)
    end
    assert.is_true(texts[1] == texts[2])
  end)

  it("is one of the runs where none fails", function()
    local file = support.temporary ".json"
    sync.explore(function() require "luasync".spawn(function() end):join() end, { trace = file })
    local recording = read(file)
    assert.equal(1, #recording.runs)
    assert.equal("one of 1 execution", recording.runs[1].title)
  end)

  it("has a lone run where all fail", function()
    local file = support.temporary ".json"
    sync.explore(function() error "always" end, { trace = file })
    local recording = read(file)
    assert.equal(1, #recording.runs)
    assert.is_nil(recording.doc.compare)
  end)

  it("is written by --explore --trace, for every kind of failure", function()
    local found = {}
    for _, name in ipairs { "philosophers", "lost_wakeup" } do
      local file = support.temporary ".json"
      local text, code = run(("%s --explore --trace %s scripts/examples/%s.lua"):format(support.quote(support.host),
        file, name))
      assert.equal(3, code, text)
      assert.is_nil(text:match "replay:[^\n]*%-%-trace")
      local recording = read(file)
      found[name] = pair_of(recording)
      local line = recording.runs[1].command:gsub("^%S+", function(word) return support.quote(word) end)
      assert.is_nil(line:find "%-%-explore")
      assert.equal(3, (select(2, run(line))))
      line = recording.runs[2].command
      assert.equal(0, (select(2, run(line))))
    end
    assert.same({ philosophers = { "P3 1", "P2 2" }, lost_wakeup = { "bringer 2", "waiter 2" } }, found)
  end)

  it("finds the pair of runs that stand in a recording", function()
    local recording = assert(trace.read "spec/trace/recordings/philosophers.json")
    local kept = recording.doc.compare
    local made = compare(recording.doc, 1, 2)
    assert.equal(3, made.part)
    table.sort(kept.pair, function(a, b) return a.th < b.th end)
    table.sort(made.pair, function(a, b) return a.th < b.th end)
    assert.same(kept.pair, made.pair)
  end)

  it("is refused before the search where it cannot be written", function()
    local ok, message = pcall(sync.explore, lost_update, { trace = "/no/such/x.json" })
    assert.is_false(ok)
    assert.matches("cannot write /no/such/x.json: No such file or directory", message, 1, true)
    ok, message = pcall(sync.explore, lost_update, { trace = "x.gif" })
    assert.is_false(ok)
    assert.matches("unknown ending of 'x.gif'", message, 1, true)
    ok, message = pcall(sync.explore, lost_update, { trace = 1 })
    assert.is_false(ok)
    assert.matches("field 'trace' must be a string", message, 1, true)
  end)
end)

-- What the README shows is what happens: each block of Lua that a block of output follows is run in the host and must
-- print it; each console transcript likewise.

local sync = require "luasync"
local support = require "spec.support"

local root = debug.getinfo(1, "S").source:match "^@(.*)spec/" or "./"
if root == "" then root = "./" end

--- The fenced blocks of a text, in order: { language, text, line }.
local function blocks_of(text)
  local blocks, block, number = {}, nil, 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local language = line:match "^```(%w*)$"
    if language and not block then
      block = { language = language, line = number, lines = {} }
    elseif language then
      block.text = table.concat(block.lines, "\n")
      blocks[#blocks + 1] = block
      block = nil
    elseif block then
      block.lines[#block.lines + 1] = line
    end
  end
  assert(not block, "a block does not end")
  return blocks
end

--- The commands of a console block, each with the output under it.
local function steps_of(block)
  local steps = {}
  for _, line in ipairs(block.lines) do
    local command = line:match "^%$ (.+)"
    if command then steps[#steps + 1] = { command = command, output = "" }
    else steps[#steps].output = steps[#steps].output .. line .. "\n" end
  end
  return steps
end

--- Runs a shell command in a folder, with the host as `luasync`.
-- @return stdout and stderr, together
local function shell(command, folder)
  local path = os.tmpname()
  local bin = path .. ".bin"
  os.execute(("mkdir %s && ln -s \"$(realpath %s)\" %s/luasync"):format(bin, support.quote(support.host), bin))
  os.execute(("cd %s && { PATH=%s:\"$PATH\"\n%s\n} >%s 2>&1 </dev/null"):format(
    support.quote(folder), bin, command, path))
  local output = support.read_file(path)
  os.execute(("rm -r %s %s"):format(path, bin))
  return output
end

--- Runs a program as example.lua in a folder of its own.
local function run_program(program)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local file = assert(io.open(folder .. "/example.lua", "w"))
  file:write(program, "\n")
  file:close()
  local output = shell("luasync example.lua", folder)
  os.execute("rm -r " .. folder)
  return output
end

describe("README", function()
  local text = support.read_file(root .. "README.md")
  local blocks = blocks_of(text)
  local programs, transcripts = 0, 0

  for i, block in ipairs(blocks) do
    local following = blocks[i + 1]
    if block.language == "lua" and following and following.language == "text" then
      programs = programs + 1
      it("prints what it says, line " .. block.line, function()
        assert.equal(following.text .. "\n", run_program(block.text))
      end)
    elseif block.language == "console" then
      for _, step in ipairs(steps_of(block)) do
        transcripts = transcripts + 1
        it(("shows what `%s` shows, line %d"):format(step.command, block.line), function()
          assert.equal(step.output, shell(step.command, root))
        end)
      end
    end
  end

  it("has programs and transcripts to check", function()
    assert.is_true(programs >= 8)
    assert.is_true(transcripts >= 1)
  end)

  it("begins with a tutorial program as it stands in its file", function()
    local file = support.read_file(root .. "scripts/tutorial/21_queue_producer_consumer.lua")
    assert.equal(file, blocks[1].text .. "\n")
  end)

  it("names every object of the module", function()
    for name in pairs(sync) do
      if name:find "^%u" then assert.is_truthy(text:find("`[^`]*" .. name .. "[^`]*`"), name) end
    end
  end)

  it("leads only to files that are there", function()
    for path in text:gmatch "%]%(([%w_./]+)%)" do
      assert(io.open(root .. path), path):close()
    end
  end)
end)

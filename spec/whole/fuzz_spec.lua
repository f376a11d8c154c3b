-- A moment of the fuzzer (scripts/fuzz, `make fuzz`): random calls of random objects from several threads, with hooks,
-- coroutines and finalisers, in simulated worlds, where the same seed must give the same bytes in another process.
local command = require "spec.command"

local CALLS, THREADS = 200, 3

--- Runs the program of a seed; `before` is shell text in front of the command.
local function run(seed, before)
  local words = { "--seed", seed, "scripts/fuzz/program.lua", seed, CALLS, THREADS }
  for i, word in ipairs(words) do words[i] = tostring(word) end
  return command.run(words, before)
end

describe("Calling anything with anything", function()
  for _, seed in ipairs { 2, 7, 12, 17 } do
    it("is survived, and repeated by its seed in another process (seed " .. seed .. ")", function()
      local first = run(seed)
      assert.is_true(first.code < 124, "exit code " .. first.code .. "\n" .. first.err)
      local lines = 0
      -- each thread says how it has ended: well, or by an error that the others have made for it
      for how in first.out:gmatch "%d+\t(%l+)\t[^\n]+\n" do
        if how == "true" or how == "false" then lines = lines + 1 end
      end
      -- one of the calls may have ended the whole run, or left a condition's lock with a thread that has ended
      if first.err:find("the invariant '", 1, true) or first.out:find "^CALLS" then lines = THREADS end
      assert.equal(THREADS, lines, first.out)
      assert.same(first, run(seed, "FUZZ_ELSEWHERE=" .. ("x"):rep(1000)))
    end)
  end
end)

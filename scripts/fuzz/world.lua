--- The main thread of a small simulated world in which some threads make calls.

local world = {}

--- @return a function for sync.simulate that makes `calls` calls in each of `count` threads, prints their digests and
-- returns how many calls were made
function world.make(plan, seed, calls, count, log)
  local run = dofile(plan.folder .. "worker.lua").run
  return function()
    local sync = require "luasync"
    sync.set_excepthook(function() end)
    local common, progress = sync.Shared {}, sync.Atomic()
    local objects = { common, sync.Lock(), sync.Condition(), sync.Queue(), sync.Event() }
    local workers = {}
    for number = 1, count do
      workers[number] = sync.Thread {
        target = run, daemon = true,
        args = { { plan = plan, seed = seed, number = number, calls = calls, common = common, progress = progress,
                   objects = objects, log = log } },
      }:start()
    end
    -- Whoever waits for ever is interrupted, so that most calls are made; a deadlock after that is one more ending.
    for round = 1, 500 do
      sync.sleep(0.002)
      local living = 0
      for _, thread in ipairs(workers) do
        if thread:is_alive() then
          living = living + 1
          if round % 5 == 0 then thread:interrupt() end
        end
      end
      if living == 0 then break end
    end
    local digests = {}
    for i, thread in ipairs(workers) do
      digests[i] = thread:is_alive() and "alive" or select(3, select(2, pcall(thread.result, thread)))
    end
    print(table.unpack(digests))
    return math.min(math.max(progress:get(), 0), calls * count)
  end
end

--- How many calls a report of such a function tells of: none where the run did not come to its end.
function world.calls(report) return math.tointeger(report.results and report.results[1]) or 0 end

return world

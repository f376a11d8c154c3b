-- The sieve of Eratosthenes as a chain of threads: each takes the first number that reaches it, a prime, and
-- passes on only what that prime does not divide. The chain grows by a thread for each prime.
local sync = require "luasync"

local LIMIT = tonumber(arg[1]) or 100

local function generate(numbers)
  for n = 2, LIMIT do numbers:put(n) end
  numbers:shutdown()
end

local function filter(prime, numbers, rest)
  for n in numbers:items() do
    if n % prime ~= 0 then rest:put(n) end
  end
  rest:shutdown()
end

local numbers = sync.Queue(4)
sync.spawn(generate, numbers)

local primes = {}
while true do
  local prime = numbers:get()
  if not prime then break end                    -- nil, "shutdown": the chain has run dry
  primes[#primes + 1] = prime
  local rest = sync.Queue(4)
  sync.Thread{ name = "not " .. prime, target = filter, args = { prime, numbers, rest } }:start()
  numbers = rest
end
print(table.concat(primes, " "))

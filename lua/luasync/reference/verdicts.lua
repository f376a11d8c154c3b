-- What --explore says of the tutorials and examples that come with luasync; a spec asks it.
local COMPLETE, BOUNDED = "clean, complete", "clean as far as it goes"

return {
  title = "Verdicts",
  {
    name = "verdicts", kind = "topic",
    about = "What `luasync --explore` says of each program in scripts/tutorial and scripts/examples. Some keep the "
      .. "mistake of the original; a second one, whose name ends in _fixed, has the cure. \"Clean, complete\": every "
      .. "interleaving was seen, and nothing can be said against one. \"Clean as far as it goes\": there are more than "
      .. "the budget lets be seen, or executions of more than 10,000 steps.",
    returns = {
      { "11_event_traffic_signal", COMPLETE .. ": the lights end by themselves" },
      { "12_condition_constructor_fragment", COMPLETE },
      { "13_condition_random_numbers", "lost wake-up: taskB waits without a look at the numbers; a notify that comes "
        .. "before is lost" },
      { "13_condition_random_numbers_fixed", COMPLETE },
      { "21_queue_producer_consumer", COMPLETE },
      { "22_event_waiter_sender", COMPLETE },
      { "23_condition_data_ready", COMPLETE },
      { "24_lock_shared_list", "race: the lock keeps them apart, but the consumer may come first and finds nothing" },
      { "24_lock_shared_list_fixed", COMPLETE },
      { "25_queue_real_example", COMPLETE },
      { "26_queue_constructor_fragment", COMPLETE },
      { "31_event_wait_timeout_logging", COMPLETE },
      { "32_semaphore_active_pool", COMPLETE .. ": 3456 executions" },
      { "33_local_basic", COMPLETE },
      { "34_local_subclass_init", COMPLETE },
      { "35_condition_notify_all", "lost wake-up: only the sleeps keep notifyAll behind the waits" },
      { "35_condition_notify_all_fixed", COMPLETE },
      { "41_event_constructor_fragment", COMPLETE },
      { "42_event_wait4", COMPLETE },
      { "42b_event_wait4_timeout", COMPLETE },
      { "43_event_buyer_seller_retailer", COMPLETE },
      { "43b_event_buyer_seller_retailer_v2", COMPLETE },
      { "51_event_basic", COMPLETE },
      { "52_event_shared_resource", "lost update: two threads get the same value" },
      { "52_event_shared_resource_fixed", COMPLETE .. ": 120 executions, in which the five come in every order" },
      { "53_event_shared_resource_walkthrough", "lost update: as in 52" },
      { "bounded_buffer", BOUNDED .. ": a thousand items take more steps" },
      { "crawler", BOUNDED },
      { "lost_update", "lost update: and the assert that finds it, where a count is given: lost_update.lua 1" },
      { "lost_update_fixed", COMPLETE .. ": with a count, lost_update_fixed.lua 1" },
      { "lost_wakeup", "lost wake-up: the waiter looks at the flag before it takes the lock; that look races as well" },
      { "parallel_sum", COMPLETE .. ": its threads share nothing" },
      { "phases", BOUNDED },
      { "philosophers", "deadlock: in one of 7 executions" },
      { "philosophers_fixed", COMPLETE .. ": 6 executions, 142 interleavings" },
      { "pipeline", BOUNDED },
      { "primes", BOUNDED },
      { "readers_writers", BOUNDED },
      { "select", BOUNDED },
      { "timer", COMPLETE },
    },
    see = { "--explore", "races", "deadlocks" },
  },
}

--- The reference: the puzzles that come with luasync, and of what --explore convicts each attempt; a spec asks it.
return {
  title = "Puzzles",
  {
    name = "puzzles", kind = "topic",
    about = "Twelve classics of threads in scripts/puzzles (once installed: share/doc/luasync/scripts/puzzles): the "
      .. "goal as a comment, what must never be as an assert, and an attempt that goes well in many runs. `luasync "
      .. "--explore` shows the run that does not. Mend it until it says PASS and COMPLETE, then compare with the file "
      .. "whose name ends in _solved. This is what each attempt is convicted of; each solution is clean and complete.",
    returns = {
      { "01_rendezvous", "error: one takes the signal that it has given itself" },
      { "02_reusable_barrier", "deadlock: a quick dancer takes a slow one's permit" },
      { "03_bounded_buffer", "deadlock: the notify wakes one who waits for something else" },
      { "04_readers_writers", "error: the second reader passes the first one, who still waits" },
      { "05_no_starve_mutex", "error: a semaphore may be taken by the same one again and again" },
      { "06_dining_philosophers", "deadlock: all hold the left fork" },
      { "07_cigarette_smokers", "deadlock: one holds what another one needs" },
      { "08_h2o", "error: two molecules mix" },
      { "09_river_crossing", "error: two looks at two counts are not one" },
      { "10_barbershop", "lost wake-up: the bell rings between the look and the sleep" },
      { "11_santa_claus", "deadlock: four elves have come before anybody saw two" },
      { "12_unisex_bathroom", "error: what was seen is no longer true" },
    },
    see = { "--explore", "verdicts", "testing.invariant" },
  },
}

/*
** policy_seeded.c - before each operation a draw among all threads that could run.
**
** The draw in front of an operation has already chosen the thread that goes on
** when the running one loses its turn; `picked` keeps it until `next` is asked.
*/
#include "base/random.h"
#include "sim/private.h"

static int draw (Sim *sim, int n) {
  return (int)(random_mix(sim->draws.random += RANDOM_STEP) % (uint64_t)n);
}

static bool begin (Sim *sim) {
  sim->draws = (Draws){.random = sim->options.seed, .picked = -1};
  return true;
}

static bool before_op (Sim *sim, SimThread *me, const Op *op) {
  (void)me, (void)op;
  if (sim->ready_count == 0) return false;
  sim->draws.picked = draw(sim, sim->ready_count + 1) - 1;
  return sim->draws.picked >= 0;
}

static int next (Sim *sim) {
  int picked = sim->draws.picked;
  sim->draws.picked = -1;
  return picked >= 0 ? picked : draw(sim, sim->ready_count);
}

const SimPolicy policy_seeded = {.begin = begin, .before_op = before_op, .next = next};

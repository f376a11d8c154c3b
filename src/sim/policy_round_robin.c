/*
** policy_round_robin.c - a thread keeps its turn until it waits.
**
** A thread that never waits would keep the others from running for ever, so it
** loses its turn after a slice of operations, or of prints and nothing else.
*/
#include "sim/private.h"

#define SLICE 200          /* operations in a row while others are ready */
#define OUTPUT_SLICE 10000 /* prints in a row with no operation between them */

static bool before_op (Sim *sim, SimThread *me, const Op *op) {
  (void)op;
  return sim->ready_count > 0 && (me->operations >= SLICE || me->outputs >= OUTPUT_SLICE);
}

static int next (Sim *sim) {
  (void)sim;
  return 0;
}

const SimPolicy policy_round_robin = {.before_op = before_op, .next = next};

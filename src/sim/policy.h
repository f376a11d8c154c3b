/*
** policy.h - which thread runs next in a simulated world.
**
** A thread can lose its turn in two places only: in front of an operation, and
** where it waits. There the driver asks the world's policy. Each policy is a
** file of its own, and what it remembers is its own member of Sim.
**
**   policy_round_robin   a thread runs until it waits; then the one that has been ready longest
**   policy_seeded        before each operation a draw among all that are ready
**   policy_replay        as a schedule says, and round robin after its end
**   policy_steps         each thread is held in front of its operation until it is told to go on: steps.h
*/
#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include <stdbool.h>
#include "sim/sim.h"
#include "sim/sim_thread.h"

typedef struct Sim Sim;

/*
** What may be NULL says so; what is called where no thread can run may leave the run,
** with sim_leave.
*/
struct SimPolicy {
  /*
  ** Before the main thread runs; false: it must not run first, and the verdict is set.
  ** NULL: it does.
  */
  bool (*begin)(Sim *sim);
  /*
  ** Whether the running thread, `me`, loses its turn in front of an operation; it is
  ** not in `ready`.
  */
  bool (*before_op)(Sim *sim, SimThread *me, const Op *op);
  /*
  ** Before a thread is chosen, perhaps while none is ready: may let the clock go on.
  ** NULL: nothing to do.
  */
  void (*before_turn)(Sim *sim);
  /*
  ** The index in `ready` of the thread that runs next; there is one. A search: or -1,
  ** the outside.
  */
  int (*next)(Sim *sim);
  /* The turn of `st` is over, because it was preempted or waits. NULL: nothing to do. */
  void (*turn_over)(Sim *sim, SimThread *st, bool preempted);
  /* The run has ended well: a remark on it goes into the report's text. NULL: none. */
  void (*ended)(Sim *sim);
  /*
  ** The world is moved from outside by a search: equal histories must lead to equal
  ** states. It alone moves the clock while a thread can run (pace.c keeps still), and
  ** memory that another thread frees is not used again (sim_memory.c).
  */
  bool searches;
};

#endif

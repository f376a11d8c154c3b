/*
** private.h - what world_sim.c, the driver of a simulated world, and
** sim_run.c, its beginning and end, share.
*/
#ifndef SIM_PRIVATE_H
#define SIM_PRIVATE_H

#include "sim/sim_thread.h"
#include "sim/sim.h"
#include "sim/watchdog.h"

#define SIM_EPOCH ((Nanos)1257894000 * NANOS) /* 2009-11-10 23:00:00 UTC */

typedef struct SimFile SimFile;

typedef struct Sim {
  World world; /* first */
  SimOptions options;
  SimReport *report;
  Watched watched; /* its steps are the run's */
  SimPool *room;
  Fibre outside;
  Thread *outside_thread;
  SimThread *current;
  SimThread **ready; /* in the order in which they became ready */
  int ready_count, ready_capacity;
  SimThread **parked; /* with a deadline or without */
  int parked_count, parked_capacity;
  Nanos now;
  uint64_t random;
  uint64_t parkings;
  long idle;        /* operations in a row that only looked, since the clock last moved */
  long looks;       /* the same, wherever the clock went */
  uint64_t halfway; /* parkings when half the looks were done that make a livelock */
  long polls;       /* looks at the clock since it last moved */
  long busy;        /* operations in a row without a moment in which no thread could run */
  size_t turn;      /* replay: the next one */
  size_t
      strayed; /* replay: the first turn that ended before it had done what it should, from 1; 0: none */
  int picked; /* seeded: who was drawn in front of an operation, -1: nobody */
  int (*body)(lua_State *L, void *ud);
  void *ud;
  size_t output_capacity;
  SimFile *files; /* opened and not yet closed */
} Sim;

static inline Sim *sim_of (World *world) { return (Sim *)world; }

static inline long sim_steps (Sim *sim) {
  return atomic_load_explicit(&sim->watched.steps, memory_order_relaxed);
}

/* Closes what the threads have left open. */
void sim_close_files (Sim *sim);

/* The end of a run: only sim_run goes on. */
_Noreturn void sim_leave (Sim *sim, SimVerdict verdict);

/* The turn of the thread in `seat` is over. */
void sim_note_turn (Sim *sim, SimThread *st, bool preempted);

/* Warns of threads that wait for each other while the run goes on without them. */
void sim_warn_of_circles (Sim *sim);

/* Whether the replayed schedule begins with the main thread's turn, as any does; it runs then. */
bool sim_first_turn (Sim *sim);

#endif

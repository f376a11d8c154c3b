/*
** private.h - the record of a simulated world, which its driver, its policies,
** its pace and sim_run.c, its beginning and end, share.
*/
#ifndef SIM_PRIVATE_H
#define SIM_PRIVATE_H

#include "sim/pace.h"
#include "sim/policy.h"
#include "sim/sim.h"
#include "sim/sim_thread.h"
#include "sim/watchdog.h"
#include "world/record.h"

#define SIM_EPOCH ((Nanos)1257894000 * NANOS) /* 2009-11-10 23:00:00 UTC */

typedef struct SimFile SimFile;
typedef struct Invariant Invariant;
typedef struct Sometimes Sometimes;

/* Of policy_seeded. */
typedef struct Draws {
  uint64_t random;
  int picked; /* in `ready`: the thread drawn in front of an operation; -1: none */
} Draws;

/* Of policy_replay. */
typedef struct Replay {
  size_t turn;    /* of the schedule, the next one */
  size_t current; /* the one before it that has been taken, from 1 */
  size_t round;   /* where the turns begin that come again, while they do */
  int rounds;     /* so often they have come */
  size_t strayed; /* the first turn that ended before it had done what it should, from 1; 0: none */
} Replay;

struct Sim {
  World world; /* first */
  SimOptions options;
  SimReport *report;
  Watched watched; /* its steps are the run's */
  SimPool *pool;
  struct RaceWatch *races; /* or NULL */
  Fibre outside;
  Thread *outside_thread;
  SimThread *current;
  size_t freed;      /* of the world's memory, in bytes */
  size_t memory;     /* in use of that, where a search counts it */
  SimThread **ready; /* in the order in which they became ready */
  int ready_count, ready_capacity;
  SimThread **parked; /* with a deadline or without */
  int parked_count, parked_capacity;
  Nanos now;
  uint64_t parkings; /* waits that have begun */
  Pace pace;
  bool over;    /* the run has ended: the verdict stands in the report */
  bool foreign; /* a library in C has been loaded: see sim_is_foreign */
  SimThread *
      *by_number;      /* under a search: the started threads by their numbers, NULL where ended */
  int numbered;        /* entries of that */
  int taken;           /* under a search: threads of the pool that have been used; none is twice */
  bool unmarked;       /* see sim_mark_places */
  bool unwiped;        /* see sim_wipe */
  bool ignores_copies; /* see sim_look_at_copies */
  uint64_t stamps;     /* the last one given to a thread */
  uint64_t changes;    /* see sim_changes */
  struct Checkpoint *root; /* the first one there is, or NULL */
  Draws draws;
  Replay replay;
  int (*body)(lua_State *L, void *ud);
  void *ud;
  size_t output_capacity;
  SimFile *files; /* opened and not yet closed */
  Invariant *invariants;
  Sometimes *sometimes; /* named in the runs that threads of this world have simulated */
  bool checking;        /* what is done is no operation: an invariant is looked at, or sim_hush */
};

static inline Sim *sim_of (World *world) { return (Sim *)world; }

/* The number of a thread in a schedule: main is 0. */
static inline uint64_t sim_thread_number (const SimThread *st) { return st->thread->serial - 1; }

static inline long sim_steps (Sim *sim) {
  return atomic_load_explicit(&sim->watched.steps, memory_order_relaxed);
}

/* The world's memory: Driver.memory. */
void *sim_memory (World *world, void *block, size_t size);
/*
** A block that no thread has made: the scheduler's. It lies there until the run ends.
** NULL: no memory.
*/
void *sim_memory_of_pool (Sim *sim, size_t size);
/*
** What the state of a thread that has ended keeps alive, is let go, in an order that is
** the same in every run: its memory does so too late, when the world ends.
*/
void sim_abandon (lua_State *L);

/* Closes what the threads have left open, but `kept` and those opened before it. NULL: all. */
void sim_close_files (Sim *sim, SimFile *kept);

/*
** A world whose main thread is about to run, as `current`: sim_switch_to it.
** NULL: no memory, or too many are alive. sim_close ends it, wherever it stands.
*/
Sim *sim_open (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
               SimReport *report);
void sim_close (Sim *sim);

/* The end of a run: only the outside goes on. */
/* Calls the invariants; ends the run with the first that does not hold. */
void invariants_check (Sim *sim);
/* The state of `owner` is about to go, and its invariants with it. */
void invariants_forget (Sim *sim, const Thread *owner);

_Noreturn void sim_leave (Sim *sim, SimVerdict verdict);
/* The end of a run in which `self`, the running thread, loops without operations. */
_Noreturn void sim_loops (Sim *sim, Thread *self);

/* The running thread, which is in Lua code, loses its turn to the main thread if that is ready. */
void sim_let_main_run (Sim *sim);

/* Ends the thread's sync.settle: it is the last one in `ready`. False: it is in none. */
bool sim_settles (Sim *sim, uint64_t thread);
/* Takes the thread at this index out of `ready`. */
SimThread *sim_take_ready (Sim *sim, int index);
/* Lets `to`, which is in no list, run instead of the fibre `from`, which is the running one. */
void sim_switch_to (Sim *sim, Fibre *from, SimThread *to);

/* The clock. */
Nanos sim_next_deadline (Sim *sim);             /* of all that are parked; FOREVER: none */
void sim_set_clock (Sim *sim, Nanos time);      /* makes threads ready whose deadline that is */
void sim_record_clock (Sim *sim, Nanos before); /* it has gone on */
bool sim_pass_time (Sim *sim);                  /* to the next deadline; false: there is none */
void sim_tick_to (Sim *sim, Nanos time);
bool sim_tick (Sim *sim); /* the same between two turns: part of the schedule */

/* The turn of `st` is over: it is noted in the schedule. */
void sim_note_turn (Sim *sim, SimThread *st, bool preempted);

/* sim_output.c: writes to the stream with that number, or into the report. */
bool sim_write (World *world, int stream, const char *text, size_t length);

/* Warns of threads that wait for each other while the run goes on without them. */
void sim_warn_of_circles (Sim *sim);

#endif

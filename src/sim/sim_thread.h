/*
** sim_thread.h - what a thread of a simulated world runs on: a C stack and an
** arena with a Lua state, at addresses that are the same in every process.
** A pool holds those of one world. Pools and their threads outlive the world:
** the next one finds each state as it was when new.
*/
#ifndef SIM_SIM_THREAD_H
#define SIM_SIM_THREAD_H

#include "sim/arena.h"
#include "sim/fibre.h"
#include "thread/thread.h"

typedef enum SimThreadState {
  SIM_THREAD_FREE,
  SIM_THREAD_TAKEN,
  SIM_THREAD_READY,
  SIM_THREAD_HELD, /* under policy_steps, in front of `pending` */
  SIM_THREAD_RUNNING,
  SIM_THREAD_PARKED
} SimThreadState;

typedef struct SimThread {
  Fibre fibre;
  int index; /* in its pool */
  Arena *arena;
  Arena *memory;    /* for what it makes in the world: see sim_memory.c; NULL: nothing yet */
  bool made;        /* something lies in it */
  uint64_t stamp;   /* under a search: another number each time that its state may have changed */
  Spot spot;        /* where its threads park */
  lua_State *L;     /* in the arena, the same at every restore */
  uint64_t *random; /* the state of math.random in it, or NULL */
  bool used;        /* no longer as new */
  SimThreadState state;
  Thread *thread;
  const Op *pending; /* while held; on the stack of the thread */
  Nanos deadline;    /* while parked */
  uint64_t order;    /* of parking: equal deadlines end in this order */
  uint32_t stood[2]; /* under a search: maker and number of where it was parked since its step */
  bool in_line;      /* announces what it stands in line for already: a recording has it waiting */
  bool looked_at;    /* since it has parked: whether it waits in a circle */
  bool settling;     /* inside sync.settle: goes on when no other thread can run */
  bool timed_out;    /* its last wait came to its deadline */
  bool pokes;        /* it has interrupted a thread since it was last switched to */
  uint32_t made_before;     /* objects, by then */
  bool may_time_out;        /* its last operation was one that changes nothing then */
  long operations, outputs; /* announced since it was last switched to */
} SimThread;

typedef struct SimPool SimPool;

/*
** A pool that no other world uses. `equip` turns a fresh state into one for
** simulated threads. The first few pools have fixed addresses. NULL: all are in
** use, or no memory.
*/
SimPool *sim_pool_take (lua_CFunction equip);
/* None of its threads runs any more: all that they have made is gone. */
void sim_pool_leave (SimPool *pool);

/*
** The first free thread of the pool from number `first` on, with a pristine
** state; a new one is built while the fibre `here` waits. NULL: all are in use, or
** no memory.
*/
SimThread *sim_thread_take (SimPool *pool, int first, Fibre *here);

/* The threads of a pool, free ones too: 0 .. n-1. */
int sim_pool_threads (const SimPool *pool);
SimThread *sim_pool_thread (const SimPool *pool, int index);

/*
** The arena for what the thread makes in the world, and the one for all that is made
** elsewhere. NULL: no memory.
*/
Arena *sim_thread_memory (SimPool *pool, SimThread *st);
Arena *sim_pool_memory (SimPool *pool);

/* Begins math.random's sequence anew: another one for each n. */
void sim_thread_seed (SimThread *st, uint64_t n);

/*
** Whether a state is being made right now: time() must then be constant, the hash seed
** depends on it.
*/
extern _Thread_local bool sim_thread_building;

#endif

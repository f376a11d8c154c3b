/*
** world.h - THE DOOR. Everything by which one thread touches another passes here.
**
** A Lua state shares nothing with another, so a thread can only act on another
** through an object of ours, and every such act goes through these calls:
**
**   announce   an operation is about to take effect
**   park       the caller stops until it is unparked, or until a deadline
**   unpark     another thread may go on
**   now        the time of this world, nanoseconds on a monotonic clock
**   spawn      a thread begins
**
** Behind the door stands a Driver: real (OS threads, the system's clock) or
** simulated (fibres, a virtual clock, a scheduler that can be told what to do).
** A primitive is written once, against this header, and never asks which.
**
** Blocking is one protocol. A waiter stands in its object's line, under the
** object's mutex; the thread parks on its own spot. A waker takes it out of the
** line (it is *chosen*), unlocks, and then says so and unparks it. Who times out
** or is interrupted takes himself out of the line under the same mutex; if he has
** been chosen already, he has been woken: a wake-up is never lost.
**
**     pthread_mutex_lock(&sem->mu);
**     if (sem->value > 0) …
**     line_join(&sem->line, &w, &wait);          // under mu
**     pthread_mutex_unlock(&sem->mu);
**     switch (line_wait(L, &w, &sem->mu, deadline)) { … }
*/
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <lua.h>
#include "world/cleanup.h"
#include "world/object.h"
#include "base/source_line.h"

typedef int64_t Nanos; /* absolute on the world's clock, unless said otherwise */
#define FOREVER INT64_MAX
#define NANOS 1000000000

typedef struct Thread Thread;
typedef struct Waiter Waiter;

/* What an operation is: the word reports use, and its dependency class, stand in op_names (world.c). */
typedef enum OpKind {
  OP_ACQUIRE,
  OP_TRY_ACQUIRE,
  OP_RELEASE,
  OP_WAIT,
  OP_REACQUIRE,
  OP_NOTIFY,
  OP_SET,
  OP_CLEAR,
  OP_IS_SET,
  OP_WAIT_SET,
  OP_DOWN,
  OP_TRY_DOWN,
  OP_UP,
  OP_VALUE,
  OP_PUT,
  OP_GET,
  OP_TRY_PUT,
  OP_TRY_GET,
  OP_TASK_DONE,
  OP_QUEUE_JOIN,
  OP_SHUTDOWN,
  OP_LOOK,
  OP_READ,
  OP_WRITE,
  OP_UPDATE,
  OP_TRAVERSE,
  OP_START,
  OP_JOIN,
  OP_INTERRUPT,
  OP_END,
  OP_SLEEP,
  OP_CLOCK,
  OP_OUTPUT,
  OP_COUNT
} OpKind;

extern const char *const op_names[OP_COUNT];

/* One operation, as announced before it takes effect. */
typedef struct Op {
  OpKind kind;
  Object *object; /* NULL: none (sleep, clock) */
  lua_State *L;   /* the caller: its file and line can be asked for */
  lua_Integer argument;
} Op;

/* Where a thread parks. Never freed before the process ends, so that a late unpark is harmless. */
typedef struct Spot {
  atomic_int token;  /* 1: unparked; 0: not; -1: parked (real driver) */
  struct Spot *next; /* free list */
  void *fibre;       /* simulated driver */
  const struct Driver *driver;
} Spot;

typedef struct Driver {
  void (*announce)(Thread *self, const Op *op); /* NULL: nobody listens */
  void (*park)(Thread *self,
               Nanos deadline); /* returns when unparked, at the deadline, or for no reason */
  void (*unpark)(Spot *spot);   /* from any thread; real: from signal handlers too */
  Nanos (*now)(World *world);
  Nanos (*time)(World *world); /* since the epoch */
  lua_State *(*open)(
      Thread *thread,
      lua_State
          *parent); /* a state for a thread that parent (NULL: none) is to start; NULL: no memory */
  void (*close)(Thread *thread, lua_State *L); /* by the thread itself, or where spawn failed */
  int (*spawn)(Thread *thread);                /* begins thread_body(thread); 0 or an errno */
  void (*poke)(Thread *thread);  /* make running Lua code look at its alerts; under thread->mu */
  int (*patience)(World *world); /* NULL: 0; see world_patience */
  bool (*write)(World *world, int stream, const char *text,
                size_t length); /* print, io.write; stream 1, 2; false: errno */
  void (*exit)(int code);       /* ends the process, or the run, at once; does not return */
} Driver;

/*
** Who watches a world from above: deadlock reports, dumps, the watchdog. Each
** call may be NULL. Below it nothing knows what is behind.
*/
typedef struct Observer {
  void (*spawning)(void);                   /* a thread is about to begin */
  void (*stuck)(World *world);              /* the last awake thread is about to park for ever */
  void (*waiting)(Thread *self, Waiter *w); /* stands in line for ever; may park for a moment */
  void (*poked)(
      Thread *self,
      bool
          resting); /* a poke has come; inside its signal handler. resting: it waits for the system */
  void (*alerted)(lua_State *L,
                  Thread *self); /* the hook of a thread with alerts other than interrupts */
} Observer;

struct World {
  const Driver *driver;     /* const after init */
  const Observer *observer; /* const once threads run; NULL: none */
  pthread_mutex_t mu;
  Thread *threads;           /* those alive and main, in order of start; under mu */
  Thread *last_thread;       /* under mu */
  int alive;                 /* under mu; main counted */
  atomic_int awake;          /* threads not parked for ever: 0 means deadlock */
  atomic_int errors_untaken; /* thread errors left to the default hook and not taken by result() */
  atomic_uint numbers[32];   /* objects made, by kind */
  atomic_uint thread_names;  /* Thread-N */
  atomic_ulong serials;      /* of threads, from 1 */
  atomic_int
      ending; /* the main script is over, non-daemons have been joined: finalisers start no more */
  struct Grave *graves;       /* threads that ended holding a lock; under mu */
  Thread *main;               /* const after init */
  struct Message *excepthook; /* NULL: the default; under mu */
  Object *named;              /* the table of named shared tables, or NULL; under mu */
  bool silent_deadlocks;      /* const after the options are read: --no-deadlock-check */
  bool owns;                /* const after init: simulated; its objects and messages end with it */
  Object *objects;          /* those it owns */
  struct Message *messages; /* those it owns */
  Cleanup *cleanups;        /* likewise */
  atomic_uint signals;      /* alerts for whoever runs in it next; simulated */
};

extern _Thread_local Thread *thread_self; /* the thread that runs here, or NULL */
extern _Thread_local World *world_here; /* the simulated world that this OS thread runs, or NULL */
extern atomic_int worlds_observed;      /* worlds whose driver listens to announcements */

void world_init (World *world, const Driver *driver);
World *real_world (void); /* the one real world of this process */

/* One thread less is awake: it parks for ever, or has ended. */
void world_less_awake (World *world);

void world_announce (lua_State *L, OpKind kind, void *object, lua_Integer argument);

/* Says what is about to happen. One predictable branch when nobody listens. May switch threads: hold no mutex. */
static inline void announce (lua_State *L, OpKind kind, void *object) {
  if (__builtin_expect(atomic_load_explicit(&worlds_observed, memory_order_relaxed) != 0, 0))
    world_announce(L, kind, object, 0);
}

/* Time: the deadline that is `relative` from now; FOREVER stays. */
Nanos world_now (World *world);
Nanos world_deadline (World *world, Nanos relative);

/*
** How many times it pays at present to look, with a world_pause in between, for
** what another thread may do, before standing in line: none where threads are
** more than processors, or do not run at the same time at all.
*/
static inline int world_patience (World *world) {
  return world->driver->patience != NULL ? world->driver->patience(world) : 0;
}

/* Whether threads of this world may run at the same time. */
static inline bool world_is_parallel (const World *world) {
  return world->driver->patience != NULL;
}

/* Some hundred nanoseconds. */
static inline void world_pause (void) {
#if defined(__x86_64__) || defined(__i386__)
  for (int i = 0; i < 16; i++) __builtin_ia32_pause();
#endif
}

Spot *spot_new (const Driver *driver); /* NULL: no memory */
void spot_free (Spot *spot);

/*
** Lines of waiters.
*/
typedef struct Line {
  Waiter *first, *last; /* under the mutex of the object they belong to */
} Line;

struct Waiter {
  Waiter *next, *previous; /* under the object's mutex; later the waker's chain */
  Line *line;              /* under the object's mutex; NULL: chosen, or out */
  Spot *spot;              /* const while in line */
  Thread *thread;          /* const while in line */
  Object *object;          /* const while in line: what reports say it waits for */
  OpKind kind;             /* const while in line */
  bool forever;            /* const while in line: no deadline */
  bool deaf;               /* const while in line: interrupts must wait */
  bool starving;           /* owner's note: has lost a race after being woken */
  bool handed;       /* owner's note: has been given what it waits for; under the object's mutex */
  atomic_int woken;  /* set last by the waker; then the Waiter is its owner's again */
  Waiter *companion; /* woken together with this one: a condition's, when its lock is to be had */
  const Waiter *moved; /* what it goes on waiting as: see line_moved; under the thread's mu */
  void *payload;       /* const while in line; what it points to is under the object's mutex */
};

typedef enum Wake { WAKE_CHOSEN = 1, WAKE_TIMEOUT, WAKE_INTERRUPT } Wake;

/* Raises where the running thread must not wait: inside sync.update's function. [0, 0, raises] */
void wait_allowed (lua_State *L);

/* Prepares a waiter of the running thread. */
void waiter_init (Waiter *w, OpKind kind, void *object, Nanos deadline);
void line_join (Line *line, Waiter *w); /* at the end; under the object's mutex */
void line_rejoin (Line *line,
                  Waiter *w); /* at the head, after a lost race; under the object's mutex */
void line_leave (Waiter *w);  /* under the object's mutex */

/*
** Parks until chosen, the deadline or an interrupt; `mu` not held before or
** after, the waiter out of its line after. WAKE_INTERRUPT leaves the interrupt
** pending: clean up, then call thread_raise. [0, 0, -]
*/
Wake line_wait (lua_State *L, Waiter *w, pthread_mutex_t *mu, Nanos deadline);

/*
** Choosing who is woken; under the object's mutex. Who has been interrupted is
** passed over: the thread is about to take itself out, and what it were given
** would be lost with the error. Hand the chosen to line_wake after unlocking.
*/
Waiter *line_first (Line *line);      /* the first that can be chosen, left in line; NULL: none */
void line_pick (Waiter *w);           /* takes that one out */
Waiter *line_choose (Line *line);     /* both at once */
Waiter *line_choose_all (Line *line); /* all that can be, out of the line and chained by `next` */
/* A chosen waiter's thread goes on waiting, as `next` in another line: not to be counted as awake, and reports must say so. */
void line_moved (Waiter *w, const Waiter *next);
/* Wakes a chain of chosen waiters; no mutex held. */
void line_wake (Waiter *chain);

/* Stops the caller until the deadline; WAKE_TIMEOUT or WAKE_INTERRUPT. */
Wake world_sleep (lua_State *L, Nanos deadline);

#endif

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
** How a thread waits for an object is in wait_line.h, what an operation is in op.h.
*/
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <lua.h>
#include "world/cleanup.h"
#include "world/cycles.h"
#include "world/object.h"
#include "world/op.h"
#include "base/source_line.h"

typedef int64_t Nanos; /* absolute on the world's clock, unless said otherwise */
#define FOREVER INT64_MAX
#define NANOS 1000000000

typedef struct Waiter Waiter;

/* Where a thread parks. Never freed before the process ends, so that a late unpark is harmless. */
typedef struct Spot {
  atomic_int token;  /* 1: unparked; 0: not; -1: parked (real driver) */
  struct Spot *next; /* free list */
  void *fibre;       /* simulated driver: the SimThread that this spot lies in; else NULL */
  const struct Driver *driver;
} Spot;

typedef struct Driver {
  /* See world_settle; NULL where threads run at the same time. */
  int (*settle)(Thread *self, Nanos deadline);
  /* Called before an operation takes effect; may switch threads. NULL: nothing listens. */
  void (*announce)(Thread *self, const Op *op);
  /* Stops the caller: returns when unparked, at the deadline, or for no reason. */
  void (*park)(Thread *self, Nanos deadline);
  /* From any thread; real: from signal handlers too. */
  void (*unpark)(Spot *spot);
  Nanos (*now)(World *world);
  Nanos (*time)(World *world); /* since the epoch */
  /* Makes the state of a thread that `parent` (NULL: none) is to start; NULL: no memory. */
  lua_State *(*open)(Thread *thread, lua_State *parent);
  /* Called by the thread itself, or where spawn has failed. */
  void (*close)(Thread *thread, lua_State *L);
  /* Begins thread_body(thread); 0 or an errno. */
  int (*spawn)(Thread *thread);
  /* Makes running Lua code look at its alerts; under thread->mu. */
  void (*poke)(Thread *thread);
  /* See world_patience. NULL: threads never run at the same time. */
  int (*patience)(World *world);
  /* What print and io.write put out; stream 1, 2. False: errno says why. */
  bool (*write)(World *world, int stream, const char *text, size_t length);
  /* Ends the process, or the run, at once; does not return. */
  void (*exit)(int code);
  /*
  ** As realloc, for what belongs to the world; size 0 frees. NULL: the C library's. See
  ** memory.h.
  */
  void *(*memory)(World *world, void *block, size_t size);
} Driver;

/*
** What watches a world from above: deadlock reports, dumps, the watchdog. Each
** call may be NULL. Below it nothing knows what is behind.
*/
typedef struct Observer {
  /* A thread is about to begin. */
  void (*spawning)(void);
  /* The last awake thread is about to park for ever. */
  void (*stuck)(World *world);
  /* The thread stands in line for ever, a select in n lines. May park for a moment. */
  void (*waiting)(Thread *self, Waiter *const *list, int n);
  /* A poke has come; inside its signal handler, which has interrupted that code. NULL: not known. */
  void (*poked)(Thread *self, const void *code);
  /* The hook of a thread with alerts other than interrupts. */
  void (*alerted)(lua_State *L, Thread *self);
  /*
  ** The target of the thread has returned, or the thread is about to wait: it may have
  ** changed copies of what it was sent. Holds no mutex; raises nothing.
  */
  void (*changed)(lua_State *L, Thread *self);
} Observer;

/* Hears of each operation of a world: when it is about to be announced, and when it may take effect. */
typedef struct Listener {
  void (*before)(void *ud, Thread *self);
  void (*now)(void *ud, Thread *self, const Op *op);
} Listener;

/* What the default hook has printed of a thread's error, with its traceback. */
typedef struct KeptError {
  struct KeptError *next;
  uint64_t serial; /* the thread's */
  char text[];
} KeptError;

struct World {
  const Driver *driver;     /* const after init */
  const Observer *observer; /* const once threads run; NULL: none */
  pthread_mutex_t mu;
  Thread *threads;     /* those alive and main, in order of start; under mu */
  Thread *last_thread; /* under mu */
  Thread *unstarted;   /* those that somebody has to start, the newest first; under mu */
  int alive;           /* under mu; main counted */
  bool had_daemons;    /* a daemon has been started; under mu */
  bool ends_aloud;  /* searched: daemons start others; main's wait for all is a step of its own */
  atomic_int awake; /* threads not parked for ever: 0 means deadlock */
  atomic_int errors_untaken; /* thread errors left to the default hook and not taken by result() */
  atomic_int reporting;      /* threads whose error is with the hook just now */
  atomic_uint numbers[32];   /* objects made, by kind */
  atomic_uint thread_names;  /* Thread-N */
  atomic_ulong serials;      /* of threads, from 1 */
  /* The main script is over and non-daemons have been joined: finalisers start no more threads. */
  atomic_int ending;
  struct Grave *graves;       /* threads that ended holding a lock; under mu */
  Thread *main;               /* const after init */
  struct Message *excepthook; /* NULL: the default; under mu */
  Object *named;              /* the table of named shared tables, or NULL; under mu */
  KeptError *errors;          /* simulated: of untaken errors, in order of serials; under mu */
  int errors_kept;            /* of these; under mu */
  const char *first_error;    /* the text of the first of them, or NULL; under mu */
  bool stuck_raises;         /* a deadlock interrupts the main thread, and ends nothing; under mu */
  char *stuck_report;        /* the last one that did; under mu */
  atomic_bool silent_copies; /* warn("@off"): nobody hears of changed copies */
  char *copies; /* which threads have changed which, for reports; see observe/copies.c; under mu */
  bool silent_deadlocks; /* const after the options are read: --no-deadlock-check */
  uint64_t base; /* const after init: added to what is counted here, it is unique in the process */
  atomic_uint lasting;                 /* classes and the like that have got an id: see lasting.c */
  _Atomic(struct SearchPaths *) paths; /* where senders look for modules; see names_paths.c */
  atomic_uint signals;                 /* alerts for the thread that runs in it next; simulated */
  Cycles cycles;
  _Atomic(struct Recorder *) recorder; /* NULL: nothing is recorded; see record.h */
  const Listener *listener;            /* NULL: none; const once threads run */
  void *listening;                     /* its ud */
  _Atomic(struct Recorder *) rests;    /* a recorder that has been stopped, or NULL */
};

extern _Thread_local Thread *thread_self; /* the thread that runs here, or NULL */
extern _Thread_local World *world_here; /* the simulated world that this OS thread runs, or NULL */
extern atomic_int worlds_observed;      /* worlds whose driver listens to announcements */

void world_init (World *world, const Driver *driver);
World *real_world (void); /* the one real world of this process */

/* One thread less is awake: it parks for ever, or has ended. */
void world_less_awake (World *world);

/* Whether anything listens to announcements: one predictable branch. */
static inline bool world_is_observed (void) {
  return __builtin_expect(atomic_load_explicit(&worlds_observed, memory_order_relaxed) != 0, 0);
}

void world_announce (const Op *op);
/* Before threads run: the listener hears of every operation from now on. */
void world_listen (World *world, const Listener *listener, void *ud);

/* Says what is about to happen. May switch threads: hold no mutex. */
static inline void announce (lua_State *L, OpKind kind, void *object) {
  if (world_is_observed())
    world_announce(&(Op){.kind = kind, .object = object, .until = FOREVER, .L = L});
}

/* The same for an operation that waits until the deadline at most. */
static inline void announce_until (lua_State *L, OpKind kind, void *object, Nanos deadline) {
  if (world_is_observed())
    world_announce(&(Op){.kind = kind, .object = object, .until = deadline, .L = L});
}

/* The same for one that an interrupt does not end. */
static inline void announce_deaf (lua_State *L, OpKind kind, void *object) {
  if (world_is_observed())
    world_announce(&(Op){.kind = kind, .object = object, .deaf = true, .until = FOREVER, .L = L});
}

/* Time: the deadline that is `relative` from now; FOREVER stays. */
Nanos world_now (World *world);
Nanos world_deadline (World *world, Nanos relative);
/*
** The same where 0 means one try, and stays. Blocking calls compute it before they
** announce: a search must know it.
*/
static inline Nanos world_until (World *world, Nanos relative) {
  return relative == 0 || relative == FOREVER ? relative : world_deadline(world, relative);
}

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
void spot_free (
    Spot *spot); /* NULL and the spots of simulated threads are allowed: nothing happens */

#endif

/*
** thread_record.h - what the host knows of a thread: its life, its outcome, what
** it waits for, and what others want of it.
*/
#ifndef WORLD_THREAD_RECORD_H
#define WORLD_THREAD_RECORD_H

#include <sys/types.h>
#include "world/wait_line.h"

typedef struct Message Message;

typedef enum Life { LIFE_NEW, LIFE_STARTED, LIFE_ENDED } Life;

/*
** What others want of a running thread: bits of `alerts`; the last two of the signals
** of a simulated world.
*/
enum {
  ALERT_INTERRUPT = 1,
  ALERT_SIGNAL = 2,
  ALERT_DUMP = 4,
  ALERT_LOOP = 8,
  ALERT_QUIT = 16,
  ALERT_BREAK = 32
};
#define ALERT_RAISES (ALERT_INTERRUPT | ALERT_SIGNAL) /* an error, also out of a blocked call */

/* On the C stack of a coroutine.resume that has not returned: the coroutine that called it. */
typedef struct Resumer {
  lua_State *L;
  struct Resumer *outer;
} Resumer;

/*
** The hook of a script that thread_hook has taken the place of, and the coroutine
** where it did; NULL: nowhere. Own, but the thread's signal handler may change it
** between any two instructions.
*/
typedef struct SavedHook {
  _Atomic(lua_State *) in;
  lua_Hook hook;
  int mask, count;
} SavedHook;

/* What a thread waits for. Written by the thread itself; under the thread's mu. */
typedef struct Blocked {
  bool active; /* it waits; only then the rest means something */
  OpKind kind;
  Object *object; /* kept alive by the thread that waits; NULL: a sleep */
  Nanos since, until;
  SourceLine place;
  lua_State *in; /* the coroutine that waits: it stands still, so its stack can be read */
  bool told;     /* a report has named the circle that this wait has closed */
} Blocked;

/* The answers of a thread to ALERT_DUMP. */
typedef struct DumpAnswer {
  char *traceback; /* the last one; under the thread's mu */
  unsigned count;  /* how many there have been; likewise */
} DumpAnswer;

/*
** What a thread is beside a thread: a Timer's, a Scope's, a Pool's. Each may be
** NULL. None is called with a mutex held.
*/
typedef struct Role {
  /* In protected mode, before the target is called; false: it is not called. [0, 0, raises] */
  bool (*begin)(lua_State *L, Thread *t);
  /* It is about to begin, in the thread that starts it; false: no memory, so it does not. */
  bool (*starting)(Thread *t);
  /* It has failed, and keeps its error; true: the hook is not called. */
  bool (*failed)(Thread *t);
  /* It counts as ended, or has not begun after `starting`. */
  void (*ended)(Thread *t);
} Role;

struct Thread {
  Object object;   /* object.name is under mu */
  uint64_t serial; /* const after init; never used twice: which thread holds a lock */
  uint32_t made;   /* own: objects it has made */
  uint64_t unique; /* const after init; among all threads of all worlds */
  pthread_mutex_t mu;

  /* Its life. */
  atomic_int life;    /* written under mu */
  bool daemon;        /* under mu */
  bool is_main;       /* const after init */
  bool failed;        /* const once ended */
  bool error_counted; /* under mu: its error is one of world->errors_untaken */
  bool reporting;     /* its own: its error is with the hook; one of world->reporting */
  Message *work;      /* target and arguments until they are decoded; under mu */
  Message *outcome;   /* results, or the error; const once ended */
  Message *sent;      /* what it was sent, decoded; see message/sent.h; NULL: not kept; under mu */
  World *reports_to;  /* const while started: the world that gets its outcome; NULL: its own */
  Line joiners;       /* under mu */
  Thread *next, *previous; /* in world->threads or world->unstarted, under world->mu */
  bool is_unstarted;       /* it is in the latter; of whoever made, starts or destroys it */
  bool was_unstarted;      /* const after init: it has been in there */
  SourceLine made_at;      /* const after init; only of those that were in there */

  /* What it runs. */
  lua_State *L; /* its state, NULL before and after; under mu */
  _Atomic(lua_State *)
      running;         /* own: the coroutine that runs now; read by its own signal handler */
  Resumer *resumer;    /* own; others may follow it while the thread stands still */
  lua_State *at;       /* simulated: the coroutine of its last operation */
  bool has_finalisers; /* own; simulated: its state must be closed properly */
  bool makes_pools;    /* own: some worker may wait for its end */
  int locks_held;      /* own: plain locks and levels taken and not yet released */
  int updating;        /* own: depth of sync.update calls that run now */

  /* What others want of it. */
  atomic_uint alerts;
  Message *interrupt; /* what to raise, NULL: "interrupted"; under mu */
  SavedHook saved;
  int grace;   /* own: hold() has just returned, so many more instructions are due */
  int put_off; /* own: that many have been since there was an alert */
  DumpAnswer answer;
  atomic_int system;    /* see thread/system.h */
  lua_State *in_system; /* its running coroutine; readable while `system` says so */

  unsigned waits;   /* own: that many until it is looked at what it has changed; 0: never */
  unsigned between; /* own: so many the next time */
  unsigned tasks;   /* own: targets and tasks that its state has begun */
  uint32_t marks;   /* own: see message/gain.c */
  unsigned pins, pins_enough; /* own: see objects/local_pins.c */
  bool pins_due;              /* own: they are to be looked at before it waits */

  size_t unweighed; /* own: see burden.c */
  int kept_kib;     /* own: Lua memory in use after the last collection before a wait */

  /* What it runs on. */
  Spot *spot;           /* const while started */
  void *driver_data;    /* const while started */
  atomic_int native_id; /* the kernel's number, 0 before it runs */
  bool signalable;      /* `os` names a live OS thread of ours; under mu */
  pthread_t os;         /* under mu */

  const Role *role; /* const after init; NULL: none */
  Object *owner;    /* what the role belongs to: a reference until the end; NULL: none */

  Blocked blocked;
  atomic_bool settling;  /* inside sync.settle, in a world whose threads run at the same time */
  Waiter *const *among;  /* the waiters of a select; NULL: it waits for one object; under mu */
  int among_count;       /* of these; under mu */
  atomic_bool selecting; /* a recording has it waiting in a select: the first wake ends that */
};

#endif

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

/* What others want of a running thread: bits of `alerts`; the last two of the signals of a simulated world. */
enum {
  ALERT_INTERRUPT = 1,
  ALERT_SIGNAL = 2,
  ALERT_DUMP = 4,
  ALERT_LOOP = 8,
  ALERT_QUIT = 16,
  ALERT_BREAK = 32
};
#define ALERT_RAISES (ALERT_INTERRUPT | ALERT_SIGNAL) /* an error, also out of a blocked call */

/* On the C stack of a coroutine.resume that has not returned: who called it. */
typedef struct Resumer {
  lua_State *L;
  struct Resumer *outer;
} Resumer;

struct Thread {
  Object object;   /* object.name is under mu */
  uint64_t serial; /* const after init; never used twice: who holds a lock */
  uint64_t unique; /* const after init; among all threads of all worlds */
  Spot *spot;      /* const while started */
  pthread_mutex_t mu;
  atomic_int life;    /* written under mu */
  bool daemon;        /* under mu */
  bool is_main;       /* const after init */
  bool error_counted; /* under mu: its error is one of world->errors_untaken */
  int locks_held;     /* own: plain locks and levels taken and not yet released */
  int updating;       /* own: depth of sync.update calls that run now */
  Line joiners;       /* under mu */
  Message *work;      /* target and arguments until they are decoded; under mu */
  Message *outcome;   /* results, or the error; const once ended */
  bool failed;        /* const once ended */
  atomic_uint alerts;
  Message *interrupt; /* what to raise, NULL: "interrupted"; under mu */
  lua_State *L;       /* its state, NULL before and after; under mu */
  lua_State *running; /* own: the coroutine that runs now; read by its own signal handler */
  Resumer *resumer;   /* own; others may follow it while the thread stands still */
  int grace;          /* own: hold() has just returned, so many more instructions are due */
  int put_off;        /* own: that many have been since there was an alert */
  lua_Hook old_hook;  /* own: what thread_arm replaced */
  int old_hook_mask, old_hook_count;
  atomic_int native_id;    /* the kernel's number, 0 before it runs */
  bool signalable;         /* `os` names a live OS thread of ours; under mu */
  pthread_t os;            /* under mu */
  void *driver_data;       /* const while started */
  bool has_finalisers;     /* own; simulated: its state must be closed properly */
  char *traceback;         /* the last answer to ALERT_DUMP; under mu */
  unsigned answers;        /* how many there have been; under mu */
  atomic_int system;       /* see thread/system.h */
  lua_State *in_system;    /* its running coroutine; readable while `system` says so */
  lua_State *at;           /* simulated: the coroutine of its last operation */
  World *reports_to;       /* const while started: the world that gets its outcome; NULL: its own */
  Thread *next, *previous; /* in world->threads, under world->mu */
  /* what it waits for; under mu */
  bool blocked;
  OpKind blocked_kind;
  Object *blocked_object; /* kept alive by the blocked thread itself */
  Nanos blocked_since, blocked_until;
  SourceLine blocked_place;
  lua_State *blocked_in; /* the coroutine that waits: it stands still, so its stack can be read */
};

#endif

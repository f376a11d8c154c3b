/*
** thread.h - what the host knows of a thread: its life, its outcome, what it
** waits for, and what others want of it. The Lua side is in thread.c.
*/
#ifndef THREAD_H
#define THREAD_H

#include <sys/types.h>
#include "message/message.h"
#include "world/world.h"

typedef enum Life { LIFE_NEW, LIFE_STARTED, LIFE_ENDED } Life;

/* What others want of a running thread: bits of `alerts`; the last two of the signals of a simulated world. */
enum { ALERT_INTERRUPT = 1, ALERT_SIGNAL = 2, ALERT_DUMP = 4, ALERT_LOOP = 8, ALERT_QUIT = 16, ALERT_BREAK = 32 };
#define ALERT_RAISES (ALERT_INTERRUPT | ALERT_SIGNAL) /* an error, also out of a blocked call */

/* On the C stack of a coroutine.resume that has not returned: who called it. */
typedef struct Resumer { lua_State *L; struct Resumer *outer; } Resumer;

struct Thread {
  Object object;                  /* object.name is under mu */
  uint64_t serial;                /* const after init; never used twice: who holds a lock */
  uint64_t unique;                /* const after init; among all threads of all worlds */
  Spot *spot;                     /* const while started */
  pthread_mutex_t mu;
  atomic_int life;                /* written under mu */
  bool daemon;                    /* under mu */
  bool is_main;                   /* const after init */
  bool error_counted;             /* under mu: its error is one of world->errors_untaken */
  int holding;                    /* own: plain locks and levels taken and not yet released */
  int updating;                   /* own: depth of sync.update calls that run now */
  Line joiners;                   /* under mu */
  Message *work;                  /* target and arguments until they are decoded; under mu */
  Message *outcome;               /* results, or the error; const once ended */
  bool failed;                    /* const once ended */
  atomic_uint alerts;
  Message *interrupt;             /* what to raise, NULL: "interrupted"; under mu */
  lua_State *L;                   /* its state, NULL before and after; under mu */
  lua_State *running;             /* own: the coroutine that runs now; read by its own signal handler */
  Resumer *resumer;               /* own; others may follow it while the thread stands still */
  int grace;                      /* own: hold() has just returned, so many more instructions are due */
  int put_off;                    /* own: that many have been since there was an alert */
  lua_Hook old_hook;              /* own: what thread_arm replaced */
  int old_hook_mask, old_hook_count;
  atomic_int native_id;           /* the kernel's number, 0 before it runs */
  bool signalable;                /* `os` names a live OS thread of ours; under mu */
  pthread_t os;                   /* under mu */
  void *driver_data;              /* const while started */
  bool has_finalisers;            /* own; simulated: its state must be closed properly */
  char *traceback;                /* the last answer to ALERT_DUMP; under mu */
  unsigned answers;               /* how many there have been; under mu */
  atomic_int rest;                /* see dump.c */
  lua_State *at;                  /* simulated: the coroutine of its last operation */
  World *reports_to;              /* const while started: the world that gets its outcome; NULL: its own */
  Thread *next, *previous;        /* in world->threads, under world->mu */
  /* what it waits for; under mu */
  bool blocked;
  OpKind blocked_kind;
  Object *blocked_object;         /* kept alive by the blocked thread itself */
  Nanos blocked_since, blocked_until;
  Place blocked_place;
  lua_State *blocked_in;          /* the coroutine that waits: it stands still, so its stack can be read */
};

extern const Kind thread_kind;

/* The main thread of a world, running in L; made once, by the driver or by luaopen. */
Thread *thread_attach_main (lua_State *L, World *world);
/* The life of a started thread, called by the driver on its new stack; consumes one reference. */
void thread_body (Thread *t);
/* Calls the target of `work` with everything around it, leaving the outcome in t; true: it returned. */
bool thread_call_work (lua_State *L, Thread *t);
/* The main script is over: who joins the main thread goes on; it stays in the list. */
void thread_main_over (Thread *t);
/* The main thread's state is about to be closed: nobody may interrupt what runs in there. Returns it, NULL the second time. */
lua_State *thread_leave_state (Thread *t);
/* Closes a state of the running thread that it has left. */
void thread_close_state (lua_State *L);
/* Marks it ended and wakes who joins it. */
void thread_end (Thread *t);

/* Raises the pending interrupt, if any. [0, 0, raises] */
void thread_raise (lua_State *L);
/* Sets a bit of alerts and wakes the thread; safe in signal handlers. */
void thread_alert (Thread *t, unsigned bit);
/* From a signal handler: what it wants is for the thread that runs next in the simulated world here; false: there is none. */
bool thread_signal_here (unsigned alert);
/* Sets thread_hook in the coroutine L that t runs, remembering the hook it had; by t itself, or while it stands still. */
void thread_arm (Thread *t, lua_State *L);
/* A hook that looks at alerts at once; for drivers' `poke`. */
void thread_hook (lua_State *L, lua_Debug *ar);

/* Whether a running thread is to look at what others want of it, or of whoever runs in its world. */
bool thread_is_asked (Thread *t);

void thread_copy_name (Thread *t, char buffer[64]);

/* In the list of a world's living threads, and out of it. */
void thread_list_add (Thread *t);
void thread_list_remove (Thread *t);
/* A new reference to a living non-daemon thread other than main, or NULL; `daemons` counts the others. */
Thread *thread_list_foreground (World *world, int *daemons);

/* At the end of the main script: waits for all non-daemon threads. Returns how many daemons are left, -1: interrupted. */
int thread_join_all (lua_State *L);

/* Waits for the end of t; FOREVER or an absolute deadline. WAKE_CHOSEN: ended. */
Wake thread_wait_end (lua_State *L, Thread *t, Nanos deadline);

/* Module functions: set_excepthook, and the default hook. */
int excepthook_set (lua_State *L);
int excepthook_default (lua_State *L);
/* Calls the hook for the error value at the top of the stack, with the traceback kept by excepthook_trace. [-1, 0, -] */
void excepthook_call (lua_State *L);
/* A message handler that keeps a traceback and leaves the error value alone. */
int excepthook_trace (lua_State *L);

#endif

/*
** watchdog.h - simulated threads that loop without any operation.
*/
#ifndef SIM_WATCHDOG_H
#define SIM_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <lua.h>
#include "thread/thread.h"

/* One run under watch; lives in the run itself. */
typedef struct Watched {
  pthread_t os;    /* const while watched, as `clock` is */
  clockid_t clock; /* the processor time of `os` */
  bool searched;   /* const while watched, as `hurry` is */
  const atomic_bool *hurry;
  atomic_long steps;       /* operations so far: written by the run, read by the watchdog, */
  atomic_uint renewals;    /* as how often it has begun anew */
  unsigned known;          /* the watchdog's: renewals at its last look, */
  long seen;               /* and steps */
  Nanos since;             /* the watchdog's: the processor time when they changed */
  atomic_long stuck_at;    /* written by the watchdog: the steps at which it lost patience */
  bool doomed;             /* the run's: it ends as a livelock */
  int deaf;                /* the run's: signals in a row that no hook has followed */
  int samples;             /* the run's, as what follows */
  char source[LUA_IDSIZE]; /* the file the samples are from, and the lines they lie between */
  int first, last;
  struct Watched *next; /* under the watchdog's mutex */
} Watched;

/*
** searched: many runs are to come, so a loop is taken for one sooner; and at once where *hurry,
** which may be NULL.
*/
void watchdog_begin (Watched *w, bool searched, const atomic_bool *hurry);
void watchdog_end (Watched *w);
/* It goes on as another run that has come so far: nothing that was found holds for that. */
void watchdog_renew (Watched *w, long steps);

/*
** Whether the run has made no operation for too long; it is doomed then, for good. For
** the run's own OS thread, also in a signal handler.
*/
bool watchdog_dooms (Watched *w);

/*
** From the signal handler of a doomed run, which has interrupted that code. True: the run
** does not listen, since Lua calls no hook in a finaliser or a long function in C, and can be
** left from within the handler: the interpreter itself was at work, so no lock is held and
** nothing is half done that anybody will look at. Once. *in_library: it was a function of Lua's
** libraries that does not come to an end, and the stack of Lua is whole.
*/
bool watchdog_leaves (Watched *w, const void *code, bool *in_library);

/*
** From a hook of a doomed run: notes the line. True: so many have been that it can be
** said where it loops.
*/
bool watchdog_sample (Watched *w, lua_State *L, lua_Debug *ar);

/* What to report, malloc'ed; NULL: no memory. */
char *watchdog_text (const Watched *w, Thread *self);

#endif

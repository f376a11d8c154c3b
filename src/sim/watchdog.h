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
  pthread_t os;         /* const while watched */
  atomic_long steps;    /* operations so far: written by the run, read by the watchdog */
  long seen;            /* the watchdog's: steps at its last look */
  atomic_int still;     /* its looks since they changed */
  struct Watched *next; /* under the watchdog's mutex */
} Watched;

void watchdog_begin (Watched *w);
void watchdog_end (Watched *w);
/* Whether the run has made no step for a while; safe in signal handlers. */
bool watchdog_suspects (const Watched *w);

/*
** From thread_hook, where ALERT_LOOP is set: counts instructions from now on,
** and calls give_up(self, text) when there have been too many without an
** operation; text, malloc'ed, names the lines.
*/
void watchdog_count (lua_State *L, Thread *self, Watched *w,
                     void (*give_up)(Thread *self, char *text));

#endif

/*
** watchdog.c - finding loops that never come to an operation.
**
** A simulated thread is only asked at its operations whether it may go on, so
** one that loops without any would hang the world. Counting instructions all
** the time would make every run several times slower. So an OS thread looks
** now and then whether each run has made steps; one that has not for a second
** gets a signal, and only from then on its instructions are counted. Whether a
** loop is reported depends on the count alone, not on the speed of the machine.
*/
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/watchdog.h"

#define LOOK 250000000 /* nanoseconds between looks */
#define STILL 4        /* looks without a step */
#define CHUNK 1000000  /* instructions between two calls of the counting hook */
#define PATIENCE 500   /* chunks without an operation: then it is a loop */
#define SAMPLES 20000  /* instructions watched to tell which lines it runs through */

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static Watched *runs; /* under mu */
static bool started;  /* under mu */

bool watchdog_suspects (const Watched *w) { return atomic_load(&w->still) >= STILL; }

static void look_at (Watched *w) {
  long steps = atomic_load_explicit(&w->steps, memory_order_relaxed);
  if (steps == w->seen) atomic_fetch_add(&w->still, 1);
  else atomic_store(&w->still, 0);
  w->seen = steps;
  if (watchdog_suspects(w)) pthread_kill(w->os, SIGURG);
}

static void *watch (void *ud) {
  struct timespec pause = {0, LOOK};
  (void)ud;
  for (;;) {
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&mu);
    for (Watched *w = runs; w != NULL; w = w->next) look_at(w);
    pthread_mutex_unlock(&mu);
  }
  return NULL;
}

/* Under mu. */
static void start (void) {
  sigset_t all, old;
  pthread_t os;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  started = pthread_create(&os, NULL, watch, NULL) == 0;
  if (started) pthread_detach(os);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void watchdog_begin (Watched *w) {
  w->os = pthread_self();
  pthread_mutex_lock(&mu);
  if (!started) start();
  w->next = runs;
  runs = w;
  pthread_mutex_unlock(&mu);
}

void watchdog_end (Watched *w) {
  pthread_mutex_lock(&mu);
  Watched **p = &runs;
  while (*p != w) p = &(*p)->next;
  *p = w->next;
  pthread_mutex_unlock(&mu);
}

/*
** The count, of one thread at a time.
*/
static _Thread_local struct {
  Watched *run;
  void (*give_up)(Thread *self, char *text);
  long steps; /* of the run when counting began */
  int chunks, samples;
  char source[LUA_IDSIZE]; /* the file the samples are from, and the lines they lie between */
  int first, last;
} count;

static char *describe (Thread *self) {
  char name[64], text[256];
  thread_copy_name(self, name);
  if (count.first == count.last)
    snprintf(text, sizeof text, "%s loops at %s:%d without any operation", name, count.source,
             count.first);
  else
    snprintf(text, sizeof text, "%s loops at %s:%d-%d without any operation", name, count.source,
             count.first, count.last);
  return strdup(text);
}

/* Called for each instruction: widens the range of lines. */
static void sample (lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "Sl", ar);
  if (count.samples == 0) {
    memcpy(count.source, ar->short_src, sizeof count.source);
    count.first = count.last = ar->currentline;
  }
  if (strcmp(count.source, ar->short_src) == 0 && ar->currentline > 0) {
    if (ar->currentline < count.first) count.first = ar->currentline;
    if (ar->currentline > count.last) count.last = ar->currentline;
  }
  if (++count.samples >= SAMPLES) count.give_up(thread_self, describe(thread_self));
}

static void count_chunk (lua_State *L, lua_Debug *ar) {
  (void)ar;
  if (atomic_load_explicit(&count.run->steps, memory_order_relaxed) != count.steps)
    lua_sethook(L, NULL, 0, 0);
  else if (++count.chunks >= PATIENCE) lua_sethook(L, sample, LUA_MASKCOUNT, 1);
}

void watchdog_count (lua_State *L, Thread *self, Watched *w,
                     void (*give_up)(Thread *self, char *text)) {
  long steps = atomic_load_explicit(&w->steps, memory_order_relaxed);
  atomic_fetch_and(&self->alerts, ~ALERT_LOOP);
  if (count.run != w || count.steps != steps) count.chunks = count.samples = 0;
  count.run = w;
  count.give_up = give_up;
  count.steps = steps;
  lua_sethook(L, count.chunks >= PATIENCE ? sample : count_chunk, LUA_MASKCOUNT,
              count.chunks >= PATIENCE ? 1 : CHUNK);
}

/*
** watchdog.c - finding loops that never come to an operation.
**
** A simulated thread is only asked at its operations whether it may go on, so
** one that loops without any would hang the world. Counting its instructions
** takes a hook, and a hook shows: a script may ask for it or have set its own,
** and a call of it may make Lua's stack grow, which moves the collector's pace. So
** nothing is counted. An OS thread looks now and then how much processor time
** each run has spent since its last operation. A run that has spent too much is
** doomed: it gets a signal, hooks tell through which lines it runs, and whatever
** it does meanwhile, it ends as a livelock. What the machine's speed decides is
** thus whether a long computation is taken for a loop, and nothing else.
**
** In a finaliser Lua calls no hook, nor in a function of its libraries that goes on and on, as
** a match of a pattern may. A run that loops in one is left from within the handler of the
** signal, at an instruction of the interpreter or of such a library.
*/
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/watchdog.h"

#define LOOK 250000000               /* nanoseconds between looks */
#define PATIENCE ((Nanos)10 * NANOS) /* processor time without an operation: then it is a loop */
#define SEARCHED ((Nanos)2 * NANOS)  /* the same of a run among many */
#define HURRIED ((Nanos)NANOS / 5)   /* the same where somebody waits for it */
#define SAMPLES 20000                /* instructions watched to tell which lines it runs through */

#define DEAF 4            /* signals without a hook: then there will be none */
#define INTERPRETER 12288 /* bytes of luaV_execute that are certain to be its own */

/* In the command, where Lua is linked in; NULL in the module. */
extern void luaV_execute (lua_State *L, void *ci) __attribute__((weak));

/* The command's: Lua's libraries of strings and tables, a section that its Makefile makes. */
extern const char __start_lua_loops[] __attribute__((weak));
extern const char __stop_lua_loops[] __attribute__((weak));

static uintptr_t code_begin, code_end; /* of the interpreter; const once `started` */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static Watched *runs; /* under mu */
static bool started;  /* under mu */

static Nanos spent (const Watched *w) {
  struct timespec ts;
  if (clock_gettime(w->clock, &ts) != 0) return w->since;
  return (Nanos)ts.tv_sec * NANOS + ts.tv_nsec;
}

static Nanos patience (const Watched *w) {
  if (w->hurry != NULL && atomic_load(w->hurry)) return HURRIED;
  return w->searched ? SEARCHED : PATIENCE;
}

static void look_at (Watched *w) {
  long steps = atomic_load_explicit(&w->steps, memory_order_relaxed);
  unsigned renewals = atomic_load_explicit(&w->renewals, memory_order_relaxed);
  Nanos now = spent(w);
  if (steps != w->seen || renewals != w->known) {
    w->seen = steps;
    w->known = renewals;
    w->since = now;
  }
  if (now - w->since < patience(w)) return;
  atomic_store(&w->stuck_at, steps);
  pthread_kill(w->os, SIGURG);
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

/* Finds the piece of code that has Lua's functions. */
static int find_code (struct dl_phdr_info *info, size_t size, void *ud) {
  uintptr_t lua = (uintptr_t)&lua_gettop;
  (void)size;
  (void)ud;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    uintptr_t end = begin + info->dlpi_phdr[i].p_memsz;
    if (info->dlpi_phdr[i].p_type != PT_LOAD || lua < begin || lua >= end) continue;
    code_begin = begin;
    code_end = end;
    return 1;
  }
  return 0;
}

/* Under mu. */
static void start (void) {
  sigset_t all, old;
  pthread_t os;
  if (luaV_execute == NULL) dl_iterate_phdr(find_code, NULL);
  else {
    code_begin = (uintptr_t)&luaV_execute;
    code_end = code_begin + INTERPRETER;
  }
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  started = pthread_create(&os, NULL, watch, NULL) == 0;
  if (started) pthread_detach(os);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void watchdog_begin (Watched *w, bool searched, const atomic_bool *hurry) {
  w->searched = searched;
  w->hurry = hurry;
  w->os = pthread_self();
  pthread_getcpuclockid(w->os, &w->clock);
  w->seen = w->stuck_at = -1;
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

void watchdog_renew (Watched *w, long steps) {
  atomic_store_explicit(&w->steps, steps, memory_order_relaxed);
  atomic_store_explicit(&w->renewals, w->renewals + 1, memory_order_relaxed);
  if (!w->doomed) return;
  atomic_store(&w->stuck_at, -1);
  w->doomed = false;
  w->deaf = w->samples = 0;
}

bool watchdog_dooms (Watched *w) {
  if (atomic_load(&w->stuck_at) == atomic_load(&w->steps)) w->doomed = true;
  return w->doomed;
}

bool watchdog_leaves (Watched *w, const void *code, bool *in_library) {
  uintptr_t at = (uintptr_t)code;
  *in_library = at >= (uintptr_t)__start_lua_loops && at < (uintptr_t)__stop_lua_loops;
  if (w->deaf < DEAF) w->deaf++;
  if (w->deaf != DEAF || (!*in_library && (at < code_begin || at >= code_end))) return false;
  w->deaf++;
  return true;
}

char *watchdog_text (const Watched *w, Thread *self) {
  char name[64], text[256];
  thread_copy_name(self, name);
  if (w->samples == 0) snprintf(text, sizeof text, "%s loops without any operation", name);
  else if (w->first == w->last)
    snprintf(text, sizeof text, "%s loops at %s:%d without any operation", name, w->source,
             w->first);
  else
    snprintf(text, sizeof text, "%s loops at %s:%d-%d without any operation", name, w->source,
             w->first, w->last);
  return strdup(text);
}

bool watchdog_sample (Watched *w, lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "Sl", ar);
  if (w->samples == 0) {
    memcpy(w->source, ar->short_src, sizeof w->source);
    w->first = w->last = ar->currentline;
  }
  if (strcmp(w->source, ar->short_src) == 0 && ar->currentline > 0) {
    if (ar->currentline < w->first) w->first = ar->currentline;
    if (ar->currentline > w->last) w->last = ar->currentline;
  }
  return ++w->samples >= SAMPLES;
}

/*
** real_driver.c - the real driver: OS threads (workers.c) that park on futexes
** (park.c), the system's clock, and the end of the process (exit.c).
*/
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "base/fence.h"
#include "real/private.h"
#include "real/real_driver.h"
#include "message/bundle.h"
#include "state/state.h"
#include "thread/thread.h"

/*
** States and time.
*/

/* A started thread may be interrupted before it runs; so its spot appears under mu. */
static void give_spot (Thread *t) {
  Spot *spot = t->spot != NULL ? t->spot : spot_new(&real_driver);
  pthread_mutex_lock(&t->mu);
  t->spot = spot;
  pthread_mutex_unlock(&t->mu);
}

static lua_State *real_open (Thread *t, lua_State *parent) {
  lua_State *L;
  give_spot(t);
  L = t->spot != NULL ? state_open() : NULL;
  if (L == NULL) return NULL;
  state_inherit(parent, L);
  bundle_inherit(parent, L, t->object.world);
  return L;
}

static Nanos clock_nanos (clockid_t id) {
  struct timespec ts;
  clock_gettime(id, &ts);
  return (Nanos)ts.tv_sec * NANOS + ts.tv_nsec;
}

static Nanos real_now (World *world) {
  (void)world;
  return clock_nanos(CLOCK_MONOTONIC);
}

static Nanos real_time (World *world) {
  (void)world;
  return clock_nanos(CLOCK_REALTIME);
}

/*
** Running Lua code is woken by a signal to its own OS thread, whose handler sets
** a hook in the coroutine that runs there. Another thread could not set it: the
** coroutine might be gone by then.
*/

static const void *interrupted_code (const ucontext_t *context) {
#if defined(__x86_64__)
  return (void *)(uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (void *)(uintptr_t)context->uc_mcontext.pc;
#else
  (void)context;
  return NULL;
#endif
}

static void on_poke (int sig, siginfo_t *info, void *context) {
  Thread *t = thread_self;
  int saved = errno;
  (void)sig;
  (void)info;
  if (t != NULL && t->object.world->observer != NULL && t->object.world->observer->poked != NULL)
    t->object.world->observer->poked(t, interrupted_code(context));
  if (t != NULL && t->running != NULL && atomic_load(&t->alerts) != 0) thread_arm(t, t->running);
  errno = saved;
}

static void real_poke (Thread *t) {
  if (t->signalable) pthread_kill(t->os, SIGURG);
}

bool (*_Atomic real_output)(int stream, const char *text, size_t length);

bool real_take_output (int stream, const char *text, size_t length) {
  bool (*take)(int, const char *, size_t) =
      atomic_load_explicit(&real_output, memory_order_acquire);
  return take != NULL && take(stream, text, length);
}

static bool real_write (World *world, int stream, const char *text, size_t length) {
  FILE *f = stream == 1 ? stdout : stderr;
  (void)world;
  exit_yield();
  if (real_take_output(stream, text, length)) return true;
  return fwrite(text, 1, length, f) == length;
}

static World the_world;
static pthread_once_t started = PTHREAD_ONCE_INIT;

const Driver real_driver = {.park = park_thread,
                            .unpark = park_unpark,
                            .now = real_now,
                            .time = real_time,
                            .open = real_open,
                            .close = workers_close,
                            .spawn = workers_spawn,
                            .poke = real_poke,
                            .patience = park_patience,
                            .write = real_write,
                            .exit = exit_process};

static void real_start (void) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = on_poke;
  sa.sa_flags = SA_RESTART | SA_SIGINFO;
  sigaction(SIGURG, &sa, NULL);
  park_start();
  fence_init();
  world_init(&the_world, &real_driver);
}

World *real_world (void) {
  pthread_once(&started, real_start);
  return &the_world;
}

void real_interrupt (int sig) {
  Thread *self = thread_self, *main = real_world()->main;
  (void)sig;
  if (thread_signal_here(ALERT_BREAK) || main == NULL)
    return; /* for the main thread of a simulated world */
  thread_alert(main, ALERT_SIGNAL);
  if (main != self) pthread_kill(main->os, SIGURG);
  else if (main->running != NULL)
    thread_arm(main, main->running); /* NULL: its state is being closed */
}

/*
** exit.c - the end of the process while other threads may still run.
**
** exit() would run handlers which those threads could disturb, so _exit() ends
** the process, and what has been written is flushed here, stream by stream:
** fflush(NULL) would wait for a stream that a thread holds in io.read. stdout and
** stderr wait for their readers as long as those take, as in Lua; a second Ctrl-C
** ends that. A file that a thread holds, and does not give back within a moment,
** is passed over.
*/
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "real/private.h"
#include "real/real_driver.h"
#include "state/files.h"
#include "thread/excepthook.h"
#include "thread/thread.h"
#include "world/record.h"

#define MOMENT 200 /* milliseconds */

static _Atomic(Thread *) ender; /* the thread that ends the process; NULL: nobody yet */

void exit_yield (void) {
  Thread *t = atomic_load_explicit(&ender, memory_order_relaxed);
  if (t != NULL && t != thread_self)
    for (;;) pause();
}

static void *flush_all (void *ud) {
  fflush(NULL);
  atomic_store((atomic_bool *)ud, true);
  return NULL;
}

/* Flushes the streams of C code, which nobody has noted. They get a moment: any may be locked. */
static void flush_others (void) {
  static atomic_bool done;
  const struct timespec millisecond = {0, 1000000};
  pthread_t os;
  if (pthread_create(&os, NULL, flush_all, &done) != 0) return;
  pthread_detach(os);
  for (int i = 0; i < MOMENT && !atomic_load(&done); i++) nanosleep(&millisecond, NULL);
}

static bool is_alone (void) {
  World *world = real_world();
  bool alone;
  pthread_mutex_lock(&world->mu);
  alone = world->alive <= 1;
  pthread_mutex_unlock(&world->mu);
  return alone;
}

void exit_process (int code) {
  Thread *nobody = NULL;
  if (record_ending != NULL) code = record_ending(real_world(), "exit", code);
  if (is_alone() && thread_self != NULL && thread_self->is_main) {
    real_stop_workers();
    exit(code);
  }
  excepthook_wait(real_world());
  if (!atomic_compare_exchange_strong(&ender, &nobody, thread_self)) exit_yield();
  files_flush(MOMENT);
  fflush(stdout);
  fflush(stderr);
  flush_others();
  _exit(code);
}

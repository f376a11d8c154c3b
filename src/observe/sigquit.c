/*
** sigquit.c - SIGQUIT (Ctrl-\) writes what every thread is doing.
**
** The handler only posts. A thread of its own writes the dump, so that it comes
** out whatever the others are doing. Where a simulated world runs under the
** handler, that thread would wait for it: the simulated thread writes the dump at
** its next instruction.
*/
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/dump.h"
#include "observe/sigquit.h"
#include "real/real_driver.h"
#include "thread/thread.h"

#define STACK_SIZE (1 << 20) /* of the thread that writes: every program has it, few ever use it */

static sem_t asked;

void sigquit_ask (void) {
  if (!thread_signal_here(ALERT_QUIT)) sem_post(&asked);
}

static void on_quit (int sig) {
  int saved = errno;
  (void)sig;
  sigquit_ask();
  errno = saved;
}

static void write_dump (World *world) {
  char *text = dump_report(world, "dump", NULL);
  if (text != NULL) {
    real_driver.write(real_world(), 2, text, strlen(text));
    fflush(stderr);
  }
  free(text);
}

static void *write_dumps (void *ud) {
  (void)ud;
  for (;;) {
    while (sem_wait(&asked) != 0) continue;
    write_dump(real_world());
  }
  return NULL;
}

void sigquit_simulated (Thread *self) {
  World *real = real_world();
  bool others;
  write_dump(self->object.world);
  pthread_mutex_lock(&real->mu);
  others = real->alive > 1;
  pthread_mutex_unlock(&real->mu);
  if (others) sem_post(&asked);
}

static void install (void) {
  struct sigaction sa;
  pthread_attr_t attributes;
  sigset_t all, old;
  pthread_t os;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_quit;
  sa.sa_flags = SA_RESTART;
  if (sem_init(&asked, 0, 0) != 0 || pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  if (pthread_create(&os, &attributes, write_dumps, NULL) == 0) sigaction(SIGQUIT, &sa, NULL);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
}

void sigquit_install (void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
}

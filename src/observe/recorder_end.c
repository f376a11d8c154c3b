/*
** recorder_end.c - the recording is written when the process ends, in whatever way.
**
** A signal may come at any moment, while any mutex is held. Its handler only posts; a
** thread of its own writes the file, and then the signal ends the process as it would
** have. After a crash the handler waits for that, but not for ever: the memory that
** is needed may be what has been broken.
*/
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "observe/recorder.h"
#include "real/real_driver.h"
#include "world/world.h"

#define PATIENCE 10000 /* milliseconds that a crash waits for its recording */

static struct {
  RecorderEnd how;
  atomic_bool done;
} at_end;

static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER; /* by the signals' thread */
static sem_t asked;
static atomic_int caught; /* the signal; 0: none yet */
static atomic_bool catching;

/* False: there is a problem. */
static bool complain (char *problem) {
  if (problem == NULL) return true;
  fprintf(stderr, "luasync: %s\n", problem);
  recorder_forget(problem);
  return false;
}

/* False: the file could not be written. */
static bool save (Recorder *rec, const RunInfo *info) {
  bool saved = true;
  if (at_end.how.file != NULL) saved = complain(recorder_save(rec, at_end.how.file, info));
  if (at_end.how.waits) complain(recorder_print(rec, "waits", info));
  if (at_end.how.lock_order) complain(recorder_print(rec, "lock_order", info));
  return saved;
}

static int save_at_end (World *world, const char *kind, int code) {
  Recorder *rec = recorder_of(world);
  RunInfo info = *at_end.how.info;
  if (rec == NULL || atomic_exchange(&at_end.done, true)) return code;
  info.verdict = kind;
  info.code = code;
  fflush(stdout);
  if (at_end.how.only_failures && code == 0 && !recorder_has_verdict(rec)) at_end.how.file = NULL;
  if (!save(rec, &info) && code == 0) code = EXIT_FAILURE;
  at_end.how.after();
  return code;
}

/*
** Signals.
*/

static bool is_crash (int sig) { return sig != SIGTERM && sig != SIGHUP && sig != SIGINT; }

static void save_after_signal (int sig) {
  Recorder *rec = at_end.how.after != NULL ? recorder_of(real_world()) : recorder_simulated();
  RunInfo info = *at_end.how.info;
  char text[100];
  if (rec == NULL || atomic_exchange(&at_end.done, true)) return;
  snprintf(text, sizeof text, "signal %d has ended the program: %s", sig, strsignal(sig));
  info.verdict = "signal";
  info.text = text;
  info.code = 128 + sig;
  info.sudden = true;
  save(rec, &info);
}

static void *wait_for_signal (void *ud) {
  sigset_t one;
  int sig;
  (void)ud;
  while (sem_wait(&asked) != 0) continue;
  sig = atomic_load(&caught);
  pthread_mutex_lock(&writing);
  save_after_signal(sig);
  signal(sig, SIG_DFL);
  sigemptyset(&one);
  sigaddset(&one, sig);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  raise(sig);
  return NULL;
}

static void on_signal (int sig) {
  const struct timespec millisecond = {0, 1000000};
  int none = 0;
  if (atomic_compare_exchange_strong(&caught, &none, sig)) sem_post(&asked);
  if (!is_crash(sig)) return;
  for (int i = 0; i < PATIENCE; i++) nanosleep(&millisecond, NULL);
  signal(sig, SIG_DFL);
  raise(sig);
}

/* Signals that somebody else wants, or that are to be ignored, stay theirs. */
static void catch_signals (void) {
  static const int signals[] = {SIGTERM, SIGHUP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  struct sigaction sa, old;
  sigset_t all, before;
  pthread_t os;
  bool started;
  if (sem_init(&asked, 0, 0) != 0) return;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  started = pthread_create(&os, NULL, wait_for_signal, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!started) return;
  pthread_detach(os);
  atomic_store(&catching, true);
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_signal;
  sa.sa_flags = SA_RESTART;
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    if (sigaction(signals[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO)
        && old.sa_handler == SIG_DFL)
      sigaction(signals[i], &sa, NULL);
}

void recorder_after_break (void) {
  struct sigaction sa;
  if (!atomic_load(&catching)) return;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_signal;
  sa.sa_flags = SA_RESTART | (int)SA_RESETHAND;
  sigaction(SIGINT, &sa, NULL);
}

const char *recorder_file_after_failure (void) {
  const char *file = getenv("LUASYNC_TRACE");
  return file != NULL && *file != '\0' ? file : NULL;
}

void recorder_at_end (const RecorderEnd *how) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  at_end.how = *how;
  if (how->after != NULL) record_ending = save_at_end;
  pthread_once(&once, catch_signals);
}

void recorder_end_is_over (void) {
  pthread_mutex_lock(&writing);
  atomic_store(&at_end.done, true);
  pthread_mutex_unlock(&writing);
}

/*
** workers.c - the OS threads of the real world.
**
** OS threads are reused: a finished one waits for the next job, which costs a
** third of making a new one. At the end of the process they are joined.
*/
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "real/private.h"
#include "real/real_driver.h"
#include "thread/thread.h"

#define STACK_SIZE (1024 * 1024) /* nested gsub needs more than 256 KiB */
#define ROOM (8 * 1024 * 1024)   /* free addresses without which no thread is started */
#define IDLE_MOST 64             /* OS threads kept for reuse */
#if !defined(PR_FUTEX_HASH)      /* newer than most headers */
#define PR_FUTEX_HASH 78
#define PR_FUTEX_HASH_SET_SLOTS 1
#endif

typedef struct Worker {
  pthread_t os;          /* written by the worker itself before its first job */
  Spot *spot;            /* const */
  _Atomic(Thread *) job; /* NULL: none yet; set before the spot is posted */
  atomic_bool leave;
  struct Worker *next; /* in idle or gone, under workers_mu */
} Worker;

static pthread_mutex_t workers_mu = PTHREAD_MUTEX_INITIALIZER;
static Worker *idle, *gone; /* under workers_mu */
static int idle_count;      /* under workers_mu */
static atomic_int workers;  /* that have been made and not been joined yet */
static bool closing;        /* under workers_mu: no more reuse */
static atomic_int leaving;  /* workers between the end of a thread and one of the lists */
static pthread_cond_t none_leaving = PTHREAD_COND_INITIALIZER;

static void set_os_name (Thread *t) {
  char name[64];
  thread_copy_name(t, name);
  name[15] = '\0'; /* the kernel's limit */
  pthread_setname_np(pthread_self(), name);
}

static void run_job (Thread *t) {
  pthread_mutex_lock(&t->mu);
  t->os = pthread_self();
  t->signalable = true;
  pthread_mutex_unlock(&t->mu);
  set_os_name(t);
  atomic_store(&t->native_id, gettid());
  thread_body(t);
}

/* Puts the worker into the list of idle ones or of those to be joined. True: it stays. */
static bool offer (Worker *w) {
  bool stays;
  pthread_mutex_lock(&workers_mu);
  stays = !closing && idle_count < IDLE_MOST;
  if (stays) {
    w->next = idle;
    idle = w;
    idle_count++;
  }
  else {
    w->next = gone;
    gone = w;
  }
  if (atomic_fetch_sub(&leaving, 1) == 1 && closing) pthread_cond_signal(&none_leaving);
  pthread_mutex_unlock(&workers_mu);
  return stays;
}

static void *worker_main (void *ud) {
  Worker *w = ud;
  w->os = pthread_self();
  for (;;) {
    Thread *t = atomic_exchange(&w->job, NULL);
    if (t != NULL) {
      run_job(t);
      if (!offer(w)) return NULL;
    }
    else if (atomic_load(&w->leave)) return NULL;
    else park_on(w->spot, FOREVER);
  }
}

static void free_worker (Worker *w) {
  pthread_join(w->os, NULL);
  atomic_fetch_sub(&workers, 1);
  spot_free(w->spot);
  free(w);
}

/* Joins the OS threads that have left; no mutex held. */
static void reap (void) {
  Worker *list;
  pthread_mutex_lock(&workers_mu);
  list = gone;
  gone = NULL;
  pthread_mutex_unlock(&workers_mu);
  while (list != NULL) {
    Worker *w = list;
    list = w->next;
    free_worker(w);
  }
}

static Worker *take_idle (void) {
  Worker *w;
  pthread_mutex_lock(&workers_mu);
  w = idle;
  if (w != NULL) {
    idle = w->next;
    idle_count--;
  }
  pthread_mutex_unlock(&workers_mu);
  return w;
}

/* Workers block the signals that are meant for the program: the main thread gets those. */
static int create_os_thread (Worker *w) {
  pthread_attr_t attr;
  sigset_t all, old;
  pthread_t os;
  int error;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_SIZE);
  sigfillset(&all);
  sigdelset(&all, SIGURG);
  sigdelset(&all, SIGSEGV);
  sigdelset(&all, SIGBUS);
  sigdelset(&all, SIGFPE);
  sigdelset(&all, SIGILL);
  sigdelset(&all, SIGABRT);
  sigdelset(&all, SIGPIPE);
  sigdelset(&all, SIGPROF);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  error = pthread_create(&os, &attr, worker_main, w);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
  return error;
}

/*
** Whether there is room for a thread's stack and for what the threads just
** started will need. A thread that cannot start is better than one that dies.
*/
static bool has_room (void) {
  size_t size = STACK_SIZE + ROOM;
  void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return false;
  munmap(p, size);
  return true;
}

/*
** The kernel keeps waiting threads in lists, chosen by the address they wait at.
** From Linux 6.16 on a process has a few such lists for each processor. With
** thousands of threads each wake-up would walk past hundreds, so the process asks
** for more lists. Older kernels refuse; they share all lists anyway.
*/
static void widen_lists (int threads) {
  static atomic_int enough = 64;
  int most = atomic_load(&enough);
  if (threads <= most || most > 4096 || !atomic_compare_exchange_strong(&enough, &most, 16 * most))
    return;
  prctl(PR_FUTEX_HASH, PR_FUTEX_HASH_SET_SLOTS, 16L * most, 0, 0);
}

static int new_worker (Thread *t) {
  Worker *w = has_room() ? calloc(1, sizeof *w) : NULL;
  int error = ENOMEM;
  if (w == NULL) return error;
  widen_lists(1 + atomic_fetch_add(&workers, 1));
  w->spot = spot_new(&real_driver);
  if (w->spot != NULL) {
    atomic_store(&w->job, t);
    error = create_os_thread(w);
  }
  if (error != 0) {
    atomic_fetch_sub(&workers, 1);
    spot_free(w->spot);
    free(w);
  }
  return error;
}

void workers_close (Thread *t, lua_State *L) {
  if (t != thread_self) { /* spawn failed */
    lua_close(L);
    return;
  }
  thread_close_state(L);
  atomic_fetch_add(&leaving, 1);
}

int workers_spawn (Thread *t) {
  const Observer *o = t->object.world->observer;
  Worker *w = take_idle();
  if (o != NULL && o->spawning != NULL) o->spawning();
  if (w == NULL) {
    reap();
    return new_worker(t);
  }
  atomic_store(&w->job, t);
  park_unpark(w->spot);
  return 0;
}

void real_stop_workers (void) {
  Worker *w;
  pthread_mutex_lock(&workers_mu);
  closing = true;
  while (atomic_load(&leaving) > 0) pthread_cond_wait(&none_leaving, &workers_mu);
  pthread_mutex_unlock(&workers_mu);
  while ((w = take_idle()) != NULL) {
    atomic_store(&w->leave, true);
    park_unpark(w->spot);
    free_worker(w);
  }
  reap();
}

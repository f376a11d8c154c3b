/*
** real_driver.c - the real driver: OS threads, the monotonic clock, futexes.
**
** A thread parks on the token of its spot: 0, 1 (unparked) or -1 (asleep in
** the kernel). The futex serves instead of a mutex and a condition because it
** is one word, can be posted from a signal handler, and takes an absolute
** monotonic deadline. ThreadSanitizer sees the atomics.
**
** OS threads are reused: a finished one waits a moment for the next job, which
** costs a third of making a new one. At the end of the process they are joined.
*/
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/fence.h"
#include "state/state.h"
#include "thread/thread.h"
#include "real/real_driver.h"

#define STACK_SIZE (1024 * 1024) /* nested gsub needs more than 256 KiB */
#define ROOM (8 * 1024 * 1024)   /* free addresses without which no thread is started */
#define IDLE_MOST 64             /* OS threads kept for reuse */
#if !defined(PR_FUTEX_HASH)      /* newer than most headers */
#define PR_FUTEX_HASH 78
#define PR_FUTEX_HASH_SET_SLOTS 1
#endif
#define PATIENCE 40 /* 10 to 20 µs in all: less than a wake-up through the kernel */

static int cpus = 1; /* const after real_start */

/*
** Parking.
*/

static void futex_wait (atomic_int *word, int value, Nanos deadline) {
  struct timespec at, *until = NULL;
  if (deadline != FOREVER) {
    at.tv_sec = deadline / NANOS;
    at.tv_nsec = deadline % NANOS;
    until = &at;
  }
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void futex_wake (atomic_int *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int real_patience (World *world) {
  return atomic_load_explicit(&world->awake, memory_order_relaxed) <= cpus && cpus > 1 ? PATIENCE
                                                                                       : 0;
}

static void spin_for (Spot *spot, World *world) {
  for (int n = real_patience(world); n > 0; n--) {
    if (atomic_load_explicit(&spot->token, memory_order_relaxed) == 1) return;
    world_pause();
  }
}

static void park_on (Spot *spot, Nanos deadline) {
  int was = 0;
  if (atomic_compare_exchange_strong(&spot->token, &was, -1)) {
    futex_wait(&spot->token, -1, deadline);
    was = -1;
    if (atomic_compare_exchange_strong(&spot->token, &was, 0)) return;
  }
  atomic_store(&spot->token, 0);
}

static void real_park (Thread *self, Nanos deadline) {
  spin_for(self->spot, self->object.world);
  park_on(self->spot, deadline);
}

static void real_unpark (Spot *spot) {
  if (atomic_exchange(&spot->token, 1) == -1) futex_wake(&spot->token);
}

/*
** Time.
*/

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
** OS threads.
*/

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

/* Puts the worker in the list of idle ones, or of those to be joined. Returns whether it stays. */
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

/* Signals meant for the program go to the main thread: workers block them. */
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

/* Whether there is room for a thread's stack and for what those just started will need: better no thread than one that dies. */
static bool has_room (void) {
  size_t size = STACK_SIZE + ROOM;
  void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return false;
  munmap(p, size);
  return true;
}

/*
** Threads that wait stand in lists by the address they wait at. From Linux 6.16
** on a process has a few lists for each processor; with thousands of threads each
** wake-up would walk along hundreds, if it did not get more. Older ones refuse.
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

static lua_State *real_open (Thread *t, lua_State *parent) {
  lua_State *L;
  if (t->spot == NULL) t->spot = spot_new(&real_driver);
  L = t->spot != NULL ? state_open() : NULL;
  if (L != NULL) state_inherit(parent, L);
  return L;
}

static void real_close (Thread *t, lua_State *L) {
  if (t != thread_self) { /* spawn failed */
    lua_close(L);
    return;
  }
  thread_close_state(L);
  atomic_fetch_add(&leaving, 1);
}

static int real_spawn (Thread *t) {
  const Observer *o = t->object.world->observer;
  Worker *w = take_idle();
  if (o != NULL && o->spawning != NULL) o->spawning();
  if (w == NULL) {
    reap();
    return new_worker(t);
  }
  atomic_store(&w->job, t);
  real_unpark(w->spot);
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
    real_unpark(w->spot);
    free_worker(w);
  }
  reap();
}

/*
** Waking Lua code that runs: a signal to its own OS thread, whose handler sets
** a hook in the coroutine that runs there; from outside that could be gone.
*/

/*
** Whether the signal has interrupted a system call that waits and is going to be
** begun again: then the thread was in a C function that does nothing else, and
** its Lua stack is as it should be. On other processors we do not look.
*/
static bool is_resting (const void *context) {
#if defined(__x86_64__)
  static const long calls[] = {SYS_read,   SYS_write,   SYS_readv,    SYS_writev, SYS_wait4,
                               SYS_accept, SYS_connect, SYS_recvfrom, SYS_openat};
  const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  const unsigned char *next = (const unsigned char *)(uintptr_t)registers[REG_RIP];
  if (next[0] != 0x0f || next[1] != 0x05) return false; /* syscall */
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (registers[REG_RAX] == calls[i]) return true;
#endif
  (void)context;
  return false;
}

static void on_poke (int sig, siginfo_t *info, void *context) {
  Thread *t = thread_self;
  int saved = errno;
  (void)sig;
  (void)info;
  if (t != NULL && t->object.world->observer != NULL && t->object.world->observer->poked != NULL)
    t->object.world->observer->poked(t, is_resting(context));
  if (t != NULL && t->running != NULL && atomic_load(&t->alerts) != 0) thread_arm(t, t->running);
  errno = saved;
}

static void real_poke (Thread *t) {
  if (t->signalable) pthread_kill(t->os, SIGURG);
}

bool (*_Atomic real_output)(int stream, const char *text, size_t length);

static bool real_write (World *world, int stream, const char *text, size_t length) {
  FILE *f = stream == 1 ? stdout : stderr;
  bool (*take)(int, const char *, size_t) =
      atomic_load_explicit(&real_output, memory_order_acquire);
  (void)world;
  if (take != NULL && take(stream, text, length)) return true;
  return fwrite(text, 1, length, f) == length;
}

static World the_world;
static pthread_once_t started = PTHREAD_ONCE_INIT;

/*
** Flushing all streams, by a thread of its own since one of them may be held
** for ever by a reader: it is given a moment.
*/
static void *flush_all (void *ud) {
  fflush(NULL);
  atomic_store((atomic_bool *)ud, true);
  return NULL;
}

static atomic_int alarm_code;

static void on_alarm (int sig) {
  (void)sig;
  _exit(atomic_load(&alarm_code));
}

/* The same where no thread can be had: an alarm ends the process where a flush does not come back. (Tools that keep signals back would hang.) */
static void flush_under_alarm (int code) {
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval moment = {.it_value = {.tv_usec = 200000}};
  sigset_t alarms;
  atomic_store(&alarm_code, code);
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigaction(SIGALRM, &action, NULL);
  pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
  setitimer(ITIMER_REAL, &moment, NULL);
  fflush(NULL);
}

static void flush_patiently (int code) {
  static atomic_bool done;
  struct timespec moment = {0, 1000000};
  pthread_t os;
  if (pthread_create(&os, NULL, flush_all, &done) != 0) {
    flush_under_alarm(code);
    return;
  }
  pthread_detach(os);
  for (int i = 0; i < 200 && !atomic_load(&done); i++) nanosleep(&moment, NULL);
}

static void real_exit (int code) {
  bool alone;
  pthread_mutex_lock(&the_world.mu);
  alone = the_world.alive <= 1;
  pthread_mutex_unlock(&the_world.mu);
  if (alone && thread_self != NULL && thread_self->is_main) {
    real_stop_workers();
    exit(code);
  }
  flush_patiently(code);
  _exit(code);
}

const Driver real_driver = {.park = real_park,
                            .unpark = real_unpark,
                            .now = real_now,
                            .time = real_time,
                            .open = real_open,
                            .close = real_close,
                            .spawn = real_spawn,
                            .poke = real_poke,
                            .patience = real_patience,
                            .write = real_write,
                            .exit = real_exit};

/* How many this process may use; cheaper to ask for than how many there are. */
static int processors (void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                     : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void real_start (void) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = on_poke;
  sa.sa_flags = SA_RESTART | SA_SIGINFO;
  sigaction(SIGURG, &sa, NULL);
  cpus = processors();
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

/*
** park.c - how a thread of the real world stops and goes on.
**
** A thread parks on the token of its spot: 0, 1 (unparked) or -1 (asleep in
** the kernel). The futex serves instead of a mutex and a condition because it
** is one word, can be posted from a signal handler, and takes an absolute
** monotonic deadline. ThreadSanitizer sees the atomics.
*/
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "real/private.h"
#include "world/thread_record.h"

#define PATIENCE 40 /* 10 to 20 µs in all: less than a wake-up through the kernel */

static int cpus = 1; /* const after park_start */

/* The processors that this process may use; cheaper to ask for than those there are. */
static int processors (void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                     : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

void park_start (void) { cpus = processors(); }

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

int park_patience (World *world) {
  return atomic_load_explicit(&world->awake, memory_order_relaxed) <= cpus && cpus > 1 ? PATIENCE
                                                                                       : 0;
}

static void spin_for (Spot *spot, World *world) {
  for (int n = park_patience(world); n > 0; n--) {
    if (atomic_load_explicit(&spot->token, memory_order_relaxed) == 1) return;
    world_pause();
  }
}

void park_on (Spot *spot, Nanos deadline) {
  int awake = 0;
  if (atomic_compare_exchange_strong(&spot->token, &awake, -1))
    futex_wait(&spot->token, -1, deadline);
  atomic_exchange(&spot->token, 0); /* what was written before the unpark is seen from here on */
}

void park_thread (Thread *self, Nanos deadline) {
  spin_for(self->spot, self->object.world);
  park_on(self->spot, deadline);
}

void park_unpark (Spot *spot) {
  if (atomic_exchange(&spot->token, 1) == -1) futex_wake(&spot->token);
}

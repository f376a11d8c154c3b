/*
** spinlock.c - what a lock does when it is not free.
**
** Its holder is a few instructions from giving it back, unless it has lost its
** processor; then the best thing to do is to lend it one. A lock that sleeps
** in the kernel was tried: it needs a second atomic step in every release, which
** cost a twelfth of a message and gained nothing with four threads on each side.
*/
#include <sched.h>

#include "base/spinlock.h"

#define LOOKS 30

static void pause_cpu (void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

static int try (Spinlock *lock) {
  int was = 0;
  return atomic_load_explicit(lock, memory_order_relaxed) == 0
         && atomic_compare_exchange_weak_explicit(lock, &was, 1, memory_order_acquire,
                                                  memory_order_relaxed);
}

void spinlock_take_slowly (Spinlock *lock) {
  for (;;) {
    for (int i = 0; i < LOOKS; i++) {
      if (try(lock)) return;
      pause_cpu();
    }
    sched_yield();
  }
}

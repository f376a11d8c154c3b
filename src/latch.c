/*
** latch.c - what a latch does when it is not free.
*/
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "latch.h"

#define SPINS 30

static void pause_cpu (void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

void latch_take_slowly (Latch *latch) {
  for (int i = 0; i < SPINS; i++) {
    int was = 0;
    if (atomic_load_explicit(latch, memory_order_relaxed) == 0
        && atomic_compare_exchange_weak_explicit(latch, &was, 1, memory_order_acquire, memory_order_relaxed)) return;
    pause_cpu();
  }
  while (atomic_exchange_explicit(latch, 2, memory_order_acquire) != 0)
    syscall(SYS_futex, latch, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void latch_wake (Latch *latch) {
  syscall(SYS_futex, latch, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

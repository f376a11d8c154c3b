/*
** latch.h - a mutex for a few instructions: one word, taken and given back in
** line. Whoever finds it taken spins a little, then sleeps on it. Not for
** anything that can raise, allocate in Lua, or wait.
*/
#ifndef LATCH_H
#define LATCH_H

#include <stdatomic.h>

/* 0: free; 1: taken; 2: taken, and somebody may be asleep. All zero at first. */
typedef atomic_int Latch;

void latch_take_slowly (Latch *latch);
void latch_wake (Latch *latch);

static inline void latch_take (Latch *latch) {
  int was = 0;
  if (!atomic_compare_exchange_strong_explicit(latch, &was, 1, memory_order_acquire, memory_order_relaxed))
    latch_take_slowly(latch);
}

static inline void latch_give (Latch *latch) {
  if (atomic_exchange_explicit(latch, 0, memory_order_release) == 2) latch_wake(latch);
}

#endif

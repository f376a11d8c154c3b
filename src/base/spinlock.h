/*
** latch.h - a mutex for a few instructions: one word, taken by one atomic step
** and given back by a plain store. Whoever finds it taken looks again, and now
** and then lets another thread run. Not for anything that can raise, allocate
** in Lua, or wait.
*/
#ifndef LATCH_H
#define LATCH_H

#include <stdatomic.h>

/* 0: free; 1: taken. All zero at first. */
typedef atomic_int Latch;

void latch_take_slowly (Latch *latch);

static inline void latch_take (Latch *latch) {
  int was = 0;
  if (!atomic_compare_exchange_strong_explicit(latch, &was, 1, memory_order_acquire, memory_order_relaxed))
    latch_take_slowly(latch);
}

static inline void latch_give (Latch *latch) {
  atomic_store_explicit(latch, 0, memory_order_release);
}

#endif

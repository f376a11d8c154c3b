/*
** spinlock.h - a mutex for a few instructions: one word, taken by one atomic step
** and given back by a plain store. A thread that finds it taken looks again, and
** now and then lets another thread run. Not for anything that can raise, allocate
** in Lua, or wait.
*/
#ifndef BASE_SPINLOCK_H
#define BASE_SPINLOCK_H

#include <stdatomic.h>

/* 0: free; 1: taken. All zero at first. */
typedef atomic_int Spinlock;

void spinlock_take_slowly (Spinlock *lock);

static inline void spinlock_take (Spinlock *lock) {
  int was = 0;
  if (!atomic_compare_exchange_strong_explicit(lock, &was, 1, memory_order_acquire,
                                               memory_order_relaxed))
    spinlock_take_slowly(lock);
}

static inline void spinlock_give (Spinlock *lock) {
  atomic_store_explicit(lock, 0, memory_order_release);
}

#endif

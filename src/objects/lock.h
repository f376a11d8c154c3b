/*
** lock.h - Lock and RLock as Condition needs them.
*/
#ifndef OBJECTS_LOCK_H
#define OBJECTS_LOCK_H

#include "thread/thread.h"

typedef struct Lock {
  Object object;
  /*
  ** 0: free. Otherwise the owner's serial shifted left by one; the lowest bit:
  ** threads stand in line, so release must look. Taken and given back by one
  ** compare-and-swap while nobody waits.
  */
  atomic_uint_least64_t word;
  pthread_mutex_t mu;
  Line line; /* under mu */
  Waiter *
      coming; /* has been woken and not come back yet: wake no other, to keep the order; under mu */
  atomic_int depth;   /* RLock: levels beyond the first; written by the owner */
  atomic_bool passed; /* has been released by another than its owner */
  CallSite taken;     /* where; the owner's own */
} Lock;

/* The lock behind the proxy at arg, Lock or RLock, or NULL. */
Lock *lock_test (lua_State *L, int arg);
bool lock_is_mine (Lock *lock);
/* Whether threads release it for each other. */
bool lock_is_signal (Lock *lock);
/* Gives back all levels, returns how many to take again. */
int lock_release_all (Lock *lock);
/* Takes them again, however long it takes; interrupts have to wait. Where `w` is not NULL, it was enlisted and has been woken. */
void lock_take_again (lua_State *L, Lock *lock, int levels, Waiter *w);
/*
** Puts the waiter of a thread that is parked in another line at the end of the
** lock's line; the caller holds the lock. It is woken when its turn has come.
*/
void lock_enlist (Lock *lock, Waiter *w);

/* acquire(self [, blocking [, timeout]]) and release(self), where self stands for the lock; nothing is allocated. [0, +1|0, raises] */
int lock_acquire_for (lua_State *L, Lock *lock);
int lock_release_for (lua_State *L, Lock *lock);

#endif

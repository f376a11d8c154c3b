/*
** lock.h - Lock and RLock as Condition needs them.
*/
#ifndef LOCK_H
#define LOCK_H

#include "thread.h"

typedef struct Lock {
  Object object;
  /*
  ** 0: free. Otherwise the owner's serial shifted left by one; the lowest bit:
  ** threads stand in line, so release must look. Taken and given back by one
  ** compare-and-swap while nobody waits.
  */
  atomic_uint_least64_t word;
  pthread_mutex_t mu;
  Line line;                      /* under mu */
  int depth;                      /* RLock: levels beyond the first; the owner's own */
  Mark taken;                     /* where; the owner's own */
} Lock;

/* The lock behind the proxy at arg, Lock or RLock, or NULL. */
Lock *lock_test (lua_State *L, int arg);
bool lock_is_mine (Lock *lock);
/* Gives back all levels, returns how many to take again. */
int lock_release_all (Lock *lock);
/* Takes them again, however long it takes; interrupts have to wait. */
void lock_take_again (lua_State *L, Lock *lock, int levels);

int lock_acquire (lua_State *L);  /* acquire(self [, blocking [, timeout]]) */
int lock_release (lua_State *L);

#endif

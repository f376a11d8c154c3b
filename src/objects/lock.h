/*
** lock.h - Lock and RLock, as Condition and select need them.
*/
#ifndef OBJECTS_LOCK_H
#define OBJECTS_LOCK_H

#include "thread/thread.h"

/*
** A thread in a lock's line, or on its way back from there. `coming` is the
** lock's field. A thread that has the lock, or has given up, is in no state.
**
**   state      in line  coming   starving  handed   what happens next
**   standing   yes      not it   no        no       a release wakes it: woken
**   woken      no       it       no        no       it tries: has the lock, or a newcomer
**                                                   was quicker: starving, at the head
**   starving   yes      not it   yes       no       a release wakes it: given
**   given      no       it       yes       yes      it comes back and has the lock
**
** The deadline or an interrupt takes a thread out of the states that are in line.
** Only one waiter of a lock is woken or given at a time, so the line keeps its order.
*/
typedef struct LockWaiter {
  Waiter waiter; /* first */
  /*
  ** The Waiter whose `woken` the thread looks at: this one, or that of a Condition
  ** or of a select. Const while in line.
  */
  Waiter *parked;
  /* Written by the owner while out of line; read by releases under the lock's mu. */
  bool starving;
  /* The release has made the thread the owner. Under the lock's mu. */
  bool handed;
} LockWaiter;

typedef struct Lock {
  Object object;
  /*
  ** The owner's serial, shifted left by one; 0: the lock is free. Any thread sets
  ** it where it is 0, by one compare-and-swap. Where it is not 0, a release sets
  ** it: to 0, or under mu to the waiter that is given the lock.
  **
  ** The lowest bit, WAITERS: a release must look at the line, under mu. Legal to be
  ** set while nobody stands there: that costs one look. Illegal to be clear, when
  ** mu is free, while a waiter is in line or coming: no release would wake it. Set
  ** and cleared under mu only; a release without mu has seen it clear.
  */
  atomic_uint_least64_t word;
  pthread_mutex_t mu;
  Line line; /* of LockWaiters; under mu */
  /*
  ** The waiter that a release has woken and that has not come back yet; NULL:
  ** none. Illegal to wake another while it is set: that one could be quicker. Set by
  ** the waker, cleared by the waiter; or, where it has been given the lock, by the
  ** thread that gives the lock back before it has come. Under mu.
  */
  LockWaiter *coming;
  atomic_int depth;   /* RLock: levels beyond the first; written by the owner */
  atomic_bool passed; /* has been released by another than its owner */
  CallSite taken;     /* where */
} Lock;

/* The lock behind the proxy at arg, Lock or RLock, or NULL. [0, 0, -] */
Lock *lock_test (lua_State *L, int arg);
bool lock_is_mine (Lock *lock);
/* Whether threads release it for each other. */
bool lock_is_signal (Lock *lock);
/* Gives back all levels, returns how many to take again. */
int lock_release_all (Lock *lock);

/* Prepares a waiter of the running thread. */
void lock_waiter_init (LockWaiter *lw, OpKind kind, Lock *lock, Nanos deadline);
/*
** Puts the waiter of a thread that is parked in another line at the end of the
** lock's line; the caller holds the lock. A release wakes it when its turn has
** come. Returns the waiter to wake at once, for line_wake, when all is unlocked; as a
** rule NULL.
*/
Waiter *lock_enlist (Lock *lock, LockWaiter *lw);
/*
** Takes the lock again, to `levels`, however long it takes; an interrupt stays
** pending. `lw` was enlisted and has been woken; NULL: the thread has stood in no
** line of the lock. [0, 0, -]
*/
void lock_take_again (lua_State *L, Lock *lock, int levels, LockWaiter *lw);

/*
** acquire(self [, blocking [, timeout]]) and release(self), where self stands for
** the lock; nothing is allocated. [0, +1|0, raises]
*/
int lock_acquire_for (lua_State *L, Lock *lock);
int lock_release_for (lua_State *L, Lock *lock);

#endif

/*
** system.h - a thread that waits for the system: in io.read, os.execute, a pipe.
**
** Between the two calls the thread calls the C library only, so that its Lua
** stack stands still and another thread may read it:
**
**     system_enter(L);
**     n = fread(to, 1, most, f);
**     system_leave();
*/
#ifndef THREAD_SYSTEM_H
#define THREAD_SYSTEM_H

#include "world/thread_record.h"

/*
** States of Thread.system: in Lua or elsewhere; in the C library; the same, and its
** stack is being read.
*/
enum { SYSTEM_OUT, SYSTEM_IN, SYSTEM_READ };

void system_leave_read (Thread *self);

/* L: the running coroutine. No Lua call may follow before system_leave. [0, 0, -] */
static inline void system_enter (lua_State *L) {
  Thread *self = thread_self;
  if (self == NULL) return;
  self->in_system = L;
  atomic_store_explicit(&self->system, SYSTEM_IN, memory_order_release);
}

/* Keeps errno. Waits for the thread that reads this one's stack. */
static inline void system_leave (void) {
  Thread *self = thread_self;
  int in = SYSTEM_IN;
  if (self == NULL || atomic_compare_exchange_strong(&self->system, &in, SYSTEM_OUT)) return;
  system_leave_read(self);
}

/*
** By another thread, under t->mu: the coroutine in which t waits for the system,
** or NULL. Its stack may be read until system_release, under the same lock.
*/
lua_State *system_hold (Thread *t);
void system_release (Thread *t);

#endif

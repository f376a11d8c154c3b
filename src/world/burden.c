/*
** burden.c - what Lua's collector cannot see: the memory of objects behind their
** proxies, and that a thread is about to stand still for long.
**
** The collector paces itself by Lua's own bytes. A proxy is 50 of them, a queue
** behind it several hundred: a loop that makes and drops queues would fill the
** memory before it is collected. And a thread that waits allocates nothing, so
** what it has dropped would stay.
*/
#include <malloc.h>

#include "world/burden.h"

#include "world/thread_record.h"

#define STEP 32768    /* bytes outside of Lua between two steps of the collector */
#define BESIDE 64     /* what a block from malloc costs besides, and small things that hang on it */
#define MUCH_KIB 2048 /* Lua memory that is worth a collection before a wait */
#define TRIM_KIB 8192 /* so much of it is given back to the system */

_Atomic(BurdenTrim) burden_trim, burden_unpin;

static void unpin (lua_State *L, Thread *self) {
  BurdenTrim f = atomic_load_explicit(&burden_unpin, memory_order_relaxed);
  self->pins_due = false;
  if (f != NULL) f(L);
}

void burden_weigh (lua_State *L, size_t bytes) {
  Thread *self = thread_self;
  if (self == NULL) return;
  if (self->pins_due) unpin(L, self);
  self->unweighed += bytes + BESIDE;
  if (self->unweighed < STEP) return;
  if (lua_gc(L, LUA_GCISRUNNING) > 0) lua_gc(L, LUA_GCSTEP, (int)(self->unweighed / 1024));
  self->unweighed = 0;
}

/* The C library keeps what was freed for later. */
void burden_give_back (void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

static void give_back_all (lua_State *L) {
  BurdenTrim trim = atomic_load_explicit(&burden_trim, memory_order_relaxed);
  if (trim != NULL) trim(L);
  burden_give_back();
}

/*
** Half as much again as after the last time, and MUCH more: so a loop of waits costs no
** more than the collector itself.
*/
void burden_drop (lua_State *L) {
  Thread *self = thread_self;
  int now;
  if (self->pins_due) unpin(L, self);
  now = lua_gc(L, LUA_GCCOUNT);
  if (now < self->kept_kib) { /* the collector has come by itself */
    if (self->kept_kib - now >= TRIM_KIB) give_back_all(L);
    self->kept_kib = now;
  }
  if (now < self->kept_kib + self->kept_kib / 2 + MUCH_KIB) return;
  if (lua_gc(L, LUA_GCISRUNNING) <= 0) return;
  lua_gc(L, LUA_GCCOLLECT);
  self->kept_kib = lua_gc(L, LUA_GCCOUNT);
  if (now - self->kept_kib >= TRIM_KIB) give_back_all(L);
}

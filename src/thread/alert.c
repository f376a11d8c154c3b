/*
** alert.c - what others want of a thread that runs: interrupts, signals, dumps.
**
** A thread that wants something sets a bit of `alerts` (or of the world's `signals`)
** and pokes the thread: the driver, or the thread's own signal handler, then
** sets a hook in the coroutine that runs. The hook looks at the bits between two
** instructions of Lua code, never on the way into or out of a C function: a
** __close that releases a lock must not be kept from doing so. A blocked call is
** woken instead, and raises the interrupt itself.
*/
#include "message/message.h"
#include "thread/thread.h"

/*
** Instructions for which an alert may be put off: a loop that calls hold() for ever
** closes nothing.
*/
#define PUT_OFF_MOST 1000

/*
** Gives L its own hook back, where thread_arm has taken its place and the script
** has not set another. A signal handler may do the same at any moment, and arm
** another coroutine after it: so what is saved is read first.
*/
static void disarm (Thread *t, lua_State *L) {
  lua_Hook hook = t->saved.hook;
  int mask = t->saved.mask, count = t->saved.count;
  atomic_signal_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&t->saved.in, memory_order_relaxed) != L) return;
  if (lua_gethook(L) == thread_hook) lua_sethook(L, hook, mask, count);
  atomic_compare_exchange_strong(&t->saved.in, &L, NULL);
}

/*
** One hook is saved at a time: that of the coroutine that runs. thread_switch
** disarms the one that is left, since it may be dead when the thread next looks.
*/
void thread_arm (Thread *t, lua_State *L) {
  lua_State *armed = atomic_load_explicit(&t->saved.in, memory_order_relaxed);
  if (lua_gethook(L) == thread_hook) return;
  if (armed != NULL && armed != L) disarm(t, armed);
  t->saved.hook = lua_gethook(L);
  t->saved.mask = lua_gethookmask(L);
  t->saved.count = lua_gethookcount(L);
  atomic_store_explicit(&t->saved.in, L, memory_order_relaxed);
  lua_sethook(L, thread_hook, LUA_MASKCOUNT, 1);
}

void thread_switch (Thread *t, lua_State *to) {
  lua_State *from = atomic_load_explicit(&t->running, memory_order_relaxed);
  if (from == NULL || from == to) return;
  atomic_store_explicit(&t->running, to, memory_order_relaxed);
  disarm(t, from);
  if (thread_is_asked(t)) thread_arm(t, to);
}

/*
** A coroutine that was made while its maker was armed has inherited the hook,
** and what the maker had before it; so what is saved is right for it as well.
*/
void thread_hook (lua_State *L, lua_Debug *ar) {
  Thread *t = thread_self;
  World *world = t->object.world;
  const Observer *o = world->observer;
  lua_State *here = L;
  unsigned asked;
  (void)ar;
  if (t->grace > 0 && ++t->put_off < PUT_OFF_MOST) {
    t->grace--; /* the thread is between hold() and the variable that will close it */
    return;
  }
  t->grace = t->put_off = 0;
  /* First this, then the bits: a signal that comes meanwhile either arms L again or is seen. */
  atomic_compare_exchange_strong(&t->saved.in, &here, NULL);
  lua_sethook(L, t->saved.hook, t->saved.mask, t->saved.count);
  asked = (atomic_load(&t->alerts) & ~ALERT_RAISES) | atomic_load(&world->signals);
  if (asked != 0 && o != NULL && o->alerted != NULL) o->alerted(L, t);
  thread_raise(L);
}

bool thread_is_asked (Thread *t) {
  return (atomic_load_explicit(&t->alerts, memory_order_relaxed)
          | atomic_load_explicit(&t->object.world->signals, memory_order_relaxed))
         != 0;
}

void thread_alert (Thread *t, unsigned bit) {
  atomic_fetch_or(&t->alerts, bit);
  if (t->spot != NULL) t->spot->driver->unpark(t->spot);
}

_Thread_local atomic_bool *thread_break_noted;

/*
** The running thread may be ending, or the scheduler active. The flag is on the
** world: whichever thread runs next sees it.
*/
bool thread_signal_here (unsigned alert) {
  Thread *self = thread_self;
  if (alert == ALERT_BREAK && thread_break_noted != NULL) {
    atomic_store(thread_break_noted, true);
    return true;
  }
  if (world_here == NULL) return false;
  atomic_fetch_or(&world_here->signals, alert);
  if (self != NULL && self->running != NULL) thread_arm(self, self->running);
  return true;
}

void thread_raise (lua_State *L) {
  Thread *self = thread_self;
  unsigned alerts = atomic_load(&self->alerts);
  Slot slot = {.tag = SLOT_NIL};
  if (alerts & ALERT_SIGNAL) {
    atomic_fetch_and(&self->alerts, ~ALERT_SIGNAL);
    luaL_error(L, "interrupted!");
  }
  if (!(alerts & ALERT_INTERRUPT)) return;
  pthread_mutex_lock(&self->mu);
  if (self->interrupt != NULL) {
    slot.tag = SLOT_MESSAGE;
    slot.u.message = self->interrupt;
    self->interrupt = NULL;
  }
  atomic_fetch_and(&self->alerts, ~ALERT_INTERRUPT);
  pthread_mutex_unlock(&self->mu);
  if (slot.tag == SLOT_NIL) lua_pushliteral(L, "interrupted");
  else slot_push_free(L, &slot);
  lua_error(L);
}

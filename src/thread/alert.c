/*
** alert.c - what others want of a thread that runs: interrupts, signals, dumps.
**
** Whoever wants something sets a bit of `alerts` (or of the world's `signals`)
** and pokes the thread: the driver, or the thread's own signal handler, then
** sets a hook in the coroutine that runs. The hook looks at the bits between two
** instructions of Lua code, never on the way into or out of a C function: a
** __close that releases a lock must not be kept from doing so. A blocked call is
** woken instead, and raises the interrupt itself.
*/
#include "message/message.h"
#include "thread/thread.h"

/* Instructions for which an alert may be put off: a loop that calls hold() for ever closes nothing. */
#define PUT_OFF_MOST 1000

void thread_arm (Thread *t, lua_State *L) {
  lua_Hook old = lua_gethook(L);
  if (old == thread_hook) return;
  t->old_hook = old;
  t->old_hook_mask = lua_gethookmask(L);
  t->old_hook_count = lua_gethookcount(L);
  lua_sethook(L, thread_hook, LUA_MASKCOUNT, 1);
}

void thread_hook (lua_State *L, lua_Debug *ar) {
  Thread *t = thread_self;
  World *world = t->object.world;
  const Observer *o = world->observer;
  unsigned asked = (atomic_load(&t->alerts) & ~ALERT_RAISES) | atomic_load(&world->signals);
  (void)ar;
  if (t->grace > 0
      && ++t->put_off < PUT_OFF_MOST) { /* between hold() and the variable that will close it */
    t->grace--;
    return;
  }
  t->grace = t->put_off = 0;
  lua_sethook(L, t->old_hook, t->old_hook_mask, t->old_hook_count);
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

/* The thread that runs may be on its way out, or the scheduler at work: who gets the turn looks again. */
bool thread_signal_here (unsigned alert) {
  Thread *self = thread_self;
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

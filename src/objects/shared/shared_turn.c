/*
** shared_turn.c - which thread may touch a table now: waiting for sync.update to end.
**
** The mutex cannot be held while the function runs. Instead the table has an
** `updater`, and every other thread stands in line until it has gone. A thread
** that leaves a free table wakes the first in line, so the line drains whether its
** members came to read or to update. A waiter that was woken and found the table
** taken again by a newcomer is starving, and is given the table the next time.
**
** An updater may have to wait for a second table. It does, unless that table's
** updater waits (over any number of tables) for one of its own: that would be for
** ever, and the thread that notices gets an error.
*/
#include "objects/shared/shared.h"

static const char
    updating_key; /* registry: the innermost table this state updates, light userdata */

/* Where the line of waiters for tables closes in on itself; never taken on the fast paths. */
static pthread_mutex_t circles_mu = PTHREAD_MUTEX_INITIALIZER;

/*
** Waiting for an update to end.
*/

/* Whether waiting for `target` would be waiting for oneself; if not, notes that we do. */
static bool closes_circle (Shared *target, Shared *own, Thread *self) {
  bool circle = false;
  pthread_mutex_lock(&circles_mu);
  for (Shared *s = target; s != NULL && !circle; s = s->awaited)
    circle = atomic_load(&s->updater) == self;
  for (; own != NULL && !circle; own = own->outer) own->awaited = target;
  pthread_mutex_unlock(&circles_mu);
  return circle;
}

static void forget_awaited (Shared *own) {
  pthread_mutex_lock(&circles_mu);
  for (; own != NULL; own = own->outer) own->awaited = NULL;
  pthread_mutex_unlock(&circles_mu);
}

/* The innermost table this state is updating, or NULL. [0, 0, -] */
Shared *shared_innermost (lua_State *L) {
  Shared *s;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &updating_key);
  s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

/* A thread that waits for an update to end. */
typedef struct TurnWaiter {
  Waiter waiter; /* first */
  bool starving; /* has been woken and lost the table to a newcomer; written while out of line */
} TurnWaiter;

/* Waits in line until the table is free; under mu, before and after. False: interrupted. */
static bool stand_in_line (lua_State *L, Shared *s, OpKind kind) {
  TurnWaiter t = {.starving = false};
  Waiter *w = &t.waiter;
  waiter_init(w, kind, s, FOREVER);
  line_join(&s->line, w);
  for (;;) {
    Thread *updater;
    Wake wake;
    pthread_mutex_unlock(&s->mu);
    wake = line_wait(L, w, &s->mu, FOREVER);
    pthread_mutex_lock(&s->mu);
    if (wake == WAKE_INTERRUPT) return false;
    updater = atomic_load(&s->updater);
    if (updater == w->thread) atomic_store(&s->updater, NULL); /* given to this thread */
    if (updater == w->thread || updater == NULL) return true;
    t.starving = true;
    line_rejoin(&s->line, w);
  }
}

/* Enters a table somebody updates; mu is held. */
SharedRefusal shared_enter_slowly (lua_State *L, Shared *s, OpKind kind) {
  Thread *self = thread_self;
  Shared *own;
  SharedRefusal why = SHARED_TOUCHED;
  if (atomic_load(&s->updater) == self) goto out;
  own = self->updating > 0 ? shared_innermost(L) : NULL;
  why = SHARED_CIRCLE;
  if (own != NULL && closes_circle(s, own, self)) goto out;
  why = stand_in_line(L, s, kind) ? SHARED_ENTERED : SHARED_INTERRUPTED;
  if (own != NULL) forget_awaited(own);
out:
  if (why != SHARED_ENTERED) pthread_mutex_unlock(&s->mu);
  return why;
}

/* Leaves a table that others wait for; a starving one gets it directly. */
void shared_pass_on (Shared *s) {
  Waiter *next = line_choose(&s->line);
  if (next != NULL && ((TurnWaiter *)next)->starving) atomic_store(&s->updater, next->thread);
  pthread_mutex_unlock(&s->mu);
  line_wake(next);
}

int shared_refuse (lua_State *L, SharedRefusal why) {
  switch (why) {
    case SHARED_TOUCHED: return luaL_error(L, "cannot touch the table being updated");
    case SHARED_CIRCLE: return luaL_error(L, "cannot block inside update");
    default: thread_raise(L); return luaL_error(L, "interrupted");
  }
}

void shared_set_innermost (lua_State *L, Shared *s) {
  lua_pushlightuserdata(L, s);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &updating_key);
}

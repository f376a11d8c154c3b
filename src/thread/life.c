/*
** life.c - the life of a started thread: its target is called, its
** outcome kept, its end announced; and what others may do to it meanwhile.
**
** The outcome is encoded before the state is closed and the thread is marked
** as ended after it: who has joined a thread finds its locals gone and its
** finalisers run.
*/
#include <stdlib.h>
#include <string.h>

#include "message/message.h"
#include "thread/thread.h"
#include "thread/name.h"

/*
** The list of living threads.
*/

void thread_list_add (Thread *t) {
  World *world = t->object.world;
  object_keep(&t->object);
  pthread_mutex_lock(&world->mu);
  t->next = NULL;
  t->previous = world->last_thread;
  if (world->last_thread != NULL) world->last_thread->next = t;
  else world->threads = t;
  world->last_thread = t;
  world->alive++;
  pthread_mutex_unlock(&world->mu);
}

void thread_list_remove (Thread *t) {
  World *world = t->object.world;
  pthread_mutex_lock(&world->mu);
  if (t->previous != NULL) t->previous->next = t->next;
  else world->threads = t->next;
  if (t->next != NULL) t->next->previous = t->previous;
  else world->last_thread = t->previous;
  world->alive--;
  pthread_mutex_unlock(&world->mu);
  object_drop(&t->object);
}

Thread *thread_list_foreground (World *world, int *daemons) {
  Thread *found = NULL;
  *daemons = 0;
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next) {
    if (t->is_main) continue;
    if (t->daemon) ++*daemons;
    else if (found == NULL) found = t;
  }
  if (found != NULL) object_keep(&found->object);
  pthread_mutex_unlock(&world->mu);
  return found;
}

/*
** Alerts: interrupts, signals. They are delivered between two instructions of
** Lua code only, never on the way into or out of a C function: a __close that
** releases a lock must not be kept from doing so.
*/

#define PUT_OFF_MOST \
  1000 /* instructions: a loop may call hold() for ever without closing anything */

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

/*
** Running.
*/

static World *audience (Thread *t) {
  return t->reports_to != NULL ? t->reports_to : t->object.world;
}

/* (thread) calls the target; its results become the outcome. In protected mode. */
static int call_target (lua_State *L) {
  Thread *t = lua_touserdata(L, 1);
  Message *work;
  int n;
  lua_settop(L, 0);
  pthread_mutex_lock(&t->mu);
  work = t->work;
  pthread_mutex_unlock(&t->mu);
  if (work == NULL) return 0;
  n = message_decode(L, work);
  pthread_mutex_lock(&t->mu);
  t->work = NULL;
  pthread_mutex_unlock(&t->mu);
  message_free(work);
  lua_call(L, n - 1, LUA_MULTRET);
  t->outcome = message_encode(L, 1, lua_gettop(L), ROOT_RESULTS, audience(t));
  return 0;
}

/* (thread, error) keeps the error as the outcome. In protected mode. */
static int keep_error (lua_State *L) {
  Thread *t = lua_touserdata(L, 1);
  t->outcome = message_encode(L, 2, 1, ROOT_ERROR, audience(t));
  return 0;
}

/* Keeps the error at the top of the stack, which stays; where it cannot cross, the error that says so. */
static void keep_some_error (lua_State *L, Thread *t) {
  lua_pushvalue(L, -1);
  for (int i = 0; i < 2; i++) {
    lua_pushcfunction(L, keep_error);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, t);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) return;
  }
  lua_pop(L, 1);
}

bool thread_call_work (lua_State *L, Thread *t) {
  lua_pushcfunction(L, excepthook_trace);
  lua_pushcfunction(L, call_target);
  lua_pushlightuserdata(L, t);
  if (lua_pcall(L, 1, 0, 1) == LUA_OK) return true;
  t->failed = true;
  keep_some_error(L, t);
  return false;
}

void thread_main_over (Thread *t) {
  Waiter *chain;
  pthread_mutex_lock(&t->mu);
  atomic_store(&t->life, LIFE_ENDED);
  chain = line_choose_all(&t->joiners);
  pthread_mutex_unlock(&t->mu);
  line_wake(chain);
}

lua_State *thread_leave_state (Thread *t) {
  lua_State *L;
  pthread_mutex_lock(&t->mu);
  L = t->L;
  t->L = NULL;
  t->signalable = false;
  pthread_mutex_unlock(&t->mu);
  t->running = NULL;
  return L;
}

void thread_close_state (lua_State *L) {
  lua_close(L);
  cleanup_release_all();
}

void thread_end (Thread *t) {
  World *world = t->object.world;
  if (t->locks_held > 0) thread_bury(t);
  thread_list_remove(t);
  pthread_mutex_lock(&t->mu);
  t->signalable = false;
  pthread_mutex_unlock(&t->mu);
  thread_main_over(t);
  world_less_awake(world);
}

void thread_body (Thread *t) {
  lua_State *L = t->L;
  thread_self = t;
  t->running = L;
  if (thread_is_asked(t)) thread_arm(t, L);
  if (!thread_call_work(L, t)) excepthook_call(L);
  announce(L, OP_END, t);
  t->running = NULL;
  pthread_mutex_lock(&t->mu);
  t->L = NULL;
  pthread_mutex_unlock(&t->mu);
  t->object.world->driver->close(t, L);
  thread_end(t);
  thread_self = NULL;
  object_drop(&t->object);
}

/* A waiter whose payload is not NULL waits for the result. */
static Wake wait_end (lua_State *L, Thread *t, Nanos deadline, void *payload) {
  Waiter w;
  waiter_init(&w, OP_JOIN, t, deadline);
  w.payload = payload;
  pthread_mutex_lock(&t->mu);
  if (atomic_load(&t->life) == LIFE_ENDED) {
    pthread_mutex_unlock(&t->mu);
    return WAKE_CHOSEN;
  }
  line_join(&t->joiners, &w);
  pthread_mutex_unlock(&t->mu);
  return line_wait(L, &w, &t->mu, deadline);
}

Wake thread_wait_end (lua_State *L, Thread *t, Nanos deadline) {
  return wait_end(L, t, deadline, NULL);
}

Wake thread_wait_result (lua_State *L, Thread *t, Nanos deadline) {
  return wait_end(L, t, deadline, t);
}

bool thread_result_awaited (Thread *t) {
  bool awaited = false;
  pthread_mutex_lock(&t->mu);
  for (Waiter *w = t->joiners.first; w != NULL; w = w->next)
    awaited = awaited || (w->payload != NULL && w->forever);
  pthread_mutex_unlock(&t->mu);
  return awaited;
}

int thread_join_all (lua_State *L) {
  World *world = thread_self->object.world;
  int daemons;
  Thread *t;
  thread_main_over(thread_self);
  while ((t = thread_list_foreground(world, &daemons)) != NULL) {
    Wake wake = thread_wait_end(L, t, FOREVER);
    object_drop(&t->object);
    if (wake == WAKE_INTERRUPT) {
      atomic_store(&thread_self->alerts, 0);
      daemons = -1;
      break;
    }
  }
  atomic_store(&world->ending, 1);
  return daemons;
}

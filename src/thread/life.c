/*
** life.c - the life of a started thread: its target is called, its outcome is
** kept, its end is announced.
**
** The outcome is encoded before the state is closed and the thread is marked
** as ended after it: a thread that has joined another finds its locals gone and its
** finalisers run.
*/
#include <stdlib.h>
#include <string.h>

#include "message/message.h"
#include "thread/excepthook.h"
#include "thread/name.h"
#include "thread/thread.h"
#include "world/record.h"
#include "world/args.h"

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
  world->had_daemons |= t->daemon;
  pthread_mutex_unlock(&world->mu);
}

void thread_list_remove (Thread *t) {
  World *world = t->object.world;
  pthread_mutex_lock(&world->mu);
  if (t->previous != NULL) t->previous->next = t->next;
  else world->threads = t->next;
  if (t->next != NULL) t->next->previous = t->previous;
  else world->last_thread = t->previous;
  t->next = t->previous = NULL;
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
** Running.
*/

static World *audience (Thread *t) {
  return t->reports_to != NULL ? t->reports_to : t->object.world;
}

/* The n values from stack index `first` on become the outcome. [0, 0, raises] */
static void set_outcome (lua_State *L, Thread *t, int first, int n, Root root) {
  Message *outcome = message_encode(L, first, n, root, audience(t));
  if (message_leads(outcome)) cycles_hold(&t->object);
  t->outcome = outcome;
}

/* (thread) calls the target; its results become the outcome. In protected mode. */
static int call_target (lua_State *L) {
  Thread *t = args_inner(L, 1);
  Message *work;
  int n;
  lua_settop(L, 0);
  pthread_mutex_lock(&t->mu);
  work = t->work;
  pthread_mutex_unlock(&t->mu);
  if (t->role != NULL && t->role->begin != NULL && !t->role->begin(L, t)) return 0;
  if (work == NULL) return 0;
  n = message_decode(L, work);
  pthread_mutex_lock(&t->mu);
  t->work = NULL;
  pthread_mutex_unlock(&t->mu);
  thread_copy_begin(L, t, work, 1, n);
  lua_pushvalue(L, 1); /* it captures what it may have changed */
  lua_insert(L, 1);
  lua_call(L, n - 1, LUA_MULTRET);
  thread_copy_end(L, t);
  set_outcome(L, t, 2, lua_gettop(L) - 1, ROOT_RESULTS);
  return 0;
}

/* (thread, error) keeps the error as the outcome. In protected mode. */
static int keep_error (lua_State *L) {
  Thread *t = args_inner(L, 1);
  set_outcome(L, t, 2, 1, ROOT_ERROR);
  return 0;
}

/* (thread) keeps what is certain to cross. In protected mode. */
static int keep_certain_error (lua_State *L) {
  lua_pushliteral(L, "cannot send the error value of a thread");
  return keep_error(L);
}

/*
** Keeps the error at the top of the stack, which stays; where it cannot cross, the
** error that says so; where that cannot either, a plain string.
*/
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
  lua_pushcfunction(L, keep_certain_error);
  lua_pushlightuserdata(L, t);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

bool thread_call_work (lua_State *L, Thread *t) {
  lua_pushcfunction(L, excepthook_trace);
  lua_pushcfunction(L, call_target);
  lua_pushlightuserdata(L, t);
  if (lua_pcall(L, 1, 0, 1) == LUA_OK) return true;
  thread_copy_end(L, t);
  t->failed = true;
  keep_some_error(L, t);
  return false;
}

void thread_record_end (Thread *t) {
  if (record_is_on())
    record_take(&(Record){.kind = RECORD_END, .op = OP_END, .who = t, .a = t->failed});
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

/* t has ended: what it belongs to learns of it, and is let go. */
static void leave_role (Thread *t) {
  Object *owner = t->owner;
  if (t->role != NULL && t->role->ended != NULL) t->role->ended(t);
  t->owner = NULL;
  if (owner != NULL) object_drop(owner);
}

void thread_end (Thread *t) {
  World *world = t->object.world;
  if (t->locks_held > 0) thread_bury(t);
  thread_copy_forget(t);
  thread_list_remove(t);
  pthread_mutex_lock(&t->mu);
  t->signalable = false;
  pthread_mutex_unlock(&t->mu);
  thread_main_over(t);
  leave_role(t);
  world_less_awake(world);
}

void thread_body (Thread *t) {
  lua_State *L = t->L;
  World *world = t->object.world;
  thread_self = t;
  t->running = L;
  if (thread_is_asked(t)) thread_arm(t, L);
  if (!thread_call_work(L, t)
      && (t->role == NULL || t->role->failed == NULL || !t->role->failed(t)))
    excepthook_call(L);
  announce(L, OP_END, t);
  t->running = NULL;
  pthread_mutex_lock(&t->mu);
  t->L = NULL;
  pthread_mutex_unlock(&t->mu);
  world->driver->close(t, L);
  thread_record_end(t); /* after the finalisers of its state, which may act */
  thread_end(t);
  thread_self = NULL;
  object_drop(&t->object);
  cycles_poll(world, CYCLES_COLLECTED);
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
    awaited = awaited || (w->payload == t && w->forever);
  pthread_mutex_unlock(&t->mu);
  return awaited;
}

/*
** For select.
*/

static Selected select_take (lua_State *L, Object *o, struct PriorityEntry *taken) {
  (void)L;
  (void)taken;
  if (atomic_load(&((Thread *)o)->life) != LIFE_ENDED) return SELECT_NOTHING;
  record(OP_JOIN, o, 1, 0);
  return SELECT_TAKEN;
}

static bool select_enlist (Object *o, Waiter *w, bool first) {
  Thread *t = (Thread *)o;
  bool stands;
  pthread_mutex_lock(&t->mu);
  stands = line_enlist(&t->joiners, w, first);
  pthread_mutex_unlock(&t->mu);
  return stands;
}

static bool select_withdraw (Object *o, Waiter *w) {
  Thread *t = (Thread *)o;
  bool stood;
  pthread_mutex_lock(&t->mu);
  stood = w->line != NULL;
  if (stood) line_leave(w);
  pthread_mutex_unlock(&t->mu);
  return stood || atomic_load(&w->woken) != 0;
}

const Selectable thread_select = {select_take, select_enlist, select_withdraw};

int thread_join_foreground (lua_State *L) {
  int daemons;
  Thread *t;
  while ((t = thread_list_foreground(thread_self->object.world, &daemons)) != NULL) {
    Wake wake = thread_wait_end(L, t, FOREVER);
    object_drop(&t->object);
    if (wake == WAKE_INTERRUPT) {
      atomic_store(&thread_self->alerts, 0);
      return -1;
    }
  }
  return daemons;
}

int thread_join_all (lua_State *L) {
  World *world = thread_self->object.world;
  int daemons;
  if (thread_self->makes_pools) announce(L, OP_END, thread_self); /* which workers look at */
  thread_main_over(thread_self);
  if (world->ends_aloud)
    world_announce(&(Op){.kind = OP_EXIT_LAST, .aside = true, .until = FOREVER, .L = L});
  daemons = thread_join_foreground(L);
  atomic_store(&world->ending, 1);
  return daemons;
}

/*
** world.c - what both drivers share: lines of waiters, the one blocking
** protocol, and the notes about blocked threads that reports are made of.
*/
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "world/thread_record.h"

const char *const op_names[OP_COUNT] = {[OP_ACQUIRE] = "acquire",
                                        [OP_TRY_ACQUIRE] = "try acquire",
                                        [OP_RELEASE] = "release",
                                        [OP_WAIT] = "wait",
                                        [OP_REACQUIRE] = "reacquire",
                                        [OP_NOTIFY] = "notify",
                                        [OP_SET] = "set",
                                        [OP_CLEAR] = "clear",
                                        [OP_IS_SET] = "is_set",
                                        [OP_WAIT_SET] = "wait",
                                        [OP_DOWN] = "acquire",
                                        [OP_TRY_DOWN] = "try acquire",
                                        [OP_UP] = "release",
                                        [OP_VALUE] = "value",
                                        [OP_PUT] = "put",
                                        [OP_GET] = "get",
                                        [OP_TRY_PUT] = "try put",
                                        [OP_TRY_GET] = "try get",
                                        [OP_TASK_DONE] = "task_done",
                                        [OP_QUEUE_JOIN] = "join",
                                        [OP_SHUTDOWN] = "shutdown",
                                        [OP_LOOK] = "look",
                                        [OP_READ] = "get",
                                        [OP_WRITE] = "set",
                                        [OP_UPDATE] = "update",
                                        [OP_TRAVERSE] = "pairs",
                                        [OP_START] = "start",
                                        [OP_JOIN] = "join",
                                        [OP_INTERRUPT] = "interrupt",
                                        [OP_END] = "end",
                                        [OP_SLEEP] = "sleep",
                                        [OP_CLOCK] = "clock",
                                        [OP_OUTPUT] = "print"};

_Thread_local Thread *thread_self;
_Thread_local World *world_here;
atomic_int worlds_observed;

void world_init (World *world, const Driver *driver) {
  memset(world, 0, sizeof *world);
  world->driver = driver;
  pthread_mutex_init(&world->mu, NULL);
  if (driver->announce != NULL) atomic_fetch_add(&worlds_observed, 1);
}

void world_less_awake (World *world) {
  const Observer *o = world->observer;
  if (atomic_fetch_sub(&world->awake, 1) == 1 && o != NULL && o->stuck != NULL) o->stuck(world);
}

void world_announce (lua_State *L, OpKind kind, void *object, lua_Integer argument) {
  Thread *self = thread_self;
  const Driver *driver = self->object.world->driver;
  if (driver->announce != NULL) {
    Op op = {kind, object, L, argument};
    driver->announce(self, &op);
  }
}

Nanos world_now (World *world) { return world->driver->now(world); }

Nanos world_deadline (World *world, Nanos relative) {
  Nanos now;
  if (relative == FOREVER) return FOREVER;
  now = world_now(world);
  return relative > FOREVER - 1 - now ? FOREVER - 1 : now + relative;
}

/*
** Spots are kept for ever in a free list: a waker may hold the address of one
** whose thread has ended meanwhile, and its token then means nothing.
*/
static pthread_mutex_t spots_mu = PTHREAD_MUTEX_INITIALIZER;
static Spot *spots_free; /* under spots_mu */

Spot *spot_new (const Driver *driver) {
  Spot *spot;
  pthread_mutex_lock(&spots_mu);
  spot = spots_free;
  if (spot != NULL) spots_free = spot->next;
  pthread_mutex_unlock(&spots_mu);
  if (spot == NULL) {
    spot = calloc(1, sizeof *spot);
    if (spot == NULL) return NULL;
  }
  atomic_store(&spot->token, 0);
  spot->driver = driver;
  return spot;
}

void spot_free (Spot *spot) {
  if (spot == NULL) return;
  pthread_mutex_lock(&spots_mu);
  spot->next = spots_free;
  spots_free = spot;
  pthread_mutex_unlock(&spots_mu);
}

/*
** Lines.
*/

void wait_allowed (lua_State *L) {
  if (thread_self->updating > 0) luaL_error(L, "cannot block inside update");
}

void waiter_init (Waiter *w, OpKind kind, void *object, Nanos deadline) {
  memset(w, 0, sizeof *w);
  w->thread = thread_self;
  w->spot = thread_self->spot;
  w->kind = kind;
  w->object = object;
  w->forever = deadline == FOREVER;
}

void line_join (Line *line, Waiter *w) {
  atomic_store_explicit(&w->woken, 0, memory_order_relaxed);
  w->line = line;
  w->next = NULL;
  w->previous = line->last;
  if (line->last != NULL) line->last->next = w;
  else line->first = w;
  line->last = w;
}

void line_rejoin (Line *line, Waiter *w) {
  atomic_store_explicit(&w->woken, 0, memory_order_relaxed);
  w->line = line;
  w->previous = NULL;
  w->next = line->first;
  if (line->first != NULL) line->first->previous = w;
  else line->last = w;
  line->first = w;
}

void line_leave (Waiter *w) {
  Line *line = w->line;
  if (w->previous != NULL) w->previous->next = w->next;
  else line->first = w->next;
  if (w->next != NULL) w->next->previous = w->previous;
  else line->last = w->previous;
  w->line = NULL;
  w->next = w->previous = NULL;
}

static bool is_interrupted (const Waiter *w) {
  return !w->deaf && (atomic_load(&w->thread->alerts) & ALERT_RAISES) != 0;
}

Waiter *line_first (Line *line) {
  Waiter *w = line->first;
  while (w != NULL && is_interrupted(w)) w = w->next;
  return w;
}

/* The chooser counts a thread that waits for ever as awake: it is about to be. */
void line_pick (Waiter *w) {
  line_leave(w);
  if (w->forever) atomic_fetch_add(&w->thread->object.world->awake, 1);
}

Waiter *line_choose (Line *line) {
  Waiter *w = line_first(line);
  if (w != NULL) line_pick(w);
  return w;
}

Waiter *line_choose_all (Line *line) {
  Waiter *chain = NULL, **last = &chain, *next;
  for (Waiter *w = line->first; w != NULL; w = next) {
    next = w->next;
    if (is_interrupted(w)) continue;
    line_pick(w);
    *last = w;
    last = &w->next;
  }
  return chain;
}

void line_moved (Waiter *w, const Waiter *next) {
  Thread *t = w->thread;
  if (w->forever) atomic_fetch_sub(&t->object.world->awake, 1);
  pthread_mutex_lock(&t->mu);
  w->moved = next; /* the thread may be on its way to note that it waits */
  t->blocked_kind = next->kind;
  t->blocked_object = next->object;
  pthread_mutex_unlock(&t->mu);
}

void line_wake (Waiter *chain) {
  while (chain != NULL) {
    Waiter *w = chain;
    Spot *spot = w->spot; /* after woken is set, *w may be gone */
    Waiter *companion = w->companion;
    chain = w->next;
    atomic_store(&w->woken, WAKE_CHOSEN);
    if (companion != NULL) atomic_store(&companion->woken, WAKE_CHOSEN);
    spot->driver->unpark(spot);
  }
}

/*
** Waiting.
*/

/* Notes what the running thread is about to wait for, for dumps and reports; `w` is NULL where it sleeps. */
static void note_blocked (lua_State *L, Thread *self, const Waiter *w, Nanos deadline) {
  SourceLine place;
  Nanos now = world_now(self->object.world);
  source_line_here(L, &place);
  pthread_mutex_lock(&self->mu);
  if (w != NULL && w->moved != NULL) w = w->moved;
  self->blocked_kind = w != NULL ? w->kind : OP_SLEEP;
  self->blocked_object = w != NULL ? w->object : NULL;
  self->blocked_since = now;
  self->blocked_until = deadline;
  self->blocked_place = place;
  self->blocked_in = L;
  self->blocked = true;
  pthread_mutex_unlock(&self->mu);
}

static void note_running (Thread *self) {
  pthread_mutex_lock(&self->mu);
  self->blocked = false;
  pthread_mutex_unlock(&self->mu);
}

/* Leaves the line unless chosen already. */
static bool give_up (Waiter *w, pthread_mutex_t *mu) {
  bool left;
  pthread_mutex_lock(mu);
  left = w->line != NULL;
  if (left) {
    line_leave(w);
    if (w->forever) atomic_fetch_add(&w->thread->object.world->awake, 1);
  }
  pthread_mutex_unlock(mu);
  return left;
}

Wake line_wait (lua_State *L, Waiter *w, pthread_mutex_t *mu, Nanos deadline) {
  Thread *self = w->thread;
  World *world = self->object.world;
  Wake wake = WAKE_CHOSEN;
  bool out = false; /* no longer in line: only the waker's word is missing */
  note_blocked(L, self, w, deadline);
  if (w->forever) world_less_awake(world);
  if (w->forever && !w->deaf && world->observer != NULL && world->observer->waiting != NULL)
    world->observer->waiting(self, w);
  while (atomic_load(&w->woken) == 0) {
    if (!out && is_interrupted(w)) {
      if (give_up(w, mu)) {
        wake = WAKE_INTERRUPT;
        break;
      }
      out = true;
    }
    else if (!out && deadline != FOREVER && world_now(world) >= deadline) {
      if (give_up(w, mu)) {
        wake = WAKE_TIMEOUT;
        break;
      }
      out = true;
    }
    else world->driver->park(self, out ? FOREVER : deadline);
  }
  note_running(self);
  return wake;
}

/* Sleeping for ever does not count as waiting for another thread: it is how programs wait for Ctrl-C. */
Wake world_sleep (lua_State *L, Nanos deadline) {
  Thread *self = thread_self;
  World *world = self->object.world;
  bool interrupted;
  note_blocked(L, self, NULL, deadline);
  while (!(interrupted = (atomic_load(&self->alerts) & ALERT_RAISES) != 0)
         && (deadline == FOREVER || world_now(world) < deadline))
    world->driver->park(self, deadline);
  note_running(self);
  return interrupted ? WAKE_INTERRUPT : WAKE_TIMEOUT;
}

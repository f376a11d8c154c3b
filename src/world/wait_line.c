/*
** wait_line.c - lines of waiters, the one blocking protocol, and the notes about
** blocked threads that reports are made of.
*/
#include <string.h>

#include <lauxlib.h>

#include "world/burden.h"
#include "world/record.h"
#include "world/thread_record.h"

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
  w->since = record_clock();
  atomic_store_explicit(&w->woken, 0, memory_order_relaxed);
  w->line = line;
  w->next = NULL;
  w->previous = line->last;
  if (line->last != NULL) line->last->next = w;
  else line->first = w;
  line->last = w;
}

void line_rejoin (Line *line, Waiter *w) {
  w->since = record_clock();
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

bool waiter_is_leaving (const Waiter *w) {
  return !w->deaf && (atomic_load(&w->thread->alerts) & ALERT_RAISES) != 0;
}

Waiter *line_first (Line *line) {
  Waiter *w = line->first;
  while (w != NULL && waiter_is_leaving(w)) w = w->next;
  return w;
}

/* The chooser counts a thread that waits for ever as awake: it is about to be. */
void line_pick (Waiter *w) {
  line_leave(w);
  if (w->forever && (w->counted == NULL || atomic_exchange(w->counted, 1) == 0))
    atomic_fetch_add(&w->thread->object.world->awake, 1);
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
    if (waiter_is_leaving(w)) continue;
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
  t->blocked.kind = next->kind;
  t->blocked.object = next->object;
  pthread_mutex_unlock(&t->mu);
  if (record_is_on())
    record_take(&(Record){.kind = RECORD_MOVED,
                          .op = next->kind,
                          .object = next->object,
                          .who = t,
                          .other = thread_self});
}

/* A select waits for no object in particular, but where it says so: then it is a get. */
static OpKind selecting (const Waiter *w) { return w->shown != NULL ? OP_GET : OP_SELECT; }

/* Before the wake takes effect. */
static void record_wake (const Waiter *w) {
  const Waiter *in = w->moved != NULL ? w->moved : w;
  if (w->counted != NULL) {
    if (atomic_exchange(&w->thread->selecting, false))
      record_take(&(Record){
          .kind = RECORD_WAKE, .op = selecting(w), .object = w->shown, .other = w->thread});
    return;
  }
  record_take(
      &(Record){.kind = RECORD_WAKE, .op = in->kind, .object = in->object, .other = w->thread});
}

void line_wake (Waiter *chain) {
  while (chain != NULL) {
    Waiter *w = chain;
    Spot *spot = w->spot; /* after woken is set, *w may be gone */
    chain = w->next;
    if (record_is_on()) record_wake(w);
    atomic_store(&w->woken, WAKE_CHOSEN);
    spot->driver->unpark(spot);
  }
}

/*
** Waiting.
*/

/*
** The running thread is about to wait: now and then somebody looks at what it has changed
** so far.
*/
static void look_at_changes (lua_State *L, Thread *self) {
  const Observer *o = self->object.world->observer;
  self->between *= 2;
  self->waits = self->between;
  if (o != NULL && o->changed != NULL) o->changed(L, self);
}

/*
** Notes what the running thread is about to wait for, for dumps and reports; `w` is
** NULL where it sleeps.
*/
static void note_blocked (lua_State *L, Thread *self, const Waiter *w, Nanos deadline) {
  SourceLine place;
  Nanos now = world_now(self->object.world);
  if (self->waits != 0 && --self->waits == 0) look_at_changes(L, self);
  source_line_here(L, &place);
  pthread_mutex_lock(&self->mu);
  if (w != NULL && w->moved != NULL) w = w->moved;
  self->blocked.kind = w != NULL ? w->kind : OP_SLEEP;
  self->blocked.object = w != NULL ? w->object : NULL;
  self->blocked.since = now;
  self->blocked.until = deadline;
  self->blocked.place = place;
  self->blocked.in = L;
  self->blocked.told = false;
  self->blocked.active = true;
  pthread_mutex_unlock(&self->mu);
}

void line_record_wait (Waiter *w, Nanos deadline) {
  if (!record_is_on() || w->recorded) return;
  w->recorded = true;
  record_take(&(Record){
      .kind = RECORD_WAIT, .op = w->kind, .object = w->object, .a = deadline, .time = w->since});
}

/*
** The deadline has come, which made the thread ready where that is said by the
** clock; but it has been moved to another line, and waits there.
*/
static void record_goes_on (const Waiter *w) {
  const Waiter *in = w->moved != NULL ? w->moved : w;
  if (record_is_on() && !world_is_parallel(w->thread->object.world))
    record_take(&(Record){.kind = RECORD_WAIT, .op = in->kind, .object = in->object, .a = FOREVER});
}

/* The running thread begins to wait. */
static void record_stay (OpKind op, void *object, Nanos deadline) {
  if (record_is_on())
    record_take(&(Record){.kind = RECORD_WAIT, .op = op, .object = object, .a = deadline});
}

/* The running thread no longer waits, for this reason. */
static void record_go (OpKind op, void *object, Wake why) {
  if (record_is_on())
    record_take(&(Record){.kind = RECORD_GO, .op = op, .object = object, .a = why});
}

static void note_running (Thread *self) {
  pthread_mutex_lock(&self->mu);
  self->blocked.active = false;
  pthread_mutex_unlock(&self->mu);
}

/* Leaves the line unless chosen already. */
static bool give_up (Waiter *w, pthread_mutex_t *mu, Wake why) {
  bool left;
  pthread_mutex_lock(mu);
  left = w->line != NULL;
  if (left) {
    line_leave(w);
    if (why == WAKE_TIMEOUT && w->late != NULL) w->late(w);
    if (w->forever) atomic_fetch_add(&w->thread->object.world->awake, 1);
  }
  pthread_mutex_unlock(mu);
  return left;
}

/*
** The order of the steps matters. The note for reports comes before the thread
** counts as asleep, because the last thread awake makes the deadlock report. The
** observer may park for a moment, so `woken` is looked at only after it.
** An interrupt and the deadline are looked at before each park, and both give up
** the place in line under `mu`. Where that fails a waker has chosen the thread
** already: it has only to wait, without a deadline, for `woken`.
*/
Wake line_wait (lua_State *L, Waiter *w, pthread_mutex_t *mu, Nanos deadline) {
  Thread *self = w->thread;
  World *world = self->object.world;
  Wake wake = WAKE_CHOSEN;
  bool chosen = false; /* out of the line: only `woken` is missing */
  burden_drop(L);
  line_record_wait(w, deadline);
  note_blocked(L, self, w, deadline);
  if (w->forever) world_less_awake(world);
  if (w->forever && !w->deaf && world->observer != NULL && world->observer->waiting != NULL)
    world->observer->waiting(self, &w, 1);
  while (atomic_load(&w->woken) == 0) {
    if (!chosen && waiter_is_leaving(w)) {
      if (give_up(w, mu, WAKE_INTERRUPT)) {
        wake = WAKE_INTERRUPT;
        break;
      }
      chosen = true;
    }
    else if (!chosen && deadline != FOREVER && world_now(world) >= deadline) {
      if (give_up(w, mu, WAKE_TIMEOUT)) {
        wake = WAKE_TIMEOUT;
        break;
      }
      chosen = true;
    }
    else {
      if (chosen) record_goes_on(w);
      world->driver->park(self, chosen ? FOREVER : deadline);
    }
  }
  note_running(self);
  w->recorded = false;
  record_go(w->moved != NULL ? w->moved->kind : w->kind,
            w->moved != NULL ? w->moved->object : w->object, wake);
  return wake;
}

/*
** Waiting in several lines.
*/

bool line_enlist (Line *line, Waiter *w, bool first) {
  if (w->line != NULL) return true;
  if (first) line_join(line, w);
  else if (atomic_load(&w->woken) != 0) line_rejoin(line, w);
  else return false;
  return true;
}

void line_wait_woken (Waiter *w) {
  while (atomic_load(&w->woken) == 0) w->thread->object.world->driver->park(w->thread, FOREVER);
}

bool line_any_woken (Waiter *const *list, int n) {
  for (int i = 0; i < n; i++)
    if (atomic_load(&list[i]->woken) != 0) return true;
  return false;
}

void line_count_awake (Waiter *w, bool asleep) {
  bool counted = w->forever && atomic_exchange(w->counted, 1) != 0;
  if (!w->forever || counted == asleep) return;
  if (asleep) atomic_fetch_add(&w->thread->object.world->awake, 1);
  else atomic_fetch_sub(&w->thread->object.world->awake, 1);
}

static void note_among (Thread *self, Waiter *const *list, int n) {
  pthread_mutex_lock(&self->mu);
  self->among = list;
  self->among_count = n;
  pthread_mutex_unlock(&self->mu);
}

Wake line_wait_any (lua_State *L, Waiter *const *list, int n, Nanos deadline, bool sure) {
  Thread *self = list[0]->thread;
  World *world = self->object.world;
  Wake wake = WAKE_CHOSEN;
  bool asleep = sure && deadline == FOREVER;
  record_stay(selecting(list[0]), list[0]->shown, deadline);
  if (record_is_on()) atomic_store(&self->selecting, true);
  note_among(self, list, n);
  note_blocked(L, self, list[0], deadline);
  if (asleep) world_less_awake(world);
  if (asleep && !list[0]->deaf && world->observer != NULL && world->observer->waiting != NULL)
    world->observer->waiting(self, list, n);
  while (!line_any_woken(list, n)) {
    if (waiter_is_leaving(list[0])) wake = WAKE_INTERRUPT;
    else if (deadline != FOREVER && world_now(world) >= deadline) wake = WAKE_TIMEOUT;
    if (wake != WAKE_CHOSEN) break;
    world->driver->park(self, deadline);
  }
  line_count_awake(list[0], asleep);
  note_running(self);
  note_among(self, NULL, 0);
  atomic_store_explicit(&self->selecting, false, memory_order_relaxed);
  record_go(selecting(list[0]), list[0]->shown, wake);
  return wake;
}

Wake world_settle (lua_State *L, Nanos deadline) {
  Thread *self = thread_self;
  Waiter w; /* for reports */
  Wake wake;
  waiter_init(&w, OP_SETTLE, NULL, deadline);
  record_stay(OP_SETTLE, NULL, deadline);
  note_blocked(L, self, &w, deadline);
  wake = (Wake)self->object.world->driver->settle(self, deadline);
  note_running(self);
  record_go(OP_SETTLE, NULL, wake);
  return wake;
}

/*
** Sleeping for ever does not count as waiting for another thread: it is how programs
** wait for Ctrl-C.
*/
Wake world_sleep (lua_State *L, Nanos deadline) {
  Thread *self = thread_self;
  World *world = self->object.world;
  bool interrupted;
  burden_drop(L);
  record_stay(OP_SLEEP, NULL, deadline);
  note_blocked(L, self, NULL, deadline);
  while (!(interrupted = (atomic_load(&self->alerts) & ALERT_RAISES) != 0)
         && (deadline == FOREVER || world_now(world) < deadline))
    world->driver->park(self, deadline);
  note_running(self);
  record_go(OP_SLEEP, NULL, interrupted ? WAKE_INTERRUPT : WAKE_TIMEOUT);
  return interrupted ? WAKE_INTERRUPT : WAKE_TIMEOUT;
}

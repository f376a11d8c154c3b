/*
** rwlock.c - RWLock: many readers, or one writer.
**
** One line for both, first come, first served. A reader that comes while a writer
** stands in line stands behind it, so writers are not starved. The lock is handed
** over: a release, or a waiter that gives up, makes the first in line holders, as
** many as go together, before they wake up. So the lock is free only while nobody
** stands in line, and there is no race to lose.
**
** The lock knows its readers by name, for reports, and because a reader that asks
** to write would wait for itself. Their list has room for all that stand in line,
** so handing over cannot fail.
*/
#include "objects/guard.h"
#include "objects/kinds.h"
#include "thread/name.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/memory.h"
#include "world/record.h"

/* A thread that has the lock. */
typedef struct Holder {
  uint64_t serial;
  CallSite taken;
} Holder;

typedef struct RWLock {
  Object object;
  pthread_mutex_t mu;
  Line line;       /* under mu */
  Holder *holders; /* the writer alone, or the readers; under mu */
  int count;       /* of holders; under mu */
  int waiting;     /* threads in line, or on their way out of it; under mu */
  int capacity;    /* at least count + waiting; under mu */
  bool writing;    /* the one holder writes; under mu */
} RWLock;

static RWLock *check_rwlock (lua_State *L) { return object_check(L, 1, &rwlock_kind); }

/* The place of a thread among the holders, or -1; under mu. */
static int find (const RWLock *lock, uint64_t serial) {
  int i = lock->count - 1;
  while (i >= 0 && lock->holders[i].serial != serial) i--;
  return i;
}

/* Whether one more may join the holders; under mu. */
static bool is_open (const RWLock *lock, bool write) {
  return lock->count == 0 || (!write && !lock->writing);
}

static void add_holder (RWLock *lock, uint64_t serial, bool write) {
  lock->holders[lock->count++] = (Holder){.serial = serial};
  lock->writing = write;
}

/* Makes room for one more holder or waiter; false: no memory. Under mu. */
static bool make_room (RWLock *lock) {
  int capacity = 2 * lock->capacity + 4;
  Holder *grown;
  if (lock->count + lock->waiting < lock->capacity) return true;
  grown = world_realloc(lock->object.world, lock->holders, (size_t)capacity * sizeof *grown);
  if (grown == NULL) return false;
  lock->holders = grown;
  lock->capacity = capacity;
  return true;
}

/* As a recording has it: how many read, -1: one writes. */
static int64_t state_of (const RWLock *lock) { return lock->writing ? -1 : lock->count; }

static bool is_writer (const Waiter *w) { return w->kind == OP_WRITE_TAKE; }

/* Makes holders of the first in line, as many as can be; returns those to wake. Under mu. */
static Waiter *serve (RWLock *lock) {
  Waiter *chain = NULL, **last = &chain, *w;
  while ((w = line_first(&lock->line)) != NULL && is_open(lock, is_writer(w))) {
    line_pick(w);
    lock->waiting--;
    add_holder(lock, w->thread->serial, is_writer(w));
    record_handed(w, 1, state_of(lock));
    *last = w;
    last = &w->next;
  }
  return chain;
}

/*
** Taking.
*/

typedef enum Step { TAKEN, MUST_WAIT, UPGRADE, NO_MEMORY } Step;

/* Takes the lock if that can be done now; else the waiter, if there is one, stands in line. */
static Step take_or_join (RWLock *lock, Waiter *w, bool write, Nanos deadline) {
  uint64_t serial = thread_self->serial;
  Step step = MUST_WAIT;
  pthread_mutex_lock(&lock->mu);
  if (write && !lock->writing && find(lock, serial) >= 0) step = UPGRADE;
  else if (!make_room(lock)) step = NO_MEMORY;
  else if (lock->line.first == NULL && is_open(lock, write)) {
    add_holder(lock, serial, write);
    record_taken(write ? OP_WRITE_TAKE : OP_READ_LOCK, lock, state_of(lock),
                 deadline == 0 ? "try" : NULL, deadline);
    step = TAKEN;
  }
  else if (w != NULL) {
    line_join(&lock->line, w);
    lock->waiting++;
  }
  pthread_mutex_unlock(&lock->mu);
  return step;
}

/* A waiter has left the line without the lock: others may be able to go on without it. */
static void give_up (RWLock *lock) {
  Waiter *chain;
  pthread_mutex_lock(&lock->mu);
  lock->waiting--;
  chain = serve(lock);
  pthread_mutex_unlock(&lock->mu);
  line_wake(chain);
}

/* The running thread has the lock: keeps where it was taken. */
static void note_taken (lua_State *L, RWLock *lock) {
  int i;
  thread_self->locks_held++;
  pthread_mutex_lock(&lock->mu);
  i = find(lock, thread_self->serial);
  if (i >= 0) source_line_mark(L, &lock->holders[i].taken);
  pthread_mutex_unlock(&lock->mu);
}

/* Takes the lock, waiting up to `relative`; false: not in time. Raises a pending interrupt. */
static bool take (lua_State *L, RWLock *lock, bool write, Nanos relative) {
  Nanos deadline = relative == 0 ? 0 : world_deadline(lock->object.world, relative);
  Waiter w;
  Wake wake = WAKE_CHOSEN;
  Step step;
  announce_until(L, write ? OP_WRITE_LOCK : OP_READ_LOCK, lock, deadline);
  waiter_init(&w, write ? OP_WRITE_TAKE : OP_READ_LOCK, lock, deadline);
  step =
      take_or_join(lock, relative != 0 && thread_self->updating == 0 ? &w : NULL, write, deadline);
  if (step == UPGRADE) return args_misuse(L, "cannot upgrade a read lock");
  if (step == NO_MEMORY) args_no_memory(L);
  if (step == MUST_WAIT) {
    if (relative == 0) {
      record(w.kind, lock, 0, 0);
      return false;
    }
    wait_allowed(L);
    line_record_wait(&w, deadline);
    if (write) announce_until(L, OP_WRITE_TAKE, lock, deadline);
    wake = line_wait(L, &w, &lock->mu, deadline);
  }
  if (wake != WAKE_CHOSEN) give_up(lock);
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  if (wake == WAKE_CHOSEN) note_taken(L, lock);
  else record(w.kind, lock, 0, 0);
  return wake == WAKE_CHOSEN;
}

static int rwlock_read (lua_State *L) {
  RWLock *lock = check_rwlock(L);
  lua_pushboolean(L, take(L, lock, false, args_timeout(L, 2)));
  return 1;
}

static int rwlock_write (lua_State *L) {
  RWLock *lock = check_rwlock(L);
  lua_pushboolean(L, take(L, lock, true, args_timeout(L, 2)));
  return 1;
}

/*
** Giving back.
*/

static int rwlock_release (lua_State *L) {
  RWLock *lock = check_rwlock(L);
  Waiter *chain = NULL;
  bool writing;
  int i;
  pthread_mutex_lock(
      &lock->mu); /* of the running thread's hold nothing changes before the release */
  writing = lock->writing;
  i = find(lock, thread_self->serial);
  pthread_mutex_unlock(&lock->mu);
  announce(L, i < 0 || writing ? OP_WRITE_UNLOCK : OP_READ_UNLOCK, lock);
  pthread_mutex_lock(&lock->mu);
  i = find(lock, thread_self->serial);
  if (i >= 0) {
    record(writing ? OP_WRITE_UNLOCK : OP_READ_UNLOCK, lock, (int64_t)thread_self->serial,
           lock->count - 1);
    lock->holders[i] = lock->holders[--lock->count];
    if (lock->count == 0) lock->writing = false;
    chain = serve(lock);
  }
  pthread_mutex_unlock(&lock->mu);
  line_wake(chain);
  if (i < 0) return args_misuse(L, "release unlocked lock");
  thread_self->locks_held--;
  return 0;
}

static int rwlock_hold_read (lua_State *L) {
  check_rwlock(L);
  return guard_hold(L, rwlock_read);
}

static int rwlock_hold_write (lua_State *L) {
  check_rwlock(L);
  return guard_hold(L, rwlock_write);
}

static int rwlock_close (lua_State *L) { return guard_close(L, rwlock_release); }

/*
** Reports.
*/

/* The writer, or the reader that has held the lock longest as far as is known; 0: nobody. */
static uint64_t rwlock_holder (Object *o) {
  RWLock *lock = (RWLock *)o;
  uint64_t serial;
  pthread_mutex_lock(&lock->mu);
  serial = lock->count > 0 ? lock->holders[0].serial : 0;
  pthread_mutex_unlock(&lock->mu);
  return serial;
}

/* Where that one took it; all threads stand still. */
static bool rwlock_held_since (Object *o, SourceLine *place) {
  RWLock *lock = (RWLock *)o;
  bool held;
  pthread_mutex_lock(&lock->mu);
  held = lock->count > 0;
  if (held) source_line_read(&lock->holders[0].taken, place);
  pthread_mutex_unlock(&lock->mu);
  return held;
}

static void rwlock_describe (lua_State *L, Object *o) {
  RWLock *lock = (RWLock *)o;
  char name[64];
  bool ended, writing;
  uint64_t serial = rwlock_holder(o);
  int count;
  pthread_mutex_lock(&lock->mu);
  count = lock->count;
  writing = lock->writing;
  pthread_mutex_unlock(&lock->mu);
  if (serial == 0 || count == 0) lua_pushliteral(L, "unlocked");
  else if (count > 1) lua_pushfstring(L, "read by %d threads", count);
  else
    lua_pushfstring(L, "%s by %s", writing ? "written" : "read",
                    thread_name_of(o->world, serial, name, &ended));
}

/* What thread t could do now: read, or take what it has stood in line for. */
static unsigned rwlock_ready (Object *o, const Thread *t) {
  RWLock *lock = (RWLock *)o;
  const Waiter *first;
  unsigned bits = 0;
  pthread_mutex_lock(&lock->mu);
  first = line_first(&lock->line);
  if (lock->line.first == NULL && is_open(lock, false)) bits |= READY_TAKE;
  if ((t != NULL && find(lock, t->serial) >= 0)
      || (first != NULL && first->thread == t && lock->count == 0))
    bits |= READY_WRITE;
  pthread_mutex_unlock(&lock->mu);
  return bits;
}

static void rwlock_destroy (Object *o) {
  world_free(o->world, ((RWLock *)o)->holders);
  pthread_mutex_destroy(&((RWLock *)o)->mu);
}

int rwlock_new (lua_State *L) {
  int n, options = object_options(L, 1, &n);
  luaL_argcheck(L, n == 0, 1, "no arguments but { name = \"...\" } expected");
  RWLock *lock = object_new(L, sizeof *lock, &rwlock_kind, options);
  pthread_mutex_init(&lock->mu, NULL);
  return 1;
}

static const luaL_Reg methods[] = {
    {"read", rwlock_read},           {"write", rwlock_write},           {"release", rwlock_release},
    {"hold_read", rwlock_hold_read}, {"hold_write", rwlock_hold_write}, {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", rwlock_close}, {NULL, NULL}};

const Kind rwlock_kind = {.name = "RWLock",
                          .destroy = rwlock_destroy,
                          .describe = rwlock_describe,
                          .methods = methods,
                          .meta = meta,
                          .ready = rwlock_ready,
                          .awaited = rwlock_holder,
                          .held_since = rwlock_held_since};

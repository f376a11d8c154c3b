/*
** lock.c - Lock and RLock.
**
** One word holds the owner and whether anybody stands in line, so taking a free
** lock and giving it back is one compare-and-swap each. Plain locks have an owner
** too: Condition checks it and reports name it. Any thread may release a plain
** lock all the same, as in Python.
**
** A release frees the lock before the first in line has woken up, and a newcomer
** may take it meanwhile: a hand-over through the kernel each time would cost all
** the speed. A waiter that has lost such a race goes back to the head of the line,
** and the next release makes it the owner. lock.h has the states of a waiter and
** the invariants of the word.
*/
#include <string.h>

#include "world/args.h"
#include "world/record.h"
#include "objects/guard.h"
#include "objects/kinds.h"
#include "objects/lock.h"
#include "thread/name.h"

#define WAITERS 1u

static uint64_t word_of (const Thread *t) { return t->serial << 1; }
static uint64_t owner_in (uint64_t word) { return word & ~(uint64_t)WAITERS; }

Lock *lock_test (lua_State *L, int arg) {
  Proxy *p = lua_touserdata(L, arg);
  if (p == NULL || lua_rawlen(L, arg) != sizeof(Proxy)
      || (p->kind != &lock_kind && p->kind != &rlock_kind))
    return NULL;
  return (Lock *)p->object;
}

static inline Lock *check_lock (lua_State *L) {
  Lock *lock = lock_test(L, 1);
  return lock != NULL ? lock : object_expected(L, 1, "Lock or RLock");
}

static bool is_reentrant (const Lock *lock) { return lock->object.kind == &rlock_kind; }

bool lock_is_mine (Lock *lock) {
  return owner_in(atomic_load_explicit(&lock->word, memory_order_relaxed)) == word_of(thread_self);
}

/*
** Taking.
*/

/* Takes a lock without owner, past those that stand in line. */
static inline bool take_free (Lock *lock, Thread *self) {
  uint64_t word = 0;
  while (!atomic_compare_exchange_weak_explicit(&lock->word, &word, word_of(self) | word,
                                                memory_order_acquire, memory_order_relaxed))
    if (owner_in(word) != 0) return false;
  self->locks_held++;
  return true;
}

/*
** Looks a few times whether the lock is given back, while nobody stands in line and a
** processor is free for that.
*/
static bool take_soon (Lock *lock, Thread *self) {
  for (int n = world_patience(lock->object.world); n > 0; n--) {
    uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if (word & WAITERS) return false;
    if (word == 0 && take_free(lock, self)) return true;
    world_pause();
  }
  return false;
}

/* The WAITERS bit as it has to be; under mu. */
static uint64_t waiters_mark (const Lock *lock) {
  return lock->line.first != NULL || lock->coming != NULL ? WAITERS : 0;
}

/* Takes a lock without owner, or marks that the caller is going to stand in line; under mu. */
static bool take_or_mark (Lock *lock, Thread *self) {
  uint64_t word = atomic_load(&lock->word), wanted;
  do {
    wanted = owner_in(word) == 0 ? word_of(self) | waiters_mark(lock) : word | WAITERS;
  } while (!atomic_compare_exchange_weak(&lock->word, &word, wanted));
  return owner_in(word) == 0;
}

void lock_waiter_init (LockWaiter *lw, OpKind kind, Lock *lock, Nanos deadline) {
  waiter_init(&lw->waiter, kind, lock, deadline);
  lw->parked = &lw->waiter;
  lw->starving = lw->handed = false;
}

/*
** A waiter that has been woken has come: others may be woken now. Under mu; true: it
** has been given the lock.
*/
static bool come_back (Lock *lock, const LockWaiter *lw) {
  if (lock->coming == lw) lock->coming = NULL;
  return lw->handed;
}

/*
** Takes the lock, or stands in line until it is taken (CHOSEN), or the deadline
** or an interrupt ends the wait. A waiter that is starving from the start has been
** woken from the line already.
*/
static Wake take_in_line (lua_State *L, Lock *lock, LockWaiter *lw, Nanos deadline) {
  for (;;) {
    Wake wake;
    bool taken;
    pthread_mutex_lock(&lock->mu);
    taken = (lw->starving && come_back(lock, lw)) || take_or_mark(lock, lw->waiter.thread);
    if (!taken && lw->starving) line_rejoin(&lock->line, &lw->waiter);
    else if (!taken) line_join(&lock->line, &lw->waiter);
    pthread_mutex_unlock(&lock->mu);
    if (taken) break;
    wake = line_wait(L, &lw->waiter, &lock->mu, deadline);
    if (wake != WAKE_CHOSEN) return wake;
    lw->starving = true;
  }
  lw->waiter.thread->locks_held++;
  return WAKE_CHOSEN;
}

/*
** Wakes the first in line unless another is coming; under mu, with the lock free.
** Returns the waiter to wake.
*/
static LockWaiter *choose (Lock *lock) {
  if (lock->coming != NULL) return NULL;
  lock->coming = (LockWaiter *)line_choose(&lock->line);
  return lock->coming;
}

Waiter *lock_enlist (Lock *lock, LockWaiter *lw) {
  LockWaiter *first = NULL;
  pthread_mutex_lock(&lock->mu);
  line_join(&lock->line, &lw->waiter);
  if (owner_in(atomic_fetch_or(&lock->word, WAITERS)) == 0)
    first = choose(lock); /* given back behind the caller's back: no release will come */
  pthread_mutex_unlock(&lock->mu);
  return first != NULL ? first->parked : NULL;
}

/*
** As take below, where the lock is not just free. *handed: a release has made the
** caller the owner.
*/
static bool take_slowly (lua_State *L, Lock *lock, Nanos deadline, bool *handed) {
  LockWaiter lw;
  if (deadline == 0) return false;
  wait_allowed(L);
  if (take_soon(lock, thread_self)) return true;
  lock_waiter_init(&lw, OP_ACQUIRE, lock, deadline);
  switch (take_in_line(L, lock, &lw, deadline)) {
    case WAKE_CHOSEN: *handed = lw.handed; return true;
    case WAKE_INTERRUPT: thread_raise(L);
    /* fall through */
    default: return false;
  }
}

static OpKind taking_of (Nanos deadline) { return deadline == 0 ? OP_TRY_ACQUIRE : OP_ACQUIRE; }

/*
** Takes the lock, waiting until the deadline, 0 for one try. False: not taken. Raises a
** pending interrupt.
*/
static bool take (lua_State *L, Lock *lock, Nanos deadline) {
  bool handed = false;
  if (is_reentrant(lock) && lock_is_mine(lock)) {
    int depth = atomic_fetch_add_explicit(&lock->depth, 1, memory_order_relaxed) + 2;
    record_taken(taking_of(deadline), lock, depth, NULL, deadline);
    return true;
  }
  if (!take_free(lock, thread_self)) {
    if (!take_slowly(L, lock, deadline, &handed)) {
      record(taking_of(deadline), lock, 0, 0);
      return false;
    }
    if (!lock_is_mine(lock)) return true; /* somebody has given it back already */
  }
  source_line_mark(L, &lock->taken);
  record_taken(taking_of(deadline), lock, handed ? -1 : 1, NULL, deadline);
  return true;
}

int lock_acquire_for (lua_State *L, Lock *lock) {
  Nanos deadline = world_until(lock->object.world, args_blocking(L, 2, true));
  announce_until(L, taking_of(deadline), lock, deadline);
  lua_pushboolean(L, take(L, lock, deadline));
  return 1;
}

/*
** Giving back.
*/

/*
** The word that gives the lock back, under mu; in *lw the waiter to wake, or NULL.
** The waiter will find the lock free, unless it is starving: then it is the owner
** at once.
*/
static uint64_t pass_on (Lock *lock, LockWaiter **lw) {
  uint64_t owner = 0;
  if (lock->coming != NULL && lock->coming->handed)
    lock->coming = NULL; /* it was the owner, and another thread has released for it */
  *lw = choose(lock);
  if (*lw != NULL && (*lw)->starving) {
    (*lw)->handed = true;
    owner = word_of((*lw)->waiter.thread);
    record_handed(&(*lw)->waiter, 1, 1);
  }
  return owner | waiters_mark(lock);
}

/* Says that the lock has been given back, at `time`; `why` is NULL where by release(). */
static void record_release (Nanos time, Lock *lock, uint64_t word, const char *why) {
  if (record_is_on())
    record_take(&(Record){.kind = RECORD_OP,
                          .op = OP_RELEASE,
                          .object = lock,
                          .a = (int64_t)(word >> 1),
                          .time = time,
                          .text = why,
                          .length = why != NULL ? strlen(why) : 0});
}

/*
** Gives the lock back where WAITERS is set; while a woken one is on its way it
** is only freed. Returns the word as it was: if that has no owner, or WAITERS is
** clear, nothing has been done.
*/
static uint64_t release_to_line (Lock *lock, const char *why) {
  LockWaiter *lw = NULL;
  uint64_t word;
  pthread_mutex_lock(&lock->mu);
  word = atomic_load(&lock->word);
  if (owner_in(word) != 0 && (word & WAITERS)) {
    record_release(0, lock, word, why);
    atomic_store(&lock->word, pass_on(lock, &lw));
  }
  pthread_mutex_unlock(&lock->mu);
  if (lw != NULL) line_wake(lw->parked);
  return word;
}

/* Keeps the accounts: how many locks the owner holds, or that another thread released for it. */
static inline void account (Lock *lock, uint64_t owner, Thread *self) {
  if (owner == word_of(self)) self->locks_held--;
  else atomic_store_explicit(&lock->passed, true, memory_order_relaxed);
}

/*
** Gives the lock back, whichever thread has it; false: none has. `why` is for the
** recording. Two functions are made of it: while nothing is recorded, that is to cost
** one branch.
*/
static inline __attribute__((always_inline)) bool give (Lock *lock, const char *why,
                                                        bool recorded) {
  Nanos time = recorded ? record_now() : 0;
  uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
  do {
    if (word & WAITERS) word = release_to_line(lock, why);
    if (owner_in(word) == 0) return false;
  } while (!(word & WAITERS)
           && !atomic_compare_exchange_weak_explicit(&lock->word, &word, 0, memory_order_release,
                                                     memory_order_relaxed));
  if (recorded && !(word & WAITERS)) record_release(time, lock, word, why);
  account(lock, owner_in(word), thread_self);
  return true;
}

static __attribute__((noinline)) bool give_recorded (Lock *lock, const char *why) {
  return give(lock, why, true);
}

static bool give_back (Lock *lock, const char *why) {
  return record_is_on() ? give_recorded(lock, why) : give(lock, why, false);
}

int lock_release_for (lua_State *L, Lock *lock) {
  announce(L, OP_RELEASE, lock);
  if (is_reentrant(lock)) {
    if (!lock_is_mine(lock)) return args_misuse(L, "cannot release un-acquired lock");
    if (atomic_load_explicit(&lock->depth, memory_order_relaxed) > 0) {
      int left = atomic_fetch_sub_explicit(&lock->depth, 1, memory_order_relaxed);
      record(OP_RELEASE, lock, (int64_t)thread_self->serial, left);
      return 0;
    }
  }
  if (!give_back(lock, NULL)) return args_misuse(L, "release unlocked lock");
  return 0;
}

int lock_release_all (Lock *lock) {
  int levels = atomic_load_explicit(&lock->depth, memory_order_relaxed) + 1;
  atomic_store_explicit(&lock->depth, 0, memory_order_relaxed);
  give_back(lock, "wait");
  return levels;
}

void lock_take_again (lua_State *L, Lock *lock, int levels, LockWaiter *lw) {
  LockWaiter own;
  bool handed = false;
  announce_deaf(L, OP_REACQUIRE, lock);
  if (lw != NULL) { /* from now on the thread parks with lw itself */
    lw->parked = &lw->waiter;
    lw->waiter.forever = lw->starving = true;
    take_in_line(L, lock, lw, FOREVER);
    handed = lw->handed;
  }
  else if (!take_free(lock, thread_self)) {
    lock_waiter_init(&own, OP_REACQUIRE, lock, FOREVER);
    own.waiter.deaf = true;
    take_in_line(L, lock, &own, FOREVER);
    handed = own.handed;
  }
  source_line_mark(L, &lock->taken);
  atomic_store_explicit(&lock->depth, levels - 1, memory_order_relaxed);
  record(OP_REACQUIRE, lock, 1, handed ? -1 : levels);
}

/*
** For select: its waiters are never starving, so they are never given the lock.
*/

static Selected select_take (lua_State *L, Object *o, struct PriorityEntry *taken) {
  Lock *lock = (Lock *)o;
  (void)taken;
  if (is_reentrant(lock) && lock_is_mine(lock)) {
    int depth = atomic_fetch_add_explicit(&lock->depth, 1, memory_order_relaxed) + 2;
    record_taken(OP_ACQUIRE, lock, depth, "select", FOREVER);
    return SELECT_TAKEN;
  }
  if (!take_free(lock, thread_self)) return SELECT_NOTHING;
  source_line_mark(L, &lock->taken);
  record_taken(OP_ACQUIRE, lock, 1, "select", FOREVER);
  return SELECT_TAKEN;
}

/* Wakes the next in line where the lock is free and no release will come; under mu. */
static Waiter *choose_if_free (Lock *lock) {
  LockWaiter *lw = NULL;
  if (owner_in(atomic_fetch_or(&lock->word, waiters_mark(lock))) == 0) lw = choose(lock);
  return lw != NULL ? lw->parked : NULL;
}

static bool select_enlist (Object *o, Waiter *w, bool first) {
  Lock *lock = (Lock *)o;
  bool stands;
  pthread_mutex_lock(&lock->mu);
  stands = line_enlist(&lock->line, w, first);
  if (stands && lock->coming == (LockWaiter *)w) lock->coming = NULL;
  atomic_fetch_or(&lock->word, waiters_mark(lock));
  pthread_mutex_unlock(&lock->mu);
  return stands;
}

static bool select_withdraw (Object *o, Waiter *w) {
  Lock *lock = (Lock *)o;
  Waiter *next;
  bool stood;
  pthread_mutex_lock(&lock->mu);
  stood = w->line != NULL;
  if (stood) line_leave(w);
  if (lock->coming == (LockWaiter *)w) lock->coming = NULL;
  next = choose_if_free(lock);
  pthread_mutex_unlock(&lock->mu);
  line_wake(next);
  return stood || atomic_load(&w->woken) != 0;
}

static const Selectable selectable = {select_take, select_enlist, select_withdraw};

/*
** The rest of the Lua side.
*/

static int lock_locked (lua_State *L) {
  Lock *lock = check_lock(L);
  announce(L, OP_LOOK, lock);
  bool locked = owner_in(atomic_load(&lock->word)) != 0;
  record(OP_LOOK, lock, locked, 0);
  lua_pushboolean(L, locked);
  return 1;
}

static int lock_acquire (lua_State *L) { return lock_acquire_for(L, check_lock(L)); }
static int lock_release (lua_State *L) { return lock_release_for(L, check_lock(L)); }
static int lock_with (lua_State *L) {
  check_lock(L);
  return guard_with(L, lock_acquire);
}
static int lock_close (lua_State *L) { return guard_close(L, lock_release); }
static int lock_hold (lua_State *L) {
  check_lock(L);
  return guard_hold(L, lock_acquire);
}

static void lock_describe (lua_State *L, Object *o) {
  Lock *lock = (Lock *)o;
  uint64_t word = owner_in(atomic_load(&lock->word));
  char name[64];
  bool ended;
  if (word == 0) {
    lua_pushliteral(L, "unlocked");
    return;
  }
  thread_name_of(o->world, word >> 1, name, &ended);
  if (is_reentrant(lock))
    lua_pushfstring(L, "locked by %s, %d deep", name, atomic_load(&lock->depth) + 1);
  else lua_pushfstring(L, "locked by %s", name);
}

bool lock_is_signal (Lock *lock) {
  return atomic_load_explicit(&lock->passed, memory_order_relaxed);
}

static unsigned lock_ready (Object *o, const Thread *t) {
  Lock *lock = (Lock *)o;
  uint64_t owner = owner_in(atomic_load(&lock->word));
  return owner == 0 || (is_reentrant(lock) && t != NULL && owner == word_of(t)) ? READY_TAKE : 0;
}

static uint64_t lock_holder (Object *o) { return atomic_load(&((Lock *)o)->word) >> 1; }

static bool lock_held_since (Object *o, SourceLine *place) {
  source_line_read(&((Lock *)o)->taken, place);
  return true;
}

static void lock_destroy (Object *o) { pthread_mutex_destroy(&((Lock *)o)->mu); }

static int make (lua_State *L, const Kind *kind) {
  int n, options = object_options(L, 1, &n);
  luaL_argcheck(L, n == 0, 1, "no arguments but { name = \"...\" } expected");
  Lock *lock = object_new(L, sizeof *lock, kind, options);
  pthread_mutex_init(&lock->mu, NULL);
  return 1;
}

int lock_new (lua_State *L) { return make(L, &lock_kind); }
int rlock_new (lua_State *L) { return make(L, &rlock_kind); }

static const luaL_Reg methods[] = {{"acquire", lock_acquire}, {"release", lock_release},
                                   {"locked", lock_locked},   {"hold", lock_hold},
                                   {"with", lock_with},       {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", lock_close}, {NULL, NULL}};

const Kind lock_kind = {.name = "Lock",
                        .destroy = lock_destroy,
                        .describe = lock_describe,
                        .methods = methods,
                        .meta = meta,
                        .select = &selectable,
                        .awaited = lock_holder,
                        .ready = lock_ready,
                        .held_since = lock_held_since};
const Kind rlock_kind = {.name = "RLock",
                         .destroy = lock_destroy,
                         .describe = lock_describe,
                         .methods = methods,
                         .meta = meta,
                         .select = &selectable,
                         .awaited = lock_holder,
                         .ready = lock_ready,
                         .held_since = lock_held_since};

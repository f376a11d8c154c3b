/*
** lock.c - Lock and RLock.
**
** One word holds the owner and whether anybody stands in line, so taking and
** giving back a free lock is one compare-and-swap each. The owner is kept for
** plain locks too: Condition checks it, reports name it; any thread may release
** a plain lock all the same, as in Python.
**
** A released lock is free before the first in line has woken up, and whoever
** comes first may take it (going through the kernel for every hand-over would
** cost all the speed). A waiter that lost such a race goes back to the head of
** the line and is then *starving*: the next release hands it the lock itself.
** Until it has come back no other is woken, so the line keeps its order.
*/
#include "world/args.h"
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

/* Takes a lock without owner; who stands in line is passed by. */
static inline bool take_free (Lock *lock, Thread *self) {
  uint64_t word = 0;
  while (!atomic_compare_exchange_weak_explicit(&lock->word, &word, word_of(self) | word,
                                                memory_order_acquire, memory_order_relaxed))
    if (owner_in(word) != 0) return false;
  self->locks_held++;
  return true;
}

/* While nobody stands in line and a processor is free for it: looks a few times whether it is given back. */
static bool take_soon (Lock *lock, Thread *self) {
  for (int n = world_patience(lock->object.world); n > 0; n--) {
    uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if (word & WAITERS) return false;
    if (word == 0 && take_free(lock, self)) return true;
    world_pause();
  }
  return false;
}

/* Under mu: takes a lock without owner, or marks that somebody is going to stand in line. */
static bool take_or_mark (Lock *lock, Thread *self) {
  uint64_t word = atomic_load(&lock->word), wanted;
  do {
    wanted = owner_in(word) == 0
                 ? word_of(self) | (lock->line.first != NULL || lock->coming != NULL ? WAITERS : 0)
                 : word | WAITERS;
  } while (!atomic_compare_exchange_weak(&lock->word, &word, wanted));
  return owner_in(word) == 0;
}

/* Under mu, by a waiter that has been woken: others may be now. True: it has been handed the lock. */
static bool come_back (Lock *lock, const Waiter *w) {
  if (lock->coming == w) lock->coming = NULL;
  return w->handed;
}

/*
** Takes the lock, or stands in line until it is taken (CHOSEN), or the deadline
** or an interrupt ends the wait. A starving waiter is one that has been woken.
*/
static Wake take_in_line (lua_State *L, Lock *lock, Waiter *w, Nanos deadline) {
  for (;;) {
    Wake wake;
    bool taken;
    pthread_mutex_lock(&lock->mu);
    taken = (w->starving && come_back(lock, w)) || take_or_mark(lock, w->thread);
    if (!taken && w->starving) line_rejoin(&lock->line, w);
    else if (!taken) line_join(&lock->line, w);
    pthread_mutex_unlock(&lock->mu);
    if (taken) break;
    wake = line_wait(L, w, &lock->mu, deadline);
    if (wake != WAKE_CHOSEN) return wake;
    w->starving = true;
  }
  w->thread->locks_held++;
  return WAKE_CHOSEN;
}

void lock_enlist (Lock *lock, Waiter *w) {
  Waiter *first = NULL;
  pthread_mutex_lock(&lock->mu);
  line_join(&lock->line, w);
  if (owner_in(atomic_fetch_or(&lock->word, WAITERS)) == 0 && lock->coming == NULL)
    first = lock->coming =
        line_choose(&lock->line); /* given back behind the caller's back: no release will come */
  pthread_mutex_unlock(&lock->mu);
  line_wake(first);
}

/* As take below, where the lock is not just free. */
static bool take_slowly (lua_State *L, Lock *lock, Nanos relative) {
  Waiter w;
  Nanos deadline;
  if (relative == 0) return false;
  wait_allowed(L);
  if (take_soon(lock, thread_self)) return true;
  deadline = world_deadline(lock->object.world, relative);
  waiter_init(&w, OP_ACQUIRE, lock, deadline);
  switch (take_in_line(L, lock, &w, deadline)) {
    case WAKE_CHOSEN: return true;
    case WAKE_INTERRUPT: thread_raise(L);
    /* fall through */
    default: return false;
  }
}

/* Takes the lock, waiting up to `relative`. False: not taken. Raises a pending interrupt. */
static bool take (lua_State *L, Lock *lock, Nanos relative) {
  if (is_reentrant(lock) && lock_is_mine(lock)) {
    atomic_fetch_add_explicit(&lock->depth, 1, memory_order_relaxed);
    return true;
  }
  if (!take_free(lock, thread_self)) {
    if (!take_slowly(L, lock, relative)) return false;
    if (!lock_is_mine(lock)) return true; /* somebody has given it back already */
  }
  source_line_mark(L, &lock->taken);
  return true;
}

int lock_acquire_for (lua_State *L, Lock *lock) {
  Nanos relative = args_blocking(L, 2, true);
  announce(L, relative == 0 ? OP_TRY_ACQUIRE : OP_ACQUIRE, lock);
  lua_pushboolean(L, take(L, lock, relative));
  return 1;
}

/*
** Giving back.
*/

/*
** Under mu: the word after the lock is given back; in *w who is to be woken. As
** a rule he finds it free, but who starves gets it handed.
*/
static uint64_t pass_on (Lock *lock, Waiter **w) {
  uint64_t next = 0;
  *w = NULL;
  if (lock->coming != NULL && lock->coming->handed)
    lock->coming = NULL; /* it had the lock, which has been given back for it */
  if (lock->coming == NULL && (*w = lock->coming = line_choose(&lock->line)) != NULL
      && (*w)->starving) {
    (*w)->handed = true;
    next = word_of((*w)->thread);
  }
  return next | (lock->line.first != NULL || lock->coming != NULL ? WAITERS : 0);
}

/*
** Gives the lock back where threads stand in line; while a woken one is on its
** way it is only freed. Returns the word as it was: without owner, or without
** threads in line, nothing has been done.
*/
static uint64_t release_to_line (Lock *lock) {
  Waiter *w = NULL;
  uint64_t word;
  pthread_mutex_lock(&lock->mu);
  word = atomic_load(&lock->word);
  if (owner_in(word) != 0 && (word & WAITERS)) atomic_store(&lock->word, pass_on(lock, &w));
  pthread_mutex_unlock(&lock->mu);
  line_wake(w);
  return word;
}

/* What a release is to the accounts of who takes and who gives back. */
static inline void settle (Lock *lock, uint64_t owner, Thread *self) {
  if (owner == word_of(self)) self->locks_held--;
  else atomic_store_explicit(&lock->passed, true, memory_order_relaxed);
}

/* Gives the lock back whoever has it; false: nobody. */
static bool give_back (Lock *lock) {
  uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
  do {
    if (word & WAITERS) word = release_to_line(lock);
    if (owner_in(word) == 0) return false;
  } while (!(word & WAITERS)
           && !atomic_compare_exchange_weak_explicit(&lock->word, &word, 0, memory_order_release,
                                                     memory_order_relaxed));
  settle(lock, owner_in(word), thread_self);
  return true;
}

int lock_release_for (lua_State *L, Lock *lock) {
  announce(L, OP_RELEASE, lock);
  if (is_reentrant(lock)) {
    if (!lock_is_mine(lock)) return args_misuse(L, "cannot release un-acquired lock");
    if (atomic_load_explicit(&lock->depth, memory_order_relaxed) > 0) {
      atomic_fetch_sub_explicit(&lock->depth, 1, memory_order_relaxed);
      return 0;
    }
  }
  if (!give_back(lock)) return args_misuse(L, "release unlocked lock");
  return 0;
}

int lock_release_all (Lock *lock) {
  int levels = atomic_load_explicit(&lock->depth, memory_order_relaxed) + 1;
  atomic_store_explicit(&lock->depth, 0, memory_order_relaxed);
  give_back(lock);
  return levels;
}

void lock_take_again (lua_State *L, Lock *lock, int levels, Waiter *w) {
  Waiter own;
  announce(L, OP_REACQUIRE, lock);
  if (w != NULL) { /* the lock's line has woken it: the first go is its own */
    w->companion = NULL;
    w->forever = w->starving = true;
    take_in_line(L, lock, w, FOREVER);
  }
  else if (!take_free(lock, thread_self)) {
    waiter_init(&own, OP_REACQUIRE, lock, FOREVER);
    own.deaf = true;
    take_in_line(L, lock, &own, FOREVER);
  }
  source_line_mark(L, &lock->taken);
  atomic_store_explicit(&lock->depth, levels - 1, memory_order_relaxed);
}

/*
** The rest of the Lua side.
*/

static int lock_locked (lua_State *L) {
  Lock *lock = check_lock(L);
  announce(L, OP_LOOK, lock);
  lua_pushboolean(L, owner_in(atomic_load(&lock->word)) != 0);
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

static uint64_t lock_holder (Object *o) { return atomic_load(&((Lock *)o)->word) >> 1; }

static const CallSite *lock_held_since (Object *o) { return &((Lock *)o)->taken; }

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
                        .awaited = lock_holder,
                        .held_since = lock_held_since};
const Kind rlock_kind = {.name = "RLock",
                         .destroy = lock_destroy,
                         .describe = lock_describe,
                         .methods = methods,
                         .meta = meta,
                         .awaited = lock_holder,
                         .held_since = lock_held_since};

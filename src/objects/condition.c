/*
** condition.c - Condition.
**
** A waiter stands in the condition's line before it gives its lock back, so a
** notify that comes in between finds it. A notify does not wake it: it moves it
** to the line of the lock, which the notifier holds, and there it is woken when
** its turn has come. So waiters leave first come, first served, without running
** into each other; there are no spurious wake-ups. On the way out the lock is always
** held again, to the same depth, also when the wait raises.
*/
#include "world/args.h"
#include "world/record.h"
#include "objects/guard.h"
#include "objects/kinds.h"
#include "objects/lock.h"

typedef struct Condition {
  Object object;
  Lock *lock; /* const after init; a reference */
  pthread_mutex_t mu;
  Line line;     /* under mu */
  int waiting;   /* length of line, under mu */
  CallSite lost; /* the last notify, where nobody waited; under mu */
  bool is_lost;  /* under mu */
} Condition;

static Condition *check_owned (lua_State *L, const char *message) {
  Condition *c = object_check(L, 1, &condition_kind);
  if (!lock_is_mine(c->lock)) args_misuse(L, message);
  return c;
}

/* The waiter of the condition's line, and the one that takes its place in the lock's. */
typedef struct Pair {
  Waiter waiter;
  LockWaiter next;
} Pair;

static void pair_init (Pair *p, Condition *c, Nanos deadline) {
  waiter_init(&p->waiter, OP_WAIT, c, deadline);
  lock_waiter_init(&p->next, OP_REACQUIRE, c->lock, deadline);
  p->waiter.payload = &p->next;
  p->next.waiter.deaf = true;
  p->next.parked = &p->waiter;
}

static void record_waited (Condition *c, Wake wake) {
  int waiting;
  pthread_mutex_lock(&c->mu);
  waiting = c->waiting;
  pthread_mutex_unlock(&c->mu);
  record(OP_WAIT, c, wake == WAKE_CHOSEN, waiting);
}

/* One wait on c, whose lock is held; `relative` nanoseconds. */
static Wake wait_once (lua_State *L, Condition *c, Nanos relative) {
  Nanos deadline = world_deadline(c->object.world, relative);
  Pair p;
  Wake wake;
  int levels;
  wait_allowed(L);
  if (world_is_observed())
    world_announce(&(Op){.kind = OP_WAIT,
                         .object = &c->object,
                         .second = &c->lock->object,
                         .until = FOREVER,
                         .L = L});
  pair_init(&p, c, deadline);
  pthread_mutex_lock(&c->mu);
  line_join(&c->line, &p.waiter);
  c->waiting++;
  pthread_mutex_unlock(&c->mu);
  levels = lock_release_all(c->lock);
  wake = line_wait(L, &p.waiter, &c->mu, deadline);
  if (wake != WAKE_CHOSEN) {
    pthread_mutex_lock(&c->mu);
    c->waiting--;
    pthread_mutex_unlock(&c->mu);
  }
  lock_take_again(L, c->lock, levels, wake == WAKE_CHOSEN ? &p.next : NULL);
  if (record_is_on()) record_waited(c, wake);
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  return wake;
}

/* wait([timeout]): true notified, false timed out. */
static int condition_wait (lua_State *L) {
  object_check(L, 1, &condition_kind);
  Nanos relative = args_timeout(L, 2);
  Condition *c = check_owned(L, "cannot wait on un-acquired lock");
  lua_pushboolean(L, wait_once(L, c, relative) == WAKE_CHOSEN);
  return 1;
}

/* Pushes pred() and tells whether it is true. [0, +1] */
static bool ask (lua_State *L) {
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  lua_call(L, 0, 1);
  return lua_toboolean(L, -1);
}

/* wait_for(pred [, timeout]): pred's last value; one deadline for all waits. */
static int condition_wait_for (lua_State *L) {
  object_check(L, 1, &condition_kind);
  luaL_checkany(L, 2);
  if (!args_is_callable(L, 2)) return luaL_typeerror(L, 2, "function");
  lua_settop(L, 3);
  Nanos relative = args_timeout(L, 3);
  Condition *c = check_owned(L, "cannot wait on un-acquired lock");
  Nanos deadline = world_deadline(c->object.world, relative);
  while (!ask(L)) {
    Nanos left = FOREVER;
    if (deadline != FOREVER) {
      left = deadline - world_now(c->object.world);
      if (left <= 0) break;
    }
    if (!lock_is_mine(c->lock)) return args_misuse(L, "cannot wait on un-acquired lock");
    wait_once(L, c, left);
  }
  return 1;
}

/*
** Moves up to n waiters to the line of the lock, in order; under mu, with the
** lock held. Returns those to wake at once.
*/
static Waiter *move (Condition *c, lua_Integer n) {
  Waiter *w, *awake, *chain = NULL, **last = &chain;
  int moved = 0;
  for (; moved < n && (w = line_choose(&c->line)) != NULL; moved++) {
    LockWaiter *next = w->payload;
    line_moved(w, &next->waiter);
    awake = lock_enlist(c->lock, next);
    if (awake == NULL) continue;
    *last = awake;
    last = &awake->next;
  }
  c->waiting -= moved;
  return chain;
}

static int notify (lua_State *L, Condition *c, lua_Integer n) {
  Waiter *chain;
  announce(L, OP_NOTIFY, c);
  pthread_mutex_lock(&c->mu);
  c->is_lost = n > 0 && c->line.first == NULL;
  record(OP_NOTIFY, c, n == LUA_MAXINTEGER ? -1 : n, c->waiting);
  chain = move(c, n);
  if (c->is_lost) source_line_mark(L, &c->lost);
  pthread_mutex_unlock(&c->mu);
  line_wake(chain);
  return 0;
}

/* The notify that found no waiter, for reports on threads that wait now. */
static bool condition_lost (Object *o, SourceLine *place) {
  Condition *c = (Condition *)o;
  bool lost;
  pthread_mutex_lock(&c->mu);
  lost = c->is_lost;
  source_line_read(&c->lost, place);
  pthread_mutex_unlock(&c->mu);
  return lost;
}

/* notify([n=1]) */
static int condition_notify (lua_State *L) {
  object_check(L, 1, &condition_kind);
  lua_Integer n = luaL_optinteger(L, 2, 1);
  return notify(L, check_owned(L, "cannot notify on un-acquired lock"), n);
}

static int condition_notify_all (lua_State *L) {
  return notify(L, check_owned(L, "cannot notify on un-acquired lock"), LUA_MAXINTEGER);
}

static Lock *check_lock (lua_State *L) {
  Condition *c = object_check(L, 1, &condition_kind);
  return c->lock;
}

static int condition_acquire (lua_State *L) { return lock_acquire_for(L, check_lock(L)); }
static int condition_release (lua_State *L) { return lock_release_for(L, check_lock(L)); }
static int condition_with (lua_State *L) {
  object_check(L, 1, &condition_kind);
  return guard_with(L, condition_acquire);
}
static int condition_close (lua_State *L) { return guard_close(L, condition_release); }
static int condition_hold (lua_State *L) {
  object_check(L, 1, &condition_kind);
  return guard_hold(L, condition_acquire);
}

static void condition_describe (lua_State *L, Object *o) {
  Condition *c = (Condition *)o;
  char name[64];
  int waiting;
  pthread_mutex_lock(&c->mu);
  waiting = c->waiting;
  pthread_mutex_unlock(&c->mu);
  lua_pushfstring(L, "%s '%s', %d waiting", c->lock->object.kind->name,
                  object_name(&c->lock->object, name), waiting);
}

static void condition_destroy (Object *o) {
  Condition *c = (Condition *)o;
  if (c->lock != NULL) object_drop(&c->lock->object);
  pthread_mutex_destroy(&c->mu);
}

static void condition_recorded (const Object *o, RecordedFacts *facts) {
  facts->lock = &((const Condition *)o)->lock->object;
}

/* Condition([lock]): a new RLock where none is given. */
int condition_new (lua_State *L) {
  int n, options = object_options(L, 2, &n);
  Lock *lock;
  if (n == 0 || lua_isnil(L, 1)) {
    lua_pushcfunction(L, rlock_new);
    lua_call(L, 0, 1);
  }
  else {
    if (lock_test(L, 1) == NULL) return luaL_typeerror(L, 1, "Lock or RLock");
    lua_pushvalue(L, 1);
  }
  lock = lock_test(L, -1);
  Condition *c = object_new(L, sizeof *c, &condition_kind, options);
  pthread_mutex_init(&c->mu, NULL);
  object_keep(&lock->object);
  c->lock = lock;
  return 1;
}

static const luaL_Reg methods[] = {{"acquire", condition_acquire},
                                   {"release", condition_release},
                                   {"hold", condition_hold},
                                   {"with", condition_with},
                                   {"wait", condition_wait},
                                   {"wait_for", condition_wait_for},
                                   {"notify", condition_notify},
                                   {"notify_all", condition_notify_all},
                                   {"notifyAll", condition_notify_all},
                                   {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", condition_close}, {NULL, NULL}};

const Kind condition_kind = {.name = "Condition",
                             .destroy = condition_destroy,
                             .describe = condition_describe,
                             .methods = methods,
                             .meta = meta,
                             .lost_wakeup = condition_lost,
                             .recorded = condition_recorded};

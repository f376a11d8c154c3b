/*
** semaphore.c - Semaphore and BoundedSemaphore.
**
** The value is an atomic: taking a unit that is there is one compare-and-swap.
** With threads in line, release hands its units to them directly, first come,
** first served. The two meet like this: a waiter counts itself as waiting, then
** looks at the value once more; a releaser raises the value, then looks whether
** anybody waits. One of them sees the other.
*/
#include "world/args.h"
#include "world/record.h"
#include "objects/guard.h"
#include "objects/kinds.h"
#include "thread/thread.h"

typedef struct Semaphore {
  Object object;
  atomic_llong value;
  atomic_int waiting;  /* threads in line or about to be; written under mu */
  lua_Integer initial; /* const after init; the bound of a BoundedSemaphore */
  pthread_mutex_t mu;
  Line line;  /* under mu */
  int coming; /* selects chosen for a unit that have not come for it yet; under mu */
} Semaphore;

static Semaphore *check_semaphore (lua_State *L) {
  Semaphore *s = object_test(L, 1, &semaphore_kind);
  return s != NULL ? s : object_check(L, 1, &bounded_kind);
}

static bool take_unit (Semaphore *s) {
  long long value = atomic_load_explicit(&s->value, memory_order_relaxed);
  while (value > 0)
    if (atomic_compare_exchange_weak(&s->value, &value, value - 1)) return true;
  return false;
}

static int64_t units (Semaphore *s) {
  return atomic_load_explicit(&s->value, memory_order_relaxed);
}

/* Stands in line; true: a unit was handed over, or found. */
static bool wait (lua_State *L, Semaphore *s, Nanos deadline) {
  Waiter w;
  Wake wake;
  wait_allowed(L);
  waiter_init(&w, OP_DOWN, s, deadline);
  pthread_mutex_lock(&s->mu);
  atomic_fetch_add(&s->waiting, 1);
  if (take_unit(s)) {
    atomic_fetch_sub(&s->waiting, 1);
    pthread_mutex_unlock(&s->mu);
    record(OP_DOWN, s, 1, units(s));
    return true;
  }
  line_join(&s->line, &w);
  pthread_mutex_unlock(&s->mu);
  wake = line_wait(L, &w, &s->mu, deadline);
  if (wake == WAKE_CHOSEN) return true;
  pthread_mutex_lock(&s->mu);
  atomic_fetch_sub(&s->waiting, 1);
  pthread_mutex_unlock(&s->mu);
  if (wake == WAKE_INTERRUPT) thread_raise(L);
  return false;
}

/* The same where no unit was there at first; it may not wait. */
static bool take_slowly (lua_State *L, Semaphore *s, Nanos deadline) {
  bool taken = deadline != 0 && wait(L, s, deadline);
  if (!taken) record(deadline == 0 ? OP_TRY_DOWN : OP_DOWN, s, 0, units(s));
  return taken;
}

static int semaphore_acquire (lua_State *L) {
  Semaphore *s = check_semaphore(L);
  Nanos deadline = world_until(s->object.world, args_blocking(L, 2, true));
  OpKind op = deadline == 0 ? OP_TRY_DOWN : OP_DOWN;
  bool taken;
  announce_until(L, op, s, deadline);
  taken = take_unit(s);
  if (taken) record(op, s, 1, units(s));
  lua_pushboolean(L, taken || take_slowly(L, s, deadline));
  return 1;
}

/*
** Hands units to those in line, as many as there are of both. A select is only
** told: its unit stays for it, and the next in line must leave as many as are coming.
*/
static void serve_line (Semaphore *s) {
  Waiter *first = NULL, **last = &first, *w;
  pthread_mutex_lock(&s->mu);
  while ((w = line_first(&s->line)) != NULL && atomic_load(&s->value) > s->coming) {
    if (w->counted != NULL) s->coming++;
    else if (!take_unit(s)) break;
    line_pick(w);
    if (w->counted == NULL) record_handed(w, 1, units(s));
    *last = w;
    last = &w->next;
    atomic_fetch_sub(&s->waiting, 1);
  }
  pthread_mutex_unlock(&s->mu);
  line_wake(first);
}

/* release([n=1]) */
static int semaphore_release (lua_State *L) {
  Semaphore *s = check_semaphore(L);
  lua_Integer n = luaL_optinteger(L, 2, 1);
  long long value;
  Nanos time;
  luaL_argcheck(L, n >= 1, 2, "n must be one or more");
  announce(L, OP_UP, s);
  value = atomic_load_explicit(&s->value, memory_order_relaxed);
  time = record_clock();
  do {
    if (s->object.kind == &bounded_kind && n > s->initial - value)
      return args_misuse(L, "semaphore released too many times");
    if (n > LUA_MAXINTEGER - value) return args_misuse(L, "semaphore value would overflow");
  } while (!atomic_compare_exchange_weak(&s->value, &value, value + n));
  record_given(time, OP_UP, s, n, value + n);
  if (atomic_load(&s->waiting) > 0) serve_line(s);
  return 0;
}

/*
** For select.
*/

static Selected select_take (lua_State *L, Object *o, struct PriorityEntry *taken) {
  (void)L;
  (void)taken;
  if (!take_unit((Semaphore *)o)) return SELECT_NOTHING;
  record(OP_DOWN, o, 1, units((Semaphore *)o));
  return SELECT_TAKEN;
}

static bool select_enlist (Object *o, Waiter *w, bool first) {
  Semaphore *s = (Semaphore *)o;
  bool stands, joins;
  pthread_mutex_lock(&s->mu);
  joins = w->line == NULL;
  stands = line_enlist(&s->line, w, first);
  if (joins && stands) {
    if (!first) s->coming--;
    atomic_fetch_add(&s->waiting, 1);
  }
  pthread_mutex_unlock(&s->mu);
  return stands;
}

static bool select_withdraw (Object *o, Waiter *w) {
  Semaphore *s = (Semaphore *)o;
  bool stood;
  pthread_mutex_lock(&s->mu);
  stood = w->line != NULL;
  if (stood) {
    line_leave(w);
    atomic_fetch_sub(&s->waiting, 1);
  }
  else s->coming--;
  pthread_mutex_unlock(&s->mu);
  if (atomic_load(&s->waiting) > 0) serve_line(s); /* the unit it may have been chosen for */
  return stood || atomic_load(&w->woken) != 0;
}

static const Selectable selectable = {select_take, select_enlist, select_withdraw};

static int semaphore_value (lua_State *L) {
  Semaphore *s = check_semaphore(L);
  announce(L, OP_VALUE, s);
  lua_Integer value = atomic_load(&s->value);
  record(OP_VALUE, s, value, 0);
  lua_pushinteger(L, value);
  return 1;
}

static unsigned semaphore_ready (Object *o, const Thread *t) {
  (void)t;
  return atomic_load(&((Semaphore *)o)->value) > 0 ? READY_TAKE : 0;
}

static int semaphore_with (lua_State *L) {
  check_semaphore(L);
  return guard_with(L, semaphore_acquire);
}
static int semaphore_close (lua_State *L) { return guard_close(L, semaphore_release); }
static int semaphore_hold (lua_State *L) {
  check_semaphore(L);
  return guard_hold(L, semaphore_acquire);
}

static void semaphore_describe (lua_State *L, Object *o) {
  lua_pushfstring(L, "value %I", (lua_Integer)atomic_load(&((Semaphore *)o)->value));
}

static void semaphore_recorded (const Object *o, RecordedFacts *facts) {
  facts->first = ((const Semaphore *)o)->initial;
  if (o->kind == &bounded_kind) facts->most = facts->first;
}

static void semaphore_destroy (Object *o) { pthread_mutex_destroy(&((Semaphore *)o)->mu); }

static int make (lua_State *L, const Kind *kind) {
  int n, options = object_options(L, 2, &n);
  lua_Integer value = n == 0 ? 1 : luaL_optinteger(L, 1, 1);
  luaL_argcheck(L, value >= 0, 1, "semaphore initial value must be >= 0");
  Semaphore *s = object_new(L, sizeof *s, kind, options);
  pthread_mutex_init(&s->mu, NULL);
  atomic_init(&s->value, value);
  s->initial = value;
  return 1;
}

/* Semaphore([value=1]) */
int semaphore_new (lua_State *L) { return make(L, &semaphore_kind); }
int bounded_new (lua_State *L) { return make(L, &bounded_kind); }

static const luaL_Reg methods[] = {{"acquire", semaphore_acquire}, {"release", semaphore_release},
                                   {"value", semaphore_value},     {"hold", semaphore_hold},
                                   {"with", semaphore_with},       {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", semaphore_close}, {NULL, NULL}};

const Kind semaphore_kind = {.name = "Semaphore",
                             .destroy = semaphore_destroy,
                             .ready = semaphore_ready,
                             .describe = semaphore_describe,
                             .recorded = semaphore_recorded,
                             .methods = methods,
                             .meta = meta,
                             .select = &selectable};
const Kind bounded_kind = {.name = "BoundedSemaphore",
                           .destroy = semaphore_destroy,
                           .ready = semaphore_ready,
                           .describe = semaphore_describe,
                           .recorded = semaphore_recorded,
                           .methods = methods,
                           .meta = meta,
                           .select = &selectable};

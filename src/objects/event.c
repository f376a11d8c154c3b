/*
** event.c - Event: a flag to wait for.
**
** set() chooses all waiters under the mutex, so a thread that waited when set()
** was called returns true even if clear() follows before it runs.
*/
#include "world/args.h"
#include "world/record.h"
#include "objects/kinds.h"
#include "thread/thread.h"

typedef struct Event {
  Object object;
  atomic_bool flag; /* written under mu */
  pthread_mutex_t mu;
  Line line;            /* under mu */
  CallSite lost;        /* the last set() that woke nobody; under mu */
  bool is_lost;         /* under mu */
  atomic_bool was_seen; /* since then a wait has found the flag set */
} Event;

static Event *check_event (lua_State *L) { return object_check(L, 1, &event_kind); }

static int event_set (lua_State *L) {
  Event *e = check_event(L);
  Waiter *chain;
  announce(L, OP_SET, e);
  pthread_mutex_lock(&e->mu);
  record(OP_SET, e, 0, 1);
  atomic_store(&e->flag, true);
  e->is_lost = e->line.first == NULL;
  chain = line_choose_all(&e->line);
  atomic_store_explicit(&e->was_seen, false, memory_order_relaxed);
  if (e->is_lost) source_line_mark(L, &e->lost);
  pthread_mutex_unlock(&e->mu);
  line_wake(chain);
  return 0;
}

/* The set() that was cleared before those that wait now began to. */
static bool event_lost (Object *o, SourceLine *place) {
  Event *e = (Event *)o;
  bool lost;
  pthread_mutex_lock(&e->mu);
  lost = e->is_lost && !atomic_load(&e->was_seen);
  source_line_read(&e->lost, place);
  pthread_mutex_unlock(&e->mu);
  return lost;
}

static int event_clear (lua_State *L) {
  Event *e = check_event(L);
  announce(L, OP_CLEAR, e);
  pthread_mutex_lock(&e->mu);
  atomic_store(&e->flag, false);
  record(OP_CLEAR, e, 0, 0);
  pthread_mutex_unlock(&e->mu);
  return 0;
}

static int event_is_set (lua_State *L) {
  Event *e = check_event(L);
  announce(L, OP_IS_SET, e);
  bool set = atomic_load_explicit(&e->flag, memory_order_acquire);
  record(OP_IS_SET, e, set, set);
  lua_pushboolean(L, set);
  return 1;
}

/* Whether the flag is set, for a thread that waits for that. */
static bool finds_set (Event *e) {
  if (!atomic_load_explicit(&e->flag, memory_order_acquire)) return false;
  if (!atomic_load_explicit(&e->was_seen, memory_order_relaxed))
    atomic_store_explicit(&e->was_seen, true, memory_order_relaxed);
  return true;
}

/* Waits for the flag until the deadline; false: timed out. */
static bool wait (lua_State *L, Event *e, Nanos deadline) {
  Waiter w;
  wait_allowed(L);
  waiter_init(&w, OP_WAIT_SET, e, deadline);
  pthread_mutex_lock(&e->mu);
  if (finds_set(e)) {
    pthread_mutex_unlock(&e->mu);
    return true;
  }
  line_join(&e->line, &w);
  pthread_mutex_unlock(&e->mu);
  switch (line_wait(L, &w, &e->mu, deadline)) {
    case WAKE_CHOSEN: return true;
    case WAKE_INTERRUPT: thread_raise(L);
    /* fall through */
    default: return finds_set(e);
  }
}

/* wait([timeout]): true set, false timed out. */
static int event_wait (lua_State *L) {
  Event *e = check_event(L);
  Nanos deadline = world_until(e->object.world, args_timeout(L, 2));
  OpKind op = deadline == 0 ? OP_IS_SET : OP_WAIT_SET;
  bool found;
  announce_until(L, op, e, deadline);
  found = finds_set(e) || (deadline != 0 && wait(L, e, deadline));
  record(op, e, found, atomic_load_explicit(&e->flag, memory_order_relaxed));
  lua_pushboolean(L, found);
  return 1;
}

/*
** For select: the flag stays set, so the chosen one finds it, or it has been
** cleared since.
*/

static Selected select_take (lua_State *L, Object *o, struct PriorityEntry *taken) {
  (void)L;
  (void)taken;
  if (!finds_set((Event *)o)) return SELECT_NOTHING;
  record(OP_WAIT_SET, o, 1, 1);
  return SELECT_TAKEN;
}

static bool select_enlist (Object *o, Waiter *w, bool first) {
  Event *e = (Event *)o;
  bool stands;
  pthread_mutex_lock(&e->mu);
  stands = line_enlist(&e->line, w, first);
  pthread_mutex_unlock(&e->mu);
  return stands;
}

static bool select_withdraw (Object *o, Waiter *w) {
  Event *e = (Event *)o;
  bool stood;
  pthread_mutex_lock(&e->mu);
  stood = w->line != NULL;
  if (stood) line_leave(w);
  pthread_mutex_unlock(&e->mu);
  return stood || atomic_load(&w->woken) != 0;
}

static const Selectable selectable = {select_take, select_enlist, select_withdraw};

static void event_describe (lua_State *L, Object *o) {
  lua_pushstring(L, atomic_load(&((Event *)o)->flag) ? "set" : "unset");
}

static unsigned event_ready (Object *o, const Thread *t) {
  (void)t;
  return atomic_load(&((Event *)o)->flag) ? READY_TAKE : 0;
}

static void event_destroy (Object *o) { pthread_mutex_destroy(&((Event *)o)->mu); }

int event_new (lua_State *L) {
  int n, options = object_options(L, 1, &n);
  luaL_argcheck(L, n == 0, 1, "no arguments but { name = \"...\" } expected");
  Event *e = object_new(L, sizeof *e, &event_kind, options);
  pthread_mutex_init(&e->mu, NULL);
  return 1;
}

static const luaL_Reg methods[] = {{"set", event_set},       {"clear", event_clear},
                                   {"is_set", event_is_set}, {"isSet", event_is_set},
                                   {"wait", event_wait},     {NULL, NULL}};

const Kind event_kind = {.name = "Event",
                         .destroy = event_destroy,
                         .ready = event_ready,
                         .describe = event_describe,
                         .methods = methods,
                         .select = &selectable,
                         .lost_wakeup = event_lost};

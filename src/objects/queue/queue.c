/*
** queue.c - Queue, LifoQueue, PriorityQueue, SimpleQueue, as Lua sees them. How
** items get in and out is in queue_flow.c.
*/
#include <stdlib.h>
#include <string.h>

#include "message/message.h"
#include "world/args.h"
#include "objects/kinds.h"
#include "objects/queue/queue.h"

static Queue *queue_test (lua_State *L, int arg) {
  static const Kind *const others[] = {&simple_kind, &lifo_kind, &priority_kind};
  Queue *q = object_test(L, arg, &queue_kind);
  for (int i = 0; q == NULL && i < 3; i++) q = object_test(L, arg, others[i]);
  return q;
}

static Queue *expect_other (lua_State *L) {
  Queue *q = queue_test(L, 1);
  return q != NULL ? q : object_expected(L, 1, queue_kind.name);
}

/* The queue at 1; the commonest kind is asked for first, in line. */
static inline Queue *queue_expect (lua_State *L) {
  Queue *q = object_test(L, 1, &queue_kind);
  return q != NULL ? q : expect_other(L);
}

/*
** Putting.
*/

static int say (lua_State *L, const char *reason) {
  lua_pushnil(L);
  lua_pushstring(L, reason);
  return 2;
}

/*
** put of the item at 2, waiting until the deadline, 0 for one try. It stands in each of its
** callers whole: a call of its own would be a tenth of what a put costs.
*/
static inline __attribute__((always_inline)) int put (lua_State *L, Queue *q, Nanos relative) {
  Nanos deadline = world_until(q->object.world, relative);
  Priority priority, *p = NULL;
  Slot slot = {.tag = SLOT_NIL}; /* whole: a search compares stacks */
  QueueOutcome outcome;
  bool integer = lua_isinteger(L, 2); /* the commonest item, asked for first */
  luaL_argcheck(L, integer || !lua_isnoneornil(L, 2), 2, "item must not be nil");
  announce_until(L, deadline == 0 ? OP_TRY_PUT : OP_PUT, q, deadline);
  if (q->order == ORDER_PRIORITY) {
    queue_priority_of(L, 2, &priority);
    p = &priority;
  }
  if (integer) {
    slot.tag = SLOT_INTEGER;
    slot.u.integer = lua_tointeger(L, 2);
  }
  else {
    slot_set(L, 2, &slot, q->object.world);
    if (slot_leads(&slot)) cycles_hold(&q->object);
  }
  outcome = queue_put_item(L, q, &slot, p, deadline);
  if (outcome != QUEUE_DONE) slot_free(&slot);
  switch (outcome) {
    case QUEUE_DONE: lua_pushboolean(L, 1); return 1;
    case QUEUE_SHUT: return say(L, "shutdown");
    case QUEUE_NO_MEMORY: args_no_memory(L);
    case QUEUE_NO_ORDER:
      return luaL_argerror(L, 2,
                           "priority has no order with those in the queue (number and string)");
    case QUEUE_INTERRUPTED: thread_raise(L); break;
    case QUEUE_NOT_ALLOWED: wait_allowed(L); break;
    default: break;
  }
  return say(L, "full");
}

/* put(item [, block [, timeout]]) */
static int queue_put (lua_State *L) {
  Queue *q = queue_expect(L);
  Nanos relative = lua_gettop(L) <= 2 ? FOREVER : args_blocking(L, 3, false);
  return put(L, q, relative);
}

static int queue_put_nowait (lua_State *L) { return put(L, queue_expect(L), 0); }

/*
** Getting.
*/

static inline __attribute__((always_inline)) int get (lua_State *L, Queue *q, Nanos relative) {
  Nanos deadline = world_until(q->object.world, relative);
  PriorityEntry taken;
  if (world_is_observed()) memset(&taken, 0, sizeof taken); /* a search compares stacks */
  announce_until(L, deadline == 0 ? OP_TRY_GET : OP_GET, q, deadline);
  switch (queue_get_item(L, q, &taken, deadline)) {
    case QUEUE_DONE: queue_push_taken(L, q, &taken); return 1;
    case QUEUE_SHUT: return say(L, "shutdown");
    case QUEUE_INTERRUPTED: thread_raise(L); break;
    case QUEUE_NOT_ALLOWED: wait_allowed(L); break;
    default: break;
  }
  return say(L, "empty");
}

/* get([block [, timeout]]) */
static int queue_get (lua_State *L) {
  Queue *q = queue_expect(L);
  return get(L, q, lua_gettop(L) <= 1 ? FOREVER : args_blocking(L, 2, false));
}

static int queue_get_nowait (lua_State *L) { return get(L, queue_expect(L), 0); }

static int task_done (lua_State *L) { return queue_task_done(L, queue_expect(L)); }
static int join (lua_State *L) { return queue_task_join(L, queue_expect(L)); }
static int shut_down (lua_State *L) { return queue_task_shutdown(L, queue_expect(L)); }

/* The iterator of items(): (queue, last item); nil at shutdown ends the loop. */
static int next_item (lua_State *L) { return get(L, queue_expect(L), FOREVER); }

static int queue_items (lua_State *L) {
  queue_expect(L);
  lua_pushcfunction(L, next_item);
  lua_pushvalue(L, 1);
  return 2;
}

/*
** Questions.
*/

static int queue_qsize (lua_State *L) {
  Queue *q = queue_expect(L);
  announce(L, OP_LOOK, q);
  lua_pushinteger(L, queue_size(q));
  return 1;
}

static int queue_empty (lua_State *L) {
  Queue *q = queue_expect(L);
  announce(L, OP_LOOK, q);
  lua_pushboolean(L, queue_size(q) == 0);
  return 1;
}

static int queue_full (lua_State *L) {
  Queue *q = queue_expect(L);
  announce(L, OP_LOOK, q);
  lua_pushboolean(L, q->maxsize > 0 && queue_size(q) >= q->maxsize);
  return 1;
}

static int queue_property (lua_State *L) {
  Queue *q = queue_expect(L);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "maxsize") == 0) lua_pushinteger(L, q->maxsize);
  else if (strcmp(key, "is_shutdown") == 0) {
    announce(L, OP_LOOK, q);
    lua_pushboolean(L, atomic_load(&q->shut));
  }
  else lua_pushnil(L);
  return 1;
}

static int queue_set_property (lua_State *L) {
  return luaL_error(L, "cannot set field '%s' of a queue", luaL_tolstring(L, 2, NULL));
}

static void queue_describe (lua_State *L, Object *o) {
  Queue *q = (Queue *)o;
  if (q->maxsize > 0) lua_pushfstring(L, "%I of %I items", queue_size(q), q->maxsize);
  else lua_pushfstring(L, "%I items", queue_size(q));
}

/*
** Construction.
*/

static void queue_recorded (const Object *o, RecordedFacts *facts) {
  facts->most = ((const Queue *)o)->maxsize;
  facts->shown = ((const Queue *)o)->shown;
}

static void queue_destroy (Object *o) {
  Queue *q = (Queue *)o;
  queue_clear(q);
  queue_fifo_free(&q->fifo, 0); /* its spare segment */
  pthread_mutex_destroy(&q->first_mu);
  pthread_mutex_destroy(&q->second_mu);
  pthread_mutex_destroy(&q->join_mu);
}

Queue *queue_make (lua_State *L, size_t size, const Kind *kind, int options, lua_Integer maxsize) {
  Queue *q = object_begin(L, size, kind, options);
  q->order = kind == &lifo_kind ? ORDER_LIFO : kind == &priority_kind ? ORDER_PRIORITY : ORDER_FIFO;
  q->maxsize = maxsize;
  q->fifo.world = q->heap.world = q->object.world;
  pthread_mutex_init(&q->first_mu, NULL);
  pthread_mutex_init(&q->second_mu, NULL);
  pthread_mutex_init(&q->join_mu, NULL);
  q->put_mu = &q->first_mu;
  q->get_mu = q->order == ORDER_FIFO ? &q->second_mu : &q->first_mu;
  q->put_spin = &q->first_spin;
  q->get_spin = q->order == ORDER_FIFO ? &q->second_spin : &q->first_spin;
  return q;
}

static int make_bounded (lua_State *L, const Kind *kind) {
  int n, options = object_options(L, 2, &n);
  lua_Integer maxsize = n == 0 ? 0 : luaL_optinteger(L, 1, 0);
  queue_make(L, sizeof(Queue), kind, options, maxsize);
  object_ready(L, -1);
  return 1;
}

int queue_new (lua_State *L) { return make_bounded(L, &queue_kind); }
int lifo_new (lua_State *L) { return make_bounded(L, &lifo_kind); }
int priority_new (lua_State *L) { return make_bounded(L, &priority_kind); }

/* SimpleQueue() */
int simple_new (lua_State *L) {
  int n, options = object_options(L, 1, &n);
  luaL_argcheck(L, n == 0, 1, "no arguments but { name = \"...\" } expected");
  queue_make(L, sizeof(Queue), &simple_kind, options, 0);
  object_ready(L, -1);
  return 1;
}

static const luaL_Reg methods[] = {{"put", queue_put},
                                   {"get", queue_get},
                                   {"put_nowait", queue_put_nowait},
                                   {"get_nowait", queue_get_nowait},
                                   {"task_done", task_done},
                                   {"join", join},
                                   {"shutdown", shut_down},
                                   {"items", queue_items},
                                   {"qsize", queue_qsize},
                                   {"empty", queue_empty},
                                   {"full", queue_full},
                                   {NULL, NULL}};

static const luaL_Reg simple_methods[] = {{"put", queue_put},
                                          {"get", queue_get},
                                          {"put_nowait", queue_put_nowait},
                                          {"get_nowait", queue_get_nowait},
                                          {"qsize", queue_qsize},
                                          {"empty", queue_empty},
                                          {NULL, NULL}};

static const luaL_Reg meta[] = {
    {"__len", queue_qsize}, {"__newindex", queue_set_property}, {NULL, NULL}};
static const luaL_Reg simple_meta[] = {{"__len", queue_qsize}, {NULL, NULL}};

static void queue_tidy (Object *o) {
  Queue *q = (Queue *)o;
  q->seen_taken = atomic_load(&q->taken);
  q->seen_put = atomic_load(&q->put);
  if (q->order == ORDER_FIFO) queue_fifo_tidy(&q->fifo);
  else queue_priority_tidy(&q->heap);
}

#define QUEUE_KIND(NAME)                                                                      \
  {                                                                                           \
    .name = NAME, .destroy = queue_destroy, .ready = queue_ready, .describe = queue_describe, \
    .visit = queue_visit, .recorded = queue_recorded, .methods = methods, .meta = meta,       \
    .property = queue_property, .select = &queue_select, .tidy = queue_tidy                   \
  }

const Kind queue_kind = QUEUE_KIND("Queue");
const Kind lifo_kind = QUEUE_KIND("LifoQueue");
const Kind priority_kind = QUEUE_KIND("PriorityQueue");
const Kind simple_kind = {.name = "SimpleQueue",
                          .destroy = queue_destroy,
                          .ready = queue_ready,
                          .visit = queue_visit,
                          .describe = queue_describe,
                          .tidy = queue_tidy,
                          .methods = simple_methods,
                          .meta = simple_meta,
                          .select = &queue_select};

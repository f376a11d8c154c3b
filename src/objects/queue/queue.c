/*
** queue.c - Queue, LifoQueue, PriorityQueue, SimpleQueue.
**
** A first-in-first-out queue has two latches: producers never wait for
** consumers. What they must tell each other are two counts that only grow, how
** many items have been put and how many taken; each side keeps the last count
** it saw of the other and looks again only when that says full or empty, so in
** a steady flow the two seldom touch each other's cache lines. The stack and
** the heap use one latch for both sides.
**
** Waiting: who finds the queue empty stands in line, counts itself as waiting
** and looks at `put` once more; a producer raises `put`, then looks whether
** anybody waits, and if so takes the item out again for the first in line. A
** fence makes sure that one sees the other (fence.h). Producers wait for
** room in the same way, and a consumer puts the first one's item in for it. So
** who waits is served first come, first served, and wakes up with the matter
** done; a newcomer may still be quicker than the first in line is served.
*/
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "world/args.h"
#include "base/fence.h"
#include "objects/kinds.h"
#include "objects/queue/queue.h"

static bool is_fifo (const Queue *q) {
  return q->object.kind == &queue_kind || q->object.kind == &simple_kind;
}

static Queue *queue_test (lua_State *L, int arg) {
  static const Kind *const others[] = {&simple_kind, &lifo_kind, &priority_kind};
  Queue *q = object_test(L, arg, &queue_kind);
  for (int i = 0; q == NULL && i < 3; i++) q = object_test(L, arg, others[i]);
  return q;
}

Queue *queue_expect (lua_State *L) {
  Queue *q = queue_test(L, 1);
  return q != NULL ? q : object_expected(L, 1, queue_kind.name);
}

/*
** Standing in line. `count` is the number of waiting threads that the other
** side looks at.
*/

bool queue_enter (Line *line, Waiter *w, atomic_int *count) {
  line_join(line, w);
  return atomic_fetch_add(count, 1) == 0;
}

void queue_leave (Waiter *w, atomic_int *count) {
  line_leave(w);
  atomic_fetch_sub(count, 1);
}

Waiter *queue_choose_all (Line *line, atomic_int *count) {
  Waiter *chain = line_choose_all(line);
  for (Waiter *w = chain; w != NULL; w = w->next) atomic_fetch_sub(count, 1);
  return chain;
}

/* Parks one who stands in line; no mutex held. */
Wake queue_stay (lua_State *L, Waiter *w, pthread_mutex_t *mu, atomic_int *count, Nanos deadline) {
  Wake wake = line_wait(L, w, mu, deadline);
  if (wake != WAKE_CHOSEN) atomic_fetch_sub(count, 1);
  return wake;
}

/*
** Where a processor is free for it, a thread that finds the queue empty or full
** looks again a few times before it stands in line, at intervals in which the
** other side gets several items done. True: it has changed.
*/
static bool linger (Queue *q, atomic_uint_least64_t *theirs, atomic_uint_least64_t *ours, lua_Integer room) {
  for (int n = world_patience(q->object.world); n > 0; n--) {
    world_pause();
    if (atomic_load_explicit(theirs, memory_order_relaxed) + (uint64_t)(room > 0 ? room : 0)
        != atomic_load_explicit(ours, memory_order_relaxed)) return true;
  }
  return false;
}

#define GATHER 16                 /* pauses, some microseconds together */
#define PER_ITEM 2000             /* nanoseconds: it was worth the time if an item has come in each of these */
#define SPARE 20000               /* about what standing in line costs, sleep and wake-up included */
#define ALONE 1000                /* where not, it is not tried again so many times */

/*
** A consumer faster than its producers would take each item as it comes; both
** would wait for the same cache lines all the time, or, where threads are more
** than processors, for the kernel. So it lets a few gather, in a pause or while
** others run; unless items come one by one, as in a conversation.
*/
static void gather (Queue *q, bool others_run) {
  int alone = atomic_load_explicit(&q->alone, memory_order_relaxed);
  if (alone == 0) {
    Nanos start = world_now(q->object.world);
    uint64_t items, put = atomic_load_explicit(&q->put, memory_order_relaxed);
    if (others_run) sched_yield();
    else for (int i = 0; i < GATHER; i++) world_pause();
    items = atomic_load_explicit(&q->put, memory_order_relaxed) - put;
    if ((Nanos)items * PER_ITEM + (others_run ? SPARE : 0) < world_now(q->object.world) - start) alone = ALONE;
  }
  else alone--;
  atomic_store_explicit(&q->alone, alone, memory_order_relaxed);
}

/* The queue was empty; true: it pays to look again before standing in line. */
static bool await_items (Queue *q) {
  World *world = q->object.world;
  bool crowded = world_is_parallel(world) && world_patience(world) == 0;
  if (!crowded && !linger(q, &q->put, &q->taken, 0)) return false;
  gather(q, crowded);
  return true;
}

/*
** Putting in.
*/

/* Under put_latch. */
static bool has_room (Queue *q) {
  uint64_t put;
  if (q->maxsize <= 0) return true;
  put = atomic_load_explicit(&q->put, memory_order_relaxed);
  if (put - q->seen_taken < (uint64_t)q->maxsize) return true;
  q->seen_taken = atomic_load(&q->taken);
  return put - q->seen_taken < (uint64_t)q->maxsize;
}

static bool store (Queue *q, const Slot *s, const Priority *p) {
  if (is_fifo(q)) return fifo_add(&q->fifo, s);
  if (q->object.kind == &lifo_kind) return stack_add(&q->heap, s);
  return heap_add(&q->heap, s, p);
}

/* Under put_latch: adds the item if that can be done now. */
static inline Outcome add (Queue *q, const Slot *s, const Priority *p) {
  if (atomic_load_explicit(&q->shut, memory_order_relaxed)) return SHUT;
  if (!has_room(q)) return WOULD_WAIT;
  if (p != NULL && q->heap.size > 0 && !priority_comparable(p, &q->heap.entries[0].priority)) return NO_ORDER;
  if (!store(q, s, p)) return NO_MEMORY;
  fence_write(&q->put, atomic_load_explicit(&q->put, memory_order_relaxed) + 1);
  return DONE;
}

static inline Outcome try_put (Queue *q, const Slot *s, const Priority *p) {
  Outcome outcome;
  latch_take(q->put_latch);
  outcome = add(q, s, p);
  latch_give(q->put_latch);
  return outcome;
}

/*
** Taking out.
*/

/* Under get_latch. */
bool queue_has_item (Queue *q) {
  uint64_t taken = atomic_load_explicit(&q->taken, memory_order_relaxed);
  if (taken != q->seen_put) return true;
  q->seen_put = atomic_load(&q->put);
  return taken != q->seen_put;
}

void queue_take_out (Queue *q, Slot *s) {
  if (is_fifo(q)) fifo_take(&q->fifo, s);
  else if (q->object.kind == &lifo_kind) stack_take(&q->heap, s);
  else heap_take(&q->heap, s);
  fence_write(&q->taken, atomic_load_explicit(&q->taken, memory_order_relaxed) + 1);
}

/* Takes an item if there is one. */
static inline Outcome try_get (Queue *q, Slot *s) {
  Outcome outcome = DONE;
  latch_take(q->get_latch);
  if (queue_has_item(q)) queue_take_out(q, s);
  else outcome = atomic_load(&q->shut) ? SHUT : WOULD_WAIT; /* which a shutdown, now kept out, may have made true */
  latch_give(q->get_latch);
  return outcome;
}

/*
** The lines of both sides. A side is named by its operation, OP_PUT or OP_GET.
*/

typedef struct Side {
  pthread_mutex_t *mu;
  Line *line;
  atomic_int *waiting;
} Side;

static Side side_of (Queue *q, OpKind kind) {
  if (kind == OP_PUT) return (Side){q->put_mu, &q->putters, &q->putters_waiting};
  return (Side){q->get_mu, &q->getters, &q->getters_waiting};
}

static Outcome attempt (Queue *q, OpKind kind, const Request *r) {
  return kind == OP_PUT ? try_put(q, r->slot, r->priority) : try_get(q, r->slot);
}

/* Serves who stands in line, as far as there is room or items; woken when all is unlocked. True: somebody was. */
static bool serve (Queue *q, OpKind kind) {
  Side side = side_of(q, kind);
  Waiter *first = NULL, **last = &first, *w;
  pthread_mutex_lock(side.mu);
  while ((w = line_first(side.line)) != NULL) {
    Request *r = w->payload;
    r->outcome = attempt(q, kind, r);
    if (r->outcome == WOULD_WAIT) break;
    line_pick(w);
    *last = w;
    last = &w->next;
    atomic_fetch_sub(side.waiting, 1);
  }
  pthread_mutex_unlock(side.mu);
  line_wake(first);
  return first != NULL;
}

/* After a change by one side: serves the other side's line, and so on while that changes anything. */
static void serve_after_put (Queue *q) {
  while (atomic_load(&q->getters_waiting) > 0 && serve(q, OP_GET))
    if (q->maxsize <= 0 || atomic_load(&q->putters_waiting) == 0 || !serve(q, OP_PUT)) break;
}

static void serve_after_get (Queue *q) {
  if (q->maxsize > 0 && atomic_load(&q->putters_waiting) > 0 && serve(q, OP_PUT)) serve_after_put(q);
}

/* Stands in line; a first try has failed. From the unlocking on, the request is the server's. */
static Outcome wait_in_line (lua_State *L, Queue *q, OpKind kind, Slot *s, const Priority *p, Nanos relative) {
  Nanos deadline = world_deadline(q->object.world, relative);
  Side side = side_of(q, kind);
  Request r = {s, p, WOULD_WAIT};
  Outcome outcome;
  Waiter w;
  if (thread_self->updating > 0) return NOT_ALLOWED;
  waiter_init(&w, kind, q, deadline);
  w.payload = &r;
  pthread_mutex_lock(side.mu);
  if (queue_enter(side.line, &w, side.waiting) && world_is_parallel(q->object.world)) fence_here();
  outcome = attempt(q, kind, &r);         /* the other side may have acted before it could see us */
  if (outcome != WOULD_WAIT) queue_leave(&w, side.waiting);
  pthread_mutex_unlock(side.mu);
  if (outcome != WOULD_WAIT) return outcome;
  switch (queue_stay(L, &w, side.mu, side.waiting, deadline)) {
    case WAKE_CHOSEN: return r.outcome;
    case WAKE_INTERRUPT: return INTERRUPTED;
    default: return WOULD_WAIT;
  }
}

/*
** Putting.
*/

static Outcome put_item (lua_State *L, Queue *q, Slot *s, const Priority *p, Nanos relative) {
  Outcome outcome = try_put(q, s, p);
  if (outcome == WOULD_WAIT && relative != 0 && linger(q, &q->taken, &q->put, q->maxsize)) outcome = try_put(q, s, p);
  if (outcome == WOULD_WAIT && relative != 0) outcome = wait_in_line(L, q, OP_PUT, s, p, relative);
  if (outcome == DONE) serve_after_put(q);
  return outcome;
}

static int say (lua_State *L, const char *reason) {
  lua_pushnil(L);
  lua_pushstring(L, reason);
  return 2;
}

/* put of the item at 2, waiting up to `relative`. */
static int put (lua_State *L, Queue *q, Nanos relative) {
  Priority priority, *p = NULL;
  Slot slot;
  Outcome outcome;
  bool integer = lua_isinteger(L, 2);               /* the commonest item, asked for first */
  luaL_argcheck(L, integer || !lua_isnoneornil(L, 2), 2, "item must not be nil");
  announce(L, relative == 0 ? OP_TRY_PUT : OP_PUT, q);
  if (q->object.kind == &priority_kind) {
    priority_of(L, 2, &priority);
    p = &priority;
  }
  if (integer) { slot.tag = SLOT_INTEGER; slot.u.integer = lua_tointeger(L, 2); }
  else slot_set(L, 2, &slot, q->object.world);
  outcome = put_item(L, q, &slot, p, relative);
  if (outcome != DONE) slot_free(&slot);
  switch (outcome) {
    case DONE: lua_pushboolean(L, 1); return 1;
    case SHUT: return say(L, "shutdown");
    case NO_MEMORY: return luaL_error(L, "not enough memory");
    case NO_ORDER: return luaL_argerror(L, 2, "priority has no order with those in the queue (number and string)");
    case INTERRUPTED: thread_raise(L); break;
    case NOT_ALLOWED: wait_allowed(L); break;
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

static int queue_put_nowait (lua_State *L) {
  return put(L, queue_expect(L), 0);
}

/*
** Getting.
*/

static Outcome get_item (lua_State *L, Queue *q, Slot *s, Nanos relative) {
  Outcome outcome = try_get(q, s);
  if (outcome == WOULD_WAIT && relative != 0 && await_items(q)) outcome = try_get(q, s);
  if (outcome == WOULD_WAIT && relative != 0) outcome = wait_in_line(L, q, OP_GET, s, NULL, relative);
  if (outcome == DONE) serve_after_get(q);
  return outcome;
}

static int get (lua_State *L, Queue *q, Nanos relative) {
  Slot slot;
  announce(L, relative == 0 ? OP_TRY_GET : OP_GET, q);
  switch (get_item(L, q, &slot, relative)) {
    case DONE: slot_push_free(L, &slot); return 1;
    case SHUT: return say(L, "shutdown");
    case INTERRUPTED: thread_raise(L); break;
    case NOT_ALLOWED: wait_allowed(L); break;
    default: break;
  }
  return say(L, "empty");
}

/* get([block [, timeout]]) */
static int queue_get (lua_State *L) {
  Queue *q = queue_expect(L);
  return get(L, q, lua_gettop(L) <= 1 ? FOREVER : args_blocking(L, 2, false));
}

static int queue_get_nowait (lua_State *L) {
  return get(L, queue_expect(L), 0);
}

/* The iterator of items(): (queue, last item); nil at shutdown ends the loop. */
static int next_item (lua_State *L) {
  return get(L, queue_expect(L), FOREVER);
}

static int queue_items (lua_State *L) {
  queue_expect(L);
  lua_pushcfunction(L, next_item);
  lua_pushvalue(L, 1);
  return 2;
}

/*
** Questions.
*/

/* Where nothing has been taken between two readings, `put` in between is of the same moment; else both sides are held. */
static lua_Integer size_of (Queue *q) {
  uint64_t taken = atomic_load(&q->taken), put = atomic_load(&q->put);
  if (atomic_load(&q->taken) != taken) {
    latch_take(q->put_latch);
    if (q->get_latch != q->put_latch) latch_take(q->get_latch);
    put = atomic_load(&q->put);
    taken = atomic_load(&q->taken);
    if (q->get_latch != q->put_latch) latch_give(q->get_latch);
    latch_give(q->put_latch);
  }
  return (lua_Integer)(put - taken);
}

static int queue_qsize (lua_State *L) {
  Queue *q = queue_expect(L);
  announce(L, OP_LOOK, q);
  lua_pushinteger(L, size_of(q));
  return 1;
}

static int queue_empty (lua_State *L) {
  Queue *q = queue_expect(L);
  announce(L, OP_LOOK, q);
  lua_pushboolean(L, size_of(q) == 0);
  return 1;
}

static int queue_full (lua_State *L) {
  Queue *q = queue_expect(L);
  announce(L, OP_LOOK, q);
  lua_pushboolean(L, q->maxsize > 0 && size_of(q) >= q->maxsize);
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
  if (q->maxsize > 0) lua_pushfstring(L, "%I of %I items", size_of(q), q->maxsize);
  else lua_pushfstring(L, "%I items", size_of(q));
}

/*
** Construction.
*/

static void queue_destroy (Object *o) {
  Queue *q = (Queue *)o;
  queue_clear(q);
  if (is_fifo(q)) fifo_free(&q->fifo);
  else heap_free(&q->heap);
  pthread_mutex_destroy(&q->first_mu);
  pthread_mutex_destroy(&q->second_mu);
  pthread_mutex_destroy(&q->join_mu);
}

static int make (lua_State *L, const Kind *kind, int options, lua_Integer maxsize) {
  Queue *q = object_new(L, sizeof *q, kind, options);
  q->maxsize = maxsize;
  pthread_mutex_init(&q->first_mu, NULL);
  pthread_mutex_init(&q->second_mu, NULL);
  pthread_mutex_init(&q->join_mu, NULL);
  q->put_mu = &q->first_mu;
  q->get_mu = is_fifo(q) ? &q->second_mu : &q->first_mu;
  q->put_latch = &q->first_latch;
  q->get_latch = is_fifo(q) ? &q->second_latch : &q->first_latch;
  return 1;
}

static int make_bounded (lua_State *L, const Kind *kind) {
  int n, options = object_options(L, 2, &n);
  lua_Integer maxsize = n == 0 ? 0 : luaL_optinteger(L, 1, 0);
  return make(L, kind, options, maxsize);
}

int queue_new (lua_State *L) { return make_bounded(L, &queue_kind); }
int lifo_new (lua_State *L) { return make_bounded(L, &lifo_kind); }
int priority_new (lua_State *L) { return make_bounded(L, &priority_kind); }

/* SimpleQueue() */
int simple_new (lua_State *L) {
  int n, options = object_options(L, 1, &n);
  luaL_argcheck(L, n == 0, 1, "no arguments but { name = \"...\" } expected");
  return make(L, &simple_kind, options, 0);
}

static const luaL_Reg methods[] = {
  {"put", queue_put}, {"get", queue_get}, {"put_nowait", queue_put_nowait}, {"get_nowait", queue_get_nowait},
  {"task_done", queue_task_done}, {"join", queue_join}, {"shutdown", queue_shutdown}, {"items", queue_items},
  {"qsize", queue_qsize}, {"empty", queue_empty}, {"full", queue_full}, {NULL, NULL}
};

static const luaL_Reg simple_methods[] = {
  {"put", queue_put}, {"get", queue_get}, {"put_nowait", queue_put_nowait}, {"get_nowait", queue_get_nowait},
  {"qsize", queue_qsize}, {"empty", queue_empty}, {NULL, NULL}
};

static const luaL_Reg meta[] = {{"__len", queue_qsize}, {"__newindex", queue_set_property}, {NULL, NULL}};
static const luaL_Reg simple_meta[] = {{"__len", queue_qsize}, {NULL, NULL}};

#define QUEUE_KIND(NAME) { .name = NAME, .destroy = queue_destroy, .describe = queue_describe, \
                           .methods = methods, .meta = meta, .property = queue_property }

const Kind queue_kind = QUEUE_KIND("Queue");
const Kind lifo_kind = QUEUE_KIND("LifoQueue");
const Kind priority_kind = QUEUE_KIND("PriorityQueue");
const Kind simple_kind = {
  .name = "SimpleQueue", .destroy = queue_destroy, .describe = queue_describe,
  .methods = simple_methods, .meta = simple_meta
};

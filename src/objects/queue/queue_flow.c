/*
** queue_flow.c - how items get in and out, and how threads wait for that.
**
** A first-in-first-out queue has two spin locks: producers never wait for
** consumers. What they must tell each other are two counts that only grow, how
** many items have been put and how many taken; each side keeps the last count
** it saw of the other and looks again only when that says full or empty, so in
** a steady flow the two seldom touch each other's cache lines. The stack and
** the heap use one spin for both sides.
**
** Waiting: a consumer that finds the queue empty stands in line, counts itself
** as waiting and looks at `put` once more. A producer raises `put`, then looks
** whether anybody waits; if so, it takes the item out again for the first in
** line. A fence makes sure that one sees the other (fence.h). Producers wait for
** room in the same way, and a consumer puts the first one's item in for it. So
** waiters are served first come, first served, and each wakes up with its matter
** done. A newcomer may still be quicker than the first in line is served.
*/
#include <sched.h>
#include <string.h>

#include "base/fence.h"
#include "objects/queue/queue.h"
#include "world/record.h"

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

/* Parks one that stands in line; no mutex held. */
Wake queue_stay (lua_State *L, Waiter *w, pthread_mutex_t *mu, atomic_int *count, Nanos deadline) {
  Wake wake = line_wait(L, w, mu, deadline);
  if (wake != WAKE_CHOSEN) atomic_fetch_sub(count, 1);
  return wake;
}

/*
** A thread that finds the queue empty or full looks again a few times before it
** stands in line, if a processor is free for that; between two looks the other
** side gets several items done. Pays for the row "round trip": both sides stay out
** of the kernel. Returns whether the queue has changed.
*/
static bool linger (Queue *q, atomic_uint_least64_t *theirs, atomic_uint_least64_t *ours,
                    lua_Integer room) {
  for (int n = world_patience(q->object.world); n > 0; n--) {
    world_pause();
    if (atomic_load_explicit(theirs, memory_order_relaxed) + (uint64_t)(room > 0 ? room : 0)
        != atomic_load_explicit(ours, memory_order_relaxed))
      return true;
  }
  return false;
}

/*
** A consumer faster than its producers would take each item as it comes. Both
** would then fetch the same cache lines from each other all the time or, where
** threads are more than processors, go through the kernel for each item. So the
** consumer lets a few items gather: it pauses, or lets other threads run. In
** `make bench` this pays for the rows "small integers 1:1, maxsize 1024" (a
** quarter less time) and "small integers 4:4" (a third more items a second).
** In a conversation, where each side waits for the other's next word, no items
** gather and the pause is lost: row "round trip". So each pause is measured, and
** after one that was not worth its time the next ALONE chances are passed up.
*/
#define GATHER 16     /* pauses: some microseconds */
#define PER_ITEM 2000 /* nanoseconds an item may take to come for the pause to be worth it */
#define SPARE 20000   /* nanoseconds that standing in line costs, sleep and wake-up included */
#define ALONE 1000

static void gather (Queue *q, bool others_run) {
  int alone = atomic_load_explicit(&q->alone, memory_order_relaxed);
  if (alone == 0) {
    Nanos start = world_now(q->object.world);
    uint64_t items, put = atomic_load_explicit(&q->put, memory_order_relaxed);
    if (others_run) sched_yield();
    else
      for (int i = 0; i < GATHER; i++) world_pause();
    items = atomic_load_explicit(&q->put, memory_order_relaxed) - put;
    if ((Nanos)items * PER_ITEM + (others_run ? SPARE : 0) < world_now(q->object.world) - start)
      alone = ALONE;
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

/* What one try came to: the number of the item that went in or out, from 1; 0: none did. */
typedef struct Moved {
  QueueOutcome outcome;
  uint64_t item;
} Moved;

/*
** Putting in.
*/

/* Under put_spin. */
static bool has_room (Queue *q) {
  uint64_t put;
  if (q->maxsize <= 0) return true;
  put = atomic_load_explicit(&q->put, memory_order_relaxed);
  if (put - q->seen_taken < (uint64_t)q->maxsize) return true;
  q->seen_taken = atomic_load(&q->taken);
  return put - q->seen_taken < (uint64_t)q->maxsize;
}

static bool store (Queue *q, const Slot *s, const Priority *p) {
  if (q->order == ORDER_FIFO) return queue_fifo_add(&q->fifo, s);
  if (q->order == ORDER_LIFO) return queue_stack_add(&q->heap, s);
  return queue_priority_add(&q->heap, s, p);
}

/* Between seeing room and telling the other side: so lengths in a recording have an order. */
static inline void note_time (Nanos *time) {
  if (time != NULL && record_is_on()) *time = record_now();
}

/* Under put_spin: adds the item if that can be done now. */
static inline Moved add (Queue *q, const Slot *s, const Priority *p, Nanos *time) {
  uint64_t item = atomic_load_explicit(&q->put, memory_order_relaxed) + 1;
  if (atomic_load_explicit(&q->shut, memory_order_relaxed)) return (Moved){QUEUE_SHUT, 0};
  if (!has_room(q)) return (Moved){QUEUE_WOULD_WAIT, 0};
  if (p != NULL && q->heap.size > 0 && !queue_priority_comparable(p, &q->heap.entries[0].priority))
    return (Moved){QUEUE_NO_ORDER, 0};
  if (!store(q, s, p)) return (Moved){QUEUE_NO_MEMORY, 0};
  note_time(time);
  fence_write(&q->put, item);
  return (Moved){QUEUE_DONE, item};
}

static inline Moved try_put (Queue *q, const Slot *s, const Priority *p, Nanos *time) {
  Moved moved;
  spinlock_take(q->put_spin);
  moved = add(q, s, p, time);
  spinlock_give(q->put_spin);
  return moved;
}

/*
** Taking out.
*/

/* Under get_spin. */
bool queue_has_item (Queue *q) {
  uint64_t taken = atomic_load_explicit(&q->taken, memory_order_relaxed);
  if (taken != q->seen_put) return true;
  q->seen_put = atomic_load(&q->put);
  return taken != q->seen_put;
}

/* Under get_spin; there must be one. Returns its number, from 1. */
static inline uint64_t take_out (Queue *q, PriorityEntry *e, Nanos *time) {
  uint64_t taken = atomic_load_explicit(&q->taken, memory_order_relaxed) + 1, item = taken;
  if (q->order == ORDER_FIFO) queue_fifo_take(&q->fifo, &e->slot);
  else {
    if (q->order == ORDER_LIFO) queue_stack_take(&q->heap, e);
    else queue_priority_take(&q->heap, e);
    item = e->order + 1;
  }
  note_time(time);
  fence_write(&q->taken, taken);
  return item;
}

/* Takes an item if there is one. */
static inline Moved try_get (Queue *q, PriorityEntry *e, Nanos *time) {
  Moved moved = {QUEUE_DONE, 0};
  spinlock_take(q->get_spin);
  if (queue_has_item(q)) moved.item = take_out(q, e, time);
  else
    moved.outcome = atomic_load(&q->shut)
                        ? QUEUE_SHUT
                        : QUEUE_WOULD_WAIT; /* which a shutdown, now kept out, may have made true */
  spinlock_give(q->get_spin);
  return moved;
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

static Moved attempt (Queue *q, OpKind kind, const QueueRequest *r, Nanos *time) {
  return kind == OP_PUT ? try_put(q, r->slot, r->priority, time) : try_get(q, r->taken, time);
}

static int64_t length_of (Queue *q) {
  return (int64_t)(atomic_load_explicit(&q->put, memory_order_relaxed)
                   - atomic_load_explicit(&q->taken, memory_order_relaxed));
}

/* A call of the running thread has got its item in or out at `time`; 0: now. */
static void record_item (Nanos time, OpKind op, Queue *q, uint64_t item, const char *text) {
  record_take(&(Record){.kind = RECORD_OP,
                        .op = op,
                        .object = q,
                        .a = (int64_t)item,
                        .b = length_of(q),
                        .time = time,
                        .text = text,
                        .length = text != NULL ? strlen(text) : 0});
}

/* A waiter, about to be woken, has got its item in or out. */
static void record_served (const Waiter *w, uint64_t item, Nanos time) {
  const QueueRequest *r = w->payload;
  if (r->outcome != QUEUE_DONE) return;
  record_take(&(Record){.kind = RECORD_HANDED,
                        .op = w->kind,
                        .object = w->object,
                        .who = w->thread,
                        .a = (int64_t)item,
                        .b = length_of((Queue *)w->object),
                        .time = time,
                        .text = r->text,
                        .length = r->text != NULL ? strlen(r->text) : 0});
}

/*
** Whether the first in line can be served: an item, or what a get of a closed queue
** says, is put into its request. A select is only told; the item stays for it, and
** the next in line must leave as many as selects are coming. Nothing is left to wait
** for where the queue is closed and empty. Under the side's mutex.
*/
static bool serve_first (Queue *q, OpKind kind, Waiter *w, uint64_t *item, Nanos *time) {
  QueueRequest *r = w->payload;
  Moved moved;
  if (kind == OP_GET && (q->coming > 0 || w->counted != NULL)
      && (uint64_t)queue_size(q) <= q->coming && (queue_size(q) > 0 || !atomic_load(&q->shut)))
    return false;
  if (w->counted != NULL) {
    q->coming++;
    return true;
  }
  moved = attempt(q, kind, r, time);
  r->outcome = moved.outcome;
  *item = moved.item;
  return moved.outcome != QUEUE_WOULD_WAIT;
}

/*
** Serves the line, as far as there is room or items; wakes when all is unlocked. True:
** somebody was served.
*/
static bool serve (Queue *q, OpKind kind) {
  Side side = side_of(q, kind);
  Waiter *first = NULL, **last = &first, *w;
  uint64_t item = 0;
  Nanos time = 0;
  pthread_mutex_lock(side.mu);
  while ((w = line_first(side.line)) != NULL && serve_first(q, kind, w, &item, &time)) {
    line_pick(w);
    if (record_is_on() && w->counted == NULL) record_served(w, item, time);
    *last = w;
    last = &w->next;
    atomic_fetch_sub(side.waiting, 1);
  }
  pthread_mutex_unlock(side.mu);
  line_wake(first);
  return first != NULL;
}

/*
** After a change by one side: serves the other side's line, and so on while that
** changes anything.
*/
void queue_serve_getters (Queue *q) {
  while (serve(q, OP_GET) && q->maxsize > 0 && atomic_load(&q->putters_waiting) > 0
         && serve(q, OP_PUT) && atomic_load(&q->getters_waiting) > 0)
    ;
}

static inline void serve_after_put (Queue *q) {
  if (atomic_load(&q->getters_waiting) > 0) queue_serve_getters(q);
}

/* The last item of a closed queue may have been left for a select that others stood behind. */
static inline void serve_after_get (Queue *q) {
  if (q->maxsize > 0 && atomic_load(&q->putters_waiting) > 0 && serve(q, OP_PUT))
    serve_after_put(q);
  else if (atomic_load(&q->shut)) serve_after_put(q);
}

/* Stands in line; a first try has failed. Item 0: the thread that served the line has moved it. */
static Moved wait_in_line (lua_State *L, Queue *q, OpKind kind, QueueRequest *r, Nanos deadline,
                           Nanos *time) {
  Side side = side_of(q, kind);
  Moved moved;
  Waiter w;
  if (thread_self->updating > 0) return (Moved){QUEUE_NOT_ALLOWED, 0};
  waiter_init(&w, kind, q, deadline);
  w.payload = r;
  pthread_mutex_lock(side.mu);
  if (queue_enter(side.line, &w, side.waiting) && world_is_parallel(q->object.world)) fence_here();
  moved = attempt(q, kind, r, time); /* the other side may have acted before it could see us */
  if (moved.outcome != QUEUE_WOULD_WAIT) queue_leave(&w, side.waiting);
  pthread_mutex_unlock(side.mu);
  if (moved.outcome != QUEUE_WOULD_WAIT) return moved;
  switch (queue_stay(L, &w, side.mu, side.waiting, deadline)) {
    case WAKE_CHOSEN: return (Moved){r->outcome, 0};
    case WAKE_INTERRUPT: return (Moved){QUEUE_INTERRUPTED, 0};
    default: return moved;
  }
}

/* Goes on with a put, or a get, that has been tried once and may wait. */
static Moved put_on (lua_State *L, Queue *q, QueueRequest *r, Nanos deadline, Nanos *time) {
  Moved moved = {QUEUE_WOULD_WAIT, 0};
  if (linger(q, &q->taken, &q->put, q->maxsize)) moved = try_put(q, r->slot, r->priority, time);
  return moved.outcome == QUEUE_WOULD_WAIT ? wait_in_line(L, q, OP_PUT, r, deadline, time) : moved;
}

static Moved get_on (lua_State *L, Queue *q, QueueRequest *r, Nanos deadline, Nanos *time) {
  Moved moved = {QUEUE_WOULD_WAIT, 0};
  if (await_items(q)) moved = try_get(q, r->taken, time);
  return moved.outcome == QUEUE_WOULD_WAIT ? wait_in_line(L, q, OP_GET, r, deadline, time) : moved;
}

/* What is seldom called from where every instruction counts, and stays a function there. */
#define SELDOM __attribute__((noinline, cold))

/*
** The same from the beginning, where that is recorded; what is put lies at 2. Where
** another thread puts the item in or takes it out, `item` is 0: that thread records
** it. An idle worker of a Pool looks for tasks in vain, which is no event.
*/
SELDOM static QueueOutcome put_recorded (lua_State *L, Queue *q, Slot *s, const Priority *p,
                                         Nanos deadline) {
  Nanos time = 0;
  char text[RECORD_VALUE];
  QueueRequest r = {.slot = s, .priority = p, .outcome = QUEUE_WOULD_WAIT, .text = text};
  Moved moved;
  record_value(L, 2, text);
  moved = try_put(q, s, p, &time);
  if (moved.outcome == QUEUE_WOULD_WAIT && deadline != 0) moved = put_on(L, q, &r, deadline, &time);
  if (moved.item > 0 || moved.outcome != QUEUE_DONE)
    record_item(time, deadline == 0 ? OP_TRY_PUT : OP_PUT, q, moved.item, text);
  if (moved.outcome == QUEUE_DONE) serve_after_put(q);
  return moved.outcome;
}

SELDOM static QueueOutcome get_recorded (lua_State *L, Queue *q, PriorityEntry *e, Nanos deadline) {
  QueueRequest r = {.taken = e, .outcome = QUEUE_WOULD_WAIT};
  Nanos time = 0;
  Moved moved = try_get(q, e, &time);
  if (moved.outcome == QUEUE_WOULD_WAIT && deadline != 0) moved = get_on(L, q, &r, deadline, &time);
  if (moved.item > 0 || (moved.outcome != QUEUE_DONE && q->shown == NULL))
    record_item(time, deadline == 0 ? OP_TRY_GET : OP_GET, q, moved.item, NULL);
  if (moved.outcome == QUEUE_DONE) serve_after_get(q);
  return moved.outcome;
}

/* A put, or a get, whose first try found no room, or no item. */
SELDOM static QueueOutcome put_waiting (lua_State *L, Queue *q, Slot *s, const Priority *p,
                                        Nanos deadline) {
  QueueOutcome outcome =
      put_on(L, q, &(QueueRequest){.slot = s, .priority = p}, deadline, NULL).outcome;
  if (outcome == QUEUE_DONE) serve_after_put(q);
  return outcome;
}

SELDOM static QueueOutcome get_waiting (lua_State *L, Queue *q, PriorityEntry *e, Nanos deadline) {
  QueueOutcome outcome = get_on(L, q, &(QueueRequest){.taken = e}, deadline, NULL).outcome;
  if (outcome == QUEUE_DONE) serve_after_get(q);
  return outcome;
}

/* The common case, in which nobody waits, is short: it is most of what a put costs. */
QueueOutcome queue_put_item (lua_State *L, Queue *q, Slot *s, const Priority *p, Nanos deadline) {
  QueueOutcome outcome;
  if (record_is_on()) return put_recorded(L, q, s, p, deadline);
  outcome = try_put(q, s, p, NULL).outcome;
  if (outcome == QUEUE_DONE) serve_after_put(q);
  else if (outcome == QUEUE_WOULD_WAIT && deadline != 0) return put_waiting(L, q, s, p, deadline);
  return outcome;
}

QueueOutcome queue_get_item (lua_State *L, Queue *q, PriorityEntry *e, Nanos deadline) {
  QueueOutcome outcome;
  if (record_is_on()) return get_recorded(L, q, e, deadline);
  outcome = try_get(q, e, NULL).outcome;
  if (outcome == QUEUE_DONE) serve_after_get(q);
  else if (outcome == QUEUE_WOULD_WAIT && deadline != 0) return get_waiting(L, q, e, deadline);
  return outcome;
}

bool queue_has_unclaimed (Queue *q) {
  bool has;
  pthread_mutex_lock(q->get_mu);
  has = (uint64_t)queue_size(q) > q->coming;
  pthread_mutex_unlock(q->get_mu);
  return has;
}

/*
** For select.
*/

static Selected select_take (lua_State *L, Object *o, PriorityEntry *taken) {
  Queue *q = (Queue *)o;
  Nanos time = 0;
  Moved moved = try_get(q, taken, &time);
  (void)L;
  if (record_is_on() && (moved.item > 0 || (moved.outcome == QUEUE_SHUT && q->shown == NULL)))
    record_item(time, OP_GET, q, moved.item, NULL);
  if (moved.outcome == QUEUE_DONE) serve_after_get(q);
  return moved.outcome == QUEUE_DONE   ? SELECT_TAKEN
         : moved.outcome == QUEUE_SHUT ? SELECT_SHUT
                                       : SELECT_NOTHING;
}

static bool select_enlist (Object *o, Waiter *w, bool first) {
  Queue *q = (Queue *)o;
  bool stands, joins;
  pthread_mutex_lock(q->get_mu);
  joins = w->line == NULL;
  stands = line_enlist(&q->getters, w, first);
  if (joins && stands) {
    if (!first) q->coming--;
    if (atomic_fetch_add(&q->getters_waiting, 1) == 0 && world_is_parallel(o->world)) fence_here();
  }
  pthread_mutex_unlock(q->get_mu);
  return stands;
}

static bool select_withdraw (Object *o, Waiter *w) {
  Queue *q = (Queue *)o;
  bool stood;
  pthread_mutex_lock(q->get_mu);
  stood = w->line != NULL;
  if (stood) queue_leave(w, &q->getters_waiting);
  else q->coming--;
  pthread_mutex_unlock(q->get_mu);
  serve_after_put(q); /* what it may have been chosen for, and has not taken */
  return stood || atomic_load(&w->woken) != 0;
}

const Selectable queue_select = {select_take, select_enlist, select_withdraw};

unsigned queue_ready (Object *o, const Thread *t) {
  Queue *q = (Queue *)o;
  uint64_t put = atomic_load(&q->put), taken = atomic_load(&q->taken);
  bool shut = atomic_load(&q->shut);
  (void)t;
  return (shut || put != taken ? READY_TAKE : 0)
         | (shut || q->maxsize <= 0 || put - taken < (uint64_t)q->maxsize ? READY_ROOM : 0)
         | (atomic_load(&q->done) == put ? READY_DONE : 0);
}

/*
** Where nothing has been taken between two readings, `put` in between is of the same
** moment; else both sides are held.
*/
lua_Integer queue_size (Queue *q) {
  uint64_t taken = atomic_load(&q->taken), put = atomic_load(&q->put);
  if (atomic_load(&q->taken) != taken) {
    spinlock_take(q->put_spin);
    if (q->get_spin != q->put_spin) spinlock_take(q->get_spin);
    put = atomic_load(&q->put);
    taken = atomic_load(&q->taken);
    if (q->get_spin != q->put_spin) spinlock_give(q->get_spin);
    spinlock_give(q->put_spin);
  }
  return (lua_Integer)(put - taken);
}

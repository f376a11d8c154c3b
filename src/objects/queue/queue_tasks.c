/*
** queue_tasks.c - what is not in the daily flow of a queue: task_done and join,
** and shutdown, as in Python 3.13.
*/
#include "message/message.h"
#include "world/args.h"
#include "world/record.h"
#include "base/fence.h"
#include "objects/queue/queue.h"

/*
** Tasks.
*/

/* Both counts only grow: read in this order, they were equal at the time of the first reading. */
static bool is_all_done (Queue *q) {
  uint64_t done = atomic_load(&q->done);
  return done == atomic_load(&q->put);
}

static int64_t unfinished (Queue *q) {
  return (int64_t)(atomic_load(&q->put) - atomic_load(&q->done));
}

static void wake_joiners (Queue *q) {
  Waiter *chain = NULL;
  if (atomic_load(&q->joiners_waiting) == 0) return;
  pthread_mutex_lock(&q->join_mu);
  if (is_all_done(q)) chain = queue_choose_all(&q->joiners, &q->joiners_waiting);
  pthread_mutex_unlock(&q->join_mu);
  line_wake(chain);
}

/*
** Counts up to n tasks as done and returns how many: fewer where task_done has
** been called for items that are still inside.
*/
static uint64_t count_done (Queue *q, uint64_t n) {
  uint64_t done = atomic_load(&q->done), open;
  do {
    open = atomic_load(&q->put) - done;
    if (open < n) n = open;
    if (n == 0) return 0;
  } while (!atomic_compare_exchange_weak(&q->done, &done, done + n));
  return n;
}

int queue_task_done (lua_State *L, Queue *q) {
  Nanos time;
  announce(L, OP_TASK_DONE, q);
  time = record_clock();
  if (count_done(q, 1) == 0) return args_misuse(L, "task_done() called too many times");
  record_given(time, OP_TASK_DONE, q, 0, unfinished(q));
  wake_joiners(q);
  return 0;
}

/* Whether all is done by now; stands in line where not. */
static bool join_or_queue (Queue *q, Waiter *w) {
  bool all_done;
  pthread_mutex_lock(&q->join_mu);
  queue_enter(&q->joiners, w, &q->joiners_waiting);
  all_done = is_all_done(q);
  if (all_done) queue_leave(w, &q->joiners_waiting);
  pthread_mutex_unlock(&q->join_mu);
  return all_done;
}

/* join([timeout]): true, or false where the time ran out. */
int queue_task_join (lua_State *L, Queue *q) {
  Nanos deadline = world_until(q->object.world, args_timeout(L, 2));
  Waiter w;
  bool all_done;
  announce_until(L, deadline == 0 ? OP_LOOK : OP_QUEUE_JOIN, q, deadline);
  all_done = is_all_done(q);
  if (!all_done && deadline != 0) {
    wait_allowed(L);
    waiter_init(&w, OP_QUEUE_JOIN, q, deadline);
    all_done = join_or_queue(q, &w);
    if (!all_done) {
      Wake wake = queue_stay(L, &w, &q->join_mu, &q->joiners_waiting, deadline);
      if (wake == WAKE_INTERRUPT) thread_raise(L);
      all_done = wake == WAKE_CHOSEN;
    }
  }
  record(OP_QUEUE_JOIN, q, all_done, unfinished(q));
  lua_pushboolean(L, all_done);
  return 1;
}

/*
** Shutdown.
*/

/* Both lines and both ends of the store. */
static void lock_all (Queue *q) {
  pthread_mutex_lock(q->put_mu);
  if (q->get_mu != q->put_mu) pthread_mutex_lock(q->get_mu);
  spinlock_take(q->put_spin);
  if (q->get_spin != q->put_spin) spinlock_take(q->get_spin);
}

static void unlock_all (Queue *q) {
  if (q->get_spin != q->put_spin) spinlock_give(q->get_spin);
  spinlock_give(q->put_spin);
  if (q->get_mu != q->put_mu) pthread_mutex_unlock(q->get_mu);
  pthread_mutex_unlock(q->put_mu);
}

/* What was in a queue when it was emptied at once. */
typedef struct Contents {
  Fifo fifo;
  PriorityHeap heap;
  uint64_t count;
} Contents;

/*
** Takes everything out, in constant time: to free an item may take long and may
** destroy other objects, so that is left until the locks are given back. With
** all locked.
*/
static void empty (Queue *q, Contents *c) {
  uint64_t put = atomic_load(&q->put);
  c->count = put - atomic_load(&q->taken);
  queue_fifo_move(&c->fifo, &q->fifo);
  queue_priority_move(&c->heap, &q->heap);
  q->seen_put = put;
  fence_write(&q->taken, put);
  count_done(q, c->count);
}

static void free_contents (Contents *c) {
  queue_fifo_free(&c->fifo, c->fifo.head != NULL ? c->count : 0);
  queue_priority_free(&c->heap);
}

/*
** The search for cycles. Items that have been put stay where they are until they are
** taken, so the version is the count of those taken.
*/

#define AT_ONCE 250 /* items visited before other threads may have the spin */

/* Under get_spin: visits some more, unless items have been taken meanwhile; false: that was all. */
static bool visit_some (Queue *q, FifoPlace *at, uint64_t *next, uint64_t version,
                        CycleSearch *search) {
  uint64_t n = atomic_load(&q->put) - *next;
  if (atomic_load(&q->taken) != version) return false;
  if (n > AT_ONCE) n = AT_ONCE;
  queue_fifo_visit(&q->fifo, at, n, search);
  *next += n;
  return n == AT_ONCE;
}

static void visit_fifo (Queue *q, uint64_t version, CycleSearch *search) {
  FifoPlace at = {NULL, 0};
  uint64_t next = version;
  bool more;
  do {
    cycles_reserve(search, AT_ONCE);
    spinlock_take(q->get_spin);
    more = visit_some(q, &at, &next, version, search);
    spinlock_give(q->get_spin);
  } while (more);
}

uint64_t queue_visit (Object *o, CycleSearch *search) {
  Queue *q = (Queue *)o;
  bool at_once = search != NULL && q->order != ORDER_FIFO;
  uint64_t version;
  if (at_once) cycles_reserve(search, (size_t)queue_size(q));
  spinlock_take(q->get_spin);
  version = atomic_load(&q->taken);
  for (size_t i = 0; at_once && i < q->heap.size; i++) slot_visit(&q->heap.entries[i].slot, search);
  spinlock_give(q->get_spin);
  if (search != NULL && !at_once) visit_fifo(q, version, search);
  return version;
}

void queue_clear (Queue *q) {
  Contents contents;
  empty(q, &contents);
  free_contents(&contents);
}

/* Those in line learn of the shutdown; with all locked. */
static Waiter *dismiss (Queue *q, Line *line, atomic_int *count) {
  Waiter *chain = queue_choose_all(line, count);
  for (Waiter *w = chain; w != NULL; w = w->next) {
    if (w->counted != NULL) q->coming++;
    else ((QueueRequest *)w->payload)->outcome = QUEUE_SHUT;
  }
  return chain;
}

void queue_close (Queue *q, bool immediate) {
  Contents dropped = {.count = 0};
  Waiter *getters = NULL, *putters;
  bool again;
  lock_all(q);
  again = atomic_exchange(&q->shut, true);
  if (immediate) empty(q, &dropped);
  if (!again || dropped.count > 0)
    record(OP_SHUTDOWN, q, (int64_t)dropped.count,
           (int64_t)(atomic_load(&q->put) - atomic_load(&q->taken)));
  putters = dismiss(q, &q->putters, &q->putters_waiting);
  if (!queue_has_item(q)) getters = dismiss(q, &q->getters, &q->getters_waiting);
  unlock_all(q);
  line_wake(getters);
  line_wake(putters);
  wake_joiners(q);
  free_contents(&dropped);
}

/* shutdown([immediate]) */
int queue_task_shutdown (lua_State *L, Queue *q) {
  announce(L, OP_SHUTDOWN, q);
  queue_close(q, lua_toboolean(L, 2));
  return 0;
}

/*
** queue_tasks.c - what is not in the daily flow of a queue: queue_task_done and join,
** and shutdown, as in Python 3.13.
*/
#include <stdlib.h>

#include "message/message.h"
#include "world/args.h"
#include "objects/queue/queue.h"

/*
** Tasks.
*/

/* Both counts only grow: read in this order, they were equal at the time of the first reading. */
static bool is_all_done (Queue *q) {
  uint64_t done = atomic_load(&q->done);
  return done == atomic_load(&q->put);
}

static void wake_joiners (Queue *q) {
  Waiter *chain = NULL;
  if (atomic_load(&q->joiners_waiting) == 0) return;
  pthread_mutex_lock(&q->join_mu);
  if (is_all_done(q)) chain = queue_choose_all(&q->joiners, &q->joiners_waiting);
  pthread_mutex_unlock(&q->join_mu);
  line_wake(chain);
}

/* One task less is unfinished; false: none was. */
static bool count_done (Queue *q) {
  uint64_t done = atomic_load(&q->done);
  do {
    if (done == atomic_load(&q->put)) return false;
  } while (!atomic_compare_exchange_weak(&q->done, &done, done + 1));
  return true;
}

int queue_task_done (lua_State *L, Queue *q) {
  announce(L, OP_TASK_DONE, q);
  if (!count_done(q)) return args_misuse(L, "task_done() called too many times");
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
  Nanos relative = args_timeout(L, 2), deadline;
  Waiter w;
  bool all_done;
  announce(L, OP_QUEUE_JOIN, q);
  all_done = is_all_done(q);
  if (!all_done && relative != 0) {
    wait_allowed(L);
    deadline = world_deadline(q->object.world, relative);
    waiter_init(&w, OP_QUEUE_JOIN, q, deadline);
    all_done = join_or_queue(q, &w);
    if (!all_done) {
      Wake wake = queue_stay(L, &w, &q->join_mu, &q->joiners_waiting, deadline);
      if (wake == WAKE_INTERRUPT) thread_raise(L);
      all_done = wake == WAKE_CHOSEN;
    }
  }
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

typedef struct Dropped {
  Slot slot;
  struct Dropped *next;
} Dropped;

/* With all locked: takes everything out; to be freed after unlocking. */
static Dropped *drain (Queue *q) {
  Dropped *list = NULL;
  while (queue_has_item(q)) {
    Dropped *d = malloc(sizeof *d);
    Slot slot;
    queue_take_out(q, &slot);
    count_done(q); /* unless somebody has been quicker with queue_task_done than with get */
    if (d == NULL) {
      slot_free(&slot);
      continue;
    }
    d->slot = slot;
    d->next = list;
    list = d;
  }
  return list;
}

static void free_dropped (Dropped *list) {
  while (list != NULL) {
    Dropped *d = list;
    list = d->next;
    slot_free(&d->slot);
    free(d);
  }
}

void queue_clear (Queue *q) { free_dropped(drain(q)); }

/* Those in line learn of the shutdown; with all locked. */
static Waiter *dismiss (Line *line, atomic_int *count) {
  for (Waiter *w = line->first; w != NULL; w = w->next)
    ((QueueRequest *)w->payload)->outcome = QUEUE_SHUT;
  return queue_choose_all(line, count);
}

/* shutdown([immediate]) */
int queue_task_shutdown (lua_State *L, Queue *q) {
  bool immediate = lua_toboolean(L, 2);
  Dropped *dropped = NULL;
  Waiter *getters = NULL, *putters;
  announce(L, OP_SHUTDOWN, q);
  lock_all(q);
  atomic_store(&q->shut, true);
  if (immediate) dropped = drain(q);
  putters = dismiss(&q->putters, &q->putters_waiting);
  if (!queue_has_item(q)) getters = dismiss(&q->getters, &q->getters_waiting);
  unlock_all(q);
  line_wake(getters);
  line_wake(putters);
  wake_joiners(q);
  free_dropped(dropped);
  return 0;
}

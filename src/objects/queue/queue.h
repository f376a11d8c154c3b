/*
** queue.h - the inside of a queue, for queue.c, queue_flow.c and queue_tasks.c.
*/
#ifndef OBJECTS_QUEUE_QUEUE_H
#define OBJECTS_QUEUE_QUEUE_H

#include "message/message.h"
#include "base/spinlock.h"
#include "objects/queue/queue_store.h"
#include "thread/thread.h"

/*
** Each side has a spin for its end of the store and a mutex for its line. The
** spin is taken last, also while a mutex is held.
**
** What producers write with every item, what consumers write with every item and
** what is only read lie 64 bytes apart: on a common cache line each side would
** wait for the other's writes.
*/
typedef struct Queue {
  Object object;
  enum { ORDER_FIFO, ORDER_LIFO, ORDER_PRIORITY } order; /* const after init */
  lua_Integer maxsize;                                   /* const after init; <= 0: unbounded */
  const Kind *shown;                /* in recordings; NULL: its own kind, const after init */
  Spinlock *put_spin, *get_spin;    /* const after init; the same one but for fifos */
  pthread_mutex_t *put_mu, *get_mu; /* likewise */
  atomic_bool shut;                 /* written under all of them */
  atomic_int putters_waiting, getters_waiting, joiners_waiting;
  char apart1[64];
  PriorityHeap heap; /* under the one spin */
  Spinlock first_spin;
  uint64_t seen_taken;       /* under put_spin: `taken` as last looked at */
  atomic_uint_least64_t put; /* written under put_spin */
  Fifo fifo;                 /* first the tail, under put_spin; the head, under get_spin */
  Spinlock second_spin;
  atomic_int alone;            /* how many more times consumers will not let items gather */
  uint64_t seen_put;           /* under get_spin: `put` as last looked at */
  atomic_uint_least64_t taken; /* written under get_spin */
  char apart2[64];
  pthread_mutex_t first_mu, second_mu;
  Line putters;    /* under put_mu */
  Line getters;    /* under get_mu */
  uint64_t coming; /* selects chosen for an item that have not come for it yet; under get_mu */
  atomic_uint_least64_t done; /* queue_task_done calls, and items dropped by shutdown(true) */
  pthread_mutex_t join_mu;
  Line joiners; /* under join_mu */
} Queue;

typedef enum QueueOutcome {
  QUEUE_DONE,
  QUEUE_WOULD_WAIT,
  QUEUE_SHUT,
  QUEUE_NO_MEMORY,
  QUEUE_NO_ORDER,
  QUEUE_INTERRUPTED,
  QUEUE_NOT_ALLOWED
} QueueOutcome;

/*
** A put or get that may have to wait; the thread that serves it fills in the outcome, under the
** mutex of its side.
*/
typedef struct QueueRequest {
  Slot *slot;               /* what is put */
  PriorityEntry *taken;     /* where what is got goes */
  const Priority *priority; /* put into a PriorityQueue */
  QueueOutcome outcome;
  const char *text; /* for the recording: the short form of what is put, or NULL */
} QueueRequest;

/* Makes a queue, zeroed behind the Queue, and pushes its proxy, which is not ready. [0, +1, memory] */
Queue *queue_make (lua_State *L, size_t size, const Kind *kind, int options, lua_Integer maxsize);
/* Whether there are items that no get and no select stands ready for. */
bool queue_has_unclaimed (Queue *q);
/* Shuts it down; with `immediate` its items go. No Lua state needed. */
void queue_close (Queue *q, bool immediate);

/*
** Standing in line, under the mutex of the line. `count` is the number of waiting
** threads that the other side looks at.
*/
bool queue_enter (Line *line, Waiter *w, atomic_int *count); /* true: nobody stood there */
void queue_leave (Waiter *w, atomic_int *count);
Waiter *queue_choose_all (Line *line, atomic_int *count);
/* Parks one that stands in line; no mutex held. */
Wake queue_stay (lua_State *L, Waiter *w, pthread_mutex_t *mu, atomic_int *count, Nanos deadline);

extern const struct Selectable queue_select;

bool queue_has_item (Queue *q);                        /* under get_spin */
uint64_t queue_visit (Object *o, CycleSearch *search); /* Kind.visit */
void queue_clear (Queue *q); /* frees all items; nobody else has the queue */

QueueOutcome queue_put_item (lua_State *L, Queue *q, Slot *s, const Priority *p, Nanos deadline);
/* What is got belongs to the caller: queue_push_taken, or queue_free_taken. */
QueueOutcome queue_get_item (lua_State *L, Queue *q, PriorityEntry *e, Nanos deadline);
/* After a change at the back: what is inside goes to those who wait for it, and so on. */
void queue_serve_getters (Queue *q);
void queue_free_taken (Queue *q, PriorityEntry *e);
/* Pushes the item. Where there is no memory for it, it is the queue's first again. [0, +1, raises] */
void queue_push_slowly (lua_State *L, Queue *q, PriorityEntry *e);
static inline void queue_push_taken (lua_State *L, Queue *q, PriorityEntry *e) {
  if (e->slot.tag < SLOT_TEXT_IN && q->order != ORDER_PRIORITY) slot_push(L, &e->slot);
  else queue_push_slowly(L, q, e);
}
unsigned queue_ready (Object *o, const Thread *t); /* Kind.ready */
lua_Integer queue_size (Queue *q);

int queue_task_done (lua_State *L, Queue *q);     /* queue_task_done(self) */
int queue_task_join (lua_State *L, Queue *q);     /* join(self [, timeout]) */
int queue_task_shutdown (lua_State *L, Queue *q); /* shutdown(self [, immediate]) */

#endif

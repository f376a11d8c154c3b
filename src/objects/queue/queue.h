/*
** queue.h - the inside of a queue, for queue.c, queue_flow.c and queue_tasks.c.
*/
#ifndef QUEUE_H
#define QUEUE_H

#include "message/message.h"
#include "base/spinlock.h"
#include "objects/queue/queue_store.h"
#include "thread/thread.h"

/*
** Each side has a latch for its end of the store and a mutex for its line. The
** latch is taken last, also while a mutex is held.
**
** What producers write with every item, what consumers write with every item and
** what is only read lie 64 bytes apart: on a common cache line each side would
** wait for the other's writes.
*/
typedef struct Queue {
  Object object;
  enum { ORDER_FIFO, ORDER_LIFO, ORDER_PRIORITY } order; /* const after init */
  lua_Integer maxsize;            /* const after init; <= 0: unbounded */
  Latch *put_latch, *get_latch;   /* const after init; the same one but for fifos */
  pthread_mutex_t *put_mu, *get_mu; /* likewise */
  atomic_bool shut;               /* written under all of them */
  atomic_int putters_waiting, getters_waiting, joiners_waiting;
  char apart1[64];
  Heap heap;                      /* under the one latch */
  Latch first_latch;
  uint64_t seen_taken;            /* under put_latch: `taken` as last looked at */
  atomic_uint_least64_t put;      /* written under put_latch */
  Fifo fifo;                      /* first the tail, under put_latch; the head, under get_latch */
  Latch second_latch;
  atomic_int alone;               /* how many more times consumers will not let items gather */
  uint64_t seen_put;              /* under get_latch: `put` as last looked at */
  atomic_uint_least64_t taken;    /* written under get_latch */
  char apart2[64];
  pthread_mutex_t first_mu, second_mu;
  Line putters;                   /* under put_mu */
  Line getters;                   /* under get_mu */
  atomic_uint_least64_t done;     /* task_done calls, and items dropped by shutdown(true) */
  pthread_mutex_t join_mu;
  Line joiners;                   /* under join_mu */
} Queue;

typedef enum Outcome { DONE, WOULD_WAIT, SHUT, NO_MEMORY, NO_ORDER, INTERRUPTED, NOT_ALLOWED } Outcome;

/* A put or get that may have to wait; who serves it fills in the outcome, under the mutex of its side. */
typedef struct Request {
  Slot *slot;
  const Priority *priority;       /* put into a PriorityQueue */
  Outcome outcome;
} Request;

/*
** Standing in line, under the mutex of the line. `count` is the number of waiting
** threads that the other side looks at.
*/
bool queue_enter (Line *line, Waiter *w, atomic_int *count);     /* true: nobody stood there */
void queue_leave (Waiter *w, atomic_int *count);
Waiter *queue_choose_all (Line *line, atomic_int *count);
/* Parks one who stands in line; no mutex held. */
Wake queue_stay (lua_State *L, Waiter *w, pthread_mutex_t *mu, atomic_int *count, Nanos deadline);

bool queue_has_item (Queue *q);               /* under get_latch */
void queue_take_out (Queue *q, Slot *s);      /* under get_latch; there must be one */
void queue_clear (Queue *q);                  /* frees all items; nobody else has the queue */

Outcome queue_put_item (lua_State *L, Queue *q, Slot *s, const Priority *p, Nanos relative);
Outcome queue_get_item (lua_State *L, Queue *q, Slot *s, Nanos relative);
lua_Integer queue_size (Queue *q);

int task_done (lua_State *L, Queue *q);       /* task_done(self) */
int task_join (lua_State *L, Queue *q);       /* join(self [, timeout]) */
int task_shutdown (lua_State *L, Queue *q);   /* shutdown(self [, immediate]) */

#endif

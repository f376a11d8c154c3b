/*
** private.h - the inside of a history, for history.c, reversal.c and interleavings.c.
*/
#ifndef EXPLORE_PRIVATE_H
#define EXPLORE_PRIVATE_H

#include "explore/history.h"

#define NONE UINT32_MAX

typedef uint16_t Clock;

/* Event numbers in order; those of a truncated end are taken off. */
typedef struct Chain {
  uint32_t *events;
  uint32_t count, capacity;
} Chain;

typedef struct Edge {
  uint32_t event;
  uint16_t thread;
} Edge;

typedef struct Cursor {
  const Chain *chain;
  uint32_t at; /* events not yet passed */
} Cursor;

/* Of interleavings.c and interleavings_few.c; made when they are needed. */
typedef struct Extensions Extensions;
void interleavings_free (Extensions *x);
typedef struct FewOrders FewOrders;
void interleavings_few_free (FewOrders *f);

struct History {
  Footprints *footprints;
  Event *events;
  uint32_t count, capacity;
  int threads;   /* seen so far */
  int width;     /* of a clock */
  Clock *clocks; /* two for each event: its own, and that of its thread before it */
  Clock current[HISTORY_THREADS]
               [HISTORY_THREADS]; /* what happens before the next event of each thread */
  Chain of_thread[HISTORY_THREADS];
  Chain gripping;
  Chain *of_place;
  uint32_t place_count;
  Cursor *cursors; /* room for a walk through all chains, each place met by each access */
  Ready *ready;
  uint32_t ready_used, ready_capacity;
  Edge *edges;
  uint32_t edge_count, edge_capacity;
  uint32_t *met; /* of all events, one after the other: see Event */
  uint32_t met_used, met_capacity;
  Extensions *extensions;
  FewOrders *few;
  uint32_t counted; /* events that `few` knows of */
};

typedef enum FewEnd { FEW_COUNTED, FEW_ARE_MANY, FEW_FAILED } FewEnd;

/*
** history_interleavings where the intermediate states can be numbered by few bits. FEW_FAILED: no
** memory, or more of them than *states.
*/
FewEnd interleavings_few (History *h, size_t *states, uint64_t *ways);

/* The clock of event i. */
static inline Clock *clock_of (const History *h, uint32_t i) {
  return h->clocks + 2 * (size_t)i * (size_t)h->width;
}

/* The clock of the event's thread in front of it. */
static inline Clock *clock_before (const History *h, uint32_t i) {
  return clock_of(h, i) + h->width;
}

/* Whether event i has happened before what that clock is of. */
static inline bool covers (const History *h, const Clock *c, uint32_t i) {
  return h->events[i].nth <= c[h->events[i].thread];
}

#endif

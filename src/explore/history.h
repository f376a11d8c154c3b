/*
** history.h - one execution as a list of events with vector clocks: what happens
** before what, which pairs race, and how many interleavings are the same trace.
**
** An event is one operation of one thread. Its clock counts, for each thread, the
** events of that thread that happen before it or are it. Two adjacent dependent
** events in which neither had to come first are a race: reversing them may lead to
** another outcome.
**
** Events are added at the end and taken back from there; what is known of those
** that stay does not change. Nothing here knows Lua or a world.
*/
#ifndef EXPLORE_HISTORY_H
#define EXPLORE_HISTORY_H

#include "explore/footprint.h"

#define HISTORY_THREADS 64

/*
** What can be done at one object: a bit for each thread that could take it, and
** READY_ROOM, READY_DONE. What is done when none is left, in whatever order they have come and
** gone, says how many there are.
*/
typedef struct Ready {
  uint64_t takers;
  uint8_t bits;
  bool counts;
  uint32_t left;
} Ready;

typedef struct Event {
  uint16_t thread;
  bool late;   /* its deadline had passed: it needed nothing */
  bool silent; /* no step of an interleaving: start, join, end */
  uint32_t footprint;
  uint32_t nth;   /* of its thread, from 1 */
  uint32_t ready; /* where the state of its objects before it stands in the pool */
  uint32_t met;   /* where the list of those it depends on first, latest first, ends */
} Event;

typedef struct History History;

History *history_new (Footprints *f); /* NULL: no memory */
void history_free (History *h);

int history_length (const History *h);
int history_threads (const History *h);
const Event *history_event (const History *h, int i);
/* How many events of the thread stand before event i. */
uint32_t history_count_before (const History *h, int i, int thread);

/*
** Adds an event; `nth`, `ready` and `met` of *e are filled in. `ready` is the state of its
** objects before it, one for each of its accesses. False: no memory.
*/
bool history_push (History *h, const Event *e, const Ready *ready);
/* The last event is a cause of whatever that thread does next: it has started or woken it. */
bool history_edge (History *h, int thread);
/* Takes back all events from number `length` on. */
void history_truncate (History *h, int length);

/* Whether event i happens before event j, or is it. */
bool history_before (const History *h, int i, int j);

/*
** An operation that is pending at the end of the history: not done yet, perhaps
** for ever.
*/
typedef struct Pending {
  int thread;
  uint32_t footprint;
  bool late;
  const Ready *ready; /* of its objects, one for each access */
} Pending;

/*
** Calls found(ud, e) for each event e that races with event o (or with the pending
** operation, where o is history_length), latest first.
*/
void history_races (History *h, int o, const Pending *pending, void (*found)(void *ud, int e),
                    void *ud);

/*
** The sequence that reverses a race of e with o: all events after e that do not
** happen after e, in order, o among or behind them.
*/
typedef struct Reversal {
  History *h;
  int e, o;               /* o == history_length: pending */
  const Pending *pending; /* in that case */
} Reversal;

/*
** Whether the thread, whose operation in front of e is `footprint`, could be the first
** to go in the reversal.
*/
bool history_is_initial (const Reversal *r, int thread, uint32_t footprint);

/*
** Writes the sequence as `thread << 24 | footprint`; returns its length. The buffer has
** room for the history and one more.
*/
int history_sequence (const Reversal *r, uint32_t *sequence);

/*
** In how many orders the events of this history can come that keep every "happens
** before": the interleavings that are the same trace. Silent events do not count.
** Sets *exact to false, and returns 1, where there are more than *states intermediate
** states; leaves in *states how many there were.
*/
unsigned __int128 history_interleavings (History *h, size_t *states, bool *exact);

/* A hash of the trace: the same for all interleavings of it. */
uint64_t history_hash (const History *h);

#endif

/*
** interleavings_few.c - in how many orders the events of a history can come, where the sets of
** events that can have come first are few.
**
** Such a set is one number: how far each thread has come, with a bit between the fields that
** one subtraction leaves alone where it goes far enough everywhere. In how many orders a set can
** come does not depend on later events, so a search keeps the sets from one execution to the next
** and adds those that have one of the new events in them: those of each event stand in a row, and
** a set behind all that are parts of it.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/private.h"

#define BITS_MOST 16 /* of a number */

struct FewOrders {
  int bits[HISTORY_THREADS], shift[HISTORY_THREADS]; /* of each thread's field; 0 bits: none */
  uint32_t units[HISTORY_THREADS];                   /* one event of each that has a field */
  int fields, width;                                 /* these, and bits of them all */
  uint32_t guards; /* the bits between the fields, set in each number */
  uint32_t *sets, count, capacity;
  uint64_t *ways;      /* by number; 0: no set that can have come first */
  uint32_t *sets_to;   /* for each event, how many sets there are up to it, */
  uint32_t *nth_loud;  /* which loud one of its thread it is, or the last one before it, */
  uint32_t *last_loud; /* and which event that is */
  uint32_t sets_to_capacity, nth_capacity, last_capacity;
};

void interleavings_few_free (FewOrders *f) {
  if (f == NULL) return;
  free(f->sets);
  free(f->ways);
  free(f->sets_to);
  free(f->nth_loud);
  free(f->last_loud);
  free(f);
}

/*
** Fields.
*/

/* How many loud events each thread has, and all. */
static uint32_t count_loud (const History *h, uint32_t counts[HISTORY_THREADS]) {
  uint32_t all = 0;
  memset(counts, 0, HISTORY_THREADS * sizeof *counts);
  for (uint32_t i = 0; i < h->count; i++)
    if (!h->events[i].silent) counts[h->events[i].thread]++, all++;
  return all;
}

static int bits_for (uint32_t n) { return n > 0 ? 32 - __builtin_clz(n) : 0; }

/* Whether no count of so many steps has more than 64 bits. */
static bool are_ways_few (uint32_t steps, int threads) {
  return steps * (uint32_t)(threads < 2 ? 0 : bits_for((uint32_t)threads - 1)) < 64;
}

/* Fields for these counts, no narrower than before where that goes; false: they do not fit. */
static bool lay_out (FewOrders *f, const uint32_t counts[HISTORY_THREADS]) {
  int wide = 0, narrow = 0;
  bool keeps;
  for (int t = 0; t < HISTORY_THREADS; t++) {
    int bits = bits_for(counts[t]), before = f->bits[t] > bits ? f->bits[t] : bits;
    narrow += bits > 0 ? bits + 1 : 0;
    wide += before > 0 ? before + 1 : 0;
  }
  if (narrow > BITS_MOST) return false;
  keeps = wide <= BITS_MOST;
  f->width = f->fields = 0;
  f->guards = 0;
  for (int t = 0; t < HISTORY_THREADS; t++) {
    int bits = bits_for(counts[t]);
    if (!keeps || f->bits[t] < bits) f->bits[t] = bits;
    if (f->bits[t] == 0) continue;
    f->shift[t] = f->width;
    f->units[f->fields++] = 1u << f->width;
    f->guards |= 1u << (f->width + f->bits[t]);
    f->width += f->bits[t] + 1;
  }
  return true;
}

/* Begins anew, with fields for this history; false: no memory, or they do not fit. */
static bool begin (History *h, FewOrders *f, const uint32_t counts[HISTORY_THREADS]) {
  h->counted = 0;
  if (!lay_out(f, counts)) return false;
  free(f->ways);
  f->ways = calloc((size_t)1 << f->width, sizeof *f->ways);
  if (f->ways == NULL || !grow_list32(&f->sets, &f->capacity, 1, sizeof *f->sets)) return false;
  f->count = 1; /* the empty one */
  f->sets[0] = f->guards;
  f->ways[f->guards] = 1;
  return true;
}

/* Whether the fields have room for the counts. */
static bool have_room (const FewOrders *f, const uint32_t counts[HISTORY_THREADS]) {
  for (int t = 0; t < HISTORY_THREADS; t++)
    if (bits_for(counts[t]) > f->bits[t]) return false;
  return f->ways != NULL;
}

/*
** Events.
*/

static void drop_sets (FewOrders *f, uint32_t left) {
  while (f->count > left) f->ways[f->sets[--f->count]] = 0;
}

static bool reserve (FewOrders *f, uint32_t events) {
  return grow_list32(&f->sets_to, &f->sets_to_capacity, events, sizeof *f->sets_to)
         && grow_list32(&f->nth_loud, &f->nth_capacity, events, sizeof *f->nth_loud)
         && grow_list32(&f->last_loud, &f->last_capacity, events, sizeof *f->last_loud);
}

/* The number of the least set that the event can follow; in *first the sets that may hold it begin. */
static uint32_t needs_of (const FewOrders *f, const History *h, uint32_t event, uint32_t *first) {
  const Event *e = &h->events[event];
  const Clock *clock = clock_of(h, event);
  uint32_t needs = 0;
  *first = 0;
  for (int t = 0; t < h->threads; t++) {
    uint32_t events = clock[t] - (t == e->thread), last, from;
    if (events == 0) continue;
    last = h->of_thread[t].events[events - 1];
    if (f->nth_loud[last] == 0) continue;
    needs |= f->nth_loud[last] << f->shift[t];
    last = f->last_loud[last];
    from = last > 0 ? f->sets_to[last - 1] : 1;
    if (from > *first) *first = from;
  }
  return needs;
}

/* Adds the set; all that it can have come from are there. */
static bool add_set (FewOrders *f, uint32_t set) {
  uint64_t ways = 0;
  if (!grow_list32(&f->sets, &f->capacity, f->count + 1, sizeof *f->sets)) return false;
  f->sets[f->count++] = set;
  for (int i = 0; i < f->fields; i++) ways += f->ways[set - f->units[i]];
  f->ways[set] = ways;
  return true;
}

/* Adds the sets with that event and none behind it; false: no memory. */
static bool add_event (FewOrders *f, const History *h, uint32_t event) {
  const Event *e = &h->events[event];
  uint32_t before = e->nth > 1 ? h->of_thread[e->thread].events[e->nth - 2] : NONE;
  uint32_t first, needs, count = f->count;
  f->nth_loud[event] = (before != NONE ? f->nth_loud[before] : 0) + !e->silent;
  f->last_loud[event] = !e->silent ? event : before != NONE ? f->last_loud[before] : NONE;
  if (!e->silent) {
    needs = needs_of(f, h, event, &first);
    for (uint32_t i = first; i < count; i++)
      if (((f->sets[i] - needs) & f->guards) == f->guards
          && !add_set(f, f->sets[i] + (1u << f->shift[e->thread])))
        return false;
  }
  f->sets_to[event] = f->count;
  return true;
}

FewEnd interleavings_few (History *h, size_t *states, uint64_t *ways) {
  FewOrders *f = h->few;
  uint32_t counts[HISTORY_THREADS], steps = count_loud(h, counts), kept = h->counted;
  int threads = 0;
  for (int t = 0; t < h->threads; t++) threads += counts[t] > 0;
  if (f == NULL) f = h->few = calloc(1, sizeof *f);
  if (f == NULL) return FEW_FAILED;
  if (!are_ways_few(steps, threads)) return FEW_ARE_MANY;
  if (!have_room(f, counts)) {
    if (!begin(h, f, counts)) return FEW_ARE_MANY;
    kept = 0;
  }
  drop_sets(f, kept > 0 ? f->sets_to[kept - 1] : 1);
  h->counted = kept;
  if (!reserve(f, h->count)) return FEW_FAILED;
  for (; h->counted < h->count; h->counted++)
    if (!add_event(f, h, h->counted) || f->count - 1 > *states) return FEW_FAILED;
  *states = f->count - 1;
  *ways = f->ways[f->sets[f->count - 1]]; /* all have come */
  return FEW_COUNTED;
}

/*
** interleavings.c - in how many orders the events of a history can come: linear
** extensions, by dynamic programming over how far each thread has come.
**
** How far all have come is one number, with a field for each thread. Where there is room
** for one bit more between the fields, one subtraction compares all of them. The tables
** stay from one history to the next: a search counts each of its executions.
**
** The counts are hashed, those of as many steps at a time. Where all numbers are few there is
** a quicker way: interleavings_few.c.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/random.h"
#include "explore/private.h"

typedef unsigned __int128 Positions;

/* The number of orders in which the events up to these positions can come. */
typedef struct Count {
  Positions key; /* of an entry in use: `ways` is not 0 */
  unsigned __int128 ways;
} Count;

typedef struct Layer {
  Count *entries;
  uint32_t size;                    /* a power of two, or 0 */
  uint32_t *filled, used, capacity; /* entries in use */
} Layer;

struct Extensions {
  int threads; /* those that have loud events, in their order; */
  int thread[HISTORY_THREADS], shift[HISTORY_THREADS], bits[HISTORY_THREADS]; /* for each */
  uint32_t *loud, loud_capacity; /* the loud events of all threads, one thread after the other */
  uint32_t first[HISTORY_THREADS], counts[HISTORY_THREADS];
  uint32_t *rank, rank_capacity;   /* how many loud ones are among so many events of a thread, */
  uint32_t ranks[HISTORY_THREADS]; /* from here on */
  Positions *needs;                /* for each loud event: how many of each thread must have come */
  uint32_t needs_capacity;
  Positions guards; /* the bits between the fields; 0: there is no room for them */
  Layer now, next;
};

void interleavings_free (Extensions *x) {
  if (x == NULL) return;
  free(x->loud);
  free(x->rank);
  free(x->needs);
  free(x->now.entries);
  free(x->now.filled);
  free(x->next.entries);
  free(x->next.filled);
  free(x);
}

static uint32_t layer_slot (const Layer *l, Positions key) {
  uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15u ^ (uint64_t)(key >> 64) * 0xc4ceb9fe1a85ec53u;
  uint32_t i = (uint32_t)(h >> 32) & (l->size - 1);
  while (l->entries[i].ways != 0 && l->entries[i].key != key) i = (i + 1) & (l->size - 1);
  return i;
}

static bool layer_grow (Layer *l) {
  Layer grown = {.size = l->size > 0 ? 2 * l->size : 64};
  grown.entries = calloc(grown.size, sizeof *grown.entries);
  if (grown.entries == NULL) return false;
  for (uint32_t i = 0; i < l->used; i++) {
    const Count *c = &l->entries[l->filled[i]];
    uint32_t at = layer_slot(&grown, c->key);
    grown.entries[at] = *c;
    l->filled[i] = at;
  }
  free(l->entries);
  l->entries = grown.entries;
  l->size = grown.size;
  return true;
}

static bool layer_add (Layer *l, Positions key, unsigned __int128 ways) {
  uint32_t at;
  if (2 * (l->used + 1) > l->size && !layer_grow(l)) return false;
  at = layer_slot(l, key);
  if (l->entries[at].ways == 0) {
    if (!grow_list32(&l->filled, &l->capacity, l->used + 1, sizeof *l->filled)) return false;
    l->filled[l->used++] = at;
  }
  l->entries[at].key = key;
  l->entries[at].ways += ways;
  return true;
}

static void layer_clear (Layer *l) {
  while (l->used > 0) l->entries[l->filled[--l->used]].ways = 0;
}

static uint32_t position (const Extensions *x, Positions key, int t) {
  return (uint32_t)(key >> x->shift[t]) & ((1u << x->bits[t]) - 1);
}

/* Whether those that must come before the loud event have come. */
static bool may_come (const Extensions *x, Positions key, uint32_t event) {
  if (x->guards != 0) return (((key | x->guards) - x->needs[event]) & x->guards) == x->guards;
  for (int t = 0; t < x->threads; t++)
    if (position(x, key, t) < position(x, x->needs[event], t)) return false;
  return true;
}

/* All positions that one more event leads to. */
static bool next_layer (Extensions *x) {
  for (uint32_t i = 0; i < x->now.used; i++) {
    const Count *c = &x->now.entries[x->now.filled[i]];
    for (int t = 0; t < x->threads; t++) {
      uint32_t at = position(x, c->key, t);
      if (at < x->counts[t] && may_come(x, c->key, x->first[t] + at)
          && !layer_add(&x->next, c->key + ((Positions)1 << x->shift[t]), c->ways))
        return false;
    }
  }
  return true;
}

/* The fields of the positions; false: they do not fit. */
static bool lay_out (Extensions *x) {
  int wanted = 0, shift = 0;
  x->guards = 0;
  for (int t = 0; t < x->threads; t++) {
    x->bits[t] = 32 - __builtin_clz(x->counts[t]);
    wanted += x->bits[t];
  }
  if (wanted > 127) return false;
  for (int t = 0; t < x->threads; t++) {
    x->shift[t] = shift;
    shift += x->bits[t];
    if (wanted + x->threads <= 128) x->guards |= (Positions)1 << shift++;
  }
  return true;
}

/* What each loud event of the thread needs. */
static void find_needs (Extensions *x, const History *h, int t) {
  for (uint32_t i = 0; i < x->counts[t]; i++) {
    const Clock *clock = clock_of(h, x->loud[x->first[t] + i]);
    Positions needs = (Positions)i << x->shift[t];
    for (int u = 0; u < x->threads; u++)
      if (u != t) needs |= (Positions)x->rank[x->ranks[u] + clock[x->thread[u]]] << x->shift[u];
    x->needs[x->first[t] + i] = needs;
  }
}

/* Notes which events of a thread are loud. There is room for them. */
static void add_thread (Extensions *x, const History *h, int thread, uint32_t *loud,
                        uint32_t *rank) {
  const Chain *c = &h->of_thread[thread];
  uint32_t first = *loud, *ranks = x->rank + *rank;
  ranks[0] = 0;
  for (uint32_t i = 0; i < c->count; i++) {
    if (!h->events[c->events[i]].silent) x->loud[(*loud)++] = c->events[i];
    ranks[i + 1] = *loud - first;
  }
  if (*loud == first) return;
  x->thread[x->threads] = thread;
  x->first[x->threads] = first;
  x->ranks[x->threads] = *rank;
  x->counts[x->threads++] = *loud - first;
  *rank += c->count + 1;
}

/*
** Which events count, and what each of them needs; false: no memory, or the positions
** do not fit.
*/
static bool extensions_begin (Extensions *x, const History *h) {
  uint32_t loud = 0, rank = 0, threads = (uint32_t)h->threads;
  if (!grow_list32(&x->loud, &x->loud_capacity, h->count + 1, sizeof *x->loud)
      || !grow_list32(&x->rank, &x->rank_capacity, h->count + threads, sizeof *x->rank)
      || !grow_list32(&x->needs, &x->needs_capacity, h->count + 1, sizeof *x->needs))
    return false;
  x->threads = 0;
  for (int t = 0; t < h->threads; t++) add_thread(x, h, t, &loud, &rank);
  if (!lay_out(x)) return false;
  for (int t = 0; t < x->threads; t++) find_needs(x, h, t);
  return true;
}

/* By hashes; false: no memory, or more states than *states, of which *seen are told in any case. */
static bool count_many (Extensions *x, const History *h, size_t states, size_t *seen,
                        unsigned __int128 *ways) {
  uint32_t steps = 0;
  bool good = extensions_begin(x, h) && layer_add(&x->now, 0, 1);
  for (int t = 0; good && t < x->threads; t++) steps += x->counts[t];
  for (; good && steps > 0; steps--) {
    Layer old = x->now;
    good = next_layer(x) && (*seen += x->next.used) <= states;
    layer_clear(&old);
    x->now = x->next;
    x->next = old;
  }
  if (good && x->now.used > 0) *ways = x->now.entries[x->now.filled[0]].ways;
  layer_clear(&x->now);
  return good;
}

unsigned __int128 history_interleavings (History *h, size_t *states, bool *exact) {
  unsigned __int128 ways = 1;
  uint64_t few;
  size_t seen = 0;
  FewEnd end = interleavings_few(h, states, &few);
  if (end == FEW_COUNTED) return few;
  if (end == FEW_ARE_MANY) {
    if (h->extensions == NULL) h->extensions = calloc(1, sizeof *h->extensions);
    *exact &= h->extensions != NULL && count_many(h->extensions, h, *states, &seen, &ways);
    *states = seen < *states ? seen : *states;
  }
  else *exact = false;
  if (*exact) return ways;
  interleavings_free(h->extensions); /* so large that no one will ask again */
  interleavings_few_free(h->few);
  h->extensions = NULL;
  h->few = NULL;
  h->counted = 0;
  return ways;
}

/*
** Which trace it is.
*/

uint64_t history_hash (const History *h) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < h->count; i++) {
    const Event *e = &h->events[i];
    uint64_t one = random_mix((uint64_t)e->thread << 32 | e->footprint);
    for (int t = 0; t < h->threads; t++)
      one = random_mix(one ^ ((uint64_t)clock_of(h, i)[t] << 8 | (uint64_t)t));
    sum += one;
  }
  return sum;
}

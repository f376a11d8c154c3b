/*
** interleavings.c - in how many orders the events of a history can come: linear
** extensions, by dynamic programming over how far each thread has come.
*/
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "explore/private.h"

/* The number of orders in which the events up to these positions can come. */
typedef struct Count {
  unsigned __int128 key; /* the positions, packed; 0 marks a free entry but for the start */
  unsigned __int128 ways;
} Count;

typedef struct Layer {
  Count *entries;
  size_t size, used; /* a power of two */
} Layer;

typedef struct Extensions {
  const History *h;
  int shift[HISTORY_THREADS], bits[HISTORY_THREADS];
  uint32_t *of[HISTORY_THREADS]; /* the loud events of each thread */
  uint32_t counts[HISTORY_THREADS];
  Clock *needs; /* for each event: how many loud events of each thread must have come */
} Extensions;

static Count *layer_find (Layer *l, unsigned __int128 key) {
  uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15u ^ (uint64_t)(key >> 64) * 0xc4ceb9fe1a85ec53u;
  size_t i = (size_t)(h >> 20) & (l->size - 1);
  while (l->entries[i].ways != 0 && l->entries[i].key != key) i = (i + 1) & (l->size - 1);
  return &l->entries[i];
}

static bool layer_add (Layer *l, unsigned __int128 key, unsigned __int128 ways) {
  Count *c;
  if (2 * (l->used + 1) > l->size) {
    Layer grown = {calloc(2 * l->size, sizeof(Count)), 2 * l->size, l->used};
    if (grown.entries == NULL) return false;
    for (size_t i = 0; i < l->size; i++)
      if (l->entries[i].ways != 0) *layer_find(&grown, l->entries[i].key) = l->entries[i];
    free(l->entries);
    *l = grown;
  }
  c = layer_find(l, key);
  if (c->ways == 0) l->used++;
  c->key = key;
  c->ways += ways;
  return true;
}

static uint32_t position (const Extensions *x, unsigned __int128 key, int t) {
  return x->bits[t] == 0 ? 0 : (uint32_t)(key >> x->shift[t]) & ((1u << x->bits[t]) - 1);
}

static bool may_come (const Extensions *x, unsigned __int128 key, uint32_t event) {
  const Clock *needs = x->needs + (size_t)event * (size_t)x->h->threads;
  for (int t = 0; t < x->h->threads; t++)
    if (position(x, key, t) < needs[t]) return false;
  return true;
}

/* All positions that one more event leads to from those of `from`. */
static bool next_layer (const Extensions *x, const Layer *from, Layer *to) {
  for (size_t i = 0; i < from->size; i++) {
    const Count *c = &from->entries[i];
    if (c->ways == 0) continue;
    for (int t = 0; t < x->h->threads; t++) {
      uint32_t at = position(x, c->key, t);
      if (at < x->counts[t] && may_come(x, c->key, x->of[t][at])
          && !layer_add(to, c->key + ((unsigned __int128)1 << x->shift[t]), c->ways))
        return false;
    }
  }
  return true;
}

/*
** Which events count, and what each of them needs; false: no memory, or the positions
** do not fit.
*/
static bool extensions_begin (Extensions *x, const History *h) {
  int shift = 0;
  memset(x, 0, sizeof *x);
  x->h = h;
  x->needs = calloc((size_t)h->count * (size_t)h->threads + 1, sizeof *x->needs);
  if (x->needs == NULL) return false;
  for (int t = 0; t < h->threads; t++) {
    const Chain *c = &h->of_thread[t];
    x->of[t] = calloc((size_t)c->count + 1, sizeof *x->of[t]);
    if (x->of[t] == NULL) return false;
    for (uint32_t i = 0; i < c->count; i++)
      if (!h->events[c->events[i]].silent) x->of[t][x->counts[t]++] = c->events[i];
    x->shift[t] = shift;
    while (x->counts[t] >> x->bits[t] != 0) x->bits[t]++;
    shift += x->bits[t];
  }
  if (shift > 127) return false;
  for (int t = 0; t < h->threads; t++)
    for (uint32_t i = 0; i < x->counts[t]; i++) {
      uint32_t e = x->of[t][i];
      for (int u = 0; u < h->threads; u++) {
        uint32_t n = 0;
        while (n < x->counts[u] && h->events[x->of[u][n]].nth <= clock_of(h, e)[u]) n++;
        x->needs[(size_t)e * (size_t)h->threads + (size_t)u] = (Clock)(u == t ? i : n);
      }
    }
  return true;
}

static void extensions_end (Extensions *x) {
  for (int t = 0; t < HISTORY_THREADS; t++) free(x->of[t]);
  free(x->needs);
}

unsigned __int128 history_interleavings (History *h, size_t *states, bool *exact) {
  Extensions x = {0};
  Layer now = {calloc(16, sizeof(Count)), 16, 0}, next;
  unsigned __int128 ways = 1;
  size_t seen = 0;
  uint32_t steps = 0;
  bool good = now.entries != NULL && extensions_begin(&x, h) && layer_add(&now, 0, 1);
  for (int t = 0; good && t < h->threads; t++) steps += x.counts[t];
  for (; good && steps > 0; steps--) {
    next = (Layer){calloc(16, sizeof(Count)), 16, 0};
    good = next.entries != NULL && next_layer(&x, &now, &next) && (seen += next.used) <= *states;
    free(now.entries);
    now = next;
  }
  if (good)
    for (size_t i = 0; i < now.size; i++)
      if (now.entries[i].ways != 0) ways = now.entries[i].ways;
  if (!good) *exact = false;
  free(now.entries);
  if (x.h == h) extensions_end(&x);
  *states = seen < *states ? seen : *states;
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

/*
** counted.h - counts of references that tell whether they have stood still.
**
** The lower half of the word is the count, the upper half how many references have
** ever been added. So where the word is the same at two times, no reference has
** come or gone in between: cycles.c depends on that.
*/
#ifndef WORLD_COUNTED_H
#define WORLD_COUNTED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Counted {
  atomic_uint_least64_t word;
  uint32_t mark; /* of the search for cycles that goes on: its node, from 1; 0: none */
} Counted;

#define COUNTED_ADD ((UINT64_C(1) << 32) + 1)

static inline void counted_init (Counted *c) {
  atomic_init(&c->word, COUNTED_ADD);
  c->mark = 0;
}

static inline void counted_keep (Counted *c) {
  atomic_fetch_add_explicit(&c->word, COUNTED_ADD, memory_order_relaxed);
}

/* As if counted_keep had not been called. */
static inline void counted_unkeep (Counted *c) {
  atomic_fetch_sub_explicit(&c->word, COUNTED_ADD, memory_order_relaxed);
}

/* So many references at once. */
static inline void counted_add (Counted *c, uint32_t n) {
  atomic_fetch_add_explicit(&c->word, COUNTED_ADD * n, memory_order_relaxed);
}

/* Drops so many, none of which is the last one. */
static inline void counted_remove (Counted *c, uint32_t n) {
  atomic_fetch_sub_explicit(&c->word, n, memory_order_release);
}

/* True: it was the last reference. */
static inline bool counted_drop (Counted *c) {
  return (uint32_t)atomic_fetch_sub_explicit(&c->word, 1, memory_order_acq_rel) == 1;
}

static inline uint32_t counted_refs (const Counted *c) { return (uint32_t)atomic_load(&c->word); }

/* Unless the last reference has gone. */
static inline bool counted_try_keep (Counted *c) {
  uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
  while ((uint32_t)word != 0)
    if (atomic_compare_exchange_weak(&c->word, &word, word + COUNTED_ADD)) return true;
  return false;
}

#endif

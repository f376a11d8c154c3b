/*
** reversal.c - the sequence that has two events of a history the other way round: see history.h.
*/
#include "explore/private.h"

/* The thread and footprint of o. */
static int thread_of (const Reversal *r) {
  return (uint32_t)r->o < r->h->count ? r->h->events[r->o].thread : r->pending->thread;
}
static uint32_t footprint_of (const Reversal *r) {
  return (uint32_t)r->o < r->h->count ? r->h->events[r->o].footprint : r->pending->footprint;
}

static bool is_after (const History *h, uint32_t i, uint32_t e) {
  return covers(h, clock_of(h, i), e);
}

/* Where something is silent the end of the program is the last event: it is o, or comes behind it. */
static bool is_end (const Reversal *r, uint32_t i) {
  const History *h = r->h;
  return i != (uint32_t)r->o && footprint_is_exit(h->footprints, h->events[i].footprint);
}

/*
** Whether an event of the sequence comes before o, which is that operation in front of e, and o
** depends on it. Behind e it may have touched less, so that those behind it were no matter: an
** interrupt of who has ended.
*/
static bool waits_for_others (const Reversal *r, uint32_t footprint) {
  const History *h = r->h;
  int thread = thread_of(r);
  const Clock *before =
      (uint32_t)r->o < h->count ? clock_before(h, (uint32_t)r->o) : h->current[thread];
  for (uint32_t i = (uint32_t)r->e + 1; i < h->count; i++) {
    if (i == (uint32_t)r->o || is_after(h, i, (uint32_t)r->e) || is_end(r, i)) continue;
    if (covers(h, before, i)
        || footprint_dependent(h->footprints, h->events[i].thread, h->events[i].footprint, thread,
                               footprint))
      return true;
  }
  return false;
}

/* Whether event f, of the sequence, happens after another one of it. */
static bool has_predecessor (const Reversal *r, uint32_t f) {
  const History *h = r->h;
  const Clock *c = clock_of(h, f);
  for (int t = 0; t < h->threads; t++) {
    uint32_t own = t == h->events[f].thread;
    if (c[t] > history_count_before(h, r->e, t) + own) return true;
  }
  return false;
}

/* The thread does not appear: whether its operation depends on nothing in the sequence. */
static bool is_independent (const Reversal *r, int thread, uint32_t footprint) {
  const History *h = r->h;
  if (footprint_dependent(h->footprints, thread, footprint, thread_of(r), footprint_of(r)))
    return false;
  for (uint32_t i = (uint32_t)r->e + 1; i < h->count; i++)
    if (!is_after(h, i, (uint32_t)r->e)
        && footprint_dependent(h->footprints, thread, footprint, h->events[i].thread,
                               h->events[i].footprint))
      return false;
  return true;
}

bool history_is_initial (const Reversal *r, int thread, uint32_t footprint) {
  const History *h = r->h;
  uint32_t n = history_count_before(h, r->e + 1, thread);
  const Chain *c = &h->of_thread[thread];
  uint32_t first = n < c->count ? c->events[n] : NONE;
  if (first != NONE && !is_after(h, first, (uint32_t)r->e) && !is_end(r, first))
    return !has_predecessor(r, first);
  if (thread == thread_of(r)) return !waits_for_others(r, footprint);
  return is_independent(r, thread, footprint);
}

int history_sequence (const Reversal *r, uint32_t *sequence) {
  const History *h = r->h;
  int n = 0;
  for (uint32_t i = (uint32_t)r->e + 1; i < h->count; i++)
    if (!is_after(h, i, (uint32_t)r->e) && !is_end(r, i))
      sequence[n++] = (uint32_t)h->events[i].thread << 24 | h->events[i].footprint;
  sequence[n++] = (uint32_t)thread_of(r) << 24 | footprint_of(r);
  return n;
}

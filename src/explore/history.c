/*
** history.c - events, clocks and races (see history.h).
**
** For each place (a part of an object) a chain of the events that access it, for
** each thread a chain of its events, and one of the events that grip threads. What
** an event depends on directly is found by walking a few chains back to their last
** write; so adding an event costs what it touches, not how long the history is.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/private.h"
#include "world/op.h"

static bool chain_add (Chain *c, uint32_t event) {
  if (!grow_list32(&c->events, &c->capacity, c->count + 1, sizeof *c->events)) return false;
  c->events[c->count++] = event;
  return true;
}

/* The first in the chain from event `e` on; its length where there is none. */
static uint32_t chain_find (const Chain *c, uint32_t e) {
  uint32_t low = 0, high = c->count;
  if (high == 0 || c->events[high - 1] < e) return high;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (c->events[middle] < e) low = middle + 1;
    else high = middle;
  }
  return low;
}

static void chain_truncate (Chain *c, uint32_t length) {
  while (c->count > 0 && c->events[c->count - 1] >= length) c->count--;
}

History *history_new (Footprints *f) {
  History *h = calloc(1, sizeof *h);
  if (h != NULL) {
    h->footprints = f;
    h->width = 8;
  }
  return h;
}

void history_free (History *h) {
  if (h == NULL) return;
  for (int i = 0; i < HISTORY_THREADS; i++) free(h->of_thread[i].events);
  for (uint32_t i = 0; i < h->place_count; i++) free(h->of_place[i].events);
  free(h->gripping.events);
  interleavings_free(h->extensions);
  interleavings_few_free(h->few);
  free(h->of_place);
  free(h->cursors);
  free(h->events);
  free(h->clocks);
  free(h->ready);
  free(h->edges);
  free(h->met);
  free(h);
}

int history_length (const History *h) { return (int)h->count; }
int history_threads (const History *h) { return h->threads; }
const Event *history_event (const History *h, int i) { return &h->events[i]; }

static void join (Clock *into, const Clock *c, int n) {
  for (int i = 0; i < n; i++)
    if (c[i] > into[i]) into[i] = c[i];
}

bool history_before (const History *h, int i, int j) {
  return covers(h, clock_of(h, (uint32_t)j), (uint32_t)i);
}

uint32_t history_count_before (const History *h, int i, int thread) {
  return chain_find(&h->of_thread[thread], (uint32_t)i);
}

/*
** Chains to look at for an operation.
*/

/*
** A walk back through several chains at once, latest event first. One at a time: the
** cursors are the history's.
*/
typedef struct Walk {
  const History *h;
  Cursor *cursors;
  int count;
  int thread;
} Walk;

static void walk_add (Walk *w, const Chain *c, uint32_t before) {
  uint32_t at = chain_find(c, before);
  if (at > 0) w->cursors[w->count++] = (Cursor){c, at};
}

/* All places of an object that an access to `place` meets. */
static void walk_places (Walk *w, uint32_t place, uint32_t before) {
  const Footprints *f = w->h->footprints;
  bool all = footprint_part(f, place) == PART_ALL;
  for (uint32_t p = footprint_first_place(f, place); p != NONE; p = footprint_next_place(f, p))
    if (p < w->h->place_count && (all || p == place || footprint_part(f, p) == PART_ALL))
      walk_add(w, &w->h->of_place[p], before);
}

static void walk_begin (Walk *w, const History *h, int thread, uint32_t footprint,
                        uint32_t before) {
  const Footprint *f = footprint_at(h->footprints, footprint);
  const uint32_t *places = footprint_places(h->footprints, footprint);
  *w = (Walk){h, h->cursors, 0, thread};
  for (int i = 0; i < f->count; i++) walk_places(w, places[i], before);
  walk_add(w, &h->gripping, before);
  if (f->grips == GRIPS_NONE || f->grips == GRIPS_SILENT) return;
  for (int t = 0; t < h->threads; t++)
    if (footprint_grips(f, t)) walk_add(w, &h->of_thread[t], before);
}

/*
** The next event that the operation depends on, or -1. One of the same thread, or a
** gripping one that means others, is not reported.
*/
static int walk_next (Walk *w, uint32_t footprint) {
  for (;;) {
    uint32_t last = 0;
    bool any = false;
    for (int i = 0; i < w->count; i++) {
      const Cursor *c = &w->cursors[i];
      if (c->at > 0 && (!any || c->chain->events[c->at - 1] > last)) {
        last = c->chain->events[c->at - 1];
        any = true;
      }
    }
    if (!any) return -1;
    for (int i = 0; i < w->count; i++) {
      Cursor *c = &w->cursors[i];
      if (c->at > 0 && c->chain->events[c->at - 1] == last) c->at--;
    }
    if (w->h->events[last].thread != w->thread
        && footprint_dependent(w->h->footprints, w->h->events[last].thread,
                               w->h->events[last].footprint, w->thread, footprint))
      return (int)last;
  }
}

/*
** All that is left lies before `clock`, which an event that all of them happen before
** has given: cut the walk.
*/
static void walk_cut (Walk *w, const Clock *clock) {
  for (int i = 0; i < w->count; i++) {
    Cursor *c = &w->cursors[i];
    /* a write that is covered covers what stands before it in its chain */
    while (c->at > 0) {
      uint32_t e = c->chain->events[c->at - 1];
      if (!covers(w->h, clock, e)) break;
      c->at--;
      if (c->chain == &w->h->gripping) continue;
      const Footprint *f = footprint_at(w->h->footprints, w->h->events[e].footprint);
      const uint32_t *places = footprint_places(w->h->footprints, w->h->events[e].footprint);
      const Access *a = footprint_accesses(w->h->footprints, w->h->events[e].footprint);
      bool writes = c->chain >= w->h->of_thread && c->chain < w->h->of_thread + HISTORY_THREADS;
      for (int k = 0; k < f->count; k++)
        if (a[k].write && places[k] < w->h->place_count && &w->h->of_place[places[k]] == c->chain)
          writes = true;
      if (writes) c->at = 0;
    }
  }
}

/*
** Adding and taking back.
*/

static bool widen (History *h, int threads) {
  int width = h->width;
  Clock *clocks;
  while (width < threads) width *= 2;
  if (width == h->width) return true;
  clocks = calloc(2 * (size_t)h->capacity * (size_t)width + 1, sizeof *clocks);
  if (clocks == NULL) return false;
  for (uint32_t i = 0; i < 2 * h->count; i++)
    memcpy(clocks + (size_t)i * (size_t)width, h->clocks + (size_t)i * (size_t)h->width,
           (size_t)h->width * sizeof *clocks);
  free(h->clocks);
  h->clocks = clocks;
  h->width = width;
  return true;
}

static bool know_thread (History *h, int thread) {
  if (thread < h->threads) return true;
  if (thread >= HISTORY_THREADS || !widen(h, thread + 1)) return false;
  h->threads = thread + 1;
  return true;
}

static bool know_places (History *h) {
  uint32_t count = footprint_place_count(h->footprints);
  Chain *grown;
  Cursor *cursors;
  if (count <= h->place_count) return true;
  count += count / 2 + 16;
  cursors = realloc(h->cursors, (ACCESSES_MOST * count + HISTORY_THREADS + 1) * sizeof *cursors);
  if (cursors == NULL) return false;
  h->cursors = cursors;
  grown = realloc(h->of_place, count * sizeof *grown);
  if (grown == NULL) return false;
  memset(grown + h->place_count, 0, (count - h->place_count) * sizeof *grown);
  h->of_place = grown;
  h->place_count = count;
  return true;
}

static bool reserve_event (History *h) {
  uint32_t capacity = h->capacity;
  Clock *clocks;
  if (h->count < h->capacity) return true;
  if (!grow_list32(&h->events, &capacity, h->count + 1, sizeof *h->events)) return false;
  clocks = realloc(h->clocks, 2 * (size_t)capacity * (size_t)h->width * sizeof *clocks);
  if (clocks == NULL) return false;
  h->clocks = clocks;
  h->capacity = capacity;
  return true;
}

static bool add_to_chains (History *h, uint32_t i) {
  const Event *e = &h->events[i];
  const Footprint *f = footprint_at(h->footprints, e->footprint);
  const uint32_t *places = footprint_places(h->footprints, e->footprint);
  if (!chain_add(&h->of_thread[e->thread], i)) return false;
  if (f->grips != GRIPS_NONE && f->grips != GRIPS_SILENT && !chain_add(&h->gripping, i))
    return false;
  for (int k = 0; k < f->count; k++)
    if (!chain_add(&h->of_place[places[k]], i)) return false;
  return true;
}

/* Makes the clocks of the event, and notes those whose order with it is not known otherwise. */
static bool make_clocks (History *h, uint32_t i) {
  const Event *e = &h->events[i];
  Clock *clock = clock_of(h, i);
  Walk w;
  int d;
  h->met_used = i > 0 ? h->events[i - 1].met : 0;
  memcpy(clock_before(h, i), h->current[e->thread], (size_t)h->width * sizeof *clock);
  memcpy(clock, h->current[e->thread], (size_t)h->width * sizeof *clock);
  walk_begin(&w, h, e->thread, e->footprint, i);
  walk_cut(&w, clock);
  while ((d = walk_next(&w, e->footprint)) >= 0) {
    if (covers(h, clock, (uint32_t)d)) continue;
    if (!grow_list32(&h->met, &h->met_capacity, h->met_used + 1, sizeof *h->met)) return false;
    h->met[h->met_used++] = (uint32_t)d;
    join(clock, clock_of(h, (uint32_t)d), h->threads);
    walk_cut(&w, clock);
  }
  h->events[i].met = h->met_used;
  clock[e->thread] = (Clock)e->nth;
  memcpy(h->current[e->thread], clock, (size_t)h->width * sizeof *clock);
  return true;
}

bool history_push (History *h, const Event *e, const Ready *ready) {
  const Footprint *f = footprint_at(h->footprints, e->footprint);
  uint32_t i = h->count;
  if (!know_thread(h, e->thread) || !know_places(h) || !reserve_event(h)
      || !grow_list32(&h->ready, &h->ready_capacity, h->ready_used + f->count, sizeof *h->ready))
    return false;
  h->events[i] = *e;
  h->events[i].nth = h->of_thread[e->thread].count + 1;
  h->events[i].ready = h->ready_used;
  if (f->count > 0) memcpy(h->ready + h->ready_used, ready, f->count * sizeof *ready);
  h->ready_used += f->count;
  if (!make_clocks(h, i)) return false;
  h->count++;
  return add_to_chains(h, i);
}

bool history_edge (History *h, int thread) {
  if (!know_thread(h, thread)
      || !grow_list32(&h->edges, &h->edge_capacity, h->edge_count + 1, sizeof *h->edges))
    return false;
  h->edges[h->edge_count++] = (Edge){h->count - 1, (uint16_t)thread};
  join(h->current[thread], clock_of(h, h->count - 1), h->width);
  return true;
}

/* What happens before the next event of a thread, from what is left. */
static void restore_current (History *h, int thread) {
  const Chain *c = &h->of_thread[thread];
  uint32_t last = c->count > 0 ? c->events[c->count - 1] : NONE;
  if (last == NONE) memset(h->current[thread], 0, sizeof h->current[thread]);
  else memcpy(h->current[thread], clock_of(h, last), (size_t)h->width * sizeof(Clock));
  for (uint32_t i = h->edge_count; i > 0; i--) {
    const Edge *edge = &h->edges[i - 1];
    if (last != NONE && edge->event < last) break;
    if (edge->thread == thread) join(h->current[thread], clock_of(h, edge->event), h->width);
  }
}

void history_truncate (History *h, int length) {
  if ((uint32_t)length >= h->count) return;
  for (uint32_t i = (uint32_t)length; i < h->count; i++) {
    const Footprint *f = footprint_at(h->footprints, h->events[i].footprint);
    const uint32_t *places = footprint_places(h->footprints, h->events[i].footprint);
    for (int k = 0; k < f->count; k++) chain_truncate(&h->of_place[places[k]], (uint32_t)length);
  }
  h->ready_used = h->events[length].ready;
  h->count = (uint32_t)length;
  if (h->counted > h->count) h->counted = h->count;
  chain_truncate(&h->gripping, h->count);
  while (h->edge_count > 0 && h->edges[h->edge_count - 1].event >= h->count) h->edge_count--;
  for (int t = 0; t < h->threads; t++) chain_truncate(&h->of_thread[t], h->count);
  for (int t = 0; t < h->threads; t++) restore_current(h, t);
}

/*
** Races.
*/

/* The state of the place in front of the event, which accesses it. */
static const Ready *ready_before (const History *h, uint32_t event, uint32_t place) {
  const Event *e = &h->events[event];
  const uint32_t *places = footprint_places(h->footprints, e->footprint);
  uint32_t i = 0;
  while (places[i] != place) i++;
  return &h->ready[e->ready + i];
}

/* The same where what comes and goes is counted: it may do so in any order. */
static Ready count_at (const History *h, uint32_t e, uint32_t o, uint32_t place, Ready at_end) {
  const Chain *c = &h->of_place[place];
  uint32_t i = chain_find(c, e);
  Ready r = *ready_before(h, c->events[i], place);
  for (uint32_t before = r.left, after; i < c->count && c->events[i] < o; i++, before = after) {
    after = i + 1 < c->count ? ready_before(h, c->events[i + 1], place)->left : at_end.left;
    if (!covers(h, clock_of(h, c->events[i]), e)) r.left += after - before;
  }
  r.bits = r.left == 0 ? READY_DONE : 0;
  return r;
}

/*
** What could be done at a place after the sequence that reverses the race of e with o:
** events from e on count only where they do not happen after e. The first that does, or
** o, knows it. Where there is none, only an operation that is pending at the end asks:
** then it is as it is there.
*/
static Ready ready_at (const History *h, uint32_t e, uint32_t o, uint32_t place, Ready at_end) {
  const Chain *c = place < h->place_count ? &h->of_place[place] : NULL;
  uint32_t i = c != NULL ? chain_find(c, e) : 0;
  if (c == NULL || i == c->count) return at_end;
  if (ready_before(h, c->events[i], place)->counts) return count_at(h, e, o, place, at_end);
  while (i < c->count && c->events[i] < o && !covers(h, clock_of(h, c->events[i]), e)) i++;
  return i == c->count ? at_end : *ready_before(h, c->events[i], place);
}

static bool satisfies (const Ready *r, uint8_t needs, int thread) {
  return ((needs & READY_TAKE) && (r->takers >> thread & 1)) || (r->bits & needs & ~READY_TAKE);
}

/*
** Whether operation o can go through in the sequence that reverses its race with e. at_end: the state
** of its objects where it is pending, else NULL.
*/
static bool possible_before (const History *h, uint32_t e, uint32_t o, int thread,
                             uint32_t footprint, const Ready *at_end) {
  const Footprint *f = footprint_at(h->footprints, footprint);
  const Access *a = footprint_accesses(h->footprints, footprint);
  const uint32_t *places = footprint_places(h->footprints, footprint);
  bool needs = false;
  for (int i = 0; i < f->count; i++) {
    Ready r;
    if (a[i].needs == 0) continue;
    needs = true;
    r = ready_at(h, e, o, places[i], at_end != NULL ? at_end[i] : (Ready){0});
    if (satisfies(&r, a[i].needs, thread)) return true;
  }
  return !needs;
}

/*
** Where all that the event has met can change places with it, these are its races; false: not so,
** earlier ones may be.
*/
static bool are_met_races (const History *h, uint32_t o) {
  const Event *e = &h->events[o];
  for (uint32_t i = o > 0 ? h->events[o - 1].met : 0; i < e->met && !e->late; i++)
    if (!possible_before(h, h->met[i], o, e->thread, e->footprint, NULL)) return false;
  return footprint_at(h->footprints, e->footprint)->grips != GRIPS_TICK;
}

void history_races (History *h, int o, const Pending *pending, void (*found)(void *ud, int e),
                    void *ud) {
  bool done = (uint32_t)o < h->count;
  int thread = done ? h->events[o].thread : pending->thread;
  uint32_t footprint = done ? h->events[o].footprint : pending->footprint;
  bool late = done ? h->events[o].late : pending->late;
  const Ready *at_end = done ? NULL : pending->ready;
  bool is_tick = footprint_at(h->footprints, footprint)->grips == GRIPS_TICK;
  Clock cover[HISTORY_THREADS];
  Walk w;
  int e;
  if (done && are_met_races(h, (uint32_t)o)) {
    for (uint32_t i = o > 0 ? h->events[o - 1].met : 0; i < h->events[o].met; i++)
      found(ud, (int)h->met[i]);
    return;
  }
  memcpy(cover, done ? clock_before(h, (uint32_t)o) : h->current[thread],
         (size_t)h->width * sizeof *cover);
  walk_begin(&w, h, thread, footprint, (uint32_t)o);
  walk_cut(&w, cover);
  while ((e = walk_next(&w, footprint)) >= 0) {
    if (covers(h, cover, (uint32_t)e)) continue;
    if (!late && !possible_before(h, (uint32_t)e, (uint32_t)o, thread, footprint, at_end)) continue;
    if (is_tick) { /* whether there was a deadline before e nobody knows: earlier ones count as well */
      found(ud, e);
      continue;
    }
    join(cover, clock_of(h, (uint32_t)e), h->threads);
    found(ud, e);
    walk_cut(&w, cover);
  }
}

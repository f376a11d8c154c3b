/*
** strategies.c - see strategies.h.
*/
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "explore/strategies.h"

#define CHANGES 2 /* of priorities, in pct */

typedef struct Run {
  const Subject *s;
  Drawing *d;
  uint64_t priority[HISTORY_THREADS]; /* 0: none drawn yet */
  int change[CHANGES];
  int counts[HISTORY_THREADS];
  int steps;
} Run;

static uint64_t draw (Run *r) { return random_mix(r->d->seed += RANDOM_STEP); }

/* The threads that can go; returns how many. */
static int find_enabled (Run *r, int *list, Peek *peeks) {
  int threads = r->s->threads(r->s->ud), n = 0;
  for (int t = 0; t < threads; t++) {
    if (!r->s->peek(r->s->ud, t, &peeks[n]) || !peeks[n].enabled) continue;
    list[n++] = t;
  }
  return n;
}

/* By priority, drawn where there is none. */
static int highest (Run *r, const int *list, int n) {
  int best = 0;
  for (int i = 0; i < n; i++) {
    if (r->priority[list[i]] == 0) r->priority[list[i]] = (draw(r) >> 2) + CHANGES + 1;
    if (r->priority[list[i]] > r->priority[list[best]]) best = i;
  }
  return best;
}

static int pick_pct (Run *r, const int *list, int n) {
  for (int c = 0; c < CHANGES; c++)
    if (r->steps == r->change[c]) r->priority[list[highest(r, list, n)]] = (uint64_t)c + 1;
  return highest(r, list, n);
}

static int pick_pos (Run *r, const int *list, const Peek *peeks, int n) {
  int best = highest(r, list, n);
  for (int i = 0; i < n; i++)
    if (i != best
        && footprint_dependent(r->s->footprints, list[i], peeks[i].footprint, list[best],
                               peeks[best].footprint))
      r->priority[list[i]] = 0;
  r->priority[list[best]] = 0;
  return best;
}

static int pick_urw (Run *r, const int *list, int n) {
  int left[HISTORY_THREADS], sum = 0;
  uint64_t drawn;
  for (int i = 0; i < n; i++) {
    left[i] = r->d->counts[list[i]] - r->counts[list[i]];
    if (left[i] < 1) left[i] = 1;
    sum += left[i];
  }
  drawn = sum > 0 ? draw(r) % (uint64_t)sum : 0;
  for (int i = 0; i < n; i++) {
    if (drawn < (uint64_t)left[i]) return i;
    drawn -= (uint64_t)left[i];
  }
  return 0;
}

static int pick (Run *r, Strategy strategy, const int *list, const Peek *peeks, int n) {
  switch (strategy) {
    case STRATEGY_PCT: return pick_pct(r, list, n);
    case STRATEGY_POS: return pick_pos(r, list, peeks, n);
    case STRATEGY_URW: return pick_urw(r, list, n);
    default: return (int)(draw(r) % (uint64_t)n);
  }
}

void drawing_free (Drawing *d) {
  if (d == NULL) return;
  history_free(d->history);
  free(d);
}

/* Lets the thread go, and adds what it does to the history. */
static bool go (Run *r, int thread, const Peek *p) {
  Effects effects = {0};
  Ready ready[ACCESSES_MOST];
  History *h = r->d->history;
  Event e = {
      .thread = (uint16_t)thread, .late = p->late, .silent = p->silent, .footprint = p->footprint};
  if (h != NULL) r->s->ready(r->s->ud, thread, ready);
  if (!r->s->step(r->s->ud, thread, &effects)) return false;
  if (h == NULL) return true;
  if (!history_push(h, &e, ready)) return false;
  for (int i = 0; i < effects.count; i++)
    if (!history_edge(h, effects.threads[i])) return false;
  return true;
}

/* The first silent step: it changes places with all others, so it is done at once. -1: there is none. */
static int find_silent (const Peek *peeks, int n) {
  for (int i = 0; i < n; i++)
    if (peeks[i].silent) return i;
  return -1;
}

DrawEnd strategy_run (const Subject *s, Strategy strategy, Drawing *d) {
  Run r = {.s = s, .d = d};
  int list[HISTORY_THREADS], n;
  Peek peeks[HISTORY_THREADS];
  if (s->rewind(s->ud, 0) != 0) return DRAW_BROKEN;
  if (d->history != NULL) history_truncate(d->history, 0);
  d->weight = 1;
  for (int c = 0; c < CHANGES; c++) r.change[c] = (int)(draw(&r) % (uint64_t)(d->length + 1));
  while ((n = find_enabled(&r, list, peeks)) > 0) {
    int i = find_silent(peeks, n);
    if (i < 0) {
      i = pick(&r, strategy, list, peeks, n);
      d->weight *= n;
    }
    if (r.steps == STRATEGY_STEPS) return DRAW_CUT;
    d->path[r.steps++] = (uint8_t)list[i];
    r.counts[list[i]]++;
    if (!go(&r, list[i], &peeks[i])) return DRAW_BROKEN;
  }
  memcpy(d->counts, r.counts, sizeof d->counts);
  d->steps = r.steps;
  if (r.steps > d->length) d->length = r.steps;
  return DRAW_LEAF;
}

/*
** fewest.c - see fewest.h.
**
** What a step costs depends on the thread that moved last. So the search goes through
** pairs of a state and that thread: first all that need no preemption, then those that
** need one, and so on, each time in the order in which they are met.
*/
#include <stdlib.h>
#include <string.h>

#include "explore/fewest.h"

#define PLACES_MOST 4000000
#define UNKNOWN UINT16_MAX

/* A place is a state and the thread that moved last: node * lasts + thread + 1. */
typedef struct Fewest {
  const StateGraph *g;
  uint32_t lasts;
  uint16_t *cost; /* by place: the fewest preemptions known */
  uint32_t *from; /* by place: the one before on that way */
  /* Places to go on from, with as many preemptions as are looked at, and with one more. */
  uint32_t *now, *later;
  size_t now_n, later_n;
} Fewest;

static int thread_of (const GraphEdge *e) { return (int)(e->step >> 24); }

/* How many different threads may have moved last, nobody included. */
static uint32_t count_lasts (const StateGraph *g) {
  int most = -1, count;
  for (uint32_t node = 0; node < state_graph_states(g); node++) {
    const GraphEdge *edges = state_graph_edges(g, node, &count);
    for (int i = 0; i < count; i++)
      if (thread_of(&edges[i]) > most) most = thread_of(&edges[i]);
  }
  return (uint32_t)most + 2;
}

/* The only step from a state may be a silent one, which takes no thread's turn. */
static bool is_silent (const StateGraph *g, const GraphEdge *edges, int count) {
  return count == 1 && state_graph_is_silent(g, edges[0].step);
}

static bool can_go_on (const GraphEdge *edges, int count, int thread) {
  for (int i = 0; i < count; i++)
    if (thread_of(&edges[i]) == thread) return true;
  return false;
}

/* Meets what one step leads to. */
static void spread (Fewest *f, uint32_t place) {
  int count, last = (int)(place % f->lasts) - 1;
  const GraphEdge *edges = state_graph_edges(f->g, place / f->lasts, &count);
  bool goes_on = can_go_on(edges, count, last), silent = is_silent(f->g, edges, count);
  for (int i = 0; i < count; i++) {
    int thread = silent ? last : thread_of(&edges[i]);
    bool preempted = goes_on && thread != last;
    uint32_t to = edges[i].to * f->lasts + (uint32_t)thread + 1;
    uint16_t cost = (uint16_t)(f->cost[place] + preempted);
    if (cost >= f->cost[to]) continue;
    f->cost[to] = cost;
    f->from[to] = place;
    if (preempted) f->later[f->later_n++] = to;
    else f->now[f->now_n++] = to;
  }
}

/* The first place of an end with that outcome, by preemptions; 0: there is none. */
static uint32_t find (Fewest *f, int outcome) {
  f->cost[0] = 0;
  f->now[f->now_n++] = 0;
  for (uint16_t cost = 0; f->now_n > 0 && cost < UNKNOWN - 1; cost++) {
    uint32_t *done = f->now;
    for (size_t i = 0; i < f->now_n; i++) {
      if (f->cost[f->now[i]] != cost) continue; /* met again with fewer */
      if (state_graph_outcome_at(f->g, f->now[i] / f->lasts) == outcome) return f->now[i];
      spread(f, f->now[i]);
    }
    f->now = f->later;
    f->now_n = f->later_n;
    f->later = done;
    f->later_n = 0;
  }
  return 0;
}

/* The thread that went to this place. */
static int thread_to (const Fewest *f, uint32_t place) {
  int count;
  const GraphEdge *edges = state_graph_edges(f->g, f->from[place] / f->lasts, &count);
  if (is_silent(f->g, edges, count)) return thread_of(&edges[0]);
  return (int)(place % f->lasts) - 1;
}

static bool write_path (const Fewest *f, uint32_t place, Path *path) {
  int n = 0;
  for (uint32_t p = place; p != 0; p = f->from[p]) n++;
  if (n > MINIMISE_STEPS) return false;
  path->length = n;
  for (uint32_t p = place; p != 0; p = f->from[p]) path->threads[--n] = (uint8_t)thread_to(f, p);
  return true;
}

bool fewest_path (const StateGraph *g, int outcome, Path *path) {
  Fewest f = {.g = g, .lasts = count_lasts(g)};
  size_t places = state_graph_states(g) * f.lasts;
  uint32_t place = 0;
  if (places == 0 || places > PLACES_MOST) return false;
  f.cost = malloc(places * sizeof *f.cost);
  f.from = malloc(places * sizeof *f.from);
  /* A place is met once for `later` and once for `now` at most with the same cost. */
  f.now = malloc(2 * places * sizeof *f.now);
  f.later = malloc(2 * places * sizeof *f.later);
  if (f.cost != NULL && f.from != NULL && f.now != NULL && f.later != NULL) {
    for (size_t i = 0; i < places; i++) f.cost[i] = UNKNOWN;
    place = find(&f, outcome);
  }
  if (place != 0 && !write_path(&f, place, path)) place = 0;
  free(f.cost);
  free(f.from);
  free(f.now);
  free(f.later);
  return place != 0;
}

/*
** prospect.c - see prospect.h.
*/
#include <stdlib.h>

#include "explore/prospect.h"

/* What can come of a state. */
typedef struct Future {
  double chance;
  bool seen, doomed; /* each schedule fails from here on */
} Future;

struct Prospect {
  const StateGraph *graph;
  Future *futures; /* by node */
};

/* A node on the way, and its edges that have been gone. */
typedef struct Visit {
  uint32_t node;
  int next;
} Visit;

/* All that the node leads to is known. */
static void judge (Prospect *p, uint32_t node) {
  int count;
  const GraphEdge *e = state_graph_edges(p->graph, node, &count);
  Future *f = &p->futures[node];
  f->doomed = true;
  for (int i = 0; i < count; i++) {
    const Future *to = &p->futures[e[i].to];
    f->chance += to->chance / count;
    f->doomed = f->doomed && to->doomed;
  }
  if (count == 0) f->doomed = state_graph_outcome_at(p->graph, node) >= 0;
  if (count == 0 || f->doomed) f->chance = f->doomed;
}

static void judge_all (Prospect *p, Visit *stack) {
  size_t depth = 1;
  stack[0] = (Visit){0, 0};
  p->futures[0].seen = true;
  while (depth > 0) {
    Visit *v = &stack[depth - 1];
    int count;
    const GraphEdge *e = state_graph_edges(p->graph, v->node, &count);
    if (v->next == count) {
      judge(p, v->node);
      depth--;
      continue;
    }
    e += v->next++;
    if (p->futures[e->to].seen) continue;
    p->futures[e->to].seen = true;
    stack[depth++] = (Visit){e->to, 0};
  }
}

Prospect *prospect_new (const StateGraph *g) {
  size_t states = state_graph_states(g);
  Prospect *p = calloc(1, sizeof *p);
  Visit *stack = malloc((states + 1) * sizeof *stack);
  if (p != NULL) *p = (Prospect){g, calloc(states + 1, sizeof(Future))};
  if (p == NULL || p->futures == NULL || stack == NULL) {
    prospect_free(p);
    p = NULL;
  }
  else judge_all(p, stack);
  free(stack);
  return p;
}

void prospect_free (Prospect *p) {
  if (p != NULL) free(p->futures);
  free(p);
}

double prospect_chance (const Prospect *p) { return p->futures[0].chance; }

/*
** The state after the next step of that thread, from *node on. The graph does starts, joins and
** ends as soon as they can be done: what it does before the execution does is noted in `early`.
*/
static bool go (const Prospect *p, int thread, int *early, uint32_t *node) {
  if (early[thread] > 0) {
    early[thread]--;
    return true;
  }
  for (;;) {
    int count;
    const GraphEdge *e = state_graph_edges(p->graph, *node, &count);
    for (int i = 0; i < count; i++)
      if ((int)(e[i].step >> 24) == thread) {
        *node = e[i].to;
        return true;
      }
    if (count != 1) return false;
    early[e->step >> 24]++;
    *node = e->to;
  }
}

int prospect_follow (const Prospect *p, const char *path, int length, double *chances) {
  int early[HISTORY_THREADS] = {0}, doomed = p->futures[0].doomed ? 0 : PROSPECT_NONE;
  uint32_t node = 0;
  for (int i = 0; i < length; i++) {
    if (!go(p, (unsigned char)path[i], early, &node)) return PROSPECT_STRANGE;
    chances[i] = p->futures[node].chance;
    if (doomed == PROSPECT_NONE && p->futures[node].doomed) doomed = i + 1;
  }
  return doomed;
}

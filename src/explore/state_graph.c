/*
** state_graph.c - see state_graph.h.
**
** States are found depth first, so that the subject mostly goes back a step or two.
** A silent step (start, join, end) commutes with all others: where one can be done
** it is done at once, and is no choice.
*/
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/state_graph.h"

#define NONE UINT32_MAX
#define ALL INT_MIN

typedef struct GraphNode {
  uint64_t key[2];
  uint32_t first; /* of its edges */
  uint8_t edges;
  bool open; /* on the stack */
  bool is_end;
  bool cut;
  int outcome;
} GraphNode;

/* A state on the way from the first to the present one. */
typedef struct Level {
  uint32_t node;
  int preemptions; /* on the way here */
  int count, next;
  uint32_t steps[HISTORY_THREADS];
  uint32_t to[HISTORY_THREADS];
  uint32_t deeds[HISTORY_THREADS];
} Level;

struct StateGraph {
  Subject subject;
  GraphKey key;
  GraphOutcome outcome;
  GraphOptions options;
  GraphNode *nodes;
  uint32_t node_count, node_capacity;
  GraphEdge *edges;
  uint32_t edge_count, edge_capacity;
  uint32_t *index;
  uint32_t index_size;
  Level *levels;
  int depth, level_capacity;
  int at; /* depth of the subject */
  bool begun, cyclic, cut, bounded, stateless, strayed;
  GraphEnd end;
};

StateGraph *state_graph_new (const Subject *subject, GraphKey key, GraphOutcome outcome,
                             const GraphOptions *options) {
  StateGraph *g = calloc(1, sizeof *g);
  if (g == NULL) return NULL;
  g->subject = *subject;
  g->key = key;
  g->outcome = outcome;
  g->options = *options;
  return g;
}

void state_graph_free (StateGraph *g) {
  if (g == NULL) return;
  free(g->nodes);
  free(g->edges);
  free(g->index);
  free(g->levels);
  free(g);
}

size_t state_graph_states (const StateGraph *g) { return g->node_count; }
bool state_graph_was_cut (const StateGraph *g) { return g->cut; }
bool state_graph_was_bounded (const StateGraph *g) { return g->bounded; }

const GraphEdge *state_graph_edges (const StateGraph *g, uint32_t node, int *count) {
  *count = g->nodes[node].edges;
  return g->edges + g->nodes[node].first;
}

bool state_graph_is_silent (const StateGraph *g, uint32_t step) {
  return footprint_is_silent(g->subject.footprints, step & 0xffffff);
}

bool state_graph_is_whole (const StateGraph *g) {
  return g->end == GRAPH_COMPLETE && !g->cyclic && !g->cut && !g->bounded;
}
int state_graph_outcome_at (const StateGraph *g, uint32_t node) { return g->nodes[node].outcome; }
void state_graph_moved (StateGraph *g) { g->at = -1; }
int state_graph_length (const StateGraph *g) { return g->at; }

/* The thread of the step that was done last in this level. */
static int thread_of (const Level *l) { return (int)(l->steps[l->next - 1] >> 24); }

int state_graph_thread_at (void *graph, int i) {
  return thread_of(&((StateGraph *)graph)->levels[i]);
}

/*
** Finding states.
*/

static uint32_t *index_find (StateGraph *g, const uint64_t key[2]) {
  uint32_t i = (uint32_t)(key[0] ^ (key[1] >> 7)) & (g->index_size - 1);
  while (g->index[i] != 0
         && memcmp(g->nodes[g->index[i] - 1].key, key, sizeof g->nodes[0].key) != 0)
    i = (i + 1) & (g->index_size - 1);
  return &g->index[i];
}

static bool grow_index (StateGraph *g) {
  uint32_t size = g->index_size > 0 ? 2 * g->index_size : 1024;
  if (2 * (g->node_count + 1) <= g->index_size) return true;
  free(g->index);
  g->index = calloc(size, sizeof *g->index);
  g->index_size = size;
  if (g->index == NULL) return false;
  for (uint32_t i = 0; i < g->node_count; i++) *index_find(g, g->nodes[i].key) = i + 1;
  return true;
}

/* The thread that moved last before the level of that depth, in a step that is not silent; -1: none. */
static int last_before (const StateGraph *g, int depth) {
  const Level *l = g->levels;
  for (int i = depth - 1; i >= 0; i--)
    if (!state_graph_is_silent(g, l[i].steps[l[i].next - 1])) return thread_of(&l[i]);
  return -1;
}

/*
** Where preemptions are bounded the state does not tell what can come: so do the thread
** that moved last and how many there have been.
*/
static void add_bound (const StateGraph *g, int preemptions, uint64_t key[2]) {
  int last = last_before(g, g->depth);
  key[0] += (uint64_t)(last + 2) * 0x9e3779b97f4a7c15u;
  key[1] += (uint64_t)(preemptions + 1) * 0xc4ceb9fe1a85ec53u;
}

/* The node of the present state; *is_new: it was not there. NONE: no memory, or it has no key. */
static uint32_t find_node (StateGraph *g, int preemptions, bool *is_new) {
  uint64_t key[2];
  uint32_t *slot;
  if (!grow_index(g)
      || !grow_list32(&g->nodes, &g->node_capacity, g->node_count + 1, sizeof *g->nodes))
    return NONE;
  g->stateless = !g->key(g->subject.ud, key);
  if (g->stateless) return NONE;
  if (g->options.preemptions >= 0) add_bound(g, preemptions, key);
  slot = index_find(g, key);
  *is_new = *slot == 0;
  if (*slot != 0) return *slot - 1;
  g->nodes[g->node_count] = (GraphNode){.key = {key[0], key[1]}, .outcome = -1};
  *slot = ++g->node_count;
  return g->node_count - 1;
}

/* Whether to go on with another thread than `last`, which could, is a preemption too many; its step is left. */
static void bound_steps (StateGraph *g, Level *l, int last) {
  for (int i = 0; i < l->count; i++)
    if ((int)(l->steps[i] >> 24) == last) {
      l->steps[0] = l->steps[i];
      g->bounded |= l->count > 1;
      l->count = 1;
    }
}

/* The steps that can be done in the present state: one silent one, or all. */
static void find_steps (StateGraph *g, Level *l) {
  int threads = g->subject.threads(g->subject.ud);
  Peek p;
  l->count = l->next = 0;
  for (int t = 0; t < threads; t++) {
    if (!g->subject.peek(g->subject.ud, t, &p) || !p.enabled) continue;
    if (p.silent) l->count = 0;
    l->steps[l->count++] = (uint32_t)t << 24 | p.footprint;
    if (p.silent) return;
  }
  if (g->options.preemptions >= 0 && l->preemptions >= g->options.preemptions)
    bound_steps(g, l, last_before(g, g->depth - 1));
}

/* Whether the next step of the level takes the turn from a thread that could go on. */
static bool is_preemption (const StateGraph *g, const Level *l) {
  int last = g->options.preemptions >= 0 ? last_before(g, g->depth - 1) : -1;
  if ((int)(l->steps[l->next] >> 24) == last) return false;
  for (int i = 0; i < l->count; i++)
    if ((int)(l->steps[i] >> 24) == last) return true;
  return false;
}

/* Opens the node of the present state. */
static bool open_level (StateGraph *g, uint32_t node, int preemptions) {
  Level *l;
  if (g->depth == g->level_capacity) {
    int capacity = g->level_capacity > 0 ? 2 * g->level_capacity : 64;
    Level *grown = realloc(g->levels, (size_t)capacity * sizeof *grown);
    if (grown == NULL) return false;
    g->levels = grown;
    g->level_capacity = capacity;
  }
  l = &g->levels[g->depth++];
  l->node = node;
  l->preemptions = preemptions;
  find_steps(g, l);
  if (footprint_is_short(g->subject.footprints)) return false;
  g->nodes[node].open = true;
  if (l->count == 0) {
    g->nodes[node].is_end = true;
    g->nodes[node].outcome = g->outcome(g->options.ud);
  }
  else if (g->depth > g->options.depth) {
    g->cut = g->nodes[node].cut = true;
    l->count = 0;
  }
  return true;
}

/* Writes the edges of the innermost level, which is done. */
static bool close_level (StateGraph *g) {
  Level *l = &g->levels[--g->depth];
  GraphNode *n = &g->nodes[l->node];
  if (!grow_list32(&g->edges, &g->edge_capacity, g->edge_count + (uint32_t)l->count,
                   sizeof *g->edges))
    return false;
  n->open = false;
  n->first = g->edge_count;
  n->edges = (uint8_t)l->count;
  for (int i = 0; i < l->count; i++)
    g->edges[g->edge_count++] = (GraphEdge){l->to[i], l->steps[i], l->deeds[i]};
  return true;
}

/* Lets the thread of the level's last step go; false: it is not in front of that any more, or the subject breaks. */
static bool move (StateGraph *g, const Level *l) {
  uint32_t step = l->steps[l->next - 1];
  Effects effects = {0};
  Peek p;
  g->strayed = !g->subject.peek(g->subject.ud, thread_of(l), &p) || !p.enabled
               || p.footprint != (step & 0xffffff);
  if (g->strayed || !g->subject.step(g->subject.ud, thread_of(l), &effects)) return false;
  g->at++;
  return true;
}

/* Brings the subject to the innermost level; false: it strays, or breaks. */
static bool go_back (StateGraph *g) {
  int depth = g->depth - 1;
  if (g->at == depth) return true;
  g->at = g->subject.rewind(g->subject.ud, depth);
  if (g->at < 0 || g->at > depth) return false;
  while (g->at < depth)
    if (!move(g, &g->levels[g->at])) return false;
  return true;
}

/* The next step of the innermost level. */
static bool go_on (StateGraph *g) {
  Level *l = &g->levels[g->depth - 1];
  int preemptions = l->preemptions + is_preemption(g, l);
  uint32_t node;
  bool is_new;
  if (!go_back(g)) return false;
  l->next++;
  if (!move(g, l)) return false;
  node = find_node(g, preemptions, &is_new);
  if (node == NONE) return false;
  l->to[l->next - 1] = node;
  l->deeds[l->next - 1] = g->options.deed != NULL ? g->options.deed(g->subject.ud) : 0;
  if (is_new) return open_level(g, node, preemptions);
  if (g->nodes[node].open) g->cyclic = true;
  if (g->options.merged != NULL) g->options.merged(g->options.ud);
  return true;
}

static GraphEnd failure (const StateGraph *g) {
  return g->strayed && !footprint_is_short(g->subject.footprints) ? GRAPH_STRAYED
         : g->stateless                                           ? GRAPH_STATELESS
                                                                  : GRAPH_BROKEN;
}

GraphEnd state_graph_run (StateGraph *g, long steps) {
  if (g->end != GRAPH_MORE) return g->end;
  if (!g->begun) {
    bool is_new;
    uint32_t node = g->subject.rewind(g->subject.ud, 0) == 0 ? find_node(g, 0, &is_new) : NONE;
    g->begun = true;
    if (node == NONE || !open_level(g, node, 0)) return g->end = failure(g);
  }
  while (g->depth > 0 && steps-- > 0) {
    Level *l = &g->levels[g->depth - 1];
    if (!(l->next < l->count ? go_on(g) : close_level(g))) return g->end = failure(g);
  }
  if (g->depth == 0) g->end = GRAPH_COMPLETE;
  return g->end;
}

/*
** Counting paths. Nodes are numbered as they were found, which is no order to count
** in; a walk after the edges gives one.
*/

/* The nodes, each behind all that it leads to; NULL: no memory. */
static uint32_t *sorted (const StateGraph *g) {
  uint32_t *order = malloc((g->node_count + 1) * sizeof *order), n = 0;
  uint32_t *stack = malloc((g->node_count + 1) * sizeof *stack), depth = 0;
  uint8_t *next = calloc(g->node_count + 1, 1);
  bool *seen = calloc(g->node_count + 1, 1);
  if (order != NULL && stack != NULL && next != NULL && seen != NULL) {
    stack[depth++] = 0;
    seen[0] = true;
    while (depth > 0) {
      uint32_t node = stack[depth - 1];
      const GraphNode *p = &g->nodes[node];
      if (next[node] == p->edges) {
        order[n++] = node;
        depth--;
        continue;
      }
      node = g->edges[p->first + next[node]++].to;
      if (!seen[node]) {
        seen[node] = true;
        stack[depth++] = node;
      }
    }
  }
  else {
    free(order);
    order = NULL;
  }
  free(stack);
  free(next);
  free(seen);
  return order;
}

typedef struct PathCount {
  Ways all, failing;
  double chance;
} PathCount;

static Ways add (Ways a, Ways b, bool *rounded) {
  Ways sum = a + b;
  *rounded |= sum < a;
  return sum < a ? ~(Ways)0 : sum;
}

static bool count_paths (const StateGraph *g, const uint32_t *order, GraphCounts *c) {
  PathCount *p = calloc(g->node_count, sizeof *p);
  if (p == NULL) return false;
  for (uint32_t i = 0; i < g->node_count; i++) {
    const GraphNode *n = &g->nodes[order[i]];
    PathCount *q = &p[order[i]];
    if (n->edges == 0) *q = (PathCount){1, n->outcome >= 0, n->outcome >= 0};
    for (uint32_t e = 0; e < n->edges; e++) {
      const PathCount *to = &p[g->edges[n->first + e].to];
      q->all = add(q->all, to->all, &c->rounded);
      q->failing = add(q->failing, to->failing, &c->rounded);
      q->chance += to->chance / n->edges;
    }
  }
  c->interleavings = p[0].all;
  c->failing_interleavings = p[0].failing;
  c->chance = p[0].chance;
  free(p);
  return true;
}

/*
** Executions: nodes with their sleep sets. The sleep set is a set of threads, since
** what a sleeping thread is about to do has not changed since it went to sleep.
*/

typedef struct Asleep {
  uint32_t node;
  uint8_t next; /* edges looked at */
  bool done;
  uint64_t sleep;
  Ways ways;
} Asleep;

typedef struct AsleepTable {
  Asleep *list;
  uint32_t count, capacity;
  uint32_t *index;
  uint32_t size;
} AsleepTable;

static uint32_t asleep_hash (uint32_t node, uint64_t sleep) {
  uint64_t h = (sleep * 0x9e3779b97f4a7c15u) ^ (node * 0xc4ceb9fe1a85ec53u);
  return (uint32_t)(h ^ (h >> 31));
}

static uint32_t *asleep_slot (AsleepTable *t, uint32_t node, uint64_t sleep) {
  uint32_t i = asleep_hash(node, sleep) & (t->size - 1);
  while (t->index[i] != 0
         && (t->list[t->index[i] - 1].node != node || t->list[t->index[i] - 1].sleep != sleep))
    i = (i + 1) & (t->size - 1);
  return &t->index[i];
}

/* The number of this pair; NONE: no memory. */
static uint32_t asleep_find (AsleepTable *t, uint32_t node, uint64_t sleep) {
  uint32_t *slot;
  if (!grow_list32(&t->list, &t->capacity, t->count + 1, sizeof *t->list)) return NONE;
  if (2 * (t->count + 1) > t->size) {
    free(t->index);
    t->size = t->size > 0 ? 2 * t->size : 1024;
    t->index = calloc(t->size, sizeof *t->index);
    if (t->index == NULL) return NONE;
    for (uint32_t i = 0; i < t->count; i++)
      *asleep_slot(t, t->list[i].node, t->list[i].sleep) = i + 1;
  }
  slot = asleep_slot(t, node, sleep);
  if (*slot != 0) return *slot - 1;
  t->list[t->count] = (Asleep){.node = node, .sleep = sleep};
  *slot = ++t->count;
  return t->count - 1;
}

/*
** What sleeps after edge number e of the node: what slept, or was tried before it, and
** does not depend on it. A thread that sleeps can go; if it has no edge here, the only
** edge is a silent step, on which nothing depends.
*/
static uint64_t sleep_after (const StateGraph *g, const GraphNode *n, uint32_t e, uint64_t sleep) {
  uint32_t step = g->edges[n->first + e].step;
  uint64_t after = sleep;
  for (uint32_t i = 0; i < n->edges; i++) {
    uint32_t other = g->edges[n->first + i].step;
    bool sleeps = (sleep >> (other >> 24) & 1) || i < e;
    after &= ~((uint64_t)1 << (other >> 24));
    if (sleeps
        && !footprint_dependent(g->subject.footprints, (int)(other >> 24), other & 0xffffff,
                                (int)(step >> 24), step & 0xffffff))
      after |= (uint64_t)1 << (other >> 24);
  }
  return after;
}

/* The paths that end in the outcome, or (ALL) anywhere; false: no memory, or too many sleep sets. */
static bool count_executions (const StateGraph *g, size_t most, int outcome, Ways *executions,
                              bool *rounded) {
  AsleepTable t = {0};
  uint32_t *stack = NULL, stack_capacity = 0, depth = 0;
  bool good =
      grow_list32(&stack, &stack_capacity, 1, sizeof *stack) && asleep_find(&t, 0, 0) != NONE;
  if (good) stack[depth++] = 0;
  while (good && depth > 0) {
    uint32_t at = stack[depth - 1];
    const GraphNode *n = &g->nodes[t.list[at].node];
    if (n->edges == 0) t.list[at].ways = outcome == ALL || n->outcome == outcome;
    if (t.list[at].next < n->edges) {
      uint32_t e = t.list[at].next, to;
      if (t.list[at].sleep >> (g->edges[n->first + e].step >> 24) & 1) {
        t.list[at].next++;
        continue;
      }
      to = asleep_find(&t, g->edges[n->first + e].to, sleep_after(g, n, e, t.list[at].sleep));
      good = to != NONE && t.count <= most
             && grow_list32(&stack, &stack_capacity, depth + 1, sizeof *stack);
      if (!good) break;
      if (!t.list[to].done) {
        stack[depth++] = to;
        continue;
      }
      t.list[at].next++;
      t.list[at].ways = add(t.list[at].ways, t.list[to].ways, rounded);
      continue;
    }
    t.list[at].done = true;
    depth--;
  }
  if (good) *executions = t.list[0].ways;
  free(stack);
  free(t.list);
  free(t.index);
  return good;
}

bool state_graph_count (StateGraph *g, size_t sleep_sets, GraphCounts *c) {
  uint32_t *order;
  bool good;
  *c = (GraphCounts){.states = g->node_count, .unbounded = g->cyclic};
  if (g->cyclic) return true;
  order = sorted(g);
  good = order != NULL && count_paths(g, order, c);
  free(order);
  if (good) c->uncounted = !count_executions(g, sleep_sets, ALL, &c->executions, &c->rounded);
  return good;
}

bool state_graph_count_outcome (StateGraph *g, int outcome, size_t sleep_sets, Ways *executions) {
  bool rounded = false;
  return count_executions(g, sleep_sets, outcome, executions, &rounded);
}

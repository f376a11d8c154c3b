/*
** livelock.c - see livelock.h.
**
** The states that can be come to from each other are found by Tarjan's walk. Where some thread
** can go in such a part, but not stay there, the states in which it can go are taken out,
** as a fair scheduler would leave the part from them; and what is left is looked at again.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/livelock.h"

#define NONE UINT32_MAX
#define TRIES 16 /* rounds that may be rejected */

typedef struct Search {
  const StateGraph *g;
  const Deeds *deeds;
  uint32_t count;
  bool only_looks; /* other steps are left out of rounds */
  /* By node: */
  uint32_t *part;        /* the states that belong together; NONE: it is in no round */
  uint32_t *next;        /* the new one, while parts are looked for */
  uint32_t *order;       /* when the walk came to it, from 1; 0: not yet */
  uint32_t *low;         /* the earliest that it leads back to; on a way: the node before */
  uint32_t *stack;       /* of the walk */
  uint8_t *edge;         /* the next one of the walk; on a way: the thread that led there */
  uint32_t *waiting;     /* nodes whose part is not known; on a way: those to go on from */
  bool *ends;            /* it leads to an end */
  uint64_t *moves, *can; /* by part: threads that do a step inside, that can do one at all */
  char *path;
  uint32_t capacity;
  int length;
  bool failed;
} Search;

static int thread_of (const GraphEdge *e) { return (int)(e->step >> 24); }
static uint64_t bit_of (const GraphEdge *e) { return (uint64_t)1 << thread_of(e); }

static bool is_look (const Search *s, const GraphEdge *e) {
  const WatchedStep *op = e->deed != DEED_NONE ? &deeds_at(s->deeds, e->deed)->op : NULL;
  return op != NULL && (op->tries || (op_info[op->kind].flags & OP_LOOKS) != 0);
}

/* Whether the step from that node stays in its part. */
static bool stays (const Search *s, uint32_t node, const GraphEdge *e) {
  return s->part[node] != NONE && s->part[e->to] == s->part[node]
         && (!s->only_looks || is_look(s, e));
}

static uint64_t all_that_can (const Search *s, uint32_t node) {
  int count;
  const GraphEdge *e = state_graph_edges(s->g, node, &count);
  uint64_t set = 0;
  for (int i = 0; i < count; i++) set |= bit_of(&e[i]);
  return set;
}

/*
** Which states lead to an end: those that do are met from the ends backwards, by going
** through all until nothing changes. Depth-first numbers make that a few turns.
*/
static void find_ends (Search *s) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (uint32_t node = s->count; node-- > 0;) {
      int count;
      const GraphEdge *e = state_graph_edges(s->g, node, &count);
      bool ends = count == 0;
      if (s->ends[node]) continue;
      for (int i = 0; i < count && !ends; i++) ends = s->ends[e[i].to];
      s->ends[node] = ends;
      changed = changed || ends;
    }
  }
}

/*
** Parts.
*/

/* All that waits above the node is one part with it. */
static void close_part (Search *s, uint32_t node, uint32_t *depth) {
  uint32_t member;
  do {
    member = s->waiting[--*depth];
    s->next[member] = node;
    s->order[member] = NONE; /* nothing leads back to it any more */
  } while (member != node);
}

static void walk_from (Search *s, uint32_t root, uint32_t *clock) {
  uint32_t depth = 0, open = 0;
  s->stack[depth++] = s->waiting[open++] = root;
  s->order[root] = s->low[root] = ++*clock;
  while (depth > 0) {
    uint32_t node = s->stack[depth - 1];
    int count;
    const GraphEdge *e = state_graph_edges(s->g, node, &count);
    if (s->edge[node] < count) {
      e += s->edge[node]++;
      if (!stays(s, node, e)) continue;
      if (s->order[e->to] == 0) {
        s->order[e->to] = s->low[e->to] = ++*clock;
        s->stack[depth++] = s->waiting[open++] = e->to;
      }
      else if (s->order[e->to] < s->low[node]) s->low[node] = s->order[e->to];
      continue;
    }
    if (s->low[node] == s->order[node]) close_part(s, node, &open);
    depth--;
    if (depth > 0 && s->low[node] < s->low[s->stack[depth - 1]])
      s->low[s->stack[depth - 1]] = s->low[node];
  }
}

/* Splits each part into those that can be gone round in. */
static void split (Search *s) {
  uint32_t clock = 0;
  memset(s->order, 0, s->count * sizeof *s->order);
  memset(s->edge, 0, s->count);
  for (uint32_t node = 0; node < s->count; node++) s->next[node] = NONE;
  for (uint32_t node = 0; node < s->count; node++)
    if (s->part[node] != NONE && s->order[node] == 0) walk_from(s, node, &clock);
  memcpy(s->part, s->next, s->count * sizeof *s->part);
}

static void look_who_moves (Search *s) {
  memset(s->moves, 0, s->count * sizeof *s->moves);
  memset(s->can, 0, s->count * sizeof *s->can);
  for (uint32_t node = 0; node < s->count; node++) {
    int count;
    const GraphEdge *e = state_graph_edges(s->g, node, &count);
    if (s->part[node] == NONE) continue;
    s->can[s->part[node]] |= all_that_can(s, node);
    for (int i = 0; i < count; i++)
      if (stays(s, node, &e[i])) s->moves[s->part[node]] |= bit_of(&e[i]);
  }
}

/* Takes out what a fair scheduler leaves; true: there was something. */
static bool take_out (Search *s) {
  bool changed = false;
  for (uint32_t node = 0; node < s->count; node++) {
    uint32_t part = s->part[node];
    if (part == NONE || (s->moves[part] != 0 && (s->can[part] & ~s->moves[part]) == 0)) continue;
    if (s->moves[part] != 0 && (all_that_can(s, node) & ~s->moves[part]) == 0) continue;
    s->part[node] = NONE;
    changed = true;
  }
  return changed;
}

/* In the end all parts have a fair round. A state without one in its part is in none. */
static void find_parts (Search *s) {
  do {
    split(s);
    look_who_moves(s);
  } while (take_out(s));
}

/*
** Ways.
*/

static void add_step (Search *s, int thread) {
  if (s->failed || !grow_list32(&s->path, &s->capacity, (uint32_t)s->length + 1, 1))
    s->failed = true;
  else s->path[s->length++] = (char)thread;
}

/* Adds the way to the node that has been met; its beginning has none before it. */
static void add_way (Search *s, uint32_t node, uint64_t *can) {
  int steps = 0, at = s->length;
  for (uint32_t n = node; s->low[n] != NONE; n = s->low[n]) steps++;
  for (int i = 0; i < steps; i++) add_step(s, 0);
  for (uint32_t n = node; s->low[n] != NONE && !s->failed; n = s->low[n]) {
    s->path[at + --steps] = (char)s->edge[n];
    *can |= all_that_can(s, n);
  }
}

typedef struct Goal {
  bool inside;      /* only steps that stay in their part */
  bool any_round;   /* a state that is in a round; else */
  uint64_t threads; /* behind a step of one of these; or none of them: */
  uint32_t node;
} Goal;

/* The node that is behind a step that the goal wants; NONE: there is no such step from here. */
static const GraphEdge *step_to (const Search *s, uint32_t node, const Goal *goal) {
  int count;
  const GraphEdge *e = state_graph_edges(s->g, node, &count);
  for (int i = 0; i < count; i++) {
    if (goal->inside && !stays(s, node, &e[i])) continue;
    if (goal->any_round      ? s->part[e[i].to] != NONE
        : goal->threads != 0 ? (bit_of(&e[i]) & goal->threads) != 0
                             : e[i].to == goal->node)
      return &e[i];
  }
  return NULL;
}

/* The shortest way from a node to the goal, one step at least; the node behind it. NONE: there is none. */
static uint32_t go (Search *s, uint32_t from, const Goal *goal, uint64_t *can) {
  uint32_t n = 0;
  memset(s->order, 0, s->count * sizeof *s->order);
  s->waiting[n++] = from;
  s->order[from] = 1;
  s->low[from] = NONE;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t node = s->waiting[i];
    const GraphEdge *last = step_to(s, node, goal), *e;
    int count;
    if (last != NULL) {
      add_way(s, node, can);
      add_step(s, thread_of(last));
      *can |= all_that_can(s, last->to);
      return last->to;
    }
    e = state_graph_edges(s->g, node, &count);
    for (int k = 0; k < count; k++) {
      if (s->order[e[k].to] != 0 || (goal->inside && !stays(s, node, &e[k]))) continue;
      s->order[e[k].to] = 1;
      s->low[e[k].to] = node;
      s->edge[e[k].to] = (uint8_t)thread_of(&e[k]);
      s->waiting[n++] = e[k].to;
    }
  }
  return NONE;
}

/* Writes the nearest round that is left, and the way there; false: there is none. */
static bool find_round (Search *s, uint32_t *start, Livelock *l) {
  uint64_t can = 0, moved = 0;
  uint32_t node = 0;
  s->length = 0;
  if (s->part[0] == NONE) node = go(s, 0, &(Goal){.any_round = true}, &can);
  if (node == NONE) return false;
  *start = node;
  l->first = s->length;
  l->doomed = !s->ends[node];
  can = all_that_can(s, node);
  do {
    int from = s->length;
    Goal goal = {.inside = true, .threads = can & ~moved, .node = *start};
    node = go(s, node, &goal, &can);
    if (node == NONE || s->failed) return false;
    for (; from < s->length; from++) moved |= (uint64_t)1 << s->path[from];
  } while (node != *start || (can & ~moved) != 0);
  l->path = s->path;
  l->length = s->length;
  return true;
}

static bool make (Search *s) {
  size_t n = (size_t)s->count + 1;
  s->part = malloc(n * sizeof *s->part);
  s->next = malloc(n * sizeof *s->next);
  s->order = malloc(n * sizeof *s->order);
  s->low = malloc(n * sizeof *s->low);
  s->stack = malloc(n * sizeof *s->stack);
  s->waiting = malloc(n * sizeof *s->waiting);
  s->edge = malloc(n);
  s->ends = calloc(n, sizeof *s->ends);
  s->moves = malloc(n * sizeof *s->moves);
  s->can = malloc(n * sizeof *s->can);
  return s->part != NULL && s->next != NULL && s->order != NULL && s->low != NULL
         && s->stack != NULL && s->waiting != NULL && s->edge != NULL && s->ends != NULL
         && s->moves != NULL && s->can != NULL;
}

static void done (Search *s) {
  free(s->part);
  free(s->next);
  free(s->order);
  free(s->low);
  free(s->stack);
  free(s->waiting);
  free(s->edge);
  free(s->ends);
  free(s->moves);
  free(s->can);
}

bool livelock_find (const StateGraph *g, const Deeds *deeds,
                    bool (*rejects)(void *ud, const Livelock *l), void *ud, Livelock *l) {
  Search s = {.g = g, .deeds = deeds, .count = (uint32_t)state_graph_states(g)};
  bool found = false;
  if (make(&s)) {
    memset(s.part, 0, s.count * sizeof *s.part);
    find_ends(&s);
    s.only_looks = !s.ends[0];
    find_parts(&s);
    for (int i = 0; i < TRIES && !found; i++) {
      uint32_t start;
      if (!find_round(&s, &start, l)) break;
      found = !rejects(ud, l);
      s.part[start] = NONE; /* rounds through it are not looked at again */
      if (!found) find_parts(&s);
    }
  }
  if (!found || s.failed) free(s.path);
  done(&s);
  return found && !s.failed;
}

/*
** graph_watch.c - see graph_watch.h.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/graph_watch.h"
#include "explore/names.h"
#include "observe/happens.h"

#define NONE UINT32_MAX
#define WORDS 4            /* of a set: the first for threads, the others for memories */
#define PAIRS_MOST 3000000 /* of state and set */
#define TARGETS_MOST 2000

typedef struct Set {
  uint64_t bits[WORDS];
} Set;

/* What a deed does with knowledge. */
typedef struct Flow {
  Set gives, takes; /* memories */
  int self;         /* the memory it takes from first; -1: none */
  bool takes_all;
} Flow;

/* A key, or which keys there are, of a table. */
typedef struct Target {
  uint32_t object, part;
} Target;

/* A state that can be come to while these know of an access. */
typedef struct Pair {
  Set known;
  uint32_t node, from; /* the pair before; NONE: `first` is the state before the access */
  uint32_t first;
  uint8_t thread;   /* of the step that has led here */
  uint8_t owner;    /* whose access it is */
  bool write;       /* a race: it was a write */
  bool overwritten; /* a lost update: another has written since, */
  bool knew;        /* and knew of the access; then `known` is of that write */
} Pair;

typedef struct GraphWatch {
  const StateGraph *g;
  const Deeds *deeds;
  Findings *findings;
  uint32_t node_count;
  uint32_t *parents; /* of each state, on the shortest way to it */
  uint8_t *parent_steps;
  Flow *flows; /* by deed */
  NameTable *memories;
  uint64_t threads; /* that do anything */
  Target *targets;
  uint32_t target_count, target_capacity;
  Pair *pairs;
  uint32_t pair_count, pair_capacity, walked;
  uint32_t *index, index_size;
  char *path;
  uint32_t path_capacity;
  bool failed, races;
} GraphWatch;

static void put (Set *s, int bit) { s->bits[bit / 64] |= (uint64_t)1 << bit % 64; }
static bool has (const Set *s, int bit) { return s->bits[bit / 64] >> bit % 64 & 1; }
static bool meet (const Set *a, const Set *b) {
  bool any = false;
  for (int i = 0; i < WORDS; i++) any = any || (a->bits[i] & b->bits[i]) != 0;
  return any;
}

/*
** What deeds do with knowledge: the same as watch.c has happens.c do with clocks.
*/

enum { WAY_THERE, WAY_BACK, OF_THE_ENDED };

/* The bit of an object's memory. */
static int memory_of (GraphWatch *w, uint32_t object, uint32_t part, uint32_t way) {
  uint32_t name[3] = {object, part, way}, n = name_number(w->memories, name, sizeof name);
  if (n < (WORDS - 1) * 64) return (int)n + 64;
  w->failed = true;
  return WORDS * 64 - 1;
}

static void add_object (GraphWatch *w, Flow *f, const WatchedStep *s, uint32_t given,
                        uint32_t taken, uint32_t part) {
  unsigned order = happens_order(false, s->kind, part);
  if (order & ORDER_GIVES) put(&f->gives, memory_of(w, given, part, WAY_THERE));
  if (order & ORDER_GIVES_BACK) put(&f->gives, memory_of(w, given, part, WAY_BACK));
  if (order & ORDER_TAKES) put(&f->takes, memory_of(w, taken, part, WAY_THERE));
  if (order & ORDER_TAKES_BACK) put(&f->takes, memory_of(w, taken, part, WAY_BACK));
  if (order & ORDER_ENDS) put(&f->takes, memory_of(w, 0, 0, OF_THE_ENDED));
  f->takes_all = f->takes_all || (order & ORDER_ALL);
}

static bool find_flows (GraphWatch *w) {
  uint32_t count = deeds_count(w->deeds);
  w->flows = calloc(count + 1, sizeof *w->flows);
  w->memories = name_table();
  if (w->flows == NULL || w->memories == NULL) return false;
  for (uint32_t i = 0; i < count; i++) {
    const WatchedStep *s = &deeds_at(w->deeds, i)->op;
    Flow *f = &w->flows[i];
    f->self = memory_of(w, s->self, 0, WAY_BACK);
    for (int k = 0; k < s->among_count; k++) add_object(w, f, s, s->among[k], s->among[k], 0);
    if (s->among_count == 0)
      add_object(w, f, s, s->kind == OP_WAIT && s->second != 0 ? s->second : s->object, s->object,
                 s->part);
    if (s->kind == OP_END) put(&f->gives, memory_of(w, 0, 0, OF_THE_ENDED));
    w->threads |= (uint64_t)1 << s->thread;
  }
  return true;
}

/* What the step's thread gives, up to its access. */
static void flow_before (const Flow *f, int thread, Set *known) {
  if (has(known, f->self)) put(known, thread);
  if (!has(known, thread)) return;
  for (int i = 0; i < WORDS; i++) known->bits[i] |= f->gives.bits[i];
}

/* What it takes after it, and those it wakes. */
static void flow_after (const Flow *f, uint64_t woken, int thread, Set *known) {
  if (f->takes_all || meet(known, &f->takes)) put(known, thread);
  if (has(known, thread)) known->bits[0] |= woken;
}

/*
** Accesses.
*/

static bool is_data (const WatchedStep *s) {
  return (op_info[s->kind].order & ORDER_DATA)
         && (s->part != 0 || s->kind == OP_TRAVERSE || s->kind == OP_SNAPSHOT);
}

/* Whether a step reads or writes the target without synchronisation. */
static bool is_access (const WatchedStep *s, Target t, bool *write) {
  if (!is_data(s) || s->object != t.object) return false;
  *write = s->kind == OP_WRITE;
  return s->part == t.part || (t.part == PART_KEYS && *write && s->keys);
}

static bool do_clash (Target t, bool a, bool b) {
  return (a || b) && !(a && b && t.part == PART_KEYS);
}

static void add_target (GraphWatch *w, uint32_t object, uint32_t part) {
  for (uint32_t i = 0; i < w->target_count; i++)
    if (w->targets[i].object == object && w->targets[i].part == part) return;
  if (w->target_count == TARGETS_MOST
      || !grow_list32(&w->targets, &w->target_capacity, w->target_count + 1, sizeof *w->targets)) {
    w->failed = true;
    return;
  }
  w->targets[w->target_count++] = (Target){object, part};
}

static void find_targets (GraphWatch *w) {
  for (uint32_t i = 0; i < deeds_count(w->deeds); i++) {
    const WatchedStep *s = &deeds_at(w->deeds, i)->op;
    if (!is_data(s)) continue;
    add_target(w, s->object, s->part);
    if (s->keys) add_target(w, s->object, PART_KEYS);
  }
}

/*
** Paths.
*/

/* The shortest way to each state. */
static bool find_parents (GraphWatch *w) {
  uint32_t *queue = malloc((w->node_count + 1) * sizeof *queue), n = 0;
  w->parents = malloc((w->node_count + 1) * sizeof *w->parents);
  w->parent_steps = malloc(w->node_count + 1);
  if (queue == NULL || w->parents == NULL || w->parent_steps == NULL) {
    free(queue);
    return false;
  }
  for (uint32_t i = 0; i < w->node_count; i++) w->parents[i] = NONE;
  queue[n++] = 0;
  for (uint32_t i = 0; i < n; i++) {
    int count;
    const GraphEdge *e = state_graph_edges(w->g, queue[i], &count);
    for (int k = 0; k < count; k++) {
      if (e[k].to == 0 || w->parents[e[k].to] != NONE) continue;
      w->parents[e[k].to] = queue[i];
      w->parent_steps[e[k].to] = (uint8_t)(e[k].step >> 24);
      queue[n++] = e[k].to;
    }
  }
  free(queue);
  return true;
}

/* Turns the last steps of the path round: they were written from the end. */
static void turn (char *path, int from, int to) {
  for (to--; from < to; from++, to--) {
    char c = path[from];
    path[from] = path[to];
    path[to] = c;
  }
}

static void add_step (GraphWatch *w, int *length, int thread) {
  if (!grow_list32(&w->path, &w->path_capacity, (uint32_t)*length + 1, 1)) {
    w->failed = true;
    return;
  }
  w->path[(*length)++] = (char)thread;
}

/* Writes the way to a state; its length. */
static int path_to (GraphWatch *w, uint32_t node) {
  int length = 0;
  for (; node != 0 && w->parents[node] != NONE; node = w->parents[node])
    add_step(w, &length, w->parent_steps[node]);
  turn(w->path, 0, length);
  return length;
}

static void note (GraphWatch *w, FoundKind kind, Target t, const int steps[3], int length) {
  Found f = {kind, t.object, t.part, {steps[0], steps[1], steps[2]}, length};
  findings_add(w->findings, &f, w->path, length);
}

/*
** Side by side.
*/

static void look_side_by_side (GraphWatch *w, uint32_t node, Target t) {
  int count;
  const GraphEdge *e = state_graph_edges(w->g, node, &count);
  bool a, b;
  for (int i = 0; i < count; i++) {
    if (e[i].deed == DEED_NONE || !is_access(&deeds_at(w->deeds, e[i].deed)->op, t, &a)) continue;
    for (int k = i + 1; k < count; k++) {
      int steps[3] = {0, 0, -1}, length;
      if (e[k].deed == DEED_NONE || !is_access(&deeds_at(w->deeds, e[k].deed)->op, t, &b)
          || !do_clash(t, a, b))
        continue;
      w->races = true;
      if (findings_have(w->findings, FOUND_RACE, t.object, t.part)) continue;
      length = path_to(w, node);
      steps[0] = length;
      steps[1] = length + 1;
      add_step(w, &length, (int)(e[i].step >> 24));
      add_step(w, &length, (int)(e[k].step >> 24));
      note(w, FOUND_RACE, t, steps, length);
    }
  }
}

/*
** The walk.
*/

static uint64_t hash_of (const Pair *p) {
  uint64_t h = p->node * 0x9e3779b97f4a7c15u + p->owner + p->write * 64u + p->overwritten * 128u
               + p->knew * 256u;
  for (int i = 0; i < WORDS; i++) h = (h ^ p->known.bits[i] ^ (h >> 31)) * 0xff51afd7ed558ccdu;
  return h ^ (h >> 32);
}

static bool same (const Pair *a, const Pair *b) {
  return a->node == b->node && a->owner == b->owner && a->write == b->write
         && a->overwritten == b->overwritten && a->knew == b->knew
         && memcmp(&a->known, &b->known, sizeof a->known) == 0;
}

static uint32_t *slot_of (GraphWatch *w, const Pair *p) {
  uint32_t i = (uint32_t)hash_of(p) & (w->index_size - 1);
  while (w->index[i] != 0 && !same(&w->pairs[w->index[i] - 1], p))
    i = (i + 1) & (w->index_size - 1);
  return &w->index[i];
}

static bool grow_index (GraphWatch *w) {
  uint32_t size = w->index_size > 0 ? 2 * w->index_size : 1024;
  if (2 * (w->pair_count + 1) <= w->index_size) return true;
  free(w->index);
  w->index = calloc(size, sizeof *w->index);
  w->index_size = w->index != NULL ? size : 0;
  if (w->index == NULL) return false;
  for (uint32_t i = 0; i < w->pair_count; i++) *slot_of(w, &w->pairs[i]) = i + 1;
  return true;
}

/* Comes to a pair, unless all know. */
static void come_to (GraphWatch *w, const Pair *p) {
  uint32_t *slot;
  if (!p->overwritten && (w->threads & ~p->known.bits[0]) == 0) return;
  if (w->walked == PAIRS_MOST || !grow_index(w)
      || !grow_list32(&w->pairs, &w->pair_capacity, w->pair_count + 1, sizeof *w->pairs)) {
    w->failed = true;
    return;
  }
  slot = slot_of(w, p);
  if (*slot != 0) return;
  w->pairs[w->pair_count] = *p;
  *slot = ++w->pair_count;
  w->walked++;
}

/* Writes the way to the end of the step of `thread` behind the pair, and notes what it shows. */
static void note_walk (GraphWatch *w, FoundKind kind, Target t, uint32_t pair, int thread) {
  int steps[3] = {0, -1, -1}, length, at;
  uint32_t first = pair, between = NONE;
  for (; w->pairs[first].from != NONE; first = w->pairs[first].from)
    if (w->pairs[first].overwritten) between = first;
  at = length = path_to(w, w->pairs[first].first);
  steps[0] = at;
  for (uint32_t i = pair; i != NONE; i = w->pairs[i].from) {
    if (i == between) steps[1] = length; /* counted from the end so far */
    add_step(w, &length, w->pairs[i].thread);
  }
  if (between != NONE) steps[1] = at + length - 1 - steps[1];
  turn(w->path, at, length);
  steps[between != NONE ? 2 : 1] = length;
  add_step(w, &length, thread);
  note(w, kind, t, steps, length);
}

/* One step behind an access, which has come after it: *stop: what comes later says no more. True: found. */
static bool meets_race (Target t, const WatchedStep *s, Pair *p, bool *stop) {
  bool write;
  if (!is_access(s, t, &write)) return false;
  if (!has(&p->known, s->thread)) return do_clash(t, p->write, write);
  *stop = (write && t.part != PART_KEYS) || !p->write; /* this one is at least as little known of */
  return false;
}

static bool meets_lost_update (Target t, const WatchedStep *s, Pair *p, bool *stop) {
  if (s->part == 0 || s->object != t.object || s->part != t.part) return false;
  if (s->thread == p->owner) {
    *stop = true;
    return p->overwritten && s->kind == OP_WRITE && !s->removes
           && !(p->knew && has(&p->known, s->thread));
  }
  if (p->overwritten || (op_info[s->kind].flags & OP_READS)) return false;
  p->overwritten = true;
  p->knew = has(&p->known, s->thread);
  p->known = (Set){{(uint64_t)1 << s->thread}};
  return false;
}

/* The steps that can come after a pair; true: one shows what is looked for. */
static bool go_on (GraphWatch *w, FoundKind kind, Target t, uint32_t pair) {
  int count;
  const GraphEdge *e = state_graph_edges(w->g, w->pairs[pair].node, &count);
  for (int i = 0; i < count; i++) {
    Pair p = w->pairs[pair];
    const Deed *d = e[i].deed != DEED_NONE ? deeds_at(w->deeds, e[i].deed) : NULL;
    bool stop = false, found;
    p.node = e[i].to;
    p.from = pair;
    p.thread = (uint8_t)(e[i].step >> 24);
    if (d != NULL) {
      flow_before(&w->flows[e[i].deed], p.thread, &p.known);
      found = kind == FOUND_RACE ? meets_race(t, &d->op, &p, &stop)
                                 : meets_lost_update(t, &d->op, &p, &stop);
      if (found) {
        note_walk(w, kind, t, pair, p.thread);
        return true;
      }
      if (stop) continue;
      flow_after(&w->flows[e[i].deed], d->woken, p.thread, &p.known);
    }
    come_to(w, &p);
  }
  return false;
}

static bool begins (FoundKind kind, Target t, const WatchedStep *s, bool *write) {
  if (kind == FOUND_RACE) return is_access(s, t, write);
  *write = false;
  return s->kind == OP_READ && s->object == t.object && s->part == t.part;
}

static void walk (GraphWatch *w, FoundKind kind, Target t) {
  w->pair_count = 0;
  if (w->index != NULL) memset(w->index, 0, w->index_size * sizeof *w->index);
  for (uint32_t node = 0; node < w->node_count; node++) {
    int count;
    const GraphEdge *e = state_graph_edges(w->g, node, &count);
    for (int i = 0; i < count; i++) {
      Pair p = {.node = e[i].to, .from = NONE, .first = node};
      if (e[i].deed == DEED_NONE || !begins(kind, t, &deeds_at(w->deeds, e[i].deed)->op, &p.write))
        continue;
      p.thread = p.owner = (uint8_t)(e[i].step >> 24);
      put(&p.known, p.thread);
      come_to(w, &p);
    }
  }
  for (uint32_t i = 0; i < w->pair_count && !w->failed; i++)
    if (go_on(w, kind, t, i)) return;
}

/* Whether several threads have to do with the target, and one of them writes. */
static bool is_shared (const GraphWatch *w, Target t) {
  uint64_t threads = 0;
  bool writes = false;
  for (uint32_t i = 0; i < deeds_count(w->deeds); i++) {
    const WatchedStep *s = &deeds_at(w->deeds, i)->op;
    if (s->object != t.object || (s->part != t.part && t.part != PART_KEYS)) continue;
    threads |= (uint64_t)1 << s->thread;
    writes = writes || !(op_info[s->kind].flags & OP_READS);
  }
  return writes && (threads & (threads - 1)) != 0;
}

static void look_for (GraphWatch *w, FoundKind kind, Target t) {
  if (kind == FOUND_LOST_UPDATE && t.part == PART_KEYS) return;
  if (!findings_have(w->findings, kind, t.object, t.part)) walk(w, kind, t);
}

bool graph_watch (const StateGraph *g, const Deeds *deeds, Findings *findings) {
  bool good;
  GraphWatch w = {
      .g = g, .deeds = deeds, .findings = findings, .node_count = (uint32_t)state_graph_states(g)};
  good = find_flows(&w) && find_parents(&w);
  if (good) {
    find_targets(&w);
    for (uint32_t i = 0; i < w.target_count; i++) {
      if (!is_shared(&w, w.targets[i])) continue;
      for (uint32_t n = 0; n < w.node_count; n++) look_side_by_side(&w, n, w.targets[i]);
    }
    for (uint32_t i = 0; i < w.target_count && !w.failed; i++) {
      if (!is_shared(&w, w.targets[i])) continue;
      if (w.races) look_for(&w, FOUND_RACE, w.targets[i]);
      look_for(&w, FOUND_LOST_UPDATE, w.targets[i]);
    }
  }
  name_table_free(w.memories);
  free(w.flows);
  free(w.parents);
  free(w.parent_steps);
  free(w.targets);
  free(w.pairs);
  free(w.index);
  free(w.path);
  return good;
}

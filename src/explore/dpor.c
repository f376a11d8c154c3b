/*
** dpor.c - the search (see dpor.h).
**
** A node stands in front of each event of the current execution. Its sleep set has
** the operations that need not be tried there any more: those that were tried, and
** those tried further up that nothing since depends on. Its tree has what is to be
** tried. When an execution has come to its end each of its races is reversed: the
** sequence that does so is put into the tree of the node in front of the race's first
** event, unless an operation in the sleep set there could begin it.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/dpor.h"
#include "explore/wakeup_tree.h"

#define ASKED 256

typedef struct Node {
  uint32_t *sleep; /* thread << 24 | footprint */
  int sleeping, capacity;
  WakeupTree tree;
  uint64_t waiting; /* plain search: threads still to be tried */
} Node;

struct Dpor {
  Subject subject;
  DporOptions options;
  History *history;
  WakeupTrees *trees;
  Node *nodes; /* one for each event, and one for what comes next */
  int node_capacity;
  int depth; /* of the subject */
  int target;
  int last; /* the thread that has moved last */
  uint32_t *sequence;
  uint32_t sequence_capacity;
  bool begun, cut, bounded, failed, strayed, stopped;
  unsigned asked; /* whether it is to stop */
  int reversals;  /* at this leaf, where it was cut */
  bool left;      /* the races of the leaf have been reversed */
  bool asleep;    /* the leaf is one only because all that can go sleeps */
  long blocked;
  uint32_t *races;    /* for each event up to `raced`, one after the other, with what it races */
  uint32_t *raced_to; /* beside the events: where their races end in the list */
  uint32_t race_count, race_capacity, raced, raced_capacity;
  /* while races are looked for */
  int race_of;
  Pending pending;
};

Dpor *dpor_new (const Subject *subject, const DporOptions *options) {
  Dpor *d = calloc(1, sizeof *d);
  if (d == NULL) return NULL;
  d->subject = *subject;
  d->options = *options;
  d->last = -1;
  d->history = history_new(subject->footprints);
  d->trees = wakeup_trees_new();
  if (d->history != NULL && d->trees != NULL) return d;
  dpor_free(d);
  return NULL;
}

void dpor_free (Dpor *d) {
  if (d == NULL) return;
  for (int i = 0; i < d->node_capacity; i++) free(d->nodes[i].sleep);
  free(d->nodes);
  wakeup_trees_free(d->trees);
  free(d->sequence);
  free(d->races);
  free(d->raced_to);
  history_free(d->history);
  free(d);
}

History *dpor_history (Dpor *d) { return d->history; }
int dpor_depth (const Dpor *d) { return d->depth; }
bool dpor_was_cut (const Dpor *d) { return d->cut; }
long dpor_blocked (const Dpor *d) { return d->blocked; }
bool dpor_is_bounded (const Dpor *d) { return d->bounded; }

/* Node number n, made where it is new; NULL: no memory. */
static Node *node_at (Dpor *d, int n) {
  if (n >= d->node_capacity) {
    int capacity = d->node_capacity > 0 ? 2 * d->node_capacity : 64;
    Node *grown;
    while (capacity <= n) capacity *= 2;
    grown = realloc(d->nodes, (size_t)capacity * sizeof *grown);
    if (grown == NULL) return NULL;
    memset(grown + d->node_capacity, 0, (size_t)(capacity - d->node_capacity) * sizeof *grown);
    d->nodes = grown;
    d->node_capacity = capacity;
  }
  return &d->nodes[n];
}

static bool put_to_sleep (Node *n, uint32_t step) {
  if (n->sleeping == n->capacity) {
    int capacity = n->capacity > 0 ? 2 * n->capacity : 8;
    uint32_t *grown = realloc(n->sleep, (size_t)capacity * sizeof *grown);
    if (grown == NULL) return false;
    n->sleep = grown;
    n->capacity = capacity;
  }
  n->sleep[n->sleeping++] = step;
  return true;
}

static bool is_asleep (const Node *n, int thread) {
  for (int i = 0; i < n->sleeping; i++)
    if (step_thread(n->sleep[i]) == thread) return true;
  return false;
}

/*
** Moving the subject.
*/

/* Lets a thread do its pending operation, and adds it to the history. */
static bool move (Dpor *d, int thread, const Peek *p) {
  Ready ready[ACCESSES_MOST];
  Effects effects = {0};
  Event e = {
      .thread = (uint16_t)thread, .late = p->late, .silent = p->silent, .footprint = p->footprint};
  d->subject.ready(d->subject.ud, thread, ready);
  if (!d->subject.step(d->subject.ud, thread, &effects) || !history_push(d->history, &e, ready))
    return false;
  for (int i = 0; i < effects.count; i++)
    if (!history_edge(d->history, effects.threads[i])) return false;
  d->depth++;
  d->last = thread;
  return true;
}

/* Events from that one on are gone. */
static void forget_races (Dpor *d, uint32_t length) {
  if (d->raced <= length) return;
  d->raced = length;
  d->race_count = length > 0 ? d->raced_to[length - 1] : 0;
}

/*
** Brings the subject back to `depth`, running again what the nearest point it can go
** back to lacks.
*/
static bool go_back (Dpor *d, int depth) {
  int at = d->subject.rewind(d->subject.ud, depth);
  if (at < 0 || at > depth) return false;
  for (; at < depth; at++) {
    const Event *e = history_event(d->history, at);
    Effects effects = {0};
    Peek p;
    if (!d->subject.peek(d->subject.ud, e->thread, &p) || !p.enabled
        || p.footprint != e->footprint) {
      d->strayed = true;
      d->depth = at;
      return false;
    }
    if (!d->subject.step(d->subject.ud, e->thread, &effects)) return false;
  }
  history_truncate(d->history, depth);
  forget_races(d, (uint32_t)depth);
  d->depth = depth;
  d->last = depth > 0 ? history_event(d->history, depth - 1)->thread : -1;
  return true;
}

/*
** Going down.
*/

/* The first thread that can do something silent now; -1: none. */
static int find_silent (Dpor *d, int threads, Peek *p) {
  for (int t = 0; t < threads; t++)
    if (d->subject.peek(d->subject.ud, t, p) && p->enabled && p->silent) return t;
  return -1;
}

/*
** The thread that goes on where nothing tells: the one that moved last, else the
** lowest. -1: none can; *blocked: but some sleep. Before the end of the program all silent
** steps are done, as in plain search: it is a race with what comes behind them.
*/
static int choose (Dpor *d, const Node *n, Peek *p, bool *blocked) {
  int threads = d->subject.threads(d->subject.ud), found = -1;
  *blocked = false;
  for (int i = -1; i < threads && found < 0; i++) {
    int t = i < 0 ? d->last : i;
    if (t < 0 || !d->subject.peek(d->subject.ud, t, p) || !p->enabled) continue;
    if (is_asleep(n, t)) *blocked = true;
    else found = t;
  }
  if (found >= 0 && footprint_is_exit(d->subject.footprints, p->footprint)) {
    int first = find_silent(d, threads, p);
    if (first >= 0) return first;
    d->subject.peek(d->subject.ud, found, p);
  }
  return found;
}

/*
** The threads that could go, in plain search: a silent step changes places with all
** others and is done at once.
*/
static uint64_t all_enabled (Dpor *d) {
  int threads = d->subject.threads(d->subject.ud);
  uint64_t set = 0;
  Peek p;
  for (int t = 0; t < threads; t++) {
    if (!d->subject.peek(d->subject.ud, t, &p) || !p.enabled) continue;
    if (p.silent) return (uint64_t)1 << t;
    set |= (uint64_t)1 << t;
  }
  return set;
}

/* What sleeps in front of the next event: what slept here and does not depend on this step. */
static bool pass_sleep (Dpor *d, int depth, uint32_t step) {
  Node *next = node_at(d, depth + 1), *n = &d->nodes[depth];
  if (next == NULL) return false;
  next->sleeping = 0;
  for (int i = 0; i < n->sleeping; i++)
    if (!footprint_dependent(d->subject.footprints, step_thread(n->sleep[i]),
                             step_footprint(n->sleep[i]), step_thread(step), step_footprint(step))
        && !put_to_sleep(next, n->sleep[i]))
      return false;
  return true;
}

/* Plain search: the next thread of those not yet tried here; -1: none. */
static int take_waiting (Dpor *d, Node *n, Peek *p) {
  int thread;
  if (n->waiting == 0) n->waiting = all_enabled(d);
  if (n->waiting == 0) return -1;
  thread = d->last >= 0 && (n->waiting >> d->last & 1) ? d->last : __builtin_ctzll(n->waiting);
  n->waiting &= ~((uint64_t)1 << thread);
  d->nodes[d->depth + 1].waiting = 0;
  d->subject.peek(d->subject.ud, thread, p);
  return thread;
}

static bool is_tick (const Dpor *d, uint32_t step) {
  return footprint_at(d->subject.footprints, step_footprint(step))->grips == GRIPS_TICK;
}

/*
** The next thread by the tree, else by choice; -1: none. Where an early tick was planned and
** there is no deadline, all that can follow comes another way. Sequences that were cut to
** their first step may ask for what cannot be done here: they are dropped, what they
** were for comes another way.
*/
static int take_planned (Dpor *d, Node *n, Peek *p) {
  WakeupTree *rest = &d->nodes[d->depth + 1].tree;
  bool in_vain = false;
  int thread;
  while (!wakeup_tree_is_empty(&n->tree)) {
    uint32_t step = wakeup_tree_first(d->trees, &n->tree);
    thread = step_thread(step);
    wakeup_tree_take(d->trees, &n->tree, rest);
    if (d->subject.peek(d->subject.ud, thread, p) && p->enabled) return thread;
    wakeup_tree_clear(d->trees, rest);
    if (is_tick(d, step)) in_vain = true;
    else d->bounded = true;
  }
  d->asleep = in_vain;
  if (in_vain) return -1;
  thread = choose(d, n, p, &d->asleep);
  if (thread >= 0) d->asleep = false;
  return thread;
}

/* One step down. False: a leaf, or something is wrong (d->failed). */
static bool go_down (Dpor *d) {
  Node *n;
  int thread;
  Peek p;
  if (node_at(d, d->depth + 1) == NULL) return !(d->failed = true);
  n = &d->nodes[d->depth];
  d->cut = d->depth >= d->options.depth;
  if (d->cut) return false;
  thread = d->options.reduce ? take_planned(d, n, &p) : take_waiting(d, n, &p);
  if (thread < 0) return false;
  if (d->options.reduce && !pass_sleep(d, d->depth, (uint32_t)thread << 24 | p.footprint))
    return !(d->failed = true);
  return move(d, thread, &p) || !(d->failed = true);
}

/*
** Races.
*/

/* Asked as often as this is, looks now and then. */
static bool is_stopped (Dpor *d) {
  if (d->options.stop != NULL && ++d->asked % ASKED == 0)
    d->stopped |= d->options.stop(d->options.ud);
  return d->stopped;
}

/* Of an execution that was cut so many races are reversed at most: no search would be whole. */
#define CUT_REVERSALS 200

static void reverse (void *ud, int e) {
  Dpor *d = ud;
  Reversal r = {d->history, e, d->race_of, &d->pending};
  Node *n = &d->nodes[e];
  int length;
  if (is_stopped(d) || (d->cut && d->reversals++ >= CUT_REVERSALS)) return;
  for (int i = 0; i < n->sleeping; i++)
    if (history_is_initial(&r, step_thread(n->sleep[i]), step_footprint(n->sleep[i]))) return;
  length = history_sequence(&r, d->sequence);
  if (d->options.tree_bytes > 0 && wakeup_trees_size(d->trees) > d->options.tree_bytes) {
    d->bounded = true;
    length = 1;
  }
  if (wakeup_tree_insert(d->trees, &n->tree, d->subject.footprints, d->sequence, length)
      == TREE_NO_MEMORY)
    d->failed = true;
}

static void add_race (void *ud, int e) {
  Dpor *d = ud;
  if (grow_list32(&d->races, &d->race_capacity, d->race_count + 1, sizeof *d->races))
    d->races[d->race_count++] = (uint32_t)e;
  else d->failed = true;
}

/* What an event races with is known from what stands before it: it is looked for once. */
static void find_races (Dpor *d) {
  uint32_t length = (uint32_t)history_length(d->history);
  if (!grow_list32(&d->raced_to, &d->raced_capacity, length, sizeof *d->raced_to)) {
    d->failed = true;
    return;
  }
  for (; d->raced < length && !d->failed && !is_stopped(d); d->raced++) {
    history_races(d->history, (int)d->raced, NULL, add_race, d);
    d->raced_to[d->raced] = d->race_count;
  }
}

/* Those of what has not been done. */
static void reverse_pending (Dpor *d) {
  int threads = d->subject.threads(d->subject.ud);
  d->race_of = history_length(d->history);
  for (int t = 0; t < threads; t++) {
    Ready ready[ACCESSES_MOST];
    Peek p;
    if (!d->subject.peek(d->subject.ud, t, &p) || d->stopped) continue;
    d->pending = subject_pending(&d->subject, t, &p, ready);
    history_races(d->history, d->race_of, &d->pending, reverse, d);
  }
}

/* Reverses all races of the execution that has come to its end. */
static void reverse_all (Dpor *d) {
  uint32_t race = 0;
  int length = history_length(d->history);
  if ((uint32_t)length + 1 > d->sequence_capacity) {
    uint32_t *grown = realloc(d->sequence, (size_t)(2 * length + 16) * sizeof *grown);
    if (grown == NULL) {
      d->failed = true;
      return;
    }
    d->sequence = grown;
    d->sequence_capacity = (uint32_t)(2 * length + 16);
  }
  find_races(d);
  d->reversals = 0;
  if (d->cut) reverse_pending(d);
  for (d->race_of = 0; d->race_of < length && !d->failed && !is_stopped(d); d->race_of++)
    while (race < d->raced_to[d->race_of]) reverse(d, (int)d->races[race++]);
  if (!d->cut) reverse_pending(d);
}

/*
** Going up.
*/

/*
** The deepest node that has something left to try, the event behind it put to sleep
** there; -1: none.
*/
static int next_node (Dpor *d) {
  for (int depth = history_length(d->history) - 1; depth >= 0; depth--) {
    Node *n = &d->nodes[depth];
    const Event *e = history_event(d->history, depth);
    if (!d->options.reduce) {
      if (n->waiting != 0) return depth;
      continue;
    }
    if (!put_to_sleep(n, (uint32_t)e->thread << 24 | e->footprint)) d->failed = true;
    if (!wakeup_tree_is_empty(&n->tree) || d->failed) return depth;
  }
  return -1;
}

void dpor_leave (Dpor *d) {
  if (!d->begun || d->left || !d->options.reduce) return;
  reverse_all(d);
  wakeup_tree_clear(d->trees, &d->nodes[d->depth].tree);
  d->left = true;
}

static bool is_short (const Dpor *d) { return footprint_is_short(d->subject.footprints); }

DporEnd dpor_next (Dpor *d) {
  do {
    if (d->begun) {
      int depth;
      dpor_leave(d);
      depth = next_node(d);
      if (d->stopped) return DPOR_STOPPED;
      if (depth < 0 && !d->failed) return DPOR_COMPLETE;
      if (d->failed || !go_back(d, depth))
        return d->strayed && !is_short(d) ? DPOR_STRAYED : DPOR_BROKEN;
    }
    d->begun = true;
    d->left = false;
    d->asleep = false;
    while (go_down(d)) {}
    if (d->failed || is_short(d)) return DPOR_BROKEN;
    if (d->asleep) d->blocked++;
  } while (d->asleep && !is_stopped(d));
  if (d->asleep) return DPOR_STOPPED;
  return DPOR_LEAF;
}

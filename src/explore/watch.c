/*
** watch.c - see watch.h.
**
** Races are found by the clocks of observe/happens.c, step by step. What rests on what
** must come before what, locks left aside, is looked for at the end of an execution, and
** only where its steps could add up to it.
*/
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "explore/watch.h"
#include "observe/happens.h"

#define THREADS 64
#define NONE UINT32_MAX

typedef struct Step {
  WatchedStep op;
  uint64_t woken;
  size_t mark;       /* of the clocks in front of it */
  uint32_t previous; /* the access to the same key before; NONE */
  uint32_t key_slot; /* of that key, or NONE */
  uint32_t among;    /* where they stand in the pool */
  uint32_t clock;    /* what its thread knew, in the pool; of an access to a key */
  uint32_t must;     /* the same of what must be so; while the end is looked at */
  bool is_clock;
} Step;

/* The last access to a key. */
typedef struct Key {
  uint32_t object, part, last;
} Key;

struct Watch {
  Happens *happens, *must;
  Step *steps;
  int count;
  uint32_t capacity;
  Key *keys;
  uint32_t key_count, key_capacity;
  uint32_t *index, index_size; /* number + 1, or 0 */
  uint32_t *pool, pool_count, pool_capacity;
  Found *found;
  int found_count;
  uint32_t found_capacity;
  int waits, notifies, looks; /* steps of the execution that the end is looked at for */
  bool failed;
};

static void clash (void *ud, const Clash *c);

Watch *watch_new (void) {
  Watch *w = calloc(1, sizeof *w);
  if (w == NULL) return NULL;
  w->happens = happens_new(THREADS, true, false, clash, w);
  w->must = happens_new(THREADS, false, true, clash, w);
  if (w->happens != NULL && w->must != NULL) return w;
  watch_free(w);
  return NULL;
}

void watch_free (Watch *w) {
  if (w == NULL) return;
  happens_free(w->happens);
  happens_free(w->must);
  free(w->steps);
  free(w->keys);
  free(w->index);
  free(w->pool);
  free(w->found);
  free(w);
}

/*
** Keys.
*/

static uint32_t *slot_of (Watch *w, uint32_t object, uint32_t part) {
  uint64_t x = ((uint64_t)object << 32 | part) * 0x9e3779b97f4a7c15u;
  uint32_t i = (uint32_t)(x >> 32) & (w->index_size - 1);
  for (; w->index[i] != 0; i = (i + 1) & (w->index_size - 1)) {
    const Key *k = &w->keys[w->index[i] - 1];
    if (k->object == object && k->part == part) break;
  }
  return &w->index[i];
}

static bool grow_index (Watch *w) {
  uint32_t size = w->index_size > 0 ? 2 * w->index_size : 64;
  uint32_t *index;
  if (2 * (w->key_count + 1) <= w->index_size) return true;
  index = calloc(size, sizeof *index);
  if (index == NULL) return false;
  free(w->index);
  w->index = index;
  w->index_size = size;
  for (uint32_t i = 0; i < w->key_count; i++)
    *slot_of(w, w->keys[i].object, w->keys[i].part) = i + 1;
  return true;
}

/* The number of the key; NONE: no memory. */
static uint32_t key_of (Watch *w, uint32_t object, uint32_t part) {
  uint32_t *slot;
  if (!grow_index(w)
      || !grow_list32(&w->keys, &w->key_capacity, w->key_count + 1, sizeof *w->keys)) {
    w->failed = true;
    return NONE;
  }
  slot = slot_of(w, object, part);
  if (*slot == 0) {
    w->keys[w->key_count] = (Key){object, part, NONE};
    *slot = ++w->key_count;
  }
  return *slot - 1;
}

/*
** What has been found.
*/

static void add (Watch *w, FoundKind kind, uint32_t object, uint32_t part, const int steps[3]) {
  for (int i = 0; i < w->found_count; i++)
    if (w->found[i].kind == kind && w->found[i].object == object && w->found[i].part == part)
      return;
  if (!grow_list32(&w->found, &w->found_capacity, (uint32_t)w->found_count + 1, sizeof *w->found))
    return;
  w->found[w->found_count++] =
      (Found){kind, object, part, {steps[0], steps[1], steps[2]}, w->count};
}

static void clash (void *ud, const Clash *c) {
  int steps[3] = {(int)c->tags[0], (int)c->tags[1], -1};
  add(ud, FOUND_RACE, (uint32_t)c->object, (uint32_t)c->part, steps);
}

/* Whether the first step, of another thread, comes before the second one, a write, in any case. */
static bool is_known (const Watch *w, const Step *first, const Step *second) {
  return w->pool[second->clock + (uint32_t)first->op.thread]
         >= w->pool[first->clock + (uint32_t)first->op.thread];
}

/* Whether what the thread writes rests on what it has read before another one wrote there. */
static void look_for_lost_update (Watch *w, int i) {
  const Step *mine = &w->steps[i];
  int foreign = -1;
  for (uint32_t p = mine->previous; p != NONE; p = w->steps[p].previous) {
    const Step *s = &w->steps[p];
    if (s->op.thread != mine->op.thread) {
      if (!(op_info[s->op.kind].flags & OP_READS)) foreign = (int)p;
      continue;
    }
    if (s->op.kind == OP_READ && foreign >= 0
        && !(is_known(w, s, &w->steps[foreign]) && is_known(w, &w->steps[foreign], mine))) {
      int steps[3] = {(int)p, foreign, i};
      add(w, FOUND_LOST_UPDATE, mine->op.object, mine->op.part, steps);
    }
    return;
  }
}

/*
** Steps.
*/

static void go_back (Watch *w, int depth) {
  if (w->count <= depth) return;
  happens_go_back(w->happens, w->steps[depth].mark);
  w->pool_count = w->steps[depth].among;
  while (w->count > depth) {
    const Step *s = &w->steps[--w->count];
    if (s->key_slot != NONE) w->keys[s->key_slot].last = s->previous;
    w->waits -= s->op.kind == OP_WAIT;
    w->notifies -= s->op.kind == OP_NOTIFY;
    w->looks -= s->op.empty;
  }
  while (w->found_count > 0 && w->found[w->found_count - 1].depth > depth) w->found_count--;
}

static bool is_data (const WatchedStep *s) {
  return (op_info[s->kind].order & ORDER_DATA)
         && (s->part != 0 || s->kind == OP_TRAVERSE || s->kind == OP_SNAPSHOT);
}

static Step *push (Watch *w, const WatchedStep *s) {
  uint32_t most = (uint32_t)s->among_count + THREADS;
  Step *step;
  if (!grow_list32(&w->steps, &w->capacity, (uint32_t)w->count + 1, sizeof *w->steps)
      || !grow_list32(&w->pool, &w->pool_capacity, w->pool_count + most, sizeof *w->pool)) {
    w->failed = true;
    return NULL;
  }
  step = &w->steps[w->count++];
  *step = (Step){.op = *s, .mark = happens_mark(w->happens), .previous = NONE, .key_slot = NONE};
  step->among = w->pool_count;
  for (int i = 0; i < s->among_count; i++) w->pool[w->pool_count++] = s->among[i];
  return step;
}

/* Notes an access to a key, with what its thread knows then. */
static void access_key (Watch *w, Step *step) {
  const WatchedStep *s = &step->op;
  uint32_t key = key_of(w, s->object, s->part);
  if (key == NONE) return;
  step->key_slot = key;
  step->previous = w->keys[key].last;
  w->keys[key].last = (uint32_t)w->count - 1;
  step->clock = w->pool_count;
  memcpy(w->pool + w->pool_count, happens_clock(w->happens, s->thread), THREADS * sizeof *w->pool);
  w->pool_count += THREADS;
}

static void access_data (Watch *w, const Step *step) {
  const WatchedStep *s = &step->op;
  uint32_t tag = (uint32_t)w->count - 1;
  bool write = s->kind == OP_WRITE;
  happens_access(w->happens, s->thread, s->object, s->part, write, tag);
  if (write && s->keys) happens_access(w->happens, s->thread, s->object, PART_KEYS, true, tag);
  if (write && !s->removes) look_for_lost_update(w, (int)tag);
}

static void give (Happens *h, const Watch *w, const Step *step) {
  const WatchedStep *s = &step->op;
  uint32_t object = s->kind == OP_WAIT && s->second != 0 ? s->second : s->object;
  happens_takes(h, s->thread, OP_QUEUE_JOIN, s->self, 0); /* its start, interrupts */
  for (int i = 0; i < s->among_count; i++)
    happens_gives(h, s->thread, s->kind, w->pool[step->among + (uint32_t)i], 0);
  if (s->among_count == 0) happens_gives(h, s->thread, s->kind, object, s->part);
}

static void take (Happens *h, const Watch *w, const Step *step) {
  const WatchedStep *s = &step->op;
  for (int i = 0; i < s->among_count; i++)
    happens_takes(h, s->thread, s->kind, w->pool[step->among + (uint32_t)i], 0);
  if (s->among_count == 0) happens_takes(h, s->thread, s->kind, s->object, s->part);
  for (uint64_t left = step->woken; left != 0; left &= left - 1)
    happens_edge(h, s->thread, __builtin_ctzll(left));
}

void watch_step (Watch *w, int depth, const WatchedStep *s) {
  Step *step;
  if (w->failed) return;
  go_back(w, depth);
  step = push(w, s);
  if (step == NULL) return;
  w->waits += s->kind == OP_WAIT;
  w->notifies += s->kind == OP_NOTIFY;
  w->looks += s->empty;
  give(w->happens, w, step);
  if (s->part != 0) access_key(w, step);
  if (is_data(s)) access_data(w, step);
}

void watch_stepped (Watch *w, uint64_t woken) {
  Step *step;
  if (w->failed || w->count == 0) return;
  step = &w->steps[w->count - 1];
  step->woken = woken;
  take(w->happens, w, step);
}

void watch_clock (Watch *w, int depth) {
  Step *step;
  WatchedStep s = {.kind = OP_SLEEP};
  if (w->failed) return;
  go_back(w, depth);
  step = push(w, &s);
  if (step != NULL) step->is_clock = true;
}

/*
** What must come before what, locks left aside.
*/

/* Runs the clocks of `must` over the execution; in front of each step calls look. */
static void go_through (Watch *w, void (*look)(Watch *w, int i)) {
  happens_clear(w->must);
  for (int i = 0; i < w->count; i++) {
    const Step *s = &w->steps[i];
    if (s->is_clock) continue;
    give(w->must, w, s);
    look(w, i);
    take(w->must, w, s);
  }
}

/* Keeps in the step what its thread must know, and its own time. */
static void keep_clock (Watch *w, int i) {
  Step *s = &w->steps[i];
  if (!grow_list32(&w->pool, &w->pool_capacity, w->pool_count + THREADS, sizeof *w->pool)) {
    w->failed = true;
    return;
  }
  s->must = w->pool_count;
  memcpy(w->pool + w->pool_count, happens_clock(w->must, s->op.thread), THREADS * sizeof *w->pool);
  w->pool_count += THREADS;
}

static bool must_know (const Watch *w, int earlier, int later) {
  const Step *a = &w->steps[earlier], *b = &w->steps[later];
  uint32_t t = (uint32_t)a->op.thread;
  return w->pool[b->must + t] >= w->pool[a->must + t];
}

static bool are_unordered (const Watch *w, int a, int b) {
  return w->steps[a].op.thread != w->steps[b].op.thread && !must_know(w, a, b)
         && !must_know(w, b, a);
}

static bool looks_at_something (OpKind kind) {
  return kind != OP_ACQUIRE && kind != OP_REACQUIRE && kind != OP_TRY_ACQUIRE
         && ((op_info[kind].flags & OP_READS) || kind == OP_TRY_GET || kind == OP_GET
             || kind == OP_UPDATE || kind == OP_TRY_DOWN);
}

/* Whether the wait's thread has looked at anything since it took the lock. */
static bool is_blind (const Watch *w, int wait) {
  const WatchedStep *s = &w->steps[wait].op;
  for (int i = wait - 1; i >= 0; i--) {
    const WatchedStep *t = &w->steps[i].op;
    if (w->steps[i].is_clock || t->thread != s->thread) continue;
    if ((t->kind == OP_ACQUIRE || t->kind == OP_REACQUIRE) && t->object == s->second) return true;
    if (looks_at_something(t->kind)) return false;
  }
  return true;
}

static void look_for_lost_wakeup (Watch *w, int wait) {
  const WatchedStep *s = &w->steps[wait].op;
  if (!s->patient || !is_blind(w, wait)) return;
  for (int i = 0; i < w->count; i++)
    if (!w->steps[i].is_clock && w->steps[i].op.kind == OP_NOTIFY
        && w->steps[i].op.object == s->object && are_unordered(w, i, wait)) {
      int steps[3] = {i < wait ? i : wait, i < wait ? wait : i, -1};
      add(w, FOUND_LOST_WAKEUP, s->object, 0, steps);
      return;
    }
}

/* The last look of the thread at the table, which was empty at all of them; -1: not so, or it has written itself. */
static int last_empty_look (const Watch *w, int first) {
  const WatchedStep *s = &w->steps[first].op;
  int last = first;
  for (int i = 0; i < w->count; i++) {
    const WatchedStep *t = &w->steps[i].op;
    if (w->steps[i].is_clock || t->thread != s->thread || t->object != s->object) continue;
    if (!t->empty) return -1;
    last = i;
  }
  return last;
}

static void look_for_unordered (Watch *w, int first) {
  const WatchedStep *s = &w->steps[first].op;
  int last = last_empty_look(w, first);
  if (last < 0) return;
  for (int i = last + 1; i < w->count; i++) {
    const WatchedStep *t = &w->steps[i].op;
    if (w->steps[i].is_clock || t->object != s->object || t->kind != OP_WRITE) continue;
    if (are_unordered(w, last, i)) {
      int steps[3] = {last, i, -1};
      add(w, FOUND_UNORDERED, s->object, 0, steps);
    }
    return;
  }
}

static void look_at_all (Watch *w, bool whole) {
  uint32_t pool = w->pool_count;
  go_through(w, keep_clock);
  for (int i = 0; i < w->count && !w->failed; i++) {
    if (w->steps[i].is_clock) continue;
    if (w->steps[i].op.kind == OP_WAIT) look_for_lost_wakeup(w, i);
    if (whole && w->steps[i].op.empty) look_for_unordered(w, i);
  }
  w->pool_count = pool;
}

#define WHOLE_MOST 2000 /* steps of an execution that is looked at as a whole */

int watch_end (Watch *w, int depth, bool whole) {
  go_back(w, depth);
  if (w->failed) return 0;
  if (w->count <= WHOLE_MOST && ((w->waits > 0 && w->notifies > 0) || w->looks > 0))
    look_at_all(w, whole);
  return w->found_count;
}

const Found *watch_found (const Watch *w, int i) { return &w->found[i]; }

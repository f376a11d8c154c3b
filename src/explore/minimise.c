/*
** minimise.c - see minimise.h.
*/
#include <stdlib.h>
#include <string.h>

#include "explore/minimise.h"
#include "explore/seen.h"

#define STEPS_MOST MINIMISE_STEPS
#define RACES_MOST 200 /* reversed */

/* Where a bounded search stands in front of a step. */
typedef struct Level {
  uint64_t waiting; /* threads to be tried, */
  int last;         /* after this one, */
  bool goes_on;     /* which could go on; */
  int preempted;    /* so often that has not been let so far */
  bool silent;      /* the step is a silent one, in which nothing is counted */
} Level;

typedef struct Bounded {
  const Subject *s;
  MinimiseKey key; /* NULL: states cannot be told apart */
  Seen seen;       /* states that have been come to, with what is_known adds to them */
  Level levels[STEPS_MOST + 1];
  uint8_t path[STEPS_MOST + 1];
  int depth;
  int most; /* preemptions */
  long steps, steps_most;
} Bounded;

static bool can_go (const Subject *s, int thread, Peek *p) {
  return thread >= 0 && s->peek(s->ud, thread, p) && p->enabled;
}

/*
** Brings the subject to the end of the path's first `depth` steps; the first `shared` of
** these are the last ones it has done, too.
*/
static bool go_to (const Subject *s, const uint8_t *path, int shared, int depth) {
  int at = s->rewind(s->ud, shared < depth ? shared : depth);
  if (at < 0 || at > depth) return false;
  for (; at < depth; at++) {
    Effects effects = {0};
    if (!s->step(s->ud, path[at], &effects)) return false;
  }
  return true;
}

/*
** What can be done here; starts, joins and ends change places with all else and are done at
** once. Whoever does them, it is the last thread before whose turn that takes; but once the
** clock has gone on, which it does where none can, it is nobody's turn.
*/
static void look (Bounded *b, int last, int preempted) {
  Level *l = &b->levels[b->depth];
  int threads = b->s->threads(b->s->ud);
  Peek p;
  *l = (Level){0, last, can_go(b->s, last, &p), preempted, false};
  for (int t = 0; t < threads; t++) {
    if (!can_go(b->s, t, &p)) continue;
    if (p.silent) {
      *l = (Level){(uint64_t)1 << t, last, false, preempted,
                   footprint_is_silent(b->s->footprints, p.footprint)};
      return;
    }
    l->waiting |= (uint64_t)1 << t;
  }
}

/* The next thread to be tried here; -1: none. */
static int choose (Bounded *b) {
  Level *l = &b->levels[b->depth];
  int t;
  if (l->waiting == 0) return -1;
  if (l->goes_on && l->preempted == b->most && !(l->waiting >> l->last & 1)) return -1;
  t = l->goes_on && (l->waiting >> l->last & 1) ? l->last : __builtin_ctzll(l->waiting);
  l->waiting &= ~((uint64_t)1 << t);
  return t;
}

/*
** Whether this state has been come to before with the same thread going on and as many
** preemptions: all that follows has been tried, or is about to be. Marks it.
*/
static bool is_known (Bounded *b) {
  const Level *l = &b->levels[b->depth];
  uint64_t key[2];
  if (b->key == NULL) return false;
  if (!b->key(b->s->ud, key)) {
    b->key = NULL;
    return false;
  }
  key[0] += (uint64_t)(l->last + 2) * 0x9e3779b97f4a7c15u;
  key[1] += (uint64_t)(l->preempted + 1) * 0xc4ceb9fe1a85ec53u;
  return !seen_note(&b->seen, key[0] ^ key[1] * 0x9e3779b97f4a7c15u);
}

/* True, and *known: the subject stands where it has stood before. False: it cannot go on. */
static bool go_down (Bounded *b, int thread, bool *known) {
  Level l = b->levels[b->depth];
  Effects effects = {0};
  b->path[b->depth] = (uint8_t)thread;
  if (!b->s->step(b->s->ud, thread, &effects)) return false;
  b->depth++;
  b->steps++;
  look(b, l.silent ? l.last : thread, l.preempted + (l.goes_on && thread != l.last));
  *known = is_known(b);
  return true;
}

static bool is_at_end (const Bounded *b) {
  int threads = b->s->threads(b->s->ud);
  Peek p;
  for (int t = 0; t < threads; t++)
    if (can_go(b->s, t, &p)) return false;
  return b->depth > 0;
}

/* Up to where something is left to be tried; false: nowhere. */
static bool go_up (Bounded *b) {
  for (b->depth--; b->depth >= 0; b->depth--) {
    const Level *l = &b->levels[b->depth];
    if (l->waiting != 0 && !(l->goes_on && l->preempted == b->most)) {
      b->steps += b->depth;
      return go_to(b->s, b->path, b->depth, b->depth);
    }
  }
  return false;
}

typedef enum Tried { TRIED_FOUND, TRIED_ALL, TRIED_ENOUGH } Tried;

static Tried try_all (Bounded *b, EndCheck is_same, void *ud) {
  bool known = false;
  b->depth = 0;
  seen_free(&b->seen);
  if (!go_to(b->s, b->path, 0, 0)) return TRIED_ENOUGH;
  look(b, -1, 0);
  for (;;) {
    int thread = known ? -1 : choose(b);
    if (thread >= 0) {
      if (b->depth == STEPS_MOST || !go_down(b, thread, &known)) return TRIED_ENOUGH;
      continue;
    }
    if (!known && is_at_end(b) && is_same(ud)) return TRIED_FOUND;
    if (b->steps > b->steps_most) return TRIED_ENOUGH;
    if (!go_up(b)) return b->depth < 0 ? TRIED_ALL : TRIED_ENOUGH;
    known = false;
  }
}

bool minimise_preempts (const Subject *s, int thread, int *last) {
  Peek p;
  int before = *last;
  if (s->peek(s->ud, thread, &p) && footprint_is_silent(s->footprints, p.footprint)) return false;
  *last = thread;
  return before != thread && can_go(s, before, &p);
}

/* How often a thread was not let go on though it could. */
static int preemptions (const Subject *s, const Path *path) {
  int n = 0, last = -1;
  if (!go_to(s, path->threads, 0, 0)) return 0;
  for (int i = 0; i < path->length; i++) {
    Effects effects = {0};
    n += minimise_preempts(s, path->threads[i], &last);
    if (!s->step(s->ud, path->threads[i], &effects)) return 0;
  }
  return n;
}

bool minimise_path (const Subject *s, MinimiseKey key, long steps, Path *path, EndCheck is_same,
                    void *ud) {
  Bounded *b;
  Tried tried = TRIED_ALL;
  int preempted;
  if (path->length > STEPS_MOST) return false;
  preempted = preemptions(s, path);
  b = calloc(1, sizeof *b);
  if (b == NULL) return false;
  b->s = s;
  b->key = key;
  b->steps_most = steps;
  for (b->most = 0; b->most < preempted && tried == TRIED_ALL; b->most++)
    tried = try_all(b, is_same, ud);
  if (tried == TRIED_FOUND) {
    memcpy(path->threads, b->path, (size_t)b->depth);
    path->length = b->depth;
  }
  seen_free(&b->seen);
  free(b);
  return tried != TRIED_ENOUGH;
}

/*
** The first step from `from` on that is no silent one of another thread; the subject stands in
** front of that. Where a thread has a second step before it, that one is taken for loud.
*/
static int find_loud (const Subject *s, const Path *path, int from, int thread) {
  uint64_t seen = 0;
  int i = from;
  for (; i < path->length && path->threads[i] != thread; i++) {
    uint64_t bit = (uint64_t)1 << path->threads[i];
    Peek p;
    if ((seen & bit) != 0 || !can_go(s, path->threads[i], &p) || !p.silent) break;
    seen |= bit;
  }
  return i;
}

void minimise_switches (const Subject *s, Path *path) {
  int last = -1;
  if (path->length > MINIMISE_STEPS || !go_to(s, path->threads, 0, 0)) return;
  for (int i = 0; i < path->length; i++) {
    Effects effects = {0};
    Peek p;
    int next = can_go(s, last, &p) ? find_loud(s, path, i, last) : i;
    if (next > i && next < path->length && path->threads[next] == last) {
      memmove(path->threads + i + 1, path->threads + i, (size_t)(next - i));
      path->threads[i] = (uint8_t)last;
    }
    last = path->threads[i];
    if (!s->step(s->ud, last, &effects)) return;
  }
}

/*
** The cause.
*/

typedef struct Race {
  int e, o;
  Pending pending;
} Race;

typedef struct Races {
  Race list[RACES_MOST];
  int count;
  int o;
  Pending pending;
} Races;

static void add_race (void *ud, int e) {
  Races *r = ud;
  if (r->count < RACES_MOST) r->list[r->count++] = (Race){e, r->o, r->pending};
}

/* Runs the path and adds its events; false: no memory, or it cannot be run. */
static bool run_path (const Subject *s, const Path *path, History *h) {
  if (s->rewind(s->ud, 0) != 0) return false;
  for (int i = 0; i < path->length; i++) {
    Ready ready[ACCESSES_MOST];
    Effects effects = {0};
    Peek p;
    Event e;
    if (!can_go(s, path->threads[i], &p)) return false;
    e = (Event){
        .thread = path->threads[i], .late = p.late, .silent = p.silent, .footprint = p.footprint};
    s->ready(s->ud, path->threads[i], ready);
    if (!s->step(s->ud, path->threads[i], &effects) || !history_push(h, &e, ready)) return false;
    for (int k = 0; k < effects.count; k++)
      if (!history_edge(h, effects.threads[k])) return false;
  }
  return true;
}

/* The subject stands at the end. */
static void find_races (const Subject *s, History *h, Races *r) {
  int length = history_length(h), threads = s->threads(s->ud);
  r->o = length;
  for (int t = 0; t < threads; t++) {
    Ready ready[ACCESSES_MOST];
    Peek p;
    if (!s->peek(s->ud, t, &p)) continue;
    r->pending = subject_pending(s, t, &p, ready);
    history_races(h, length, &r->pending, add_race, r);
  }
  for (r->o = length - 1; r->o >= 0; r->o--) history_races(h, r->o, NULL, add_race, r);
}

/* Lets every thread go on as long as it can, until none can. */
static bool run_on (const Subject *s, int last) {
  for (int n = 0; n < STEPS_MOST; n++) {
    int threads = s->threads(s->ud), thread = -1;
    Effects effects = {0};
    Peek p;
    if (can_go(s, last, &p)) thread = last;
    for (int t = 0; t < threads && thread < 0; t++)
      if (can_go(s, t, &p)) thread = t;
    if (thread < 0) return true;
    if (!s->step(s->ud, thread, &effects)) return false;
    last = thread;
  }
  return false;
}

/* *shared: the steps of the path that the subject has gone last; it changes. */
static bool passes (const Subject *s, const Path *path, History *h, const Race *race,
                    uint32_t *sequence, int *shared, EndCheck is_well, void *ud) {
  Reversal reversal = {h, race->e, race->o, &race->pending};
  int n = history_sequence(&reversal, sequence), last = -1;
  if (!go_to(s, path->threads, *shared, race->e)) return false;
  *shared = race->e;
  for (int i = 0; i < n; i++) {
    Effects effects = {0};
    Peek p;
    last = (int)(sequence[i] >> 24);
    if (!can_go(s, last, &p) || !s->step(s->ud, last, &effects)) return false;
  }
  return run_on(s, last) && is_well(ud);
}

bool minimise_cause (const Subject *s, const Path *path, EndCheck is_well, void *ud, Cause *cause) {
  History *h = path->length <= STEPS_MOST ? history_new(s->footprints) : NULL;
  Races *r = calloc(1, sizeof *r);
  uint32_t *sequence = malloc(((size_t)path->length + 1) * sizeof *sequence);
  bool found = false;
  int shared = path->length;
  if (h != NULL && r != NULL && sequence != NULL && run_path(s, path, h)) {
    find_races(s, h, r);
    for (int i = 0; i < r->count && !found; i++) {
      const Race *race = &r->list[i];
      found = passes(s, path, h, race, sequence, &shared, is_well, ud);
      *cause = (Cause){race->e, race->o < path->length ? race->o : -1, race->pending.thread};
    }
  }
  history_free(h);
  free(r);
  free(sequence);
  return found;
}

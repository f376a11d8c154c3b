/*
** world_subject.c - see world_subject.h.
*/
#include <stdlib.h>
#include <string.h>

#include "explore/numbering.h"
#include "explore/touched.h"
#include "explore/trail.h"
#include "explore/world_subject.h"
#include "objects/kinds.h"
#include "objects/shared/shared.h"
#include "sim/fingerprint.h"

#define LOOKS 256     /* runs in which it is looked at what became of threads' copies; */
#define LOOKS_EACH 16 /* then one of so many */

struct WorldSubject {
  WorldSubjectOptions options;
  SimReport report;
  Sim *sim;
  Footprints *footprints;
  Numbering numbers;
  int depth; /* steps done since the first announcement */
  int told;  /* of these and those that are about to be done again, the watch knows so many */
  Trail trail;
  int known;                   /* threads there have been in any execution, and the clock */
  int serial[HISTORY_THREADS]; /* in this execution; -1: not started yet, or ended */
  uint64_t held, parked;       /* threads that are held; that stand in a line or sleep */
  long runs, returns;          /* how often it has been begun, and put back to a checkpoint */
  Watch *watch;
  Findings *findings;
  bool marked;       /* places are noted */
  bool wipes;        /* states are compared */
  bool watches_life; /* some thread interrupts others, or asks whether they live, */
  bool main_waits;   /* daemons start threads that main is to wait for, */
  bool is_another;   /* which has been found out only now */
  bool saw_time;     /* some thread has waited for a time */
  Fingerprint *fingerprint;
  WatchedStep last;              /* what the last step did; of no thread: it was the clock's */
  uint64_t moved;                /* threads that it has started or woken */
  uint32_t among[ACCESSES_MOST]; /* its objects, where it was a select */
  Deeds *deeds;
  const char *problem;
};

static void note_stand (WorldSubject *w, int number, SimStand stand) {
  if (stand == SIM_HELD) w->held |= (uint64_t)1 << number;
  if (stand == SIM_PARKED) w->parked |= (uint64_t)1 << number;
}

/* At the end of a run those that it has stopped still stand in front of what they would have done. */
static void look_how_they_end (WorldSubject *w) {
  Thread *t;
  for (int i = 0; i < w->known; i++)
    if (w->serial[i] >= 0) note_stand(w, i, sim_stand(w->sim, w->serial[i], &t));
}

/* Looks which threads there are now, and how they stand; false: too many, or no memory. */
static bool refresh (WorldSubject *w) {
  int count = sim_thread_count(w->sim);
  w->held = w->parked = 0;
  if (sim_is_over(w->sim)) {
    look_how_they_end(w);
    return true;
  }
  for (int i = 0; i < w->known; i++) w->serial[i] = -1;
  for (int s = 0; s < count; s++) {
    Thread *t;
    SimStand stand = sim_stand(w->sim, s, &t);
    int number;
    if (t == NULL) continue;
    number = numbering_thread(&w->numbers, s, t, &w->problem);
    if (number < 0) return false;
    w->serial[number] = s;
    if (number >= w->known) w->known = number + 1;
    note_stand(w, number, stand);
  }
  return true;
}

static bool is_late (WorldSubject *w, const Op *op) {
  return op->until != FOREVER && op->until <= sim_clock(w->sim) && numbering_needs(op) != 0;
}

/* Then it needs nothing either; but a lock that a wait has given back is taken all the same. */
static bool is_interrupted (WorldSubject *w, int thread, const Op *op) {
  Thread *t = sim_thread_of(w->sim, w->serial[thread]);
  return !op->deaf && (atomic_load(&t->alerts) & ALERT_RAISES) != 0;
}

static bool is_ready (Object *o, const Thread *t, unsigned needs) {
  return o == NULL || o->kind->ready == NULL || (o->kind->ready(o, t) & needs) != 0;
}

/* How many live: threads of that scope or pool's queue; NULL: all that main waits for at its end. */
static uint32_t count_living (const WorldSubject *w, const Object *owner) {
  uint32_t n = 0;
  for (int i = 1; i < w->known; i++) {
    const Thread *t = w->serial[i] >= 0 ? sim_thread_of(w->sim, w->serial[i]) : NULL;
    if (t != NULL && (owner != NULL ? t->owner == owner : !t->daemon)) n++;
  }
  return n;
}

static bool is_possible (const WorldSubject *w, const Op *op, const Thread *t) {
  unsigned needs = numbering_needs(op);
  if (needs == 0) return true;
  if (op->kind == OP_EXIT_LAST) return count_living(w, NULL) == 0;
  if (op->among == NULL) return is_ready(op->object, t, needs);
  for (int i = 0; i < op->among_count; i++)
    if (is_ready(op->among[i]->object, t, needs)) return true;
  return false;
}

/* sync.settle goes on only where no thread but others in it can; then it depends on everything. */
static bool is_settled (WorldSubject *w, int settling) {
  for (int i = 0; i < w->known; i++) {
    const Op *op = w->serial[i] < 0 || i == settling ? NULL : sim_pending(w->sim, w->serial[i]);
    if (op == NULL || op->kind == OP_SETTLE) continue;
    if (is_late(w, op) || is_possible(w, op, sim_thread_of(w->sim, w->serial[i]))) return false;
  }
  return true;
}

/* Whether some thread has a deadline that the clock could go to. */
static bool has_deadline (WorldSubject *w) {
  for (int i = 0; i < w->known; i++) {
    const Op *op;
    Nanos deadline;
    if (w->serial[i] < 0) continue;
    if (sim_is_parked(w->sim, w->serial[i], &deadline) && deadline != FOREVER) return true;
    op = sim_pending(w->sim, w->serial[i]);
    if (op != NULL && op->until != FOREVER && op->until > sim_clock(w->sim)
        && numbering_needs(op) != 0)
      return true;
  }
  return false;
}

/*
** Start, join and end change places with all that other threads do, unless some thread
** looks whether others live, or interrupts them, or joins or starts what another is to start.
** So does main at its end, unless a daemon starts what main is to wait for.
*/
static void watch_life (WorldSubject *w, int thread, const Op *op) {
  int serial = w->serial[thread];
  if (op->kind == OP_START && !w->main_waits
      && numbering_is_waited_for(op, sim_thread_of(w->sim, serial)))
    w->main_waits = w->watches_life = w->is_another = true;
  if (w->watches_life) return;
  w->watches_life = numbering_looks_at_life(op) || numbering_meets_start(op, serial);
  w->is_another |= w->watches_life;
}

static bool is_silent (const WorldSubject *w, int thread, const Op *op) {
  if (numbering_starts_late(op, w->serial[thread])) return false;
  if (op->kind == OP_END && thread == 0) return false; /* main's: workers of a pool wait for it */
  return !w->watches_life && !w->options.early_ticks
         && (op->kind == OP_START || op->kind == OP_JOIN || op->kind == OP_END);
}

/*
** The object in whose line an interrupt finds its target, or found it before it was woken: the
** other order with what woke it is another trace. *live: the object, where it is an RWLock,
** which alone says what can be done there. False: there is none.
*/
static bool line_of_target (WorldSubject *w, const Op *op, uint32_t *object, Object **live) {
  const Thread *t = (const Thread *)op->object;
  const uint32_t *stood;
  const Op *pending;
  int serial;
  *live = NULL;
  if (op->kind != OP_INTERRUPT || op->object->kind == &scope_kind) return false;
  serial = (int)t->serial - 1;
  if (serial < 0) return false; /* it has not been started */
  pending = sim_pending(w->sim, serial);
  if (pending != NULL && pending->kind == OP_WRITE_TAKE) {
    *live = pending->object;
    *object = numbering_object(&w->numbers, pending->object);
    return true;
  }
  stood = sim_stood(w->sim, serial);
  if (stood != NULL) *object = numbering_made(&w->numbers, stood[0], stood[1]);
  return stood != NULL;
}

static int accesses_of (WorldSubject *w, const Op *op, Access *a) {
  int n = numbering_accesses(&w->numbers, op, a);
  uint32_t object;
  Object *live;
  if (line_of_target(w, op, &object, &live)) a[n++] = (Access){.object = object, .write = true};
  return n;
}

static bool peek_thread (WorldSubject *w, int thread, Peek *p) {
  const Op *op = w->serial[thread] < 0 ? NULL : sim_pending(w->sim, w->serial[thread]);
  Access a[ACCESSES_MOST];
  int n;
  if (op == NULL) return false;
  watch_life(w, thread, op);
  p->silent = is_silent(w, thread, op);
  n = accesses_of(w, op, a);
  if (numbering_is_short(&w->numbers)) footprint_fall_short(w->footprints);
  p->footprint = footprint_intern(w->footprints, a, n,
                                  p->silent ? GRIPS_SILENT : numbering_grips(&w->numbers, op));
  p->late = is_late(w, op) || is_interrupted(w, thread, op);
  p->enabled = p->late || is_possible(w, op, sim_thread_of(w->sim, w->serial[thread]));
  if (op->kind == OP_SETTLE) p->enabled = is_settled(w, thread);
  if (sim_is_over(w->sim)) p->enabled = false; /* the run has ended in front of it */
  return true;
}

/* Whether some thread could do its operation now. */
static bool can_any (WorldSubject *w, Peek *p) {
  for (int i = 0; i < w->known; i++)
    if (i != CLOCK_THREAD && peek_thread(w, i, p) && p->enabled) return true;
  return false;
}

/*
** The clock goes only where nothing else can, unless the options let it go early; then it
** depends on everything: whatever a thread does next may say how long it will wait. It is
** pending for ever, as a deadline may have come and gone.
*/
static bool peek_clock (WorldSubject *w, Peek *p) {
  Access a = {.object = CLOCK_OBJECT, .write = true};
  bool can = !sim_is_over(w->sim) && has_deadline(w);
  w->saw_time |= can;
  if (w->options.early_ticks) {
    *p = (Peek){footprint_intern(w->footprints, &a, 1, GRIPS_TICK), can, true, false};
    return true;
  }
  if (!can || can_any(w, p)) return false;
  *p = (Peek){footprint_intern(w->footprints, &a, 1, GRIPS_ALL), true, false, true};
  return true;
}

static bool peek (void *ud, int thread, Peek *p) {
  WorldSubject *w = ud;
  return thread == CLOCK_THREAD ? peek_clock(w, p) : peek_thread(w, thread, p);
}

static Ready ready_of (WorldSubject *w, Object *o) {
  unsigned bits;
  Ready r;
  if (o == NULL || o->kind->ready == NULL) return (Ready){.takers = UINT64_MAX, .bits = UINT8_MAX};
  bits = o->kind->ready(o, NULL); /* threads that are not alive yet */
  r = (Ready){.takers = bits & READY_TAKE ? UINT64_MAX : 0, .bits = (uint8_t)bits};
  for (int i = 0; i < w->known; i++) {
    uint64_t bit = (uint64_t)1 << i;
    if (w->serial[i] < 0) continue;
    bits = o->kind->ready(o, sim_thread_of(w->sim, w->serial[i]));
    r.takers = bits & READY_TAKE ? r.takers | bit : r.takers & ~bit;
    r.bits |= (uint8_t)bits;
  }
  return r;
}

/* Whoever waits for the last of these, in whatever order they end. */
static Ready ready_by_count (WorldSubject *w, const Object *owner) {
  uint32_t left = count_living(w, owner);
  return (Ready){0, left == 0 ? READY_DONE : 0, true, left};
}

static void ready (void *ud, int thread, Ready *r) {
  WorldSubject *w = ud;
  const Op *op = thread == CLOCK_THREAD ? NULL : sim_pending(w->sim, w->serial[thread]);
  const Object *owner;
  Object *second;
  uint32_t object;
  if (op != NULL && op->among != NULL) {
    for (int i = 0; i < op->among_count && i < ACCESSES_MOST; i++)
      r[i] = ready_of(w, op->among[i]->object);
    return;
  }
  r[0] = ready_of(w, op != NULL ? op->object : NULL);
  if (op == NULL) return;
  if (line_of_target(w, op, &object, &second)) r[1] = ready_of(w, second);
  else r[1] = op->second != NULL ? ready_of(w, op->second) : r[0];
  if (numbering_joins_all(op, &owner)) r[0] = ready_by_count(w, owner);
  if (op->kind != OP_START && op->kind != OP_END) return;
  r[1] = ready_by_count(w, NULL);
  owner = ((const Thread *)op->object)->owner;
  if (owner != NULL) r[2] = ready_by_count(w, owner);
}

/*
** Moving.
*/

/* Tells the watch what the thread is about to do. */
static void watch_pending (WorldSubject *w, int thread) {
  const Op *op = thread == CLOCK_THREAD ? NULL : sim_pending(w->sim, w->serial[thread]);
  w->last = (WatchedStep){.thread = -1};
  if (op == NULL) {
    watch_clock(w->watch, w->depth);
    return;
  }
  w->last = numbering_watched(&w->numbers, op, sim_thread_of(w->sim, w->serial[thread]), thread,
                              w->among);
  watch_step(w->watch, w->depth, &w->last);
}

/* Tells effects and watch whom the step has started or woken; these were held or parked before it. */
static void tell_effects (WorldSubject *w, int thread, uint64_t held, uint64_t parked,
                          Effects *effects) {
  uint64_t woken = parked & ~w->parked, come = (w->held | w->parked) & ~(held | parked);
  w->moved = (woken | come) & ~((uint64_t)1 << thread);
  for (uint64_t left = w->moved; left != 0; left &= left - 1)
    effects->threads[effects->count++] = (uint8_t)__builtin_ctzll(left);
  if (thread != CLOCK_THREAD) watch_stepped(w->watch, w->moved);
}

static bool step (void *ud, int thread, Effects *effects) {
  WorldSubject *w = ud;
  uint64_t held = w->held, parked = w->parked, changes = sim_changes(w->sim);
  Touched touched;
  bool is_known = w->depth < w->told;
  if (thread != CLOCK_THREAD && w->serial[thread] < 0) return false;
  if (!is_known) watch_pending(w, thread);
  if (thread == CLOCK_THREAD) sim_step_clock(w->sim);
  else {
    if (w->wipes) touched_find(&touched, sim_pending(w->sim, w->serial[thread]));
    sim_step(w->sim, w->serial[thread]);
    if (w->wipes) touched_tidy(&touched);
  }
  w->depth++;
  if ((sim_changes(w->sim) != changes || sim_is_over(w->sim)) && !refresh(w)) return false;
  if (!is_known) {
    tell_effects(w, thread, held, parked, effects);
    w->told = w->depth;
  }
  trail_note(&w->trail, w->sim, w->options.request, w->depth);
  return true;
}

static bool begin (WorldSubject *w) {
  trail_set_outcome(w->options.request, false, NULL);
  w->sim = sim_begin(&w->options.sim, w->options.body, w->options.ud, &w->report);
  w->depth = 0;
  for (int i = 0; i < HISTORY_THREADS; i++) w->serial[i] = -1;
  numbering_forget(&w->numbers, 0);
  w->runs++;
  if (w->sim == NULL) {
    w->problem = "cannot make a simulated world (not enough memory, or too many alive)";
    return false;
  }
  sim_mark_places(w->sim, w->marked);
  sim_wipe(w->sim, w->wipes);
  sim_world(w->sim)->ends_aloud = w->main_waits;
  if (w->options.snapshots) trail_add(&w->trail, w->sim, w->options.request, 0);
  return refresh(w);
}

static void end (WorldSubject *w) {
  trail_drop(&w->trail, -1);
  if (w->sim != NULL) sim_end(w->sim);
  w->sim = NULL;
  sim_report_free(&w->report);
  trail_set_outcome(w->options.request, false, NULL);
}

/*
** Not in each of many runs. But where states are compared all threads end in the same way: a look
** leaves strings behind.
*/
static void look_at_copies (WorldSubject *w) {
  sim_look_at_copies(w->sim, w->wipes || w->returns < LOOKS || w->returns % LOOKS_EACH == 0);
}

static int rewind_to (void *ud, int depth) {
  WorldSubject *w = ud;
  int at;
  if (w->depth == depth && w->problem == NULL) return depth;
  if (w->told > depth) w->told = depth;
  at = trail_go_back(&w->trail, w->sim, w->options.request, depth);
  if (at < 0) {
    end(w);
    return begin(w) ? 0 : -1;
  }
  w->depth = at;
  w->returns++;
  look_at_copies(w);
  sim_world(w->sim)->ends_aloud = w->main_waits;
  numbering_forget(&w->numbers, sim_thread_count(w->sim));
  return refresh(w) ? at : -1;
}

bool world_subject_is_another (const WorldSubject *w) { return w->is_another; }

void world_subject_accept (WorldSubject *w) { w->is_another = false; }

bool world_subject_restart (WorldSubject *w) {
  w->told = 0;
  if (w->depth == 0) return true;
  trail_drop(&w->trail, 0);
  return rewind_to(w, 0) == 0;
}

void world_subject_mark_places (WorldSubject *w, bool mark) {
  w->marked = mark;
  if (w->sim != NULL) sim_mark_places(w->sim, mark);
}

void world_subject_wipe (WorldSubject *w) {
  w->wipes = true;
  if (w->sim == NULL) return;
  sim_wipe(w->sim, true);
  sim_look_at_copies(w->sim, true);
}

bool world_subject_key (void *subject, uint64_t key[2]) {
  WorldSubject *w = subject;
  if (!fingerprint_take(w->fingerprint, w->sim, key)) return false;
  for (int i = 0; w->watches_life && i < w->known; i++) {
    const uint32_t *stood = w->serial[i] < 0 ? NULL : sim_stood(w->sim, w->serial[i]);
    if (stood == NULL) continue; /* what an interrupt depends on */
    key[0] += ((uint64_t)stood[0] << 32 | stood[1]) * 0x9e3779b97f4a7c15u;
    key[1] += (uint64_t)(i + 1) * 0xc4ceb9fe1a85ec53u;
  }
  return true;
}

uint32_t world_subject_deed (void *subject) {
  WorldSubject *w = subject;
  return w->last.thread < 0 ? DEED_NONE : deeds_number(w->deeds, &w->last, w->moved);
}

static int threads (void *ud) { return ((WorldSubject *)ud)->known; }

Subject world_subject_calls (WorldSubject *w) {
  return (Subject){w, w->footprints, threads, peek, ready, step, rewind_to};
}

/*
** Beginning and end.
*/

WorldSubject *world_subject_new (const WorldSubjectOptions *options) {
  WorldSubject *w = calloc(1, sizeof *w);
  bool named;
  if (w == NULL) return NULL;
  w->options = *options;
  w->trail.target = -1;
  w->known = CLOCK_THREAD + 1;
  w->footprints = footprint_table();
  named = numbering_init(&w->numbers);
  w->watch = watch_new();
  w->findings = findings_new();
  w->fingerprint = fingerprint_new();
  w->deeds = deeds_new();
  if (w->fingerprint == NULL || w->deeds == NULL || w->footprints == NULL || !named
      || w->watch == NULL || w->findings == NULL || !begin(w)) {
    world_subject_free(w);
    return NULL;
  }
  return w;
}

void world_subject_free (WorldSubject *w) {
  if (w == NULL) return;
  end(w);
  footprint_table_free(w->footprints);
  numbering_free(&w->numbers);
  watch_free(w->watch);
  findings_free(w->findings);
  fingerprint_free(w->fingerprint);
  deeds_free(w->deeds);
  free(w);
}

const Deeds *world_subject_deeds (const WorldSubject *w) { return w->deeds; }
const char *world_subject_program (const WorldSubject *w) { return w->options.program; }
Sim *world_subject_sim (WorldSubject *w) { return w->sim; }
const SimReport *world_subject_report (WorldSubject *w) { return &w->report; }
Watch *world_subject_watch (WorldSubject *w) { return w->watch; }
Findings *world_subject_findings (WorldSubject *w) { return w->findings; }
long world_subject_runs (const WorldSubject *w) { return w->runs; }
const char *world_subject_problem (const WorldSubject *w) { return w->problem; }
int world_subject_serial (const WorldSubject *w, int thread) { return w->serial[thread]; }

uint32_t world_subject_object (WorldSubject *w, const Object *o) {
  return numbering_object(&w->numbers, o);
}
bool world_subject_is_early (const WorldSubject *w) { return w->options.early_ticks; }
bool world_subject_saw_time (const WorldSubject *w) { return w->saw_time; }
bool world_subject_waits_for_time (WorldSubject *w) { return has_deadline(w); }

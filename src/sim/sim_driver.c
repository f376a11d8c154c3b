/*
** sim_driver.c - the simulated driver: fibres on one OS thread, a virtual clock,
** and a scheduler that asks a policy which thread runs next.
**
** A thread can lose its turn in two places only: in front of an operation
** (announce) and where it waits (park). The thread that loses its turn asks the
** policy for the next one and switches to it. When no thread is ready the clock
** goes on to the next deadline; when there is none, the world is stuck, and the
** run ends by switching to the outside, for good.
*/
#include <stdlib.h>
#include <string.h>

#include "observe/deadlock.h"
#include "sim/private.h"
#include "sim/sim_stdlib.h"
#include "message/bundle.h"
#include "state/state.h"

_Noreturn void sim_leave (Sim *sim, SimVerdict verdict) {
  sim->report->verdict = verdict;
  sim->over = true;
  fibre_switch(&sim->current->fibre, &sim->outside);
  abort();
}

/* A schedule with a gap would be another run's: rather none. */
static void note (Sim *sim, Turn turn) {
  if (!schedule_add(&sim->report->schedule, turn)) sim_leave(sim, SIM_NO_MEMORY);
}

/*
** Lists of threads, in order.
*/
static void push (Sim *sim, SimThread ***list, int *count, int *capacity, SimThread *st) {
  if (*count == *capacity) {
    int more = *capacity == 0 ? 16 : 2 * *capacity;
    SimThread **grown = sim_memory_of_pool(sim, (size_t)more * sizeof *grown);
    if (grown == NULL) sim_leave(sim, SIM_NO_MEMORY);
    if (*count > 0) memcpy(grown, *list, (size_t)*count * sizeof *grown);
    *list = grown;
    *capacity = more;
  }
  (*list)[(*count)++] = st;
}

static SimThread *take_at (SimThread **list, int *count, int index) {
  SimThread *st = list[index];
  memmove(list + index, list + index + 1, (size_t)(*count - index - 1) * sizeof *list);
  list[--*count] = NULL; /* equal lists are equal bytes: see fingerprint.c */
  return st;
}

/* Moves the last one up to its place by number, so that the order of parking does not tell. */
static void sort_last (SimThread **list, int count) {
  SimThread *st = list[count - 1];
  int i = count - 1;
  for (; i > 0 && sim_thread_number(list[i - 1]) > sim_thread_number(st); i--)
    list[i] = list[i - 1];
  list[i] = st;
}

static int index_of (SimThread **list, int count, SimThread *st) {
  int i = 0;
  while (i < count && list[i] != st) i++;
  return i;
}

static void make_ready (Sim *sim, SimThread *st) {
  if (st->state == SIM_THREAD_PARKED)
    take_at(sim->parked, &sim->parked_count, index_of(sim->parked, sim->parked_count, st));
  st->state = SIM_THREAD_READY;
  sim->changes++;
  push(sim, &sim->ready, &sim->ready_count, &sim->ready_capacity, st);
}

/*
** The clock.
*/

Nanos sim_next_deadline (Sim *sim) {
  Nanos next = FOREVER;
  for (int i = 0; i < sim->parked_count; i++)
    if (sim->parked[i]->deadline < next) next = sim->parked[i]->deadline;
  for (int i = 0; i < sim->numbered; i++) {
    const SimThread *st = sim->by_number[i];
    if (st == NULL || st->state != SIM_THREAD_HELD) continue;
    if (st->pending->until > sim->now && st->pending->until < next) next = st->pending->until;
  }
  return next;
}

void sim_record_clock (Sim *sim, Nanos before) {
  if (record_is_on())
    record_take(&(Record){.kind = RECORD_CLOCK, .op = OP_COUNT, .world = &sim->world, .a = before});
}

/* The parked thread whose deadline has come first, or NULL. */
static SimThread *first_due (Sim *sim) {
  SimThread *found = NULL;
  for (int i = 0; i < sim->parked_count; i++) {
    SimThread *s = sim->parked[i];
    if (s->deadline <= sim->now
        && (found == NULL || s->deadline < found->deadline
            || (s->deadline == found->deadline && s->order < found->order)))
      found = s;
  }
  return found;
}

/* Threads whose deadline has come become ready in the order (deadline, parking). */
void sim_set_clock (Sim *sim, Nanos time) {
  SimThread *due;
  Nanos before = sim->now;
  if (time > sim->now) sim->now = time;
  if (sim->now > before) sim_record_clock(sim, before);
  pace_clock_moved(sim);
  while ((due = first_due(sim)) != NULL) {
    due->timed_out = true;
    make_ready(sim, due);
  }
}

bool sim_pass_time (Sim *sim) {
  Nanos next = sim_next_deadline(sim);
  if (next == FOREVER) return false;
  sim_set_clock(sim, next);
  return true;
}

/*
** Turns.
*/

void sim_note_turn (Sim *sim, SimThread *st, bool preempted) {
  if (sim->options.policy->turn_over != NULL) sim->options.policy->turn_over(sim, st, preempted);
  note(sim, (Turn){.thread = sim_thread_number(st),
                   .preempted = preempted,
                   .pokes = st->pokes,
                   .makes = st->thread->made != st->made_before,
                   .operations = st->operations,
                   .outputs = st->outputs});
}

void sim_warn_of_circles (Sim *sim) {
  for (int i = 0; i < sim->parked_count; i++) {
    SimThread *st = sim->parked[i];
    if (st->looked_at || st->deadline != FOREVER) continue;
    st->looked_at = true;
    deadlock_warn(st->thread);
  }
}

/* A moment in which no thread can run, unless one is ready after all. */
static void take_break (Sim *sim) {
  if (sim->ready_count > 0) return;
  pace_break(sim);
  if (sim_next_deadline(sim) != FOREVER) sim_warn_of_circles(sim);
}

/* It goes on from its sync.settle. */
static void settled (Sim *sim, SimThread *st) {
  st->settling = false;
  make_ready(sim, st);
}

bool sim_settles (Sim *sim, uint64_t thread) {
  for (int i = 0; i < sim->parked_count; i++) {
    SimThread *st = sim->parked[i];
    if (sim_thread_number(st) != thread || !st->settling) continue;
    settled(sim, st);
    return true;
  }
  return false;
}

/* Where no thread can run, one in sync.settle goes on before any time passes. */
static void end_settling (Sim *sim) {
  SimThread *found = NULL;
  for (int i = 0; i < sim->parked_count && sim->ready_count == 0; i++) {
    SimThread *st = sim->parked[i];
    if (st->settling && (found == NULL || st->order < found->order)) found = st;
  }
  if (found != NULL) settled(sim, found);
}

void sim_tick_to (Sim *sim, Nanos time) {
  sim_set_clock(sim, time);
  note(sim, (Turn){.tick = true});
}

bool sim_tick (Sim *sim) {
  Nanos next;
  take_break(sim);
  next = sim_next_deadline(sim);
  if (next != FOREVER) sim_tick_to(sim, next);
  return next != FOREVER;
}

/*
** Lets the clock go on where the policy wants that, or no thread is ready; leaves where
** the world is stuck.
*/
static void wait_for_ready (Sim *sim) {
  end_settling(sim);
  if (sim->options.policy->before_turn != NULL) sim->options.policy->before_turn(sim);
  take_break(sim);
  if (sim->ready_count > 0 || sim_tick(sim) || deadlock_interrupts(&sim->world)) return;
  sim->report->text = deadlock_text(&sim->world);
  sim_leave(sim, SIM_DEADLOCK);
}

SimThread *sim_take_ready (Sim *sim, int index) {
  return take_at(sim->ready, &sim->ready_count, index);
}

static void begin_turn (SimThread *st) {
  st->operations = st->outputs = 0;
  st->pokes = false;
  st->made_before = st->thread->made;
}

void sim_switch_to (Sim *sim, Fibre *from, SimThread *to) {
  to->state = SIM_THREAD_RUNNING;
  begin_turn(to);
  to->stamp = ++sim->stamps;
  if (record_is_on() && !to->in_line)
    record_take(&(Record){.kind = RECORD_TURN,
                          .op = OP_COUNT,
                          .who = to->thread,
                          .world = &sim->world,
                          .a = sim->ready_count});
  if (from == &to->fibre) return;
  if (sim->options.policy->searches && !sim->unwiped) fibre_wipe(&to->fibre);
  sim->current = to;
  thread_self = to->thread;
  if (to->thread->running != NULL && thread_is_asked(to->thread))
    thread_arm(to->thread, to->thread->running);
  fibre_switch(from, &to->fibre);
}

/*
** Switches to the thread whose turn is next, or to the outside; the current one has
** been put where it belongs.
*/
static void schedule_next (Sim *sim) {
  Fibre *from = &sim->current->fibre;
  int next;
  if (!sim->options.policy->searches) wait_for_ready(sim);
  next = sim->options.policy->next(sim);
  if (next >= 0) sim_switch_to(sim, from, sim_take_ready(sim, next));
  else fibre_switch(from, &sim->outside);
}

void sim_let_main_run (Sim *sim) {
  SimThread *me = sim->current, *main = sim->world.main->driver_data;
  if (main->state != SIM_THREAD_READY || sim->checking) return;
  me->thread->at = me->thread->running;
  sim_note_turn(sim, me, true);
  take_at(sim->ready, &sim->ready_count, index_of(sim->ready, sim->ready_count, main));
  make_ready(sim, me);
  sim_switch_to(sim, &me->fibre, main);
}

static void give_up_turn (Sim *sim, SimThread *me) {
  sim_note_turn(sim, me, true);
  if (sim->options.policy->searches) me->state = SIM_THREAD_HELD;
  else make_ready(sim, me);
  schedule_next(sim);
}

static void sim_poke (Thread *t) {
  Sim *sim = sim_of(t->object.world);
  SimThread *st = t->driver_data;
  if (sim->current != NULL) sim->current->pokes = true;
  if (t->running == NULL) return;
  if (st != NULL) st->stamp = ++sim->stamps;
  thread_arm(t, t->running);
}

/* Ends the run as a livelock where `me` has run in vain for too long. */
static void watch_pace (Sim *sim, SimThread *me, const Op *op) {
  PaceVerdict verdict = pace_operation(sim, me, op);
  char *text;
  if (verdict == PACE_FINE) return;
  text = livelock_text(&sim->world, verdict == PACE_ONLY_LOOKS ? "looking" : "operations");
  if (sim->options.interactive && deadlock_interrupts_with(&sim->world, text)) {
    sim->pace = (Pace){0};
    sim_poke(sim->world.main);
    return;
  }
  sim->report->text = text;
  sim_leave(sim, SIM_LIVELOCK);
}

__attribute__((noinline)) static void announce_op (Thread *self, const Op *op) {
  Sim *sim = sim_of(self->object.world);
  SimThread *me = self->driver_data;
  if (me != sim->current) return; /* after the end of its thread: finalisers of a closing state */
  if (sim->checking) return;
  if (sim->invariants != NULL) invariants_check(sim);
  if (sim->watched.doomed) sim_loops(sim, self);
  if (!op->aside)
    atomic_store_explicit(&sim->watched.steps, sim_steps(sim) + 1, memory_order_relaxed);
  self->at = op->L;
  watch_pace(sim, me, op);
  if (sim->options.policy->before_op(sim, me, op)) {
    me->in_line = op->kind == OP_WRITE_TAKE;
    if (record_is_on() && !me->in_line)
      record_take(&(Record){.kind = RECORD_YIELD, .op = op->kind, .object = op->object});
    give_up_turn(sim, me);
  }
  if (op->kind == OP_OUTPUT) me->outputs++;
  else if (!op->aside) {
    me->operations++;
    me->outputs = 0;
  }
}

/* The frames of what is called next have nothing in their holes that earlier calls have left: see fingerprint.c. */
__attribute__((noinline)) static void wipe_stack (void) {
  char below[1024];
  memset(below, 0, sizeof below);
  __asm__ volatile("" : : "r"(below) : "memory");
}

static void sim_announce (Thread *self, const Op *op) {
  const Sim *sim = sim_of(self->object.world);
  if (sim->options.policy->searches && !sim->unwiped) wipe_stack();
  announce_op(self, op);
}

/*
** The rest of the door.
*/

/* An object's name in every run: see numbering.h. */
static void note_line (SimThread *me, const Object *o) {
  me->stood[0] = o != NULL ? o->maker : 0;
  me->stood[1] = o != NULL ? o->nth : 0;
}

static void sim_park (Thread *self, Nanos deadline) {
  Sim *sim = sim_of(self->object.world);
  SimThread *me = self->driver_data;
  me->timed_out = deadline <= sim->now;
  if (atomic_exchange(&self->spot->token, 0) == 1 || me->timed_out) return;
  sim_note_turn(sim, me, false);
  me->state = SIM_THREAD_PARKED;
  sim->changes++;
  me->deadline = deadline;
  me->order = sim->parkings++;
  me->looked_at = me->in_line = false;
  push(sim, &sim->parked, &sim->parked_count, &sim->parked_capacity, me);
  if (sim->options.policy->searches) {
    sort_last(sim->parked, sim->parked_count);
    note_line(me, self->blocked.active ? self->blocked.object : NULL);
  }
  schedule_next(sim);
  atomic_store(&self->spot->token, 0);
}

/* Parks until end_settling, the deadline or an interrupt; a Wake. */
static int sim_settle (Thread *self, Nanos deadline) {
  SimThread *me = self->driver_data;
  Sim *sim = sim_of(self->object.world);
  if (sim->options.policy->searches) { /* it has been held; a replay of the run waits here */
    sim_note_turn(sim, me, false);
    begin_turn(me);
    return WAKE_CHOSEN;
  }
  me->settling = true;
  do {
    sim_park(self, deadline);
    if (!me->settling) return WAKE_CHOSEN;
    if (me->timed_out) break;
  } while ((atomic_load(&self->alerts) & ALERT_RAISES) == 0);
  me->settling = false;
  return me->timed_out ? WAKE_TIMEOUT : WAKE_INTERRUPT;
}

static void sim_unpark (Spot *spot) {
  SimThread *st = spot->fibre;
  atomic_store(&spot->token, 1);
  if (st != NULL) st->in_line = false;
  if (st != NULL && st->state == SIM_THREAD_PARKED)
    make_ready(sim_of(st->thread->object.world), st);
}

static Nanos sim_now (World *world) { return sim_of(world)->now; }
static Nanos sim_time (World *world) {
  Nanos now = sim_of(world)->now;
  return now < FOREVER - SIM_EPOCH ? SIM_EPOCH + now : FOREVER;
}

/* The thread can be found by its number from now on; false: no memory. */
static bool number (Sim *sim, SimThread *st) {
  int n = (int)sim_thread_number(st);
  if (n >= sim->numbered) {
    int more = n < 8 ? 16 : 2 * n;
    SimThread **grown = sim_memory_of_pool(sim, (size_t)more * sizeof *grown);
    if (grown == NULL) return false;
    memset(grown, 0, (size_t)more * sizeof *grown);
    if (sim->numbered > 0) memcpy(grown, sim->by_number, (size_t)sim->numbered * sizeof *grown);
    sim->by_number = grown;
    sim->numbered = more;
  }
  sim->by_number[n] = st;
  sim->changes++;
  return true;
}

static lua_State *open_thread (Thread *t, lua_State *parent) {
  Sim *sim = sim_of(t->object.world);
  Fibre *here = sim->current != NULL ? &sim->current->fibre : &sim->outside;
  SimThread *st = sim_thread_take(sim->pool, sim->taken, here);
  if (st == NULL) return NULL;
  if (sim->options.policy->searches) sim->taken = st->index + 1;
  sim_thread_seed(st, t->serial);
  st->thread = t;
  st->timed_out = st->may_time_out = st->settling = false;
  note_line(st, NULL);
  t->driver_data = st;
  if (sim->options.policy->searches && !number(sim, st)) return NULL;
  st->stamp = ++sim->stamps;
  st->spot = (Spot){.driver = &sim_driver, .fibre = st};
  t->spot = &st->spot;
  if (parent != NULL) {
    state_inherit(parent, st->L);
    bundle_inherit(parent, st->L, t->object.world);
  }
  return st->L;
}

static void close_thread (Thread *t, lua_State *L) {
  SimThread *st = t->driver_data;
  Sim *sim = sim_of(t->object.world);
  invariants_forget(sim, t);
  if (sim->options.tidy || t->has_finalisers) {
    if (sim->options.policy->searches) sim_stdlib_keep_libraries(L);
    lua_close(L);
  }
  else sim_abandon(L);
  if (st->state == SIM_THREAD_TAKEN) st->state = SIM_THREAD_FREE; /* the thread was never started */
}

/* A thread's fibre, from its first to its last turn. */
static void run_fibre (void *ud) {
  SimThread *st = ud;
  Sim *sim = sim_of(st->thread->object.world);
  object_keep(&st->thread->object); /* for the note of its last turn */
  thread_body(st->thread);
  sim_note_turn(sim, st, false);
  if (sim->numbered > 0) sim->by_number[sim_thread_number(st)] = NULL;
  object_drop(&st->thread->object);
  st->state = SIM_THREAD_FREE;
  sim->changes++;
  schedule_next(sim);
  abort();
}

static int sim_spawn (Thread *t) {
  SimThread *st = t->driver_data;
  atomic_store(&t->native_id, (int)sim_thread_number(st) + 1);
  fibre_start(&st->fibre, run_fibre, st);
  make_ready(sim_of(t->object.world), st);
  return 0;
}

static void sim_exit (int code) {
  Sim *sim = sim_of(thread_self->object.world);
  sim->report->status = code;
  sim_note_turn(sim, sim->current, false);
  sim_leave(sim, SIM_EXIT);
}

const Driver sim_driver = {.announce = sim_announce,
                           .park = sim_park,
                           .unpark = sim_unpark,
                           .settle = sim_settle,
                           .now = sim_now,
                           .time = sim_time,
                           .open = open_thread,
                           .close = close_thread,
                           .spawn = sim_spawn,
                           .poke = sim_poke,
                           .write = sim_write,
                           .exit = sim_exit,
                           .memory = sim_memory};

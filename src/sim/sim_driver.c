/*
** sim_driver.c - the simulated driver: fibres on one OS thread, a virtual clock,
** and a scheduler that asks a policy who runs next.
**
** A thread can lose its turn in two places only: in front of an operation
** (announce) and where it waits (park). Whoever gives up the turn picks the
** next thread itself and switches to it. When nobody is ready the clock goes on
** to the next deadline; when there is none, the world is stuck, and the run
** ends by switching to the outside, for good.
*/
#include <stdlib.h>
#include <string.h>

#include "observe/deadlock.h"
#include "base/random.h"
#include "sim/private.h"
#include "state/state.h"

#define SLICE 200          /* round robin: operations in a row while others are ready */
#define OUTPUT_SLICE 10000 /* the same for prints and nothing else */
#define IDLE_TICK 1000     /* reads in a row, nothing written, after which time goes on */
#define LOOKS_MOST \
  10000000 /* and by then nothing ever will be: a livelock, unless a sleeper's time is still to come */
#define POLLS 64 /* looks at a clock that stands still, after which it goes on by itself */
#define POLL_TICK_MOST 1000000 /* by a millisecond at most; */
#define PATIENT_POLLS \
  1000000 /* twice that after so many, and so on: who polls for hours gets there */
#define BUSY_TICK \
  1000000 /* operations in a row that take a second: work needs time, and who waits for a flag by taking a lock works; */
#define PATIENT_TICKS 16 /* twice that after so many seconds, and so on */

_Noreturn void sim_leave (Sim *sim, SimVerdict verdict) {
  sim->report->verdict = verdict;
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
    SimThread **grown = realloc(*list, (size_t)more * sizeof *grown);
    if (grown == NULL) sim_leave(sim, SIM_NO_MEMORY);
    *list = grown;
    *capacity = more;
  }
  (*list)[(*count)++] = st;
}

static SimThread *take_at (SimThread **list, int *count, int index) {
  SimThread *st = list[index];
  memmove(list + index, list + index + 1, (size_t)(*count - index - 1) * sizeof *list);
  --*count;
  return st;
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
  push(sim, &sim->ready, &sim->ready_count, &sim->ready_capacity, st);
}

/*
** The clock.
*/

static Nanos next_deadline (Sim *sim) {
  Nanos next = FOREVER;
  for (int i = 0; i < sim->parked_count; i++)
    if (sim->parked[i]->deadline < next) next = sim->parked[i]->deadline;
  return next;
}

/* The parked seat whose time has come first, or NULL. */
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

/* Moves the clock to `time`; who waited for that is ready, in the order (deadline, parking). */
static void set_clock (Sim *sim, Nanos time) {
  SimThread *due;
  if (time > sim->now) sim->now = time;
  sim->polls = 0;
  sim->idle = 0;
  while ((due = first_due(sim)) != NULL) {
    due->timed_out = true;
    make_ready(sim, due);
  }
}

/* The clock goes on to the next deadline; false: there is none. */
static bool pass_time (Sim *sim) {
  Nanos next = next_deadline(sim);
  if (next == FOREVER) return false;
  set_clock(sim, next);
  return true;
}

/* The same between two turns, where it is part of the schedule. */
static bool tick (Sim *sim) {
  if (!pass_time(sim)) return false;
  note(sim, (Turn){.tick = true});
  return true;
}

/* Someone looks at the clock again and again: it goes on by itself, faster and faster. */
static void poll_clock (Sim *sim) {
  long extra = ++sim->polls - POLLS;
  Nanos step, next;
  if (extra <= 0) return;
  step = extra < 20 ? (Nanos)1 << extra : POLL_TICK_MOST;
  if (step > POLL_TICK_MOST) step = POLL_TICK_MOST;
  step <<= sim->looks / PATIENT_POLLS;
  if (step > FOREVER - 1 - sim->now) step = FOREVER - 1 - sim->now;
  next = next_deadline(sim);
  if (next <= sim->now + step) {
    set_clock(sim, next);
    sim->polls = extra + POLLS;
  }
  else sim->now += step;
}

/* Threads have been at work for long without a break, while others wait for their time to come: some passes. */
static void pass_busy_time (Sim *sim) {
  Nanos next = next_deadline(sim), step = NANOS;
  long extra = sim->busy / BUSY_TICK - PATIENT_TICKS;
  if (next == FOREVER) return;
  if (extra > 0) step <<= extra < 30 ? extra : 30;
  if (next - sim->now <= step) set_clock(sim, next);
  else sim->now += step;
}

/*
** The policies.
*/

static uint64_t draw (Sim *sim, uint64_t n) { return random_mix(sim->random += RANDOM_STEP) % n; }

static uint64_t number_of (const SimThread *st) { return st->thread->serial - 1; }

static const Turn *replayed (Sim *sim) {
  const Schedule *s = sim->options.schedule;
  return sim->options.policy == SIM_REPLAY && sim->turn < s->count ? &s->turns[sim->turn] : NULL;
}

static _Noreturn void cannot_follow (Sim *sim, const char *why) {
  char text[256];
  snprintf(text, sizeof text, "cannot follow the schedule at its turn %zu: %s", sim->turn + 1, why);
  sim->report->text = strdup(text);
  sim_leave(sim, SIM_CANNOT_FOLLOW);
}

static _Noreturn void cannot_run (Sim *sim, uint64_t thread) {
  char name[64] = "", text[160];
  const char *why = "has not been started, or has ended";
  for (int i = 0; i < sim->parked_count; i++)
    if (number_of(sim->parked[i]) == thread) {
      thread_copy_name(sim->parked[i]->thread, name);
      why = "waits";
    }
  snprintf(text, sizeof text, "thread %llu%s%s%s %s", (unsigned long long)thread,
           name[0] != '\0' ? " ('" : "", name, name[0] != '\0' ? "')" : "", why);
  cannot_follow(sim, text);
}

/* Where the thread with this number stands in `ready`, or -1. */
static int index_of_ready (Sim *sim, uint64_t thread) {
  for (int i = 0; i < sim->ready_count; i++)
    if (number_of(sim->ready[i]) == thread) return i;
  return -1;
}

/* The index in `ready` of the one that runs next; somebody is ready. */
static int choose (Sim *sim) {
  const Turn *turn = replayed(sim);
  int picked = sim->picked;
  sim->picked = -1;
  if (turn != NULL) {
    int i = index_of_ready(sim, turn->thread);
    if (i < 0) cannot_run(sim, turn->thread);
    return i;
  }
  if (sim->options.policy != SIM_SEEDED) return 0;
  return picked >= 0 ? picked : (int)draw(sim, (uint64_t)sim->ready_count);
}

/* A draw among the running thread and all that are ready. */
static bool draws_other (Sim *sim) {
  if (sim->ready_count == 0) return false;
  sim->picked = (int)draw(sim, (uint64_t)sim->ready_count + 1) - 1;
  return sim->picked >= 0;
}

/* Whether whoever is to run next can; if not, the script has been edited since, and the turn takes longer. */
static bool next_is_ready (Sim *sim, const SimThread *me) {
  const Turn *next = replayed(sim);
  return next == NULL || next->tick || next->thread == number_of(me)
         || index_of_ready(sim, next->thread) >= 0;
}

/* The turn that is being replayed, or NULL. */
static const Turn *current_turn (Sim *sim) {
  if (sim->options.policy != SIM_REPLAY || sim->turn == 0
      || sim->turn > sim->options.schedule->count)
    return NULL;
  return &sim->options.schedule->turns[sim->turn - 1];
}

/* Whether the replayed turn of the running thread ends in front of this operation. */
static bool turn_is_over (Sim *sim, SimThread *me, bool is_output) {
  const Turn *turn = current_turn(sim);
  return turn != NULL && turn->preempted && me->operations >= turn->operations
         && (!is_output || me->outputs >= turn->outputs) && next_is_ready(sim, me);
}

/* Whether the running thread loses its turn in front of an operation. */
static bool preempts (Sim *sim, SimThread *me, bool is_output) {
  switch (sim->options.policy) {
    case SIM_SEEDED: return draws_other(sim);
    case SIM_REPLAY: return turn_is_over(sim, me, is_output);
    default:
      return sim->ready_count > 0 && (me->operations >= SLICE || me->outputs >= OUTPUT_SLICE);
  }
}

bool sim_first_turn (Sim *sim) {
  const Turn *turn = replayed(sim);
  if (turn == NULL) return true;
  sim->turn = 1;
  return !turn->tick && turn->thread == 0;
}

/*
** Turns.
*/

void sim_note_turn (Sim *sim, SimThread *st, bool preempted) {
  const Turn *turn = current_turn(sim);
  if (turn != NULL && turn->preempted && !preempted && sim->strayed == 0) sim->strayed = sim->turn;
  note(sim, (Turn){.thread = number_of(st),
                   .preempted = preempted,
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
  sim->busy = 0;
  if (next_deadline(sim) != FOREVER) sim_warn_of_circles(sim);
}

/* Ticks that a replay asks for, or that are needed because nobody is ready; leaves where the world is stuck. */
static void wait_for_ready (Sim *sim) {
  const Turn *turn;
  while ((turn = replayed(sim)) != NULL && turn->tick) {
    take_break(sim);
    if (!tick(sim)) cannot_follow(sim, "there is no deadline for the clock to go to");
    sim->turn++;
  }
  take_break(sim);
  if (sim->ready_count > 0 || tick(sim)) return;
  sim->report->text = deadlock_text(&sim->world);
  sim_leave(sim, SIM_DEADLOCK);
}

/* Switches to whoever is next; the current seat has been put where it belongs. */
static void schedule_next (Sim *sim) {
  SimThread *from = sim->current, *to;
  wait_for_ready(sim);
  to = take_at(sim->ready, &sim->ready_count, choose(sim));
  if (replayed(sim) != NULL) sim->turn++;
  else if (sim->options.policy == SIM_REPLAY) sim->turn = sim->options.schedule->count + 1;
  to->state = SIM_THREAD_RUNNING;
  to->operations = to->outputs = 0;
  if (to == from) return;
  sim->current = to;
  thread_self = to->thread;
  if (to->thread->running != NULL && thread_is_asked(to->thread))
    thread_arm(to->thread, to->thread->running);
  fibre_switch(&from->fibre, &to->fibre);
}

static void give_up_turn (Sim *sim, SimThread *me) {
  sim_note_turn(sim, me, true);
  make_ready(sim, me);
  schedule_next(sim);
}

/* Whether an operation changes nothing that another thread could see. */
static bool only_looks (OpKind kind) {
  switch (kind) {
    case OP_IS_SET:
    case OP_VALUE:
    case OP_LOOK:
    case OP_READ:
    case OP_TRAVERSE:
    case OP_CLOCK:
    case OP_SLEEP:
    case OP_TRY_ACQUIRE:
    case OP_TRY_DOWN:
    case OP_TRY_GET:
    case OP_TRY_PUT:
    case OP_WAIT_SET:
    case OP_JOIN:
    case OP_QUEUE_JOIN:
    case OP_REACQUIRE: return true;
    default: return false;
  }
}

/* The same where it runs into its timeout. */
static bool may_time_out (OpKind kind) {
  switch (kind) {
    case OP_ACQUIRE:
    case OP_WAIT:
    case OP_DOWN:
    case OP_GET:
    case OP_PUT: return true;
    default: return false;
  }
}

/* Whether the thread about to do this has changed something, or is about to. */
static bool makes_progress (SimThread *me, OpKind kind) {
  bool waited = me->may_time_out && !me->timed_out;
  me->may_time_out = may_time_out(kind);
  return waited || (!me->may_time_out && !only_looks(kind));
}

/* Whether somebody who has slept or waited for long will go on one day. */
static bool somebody_sleeps (Sim *sim) {
  for (int i = 0; i < sim->parked_count; i++)
    if (sim->parked[i]->order < sim->halfway && sim->parked[i]->deadline != FOREVER) return true;
  return false;
}

/* Threads that only look at things: let time pass for the others; if nobody waits for it they will look for ever. */
static void watch_idling (Sim *sim, SimThread *me, OpKind kind) {
  bool looking;
  if (++sim->busy % BUSY_TICK == 0) pass_busy_time(sim);
  if (makes_progress(me, kind)) sim->idle = sim->looks = -1;
  sim->idle++;
  if (++sim->looks % LOOKS_MOST == LOOKS_MOST / 2) sim->halfway = sim->parkings;
  if (sim->idle >= IDLE_TICK && sim->idle % IDLE_TICK == 0 && pass_time(sim)) return;
  looking = sim->looks >= LOOKS_MOST && sim->looks % LOOKS_MOST == 0 && !somebody_sleeps(sim);
  if (!looking && sim_steps(sim) < sim->options.operations) return;
  sim->report->text = livelock_text(&sim->world, looking);
  sim_leave(sim, SIM_LIVELOCK);
}

static void sim_announce (Thread *self, const Op *op) {
  Sim *sim = sim_of(self->object.world);
  SimThread *me = self->driver_data;
  bool is_output = op->kind == OP_OUTPUT;
  if (me != sim->current) return; /* after the end of its thread: finalisers of a closing state */
  atomic_store_explicit(&sim->watched.steps, sim_steps(sim) + 1, memory_order_relaxed);
  self->at = op->L;
  if (op->kind == OP_CLOCK) poll_clock(sim);
  watch_idling(sim, me, op->kind);
  if (preempts(sim, me, is_output)) give_up_turn(sim, me);
  if (is_output) me->outputs++;
  else {
    me->operations++;
    me->outputs = 0;
  }
}

/*
** The rest of the door.
*/

static void sim_park (Thread *self, Nanos deadline) {
  Sim *sim = sim_of(self->object.world);
  SimThread *me = self->driver_data;
  me->timed_out = deadline <= sim->now;
  if (atomic_exchange(&self->spot->token, 0) == 1 || me->timed_out) return;
  sim_note_turn(sim, me, false);
  me->state = SIM_THREAD_PARKED;
  me->deadline = deadline;
  me->order = sim->parkings++;
  me->looked_at = false;
  push(sim, &sim->parked, &sim->parked_count, &sim->parked_capacity, me);
  schedule_next(sim);
  atomic_store(&self->spot->token, 0);
}

static void sim_unpark (Spot *spot) {
  SimThread *st = spot->fibre;
  atomic_store(&spot->token, 1);
  if (st != NULL && st->state == SIM_THREAD_PARKED)
    make_ready(sim_of(st->thread->object.world), st);
}

static Nanos sim_now (World *world) { return sim_of(world)->now; }
static Nanos sim_time (World *world) {
  Nanos now = sim_of(world)->now;
  return now < FOREVER - SIM_EPOCH ? SIM_EPOCH + now : FOREVER;
}

static lua_State *sim_open (Thread *t, lua_State *parent) {
  Sim *sim = sim_of(t->object.world);
  SimThread *st =
      sim_thread_take(sim->room, sim->current != NULL ? &sim->current->fibre : &sim->outside);
  if (st == NULL) return NULL;
  sim_thread_seed(st, t->serial);
  st->thread = t;
  st->timed_out = st->may_time_out = false;
  t->driver_data = st;
  t->spot->fibre = st;
  if (parent != NULL) state_inherit(parent, st->L);
  return st->L;
}

static void sim_close (Thread *t, lua_State *L) {
  SimThread *st = t->driver_data;
  if (sim_of(t->object.world)->options.tidy || t->has_finalisers) lua_close(L);
  if (st->state == SIM_THREAD_TAKEN) st->state = SIM_THREAD_FREE; /* the thread was never started */
}

/* A thread's fibre, from its first to its last turn. */
static void run_fibre (void *ud) {
  SimThread *st = ud;
  Sim *sim = sim_of(st->thread->object.world);
  object_keep(&st->thread->object); /* for the note of its last turn */
  thread_body(st->thread);
  sim_note_turn(sim, st, false);
  object_drop(&st->thread->object);
  st->state = SIM_THREAD_FREE;
  schedule_next(sim);
  abort();
}

static int sim_spawn (Thread *t) {
  SimThread *st = t->driver_data;
  atomic_store(&t->native_id, (int)number_of(st) + 1);
  fibre_start(&st->fibre, run_fibre, st);
  make_ready(sim_of(t->object.world), st);
  return 0;
}

static void sim_poke (Thread *t) {
  if (t->running != NULL) thread_arm(t, t->running);
}

static void capture (Sim *sim, const char *text, size_t length) {
  SimReport *r = sim->report;
  if (r->output_length + length > sim->output_capacity) {
    size_t capacity = 2 * sim->output_capacity + length + 256;
    char *grown = realloc(r->output, capacity);
    if (grown == NULL) sim_leave(sim, SIM_NO_MEMORY);
    r->output = grown;
    sim->output_capacity = capacity;
  }
  memcpy(r->output + r->output_length, text, length);
  r->output_length += length;
}

static bool sim_write (World *world, int stream, const char *text, size_t length) {
  Sim *sim = sim_of(world);
  FILE *f = stream == 1 ? stdout : stderr;
  if (sim->options.capture) {
    capture(sim, text, length);
    return true;
  }
  if (stream == 2) fflush(stdout); /* both in the order of the run */
  return fwrite(text, 1, length, f) == length;
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
                           .now = sim_now,
                           .time = sim_time,
                           .open = sim_open,
                           .close = sim_close,
                           .spawn = sim_spawn,
                           .poke = sim_poke,
                           .write = sim_write,
                           .exit = sim_exit};

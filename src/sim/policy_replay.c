/*
** policy_replay.c - a run as a schedule says, and round robin after its end.
**
** A script may have been edited since the schedule was written. So a turn that
** was preempted ends only where the next thread of the schedule can run; the
** run then goes another way for a while, and `strayed` remembers the first turn
** that ended by itself before it had done what the schedule says.
*/
#include <stdio.h>
#include <string.h>

#include "observe/deadlock.h"
#include "sim/private.h"
#include "thread/name.h"

#define ROUNDS 1000 /* of turns that come again: then they do so for ever */

/* The turn that comes next, or NULL after the end of the schedule. */
static const Turn *next_turn (Sim *sim) {
  const Schedule *s = sim->options.schedule;
  return sim->replay.turn < s->count ? &s->turns[sim->replay.turn] : NULL;
}

/* The turn that is being replayed, or NULL. */
static const Turn *current_turn (Sim *sim) {
  const Schedule *s = sim->options.schedule;
  size_t turn = sim->replay.current;
  return turn > 0 && turn <= s->count ? &s->turns[turn - 1] : NULL;
}

/* The run goes round for ever; its schedule is the one that is repeated. */
static _Noreturn void go_round (Sim *sim) {
  const Schedule *s = sim->options.schedule;
  schedule_clear(&sim->report->schedule);
  for (size_t i = 0; i < s->count; i++)
    if (!schedule_add(&sim->report->schedule, s->turns[i])) sim_leave(sim, SIM_NO_MEMORY);
  sim->report->text = livelock_text(&sim->world, "round");
  sim_leave(sim, SIM_LIVELOCK);
}

/* What comes next is a turn again, or nothing. */
static void skip_marks (Sim *sim) {
  const Turn *turn;
  while ((turn = next_turn(sim)) != NULL && turn->mark != 0) {
    sim->replay.turn++;
    if (turn->mark == '(') {
      sim->replay.round = sim->replay.turn;
      sim->replay.rounds = 0;
    }
    else if (++sim->replay.rounds < ROUNDS) sim->replay.turn = sim->replay.round;
  }
}

/* The next turn begins. */
static void take_turn (Sim *sim) {
  sim->replay.current = ++sim->replay.turn;
  skip_marks(sim);
}

/* Leaves the run where its turns have come again often enough. */
static void leave_round (Sim *sim) {
  if (sim->replay.rounds == ROUNDS) go_round(sim);
}

static void say_cannot_follow (Sim *sim, const char *why) {
  char text[256];
  snprintf(text, sizeof text, "cannot follow the schedule at its turn %zu: %s",
           sim->replay.turn + 1, why);
  sim->report->verdict = SIM_CANNOT_FOLLOW;
  sim->report->text = strdup(text);
}

static _Noreturn void cannot_follow (Sim *sim, const char *why) {
  say_cannot_follow(sim, why);
  sim_leave(sim, SIM_CANNOT_FOLLOW);
}

static _Noreturn void cannot_run (Sim *sim, uint64_t thread) {
  char name[64] = "", text[160];
  const char *why = "has not been started, or has ended";
  for (int i = 0; i < sim->parked_count; i++)
    if (sim_thread_number(sim->parked[i]) == thread) {
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
    if (sim_thread_number(sim->ready[i]) == thread) return i;
  return -1;
}

/* Whether the thread that the schedule names next could run now, in the place of `me`. */
static bool next_can_run (Sim *sim, const SimThread *me) {
  const Turn *next = next_turn(sim);
  return next == NULL || next->tick || next->thread == sim_thread_number(me)
         || index_of_ready(sim, next->thread) >= 0;
}

static bool begin (Sim *sim) {
  const Turn *turn;
  sim->replay = (Replay){.turn = 0};
  sim->world.ends_aloud = true; /* as in the search that the schedule may come from */
  skip_marks(sim);
  turn = next_turn(sim);
  if (turn == NULL) return true;
  if (turn->tick || turn->thread != 0) {
    say_cannot_follow(sim, "the first turn is thread 0 (MainThread)");
    return false;
  }
  take_turn(sim);
  return true;
}

static bool before_op (Sim *sim, SimThread *me, const Op *op) {
  const Turn *turn = current_turn(sim);
  bool lost = turn != NULL && turn->preempted && me->operations >= turn->operations
              && (op->kind != OP_OUTPUT || me->outputs >= turn->outputs) && next_can_run(sim, me);
  me->pending = lost ? op : NULL; /* it lies on the stack of a thread that goes on */
  return lost;
}

/*
** To the next deadline, also of a thread that has lost its turn in front of a wait that has
** one: a search may let the clock overtake it. False: there is none.
*/
static bool tick (Sim *sim) {
  Nanos next = sim_next_deadline(sim);
  bool early = false;
  for (int i = 0; i < sim->ready_count; i++) {
    const Op *op = sim->ready[i]->pending;
    if (op == NULL || op->until <= sim->now || op->until >= next) continue;
    next = op->until;
    early = true;
  }
  if (!early) return sim_tick(sim);
  sim_tick_to(sim, next);
  return true;
}

/* The clock goes on where the schedule says so. */
static void before_turn (Sim *sim) {
  const Turn *turn;
  leave_round(sim);
  while ((turn = next_turn(sim)) != NULL && turn->tick) {
    if (!tick(sim)) cannot_follow(sim, "there is no deadline for the clock to go to");
    take_turn(sim);
  }
}

static int next (Sim *sim) {
  const Turn *turn = next_turn(sim);
  int i;
  if (turn == NULL) {
    sim->replay.turn = sim->replay.current = sim->options.schedule->count + 1;
    return 0;
  }
  i = index_of_ready(sim, turn->thread);
  if (i < 0 && sim_settles(sim, turn->thread)) i = sim->ready_count - 1; /* others stood */
  if (i < 0) cannot_run(sim, turn->thread);
  sim->ready[i]->pending = NULL;
  take_turn(sim);
  return i;
}

static void turn_over (Sim *sim, SimThread *st, bool preempted) {
  const Turn *turn = current_turn(sim);
  (void)st;
  if (turn != NULL && turn->preempted && !preempted && sim->replay.strayed == 0)
    sim->replay.strayed = sim->replay.current;
}

/* A run that ended well before its schedule did is worth a word: it may be another program's. */
static void ended (Sim *sim) {
  size_t turns = sim->options.schedule->count;
  char text[128];
  if (sim->replay.turn < turns)
    snprintf(text, sizeof text, "the run ended after turn %zu of the %zu of its schedule",
             sim->replay.turn, turns);
  else if (sim->replay.strayed > 0)
    snprintf(text, sizeof text, "turn %zu of the schedule was longer than the run's",
             sim->replay.strayed);
  else return;
  sim->report->text = strdup(text);
}

const SimPolicy policy_replay = {.begin = begin,
                                 .before_op = before_op,
                                 .before_turn = before_turn,
                                 .next = next,
                                 .turn_over = turn_over,
                                 .ended = ended};

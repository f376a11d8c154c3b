/*
** pace.c - when the clock goes on although a thread can run, and when threads
** run in vain.
**
** A virtual clock stands still while a thread can run. Some programs would then
** wait for ever for a time that never comes, so operations take time where they
** are very many:
**
**   what the threads do               once there are so many          the clock goes on
**   ------------------------------    ----------------------------    ------------------------------------------
**   read the clock                    READINGS since it moved         with each reading, by 1 ns, 2 ns, 4 ns … up
**                                                                     to READING_STEP_MOST, times two for each
**                                                                     PATIENT_LOOKS looks in a row
**   operations that change nothing    each LOOKS_TICK in a row        to the next deadline
**   operations of any kind, and       each BUSY_TICK in a row         by a second, after PATIENT_TICKS of them by
**   some thread is always ready                                       2 s, 4 s …, but at most to the next deadline
**
** "Reads the clock" is polling: a program that polls for hours of virtual time
** gets there in millions of readings. "Changes nothing" is a look: a test of a
** flag, a try that failed, a wait that timed out (`op_info` knows the kinds).
**
** A livelock is LIVELOCK_LOOKS looks in a row, unless a thread that has waited
** since half of them still has a deadline to come; or more operations in all
** than the options allow.
*/
#include "sim/private.h"

#define READINGS 64
#define READING_STEP_MOST 1000000 /* nanoseconds */
#define PATIENT_LOOKS 1000000
#define LOOKS_TICK 1000
#define BUSY_TICK 1000000
#define PATIENT_TICKS 16
#define LIVELOCK_LOOKS 10000000
#define DOUBLINGS_MOST 30 /* of a step: a second is 34 years then, a millisecond 12 days */

void pace_clock_moved (Sim *sim) { sim->pace.readings = sim->pace.looks = 0; }
void pace_break (Sim *sim) { sim->pace.busy = 0; }

static Nanos doubled (Nanos step, long times) {
  if (times <= 0) return step;
  return step << (times < DOUBLINGS_MOST ? times : DOUBLINGS_MOST);
}

/* A thread reads the clock once more. */
static void read_clock (Sim *sim) {
  Pace *p = &sim->pace;
  long extra = ++p->readings - READINGS;
  Nanos step, next;
  if (extra <= 0) return;
  step = extra < 20 ? (Nanos)1 << extra : READING_STEP_MOST;
  if (step > READING_STEP_MOST) step = READING_STEP_MOST;
  step = doubled(step, p->all_looks / PATIENT_LOOKS);
  if (step > FOREVER - 1 - sim->now) step = FOREVER - 1 - sim->now;
  next = sim_next_deadline(sim);
  if (next <= sim->now + step) {
    long readings = p->readings;
    sim_set_clock(sim, next);
    p->readings = readings; /* the poller has not found what it looks for: the pace stays */
  }
  else {
    sim->now += step;
    sim_record_clock(sim, sim->now - step);
  }
}

/*
** Threads have been at work for long without a break; if others wait for their time to
** come, some passes.
*/
static void pass_busy_time (Sim *sim) {
  Nanos next = sim_next_deadline(sim);
  Nanos step = doubled(NANOS, sim->pace.busy / BUSY_TICK - PATIENT_TICKS);
  if (next == FOREVER) return;
  if (next - sim->now <= step) sim_set_clock(sim, next);
  else {
    sim->now += step;
    sim_record_clock(sim, sim->now - step);
  }
}

/*
** Whether `me` has changed something with its last operation, or is about to.
** What may time out counts afterwards only, when it is known whether it did.
*/
static bool makes_progress (SimThread *me, OpKind kind) {
  bool waited = me->may_time_out && !me->timed_out;
  unsigned flags = op_info[kind].flags;
  me->may_time_out = (flags & OP_TIMED) != 0;
  return waited || (flags & (OP_TIMED | OP_LOOKS)) == 0;
}

/* Whether a thread that has waited since half of the looks will go on one day. */
static bool somebody_sleeps (Sim *sim) {
  for (int i = 0; i < sim->parked_count; i++)
    if (sim->parked[i]->order < sim->pace.halfway && sim->parked[i]->deadline != FOREVER)
      return true;
  return false;
}

/* Whether the threads have only looked for so long that they will do so for ever. */
static bool only_look_for_ever (Sim *sim) {
  Pace *p = &sim->pace;
  if (p->all_looks == 0 || p->all_looks % (LIVELOCK_LOOKS / 2) != 0) return false;
  if (p->all_looks % LIVELOCK_LOOKS == 0) return !somebody_sleeps(sim);
  p->halfway = sim->parkings;
  return false;
}

PaceVerdict pace_operation (Sim *sim, SimThread *me, const Op *op) {
  Pace *p = &sim->pace;
  bool in_vain;
  if (sim->options.policy->searches) return PACE_FINE;
  if (op->kind == OP_CLOCK) read_clock(sim);
  if (++p->busy % BUSY_TICK == 0) pass_busy_time(sim);
  if (makes_progress(me, op->kind)) p->looks = p->all_looks = 0;
  else {
    p->looks++;
    p->all_looks++;
  }
  in_vain = only_look_for_ever(sim);
  if (p->looks > 0 && p->looks % LOOKS_TICK == 0 && sim_pass_time(sim)) return PACE_FINE;
  if (in_vain) return PACE_ONLY_LOOKS;
  return sim_steps(sim) < sim->options.operations ? PACE_FINE : PACE_TOO_LONG;
}

/*
** policy_steps.c - each thread is held in front of its operation until it is told
** to go on from outside; and the calls that tell it so (see steps.h).
**
** A step is a switch from the outside to a thread, and from the last thread that
** had something to do back to the outside. That thread stands in schedule_next
** until it is stepped itself.
*/
#include <string.h>

#include "base/source_line.h"
#include "sim/private.h"
#include "sim/steps.h"

#define ABOVE 60

/* Overwrites the slots above the top of a Lua stack, where calls that are over have left their values. */
static void clear_above (lua_State *L) {
  int top = lua_gettop(L);
  if (!lua_checkstack(L, ABOVE)) return;
  for (int i = 0; i < ABOVE; i++) lua_pushinteger(L, 0);
  lua_settop(L, top);
}

static bool before_op (Sim *sim, SimThread *me, const Op *op) {
  me->pending = op;
  if (!sim->unwiped) clear_above(op->L);
  /* nothing that a thread could see depends on a print */
  return op->kind != OP_OUTPUT || sim->options.outputs;
}

/* Threads that have been woken or started run on at once; then it is the outside's turn. */
static int next (Sim *sim) { return sim->ready_count > 0 ? 0 : -1; }

const SimPolicy policy_steps = {.before_op = before_op, .next = next, .searches = true};

/*
** The calls.
*/

/* Runs the world from `st` on until all threads stand. */
static void enter (Sim *sim, SimThread *st) {
  World *outside = world_here;
  bool unmarked = source_line_unmarked, ignored = thread_copy_ignored;
  world_here = &sim->world;
  source_line_unmarked = sim->unmarked;
  thread_copy_ignored = sim->ignores_copies;
  sim_switch_to(sim, &sim->outside, st);
  source_line_unmarked = unmarked;
  thread_copy_ignored = ignored;
  thread_self = sim->outside_thread;
  world_here = outside;
}

Sim *sim_begin (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
                SimReport *report) {
  SimOptions stepped = *options;
  World *outside = world_here;
  Sim *sim;
  stepped.policy = &policy_steps;
  sim = sim_open(&stepped, body, ud, report);
  world_here = outside;
  if (sim == NULL) return NULL;
  enter(sim, sim->current);
  return sim;
}

bool sim_is_over (const Sim *sim) { return sim->over; }
bool sim_is_foreign (const Sim *sim) { return sim->foreign; }

int sim_thread_count (const Sim *sim) { return (int)atomic_load(&sim->world.serials); }

/* The thread with that number, or NULL: it has not been started, or has ended. */
static SimThread *find (const Sim *sim, int thread) {
  return thread < sim->numbered ? sim->by_number[thread] : NULL;
}

Thread *sim_thread_of (const Sim *sim, int thread) {
  const SimThread *st = find(sim, thread);
  return st != NULL ? st->thread : NULL;
}

SimStand sim_stand (const Sim *sim, int thread, Thread **t) {
  const SimThread *st = find(sim, thread);
  *t = st != NULL ? st->thread : NULL;
  if (st == NULL) return SIM_ELSEWHERE;
  return st->state == SIM_THREAD_HELD     ? SIM_HELD
         : st->state == SIM_THREAD_PARKED ? SIM_PARKED
                                          : SIM_ELSEWHERE;
}

uint64_t sim_changes (const Sim *sim) { return sim->changes; }

const Op *sim_pending (const Sim *sim, int thread) {
  const SimThread *st = find(sim, thread);
  return st != NULL && st->state == SIM_THREAD_HELD ? st->pending : NULL;
}

bool sim_is_parked (const Sim *sim, int thread, Nanos *deadline) {
  const SimThread *st = find(sim, thread);
  if (st == NULL || st->state != SIM_THREAD_PARKED) return false;
  *deadline = st->deadline;
  return true;
}

const uint32_t *sim_stood (const Sim *sim, int thread) {
  const SimThread *st = find(sim, thread);
  return st != NULL && (st->stood[0] != 0 || st->stood[1] != 0) ? st->stood : NULL;
}

void sim_step (Sim *sim, int thread) {
  SimThread *st = find(sim, thread);
  if (st == NULL || st->state != SIM_THREAD_HELD) return;
  st->stood[0] = st->stood[1] = 0;
  enter(sim, st);
}

bool sim_step_clock (Sim *sim) {
  if (!sim_tick(sim)) return false;
  if (sim->ready_count > 0) enter(sim, sim_take_ready(sim, 0));
  return true;
}

void sim_wipe (Sim *sim, bool wipe) { sim->unwiped = !wipe; }

void sim_mark_places (Sim *sim, bool mark) { sim->unmarked = !mark; }

void sim_look_at_copies (Sim *sim, bool look) { sim->ignores_copies = !look; }

Nanos sim_clock (const Sim *sim) { return sim->now; }
World *sim_world (Sim *sim) { return &sim->world; }

void sim_end (Sim *sim) { sim_close(sim); }

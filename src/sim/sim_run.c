/*
** sim_run.c - one run of a simulated world: its beginning, its end, and what
** must not be left behind.
*/
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "message/message.h"
#include "observe/copies.h"
#include "observe/dump.h"
#include "observe/race.h"
#include "observe/recorder.h"
#include "observe/sigquit.h"
#include "real/real_driver.h"
#include "sim/private.h"
#include "sim/sim_stdlib.h"
#include "thread/name.h"

#define OPERATIONS_MOST 100000000

/*
** Loops without operations. The watchdog's signal is meant for the thread that runs.
*/

/* Leaves the run for good from within the signal handler. */
static void leave_loop (Sim *sim, Thread *self, bool is_whole) {
  sigset_t poke;
  sigemptyset(&poke);
  sigaddset(&poke, SIGURG);
  if (!is_whole)
    self->running = NULL; /* its stack is not to be looked at between two instructions */
  pthread_sigmask(SIG_UNBLOCK, &poke, NULL);
  sim_loops(sim, self);
}

static void poked (Thread *self, const void *code) {
  Sim *sim = sim_of(self->object.world);
  bool in_library;
  if (sim->options.interactive || !watchdog_dooms(&sim->watched)) return;
  atomic_fetch_or(&self->alerts, ALERT_LOOP);
  if (watchdog_leaves(&sim->watched, code, &in_library)) leave_loop(sim, self, in_library);
}

void sim_loops (Sim *sim, Thread *self) {
  char *text = watchdog_text(&sim->watched, self);
  self->at = self->running;
  sim->report->text = dump_report(&sim->world, "loop", text != NULL ? text : "");
  free(text);
  sim_leave(sim, SIM_LIVELOCK);
}

/* The hook of a doomed run. ALERT_LOOP stays set, so that each coroutine that runs gets it. */
static void sample (lua_State *L, lua_Debug *ar) {
  Sim *sim = sim_of(thread_self->object.world);
  if (watchdog_sample(&sim->watched, L, ar)) sim_loops(sim, thread_self);
}

static void alerted (lua_State *L, Thread *self) {
  World *world = self->object.world;
  Sim *sim = sim_of(world);
  unsigned signals = atomic_exchange(&world->signals, 0);
  if (signals & ALERT_QUIT) sigquit_simulated(self);
  if (signals & ALERT_BREAK) {
    thread_alert(world->main, ALERT_SIGNAL);
    sim_driver.poke(world->main);
    if (sim->options.interactive) sim_let_main_run(sim);
  }
  if (atomic_load(&self->alerts) & ALERT_LOOP) lua_sethook(L, sample, LUA_MASKCOUNT, 1);
}

static const Observer sim_observer = {
    .poked = poked, .alerted = alerted, .changed = copies_changed};

/*
** The run.
*/

/* The end of main's state, as at the end of a program. */
static void close_main (Sim *sim, lua_State *L) {
  if (!sim->options.tidy && !thread_self->has_finalisers) return;
  thread_self->running = NULL;
  if (sim->options.policy->searches) sim_stdlib_keep_libraries(L);
  lua_close(L);
}

/*
** Whether the end of the program is a step of its own: it stops daemons wherever they stand. To a
** search it is one also where they have ended, as it might have come before what they did; where
** they start others it is that main waits for all.
*/
static bool is_step (const Sim *sim, int daemons) {
  if (sim->options.policy->searches)
    return daemons >= 0 && sim->world.had_daemons && !sim->world.ends_aloud;
  return daemons > 0;
}

/* Joins all but daemons; returns how many of these there are, or -1: interrupted. */
static int end_program (Sim *sim, lua_State *L) {
  int daemons = thread_join_all(L), others;
  while (is_step(sim, daemons)) {
    Thread *t;
    announce(L, OP_EXIT, NULL);
    t = thread_list_foreground(&sim->world, &others);
    if (t == NULL) break;
    object_drop(&t->object); /* a daemon has started it just now */
    daemons = thread_join_foreground(L);
  }
  return daemons;
}

static void run_main (void *ud) {
  Sim *sim = ud;
  lua_State *L = thread_self->L;
  sim->report->status = sim->body(L, sim->ud);
  if (end_program(sim, L) < 0) {
    fputs("luasync: interrupted!\n", stderr);
    sim->report->status = 1;
  }
  sim_warn_of_circles(sim);
  close_main(sim, L); /* whose finalisers may act */
  thread_record_end(thread_self);
  sim_note_turn(sim, sim->current, false);
  sim_leave(sim, SIM_DONE);
}

static bool start_main (Sim *sim) {
  Thread *main = thread_attach_main(&sim->world);
  lua_State *L;
  if (main == NULL) return false;
  thread_self = sim->outside_thread; /* a new state is made on behalf of the caller */
  L = sim_driver.open(main, NULL);
  thread_self = main;
  if (L == NULL) return false;
  main->L = main->running = L;
  atomic_store(&main->native_id, 1);
  return true;
}

/* Makes the main thread; it is `current` and has yet to run. False: no memory. */
static bool prepare_main (Sim *sim) {
  SimThread *st;
  fibre_outside(&sim->outside);
  if (!start_main(sim)) return false;
  st = thread_self->driver_data;
  fibre_start(&st->fibre, run_main, sim);
  sim->current = st;
  return true;
}

/*
** A signal that came too late for this world is for the thread that waits outside; so is what
** others want of that thread.
*/
static void pass_signals (Sim *sim) {
  unsigned signals = atomic_load(&sim->world.signals);
  Thread *self = thread_self;
  if (signals & ALERT_BREAK) real_interrupt(SIGINT);
  if (signals & ALERT_QUIT) sigquit_ask();
  if (self != NULL && self->running != NULL && atomic_load(&self->alerts) != 0)
    thread_arm(self, self->running);
}

static Sim *new_sim (const SimOptions *options, SimReport *report) {
  Sim *sim = calloc(1, sizeof *sim);
  if (sim == NULL) return NULL;
  sim->pool = sim_pool_take(sim_stdlib_equip);
  if (sim->pool == NULL) {
    free(sim);
    return NULL;
  }
  world_init(&sim->world, &sim_driver);
  sim->world.observer = &sim_observer;
  sim->world.silent_deadlocks = options->silent;
  if (thread_self != NULL)
    atomic_init(&sim->world.silent_copies, atomic_load(&thread_self->object.world->silent_copies));
  sim->options = *options;
  if (sim->options.operations == 0)
    sim->options.operations = options->interactive ? LONG_MAX : OPERATIONS_MOST;
  sim->outside_thread = thread_self;
  world_here = &sim->world;
  memset(report, 0, sizeof *report);
  report->closed = true;
  sim->report = report;
  if (options->record) recorder_start(&sim->world, 0, true);
  if (options->races) sim->races = race_watch(&sim->world);
  return sim;
}

bool sim_hush (bool on) {
  Sim *sim;
  bool before;
  if (!sim_inside()) return false;
  sim = sim_of(thread_self->object.world);
  before = sim->checking;
  sim->checking = on;
  return before;
}

/*
** Nothing of the world runs any more. All that it has made goes with its memory, but
** main's outcome, which may be for the world outside.
*/
static void world_done (World *world) {
  if (world->main != NULL) message_free(world->main->outcome);
  pthread_mutex_destroy(&world->mu);
  atomic_fetch_sub(&worlds_observed, 1);
}

void sim_close (Sim *sim) {
  if (!sim->options.interactive) watchdog_end(&sim->watched);
  if (sim->current != NULL) fibre_outside_done(&sim->outside);
  if (sim->report->verdict == SIM_DONE && sim->options.policy->ended != NULL)
    sim->options.policy->ended(sim);
  sim->report->elapsed = sim->now;
  sim->report->recorder = recorder_detach(&sim->world);
  sim->report->steps = sim_steps(sim);
  if (sim->world.first_error != NULL) sim->report->first_error = strdup(sim->world.first_error);
  sim->report->errors_untaken = atomic_load(&sim->world.errors_untaken);
  sim_close_files(sim, NULL);
  thread_self = sim->outside_thread;
  world_here = sim_inside() ? thread_self->object.world : NULL;
  pass_signals(sim);
  world_done(&sim->world);
  race_free(sim->races);
  sim_pool_leave(sim->pool);
  free(sim);
}

Sim *sim_open (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
               SimReport *report) {
  Sim *sim = new_sim(options, report);
  if (sim == NULL) return NULL;
  sim->body = body;
  sim->ud = ud;
  if (!options->interactive)
    watchdog_begin(&sim->watched, options->policy->searches, options->hurry);
  if (prepare_main(sim)) return sim;
  sim_close(sim);
  sim_report_free(report);
  return NULL;
}

bool sim_run (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
              SimReport *report) {
  Sim *sim = sim_open(options, body, ud, report);
  const SimPolicy *policy = options->policy;
  if (sim == NULL) return false;
  if (policy->begin == NULL || policy->begin(sim)) sim_switch_to(sim, &sim->outside, sim->current);
  sim_close(sim);
  return true;
}

void sim_report_free (SimReport *report) {
  schedule_clear(&report->schedule);
  free(report->output);
  free(report->text);
  free(report->first_error);
  recorder_free(report->recorder);
  memset(report, 0, sizeof *report);
}

/*
** The C library's time(), in a program linked with --wrap=time: Lua mixes it
** into its hash seed, which must be the same in every process, and os.time asks it.
*/
time_t __wrap_time (time_t *t);
time_t __wrap_time (time_t *t) {
  struct timespec ts;
  if (sim_thread_building) ts.tv_sec = SIM_EPOCH / NANOS;
  else if (sim_inside()) ts.tv_sec = sim_driver.time(thread_self->object.world) / NANOS;
  else clock_gettime(CLOCK_REALTIME, &ts);
  if (t != NULL) *t = ts.tv_sec;
  return ts.tv_sec;
}

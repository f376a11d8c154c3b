/*
** sim_run.c - one run of a simulated world: its beginning, its end, and what
** must not be left behind.
*/
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "message/message.h"
#include "observe/dump.h"
#include "real/real_driver.h"
#include "sim/private.h"
#include "sim/sim_stdlib.h"
#include "thread/name.h"

#define OPERATIONS_MOST 100000000

/*
** Loops without operations. The watchdog's signal is meant for whoever runs.
*/

static void poked (Thread *self, bool resting) {
  (void)resting;
  if (watchdog_suspects(&sim_of(self->object.world)->watched))
    atomic_fetch_or(&self->alerts, ALERT_LOOP);
}

static void loops (Thread *self, char *text) {
  Sim *sim = sim_of(self->object.world);
  self->at = self->running;
  sim->report->text = dump_report(&sim->world, "loop", text);
  free(text);
  sim_leave(sim, SIM_LIVELOCK);
}

static void alerted (lua_State *L, Thread *self) {
  World *world = self->object.world;
  unsigned signals = atomic_exchange(&world->signals, 0);
  if (signals & ALERT_QUIT) dump_simulated(self);
  if (signals & ALERT_BREAK) {
    thread_alert(world->main, ALERT_SIGNAL);
    sim_driver.poke(world->main);
  }
  if (atomic_load(&self->alerts) & ALERT_LOOP)
    watchdog_count(L, self, &sim_of(world)->watched, loops);
}

static const Observer sim_observer = {.poked = poked, .alerted = alerted};

/*
** The run.
*/

/* The end of main's state, as at the end of a program. */
static void close_main (Sim *sim, lua_State *L) {
  if (!sim->options.tidy && !thread_self->has_finalisers) return;
  thread_self->running = NULL;
  lua_close(L);
}

static void run_main (void *ud) {
  Sim *sim = ud;
  lua_State *L = thread_self->L;
  sim->report->status = sim->body(L, sim->ud);
  if (thread_join_all(L) < 0) {
    fputs("luasync: interrupted!\n", stderr);
    sim->report->status = 1;
  }
  sim_warn_of_circles(sim);
  close_main(sim, L);
  sim_note_turn(sim, sim->current, false);
  sim_leave(sim, SIM_DONE);
}

static bool start_main (Sim *sim) {
  Thread *main = thread_attach_main(&sim->world);
  lua_State *L;
  if (main == NULL) return false;
  thread_self = sim->outside_thread; /* a new seat's state is made on behalf of the caller */
  L = sim_driver.open(main, NULL);
  thread_self = main;
  if (L == NULL) return false;
  main->L = main->running = L;
  atomic_store(&main->native_id, 1);
  return true;
}

static const char no_main[] =
    "cannot follow the schedule at its turn 1: the first turn is thread 0 (MainThread)";

static bool run (Sim *sim) {
  SimThread *st;
  fibre_outside(&sim->outside);
  if (!start_main(sim)) return false;
  st = thread_self->driver_data;
  fibre_start(&st->fibre, run_main, sim);
  st->state = SIM_THREAD_RUNNING;
  sim->current = st;
  if (sim_first_turn(sim)) fibre_switch(&sim->outside, &st->fibre);
  else {
    sim->report->verdict = SIM_CANNOT_FOLLOW;
    sim->report->text = strdup(no_main);
  }
  fibre_outside_done(&sim->outside);
  return true;
}

/* A signal that came too late for this world is for whoever waits outside; so is what others want of that thread. */
static void pass_signals (Sim *sim) {
  unsigned signals = atomic_load(&sim->world.signals);
  Thread *self = thread_self;
  if (signals & ALERT_BREAK) real_interrupt(SIGINT);
  if (signals & ALERT_QUIT) dump_ask();
  if (self != NULL && self->running != NULL && atomic_load(&self->alerts) != 0)
    thread_arm(self, self->running);
}

static Sim *new_sim (const SimOptions *options, SimReport *report) {
  Sim *sim = calloc(1, sizeof *sim);
  if (sim == NULL) return NULL;
  sim->room = sim_pool_take(sim_stdlib_equip);
  if (sim->room == NULL) {
    free(sim);
    return NULL;
  }
  world_init(&sim->world, &sim_driver);
  sim->world.observer = &sim_observer;
  sim->world.owns = true;
  sim->world.silent_deadlocks = options->silent;
  sim->options = *options;
  if (sim->options.operations == 0) sim->options.operations = OPERATIONS_MOST;
  sim->random = options->seed;
  sim->picked = -1;
  sim->outside_thread = thread_self;
  world_here = &sim->world;
  memset(report, 0, sizeof *report);
  report->closed = true;
  sim->report = report;
  return sim;
}

/* A run that ended well before its schedule did is worth a word: it may be another program's. */
static void note_rest (Sim *sim) {
  size_t turns = sim->options.policy == SIM_REPLAY ? sim->options.schedule->count : 0;
  char text[128];
  if (sim->report->verdict != SIM_DONE) return;
  if (sim->turn < turns)
    snprintf(text, sizeof text, "the run ended after turn %zu of the %zu of its schedule",
             sim->turn, turns);
  else if (sim->strayed > 0)
    snprintf(text, sizeof text, "turn %zu of the schedule was longer than the run's", sim->strayed);
  else return;
  sim->report->text = strdup(text);
}

/* Frees what is in the world; nothing of it runs any more. */
static void world_done (World *world) {
  message_free(world->excepthook);
  world->excepthook = NULL;
  cleanup_release_all(&world->cleanups);
  object_free_all(world);
  message_free_all(world);
  thread_graves_free(world);
  pthread_mutex_destroy(&world->mu);
  if (world->driver->announce != NULL) atomic_fetch_sub(&worlds_observed, 1);
}

static void free_sim (Sim *sim) {
  note_rest(sim);
  sim->report->elapsed = sim->now;
  sim->report->steps = sim_steps(sim);
  sim->report->errors_untaken = atomic_load(&sim->world.errors_untaken);
  sim_close_files(sim);
  thread_self = sim->outside_thread;
  world_here = sim_inside() ? thread_self->object.world : NULL;
  pass_signals(sim);
  world_done(&sim->world);
  sim_pool_leave(sim->room);
  free(sim->ready);
  free(sim->parked);
  free(sim);
}

bool sim_run (const SimOptions *options, int (*body)(lua_State *L, void *ud), void *ud,
              SimReport *report) {
  Sim *sim = new_sim(options, report);
  bool ran;
  if (sim == NULL) return false;
  sim->body = body;
  sim->ud = ud;
  watchdog_begin(&sim->watched);
  ran = run(sim);
  watchdog_end(&sim->watched);
  free_sim(sim);
  if (!ran) sim_report_free(report);
  return ran;
}

void sim_report_free (SimReport *report) {
  schedule_clear(&report->schedule);
  free(report->output);
  free(report->text);
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

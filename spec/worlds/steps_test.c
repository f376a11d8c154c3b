/*
** steps_test.c - moves simulated worlds by the calls of sim/steps.h and prints
** what it sees; steps_spec.lua runs it and reads that.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "module/luasync.h"
#include "module/program.h"
#include "sim/steps.h"

static int run_text (lua_State *L, void *ud) {
  if (luaL_dostring(L, ud) == LUA_OK) return 0;
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  return 1;
}

static Sim *begin (const char *text, SimReport *report) {
  SimOptions options = {.capture = true, .silent = true};
  Sim *sim = sim_begin(&options, run_text, (void *)text, report);
  if (sim == NULL) abort();
  return sim;
}

/* "0:start 1:acquire 2:parked" */
static void show (Sim *sim) {
  for (int i = 0; i < sim_thread_count(sim); i++) {
    const Op *op = sim_pending(sim, i);
    Nanos deadline;
    if (op != NULL) printf(" %d:%s", i, op_info[op->kind].word);
    else if (sim_is_parked(sim, i, &deadline)) printf(" %d:parked", i);
  }
  printf("\n");
}

static void end (Sim *sim, SimReport *report) {
  static const char *const verdicts[] = {"done",     "exit",          "deadlock",
                                         "livelock", "cannot follow", "no memory"};
  bool over = sim_is_over(sim);
  char *schedule;
  sim_end(sim);
  schedule = schedule_text(&report->schedule);
  printf("%s, output '%.*s', schedule %s\n", over ? verdicts[report->verdict] : "abandoned",
         (int)report->output_length, report->output != NULL ? report->output : "", schedule);
  free(schedule);
  sim_report_free(report);
}

/* Steps the threads with the numbers in `order`; `!` is the clock. */
static void follow (const char *title, const char *text, const char *order) {
  SimReport report;
  Sim *sim = begin(text, &report);
  printf("%s\n  ", title);
  show(sim);
  for (; *order != '\0' && !sim_is_over(sim); order++) {
    if (*order == '!') printf("!%s", sim_step_clock(sim) ? "" : " (no deadline)");
    else {
      sim_step(sim, *order - '0');
      printf("%c ", *order);
    }
    if (!sim_is_over(sim)) show(sim);
    else printf(" over\n");
  }
  end(sim, &report);
}

/* Steps the last thread that is held until there is none, then the clock; to the end. */
static void run_last_first (const char *title, const char *text) {
  SimReport report;
  Sim *sim = begin(text, &report);
  printf("%s\n", title);
  for (bool moved = true; moved && !sim_is_over(sim);) {
    int i = sim_thread_count(sim) - 1;
    while (i >= 0 && sim_pending(sim, i) == NULL) i--;
    if (i >= 0) sim_step(sim, i);
    else moved = sim_step_clock(sim);
  }
  end(sim, &report);
}

static const char two_adders[] = "local sync = require 'luasync'\n"
                                 "local lock, shared = sync.Lock(), sync.Shared { n = 0 }\n"
                                 "local function add()\n"
                                 "  lock:acquire()\n"
                                 "  shared.n = shared.n + 1\n"
                                 "  lock:release()\n"
                                 "end\n"
                                 "local a, b = sync.spawn(add), sync.spawn(add)\n"
                                 "a:join() b:join()\n"
                                 "io.write(shared.n)\n";

static const char sleepers[] = "local sync = require 'luasync'\n"
                               "local t = sync.spawn(function() sync.sleep(2) io.write 't ' end)\n"
                               "sync.sleep(5)\n"
                               "io.write(sync.monotonic())\n";

static const char condition[] = "local sync = require 'luasync'\n"
                                "local c = sync.Condition()\n"
                                "local t = sync.spawn(function()\n"
                                "  c:acquire() c:wait() io.write 'woken ' c:release()\n"
                                "end)\n"
                                "c:acquire() c:notify() c:release()\n"
                                "t:join()\n";

int main (void) {
  lua_State *L = program_open(luaopen_luasync);
  if (L == NULL) return 1;
  follow("one after the other", two_adders, "0011111022222000");
  follow("abandoned in the midst", two_adders, "00112");
  follow("a taken lock: the second stands in line", two_adders, "0012111");
  run_last_first("last first", two_adders);
  follow("the clock", sleepers, "010!!!");
  follow("a condition", condition, "0111000");
  return program_close(L, 0);
}

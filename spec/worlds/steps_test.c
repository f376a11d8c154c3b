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
#include "sim/checkpoint.h"
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

/*
** Every way to step a world, in two manners: going back by checkpoints, and
** running a new world along the same way again. Both must see the same.
*/
typedef struct Search {
  const char *text;
  char way[256]; /* the numbers of the threads stepped; '!': the clock */
  int depth;
  long runs;
  unsigned long sum; /* over outputs and schedules */
} Search;

static unsigned long hash (unsigned long h, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) h = (h ^ (unsigned char)text[i]) * 1099511628211UL;
  return h;
}

static void count_run (Search *s, const SimReport *report) {
  char *schedule = schedule_text(&report->schedule);
  unsigned long h = hash(hash(1469598103934665603UL, schedule, strlen(schedule)), report->output,
                         report->output_length);
  s->runs++;
  s->sum += hash(h, (const char *)&report->verdict, sizeof report->verdict);
  free(schedule);
}

static bool step (Sim *sim, char what) {
  if (what == '!') return sim_step_clock(sim);
  if (sim_pending(sim, what - '0') == NULL) return false;
  sim_step(sim, what - '0');
  return true;
}

static bool is_way (Sim *sim, int n, char *what) {
  if (n < sim_thread_count(sim)) {
    *what = (char)('0' + n);
    return sim_pending(sim, n) != NULL;
  }
  *what = '!';
  for (int i = 0; i < n; i++)
    if (sim_pending(sim, i) != NULL) return false;
  return true;
}

static void go_back (Sim *sim, SimReport *report, Search *s) {
  char what;
  Checkpoint *c;
  int most = sim_thread_count(sim);
  if (sim_is_over(sim)) {
    count_run(s, report);
    return;
  }
  c = checkpoint_take(sim);
  if (c == NULL) abort();
  for (int n = 0; n <= most; n++) {
    if (!is_way(sim, n, &what)) continue;
    if (step(sim, what)) go_back(sim, report, s);
    else count_run(s, report); /* stuck */
    checkpoint_restore(sim, c);
  }
  checkpoint_free(c);
}

static void run_again (Search *s, int depth) {
  SimReport report;
  Sim *sim = begin(s->text, &report);
  int most, ways = 0;
  char what[16];
  for (int i = 0; i < depth; i++)
    if (!step(sim, s->way[i])) abort();
  most = sim_thread_count(sim);
  for (int n = 0; n <= most && !sim_is_over(sim); n++)
    if (is_way(sim, n, &what[ways])) ways++;
  if (ways == 1 && what[0] == '!' && !sim_step_clock(sim)) ways = 0;
  if (ways == 0) count_run(s, &report);
  sim_end(sim);
  sim_report_free(&report);
  for (int i = 0; i < ways; i++) {
    s->way[depth] = what[i];
    run_again(s, depth + 1);
  }
}

/* Whether there are any in this build: a sanitizer's stacks do not go back. */
static bool checkpoints_work (void) {
  SimReport report;
  Sim *sim = begin(two_adders, &report);
  Checkpoint *c = checkpoint_take(sim);
  bool work = c != NULL;
  checkpoint_free(c);
  sim_end(sim);
  sim_report_free(&report);
  return work;
}

static void search (const char *title, const char *text) {
  Search back = {.text = text}, again = {.text = text};
  SimReport report;
  Sim *sim;
  Checkpoint *c;
  printf("%s\n", title);
  run_again(&again, 0); /* before the other: worlds that are alive at once have other addresses */
  sim = begin(text, &report);
  c = checkpoint_take(sim);
  if (c == NULL) abort();
  go_back(sim, &report, &back);
  checkpoint_free(c);
  sim_end(sim);
  sim_report_free(&report);
  printf("%ld runs with checkpoints, %ld without: %s\n", back.runs, again.runs,
         back.sum == again.sum ? "the same" : "DIFFERENT");
}

static const char lost_update[] = "local sync = require 'luasync'\n"
                                  "local shared = sync.Shared { n = 0 }\n"
                                  "local function add() shared.n = shared.n + 1 end\n"
                                  "local a = sync.spawn(add)\n"
                                  "add()\n"
                                  "a:join()\n"
                                  "io.write(shared.n)\n";

static const char garbage[] = "local sync = require 'luasync'\n"
                              "local queue, kept = sync.Queue(), {}\n"
                              "local t = sync.spawn(function()\n"
                              "  for i = 1, 2 do\n"
                              "    local list = {}\n"
                              "    for k = 1, 2000 do list[k] = { ('x'):rep(k % 50) } end\n"
                              "    queue:put(list)\n"
                              "  end\n"
                              "  sync.sleep(1)\n"
                              "  local late = sync.spawn(function() return ('y'):rep(100000) end)\n"
                              "  io.write(#late:result(), ' ')\n"
                              "end)\n"
                              "for i = 1, 2 do kept[i] = queue:get() collectgarbage() end\n"
                              "t:join()\n"
                              "io.write(#kept[2][1999][1], ' ', tostring(kept[1]))\n";

int main (void) {
  lua_State *L = program_open(luaopen_luasync);
  if (L == NULL) return 1;
  follow("one after the other", two_adders, "0011111022222000");
  follow("abandoned in the midst", two_adders, "00112");
  follow("a taken lock: the second stands in line", two_adders, "0012111");
  run_last_first("last first", two_adders);
  follow("the clock", sleepers, "010!!!");
  follow("a condition", condition, "0111000");
  if (checkpoints_work()) {
    search("every way of a lost update", lost_update);
    search("every way of two adders", two_adders);
    search("every way of a condition", condition);
    search("every way with much garbage", garbage);
  }
  return program_close(L, 0);
}

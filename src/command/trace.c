/*
** trace.c - recording what the command runs.
*/
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include "command/call.h"
#include "command/run.h"
#include "command/text.h"
#include "command/trace.h"
#include "observe/recorder.h"
#include "real/real_driver.h"
#include "state/state.h"

static const char *file_after_failure (const Options *o) {
  return o->trace == NULL ? recorder_file_after_failure() : NULL;
}

bool trace_is_wanted (const Options *o) {
  return o->trace != NULL || o->waits || o->lock_order || file_after_failure(o) != NULL;
}

bool trace_can_write (const Options *o) {
  char *problem = o->trace != NULL ? recorder_problem(o->trace) : NULL;
  if (problem == NULL) return true;
  call_say(o->program, problem);
  recorder_forget(problem);
  return false;
}

static const char *script_of (const Options *o) {
  return o->script < o->argc ? o->argv[o->script] : NULL;
}

/*
** The command that repeats the run.
*/

/* A word as a shell takes it. */
static void put_word (FILE *out, const char *word) {
  bool plain = *word != '\0';
  for (const char *p = word; *p != '\0'; p++)
    plain = plain && (isalnum((unsigned char)*p) || strchr("_-+=./:,@%", *p) != NULL);
  if (plain) {
    fputs(word, out);
    return;
  }
  fputc('\'', out);
  for (const char *p = word; *p != '\0'; p++) {
    if (*p == '\'') fputs("'\\''", out);
    else fputc(*p, out);
  }
  fputc('\'', out);
}

/* malloc'ed; NULL: no memory. `report`: of a simulated run, else NULL. */
static char *command_of (const Options *o, const SimReport *report) {
  static const char head[] = "replay: ";
  char *text = NULL, *end;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) return NULL;
  if (report != NULL) text_put_replay(out, o, report);
  else
    for (int i = 0; i < o->argc; i++) {
      if (i > 0) fputc(' ', out);
      put_word(out, o->argv[i]);
    }
  if (fclose(out) != 0) return text;
  if (strncmp(text, head, sizeof head - 1) == 0)
    memmove(text, text + sizeof head - 1, strlen(text + sizeof head - 1) + 1);
  end = strchr(text, '\n');
  if (end != NULL) *end = '\0';
  return text;
}

/*
** Showing it.
*/

/* The command does not wait for the desktop. */
void trace_show (const Options *o) {
  pid_t child;
  if (!o->open || o->trace == NULL) return;
  child = fork();
  if (child == 0) {
    if (fork() == 0) {
      execlp("xdg-open", "xdg-open", o->trace, (char *)NULL);
      fprintf(stderr, "%s: --open: xdg-open cannot be run\n", o->program);
    }
    _exit(0);
  }
  if (child > 0) waitpid(child, NULL, 0);
}

/*
** The real world.
*/

static const Options *options_of_run;

static void open_at_end (void) { trace_show(options_of_run); }

void trace_real (const Options *o) {
  static RunInfo info;
  RecorderEnd how = {.file = o->trace != NULL ? o->trace : file_after_failure(o),
                     .waits = o->waits,
                     .lock_order = o->lock_order,
                     .only_failures = o->trace == NULL,
                     .info = &info,
                     .after = open_at_end};
  if (!trace_is_wanted(o)) return;
  info = (RunInfo){.world = "real",
                   .title = "real threads",
                   .script = script_of(o),
                   .command = command_of(o, NULL),
                   .code = -1};
  if (!recorder_start(real_world(), 0, true)) return;
  options_of_run = o;
  recorder_at_end(&how);
}

/*
** Simulated worlds.
*/

static const char *verdict_of (const SimReport *r, int code) {
  switch (r->verdict) {
    case SIM_DEADLOCK: return "deadlock";
    case SIM_LIVELOCK: return "livelock";
    case SIM_EXIT: return "exit";
    case SIM_DONE: return code == 0 ? "done" : "error";
    default: return "error";
  }
}

/* False: there is a problem. */
static bool complain (const Options *o, char *problem) {
  if (problem == NULL) return true;
  call_say(o->program, problem);
  recorder_forget(problem);
  return false;
}

static const char *world_of (const Options *o) {
  return o->seeded ? "seeded" : o->schedule != NULL ? "replay" : "virtual";
}

void trace_simulated_begins (const Options *o) {
  static RunInfo info;
  RecorderEnd how = {.file = o->trace != NULL ? o->trace : file_after_failure(o),
                     .waits = o->waits,
                     .lock_order = o->lock_order,
                     .info = &info};
  if (!trace_is_wanted(o)) return;
  info = (RunInfo){.world = world_of(o),
                   .script = script_of(o),
                   .command = command_of(o, NULL),
                   .seeded = o->seeded,
                   .seed = o->seed,
                   .code = -1};
  recorder_at_end(&how);
}

int trace_simulated (const Options *o, const SimReport *r, int code) {
  const char *file = o->trace != NULL ? o->trace : code != 0 ? file_after_failure(o) : NULL;
  char title[64] = "virtual time", *schedule, *command;
  RunInfo info;
  if (r->recorder == NULL) return code;
  recorder_end_is_over();
  schedule = schedule_text(&r->schedule);
  command = command_of(o, r);
  if (o->seeded) snprintf(title, sizeof title, "seed %lld", o->seed);
  else if (o->schedule != NULL) snprintf(title, sizeof title, "replay");
  info = (RunInfo){.world = world_of(o),
                   .title = title,
                   .command = command,
                   .schedule = schedule,
                   .verdict = verdict_of(r, code),
                   .text = r->text,
                   .script = script_of(o),
                   .seeded = o->seeded,
                   .seed = o->seed,
                   .code = code};
  if (file != NULL && !complain(o, recorder_save(r->recorder, file, &info)) && code == 0)
    code = EXIT_FAILURE;
  if (o->waits) complain(o, recorder_print(r->recorder, "waits", &info));
  if (o->lock_order) complain(o, recorder_print(r->recorder, "lock_order", &info));
  free(schedule);
  free(command);
  trace_show(o);
  return code;
}

static void save_replayed (const Options *o, const SimReport *r, const char *file) {
  char *schedule = schedule_text(&r->schedule), *command = command_of(o, r);
  RunInfo info = {.world = "replay",
                  .command = command,
                  .schedule = schedule,
                  .verdict = verdict_of(r, r->status != 0 || r->errors_untaken > 0),
                  .text = r->text,
                  .script = script_of(o),
                  .code = -1};
  complain(o, recorder_save(r->recorder, file, &info));
  free(schedule);
  free(command);
}

bool trace_replayed (const Options *o, const char *text, const char *file) {
  Schedule schedule = {0};
  SimOptions sim = {.policy = text != NULL ? &policy_replay : &policy_round_robin,
                    .schedule = &schedule,
                    .capture = true,
                    .silent = true,
                    .record = file != NULL};
  SimReport report;
  char problem[128];
  bool well = false;
  if ((text == NULL || schedule_parse(&schedule, text, problem))
      && sim_run(&sim, run_main, (void *)o, &report)) {
    well = (report.verdict == SIM_DONE || report.verdict == SIM_EXIT) && report.status == 0
           && report.errors_untaken == 0;
    if (report.recorder != NULL) save_replayed(o, &report, file);
    sim_report_free(&report);
  }
  schedule_clear(&schedule);
  return well;
}

/*
** Another form of a recording.
*/

bool trace_converts (const Options *o) {
  const char *script = script_of(o);
  size_t length = script != NULL ? strlen(script) : 0;
  const char *ending = length > 5 ? script + length - 5 : "";
  return o->trace != NULL && (strcmp(ending, ".json") == 0 || strcmp(ending, ".html") == 0);
}

/* (from, to) raises what is wrong. */
static int convert (lua_State *L) {
  static const char code[] = "local from, to = ... local trace = require 'luasync.trace' "
                             "local made, problem = trace.read(from) "
                             "if made then made, problem = trace.write(made, to) end "
                             "if not made then error(problem, 0) end";
  if (luaL_loadbuffer(L, code, sizeof code - 1, "=trace") != LUA_OK) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, 2, 0);
  return 0;
}

int trace_convert (const Options *o) {
  lua_State *L = state_open();
  int status;
  if (L == NULL) {
    call_say(o->program, "not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, convert);
  lua_pushstring(L, script_of(o));
  lua_pushstring(L, o->trace);
  status = call_report(L, lua_pcall(L, 2, 0, 0), o->program);
  lua_close(L);
  if (status == LUA_OK) trace_show(o);
  return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

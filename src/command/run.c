/*
** run.c - running what the command line names, in the real or in a simulated world.
**
** All Lua code runs inside main_chunk, itself called in protected mode, so
** that running out of memory in any API call here is a message, not an abort.
*/
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/source_text.h"
#include "command/call.h"
#include "command/prompt/plain.h"
#include "command/prompt/repl.h"
#include "command/run.h"
#include "command/text.h"
#include "command/trace.h"
#include "module/luasync.h"
#include "module/program.h"
#include "observe/race.h"
#include "sim/sim.h"
#include "sim/sim_stdlib.h"
#include "state/state.h"
#include "world/args.h"

void run_print_version (void) {
  printf("%s  (%s)\n", LUASYNC_VERSION, LUA_RELEASE);
  fflush(stdout);
}

/* -v and -i: as lua5.4, whose line ends with its copyright. */
static void print_banner (void) {
  printf("%s  %s\n", LUASYNC_VERSION, LUA_COPYRIGHT);
  fflush(stdout);
}

/*
** What can be run.
*/

/* [-0, +0]: status is what loading gave, with the chunk or message on top. */
static int run_chunk (lua_State *L, int status, const char *program) {
  if (status == LUA_OK) status = call_function(L, 0, 0);
  return call_report(L, status, program);
}

static int run_text (lua_State *L, const char *text, const char *name, const char *program) {
  return run_chunk(L, luaL_loadbuffer(L, text, strlen(text), name), program);
}

/* What can be read of the file, or NULL: no memory. */
static char *read_all (FILE *file, size_t *length) {
  char *text = NULL, *grown;
  size_t room = 0, n = 0, more;
  do {
    if (room - n <= 1) {
      room = 2 * room + BUFSIZ;
      grown = realloc(text, room);
      if (grown == NULL) {
        free(text);
        return NULL;
      }
      text = grown;
    }
    more = fread(text + n, 1, room - n - 1, file);
    n += more;
  } while (more > 0);
  text[n] = '\0';
  *length = n;
  return text;
}

/*
** As luaL_loadfile(L, NULL), and the text is kept for messages that look at it: a mark of
** the byte order and a first line with # are no part of the chunk.
*/
static int load_stdin (lua_State *L) {
  size_t length;
  char *text = read_all(stdin, &length);
  const char *start = text;
  if (text == NULL || ferror(stdin)) {
    free(text);
    lua_pushfstring(L, "cannot read stdin: %s", strerror(errno));
    return LUA_ERRFILE;
  }
  source_text_note("=stdin", text);
  if (strncmp(start, "\xEF\xBB\xBF", 3) == 0) start += 3;
  if (*start == '#') start += strcspn(start, "\n");
  if (strncmp(start, "\n" LUA_SIGNATURE, sizeof LUA_SIGNATURE) == 0) start++;
  return luaL_loadbuffer(L, start, length - (size_t)(start - text), "=stdin");
}

/* NULL is standard input */
static int load_file (lua_State *L, const char *path) {
  return path == NULL ? load_stdin(L) : luaL_loadfile(L, path);
}

static int run_file (lua_State *L, const char *path, const char *program) {
  return run_chunk(L, load_file(L, path), program);
}

/* "module" or "global=module": global = require(module) */
static int run_require (lua_State *L, const char *text, const char *program) {
  const char *equals = strchr(text, '=');
  const char *module = equals ? equals + 1 : text;
  lua_pushlstring(L, text, equals ? (size_t)(equals - text) : strlen(text));
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = call_function(L, 1, 1); /* global, result or message */
  if (status == LUA_OK) {
    lua_pushglobaltable(L);
    lua_insert(L, -3);
    lua_settable(L, -3); /* _G[global] = result */
  }
  call_report(L, status, program);
  lua_pop(L, 1); /* _G, or the global's name after an error */
  return status;
}

/* LUA_INIT_5_4, else LUA_INIT: code, or @file */
static int run_init (lua_State *L, const Options *o) {
  static const char *const names[] = {"=LUA_INIT_5_4", "=LUA_INIT"};
  for (int i = 0; i < 2; i++) {
    const char *text = getenv(names[i] + 1);
    if (!text) continue;
    if (text[0] == '@') return run_file(L, text + 1, o->program);
    return run_text(L, text, names[i], o->program);
  }
  return LUA_OK;
}

/* Stops at the first that fails. */
static bool run_steps (lua_State *L, const Options *o) {
  for (int i = 0; i < o->step_count; i++) {
    const OptionStep *step = &o->steps[i];
    int status = LUA_OK;
    switch (step->kind) {
      case STEP_RUN:
        source_text_note("=(command line)", step->text);
        status = run_text(L, step->text, "=(command line)", o->program);
        break;
      case STEP_REQUIRE: status = run_require(L, step->text, o->program); break;
      case STEP_WARN: state_turn_warnings_on(L); break;
    }
    if (status != LUA_OK) return false;
  }
  return true;
}

/*
** The script and its arguments.
*/

/*
** arg[0] is the script; what follows it counts up, the command and its
** options count down. Without a script the command itself is arg[0].
*/
static void create_arg (lua_State *L, const Options *o) {
  int zero = o->script < o->argc ? o->script : 0;
  int positive = o->argc - zero - 1;
  /* as large for any options of ours, so that a replay finds its tables at the same addresses */
  lua_createtable(L, positive > 0 ? positive : 0, zero + 1 < 16 ? 16 : zero + 1);
  for (int i = 0; i < o->argc; i++) {
    lua_pushstring(L, o->argv[i]);
    lua_rawseti(L, -2, i - zero);
  }
  lua_setglobal(L, "arg");
  sim_stdlib_pad_arguments(L, o->argv, o->argc);
}

/* [-0, +n]: pushes arg[1..n], which -e or -l may have changed */
static int push_arguments (lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  lua_Integer n = luaL_len(L, -1);
  int table = lua_gettop(L);
  luaL_checkstack(L, (int)n + 3, "too many arguments to script");
  for (lua_Integer i = 1; i <= n; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return (int)n;
}

static bool unreadable; /* the script: there is no run to be repeated */

static int run_script (lua_State *L, const Options *o) {
  char **script = o->argv + o->script;
  const char *path = script[0];
  /* after "--" a lone "-" is a file of that name */
  if (strcmp(path, "-") == 0 && strcmp(script[-1], "--") != 0) path = NULL;
  int status = load_file(L, path);
  unreadable = status == LUA_ERRFILE;
  if (status == LUA_OK) status = call_function(L, push_arguments(L), 0);
  return call_report(L, status, o->program);
}

static void interact (lua_State *L) {
  if (isatty(STDIN_FILENO)) repl_run(L);
  else plain_run(L);
}

/* Nothing to run was named: the prompt, or standard input as a file. */
static void run_stdin (lua_State *L, const Options *o) {
  if (isatty(STDIN_FILENO)) {
    run_print_version();
    interact(L);
  }
  else { run_file(L, NULL, o->program); /* its failure does not count in lua5.4 */ }
}

/*
** -E: the search paths as they are without LUA_PATH and LUA_CPATH. Only the
** package library knows them, and it reads the environment while it opens; so
** a state that is told not to opens it once more. Threads copy these paths.
*/
static void forget_environment (lua_State *L) {
  lua_State *fresh = luaL_newstate();
  if (!fresh) luaL_error(L, "not enough memory");
  lua_State *const both[] = {L, fresh};
  for (int i = 0; i < 2; i++) {
    lua_pushboolean(both[i], 1);
    lua_setfield(both[i], LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_requiref(fresh, LUA_LOADLIBNAME, luaopen_package, 1);
  state_copy_paths(fresh, L);
  lua_close(fresh);
}

/* Whether somebody can type at a prompt. */
static bool has_prompt (const Options *o) {
  bool named = o->script < o->argc || o->has_chunk || o->banner;
  return (o->interactive || !named) && isatty(STDIN_FILENO);
}

/* Called with the Options as light userdata; returns whether all went well. */
static int main_chunk (lua_State *L) {
  const Options *o = args_inner(L, 1);
  bool have_script = o->script < o->argc;
  luaL_checkversion(L);
  lua_settop(L, 0);
  if (o->banner) print_banner();
  if (o->ignore_environment) forget_environment(L);
  create_arg(L, o);
  lua_gc(L, LUA_GCGEN, 0, 0);
  if (!o->ignore_environment && run_init(L, o) != LUA_OK) return 0;
  if (!run_steps(L, o)) return 0;
  if (have_script && run_script(L, o) != LUA_OK) return 0;
  if (o->interactive) interact(L);
  else if (!have_script && !o->has_chunk && !o->banner) run_stdin(L, o);
  lua_pushboolean(L, 1);
  return 1;
}

int run_main (lua_State *L, void *ud) {
  const Options *o = ud;
  lua_pushcfunction(L, main_chunk);
  lua_pushlightuserdata(L, ud);
  int status = call_report(L, lua_pcall(L, 1, 1, 0), o->program);
  bool ok = status == LUA_OK && lua_toboolean(L, -1);
  lua_settop(L, 0);
  call_catch_sigint(true); /* also while threads are waited for */
  return ok ? 0 : 1;
}

/* OS threads and the wall clock. */
int run_real (const Options *o) {
  lua_State *L = program_open(luaopen_luasync);
  if (!L) {
    call_say(o->program, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  program_check_deadlocks(o->deadlock_check);
  trace_real(o);
  if (o->race) race_watch(real_world());
  return program_close(L, run_main(L, (void *)o));
}

/*
** A simulated world.
*/

/* What the end of a simulated run makes of the exit code, said on stderr. */
static int judge (const Options *o, const SimReport *r) {
  switch (r->verdict) {
    case SIM_CANNOT_FOLLOW:
      call_say(o->program, r->text ? r->text : "cannot follow the schedule");
      return EXIT_FAILURE;
    case SIM_BROKEN:
      call_say(o->program, r->text ? r->text : "an invariant does not hold");
      return EXIT_FAILURE;
    case SIM_NO_MEMORY: call_say(o->program, "not enough memory"); return EXIT_FAILURE;
    case SIM_EXIT: return r->status;
    case SIM_DEADLOCK:
    case SIM_LIVELOCK:
      fputs(r->text ? r->text : "luasync: the run is stuck (not enough memory for a report)\n",
            stderr);
      return 3;
    default:
      if (r->text) call_say(o->program, r->text);
      return r->status != 0 || r->errors_untaken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
  }
}

/* --virtual, --seed, --replay */
int run_simulated (const Options *o) {
  SimOptions sim = {.policy = &policy_round_robin, .tidy = true, .silent = !o->deadlock_check};
  Schedule schedule = {0};
  SimReport report;
  char problem[128];
  int code = EXIT_FAILURE;
  lua_State *L = program_open(luaopen_luasync);
  if (o->schedule) sim.policy = &policy_replay;
  else if (o->seeded) sim.policy = &policy_seeded;
  sim.seed = (uint64_t)o->seed;
  sim.interactive = has_prompt(o);
  sim.record = trace_is_wanted(o);
  sim.races = o->race;
  trace_simulated_begins(o);
  sim.schedule = &schedule;
  if (o->schedule && !schedule_parse(&schedule, o->schedule, problem))
    fprintf(stderr, "%s: --replay: %s\n", o->program, problem);
  else if (L && sim_run(&sim, run_main, (void *)o, &report)) {
    fflush(stdout);
    code = judge(o, &report);
    if (code != EXIT_SUCCESS && report.verdict != SIM_CANNOT_FOLLOW && !unreadable
        && !sim.interactive)
      text_write_replay(o, &report);
    code = trace_simulated(o, &report, code);
    sim_report_free(&report);
  }
  else call_say(o->program, "cannot make a simulated world: not enough memory");
  schedule_clear(&schedule);
  return L ? program_close(L, code == EXIT_SUCCESS ? 0 : code) : code;
}

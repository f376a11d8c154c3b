/*
** main.c - the command `luasync`: Lua's stand-alone interpreter plus worlds.
**
** What a Lua user's fingers know stays the same as in lua5.4: the order in
** which options act, the table `arg`, messages, tracebacks, exit codes. The
** command line is read (options.c), then run_real or run_in_world takes over.
** The main state comes from program_open, and program_close ends the threads.
**
** All Lua code runs inside main_chunk, itself called in protected mode, so
** that running out of memory in any API call here is a message, not an abort.
*/
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

#include "module/program.h"
#include "module/luasync.h"
#include "real/real_driver.h"
#include "command/options.h"
#include "command/replay_line.h"
#include "sim/sim.h"
#include "sim/sim_stdlib.h"
#include "state/state.h"
#include "thread/hint.h"
#include "command/prompt/repl.h"

/*
** Messages.
*/

/* One call of stdio per message: threads write to stderr as well. */
static void say (const char *program, const char *message) {
  if (program) fprintf(stderr, "%s: %s\n", program, message);
  else fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

/* [-1, +0] if status is an error: writes the message on the top. */
static int report (lua_State *L, int status, const char *program) {
  if (status != LUA_OK) {
    if (status == LUA_ERRSYNTAX) hint_append(L);
    const char *message = lua_tostring(L, -1);
    say(program, message ? message : "(error message not a string)");
    lua_pop(L, 1);
  }
  return status;
}

static void print_version (void) {
  printf("%s  (%s)\n", LUASYNC_VERSION, LUA_RELEASE);
  fflush(stdout);
}

/* Message handler: anything without a text of its own is named by its type. */
static int add_traceback (lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
      return 1; /* the object's own text stands alone */
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  hint_append(L);
  luaL_traceback(L, L, lua_tostring(L, -1), 1);
  return 1;
}

/*
** Calls that Ctrl-C can end.
*/

/*
** The default action comes back with the first Ctrl-C, so that a second one
** ends a program that never gets to raise its error.
*/
static void catch_sigint (bool on) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on ? real_interrupt : SIG_DFL;
  action.sa_flags = (int)SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

/* [-(n+1), +results or the message] */
static int call (lua_State *L, int n, int results) {
  int handler = lua_gettop(L) - n;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, handler);
  catch_sigint(true);
  int status = lua_pcall(L, n, results, handler);
  catch_sigint(false);
  lua_remove(L, handler);
  return status;
}

/*
** What can be run.
*/

/* [-0, +0]: status is what loading gave, with the chunk or message on top. */
static int run_chunk (lua_State *L, int status, const char *program) {
  if (status == LUA_OK) status = call(L, 0, 0);
  return report(L, status, program);
}

static int run_text (lua_State *L, const char *text, const char *name, const char *program) {
  return run_chunk(L, luaL_loadbuffer(L, text, strlen(text), name), program);
}

/* NULL is standard input */
static int run_file (lua_State *L, const char *path, const char *program) {
  return run_chunk(L, luaL_loadfile(L, path), program);
}

/* "module" or "global=module": global = require(module) */
static int run_require (lua_State *L, const char *text, const char *program) {
  const char *equals = strchr(text, '=');
  const char *module = equals ? equals + 1 : text;
  lua_pushlstring(L, text, equals ? (size_t)(equals - text) : strlen(text));
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = call(L, 1, 1); /* global, result or message */
  if (status == LUA_OK) {
    lua_pushglobaltable(L);
    lua_insert(L, -3);
    lua_settable(L, -3); /* _G[global] = result */
  }
  report(L, status, program);
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
      case STEP_RUN: status = run_text(L, step->text, "=(command line)", o->program); break;
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
  int status = luaL_loadfile(L, path);
  unreadable = status == LUA_ERRFILE;
  if (status == LUA_OK) status = call(L, push_arguments(L), 0);
  return report(L, status, o->program);
}

/*
** Interactive.
*/

/*
** The reader for `-i` when standard input is not a terminal. As Debian's
** lua5.4 it echoes what it reads after the prompt, so that its output is a
** transcript.
*/

static void write_prompt (lua_State *L, bool first) {
  lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2");
  bool is_set = !lua_isnil(L, -1);
  fputs(is_set ? luaL_tolstring(L, -1, NULL) : first ? "> " : ">> ", stdout);
  fflush(stdout);
  lua_pop(L, is_set ? 2 : 1);
}

/* [-0, +1] the line without its end; [-0, +0] and false at the end of input */
static bool push_line (lua_State *L, bool first) {
  luaL_Buffer line;
  int c;
  write_prompt(L, first);
  luaL_buffinit(L, &line);
  while ((c = getchar()) != EOF && c != '\n') luaL_addchar(&line, (char)c);
  luaL_pushresult(&line);
  if (c == EOF && lua_rawlen(L, -1) == 0) {
    lua_pop(L, 1);
    return false;
  }
  if (!isatty(STDIN_FILENO)) {
    fwrite(lua_tostring(L, -1), 1, lua_rawlen(L, -1), stdout);
    fputc('\n', stdout);
  }
  return true;
}

/* [-0, +1]: the function or the message */
static int load_line (lua_State *L, const char *text, size_t size) {
  return luaL_loadbuffer(L, text, size, "=stdin");
}

/* Did loading fail only because the text is not finished? */
static bool is_incomplete (lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t size, n = sizeof mark - 1;
  if (status != LUA_ERRSYNTAX) return false;
  const char *message = lua_tolstring(L, -1, &size);
  return size >= n && strcmp(message + size - n, mark) == 0;
}

/* text -> text, then the function or message above it */
static int load_statement (lua_State *L) {
  for (;;) {
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    int status = load_line(L, text, size);
    if (!is_incomplete(L, status) || !push_line(L, false)) return status;
    lua_remove(L, -2); /* text, line */
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
}

/* [-0, +1] function or message of one entry; -1 and nothing at the end */
static int load_entry (lua_State *L) {
  if (!push_line(L, true)) return -1;
  const char *line = lua_tostring(L, -1);
  if (line[0] == '=') { /* as in Lua 5.1 */
    lua_pushfstring(L, "return %s", line + 1);
    lua_remove(L, -2);
    line = lua_tostring(L, -1);
  }
  const char *expression = lua_pushfstring(L, "return %s", line);
  int status = load_line(L, expression, strlen(expression));
  lua_remove(L, -2); /* line, function or message */
  if (status != LUA_OK) {
    lua_pop(L, 1);
    status = load_statement(L);
  }
  lua_remove(L, -2); /* the text */
  return status;
}

/* [-n, +0]: shows the n results through the global print */
static void print_results (lua_State *L, int n) {
  if (n == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, -n - 1);
  if (lua_pcall(L, n, 0, 0) != LUA_OK)
    say(NULL, lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1)));
}

static void plain_repl (lua_State *L) {
  int status;
  lua_settop(L, 0);
  while ((status = load_entry(L)) != -1) {
    if (status == LUA_OK) status = call(L, 0, LUA_MULTRET);
    if (status == LUA_OK) print_results(L, lua_gettop(L));
    else report(L, status, NULL);
    lua_settop(L, 0);
  }
  fputc('\n', stdout);
  fflush(stdout);
}

static void interact (lua_State *L) {
  if (isatty(STDIN_FILENO)) repl_run(L);
  else plain_repl(L);
}

/*
** Worlds.
*/

/* Nothing to run was named: the prompt, or standard input as a file. */
static void run_stdin (lua_State *L, const Options *o) {
  if (isatty(STDIN_FILENO)) {
    print_version();
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

/* Called with the Options as light userdata; returns whether all went well. */
static int main_chunk (lua_State *L) {
  const Options *o = lua_touserdata(L, 1);
  bool have_script = o->script < o->argc;
  luaL_checkversion(L);
  lua_settop(L, 0);
  if (o->banner) print_version();
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

/* 0: all went well. ud: the Options. */
static int run_main (lua_State *L, void *ud) {
  const Options *o = ud;
  lua_pushcfunction(L, main_chunk);
  lua_pushlightuserdata(L, ud);
  int status = report(L, lua_pcall(L, 1, 1, 0), o->program);
  bool ok = status == LUA_OK && lua_toboolean(L, -1);
  lua_settop(L, 0);
  catch_sigint(true); /* also while threads are waited for */
  return ok ? 0 : 1;
}

/* OS threads and the wall clock. */
static int run_real (const Options *o) {
  lua_State *L = program_open(luaopen_luasync);
  if (!L) {
    say(o->program, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  program_check_deadlocks(o->deadlock_check);
  return program_close(L, run_main(L, (void *)o));
}

/* The option that asks for something else than the plain real world. */
static const char *world_option (const Options *o) {
  if (o->explore) return "--explore";
  if (o->schedule) return "--replay";
  if (o->seeded) return "--seed";
  if (o->virtual_clock) return "--virtual";
  if (o->trace) return "--trace";
  if (o->race) return "--race";
  return NULL;
}

/* What the end of a simulated run makes of the exit code, said on stderr. */
static int judge (const Options *o, const SimReport *r) {
  switch (r->verdict) {
    case SIM_CANNOT_FOLLOW:
      say(o->program, r->text ? r->text : "cannot follow the schedule");
      return EXIT_FAILURE;
    case SIM_BROKEN:
      say(o->program, r->text ? r->text : "an invariant does not hold");
      return EXIT_FAILURE;
    case SIM_NO_MEMORY: say(o->program, "not enough memory"); return EXIT_FAILURE;
    case SIM_EXIT: return r->status;
    case SIM_DEADLOCK:
    case SIM_LIVELOCK:
      fputs(r->text ? r->text : "luasync: the run is stuck (not enough memory for a report)\n",
            stderr);
      return 3;
    default:
      if (r->text) say(o->program, r->text);
      return r->status != 0 || r->errors_untaken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
  }
}

/* --virtual, --seed, --replay */
static int run_simulated (const Options *o) {
  SimOptions sim = {.policy = &policy_round_robin, .tidy = true, .silent = !o->deadlock_check};
  Schedule schedule = {0};
  SimReport report;
  char problem[128];
  int code = EXIT_FAILURE;
  lua_State *L = program_open(luaopen_luasync);
  if (o->schedule) sim.policy = &policy_replay;
  else if (o->seeded) sim.policy = &policy_seeded;
  sim.seed = (uint64_t)o->seed;
  sim.schedule = &schedule;
  if (o->schedule && !schedule_parse(&schedule, o->schedule, problem))
    fprintf(stderr, "%s: --replay: %s\n", o->program, problem);
  else if (L && sim_run(&sim, run_main, (void *)o, &report)) {
    fflush(stdout);
    code = judge(o, &report);
    if (code != EXIT_SUCCESS && report.verdict != SIM_CANNOT_FOLLOW && !unreadable)
      replay_line_print(o, &report);
    sim_report_free(&report);
  }
  else say(o->program, "cannot make a simulated world: not enough memory");
  schedule_clear(&schedule);
  return L ? program_close(L, code == EXIT_SUCCESS ? 0 : code) : code;
}

/* Everything but the plain real world branches here. */
static int run_in_world (const Options *o) {
  bool script = o->script < o->argc || o->has_chunk || !isatty(STDIN_FILENO);
  if (o->explore || o->trace || o->race)
    fprintf(stderr, "%s: %s is not available in this version\n", o->program, world_option(o));
  else if (o->interactive || !script)
    fprintf(stderr, "%s: %s needs a script\n", o->program, world_option(o));
  else return run_simulated(o);
  return EXIT_FAILURE;
}

/* Called with the Options as light userdata. */
static int help_chunk (lua_State *L) {
  static const char code[] = "local text, problem = require 'luasync.reference'.render(...) "
                             "if not text then error(problem, 0) end io.write(text, '\\n')";
  const Options *o = lua_touserdata(L, 1);
  if (luaL_loadbuffer(L, code, sizeof code - 1, "=help") != LUA_OK) return lua_error(L);
  lua_pushstring(L, o->topic);
  lua_call(L, 1, 0);
  return 0;
}

/* What the reference says of o->topic. */
static int print_topic (const Options *o) {
  lua_State *L = program_open(luaopen_luasync);
  if (!L) {
    say(o->program, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, help_chunk);
  lua_pushlightuserdata(L, (void *)o);
  return program_close(L, report(L, lua_pcall(L, 1, 0, 0), o->program) == LUA_OK ? 0 : 1);
}

static int run (const Options *o) {
  if (o->help && o->topic) return print_topic(o);
  if (o->help || o->version) {
    if (o->help) options_print_help(o);
    else print_version();
    return EXIT_SUCCESS;
  }
  return world_option(o) ? run_in_world(o) : run_real(o);
}

int main (int argc, char **argv) {
  Options options;
  int code = options_parse(&options, argc, argv) ? run(&options) : EXIT_FAILURE;
  options_free(&options);
  return code;
}

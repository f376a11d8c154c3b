/*
** explored.c - luasync --explore: the script under every interleaving.
**
** Each execution is a simulated world that runs the script as the command does.
** What was found is laid out in Lua (luasync.explore).
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lauxlib.h>

#include "command/call.h"
#include "command/run.h"
#include "command/trace.h"
#include "explore/explore.h"
#include "module/luasync.h"
#include "module/program.h"
#include "world/lua_module.h"
#include "world/args.h"

#define SECONDS 10 /* the budget where no number is given */

/* (schedule, file): whether that run ends well; in luasync.trace.explored. */
static int replay (lua_State *L) {
  const Options *o = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  lua_pushboolean(L, trace_replayed(o, lua_tostring(L, 1), lua_tostring(L, 2)));
  return 1;
}

/* Draws the result on top as --trace says. [0, 0, raises] */
static void draw (lua_State *L, const Options *o) {
  lua_module_push(L, "luasync.trace.explored", "write");
  lua_pushlightuserdata(L, (void *)o);
  lua_pushcclosure(L, replay, 1);
  lua_pushvalue(L, -3);
  lua_pushstring(L, o->trace);
  lua_call(L, 3, 0);
  trace_show(o);
}

static bool progress_shown; /* it stands on the terminal */

/* One line on the terminal, in place of the one before. [0, 0, raises] */
static void show_progress (lua_State *L, const ExploreProgress *p) {
  lua_module_push(L, "luasync.explore", "progress");
  lua_pushinteger(L, (lua_Integer)p->states);
  lua_pushnumber(L, p->executions);
  lua_pushnumber(L, p->estimate);
  lua_pushnumber(L, p->seconds);
  lua_call(L, 4, 1);
  fprintf(stderr, "\r\33[K%s", luaL_checkstring(L, -1));
  fflush(stderr);
  progress_shown = true;
  lua_pop(L, 1);
}

/*
** Whether the script is there and is Lua; else says as lua5.4 what is wrong and pushes the
** exit code: no schedule plays a part in that. [0, +(0|1), raises]
*/
static bool can_load (lua_State *L, const Options *o) {
  const char *path = o->script < o->argc ? o->argv[o->script] : "-";
  int top = lua_gettop(L);
  if (strcmp(path, "-") == 0) return true;
  if (call_report(L, luaL_loadfile(L, path), o->program) == LUA_OK) {
    lua_settop(L, top);
    return true;
  }
  lua_pushinteger(L, EXIT_FAILURE);
  return false;
}

/* (options): searches and writes the report; returns the exit code. In protected mode. */
static int explore_chunk (lua_State *L) {
  const Options *o = args_inner(L, 1);
  ExploreOptions options = EXPLORE_DEFAULTS;
  struct winsize size;
  int result;
  options.seconds = (Nanos)SECONDS * NANOS;
  if (o->executions > 0) {
    options.executions = o->executions;
    options.seconds = EXPLORE_LIMIT;
  }
  options.outputs = o->outputs;
  options.program = o->program;
  if (o->outputs) options.way = WAY_DPOR;
  if (!o->json && !can_load(L, o)) return 1;
  if (isatty(STDERR_FILENO)) options.progress = show_progress;
  explore_body(L, &options, run_main, (void *)o);
  if (progress_shown) fputs("\r\33[K", stderr);
  result = lua_gettop(L);
  if (!o->json && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    lua_pushinteger(L, size.ws_col);
    lua_setfield(L, result, "width");
  }
  lua_module_push(L, "luasync.explore", o->json ? "command_json" : "command");
  lua_pushvalue(L, result);
  lua_pushstring(L, o->program);
  lua_pushinteger(L, o->script);
  luaL_checkstack(L, o->argc, NULL);
  for (int i = 1; i < o->argc; i++) lua_pushstring(L, o->argv[i]);
  lua_call(L, 2 + o->argc, 2);
  fputs(luaL_checkstring(L, -2), stdout);
  if (o->trace != NULL) {
    fflush(stdout);
    lua_pushvalue(L, result);
    draw(L, o);
    lua_pop(L, 1);
  }
  return 1;
}

int run_explored (const Options *o) {
  lua_State *L = program_open(luaopen_luasync);
  int code = EXIT_FAILURE;
  if (L == NULL) {
    call_say(o->program, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, explore_chunk);
  lua_pushlightuserdata(L, (void *)o);
  call_catch_sigint(true);
  if (call_report(L, lua_pcall(L, 1, 1, 0), o->program) == LUA_OK) code = (int)lua_tointeger(L, -1);
  lua_settop(L, 0);
  return program_close(L, code);
}

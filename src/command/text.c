/*
** text.c - texts of the command, made in a Lua state of their own.
*/
#include <stdlib.h>

#include <lauxlib.h>

#include "command/text.h"
#include "state/state.h"
#include "world/lua_module.h"
#include "world/args.h"

typedef struct Text {
  const char *function; /* of luasync.command */
  const Options *options;
  const SimReport *report; /* NULL: the arguments are the program's name alone */
  FILE *out;
} Text;

/* Pushes the arguments of command.replay. [0, +n, raises] */
static int push_replay (lua_State *L, const Options *o, const SimReport *r) {
  char *schedule = schedule_text(&r->schedule);
  if (schedule == NULL) return luaL_error(L, "not enough memory");
  luaL_checkstack(L, o->argc + 4, NULL);
  lua_pushinteger(L, o->script);
  lua_pushstring(L, schedule);
  free(schedule);
  lua_pushboolean(L, r->closed);
  for (int i = 1; i < o->argc; i++) lua_pushstring(L, o->argv[i]);
  return 3 + (o->argc > 1 ? o->argc - 1 : 0);
}

/* (text) makes and writes it; in protected mode. */
static int write_text (lua_State *L) {
  const Text *t = args_inner(L, 1);
  int arguments = 1;
  lua_module_push(L, "luasync.command", t->function);
  lua_pushstring(L, t->options->program);
  if (t->report != NULL) arguments += push_replay(L, t->options, t->report);
  lua_call(L, arguments, 1);
  fputs(luaL_checkstring(L, -1), t->out);
  return 0;
}

static bool write (const Text *t) {
  lua_State *L = state_open();
  bool done;
  if (L == NULL) return false;
  lua_pushcfunction(L, write_text);
  lua_pushlightuserdata(L, (void *)t);
  done = lua_pcall(L, 1, 0, 0) == LUA_OK;
  lua_close(L);
  return done;
}

bool text_write_help (FILE *out, const Options *o) {
  return write(&(Text){.function = "help", .options = o, .out = out});
}

bool text_put_replay (FILE *out, const Options *o, const SimReport *r) {
  return write(&(Text){.function = "replay", .options = o, .report = r, .out = out});
}

void text_write_replay (const Options *o, const SimReport *r) {
  if (!text_put_replay(stderr, o, r))
    fputs("(not enough memory for the line that repeats this run)\n", stderr);
}

/*
** foreign.c - for stock_spec.lua: a host that has OS threads with Lua states of
** its own.
*/
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

int luaopen_foreign (lua_State *L);

typedef struct Run {
  char *code, *result;
  int leave;
  pthread_t os;
} Run;

static void *body (void *ud) {
  Run *run = ud;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, run->code) != LUA_OK) lua_settop(L, 1);
  run->result = strdup(luaL_tolstring(L, -1, NULL));
  if (!run->leave) lua_close(L);
  return NULL;
}

/* start(code [, leave]): runs the code in an OS thread; `leave`: which does not close its state. */
static int start (lua_State *L) {
  Run *run = lua_newuserdatauv(L, sizeof *run, 0);
  run->code = strdup(luaL_checkstring(L, 1));
  run->leave = lua_toboolean(L, 2);
  if (pthread_create(&run->os, NULL, body, run) != 0) return luaL_error(L, "no thread");
  return 1;
}

/* join(run): what the code has returned, or its error, as a string. */
static int join (lua_State *L) {
  Run *run = lua_touserdata(L, 1);
  pthread_join(run->os, NULL);
  lua_pushstring(L, run->result);
  free(run->code);
  free(run->result);
  return 1;
}

int luaopen_foreign (lua_State *L) {
  static const luaL_Reg functions[] = {{"start", start}, {"join", join}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

/*
** library.c - for library_spec.lua: what a C library may leave to the end of the
** process.
*/
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

int luaopen_library (lua_State *L);

static void farewell (void) { puts("farewell"); }

/* at_exit(): registers a handler that prints. */
static int at_exit (lua_State *L) {
  lua_pushboolean(L, atexit(farewell) == 0);
  return 1;
}

/* hold(path, text): writes into a stream that stays open and unflushed. */
static int hold (lua_State *L) {
  FILE *f = fopen(luaL_checkstring(L, 1), "w");
  if (f == NULL) return luaL_error(L, "cannot open the file");
  fputs(luaL_checkstring(L, 2), f);
  return 0;
}

int luaopen_library (lua_State *L) {
  static const luaL_Reg functions[] = {{"at_exit", at_exit}, {"hold", hold}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

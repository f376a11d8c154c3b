/*
** process.c - os.exit that is safe among threads. The stock one calls exit(),
** which closes streams under the feet of threads that still run.
*/
#include <stdlib.h>

#include <lauxlib.h>

#include "process.h"
#include "thread.h"

/* os.exit([code [, close]]) as in Lua's own library, but safe among threads. */
static int os_exit (lua_State *L) {
  int code;
  if (lua_isboolean(L, 1)) code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  else code = (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
  if (lua_toboolean(L, 2) && thread_self->is_main) lua_close(thread_self->L);
  thread_self->object.world->driver->exit(code);
  return 0;                       /* not reached */
}

void process_equip (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "os") == LUA_TTABLE) {
    lua_pushcfunction(L, os_exit);
    lua_setfield(L, -2, "exit");
  }
  lua_pop(L, 2);
}

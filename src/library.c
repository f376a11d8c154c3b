/*
** library.c - functions of ours in Lua's own libraries.
*/
#include <lauxlib.h>

#include "library.h"

lua_CFunction library_replace (lua_State *L, const char *library, const char *name, lua_CFunction f) {
  lua_CFunction old = NULL;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, library) == LUA_TTABLE) {
    lua_getfield(L, -1, name);
    old = lua_tocfunction(L, -1);
    if (old != NULL) {
      lua_pushcfunction(L, f);
      lua_setfield(L, -3, name);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return old;
}

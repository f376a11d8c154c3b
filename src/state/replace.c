/*
** replace.c - functions of ours in Lua's own libraries.
*/
#include <lauxlib.h>

#include "message/names.h"
#include "state/stdlib.h"

void replace_function (lua_State *L, const char *library, const char *name, lua_CFunction f) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, library) == LUA_TTABLE) {
    lua_getfield(L, -1, name);
    if (lua_iscfunction(L, -1)) {
      lua_pushcfunction(L, f);
      lua_setfield(L, -3, name);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  names_note_address(f, library, name);
}

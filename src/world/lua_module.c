/*
** lua_module.c - see lua_module.h.
*/
#include <lauxlib.h>
#include <lualib.h>

#include "world/lua_module.h"

void lua_module_push (lua_State *L, const char *module, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, module);
  if (lua_isnil(L, -1)) {
    lua_getfield(L, -2, LUA_GNAME);
    lua_getfield(L, -1, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
  lua_getfield(L, -1, name);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

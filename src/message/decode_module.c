/*
** decode_module.c - a table that is a module in no file: where it stands here.
*/
#include <lauxlib.h>

#include "message/private.h"

/* Pushes package.loaded and the name of the module that is being read. [0, +2, memory] */
static void push_module_place (Decoder *d) {
  luaL_getsubtable(d->L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushlstring(d->L, (const char *)d->module + NAMED_HEAD, get32(d->module + NAMED_LENGTH));
}

bool decode_own_module (Decoder *d) {
  if (d->module == NULL) return false;
  push_module_place(d);
  lua_rawget(d->L, -2);
  lua_remove(d->L, -2);
  if (lua_istable(d->L, -1)) return true;
  lua_pop(d->L, 1);
  return false;
}

void decode_load_module (Decoder *d) {
  lua_State *L = d->L;
  Names *names = names_get(L);
  push_module_place(d);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    names->stale = true;
    lua_pop(L, 1);
  }
  else lua_pop(L, 3);
}

/*
** names_files.c - the files of modules: where a module comes from, and whether any state can
** load it by its name.
*/
#include <lualib.h>

#include "message/private.h"

/* Pushes the file that package[field] leads to for the module, or nil. [0, +1, memory] */
static bool push_file (lua_State *L, const char *field, const char *module) {
  bool found = false;
  names_push_loaded(L);
  if (lua_getfield(L, -1, LUA_LOADLIBNAME) == LUA_TTABLE) {
    lua_pushliteral(L, "searchpath");
    lua_rawget(L, -2);
    lua_pushstring(L, module);
    lua_pushstring(L, field);
    lua_rawget(L, -4);
    found = lua_pcall(L, 2, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING;
    lua_remove(L, -2);
  }
  lua_remove(L, -2);
  if (found) return true;
  lua_pop(L, 1);
  lua_pushnil(L);
  return false;
}

static bool has_file (lua_State *L, const char *field, const char *module) {
  bool found = push_file(L, field, module);
  lua_pop(L, 1);
  return found;
}

void names_push_source (lua_State *L, const char *module) {
  if (!push_file(L, "path", module)) return;
  lua_pushliteral(L, "@");
  lua_insert(L, -2);
  lua_concat(L, 2);
}

/* Whether a state with nothing preloaded that looks where we do can load it. [0, 0, raises] */
static bool find_loadable (lua_State *L, const char *module) {
  const char *dot = strchr(module, '.');
  bool found;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushstring(L, module);
  found = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  if (found) return false;
  if (has_file(L, "path", module) || has_file(L, "cpath", module)) return true;
  if (dot == NULL) return false;
  lua_pushlstring(L, module, (size_t)(dot - module)); /* one library for a whole family */
  found = has_file(L, "cpath", lua_tostring(L, -1));
  lua_pop(L, 1);
  return found;
}

bool names_loadable (lua_State *L, const char *module) {
  bool yes;
  if (names_is_ours(module) || strncmp(module, "luasync.", 8) == 0) return true;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  names_push_answers(L);
  if (lua_getfield(L, -1, module) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushboolean(L, find_loadable(L, module));
    if (lua_toboolean(L, -1)) names_tell_paths(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, module);
  }
  yes = lua_toboolean(L, -1);
  lua_pop(L, 2);
  return yes;
}

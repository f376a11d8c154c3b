/*
** debug_registry.c - debug.getregistry without what is ours.
**
** What C code keeps in Lua's registry it takes for what it has put there: a script that wrote
** something else into it would crash the program. So debug.getregistry returns a view of the
** registry in which entries under addresses, and our metatables, are not to be seen. All else is
** read, written and listed by pairs as in the registry itself; next and rawget find nothing.
*/
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

#include "state/stdlib.h"

#define OURS "luasync." /* how the names of our metatables begin */

static const char view_key; /* its address names the view in the registry */

static bool is_hidden (lua_State *L, int key) {
  if (lua_type(L, key) == LUA_TLIGHTUSERDATA) return true;
  return lua_type(L, key) == LUA_TSTRING
         && strncmp(lua_tostring(L, key), OURS, sizeof OURS - 1) == 0;
}

/* (view, key) */
static int view_index (lua_State *L) {
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (is_hidden(L, 2)) lua_pushnil(L);
  else lua_rawget(L, LUA_REGISTRYINDEX);
  return 1;
}

/* (view, key, value) */
static int view_newindex (lua_State *L) {
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (is_hidden(L, 2)) return luaL_error(L, "this field of the registry is luasync's own");
  if (lua_isnil(L, 2)) return luaL_error(L, "table index is nil");
  lua_rawset(L, LUA_REGISTRYINDEX);
  return 0;
}

static int view_len (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, LUA_REGISTRYINDEX));
  return 1;
}

/* (view, key): the next key that can be seen, and its value. */
static int view_next (lua_State *L) {
  lua_settop(L, 2);
  while (lua_next(L, LUA_REGISTRYINDEX)) {
    if (!is_hidden(L, -2)) return 2;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  return 1;
}

static int view_pairs (lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, view_next);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

static void push_new_view (lua_State *L) {
  static const luaL_Reg meta[] = {{"__index", view_index},
                                  {"__newindex", view_newindex},
                                  {"__len", view_len},
                                  {"__pairs", view_pairs},
                                  {NULL, NULL}};
  lua_newtable(L);
  luaL_newlib(L, meta);
  lua_setmetatable(L, -2);
}

/* debug.getregistry() */
static int getregistry (lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &view_key) == LUA_TTABLE) return 1;
  push_new_view(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &view_key);
  return 1;
}

void debug_registry_equip (lua_State *L) {
  replace_function(L, LUA_DBLIBNAME, "getregistry", getregistry);
}

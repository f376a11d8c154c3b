/*
** state.c - making Lua states, and finding luasync's modules in any of them.
**
** `require` asks package.preload first, and honours its metatable: __index
** there answers for "luasync" and "luasync.*" from the code in this binary,
** so a child state finds them whatever package.path says.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include "embedded.h"
#include "host.h"
#include "luasync.h"
#include "output.h"
#include "place.h"
#include "coroutine.h"
#include "state.h"

/* The loader of an embedded Lua module: runs its code. Upvalue: its index in luasync_embedded. */
static int load_embedded (lua_State *L) {
  const Embedded *e = &luasync_embedded[lua_tointeger(L, lua_upvalueindex(1))];
  char chunkname[96];
  snprintf(chunkname, sizeof chunkname, "=luasync/%s.lua", e->name + strlen("luasync."));
  if (luaL_loadbuffer(L, e->code, e->length, chunkname) != LUA_OK) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

/* package.preload's __index (preload, name). */
static int find_loader (lua_State *L) {
  const char *name = lua_tostring(L, 2);
  if (name == NULL || strncmp(name, "luasync", 7) != 0) return 0;
  if (name[7] == '\0') {
    lua_pushcfunction(L, luaopen_luasync);
    return 1;
  }
  for (int i = 0; luasync_embedded[i].name != NULL; i++)
    if (strcmp(luasync_embedded[i].name, name) == 0) {
      lua_pushinteger(L, i);
      lua_pushcclosure(L, load_embedded, 1);
      return 1;
    }
  return 0;
}

static void equip_preload (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  if (!lua_getmetatable(L, -1)) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, find_loader);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
  }
  else lua_pop(L, 2);
}

int state_equip (lua_State *L) {
  equip_preload(L);
  place_probe(L);
  output_equip(L);
  coroutine_equip(L);
  return 0;
}

/* ([equip]) in protected mode. */
static int open_all (lua_State *L) {
  luaL_openlibs(L);
  host_equip(L);
  state_equip(L);
  if (lua_gettop(L) > 0) lua_call(L, 0, 0);
  return 0;
}

static int panic (lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "luasync: unprotected error: %s\n", message != NULL ? message : "?");
  return 0;
}

static void warn_off (void *ud, const char *message, int to_continue);
static void warn_on (void *ud, const char *message, int to_continue);
static void warn_continue (void *ud, const char *message, int to_continue);

/* Whether it was a control message, obeyed. */
static int warn_control (lua_State *L, const char *message, int to_continue) {
  if (to_continue || *message != '@') return 0;
  if (strcmp(message, "@off") == 0) lua_setwarnf(L, warn_off, L);
  else if (strcmp(message, "@on") == 0) lua_setwarnf(L, warn_on, L);
  return 1;
}

static void warn_off (void *ud, const char *message, int to_continue) {
  warn_control(ud, message, to_continue);
}

static void warn_continue (void *ud, const char *message, int to_continue) {
  fputs(message, stderr);
  if (to_continue) lua_setwarnf(ud, warn_continue, ud);
  else {
    fputc('\n', stderr);
    lua_setwarnf(ud, warn_on, ud);
  }
}

static void warn_on (void *ud, const char *message, int to_continue) {
  if (warn_control(ud, message, to_continue)) return;
  fputs("Lua warning: ", stderr);
  warn_continue(ud, message, to_continue);
}

static void *allocate (void *ud, void *block, size_t old, size_t new) {
  (void)ud; (void)old;
  if (new == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new);
}

lua_State *state_make (lua_Alloc alloc, void *ud, lua_CFunction equip) {
  lua_State *L = lua_newstate(alloc, ud);
  if (L == NULL) return NULL;
  lua_atpanic(L, panic);
  lua_setwarnf(L, warn_off, L);
  lua_pushcfunction(L, open_all);
  if (equip != NULL) lua_pushcfunction(L, equip);
  if (lua_pcall(L, lua_gettop(L) - 1, 0, 0) != LUA_OK) {
    lua_close(L);
    return NULL;
  }
  return L;
}

lua_State *state_open (void) {
  return state_make(allocate, NULL, NULL);
}

/* (field, value) sets package[field]; in protected mode. */
static int set_path (lua_State *L) {
  const char *field = lua_touserdata(L, 1), *value = lua_touserdata(L, 2);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "package") == LUA_TTABLE) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
  }
  return 0;
}

static void copy_path (lua_State *from, lua_State *to, const char *field) {
  int top = lua_gettop(from);
  if (lua_getfield(from, LUA_REGISTRYINDEX, LUA_LOADED_TABLE) == LUA_TTABLE
      && lua_getfield(from, -1, "package") == LUA_TTABLE
      && lua_getfield(from, -1, field) == LUA_TSTRING) {
    lua_pushcfunction(to, set_path);
    lua_pushlightuserdata(to, (void *)field);
    lua_pushlightuserdata(to, (void *)lua_tostring(from, -1));
    if (lua_pcall(to, 2, 0, 0) != LUA_OK) lua_pop(to, 1);
  }
  lua_settop(from, top);
}

void state_copy_paths (lua_State *from, lua_State *to) {
  luaL_checkstack(from, 4, NULL);
  copy_path(from, to, "path");
  copy_path(from, to, "cpath");
}

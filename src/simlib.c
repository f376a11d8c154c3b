/*
** simlib.c - what is different in the Lua states of a simulated world: time is
** the world's, asking the outside is noted, and objects with finalisers are, so
** that a state without any need not be closed.
*/
#include <time.h>

#include <lauxlib.h>
#include <lualib.h>

#include "kinds.h"
#include "luasync.h"
#include "message.h"
#include "sim.h"
#include "simlib.h"

static Nanos seconds_now (lua_State *L) {
  World *world = thread_self->object.world;
  announce(L, OP_CLOCK, NULL);
  return world->driver->time(world) / NANOS;
}

/* os.time([table]). Upvalue: the original. */
static int os_time (lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_pushinteger(L, seconds_now(L));
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

/* os.date([format [, time]]). Upvalue: the original. */
static int os_date (lua_State *L) {
  if (lua_isnone(L, 1)) lua_pushliteral(L, "%c");
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushinteger(L, seconds_now(L));
    lua_replace(L, 2);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

static int os_clock (lua_State *L) {
  announce(L, OP_CLOCK, NULL);
  lua_pushnumber(L, (lua_Number)world_now(thread_self->object.world) / NANOS);
  return 1;
}

/* Notes that the outside was asked, and that there may be files to close. Upvalue: the original. */
static int ask_outside (lua_State *L) {
  sim_opened();
  thread_self->has_finalisers = true;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* setmetatable as in the base library, noting finalisers. */
static int set_metatable (lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) thread_self->has_finalisers = true;
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

/* Replaces library[name] by f, a closure over the original. */
static void wrap (lua_State *L, const char *library, const char *name, lua_CFunction f) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, library) == LUA_TTABLE) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, name);
  }
  lua_pop(L, 2);
}

int simlib_equip (lua_State *L) {
  static const char *const outside[][2] = {
    {"io", "open"}, {"io", "popen"}, {"io", "read"}, {"io", "lines"}, {"io", "input"}, {"io", "output"},
    {"io", "tmpfile"}, {"os", "execute"}, {"os", "getenv"}, {"os", "remove"}, {"os", "rename"}, {"os", "tmpname"}
  };
  wrap(L, "os", "time", os_time);
  wrap(L, "os", "date", os_date);
  wrap(L, "os", "clock", os_clock);
  wrap(L, LUA_GNAME, "setmetatable", set_metatable);
  for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) wrap(L, outside[i][0], outside[i][1], ask_outside);
  for (const Kind *const *k = object_kinds; *k != NULL; k++) {
    object_metatable(L, *k);
    lua_pop(L, 1);
  }
  luaL_requiref(L, "luasync", luaopen_luasync, 0);
  message_prepare(L);
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}

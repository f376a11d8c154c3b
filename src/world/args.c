/*
** args.c - timeouts and blocking arguments, checked in one place; errors that many calls share.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "world/args.h"

#define TIMEOUT_MESSAGE "timeout must be a non-negative number"
#define LONGEST 9.2e9 /* seconds; what is longer ends with the clock, in 292 years */

int args_misuse (lua_State *L, const char *message) { return luaL_error(L, "%s", message); }

void args_add_position (lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING) return;
  luaL_where(L, 1);
  lua_insert(L, -2);
  lua_concat(L, 2);
}

void args_no_memory (lua_State *L) {
  luaL_error(L, "not enough memory");
  abort(); /* luaL_error is not declared noreturn */
}

bool args_is_no_memory (lua_State *L, int index) {
  static const char text[] = "not enough memory";
  size_t length;
  const char *message;
  if (lua_type(L, index) != LUA_TSTRING) return false;
  message = lua_tolstring(L, index, &length);
  return length >= sizeof text - 1 && strcmp(message + length - (sizeof text - 1), text) == 0;
}

bool args_is_timeout (lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return true;
  return lua_type(L, arg) == LUA_TNUMBER && lua_tonumber(L, arg) >= 0; /* NaN is not >= 0 */
}

Nanos args_timeout (lua_State *L, int arg) {
  lua_Number seconds;
  luaL_argcheck(L, args_is_timeout(L, arg), arg, TIMEOUT_MESSAGE);
  if (lua_isnoneornil(L, arg)) return FOREVER;
  seconds = lua_tonumber(L, arg);
  if (seconds >= LONGEST) return isinf(seconds) ? FOREVER : FOREVER - 1;
  return (Nanos)ceil(seconds * NANOS);
}

Nanos args_blocking (lua_State *L, int arg, bool strict) {
  if (lua_type(L, arg) == LUA_TNUMBER) return args_timeout(L, arg);
  if (lua_isnoneornil(L, arg)) return args_timeout(L, arg + 1);
  luaL_checktype(L, arg, LUA_TBOOLEAN);
  if (lua_toboolean(L, arg)) return args_timeout(L, arg + 1);
  if (!lua_isnoneornil(L, arg + 1)) {
    if (strict) return args_misuse(L, "can't specify a timeout for a non-blocking call");
    args_timeout(L, arg + 1);
  }
  return 0;
}

bool args_is_callable (lua_State *L, int index) {
  if (lua_isfunction(L, index)) return true;
  if (luaL_getmetafield(L, index, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

void args_option_names (lua_State *L, int arg, const char *const known[]) {
  lua_pushnil(L);
  while (lua_next(L, arg)) {
    int i = 0;
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    while (key != NULL && known[i] != NULL && strcmp(known[i], key) != 0) i++;
    if (key == NULL || known[i] == NULL)
      luaL_argerror(L, arg, lua_pushfstring(L, "unknown option '%s'", luaL_tolstring(L, -2, NULL)));
    lua_pop(L, 1);
  }
}

void *args_inner (lua_State *L, int arg) {
  if (!lua_islightuserdata(L, arg)) luaL_error(L, "this function is not for scripts");
  return lua_touserdata(L, arg);
}

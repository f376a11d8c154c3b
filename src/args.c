/*
** args.c - timeouts and blocking arguments, checked in one place.
*/
#include <math.h>
#include "args.h"

#define TIMEOUT_MESSAGE "timeout must be a non-negative number"
#define LONGEST 9.2e9             /* seconds; what is longer ends with the clock, in 292 years */

int args_misuse (lua_State *L, const char *message) {
  return luaL_error(L, "%s", message);
}

Nanos args_timeout (lua_State *L, int arg) {
  lua_Number seconds;
  if (lua_isnoneornil(L, arg)) return FOREVER;
  luaL_argcheck(L, lua_type(L, arg) == LUA_TNUMBER, arg, TIMEOUT_MESSAGE);
  seconds = lua_tonumber(L, arg);
  luaL_argcheck(L, seconds >= 0, arg, TIMEOUT_MESSAGE);   /* NaN is not >= 0 */
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

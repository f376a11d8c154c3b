/*
** guard.c - `hold` and `with`.
**
** `with` marks self as to be closed instead of calling fn in protected mode:
** the release runs whether fn returns, fails or its coroutine is closed, the
** traceback of an error keeps fn's frames, and fn may yield.
*/
#include "objects/guard.h"
#include "thread/thread.h"
#include "world/args.h"

#define GRACE 16 /* instructions: `local _ <close>, a, b = lock:hold(), 1, {}` needs some */

/* Calls acquire(self); self is argument 1 of the running function. [0, 0] */
static void take (lua_State *L, lua_CFunction acquire) {
  lua_pushcfunction(L, acquire);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
}

static int finish (lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1; /* all but self */
}

int guard_with (lua_State *L, lua_CFunction acquire) {
  luaL_argcheck(L, args_is_callable(L, 2), 2,
                lua_pushfstring(L, "function expected, got %s", luaL_typename(L, 2)));
  take(L, acquire);
  lua_toclose(L, 1);
  lua_callk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, finish);
  return finish(L, LUA_OK, 0);
}

int guard_close (lua_State *L, lua_CFunction release) {
  bool failing = !lua_isnoneornil(L, 2);
  thread_self->grace = 0;
  lua_settop(L, 1);
  if (!failing) return release(L);
  lua_pushcfunction(L, release);
  lua_insert(L, 1);
  lua_pcall(L, 1, 0,
            0); /* the body's own error says more than that it gave back what it should not have */
  return 0;
}

int guard_hold (lua_State *L, lua_CFunction acquire) {
  lua_settop(L, 1);
  acquire(L);
  thread_self->grace = GRACE; /* no interrupt before the caller's <close> variable has it */
  lua_settop(L, 1);
  return 1;
}

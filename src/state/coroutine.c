/*
** coroutine.c - resume and wrap that note which coroutine runs.
**
** A hook is set in one coroutine at a time, and Lua does not tell which one
** runs. To interrupt running code the host must know; so the two functions
** that switch coroutines keep thread->running, and carry a pending alert over.
** They also keep the chain of who resumed whom, for tracebacks in dumps.
*/
#include <lauxlib.h>
#include <lualib.h>

#include "state/coroutine.h"
#include "thread/thread.h"

/* Marks `now` as running, asking it to look at pending alerts. While its state is being closed a thread counts as running nothing. */
static void switch_to (Thread *t, lua_State *now) {
  if (t == NULL || t->running == NULL) return;
  t->running = now;
  if (thread_is_asked(t)) thread_arm(t, now);
}

/*
** Moves n arguments into co and resumes it. Returns the number of results,
** which stand in L, or -1 with the error value there.
*/
static int resume (lua_State *L, lua_State *co, int n) {
  Thread *t = thread_self;
  Resumer from = {L, t != NULL ? t->resumer : NULL};
  int status, results = 0;
  if (!lua_checkstack(co, n)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, n);
  if (t != NULL) t->resumer = &from;
  switch_to(t, co);
  status = lua_resume(co, L, n, &results);
  switch_to(t, L);
  if (t != NULL) t->resumer = from.outer;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

static int coroutine_resume (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int n;
  if (co == NULL) luaL_typeerror(L, 1, "coroutine");
  n = resume(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, n >= 0);
  lua_insert(L, n >= 0 ? -(n + 1) : -2);
  return n >= 0 ? n + 1 : 2;
}

/* The function that wrap returns. Upvalue: the coroutine. */
static int wrapped (lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int n = resume(L, co, lua_gettop(L));
  int status = lua_status(co);
  if (n >= 0) return n;
  if (status != LUA_OK && status != LUA_YIELD) {
    /* died of an error, of which resume left a second copy in co: close its pending variables, they may replace it */
    lua_pop(L, 1);
    status = lua_resetthread(co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap (lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

void coroutine_equip (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, LUA_COLIBNAME) == LUA_TTABLE) {
    lua_pushcfunction(L, coroutine_resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, coroutine_wrap);
    lua_setfield(L, -2, "wrap");
  }
  lua_pop(L, 2);
}

/*
** coroutine.c - resume, wrap and close that note which coroutine runs.
**
** A hook is set in one coroutine at a time, and Lua does not tell which one
** runs. To interrupt running code the host must know; so the functions that
** run another coroutine, be it only the handlers of the variables that close()
** closes, keep thread->running, and carry a pending alert over. They also keep
** the chain of coroutines that have resumed one another, for tracebacks in dumps.
*/
#include <lauxlib.h>
#include <lualib.h>

#include "state/stdlib.h"
#include "thread/thread.h"
#include "world/args.h"

/* From enter to leave, on the C stack of the function that runs another coroutine. */
typedef struct Visit {
  Thread *thread; /* NULL: luasync does not know the OS thread */
  lua_State *before;
  Resumer resumer;
} Visit;

/* From now on the coroutine `co` runs, and L waits for it. */
static void enter (Visit *v, lua_State *L, lua_State *co) {
  Thread *t = v->thread = thread_self;
  if (t == NULL) return;
  v->before = atomic_load_explicit(&t->running, memory_order_relaxed);
  v->resumer.L = L;
  v->resumer.outer = t->resumer;
  t->resumer = &v->resumer;
  thread_switch(t, co);
}

/*
** The coroutine that was noted before runs again. That need not be L: some other
** library may have resumed L, and L may be dead before the next switch.
*/
static void leave (Visit *v) {
  if (v->thread == NULL) return;
  thread_switch(v->thread, v->before);
  v->thread->resumer = v->resumer.outer;
}

/*
** Moves n arguments into co and resumes it. Returns the number of results,
** which stand in L, or -1 with the error value there.
*/
static int resume (lua_State *L, lua_State *co, int n) {
  Visit v;
  int status, results = 0;
  if (!lua_checkstack(co, n)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, n);
  enter(&v, L, co);
  status = lua_resume(co, L, n, &results);
  leave(&v);
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

/*
** Closes the pending variables of co. Returns its status; if that is an error, its
** value stands in co.
*/
static int reset (lua_State *L, lua_State *co) {
  Visit v;
  int status;
  enter(&v, L, co);
  status = lua_resetthread(co);
  leave(&v);
  return status;
}

static int coroutine_resume (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int n;
  if (co == NULL) luaL_typeerror(L, 1, "thread");
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
    /* co died of an error, and closing its pending variables may replace it */
    lua_pop(L, 1);
    status = reset(L, co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM) args_add_position(L);
  return lua_error(L);
}

/* coroutine.close(co) as in Lua's own library. */
static int coroutine_close (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  lua_Debug ar;
  if (co == NULL) luaL_typeerror(L, 1, "thread");
  if (co == L) return luaL_error(L, "cannot close a running coroutine");
  if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar))
    return luaL_error(L, "cannot close a normal coroutine"); /* it has resumed others */
  if (reset(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
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
  replace_function(L, LUA_COLIBNAME, "resume", coroutine_resume);
  replace_function(L, LUA_COLIBNAME, "wrap", coroutine_wrap);
  replace_function(L, LUA_COLIBNAME, "close", coroutine_close);
}

/*
** probe.c - see probe.h.
*/
#include <lauxlib.h>

#include "base/probe.h"

enum { UNTESTED, HOLDS, FAILS };

/* Two threads may both run it; they come to the same. */
void probe_run (Probe *p, lua_CFunction test) {
  lua_State *L;
  bool holds = false;
  if (atomic_load_explicit(p, memory_order_relaxed) != UNTESTED) return;
  L = sizeof(void *) == 8 ? luaL_newstate() : NULL;
  if (L != NULL) {
    lua_pushcfunction(L, test);
    holds = lua_pcall(L, 0, 1, 0) == LUA_OK && lua_toboolean(L, -1);
    lua_close(L);
  }
  atomic_store_explicit(p, holds ? HOLDS : FAILS, memory_order_relaxed);
}

bool probe_holds (const Probe *p) { return atomic_load_explicit(p, memory_order_relaxed) == HOLDS; }

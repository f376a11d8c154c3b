/*
** invariant.c - what must hold between any two operations of a simulated world.
**
** An invariant is a Lua function of the thread that has named it. It is called
** in a coroutine of that thread's state by whichever thread is about to do an
** operation: all run on one OS thread, so nobody else is in that state. It may
** look at objects, which announces nothing, and may not wait. The run is over
** with the first that does not hold.
*/
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "sim/private.h"
#include "world/memory.h"

struct Invariant {
  Invariant *next;
  Thread *owner;
  lua_State *co; /* anchored in the registry of the owner's state; its function lies at 1 */
  char *name;
};

/* __invariant(name, fn) */
int sim_invariant (lua_State *L) {
  World *world = thread_self->object.world;
  const char *name = luaL_checkstring(L, 1);
  Invariant *v, **last;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  if (!sim_inside()) return luaL_error(L, "an invariant needs a simulated world");
  lua_State *co = lua_newthread(L);
  luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, 2);
  lua_xmove(L, co, 1);
  v = world_alloc(world, sizeof *v);
  if (v == NULL || (v->name = world_strdup(world, name)) == NULL)
    return luaL_error(L, "not enough memory");
  v->next = NULL;
  v->owner = thread_self;
  v->co = co;
  for (last = &sim_of(world)->invariants; *last != NULL;) last = &(*last)->next;
  *last = v;
  return 0;
}

/* Calls the function; whether it holds. Otherwise *why, in the coroutine, may say more. */
static bool holds (Invariant *v, const char **why) {
  bool ok, failed;
  lua_settop(v->co, 1);
  lua_pushvalue(v->co, 1);
  v->owner->updating++; /* waits raise an error */
  failed = lua_pcall(v->co, 0, 1, 0) != LUA_OK;
  v->owner->updating--;
  ok = !failed && lua_toboolean(v->co, -1);
  *why = failed ? lua_tostring(v->co, -1) : NULL;
  return ok;
}

void invariants_check (Sim *sim) {
  Thread *self = thread_self;
  const char *why = NULL;
  char text[512];
  sim->checking = true;
  for (Invariant *v = sim->invariants; v != NULL; v = v->next) {
    SimThread *st = v->owner->driver_data;
    thread_self = v->owner;
    st->stamp = ++sim->stamps; /* its state changes although it does not run */
    if (holds(v, &why)) continue;
    thread_self = self;
    snprintf(text, sizeof text, "the invariant '%s' does not hold%s%s", v->name,
             why != NULL ? ": " : "", why != NULL ? why : "");
    sim->report->text = strdup(text);
    sim_note_turn(sim, sim->current, false);
    sim_leave(sim, SIM_BROKEN);
  }
  thread_self = self;
  sim->checking = false;
}

void invariants_forget (Sim *sim, const Thread *owner) {
  for (Invariant **p = &sim->invariants; *p != NULL;)
    if ((*p)->owner == owner) *p = (*p)->next;
    else p = &(*p)->next;
}

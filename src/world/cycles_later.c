/*
** cycles_later.c - a search for cycles when a Lua state is collected next.
**
** A few suspects may be all that there are. So their search comes with the next collection of
** this state, by a userdata that lives no longer: the sentinel. Another thread may let go of
** the last way to a cycle when no search is worth its time, or a moment after this state has
** searched in vain; for that the sentinel is made again while there are holders. A simulated
** world does not need it: there threads end between the operations of others, and equal states
** of a world shall have equal bytes.
*/
#include <lauxlib.h>
#include <string.h>

#include "world/cycles_later.h"
#include "world/object.h"
#include "world/thread_record.h"
#include "world/world.h"

static const char sentinel_key; /* its address: true while a sentinel is about */

/* Whether the running finaliser was called because the script called collectgarbage. [0, 0, -] */
static bool is_asked (lua_State *L) {
  lua_Debug ar;
  return lua_getstack(L, 1, &ar) && lua_getinfo(L, "n", &ar) && ar.name != NULL
         && strcmp(ar.name, "collectgarbage") == 0;
}

static int sentinel_gc (lua_State *L) {
  if (!object_collector_calls(L)) return 0;
  lua_pushboolean(L, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &sentinel_key); /* the field is there */
  if (thread_self != NULL) {
    World *world = thread_self->object.world;
    bool asked = is_asked(L);
    if (asked && thread_self->pins > 0) thread_self->pins_due = true;
    cycles_poll(world, asked ? CYCLES_ASKED : CYCLES_COLLECTED);
    if (world_is_parallel(world) && cycles_any(world)) cycles_later(L);
  }
  return 0;
}

void cycles_later (lua_State *L) {
  bool about;
  if (thread_self == NULL || thread_self->running == NULL) return; /* the state is being closed */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &sentinel_key);
  about = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (about) return;
  lua_newuserdatauv(L, 0, 0);
  if (luaL_newmetatable(L, "luasync.Search")) {
    lua_pushcfunction(L, sentinel_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  lua_pushboolean(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &sentinel_key);
}

/*
** metatable_id.c - tables that are the same in every state.
**
** A table that serves as a metatable gets a number when it first leaves a state.
** Its world counts, from where no other world does: the number is unique in the
** process, and in a simulated world it does not depend on what ran before. Each state knows its tables by number and the
** numbers of its tables, without keeping any of them alive: a class that
** arrives again, or comes home, is the table that is there already.
*/
#include "message/private.h"
#include "world/thread_record.h"

static const char tables_key, ids_key; /* number -> table, table -> number */

/* Pushes the registry's table under `key`, with weak keys or values. [0, +1] */
static void push_weak (lua_State *L, const char *key, const char *mode) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void metatable_id_register (lua_State *L, uint64_t id) {
  push_weak(L, &tables_key, "v");
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)id);
  lua_pop(L, 1);
  push_weak(L, &ids_key, "k");
  lua_pushvalue(L, -2);
  lua_pushinteger(L, (lua_Integer)id);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

uint64_t metatable_id (lua_State *L, int index) {
  uint64_t id;
  lua_pushvalue(L, index);
  push_weak(L, &ids_key, "k");
  lua_pushvalue(L, -2);
  lua_rawget(L, -2);
  id = (uint64_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  if (id == 0) {
    World *world = thread_self->object.world;
    id = world->base + 1 + atomic_fetch_add_explicit(&world->metatables, 1, memory_order_relaxed);
    metatable_id_register(L, id);
  }
  lua_pop(L, 1);
  return id;
}

bool metatable_id_push (lua_State *L, uint64_t id) {
  push_weak(L, &tables_key, "v");
  if (lua_rawgeti(L, -1, (lua_Integer)id) == LUA_TTABLE) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

bool metatable_id_is_event (const char *key, size_t length) {
  static const char *const events[] = {
      "__index", "__newindex", "__call",      "__name",  "__tostring", "__gc",
      "__close", "__mode",     "__metatable", "__pairs", "__eq",       "__lt",
      "__le",    "__len",      "__concat",    "__unm",   "__add",      "__sub",
      "__mul",   "__div",      "__mod",       "__pow",   "__idiv",     "__band",
      "__bor",   "__bxor",     "__bnot",      "__shl",   "__shr",      "__transfer"};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    if (strlen(events[i]) == length && memcmp(events[i], key, length) == 0) return true;
  return false;
}

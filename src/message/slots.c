/*
** slots.c - the Lua stack slots of records far outside the one being worked on.
**
** A message may nest deeper than the Lua stack is high. Beyond SPILL_DEPTH open
** records the slots of each enclosing one lie in a table until it goes on.
*/
#include "message/private.h"

void slots_spill (lua_State *L, Slots *s, int spill, int *used) {
  s->spilled = lua_gettop(L) - s->base;
  s->spill_at = *used;
  for (int i = 0; i < s->spilled; i++) {
    lua_pushvalue(L, s->base + i);
    lua_rawseti(L, spill, ++*used);
  }
  lua_replace(L, s->base);
  lua_settop(L, s->base);
}

void slots_restore (lua_State *L, Slots *s, int spill, int *used) {
  int there = lua_gettop(L) - s->base + 1;             /* a value, or none */
  luaL_checkstack(L, s->spilled + LUA_MINSTACK, NULL); /* a transfer may have many */
  for (int i = 1; i <= s->spilled; i++) {
    lua_rawgeti(L, spill, s->spill_at + i);
    lua_pushnil(L);
    lua_rawseti(L, spill, s->spill_at + i);
  }
  if (there > 0) lua_rotate(L, s->base, -there);
  *used = s->spill_at;
  s->spilled = 0;
}

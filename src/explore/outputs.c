/*
** outputs.c - see outputs.h.
*/
#include <lauxlib.h>

#include "explore/outputs.h"

/* Pushes a new outcome and adds it to the list on top; the output is at `output`. [0, +1] */
static void add_outcome (lua_State *L, int groups, int number, int output) {
  static const char *const fields[] = {"kind", "message"};
  int list = lua_gettop(L);
  lua_createtable(L, 0, 5);
  lua_pushboolean(L, number == 0);
  lua_setfield(L, -2, "ok");
  for (int i = 0; number > 0 && i < 2; i++) {
    lua_rawgeti(L, groups, number);
    lua_getfield(L, -1, fields[i]);
    lua_setfield(L, -3, fields[i]);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, output);
  lua_setfield(L, -2, "output");
  lua_pushvalue(L, -1);
  lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
}

void outputs_note (lua_State *L, int groups, const Explored *x, int number) {
  const SimReport *r = world_subject_report(x->world);
  int top = lua_gettop(L);
  lua_Integer executions;
  lua_pushlstring(L, r->output != NULL ? r->output : "", r->output_length);
  lua_pushfstring(L, "%d ", number);
  lua_pushvalue(L, top + 1);
  lua_concat(L, 2); /* output key */
  luaL_getsubtable(L, groups, OUTCOME_OUTPUTS);
  if (lua_getfield(L, groups, "by_output") != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, groups, "by_output");
  }
  lua_pushvalue(L, top + 2); /* output key list index key */
  if (lua_rawget(L, top + 4) == LUA_TNIL) {
    lua_settop(L, top + 3);
    add_outcome(L, groups, number, top + 1); /* output key list outcome */
    lua_getfield(L, groups, "by_output");
    lua_pushvalue(L, top + 2);
    lua_pushvalue(L, top + 4);
    lua_rawset(L, -3);
    lua_settop(L, top + 4);
  }
  lua_getfield(L, -1, "executions");
  executions = lua_tointeger(L, -1);
  lua_pop(L, 1);
  lua_pushinteger(L, executions + 1);
  lua_setfield(L, -2, "executions");
  lua_settop(L, top);
}

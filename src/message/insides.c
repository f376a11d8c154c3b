/*
** insides.c - see insides.h.
*/
#include <lauxlib.h>
#include <string.h>

#include "base/probe.h"
#include "message/insides.h"

static Probe tables_work;

/* Whether value and type are those of the Lua value at `index`, as far as we read such. */
static bool is_same (lua_State *L, int index, Inside value, uint8_t type) {
  size_t length, size;
  const char *text;
  switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: return type == (lua_toboolean(L, index) ? INSIDE_TRUE : INSIDE_FALSE);
    case LUA_TNUMBER:
      return lua_isinteger(L, index)
                 ? type == INSIDE_INTEGER && value.integer == lua_tointeger(L, index)
                 : type == INSIDE_FLOAT && value.number == lua_tonumber(L, index);
    case LUA_TSTRING:
      text = lua_tolstring(L, index, &size);
      return type == (size <= 40 ? INSIDE_SHORT : INSIDE_LONG)
             && inside_text(value.object, type, &length) == text && length == size;
    case LUA_TTABLE: return type == INSIDE_TABLE && value.object == lua_topointer(L, index);
    default:
      return type != INSIDE_FALSE && type != INSIDE_TRUE && type != INSIDE_INTEGER
             && type != INSIDE_FLOAT && type != INSIDE_SHORT && type != INSIDE_LONG
             && type != INSIDE_TABLE && !inside_is_empty(type);
  }
}

/* Whether lua_next on the table at the top, where it is now, gives that. [0, 0] */
static bool is_next (lua_State *L, Inside key, uint8_t key_type, Inside value, uint8_t type) {
  return lua_next(L, -2) && is_same(L, -2, key, key_type) && is_same(L, -1, value, type);
}

/* Whether the table at the top is read as lua_next goes through it. */
static bool reads_table (lua_State *L) {
  const InsideTable *t = lua_topointer(L, -1);
  int table = lua_gettop(L);
  const void *metatable = lua_getmetatable(L, table) ? lua_topointer(L, -1) : NULL;
  bool same = t->metatable == metatable;
  lua_settop(L, table);
  lua_pushnil(L);
  for (size_t i = 0; same && i < inside_array_size(t); i++) {
    const InsideValue *v = &t->array[i];
    if (inside_is_empty(v->type)) continue;
    same = is_next(L, (Inside){.integer = (lua_Integer)i + 1}, INSIDE_INTEGER, v->value, v->type);
    lua_settop(L, table + 1);
  }
  for (size_t i = 0; same && i < inside_node_count(t); i++) {
    const InsideNode *n = &t->nodes[i];
    if (inside_is_empty(n->type)) continue;
    same = is_next(L, n->key, n->key_type, n->value, n->type)
           && (n->key_type != INSIDE_SHORT || inside_field(t, n->key.object) == n);
    lua_settop(L, table + 1);
  }
  same = same && !lua_next(L, table);
  lua_settop(L, table);
  return same;
}

/* Tables that have been filled, emptied and asked for their lengths in many ways. */
static const char program[] =
    "local all = { {}, { 1, 2.5, true, false, 'text', ... }, "
    "  { x = 1, y = 2.5, z = ..., [1.5] = false, [true] = {}, [-7] = ..., [...] = 1 }, "
    "  setmetatable({ 1, n = 2 }, {}) } "
    "for n = 3, 12, 4 do "
    "  local list, holes, mixed, fields = {}, {}, {}, {} "
    "  for i = 1, n do "
    "    list[i] = i holes[i] = i mixed[i] = i mixed['k' .. i] = i fields['f' .. i] = { i } "
    "  end "
    "  for i = 1, n, 3 do holes[i] = nil fields['f' .. i] = nil mixed[n - i] = nil end "
    "  list[#list] = nil list[#list + 1] = #holes + #mixed list[n + 5] = 'far' "
    "  all[#all + 1] = list all[#all + 1] = holes all[#all + 1] = mixed all[#all + 1] = fields "
    "end "
    "return all";

static int set_metatable (lua_State *L) {
  lua_setmetatable(L, 1);
  return 1;
}

static int probe (lua_State *L) {
  bool works;
  int all;
  lua_register(L, "setmetatable", set_metatable);
  works = luaL_loadstring(L, program) == LUA_OK;
  all = lua_gettop(L);
  lua_pushliteral(L, "text that is much longer than what counts as short in Lua 5.4");
  works = works && lua_pcall(L, 1, 1, 0) == LUA_OK;
  for (lua_Integer i = 1; works && lua_rawgeti(L, all, i) == LUA_TTABLE; i++) {
    works = reads_table(L);
    lua_settop(L, all);
  }
  lua_pushboolean(L, works);
  return 1;
}

void insides_prepare (void) { probe_run(&tables_work, probe); }
bool insides_known (void) { return probe_holds(&tables_work); }

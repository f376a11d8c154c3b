/*
** encode_globals.c - the script's globals, which travel with a thread's function.
**
** The names that its code uses, and that of the functions it takes along, are
** looked up where that code would look: in its _ENV, through __index, and in the
** globals of the state. What every fresh state calls so stays at home.
**
** What a script has added to Lua's library tables travels in the same way. Code
** may reach it as a method of a string, so any field of that name counts.
**
** e->globals: [i] = name, [name] = value. The name of an addition is the library,
** a zero, and the field.
*/
#include <lualib.h>

#include "message/private.h"

#define CHAIN 100 /* __index of __index, as in Lua itself */

static const char libraries_key; /* its address names a table of Lua's libraries */

bool encode_is_environment (lua_State *L, const char *name) {
  bool yes;
  if (!lua_istable(L, -1)) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  yes = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  if (yes || strcmp(name, "_ENV") != 0 || !lua_getmetatable(L, -1)) return yes;
  lua_pop(L, 1);
  return true;
}

/*
** Values of globals.
*/

/*
** Replaces the __index function at the top by what it returns for table and name, nil
** where it raises.
*/
static void ask_function (Encoder *e, int table, const char *name, size_t length) {
  lua_State *L = e->L;
  if (e->mode != MODE_ANCHORED) {
    e->anchors_wanted = true;
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  lua_pushvalue(L, table);
  lua_pushlstring(L, name, length);
  if (lua_pcall(L, 2, 1, 0) == LUA_OK) return;
  lua_pop(L, 1);
  lua_pushnil(L);
}

/* Replaces the table at the top by the value that the name has there, or nil. [-1, +1] */
static bool look_up (Encoder *e, const char *name, size_t length) {
  lua_State *L = e->L;
  int table = lua_gettop(L);
  for (int i = 0; i < CHAIN; i++) {
    lua_pushlstring(L, name, length);
    if (lua_rawget(L, table) != LUA_TNIL || luaL_getmetafield(L, table, "__index") == LUA_TNIL)
      break;
    lua_remove(L, table + 1); /* the nil */
    if (lua_isfunction(L, -1)) {
      ask_function(e, table, name, length);
      break;
    }
    if (!lua_istable(L, -1)) {
      lua_pushnil(L);
      break;
    }
    lua_replace(L, table);
  }
  lua_replace(L, table);
  lua_settop(L, table);
  return !lua_isnil(L, -1);
}

/*
** Pushes the value that the name has where the function at `index` looks for globals;
** false: none. [0, +1]
*/
static bool push_global (Encoder *e, int index, const char *name, size_t length) {
  lua_State *L = e->L;
  const char *upvalue;
  for (int i = 1; (upvalue = lua_getupvalue(L, index, i)) != NULL; i++) {
    if (strcmp(upvalue, "_ENV") == 0 && encode_is_environment(L, upvalue)
        && look_up(e, name, length))
      return true;
    lua_pop(L, 1);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  return look_up(e, name, length);
}

/* The value at the top travels under the name below it. [-2, 0] */
static void add (Encoder *e) {
  lua_State *L = e->L;
  lua_pushvalue(L, -2);
  lua_rawseti(L, e->globals, ++e->global_count);
  lua_rawset(L, e->globals);
}

/* Whether the name at the top has been dealt with. [0, 0] */
static bool is_noted (Encoder *e) {
  bool yes;
  lua_pushvalue(e->L, -1);
  yes = lua_rawget(e->L, e->globals) != LUA_TNIL;
  lua_pop(e->L, 1);
  return yes;
}

void encode_note_global (Encoder *e, int index, const char *name, size_t length) {
  lua_State *L = e->L;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  encoder_table_used(e, e->globals);
  lua_pushlstring(L, name, length);
  if (is_noted(e)) {
    lua_pop(L, 1);
    return;
  }
  if (push_global(e, index, name, length) && !names_standard(L, lua_tostring(L, -2))) {
    add(e);
    return;
  }
  lua_pop(L, 1);
  lua_pushboolean(L, 0); /* not to be looked up again */
  lua_rawset(L, e->globals);
}

/*
** Additions to Lua's libraries.
*/

/* Whether the field at the top, key and value, of a library is Lua's own. [0, 0, memory] */
static bool is_own_field (lua_State *L, const char *library, const char *key) {
  static const char *const constants[] = {"pi",         "huge",        "maxinteger",
                                          "mininteger", "charpattern", NULL};
  size_t length;
  const char *bytes;
  Name n;
  NameStep step;
  bool own;
  if (strcmp(library, LUA_LOADLIBNAME) == 0)
    return !lua_isfunction(L, -1) || lua_iscfunction(L, -1);
  if (lua_isuserdata(L, -1)) return true; /* io.stdin */
  if (!lua_iscfunction(L, -1)) {
    for (const char *const *c = constants; *c != NULL; c++)
      if (strcmp(*c, key) == 0) return !lua_isfunction(L, -1) && !lua_istable(L, -1);
    return false;
  }
  if (!names_push(L, -1)) return true; /* it cannot be sent */
  bytes = lua_tolstring(L, -1, &length);
  n = name_read(bytes, length);
  own = strcmp(n.module, library) == 0 && name_next_step(&n, &step) && step.length == strlen(key)
        && memcmp(step.text, key, step.length) == 0;
  lua_pop(L, 1);
  return own;
}

/* Pushes the table of Lua's libraries, in the order of names_libraries. [0, +1, memory] */
static void push_libraries (lua_State *L) {
  const char *const *names = names_libraries();
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &libraries_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (int i = 0; names[i] != NULL; i++) {
    lua_pushstring(L, names[i]);
    if (lua_rawget(L, -2) != LUA_TTABLE) { /* the host has not opened it */
      lua_pop(L, 1);
      lua_newtable(L);
    }
    lua_rawseti(L, -3, i + 1);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &libraries_key);
}

/* The field at the top, key and value, was added to the library. [-2, 0] */
static void add_addition (Encoder *e, const char *library, const char *key, size_t length) {
  lua_State *L = e->L;
  luaL_Buffer b;
  encoder_table_used(e, e->globals);
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, library, strlen(library) + 1);
  luaL_addlstring(&b, key, length);
  luaL_pushresult(&b);
  if (is_noted(e)) {
    lua_pop(L, 3);
    return;
  }
  lua_replace(L, -3); /* the key */
  add(e);
}

void encode_note_addition (Encoder *e, const char *field, size_t length) {
  lua_State *L = e->L;
  int key = lua_gettop(L) + 1;
  const char *const *names = names_libraries();
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  field = lua_pushlstring(L, field, length);
  push_libraries(L);
  for (int i = 0; names[i] != NULL && strlen(field) == length; i++) {
    lua_rawgeti(L, key + 1, i + 1);
    lua_pushvalue(L, key);
    if (lua_rawget(L, -2) != LUA_TNIL) {
      lua_pushvalue(L, key);
      lua_insert(L, -2);
      if (!is_own_field(L, names[i], field)) add_addition(e, names[i], field, length);
    }
    lua_settop(L, key + 1);
  }
  lua_settop(L, key - 1);
}

/*
** Encoding.
*/

bool encode_globals (Encoder *e) {
  lua_State *L = e->L;
  for (e->global = 1; e->global <= e->global_count; e->global++) {
    size_t length;
    const char *name;
    lua_rawgeti(L, e->globals, e->global);
    name = lua_tolstring(L, -1, &length);
    put_string(e, name, length);
    lua_rawget(L, e->globals);
    if (!encode_run(e)) return false;
  }
  return true;
}

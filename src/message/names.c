/*
** names.c - what every state has of its own: modules and what they hold, C
** functions, our methods, the standard streams. They travel as names.
**
** Each state keeps a table from values to names (names_learn.c fills it). A name
** stays known although the field has been overwritten since: a script that wraps
** string.format still holds the old one.
**
** Whether a table has a name is asked for each table that is sent. A small filter
** of addresses answers nearly always, and its no is never wrong.
*/
#include <stdio.h>
#include <stdlib.h>

#include <lualib.h>

#include "message/private.h"
#include "world/thread_record.h"
#include "world/world.h"

static const char names_key; /* its address names the userdata in the registry */

/*
** Reading and writing.
*/

Name name_read (const char *bytes, size_t length) {
  Name n = {.space = *bytes, .module = bytes + 1, .end = bytes + length};
  n.steps = n.module + strlen(n.module) + 1;
  return n;
}

bool name_next_step (Name *n, NameStep *step) {
  if (n->steps == n->end) return false;
  step->kind = n->steps[0];
  step->length = (unsigned char)n->steps[1];
  step->text = n->steps + 2;
  n->steps = step->text + step->length;
  return true;
}

void name_push (lua_State *L, char space, const char *module) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, space);
  luaL_addlstring(&b, module, strlen(module) + 1);
  luaL_pushresult(&b);
}

bool name_push_longer (lua_State *L, int index, NameStep step) {
  size_t length;
  const char *name = lua_tolstring(L, index, &length);
  luaL_Buffer b;
  if (step.length > 255) return false;
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, name, length);
  luaL_addchar(&b, step.kind);
  luaL_addchar(&b, (char)step.length);
  luaL_addlstring(&b, step.text, step.length);
  luaL_pushresult(&b);
  return true;
}

/*
** The state's names.
*/

/* Gives the userdata at the top the string as a user value. [0, 0, memory] */
static void keep_string (lua_State *L, const char *text, int value) {
  lua_pushstring(L, text);
  lua_setiuservalue(L, -2, value);
}

Names *names_push_state (lua_State *L) {
  Names *names;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key) == LUA_TUSERDATA) return lua_touserdata(L, -1);
  lua_pop(L, 1);
  names = lua_newuserdatauv(L, sizeof *names, NAMES_VALUES);
  memset(names, 0, sizeof *names);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setiuservalue(L, -2, NAMES_MAP);
  lua_newtable(L);
  lua_setiuservalue(L, -2, NAMES_ANSWERS);
  lasting_push_things(L);
  lua_setiuservalue(L, -2, NAMES_THINGS);
  keep_string(L, "__index", NAMES_INDEX);
  lua_getiuservalue(L, -1, NAMES_INDEX);
  names->index = lua_topointer(L, -1);
  lua_pop(L, 1);
  keep_string(L, "__len", NAMES_LEN);
  keep_string(L, "__eq", NAMES_EQ);
  keep_string(L, "__transfer", NAMES_TRANSFER);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
  names_watch(L);
  lasting_mark_all(L);
  names_learn_modules(L, true);
  return names;
}

Names *names_push_peeked (lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
  return lua_touserdata(L, -1);
}

Names *names_peek (lua_State *L) {
  Names *names;
  if (!lua_checkstack(L, 1)) return NULL;
  names = names_push_peeked(L);
  lua_pop(L, 1);
  return names;
}

Names *names_get (lua_State *L) {
  Names *names;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  names = names_push_state(L);
  lua_pop(L, 1);
  return names;
}

void names_push_map (lua_State *L) {
  names_push_state(L);
  lua_getiuservalue(L, -1, NAMES_MAP);
  lua_remove(L, -2);
}

void names_push_answers (lua_State *L) {
  names_push_state(L);
  lua_getiuservalue(L, -1, NAMES_ANSWERS);
  lua_remove(L, -2);
}

static unsigned filter_bit (const void *p) {
  return (unsigned)(((uint64_t)(uintptr_t)p * UINT64_C(0x9E3779B97F4A7C15)) >> 40) % NAMES_FILTER;
}

void names_mark (Names *names, const void *table) {
  unsigned bit = filter_bit(table);
  names->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool names_maybe (const Names *names, const void *table) {
  unsigned bit = filter_bit(table);
  return (names->filter[bit / 64] >> bit % 64) & 1;
}

bool names_surely_none (const Names *names, const void *table) {
  return !names->stale && !names_maybe(names, table);
}

/*
** Names of values.
*/

/* Pushes the learnt name of the value at `index`. [0, +(0|1)] */
static bool push_learnt (lua_State *L, int index) {
  lua_pushvalue(L, index);
  names_push_map(L);
  lua_insert(L, -2);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  if (lua_type(L, -1) == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

/*
** Whether the table at `index`, whose name is at the top, is a module that has been
** replaced since.
*/
static bool replaced (lua_State *L, int index) {
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  Name n = name_read(bytes, length);
  bool same;
  if (!name_is_whole(&n)) return false;
  index = lua_absindex(L, index);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushstring(L, n.module);
  lua_rawget(L, -2);
  same = lua_rawequal(L, -1, index);
  lua_pop(L, 2);
  return !same;
}

/* Forgets the name of the value at `index`. */
static void forget (lua_State *L, int index) {
  index = lua_absindex(L, index);
  names_get(L)->loaded = 0;
  names_push_map(L);
  lua_pushvalue(L, index);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static bool push_table_name (lua_State *L, int index) {
  if (!push_learnt(L, index)) return false;
  if (!replaced(L, index < 0 ? index - 1 : index)) return true;
  lua_pop(L, 1);
  forget(L, index);
  names_learn_modules(L, true);
  return push_learnt(L, index);
}

bool names_push (lua_State *L, int index) {
  if (lua_istable(L, index)) return push_table_name(L, index);
  if (push_learnt(L, index)) return true;
  if (!lua_iscfunction(L, index)) return false;
  names_learn_modules(L, true);
  names_learn_functions(L);
  if (push_learnt(L, index)) return true;
  names_learn_methods(L);
  return push_learnt(L, index) || names_push_of_address(L, lua_tocfunction(L, index));
}

bool names_standard (lua_State *L, const char *name) {
  size_t length;
  const char *bytes;
  Name n;
  NameStep step;
  bool same;
  if (strcmp(name, "_VERSION") == 0) return lua_type(L, -1) == LUA_TSTRING;
  if (lua_istable(L, -1) ? !names_is_library(name)
                         : !lua_iscfunction(L, -1) || !names_is_basic(name))
    return false;
  if (!names_push(L, -1)) return false;
  bytes = lua_tolstring(L, -1, &length);
  n = name_read(bytes, length);
  if (name_is_whole(&n)) same = n.space == NAME_LOADED && strcmp(n.module, name) == 0;
  else
    same = strcmp(n.module, LUA_GNAME) == 0 && name_next_step(&n, &step) && name_is_whole(&n)
           && step.length == strlen(name) && memcmp(step.text, name, step.length) == 0;
  lua_pop(L, 1);
  return same;
}

int names_stream (lua_State *L, int index) {
  luaL_Stream *s = luaL_testudata(L, index, LUA_FILEHANDLE);
  if (s == NULL || s->closef == NULL) return -1;
  return s->f == stdin ? 0 : s->f == stdout ? 1 : s->f == stderr ? 2 : -1;
}

/*
** Values of names.
*/

/* Whether the error at the top says that no file has the module. [0, 0, -] */
static bool is_not_found (lua_State *L) {
  return lua_type(L, -1) == LUA_TSTRING && strstr(lua_tostring(L, -1), "' not found:") != NULL;
}

/* Pushes what `require` gives; false: an error in its place. [0, +1, raises] */
static bool require_module (lua_State *L, const char *name) {
  names_push_loaded(L);
  lua_getfield(L, -1, LUA_GNAME);
  lua_remove(L, -2);
  if (!lua_istable(L, -1)) return false;
  lua_pushliteral(L, "require");
  lua_rawget(L, -2);
  lua_remove(L, -2);
  lua_pushstring(L, name);
  return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

/*
** Pushes package.loaded[name], asking `require` if it is not there; false: an error in
** its place. [0, +1, raises]
*/
static bool push_module (lua_State *L, const char *name) {
  bool there;
  names_push_loaded(L);
  there = lua_getfield(L, -1, name) != LUA_TNIL;
  lua_remove(L, -2);
  if (there) return true;
  lua_pop(L, 1);
  if (require_module(L, name)) return true;
  if (!is_not_found(L) || !names_learn_paths(L)) return false;
  lua_pop(L, 1);
  return require_module(L, name);
}

void names_push_stream (lua_State *L, int stream) {
  static const char *const fields[] = {"stdin", "stdout", "stderr"};
  if (push_module(L, LUA_IOLIBNAME) && lua_istable(L, -1)) lua_getfield(L, -1, fields[stream]);
  else lua_pushnil(L);
  lua_remove(L, -2);
}

/* Pushes the methods of the kind of objects, or nil. [0, +1, memory] */
static void push_methods (lua_State *L, const char *kind) {
  for (const Kind *const *k = object_kinds; *k != NULL; k++)
    if (strcmp((*k)->name, kind) == 0) {
      object_metatable(L, *k);
      lua_rawgeti(L, -1, 1);
      lua_remove(L, -2);
      return;
    }
  lua_pushnil(L);
}

/* Pushes what the steps begin at; false: an error in its place. [0, +1, raises] */
static bool push_start (lua_State *L, const Name *n) {
  switch (n->space) {
    case NAME_LOADED: return push_module(L, n->module);
    case NAME_KIND: push_methods(L, n->module); return true;
    default:
      if (luaL_getmetatable(L, LUA_FILEHANDLE) != LUA_TTABLE) return true;
      lua_getfield(L, -1, "__index");
      lua_remove(L, -2);
      return true;
  }
}

/* Replaces the value at the top by the one a step further, or by nil. */
static void take_step (lua_State *L, const NameStep *step) {
  bool there = false;
  if (step->kind == STEP_METATABLE) there = lua_getmetatable(L, -1);
  else if (step->kind == STEP_UPVALUE)
    there = lua_isfunction(L, -1) && lua_getupvalue(L, -1, (unsigned char)*step->text) != NULL;
  else if (lua_istable(L, -1)) {
    lua_pushlstring(L, step->text, step->length);
    lua_rawget(L, -2);
    there = true;
  }
  if (!there) lua_pushnil(L);
  lua_remove(L, -2);
}

/* Pushes the name as a script would write it. [0, +1, memory] */
static void push_shown (lua_State *L, Name n) {
  NameStep step;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, n.space == NAME_FILE ? "file" : n.module);
  while (name_next_step(&n, &step)) {
    luaL_addstring(&b, step.kind == STEP_METATABLE ? ".<metatable>"
                       : step.kind == STEP_UPVALUE ? ".<upvalue>"
                                                   : ".");
    if (step.kind == STEP_FIELD) luaL_addlstring(&b, step.text, step.length);
  }
  luaL_pushresult(&b);
}

/* What any use of a stand-in does. Upvalue: the error. */
static int raise_missing (lua_State *L) {
  luaL_where(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_concat(L, 2);
  return lua_error(L);
}

/* Replaces the error at the top (nil: none) by a stand-in for what is missing. [-1, +1, memory] */
static void push_stand_in (lua_State *L, Name n) {
  static const char *const uses[] = {"__index", "__newindex", "__call", "__len", "__pairs"};
  bool absent = lua_type(L, -1) != LUA_TSTRING || is_not_found(L);
  push_shown(L, n);
  if (absent) lua_pushfstring(L, "cannot find '%s' in the receiving thread", lua_tostring(L, -1));
  else
    lua_pushfstring(L, "cannot load '%s' in the receiving thread: %s", lua_tostring(L, -1),
                    lua_tostring(L, -2));
  lua_newtable(L);
  lua_newtable(L); /* error shown text stand-in metatable */
  for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, raise_missing, 1);
    lua_setfield(L, -2, uses[i]);
  }
  lua_setmetatable(L, -2);
  lua_replace(L, -4);
  lua_pop(L, 2);
}

/*
** Puts the function of Lua's library in place of what a script has put there, which is
** at the top. [0, 0, memory]
*/
static void undo_replacing (lua_State *L, const Name *n) {
  Name left = *n;
  NameStep step;
  char name[256];
  lua_CFunction f;
  if (n->space != NAME_LOADED || !names_is_library(n->module) || !name_next_step(&left, &step)
      || !name_is_whole(&left))
    return;
  memcpy(name, step.text, step.length);
  name[step.length] = '\0';
  f = names_address(n->module, name, !world_is_parallel(thread_self->object.world));
  if (f == NULL) return;
  lua_pushcfunction(L, f);
  lua_replace(L, -2);
}

void names_resolve (lua_State *L, const char *bytes, size_t length) {
  Name n = name_read(bytes, length), left = n;
  NameStep step;
  bool ok;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  ok = push_start(L, &n);
  while (ok && name_next_step(&left, &step)) take_step(L, &step);
  if (ok && lua_type(L, -1) != LUA_TTABLE && !lua_iscfunction(L, -1)) undo_replacing(L, &n);
  if (!ok || lua_isnil(L, -1)) push_stand_in(L, n);
}

/*
** names.c - what every state has of its own: modules, their C functions, our
** methods, the standard streams. They travel as names.
**
** A name is one string: 'L' module, 'L' module \0 field (in package.loaded),
** 'F' method (of files), 'K' kind \0 method (of our objects). Each state keeps
** a table from values to names, learnt when it is first needed and again when
** a C function is not in it. A name learnt stays known although the field has
** been overwritten since: who wraps string.format still holds the old one.
**
** Whether a table is a module is asked for each table that is sent; a small
** filter of addresses answers nearly always, and never wrongly with no.
*/
#include <stdio.h>

#include <lualib.h>

#include "message/private.h"

#define FILTER_BITS 8192

struct Names {
  uint64_t filter[FILTER_BITS / 64];
  uint64_t loaded; /* sum over package.loaded as it was when learnt; 0: not yet */
  bool stale;      /* a module has come since */
};

static const char names_key; /* its address names the userdata in the registry */

static const char *const libraries[] = {"_G",      "coroutine", "debug", "io",   "math", "os",
                                        "package", "string",    "table", "utf8", NULL};

static const char *const basics[] = {
    "assert",   "collectgarbage", "dofile",  "error",  "getmetatable", "ipairs",   "load",
    "loadfile", "next",           "pairs",   "pcall",  "print",        "rawequal", "rawget",
    "rawlen",   "rawset",         "require", "select", "setmetatable", "tonumber", "tostring",
    "type",     "warn",           "xpcall",  NULL};

static bool listed (const char *const *list, const char *name) {
  for (; *list != NULL; list++)
    if (**list == *name && strcmp(*list, name) == 0) return true;
  return false;
}

/*
** The state's names.
*/

/* Pushes package.loaded. [0, +1] */
static void push_loaded (lua_State *L) { luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); }

/* __newindex of package.loaded (loaded, name, module) */
static int add_module (lua_State *L) {
  names_peek(L)->stale = true;
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 0;
}

/* From now on modules that are loaded are noticed, unless the script watches that table itself. [0, 0, memory] */
static void watch_loaded (lua_State *L) {
  push_loaded(L);
  if (!lua_getmetatable(L, -1)) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, add_module);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
  }
  else lua_pop(L, 1);
  lua_pop(L, 1);
}

/* Pushes the userdata; its user value is the table from values to names. [0, +1, memory] */
static Names *push_names (lua_State *L) {
  Names *names;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key) == LUA_TUSERDATA) return lua_touserdata(L, -1);
  lua_pop(L, 1);
  names = lua_newuserdatauv(L, sizeof *names, 1);
  memset(names, 0, sizeof *names);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
  watch_loaded(L);
  names_learn_modules(L);
  return names;
}

Names *names_peek (lua_State *L) {
  Names *names;
  if (!lua_checkstack(L, 1)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
  names = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return names;
}

Names *names_get (lua_State *L) {
  Names *names;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  names = push_names(L);
  lua_pop(L, 1);
  return names;
}

static unsigned filter_bit (const void *p) {
  return (unsigned)(((uint64_t)(uintptr_t)p * UINT64_C(0x9E3779B97F4A7C15)) >> 40) % FILTER_BITS;
}

bool names_maybe_module (const Names *names, const void *table) {
  unsigned bit = filter_bit(table);
  return (names->filter[bit / 64] >> bit % 64) & 1;
}

bool names_surely_none (const Names *names, const void *table) {
  return !names->stale && !names_maybe_module(names, table);
}

/* Pushes the table from values to names. [0, +1, memory] */
static void push_map (lua_State *L) {
  push_names(L);
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
}

/*
** Learning.
*/

/* What is in Lua itself comes first, our own module next; the basic functions last, where any name may have been put. */
static int rank (const char *name, size_t length) {
  const char *module = name + 1;
  if (*name != 'L') return 2;
  if (strcmp(module, LUA_GNAME) == 0) return strlen(name) == length ? 0 : 4;
  return listed(libraries, module) ? 0 : strcmp(module, "luasync") == 0 ? 1 : 3;
}

/* Whether name a is to be taken before name b; the same names in any order give the same answer. */
static bool better (const char *a, size_t alen, const char *b, size_t blen) {
  int order = rank(a, alen) - rank(b, blen);
  if (order == 0) order = memcmp(a, b, alen < blen ? alen : blen);
  return order != 0 ? order < 0 : alen < blen;
}

/* Names the value under the name at the top, in the map at `map`, unless it has a better one. [-1, 0] */
static void learn (lua_State *L, int map) {
  size_t oldlen, newlen;
  const char *old, *new = lua_tolstring(L, -1, &newlen);
  bool take;
  lua_pushvalue(L, -2);
  lua_rawget(L, map);
  old = lua_tolstring(L, -1, &oldlen);
  take = old == NULL || better(new, newlen, old, oldlen);
  lua_pop(L, 1);
  if (take) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, map);
  }
  else lua_pop(L, 1);
}

/* Pushes 'L' module [\0 key], the key being at the top but one under its value, or false. [0, +(0|1)] */
static bool push_field_name (lua_State *L, char space, const char *module) {
  size_t length, mlen = strlen(module);
  const char *key;
  luaL_Buffer b;
  if (lua_type(L, -2) != LUA_TSTRING) return false;
  key = lua_tolstring(L, -2, &length);
  if (memchr(key, '\0', length) != NULL) return false;
  if (space == 'L' && strcmp(module, LUA_GNAME) == 0 && !listed(basics, key)) return false;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, space);
  luaL_addlstring(&b, module, mlen);
  if (mlen > 0) luaL_addchar(&b, '\0');
  luaL_addlstring(&b, key, length);
  luaL_pushresult(&b);
  return true;
}

/* Learns the C functions in the table at the top. [-1, 0] */
static void learn_fields (lua_State *L, int map, char space, const char *module) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_iscfunction(L, -1) && push_field_name(L, space, module)) learn(L, map);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Learns the module whose name and value are at the top but one and at the top. [0, 0] */
static void learn_module (lua_State *L, Names *names, int map) {
  size_t length;
  const char *known, *module = lua_tolstring(L, -2, &length);
  unsigned bit = filter_bit(lua_topointer(L, -1));
  bool same;
  if (strlen(module) != length) return;
  lua_pushvalue(L, -1);
  lua_rawget(L, map);
  known = lua_tostring(L, -1);
  same = known != NULL && strcmp(known + 1, module) == 0;
  lua_pop(L, 1);
  if (same) return;
  lua_pushfstring(L, "L%s", module);
  learn(L, map);
  names->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* A sum over the keys and values of package.loaded: another one where a module has come, gone or been replaced. [0, 0] */
static uint64_t sum_loaded (lua_State *L) {
  uint64_t sum = 1;
  push_loaded(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    uint64_t value = (uintptr_t)lua_topointer(L, -1), key = (uintptr_t)lua_topointer(L, -2);
    sum += (value * UINT64_C(0x9E3779B97F4A7C15)) ^ (key * UINT64_C(0xBF58476D1CE4E5B9) >> 7);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return sum;
}

/* Asked for whenever functions are sent: nearly always nothing has changed. */
void names_learn_modules (lua_State *L) {
  Names *names = push_names(L);
  uint64_t sum = sum_loaded(L);
  int map;
  names->stale = false;
  if (sum == names->loaded) {
    lua_pop(L, 1);
    return;
  }
  names->loaded = sum;
  lua_getiuservalue(L, -1, 1);
  map = lua_gettop(L);
  push_loaded(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && (lua_istable(L, -1) || lua_iscfunction(L, -1)))
      learn_module(L, names, map);
    lua_pop(L, 1);
  }
  lua_pop(L, 3);
}

/* Learns the C functions in all modules. [0, 0, memory] */
static void learn_functions (lua_State *L) {
  int map;
  push_map(L);
  map = lua_gettop(L);
  push_loaded(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1)) {
      lua_pushvalue(L, -1);
      learn_fields(L, map, 'L', lua_tostring(L, -3));
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
    lua_pushliteral(L, "__index");
    if (lua_rawget(L, -2) == LUA_TTABLE) learn_fields(L, map, 'F', "");
    else lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

/* Learns the methods of our objects. [0, 0, memory] */
static void learn_methods (lua_State *L) {
  int map;
  push_map(L);
  map = lua_gettop(L);
  for (const Kind *const *k = object_kinds; *k != NULL; k++) {
    object_metatable(L, *k);
    if (lua_rawgeti(L, -1, 1) == LUA_TTABLE) learn_fields(L, map, 'K', (*k)->name);
    else lua_pop(L, 1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/*
** Names of values.
*/

/* Pushes the learnt name of the value at `index`. [0, +(0|1)] */
static bool push_learnt (lua_State *L, int index) {
  lua_pushvalue(L, index);
  push_map(L);
  lua_insert(L, -2);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  if (lua_type(L, -1) == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

/* Whether the table at `index` is still the module that its name, at the top, says. */
static bool still_loaded (lua_State *L, int index) {
  bool yes;
  index = lua_absindex(L, index);
  push_loaded(L);
  lua_pushstring(L, lua_tostring(L, -2) + 1);
  lua_rawget(L, -2);
  yes = lua_rawequal(L, -1, index);
  lua_pop(L, 2);
  return yes;
}

/* Forgets the name of the table at `index`. */
static void forget (lua_State *L, int index) {
  index = lua_absindex(L, index);
  names_get(L)->loaded = 0;
  push_map(L);
  lua_pushvalue(L, index);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static bool push_module_name (lua_State *L, int index) {
  if (!push_learnt(L, index)) return false;
  if (still_loaded(L, index < 0 ? index - 1 : index)) return true;
  lua_pop(L, 1);
  forget(L, index);
  names_learn_modules(L);
  return push_learnt(L, index);
}

bool names_push (lua_State *L, int index) {
  if (lua_istable(L, index)) return push_module_name(L, index);
  if (push_learnt(L, index)) return true;
  names_learn_modules(L);
  learn_functions(L);
  if (push_learnt(L, index)) return true;
  learn_methods(L);
  return push_learnt(L, index);
}

bool names_standard (lua_State *L, const char *name, size_t length) {
  size_t shown;
  const char *known;
  bool same;
  if (strcmp(name, "_VERSION") == 0) return lua_type(L, -1) == LUA_TSTRING;
  if (lua_istable(L, -1) ? !listed(libraries, name)
                         : !lua_iscfunction(L, -1) || !listed(basics, name))
    return false;
  if (!names_push(L, -1)) return false;
  known = lua_tolstring(L, -1, &shown);
  if (strlen(known) == shown) same = shown == length + 1 && memcmp(known + 1, name, length) == 0;
  else same = strcmp(known, "L_G") == 0 && strcmp(known + 4, name) == 0;
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

/* Pushes package.loaded[name], asking `require` if it is not there; false, and nothing: no such module. [0, +(0|1), raises] */
static bool push_module (lua_State *L, const char *name) {
  push_loaded(L);
  if (lua_getfield(L, -1, name) != LUA_TNIL) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 1);
  lua_getfield(L, -1, LUA_GNAME);
  lua_remove(L, -2);
  if (!lua_istable(L, -1)) return lua_pop(L, 1), false;
  lua_pushliteral(L, "require");
  lua_rawget(L, -2);
  lua_remove(L, -2);
  lua_pushstring(L, name);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return true;
  if (lua_type(L, -1) != LUA_TSTRING || strstr(lua_tostring(L, -1), "' not found:") == NULL)
    lua_error(L);
  lua_pop(L, 1);
  return false;
}

void names_push_stream (lua_State *L, int stream) {
  static const char *const fields[] = {"stdin", "stdout", "stderr"};
  if (push_module(L, LUA_IOLIBNAME)) {
    if (lua_istable(L, -1)) lua_getfield(L, -1, fields[stream]);
    else lua_pushnil(L);
    lua_remove(L, -2);
  }
  else lua_pushnil(L);
}

/* Pushes the table that holds the fields of the name; false: nothing. [0, +(0|1), raises] */
static bool push_holder (lua_State *L, char space, const char *module) {
  if (space == 'L') return push_module(L, module);
  if (space == 'F') {
    if (luaL_getmetatable(L, LUA_FILEHANDLE) != LUA_TTABLE) return lua_pop(L, 1), false;
    lua_getfield(L, -1, "__index");
    lua_remove(L, -2);
    return true;
  }
  for (const Kind *const *k = object_kinds; *k != NULL; k++)
    if (strcmp((*k)->name, module) == 0) {
      object_metatable(L, *k);
      lua_rawgeti(L, -1, 1);
      lua_remove(L, -2);
      return true;
    }
  return false;
}

bool names_resolve (lua_State *L, const char *name, size_t length, char shown[128]) {
  bool whole;
  const char *module, *key;
  luaL_checkstack(L, 8, NULL);
  name = lua_pushlstring(L, name, length);
  module = *name == 'F' ? "file" : name + 1;
  key = *name == 'F' ? name + 1 : name + strlen(name) + 1;
  whole = *name == 'L' && strlen(name) == length;
  if (whole) snprintf(shown, 128, "%s", module);
  else snprintf(shown, 128, "%s.%s", module, key);
  if (!push_holder(L, *name, module)) return lua_pop(L, 1), false;
  if (!whole) {
    if (lua_istable(L, -1)) {
      lua_pushstring(L, key);
      lua_rawget(L, -2);
    }
    else lua_pushnil(L);
    lua_remove(L, -2);
  }
  lua_remove(L, -2);
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

/*
** names_learn.c - what a state has by name, learnt.
**
** C functions of Lua's own libraries are learnt when the first one is sent. A
** module of a script is learnt as it is loaded, before the script can add to it:
** what it then holds (names_walk.c), any other state that loads it holds as well.
*/
#include <lualib.h>

#include "message/private.h"

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

const char *const *names_libraries (void) { return libraries + 1; }
bool names_is_library (const char *name) { return listed(libraries, name); }
bool names_is_basic (const char *name) { return listed(basics, name); }

bool names_is_ours (const char *module) {
  return names_is_library(module) || strcmp(module, "luasync") == 0;
}

/*
** Which of several names.
*/

/*
** What is in Lua itself comes first, our own module next; the basic functions last,
** where any name may have been put. A module is itself before it is part of another.
*/
static int rank (const Name *n) {
  if (n->space != NAME_LOADED) return 2;
  if (strcmp(n->module, LUA_GNAME) == 0) return name_is_whole(n) ? 0 : 5;
  if (names_is_library(n->module)) return 0;
  if (strcmp(n->module, "luasync") == 0) return 1;
  return name_is_whole(n) ? 3 : 4;
}

/* Whether name a is to be taken before name b; the same names in any order give the same answer. */
static bool better (const char *a, size_t alen, const char *b, size_t blen) {
  Name first = name_read(a, alen), second = name_read(b, blen);
  int order = rank(&first) - rank(&second);
  if (order == 0) order = memcmp(a, b, alen < blen ? alen : blen);
  return order != 0 ? order < 0 : alen < blen;
}

/*
** Names the value under the name at the top, in the map at `map`, unless it has a
** better one. [-1, 0]
*/
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

/*
** Modules.
*/

/*
** Names the module whose name and value are at the top but one and at the top; false:
** it has that name. [0, 0]
*/
static bool name_module (lua_State *L, Names *names, int map) {
  size_t length, known_length;
  const char *known, *module = lua_tolstring(L, -2, &length);
  bool same;
  if (strlen(module) != length) return false;
  lua_pushvalue(L, -1);
  lua_rawget(L, map);
  known = lua_tolstring(L, -1, &known_length);
  same = known != NULL && known_length == length + 2 && *known == NAME_LOADED
         && strcmp(known + 1, module) == 0;
  lua_pop(L, 1);
  if (same) return false;
  name_push(L, NAME_LOADED, module);
  learn(L, map);
  if (lua_istable(L, -1)) names_mark(names, lua_topointer(L, -1));
  return !names_is_ours(module);
}

/*
** Whether it is `require` that sets a field: a script may put back what it took out
** long ago. [0, 0, -]
*/
static bool is_being_loaded (lua_State *L) {
  lua_Debug ar;
  return lua_getstack(L, 1, &ar) && lua_getinfo(L, "S", &ar) && *ar.what == 'C';
}

/* __newindex of package.loaded (loaded, name, module) */
static int add_module (lua_State *L) {
  Names *names = NULL;
  bool module;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 3);
  module = lua_type(L, 2) == LUA_TSTRING && (lua_istable(L, 3) || lua_isfunction(L, 3));
  if (module) names = names_get(L); /* first: what is there already may be the script's */
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, 1);
  if (!module) return 0;
  if (lua_istable(L, 3)) {
    lua_pushnil(L);
    if (!lua_next(L, 3)) { /* it puts itself there before it has begun */
      names->stale = true;
      return 0;
    }
  }
  lua_settop(L, 3);
  names_push_map(L);
  lua_insert(L, 2);
  if (name_module(L, names, 2)) {
    name_push(L, NAME_LOADED, lua_tostring(L, 3));
    names_walk_module(L, names, 2, is_being_loaded(L));
  }
  return 0;
}

void names_watch (lua_State *L) {
  names_push_loaded(L);
  if (!lua_getmetatable(L, -1)) {
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, add_module);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
  }
  else lua_pop(L, 1);
  lua_pop(L, 1);
}

/*
** A sum over the keys and values of package.loaded: another one where a module has
** come, gone or been replaced. [0, 0]
*/
static uint64_t sum_loaded (lua_State *L) {
  uint64_t sum = 1;
  names_push_loaded(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    uint64_t value = (uintptr_t)lua_topointer(L, -1), key = (uintptr_t)lua_topointer(L, -2);
    sum += (value * UINT64_C(0x9E3779B97F4A7C15)) ^ (key * UINT64_C(0xBF58476D1CE4E5B9) >> 7);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return sum;
}

/* Whether it is our watch that package.loaded has. [0, 0] */
static bool is_watched (lua_State *L) {
  bool yes = false;
  names_push_loaded(L);
  if (lua_getmetatable(L, -1)) {
    lua_pushliteral(L, "__newindex");
    lua_rawget(L, -2);
    yes = lua_tocfunction(L, -1) == add_module;
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return yes;
}

void names_learn_modules (lua_State *L, bool closely) {
  Names *names = names_get(L);
  uint64_t sum;
  int map;
  if (!closely && names->watched && !names->stale) return;
  sum = sum_loaded(L);
  names->stale = false;
  names->watched = is_watched(L);
  if (sum == names->loaded) return;
  names->loaded = sum;
  names_push_map(L);
  map = lua_gettop(L);
  lua_newtable(L); /* the new ones: name = module */
  names_push_loaded(L);
  for (lua_pushnil(L); lua_next(L, map + 2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING && (lua_istable(L, -1) || lua_isfunction(L, -1))
        && name_module(L, names, map)) {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, map + 1);
    }
  for (lua_pushnil(L); lua_next(L, map + 1); lua_pop(L, 1)) {
    name_push(L, NAME_LOADED, lua_tostring(L, -2));
    names_walk_module(L, names, map, false);
  }
  lua_settop(L, map - 1);
}

/*
** C functions of Lua's libraries, and our methods.
*/

/* Learns the C functions in the table under the name at the top. [-2, 0] */
static void learn_fields (lua_State *L, int map) {
  int name = lua_gettop(L), table = name - 1;
  bool globals = strcmp(lua_tostring(L, name) + 1, LUA_GNAME) == 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_iscfunction(L, -1) && lua_type(L, -2) == LUA_TSTRING) {
      size_t length;
      const char *key = lua_tolstring(L, -2, &length);
      if ((!globals || names_is_basic(key))
          && name_push_longer(L, name, (NameStep){STEP_FIELD, key, length}))
        learn(L, map);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, table - 1);
}

void names_learn_functions (lua_State *L) {
  int map;
  names_push_map(L);
  map = lua_gettop(L);
  names_push_loaded(L);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1)) {
      lua_pushvalue(L, -1);
      name_push(L, NAME_LOADED, lua_tostring(L, -3));
      learn_fields(L, map);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
    lua_pushliteral(L, "__index");
    if (lua_rawget(L, -2) == LUA_TTABLE) {
      name_push(L, NAME_FILE, "");
      learn_fields(L, map);
    }
  }
  lua_settop(L, map - 1);
}

void names_learn_methods (lua_State *L) {
  int map;
  names_push_map(L);
  map = lua_gettop(L);
  for (const Kind *const *k = object_kinds; *k != NULL; k++) {
    object_metatable(L, *k);
    if (lua_rawgeti(L, -1, 1) == LUA_TTABLE) {
      name_push(L, NAME_KIND, (*k)->name);
      learn_fields(L, map);
    }
    lua_settop(L, map);
  }
  lua_pop(L, 1);
}

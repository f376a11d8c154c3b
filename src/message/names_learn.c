/*
** names_learn.c - what a state has by name, learnt.
**
** C functions of Lua's own libraries are learnt when the first one is sent. A
** module of a script is learnt as it is loaded, before the script can add to it:
** what it then holds, any other state that loads it holds as well. That is its
** fields, the methods, parents and metatables of its classes, and the classes
** that only its functions know, as upvalues.
**
** Data of a module deeper inside, and behind upvalues, has no name: its contents
** are what a script means to send.
**
** Where a module was loaded before anybody watched, other code may have put its own
** things there. Then only functions from the module's file, and classes that it
** holds directly, are taken for its own.
*/
#include <lualib.h>

#include "message/private.h"

#define MODULE_MOST 5000 /* values looked at in one module */
#define NAME_MOST 200    /* bytes of a name of several steps */

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

/* Pushes package.loaded. [0, +1] */
static void push_loaded (lua_State *L) { luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); }

/* Lua's own, or ours: whatever it holds is learnt function by function. */
static bool is_ours (const char *module) {
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
** Files of modules.
*/

/* Pushes the file that package[field] leads to for the module, or nil. [0, +1, memory] */
static bool push_file (lua_State *L, const char *field, const char *module) {
  bool found = false;
  push_loaded(L);
  if (lua_getfield(L, -1, LUA_LOADLIBNAME) == LUA_TTABLE) {
    lua_pushliteral(L, "searchpath");
    lua_rawget(L, -2);
    lua_pushstring(L, module);
    lua_pushstring(L, field);
    lua_rawget(L, -4);
    found = lua_pcall(L, 2, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING;
    lua_remove(L, -2);
  }
  lua_remove(L, -2);
  if (found) return true;
  lua_pop(L, 1);
  lua_pushnil(L);
  return false;
}

static bool has_file (lua_State *L, const char *field, const char *module) {
  bool found = push_file(L, field, module);
  lua_pop(L, 1);
  return found;
}

/* Pushes how a function from the module's file names its source, or nil. [0, +1, memory] */
static void push_source (lua_State *L, const char *module) {
  if (!push_file(L, "path", module)) return;
  lua_pushliteral(L, "@");
  lua_insert(L, -2);
  lua_concat(L, 2);
}

/*
** What a module holds: a walk over it, breadth first, so that names are short.
*/
typedef struct Walk {
  Names *names;
  int map, seen, todo; /* stack indices: values to names; values met; value, name, value, name … */
  int source; /* of the module's file, as functions say it; 0: watched from the beginning */
  int met;
} Walk;

/*
** Whether the table at the top may have a name wherever it stands: a class, or one with
** a metatable.
*/
static bool stands_out (lua_State *L) {
  if (lua_getmetatable(L, -1)) return lua_pop(L, 1), true;
  return lasting_is_class(L, -1);
}

static bool seen_before (lua_State *L, const Walk *w) {
  bool yes;
  lua_pushvalue(L, -1);
  yes = lua_rawget(L, w->seen) != LUA_TNIL;
  lua_pop(L, 1);
  if (yes) return true;
  lua_pushvalue(L, -1);
  yes = lua_rawget(L, w->map) != LUA_TNIL;
  lua_pop(L, 1);
  return yes;
}

/* Puts the value under the name at the top on the list. [-1, 0] */
static void add_todo (lua_State *L, Walk *w) {
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, w->seen);
  lua_rawseti(L, w->todo, 2 * ++w->met);
  lua_pushvalue(L, -1);
  lua_rawseti(L, w->todo, 2 * w->met - 1);
}

/*
** Whether a step of the name at `index` is an upvalue: beyond that only a class and its
** own are looked at.
*/
static bool is_hidden (lua_State *L, int index) {
  size_t length;
  const char *bytes = lua_tolstring(L, index, &length);
  Name n = name_read(bytes, length);
  NameStep step;
  while (name_next_step(&n, &step))
    if (step.kind == STEP_UPVALUE) return true;
  return false;
}

/*
** Whether the value at the top is the module's own although nobody saw it being loaded.
** [0, 0, memory]
*/
static bool is_certain (lua_State *L, const Walk *w, bool named) {
  lua_Debug ar;
  if (lua_istable(L, -1)) return named;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">S", &ar);
  return lua_type(L, w->source) == LUA_TSTRING
         && strcmp(ar.source, lua_tostring(L, w->source)) == 0;
}

/*
** The value at the top stands one step from the one named at `name`. `held`:
** it has a name even if it is plain data. [-1, 0]
*/
static void meet (lua_State *L, Walk *w, int name, NameStep step, bool held) {
  bool table = lua_istable(L, -1), named;
  if ((!table && (!lua_isfunction(L, -1) || lua_iscfunction(L, -1))) || w->met >= MODULE_MOST
      || lua_rawlen(L, name) > NAME_MOST || seen_before(L, w)) {
    lua_pop(L, 1);
    return;
  }
  named = !table || held || stands_out(L);
  if ((w->source != 0 && !is_certain(L, w, named)) || !name_push_longer(L, name, step)) {
    lua_pop(L, 1);
    return;
  }
  if (named) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, w->map);
    if (table) names_mark(w->names, lua_topointer(L, -2));
  }
  add_todo(L, w);
  lua_pop(L, 1);
}

/* Meets what the table under the name at the top holds. */
static void walk_table (lua_State *L, Walk *w, bool module) {
  int name = lua_gettop(L), table = name - 1;
  bool held;
  size_t length;
  lua_pushvalue(L, table);
  held = module || stands_out(L);
  lua_pop(L, 1);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      const char *key = lua_tolstring(L, -2, &length);
      meet(L, w, name, (NameStep){STEP_FIELD, key, length}, held);
    }
    else lua_pop(L, 1);
  }
  if (lua_getmetatable(L, table)) meet(L, w, name, (NameStep){STEP_METATABLE, "", 0}, true);
}

/* Meets the classes among the upvalues of the function under the name at the top. */
static void walk_function (lua_State *L, Walk *w) {
  int name = lua_gettop(L);
  if (is_hidden(L, name)) return;
  for (int i = 1; i <= 255 && lua_getupvalue(L, name - 1, i) != NULL; i++) {
    char number = (char)i;
    if (lua_istable(L, -1) && lasting_is_class(L, -1))
      meet(L, w, name, (NameStep){STEP_UPVALUE, &number, 1}, false);
    else lua_pop(L, 1);
  }
}

/* Learns what the module holds that stands under its name at the top. [-1, 0] */
static void learn_contents (lua_State *L, Names *names, int map, bool watched) {
  Walk w = {.names = names, .map = map};
  int top = lua_gettop(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (watched) lua_pushnil(L);
  else {
    push_source(L, lua_tostring(L, top) + 1);
    w.source = top + 1;
  }
  lua_newtable(L);
  w.seen = top + 2;
  lua_newtable(L);
  w.todo = top + 3;
  push_loaded(L); /* leads to everything and is nobody's */
  lua_pushboolean(L, 1);
  lua_rawset(L, w.seen);
  lua_pushvalue(L, top - 1);
  lua_pushvalue(L, top);
  add_todo(L, &w);
  lua_pop(L, 1);
  for (int i = 1; i <= w.met; i++) {
    lua_rawgeti(L, w.todo, 2 * i - 1);
    lua_rawgeti(L, w.todo, 2 * i);
    if (lua_istable(L, -2)) walk_table(L, &w, i == 1);
    else walk_function(L, &w);
    lua_settop(L, w.todo);
  }
  lua_settop(L, top - 1);
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
  return !is_ours(module);
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
  Names *names;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, 1);
  if (lua_type(L, 2) != LUA_TSTRING || (!lua_istable(L, 3) && !lua_isfunction(L, 3))) return 0;
  names = names_get(L);
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
    learn_contents(L, names, 2, is_being_loaded(L));
  }
  return 0;
}

void names_watch (lua_State *L) {
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

/*
** A sum over the keys and values of package.loaded: another one where a module has
** come, gone or been replaced. [0, 0]
*/
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

/* Whether it is our watch that package.loaded has. [0, 0] */
static bool is_watched (lua_State *L) {
  bool yes = false;
  push_loaded(L);
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
  push_loaded(L);
  for (lua_pushnil(L); lua_next(L, map + 2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING && (lua_istable(L, -1) || lua_isfunction(L, -1))
        && name_module(L, names, map)) {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, map + 1);
    }
  for (lua_pushnil(L); lua_next(L, map + 1); lua_pop(L, 1)) {
    name_push(L, NAME_LOADED, lua_tostring(L, -2));
    learn_contents(L, names, map, false);
  }
  lua_settop(L, map - 1);
}

/* Whether a state with nothing preloaded can load it. [0, 0, raises] */
static bool find_loadable (lua_State *L, const char *module) {
  const char *dot = strchr(module, '.');
  bool found;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushstring(L, module);
  found = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  if (found) return false;
  if (has_file(L, "path", module) || has_file(L, "cpath", module)) return true;
  if (dot == NULL) return false;
  lua_pushlstring(L, module, (size_t)(dot - module)); /* one library for a whole family */
  found = has_file(L, "cpath", lua_tostring(L, -1));
  lua_pop(L, 1);
  return found;
}

bool names_loadable (lua_State *L, const char *module) {
  bool yes;
  if (is_ours(module) || strncmp(module, "luasync.", 8) == 0) return true;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  names_push_answers(L);
  if (lua_getfield(L, -1, module) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushboolean(L, find_loadable(L, module));
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, module);
  }
  yes = lua_toboolean(L, -1);
  lua_pop(L, 2);
  return yes;
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
  push_loaded(L);
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

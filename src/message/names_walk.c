/*
** names_walk.c - what a module holds: its fields, the methods, parents and metatables of
** its classes, and the classes that only its functions know, as upvalues.
**
** Data of a module deeper inside, and behind upvalues, has no name: its contents
** are what a script means to send.
**
** Where a module was loaded before anybody watched, other code may have put its own
** things there. Then only functions from the module's file, and classes that it
** holds directly, are taken for its own.
*/
#include "message/private.h"

#define MODULE_MOST 5000 /* values looked at in one module */
#define NAME_MOST 200    /* bytes of a name of several steps */

/* The walk goes breadth first, so that names are short. */
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

void names_walk_module (lua_State *L, Names *names, int map, bool watched) {
  Walk w = {.names = names, .map = map};
  int top = lua_gettop(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (watched) lua_pushnil(L);
  else {
    names_push_source(L, lua_tostring(L, top) + 1);
    w.source = top + 1;
  }
  lua_newtable(L);
  w.seen = top + 2;
  lua_newtable(L);
  w.todo = top + 3;
  names_push_loaded(L); /* leads to everything and is nobody's */
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

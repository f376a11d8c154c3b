/*
** names_paths.c - where modules are looked for, from one thread to another.
**
** A thread begins with the package.path and package.cpath of its starter. Whoever sends the
** name of a module tells the world where it looks for such; a thread that is to load a
** module, and cannot find it, looks there too from then on.
**
** A world keeps all that it has been told, so nobody has to wait for anybody. Programs have
** one or two paths; of those that make up new ones for ever the first MOST count.
*/
#include <lualib.h>

#include "message/private.h"
#include "world/thread_record.h"

#define MOST 16

static const char *const fields[] = {"path", "cpath"};
enum { PATHS = 2 };

struct SearchPaths {
  struct SearchPaths *older;
  int number;
  char *texts[PATHS];
};

/* Pushes package, or nil. [0, +1, memory] */
static void push_package (lua_State *L) {
  names_push_loaded(L);
  lua_pushliteral(L, LUA_LOADLIBNAME);
  if (lua_rawget(L, -2) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  lua_remove(L, -2);
}

/* Pushes both paths of the package at the top; false: they are no strings. [0, +2, memory] */
static bool push_paths (lua_State *L, const char *texts[PATHS]) {
  int package = lua_gettop(L);
  bool strings = true;
  for (int i = 0; i < PATHS; i++) {
    lua_pushstring(L, fields[i]);
    strings = lua_rawget(L, package) == LUA_TSTRING && strings;
    texts[i] = lua_tostring(L, -1);
  }
  return strings;
}

static bool is_told (const struct SearchPaths *p, const char *const texts[PATHS]) {
  for (; p != NULL; p = p->older)
    if (strcmp(p->texts[0], texts[0]) == 0 && strcmp(p->texts[1], texts[1]) == 0) return true;
  return false;
}

/* Without memory the world is not told. */
static void tell (World *world, const char *const texts[PATHS]) {
  size_t lengths[PATHS] = {strlen(texts[0]) + 1, strlen(texts[1]) + 1};
  struct SearchPaths *p = world_alloc(world, sizeof *p + lengths[0] + lengths[1]), *newest;
  if (p == NULL) return;
  p->texts[0] = (char *)(p + 1);
  p->texts[1] = p->texts[0] + lengths[0];
  for (int i = 0; i < PATHS; i++) memcpy(p->texts[i], texts[i], lengths[i]);
  newest = atomic_load(&world->paths);
  do {
    p->older = newest;
    p->number = newest != NULL ? newest->number + 1 : 1;
  } while (!atomic_compare_exchange_weak(&world->paths, &newest, p));
}

void names_tell_paths (lua_State *L) {
  World *world = thread_self->object.world;
  const struct SearchPaths *newest = atomic_load(&world->paths);
  const char *texts[PATHS];
  int top = lua_gettop(L);
  push_package(L);
  if (lua_istable(L, -1) && push_paths(L, texts) && !is_told(newest, texts)
      && (newest == NULL || newest->number < MOST))
    tell(world, texts);
  lua_settop(L, top);
}

/* Whether the template of that length is one of the path's. */
static bool has_template (const char *path, const char *template, size_t length) {
  while (strncmp(path, template, length) != 0
         || (path[length] != '\0' && path[length] != *LUA_PATH_SEP)) {
    path = strchr(path, *LUA_PATH_SEP);
    if (path == NULL) return false;
    path++;
  }
  return true;
}

/* Replaces the path at the top by one with the other's templates behind its own. [-1, +1, memory] */
static bool add_templates (lua_State *L, const char *other) {
  bool added = false;
  while (*other != '\0') {
    size_t length = strcspn(other, LUA_PATH_SEP);
    if (length > 0 && !has_template(lua_tostring(L, -1), other, length)) {
      lua_pushliteral(L, LUA_PATH_SEP);
      lua_pushlstring(L, other, length);
      lua_concat(L, 3);
      added = true;
    }
    other += length + (other[length] != '\0');
  }
  return added;
}

bool names_learn_paths (lua_State *L) {
  const struct SearchPaths *p = atomic_load(&thread_self->object.world->paths);
  int top = lua_gettop(L);
  bool learnt = false;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  push_package(L);
  for (; p != NULL && lua_istable(L, top + 1); p = p->older)
    for (int i = 0; i < PATHS; i++) {
      lua_pushstring(L, fields[i]);
      lua_pushvalue(L, -1);
      if (lua_rawget(L, top + 1) == LUA_TSTRING && add_templates(L, p->texts[i])) {
        lua_rawset(L, top + 1);
        learnt = true;
      }
      lua_settop(L, top + 1);
    }
  lua_settop(L, top);
  return learnt;
}

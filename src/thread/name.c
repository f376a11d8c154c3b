/*
** name.c - what threads are called: as they were told, or Thread-N, with
** the name of the target behind it where that can be found out. Lua functions
** have no names of their own, but the variable they were taken from has.
*/
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/decimal.h"
#include "thread/thread.h"
#include "thread/name.h"
#include "world/args.h"
#include "world/memory.h"

/* strncpy that always ends the copy. */
static void copy_text (char *to, const char *from, size_t size) {
  size_t length = from != NULL ? strnlen(from, size - 1) : 0;
  if (length > 0) memcpy(to, from, length);
  to[length] = '\0';
}

void thread_copy_name (Thread *t, char buffer[64]) {
  pthread_mutex_lock(&t->mu);
  copy_text(buffer, t->object.name, 64);
  pthread_mutex_unlock(&t->mu);
}

int thread_rename (lua_State *L, Thread *t, int index) {
  size_t length;
  const char *text = luaL_checklstring(L, index, &length);
  char *name, *old, os_name[16];
  if (strlen(text) != length) return luaL_error(L, "name contains zeros");
  name = world_strdup(t->object.world, text);
  if (name == NULL) args_no_memory(L);
  copy_text(os_name, name, sizeof os_name);
  pthread_mutex_lock(&t->mu);
  old = t->object.name;
  t->object.name = name;
  if (t->signalable && !t->is_main) pthread_setname_np(t->os, os_name);
  pthread_mutex_unlock(&t->mu);
  world_free(t->object.world, old);
  return 0;
}

/*
** The name of the local variable of the calling function that holds the value at
** `index`, or NULL.
*/
static const char *local_name (lua_State *L, lua_Debug *ar, int index) {
  const char *name, *found = NULL;
  for (int i = 1; found == NULL && (name = lua_getlocal(L, ar, i)) != NULL; i++) {
    if (name[0] != '(' && lua_rawequal(L, -1, index)) found = name;
    lua_pop(L, 1);
  }
  return found;
}

/* The same among its upvalues. */
static const char *upvalue_name (lua_State *L, lua_Debug *ar, int index) {
  const char *name, *found = NULL;
  lua_getinfo(L, "f", ar);
  for (int i = 1; found == NULL && (name = lua_getupvalue(L, -1, i)) != NULL; i++) {
    if (name[0] != '\0' && lua_rawequal(L, -1, index)) found = name;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

/* The same among the globals; the string stays alive as a key. */
static const char *global_name (lua_State *L, int index) {
  const char *found = NULL;
  lua_pushglobaltable(L);
  lua_pushnil(L);
  while (found == NULL && lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, index)) found = lua_tostring(L, -2);
    lua_pop(L, 1);
  }
  lua_pop(L, found != NULL ? 2 : 1);
  return found;
}

/* What the function at `index` is called where it was taken from, or NULL. */
static const char *target_name (lua_State *L, int index) {
  const char *name = NULL;
  lua_Debug ar;
  if (!lua_isfunction(L, index)) return NULL;
  if (lua_getstack(L, 1, &ar)) {
    name = local_name(L, &ar, index);
    if (name == NULL) name = upvalue_name(L, &ar, index);
  }
  return name != NULL ? name : global_name(L, index);
}

void thread_name_default (lua_State *L, Thread *t, int target) {
  const char *shown = target_name(L, target);
  World *world = t->object.world;
  char *name = world_alloc(world, 32 + (shown != NULL ? strlen(shown) : 0)), *p;
  if (name == NULL) args_no_memory(L);
  p = decimal_write(stpcpy(name, "Thread-"), 1 + atomic_fetch_add(&world->thread_names, 1));
  if (shown != NULL) p = stpcpy(stpcpy(stpcpy(p, " ("), shown), ")");
  *p = '\0';
  t->object.name = name;
}

/*
** Names of threads that ended while they held a lock, so that reports can say so.
*/
struct Grave {
  uint64_t serial;
  struct Grave *next;
  char name[64];
};

#define GRAVES_MOST 256

void thread_bury (Thread *t) {
  World *world = t->object.world;
  struct Grave *g = world_alloc(world, sizeof *g), **last;
  int n = 0;
  if (g == NULL) return;
  g->serial = t->serial;
  thread_copy_name(t, g->name);
  pthread_mutex_lock(&world->mu);
  g->next = world->graves;
  world->graves = g;
  for (last = &world->graves; *last != NULL && n < GRAVES_MOST; last = &(*last)->next) n++;
  g = *last;
  *last = NULL;
  pthread_mutex_unlock(&world->mu);
  world_free(world, g);
}

const char *thread_name_of (World *world, uint64_t serial, char buffer[64], bool *ended) {
  *ended = true;
  strcpy(buffer, "a thread that has ended");
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next)
    if (t->serial == serial) {
      *ended = false;
      thread_copy_name(t, buffer);
    }
  for (struct Grave *g = world->graves; *ended && g != NULL; g = g->next)
    if (g->serial == serial) strcpy(buffer, g->name);
  pthread_mutex_unlock(&world->mu);
  return buffer;
}

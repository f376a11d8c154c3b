/*
** sometimes.c - what must hold at least once in all the runs of an exploration.
**
** Each run has Lua states and memory of its own, and a search puts those back. So
** what has been seen is kept by whoever simulates: by the simulated world in which
** that thread lives, of whose run it is a part, or by the OS thread.
*/
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "sim/private.h"
#include "world/memory.h"

struct Sometimes {
  Sometimes *next;
  bool held;
  char name[]; /* terminated */
};

static _Thread_local Sometimes *named; /* in the order in which they were met */
static pthread_key_t at_end;           /* of an OS thread that has named some */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The list of those that have been named in runs within `world`. */
static Sometimes **list_of (World *world) {
  return world != NULL ? &sim_of(world)->sometimes : &named;
}

static World *simulated_world_of (const Thread *t) {
  World *world = t != NULL ? t->object.world : NULL;
  return world != NULL && world->driver == &sim_driver ? world : NULL;
}

static void forget (World *world) {
  Sometimes **list = list_of(world);
  while (*list != NULL) {
    Sometimes *first = *list;
    *list = first->next;
    world_free(world, first);
  }
}

static void forget_all (void *value) {
  (void)value;
  forget(NULL);
}

static void make_key (void) { pthread_key_create(&at_end, forget_all); }

/* Adds it, or returns what is there; NULL: no memory. */
static Sometimes *meet (World *world, const char *name) {
  Sometimes **last = list_of(world);
  size_t length = strlen(name);
  while (*last != NULL && strcmp((*last)->name, name) != 0) last = &(*last)->next;
  if (*last != NULL) return *last;
  if (world == NULL) {
    pthread_once(&once, make_key);
    pthread_setspecific(at_end, &named);
  }
  *last = world_alloc(world, sizeof **last + length + 1);
  if (*last == NULL) return NULL;
  (*last)->next = NULL;
  (*last)->held = false;
  memcpy((*last)->name, name, length + 1);
  return *last;
}

/* __sometimes(name, condition) */
static int note (lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  Sometimes *s;
  luaL_checkany(L, 2);
  if (!sim_inside()) return luaL_error(L, "sometimes needs a simulated world");
  s = meet(simulated_world_of(sim_of(thread_self->object.world)->outside_thread), name);
  if (s == NULL) return luaL_error(L, "not enough memory");
  s->held = s->held || lua_toboolean(L, 2);
  return 0;
}

/* __sometimes(): the names of what has never held, as a list; all are forgotten. */
static int never_held (lua_State *L) {
  World *world = simulated_world_of(thread_self);
  int n = 0;
  lua_newtable(L);
  for (Sometimes *s = *list_of(world); s != NULL; s = s->next)
    if (!s->held) {
      lua_pushstring(L, s->name);
      lua_rawseti(L, -2, ++n);
    }
  forget(world);
  return 1;
}

int sim_sometimes (lua_State *L) { return lua_isnone(L, 1) ? never_held(L) : note(L); }

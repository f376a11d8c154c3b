/*
** sometimes.c - what must hold at least once in all the runs of an exploration.
**
** Each run has Lua states and memory of its own, and a search puts those back. So
** what has been seen is kept outside of all worlds, on the OS thread that runs them.
*/
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "sim/private.h"

typedef struct Sometimes {
  struct Sometimes *next;
  bool held;
  char name[]; /* terminated */
} Sometimes;

static _Thread_local Sometimes *named; /* in the order in which they were met */

/* Adds it, or returns what is there; NULL: no memory. */
static Sometimes *meet (const char *name) {
  Sometimes **last = &named;
  size_t length = strlen(name);
  while (*last != NULL && strcmp((*last)->name, name) != 0) last = &(*last)->next;
  if (*last != NULL) return *last;
  *last = malloc(sizeof **last + length + 1);
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
  s = meet(name);
  if (s == NULL) return luaL_error(L, "not enough memory");
  s->held = s->held || lua_toboolean(L, 2);
  return 0;
}

/* __sometimes(): the names of what has never held, as a list; all are forgotten. */
static int never_held (lua_State *L) {
  int n = 0;
  lua_newtable(L);
  while (named != NULL) {
    Sometimes *first = named;
    if (!first->held) {
      lua_pushstring(L, first->name);
      lua_rawseti(L, -2, ++n);
    }
    named = first->next;
    free(first);
  }
  return 1;
}

int sim_sometimes (lua_State *L) { return lua_isnone(L, 1) ? never_held(L) : note(L); }

/*
** embedded.c - the Lua modules that are part of the command and of the module.
**
** A module is compiled once in a process, in a state of its own, and every state loads the
** bytecode: reading the text takes ten times as long, and each report of a deadlock is
** made in a fresh state. In a simulated world the first load must leave the same memory
** as all later ones, so none of them compiles.
*/
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "state/embedded.h"

#define MODULES_MOST 256

typedef struct Code {
  size_t length, capacity;
  char *bytes;
} Code;

static _Atomic(Code *) compiled[MODULES_MOST]; /* by index in luasync_embedded; const once set */

static void name_chunk (const Embedded *e, char name[96]) {
  snprintf(name, 96, "=%s.lua", e->name);
  for (char *p = name; p < name + strlen(e->name); p++)
    if (*p == '.') *p = '/';
}

/* A lua_Writer; ud is the Code. */
static int append (lua_State *L, const void *piece, size_t size, void *ud) {
  Code *c = ud;
  (void)L;
  if (c->length + size > c->capacity) {
    size_t capacity = 2 * (c->length + size);
    char *grown = realloc(c->bytes, capacity);
    if (grown == NULL) return 1;
    c->bytes = grown;
    c->capacity = capacity;
  }
  memcpy(c->bytes + c->length, piece, size);
  c->length += size;
  return 0;
}

static void code_free (Code *c) {
  if (c != NULL) free(c->bytes);
  free(c);
}

/* NULL: no memory. */
static Code *compile (const Embedded *e) {
  lua_State *L = luaL_newstate();
  Code *c = calloc(1, sizeof *c);
  char name[96];
  bool good;
  name_chunk(e, name);
  good = L != NULL && c != NULL && luaL_loadbuffer(L, e->code, e->length, name) == LUA_OK
         && lua_dump(L, append, c, 0) == 0;
  if (L != NULL) lua_close(L);
  if (good) return c;
  code_free(c);
  return NULL;
}

/* The bytecode of a module; NULL: no memory. Two threads may compile it at once; one is kept. */
static const Code *code_of (int i) {
  Code *c = atomic_load(&compiled[i]), *none = NULL;
  if (c != NULL) return c;
  c = compile(&luasync_embedded[i]);
  if (c == NULL || atomic_compare_exchange_strong(&compiled[i], &none, c)) return c;
  code_free(c);
  return none;
}

/* The loader of a module: runs its code. Upvalue: its index. */
static int load (lua_State *L) {
  const Code *c = code_of((int)lua_tointeger(L, lua_upvalueindex(1)));
  if (c == NULL) return luaL_error(L, "not enough memory");
  if (luaL_loadbuffer(L, c->bytes, c->length, "=luasync") != LUA_OK) return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

int embedded_push_loader (lua_State *L, const char *name) {
  for (int i = 0; i < MODULES_MOST && luasync_embedded[i].name != NULL; i++)
    if (strcmp(luasync_embedded[i].name, name) == 0) {
      lua_pushinteger(L, i);
      lua_pushcclosure(L, load, 1);
      return 1;
    }
  return 0;
}

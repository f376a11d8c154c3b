/*
** dump.c - see dump.h.
**
** Dumping costs more than all the rest of what a function takes, and a thread's function
** is sent again and again, so a weak table keeps the dump of each.
**
** A script that makes a closure for each message makes new functions of the same code.
** So for each prototype one function is known, as long as it lives, whose dump serves all.
*/
#include <string.h>

#include <lauxlib.h>

#include "base/registry.h"
#include "message/dump.h"
#include "message/private.h"
#include "message/prototype.h"

static const char dumps_key;    /* its address names the table from functions to dumps */
static const char siblings_key; /* from prototypes to functions in that */

/* A lua_Writer to a buffer, which begins late: lua_dump wants the function at the top. */
typedef struct Code {
  luaL_Buffer b;
  bool begun;
} Code;

static int add_piece (lua_State *L, const void *piece, size_t length, void *ud) {
  Code *code = ud;
  if (!code->begun) {
    code->begun = true;
    luaL_buffinit(L, &code->b);
  }
  luaL_addlstring(&code->b, piece, length);
  return 0;
}

void dump_push_code (lua_State *L, bool stripped) {
  Code code = {.begun = false};
  lua_dump(L, add_piece, &code, stripped);
  luaL_pushresult(&code.b);
}

static void add_name (void *ud, const char *name, size_t length) {
  luaL_Buffer *b = ud;
  luaL_addchar(b, (char)length);
  luaL_addlstring(b, name, length);
}

/* Which upvalues of the function at `index` stand for the globals, a bit each. */
static void find_environments (lua_State *L, int index, uint32_t env[8]) {
  const char *name;
  memset(env, 0, 8 * sizeof *env);
  for (int i = 1; (name = lua_getupvalue(L, index, i)) != NULL; i++) {
    if (encode_is_environment(L, name)) { env[(i - 1) / 32] |= UINT32_C(1) << (i - 1) % 32; }
    lua_pop(L, 1);
  }
}

/* Pushes the dump of the function at `index`, made new. [0, +1] */
static void push_new_dump (lua_State *L, int index, const uint32_t env[8]) {
  DumpEnd end;
  luaL_Buffer names; /* its own: it may move while the dump is read */
  const char *code;
  size_t length;
  lua_pushvalue(L, index);
  dump_push_code(L, false);
  code = lua_tolstring(L, -1, &length);
  memcpy(end.env, env, sizeof end.env);
  end.length = length;
  luaL_buffinit(L, &names);
  luaL_addlstring(&names, code, end.length);
  end.assigns =
      bytecode_names((const unsigned char *)code, end.length, env, false, add_name, &names);
  luaL_addchar(&names, 0);
  bytecode_names((const unsigned char *)code, end.length, env, true, add_name, &names);
  luaL_addlstring(&names, (const char *)&end, sizeof end);
  luaL_pushresult(&names);
  lua_replace(L, -3); /* the function */
  lua_pop(L, 1);
}

DumpEnd dump_end (lua_State *L) {
  size_t total;
  const char *dump = lua_tolstring(L, -1, &total);
  DumpEnd end;
  memcpy(&end, dump + total - sizeof end, sizeof end);
  return end;
}

/* Pushes the function of the same prototype whose dump is kept, or nil. [0, +1, -] */
static void push_sibling (lua_State *L, int index) {
  const void *prototype = prototype_of(L, index);
  if (prototype == NULL || lua_rawgetp(L, LUA_REGISTRYINDEX, &siblings_key) != LUA_TTABLE) {
    lua_pushnil(L);
    return;
  }
  lua_rawgetp(L, -1, prototype);
  lua_remove(L, -2);
}

/* Pushes the dump that has been made where the upvalues held the globals as they do now. */
static bool push_kept (lua_State *L, int index, const uint32_t env[8]) {
  bool found = false;
  int top = lua_gettop(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &dumps_key) == LUA_TTABLE) {
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TNIL) {
      push_sibling(L, index);
      lua_rawget(L, top + 1);
    }
    found = lua_type(L, -1) == LUA_TSTRING && memcmp(dump_end(L).env, env, sizeof *env * 8) == 0;
  }
  if (found) lua_replace(L, top + 1);
  lua_settop(L, top + found);
  return found;
}

bool dump_push_kept (lua_State *L, int index) {
  uint32_t env[8];
  find_environments(L, index, env);
  return push_kept(L, index, env);
}

/* The dump at the top is that of the function at `index`. [0, 0, memory] */
static void keep (lua_State *L, int index) {
  const void *prototype;
  registry_push_table(L, &dumps_key, "k", 0);
  lua_pushvalue(L, index);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  prototype_prepare();
  prototype = prototype_of(L, index);
  if (prototype == NULL) return;
  registry_push_table(L, &siblings_key, "v", 0);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, prototype);
  lua_pop(L, 1);
}

void dump_push (lua_State *L, int index) {
  uint32_t env[8];
  find_environments(L, index, env);
  if (push_kept(L, index, env)) return;
  push_new_dump(L, index, env);
  keep(L, index);
}

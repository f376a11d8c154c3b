/*
** encode_function.c - Lua functions, their captured locals, and the globals they name.
**
** A function travels as its dump with debug information. Dumping costs more
** than all the rest and a thread's function is sent again and again, so a weak
** table keeps the dump of each, with the names of the globals it uses behind
** it: bytecode, names (length:1, bytes), length of the bytecode:8.
**
** A captured local is a cell that several functions may hold. The first one
** that is met carries its value, the others a CELL. `_ENV` is no such cell: it
** becomes the receiver's globals wherever it stands among the upvalues.
** An `_ENV` of the script's own making, without a metatable to reach the
** globals by, is a captured local like any other.
*/
#include "base/registry.h"
#include "message/private.h"

static const char dumps_key; /* its address names the table of dumps */

/*
** Dumps.
*/

/* Pushes the table of dumps. [0, +1, memory] */
static void push_dumps (lua_State *L) { registry_push_table(L, &dumps_key, "k", 0); }

typedef struct Dump {
  luaL_Buffer b;
  bool begun;
} Dump;

/* A lua_Writer. The buffer begins late: lua_dump wants the function at the top. */
static int add_piece (lua_State *L, const void *piece, size_t length, void *ud) {
  Dump *d = ud;
  if (!d->begun) {
    d->begun = true;
    luaL_buffinit(L, &d->b);
  }
  luaL_addlstring(&d->b, piece, length);
  return 0;
}

static void add_name (void *ud, const char *name, size_t length) {
  luaL_Buffer *b = ud;
  luaL_addchar(b, (char)length);
  luaL_addlstring(b, name, length);
}

/* Whether upvalue n of the function at `index`, called `name`, whose value is at the top, stands for the globals. [0, 0] */
static bool is_environment (lua_State *L, const char *name) {
  bool yes;
  if (!lua_istable(L, -1)) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  yes = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  if (yes || strcmp(name, "_ENV") != 0 || !lua_getmetatable(L, -1)) return yes;
  lua_pop(L, 1);
  return true;
}

/* Which upvalues of the function at `index` stand for the globals, a bit each. */
static bool find_environments (lua_State *L, int index, uint32_t env[8]) {
  const char *name;
  bool any = false;
  memset(env, 0, 8 * sizeof *env);
  for (int i = 1; (name = lua_getupvalue(L, index, i)) != NULL; i++) {
    if (is_environment(L, name)) {
      env[(i - 1) / 32] |= UINT32_C(1) << (i - 1) % 32;
      any = true;
    }
    lua_pop(L, 1);
  }
  return any;
}

/* Pushes the dump of the function at `index`, made new. [0, +1] */
static void push_new_dump (lua_State *L, int index) {
  Dump d = {.begun = false};
  uint32_t env[8];
  uint64_t length;
  lua_pushvalue(L, index);
  lua_dump(L, add_piece, &d, 0);
  length = luaL_bufflen(&d.b);
  if (find_environments(L, index, env)) {
    luaL_Buffer names; /* its own: it may move while the dump is read */
    const char *code;
    luaL_pushresult(&d.b);
    code = lua_tostring(L, -1);
    luaL_buffinit(L, &names);
    luaL_addlstring(&names, code, length);
    bytecode_globals((const unsigned char *)code, length, env, add_name, &names);
    luaL_addlstring(&names, (const char *)&length, sizeof length);
    luaL_pushresult(&names);
    lua_remove(L, -2);
  }
  else {
    luaL_addlstring(&d.b, (const char *)&length, sizeof length);
    luaL_pushresult(&d.b);
  }
  lua_remove(L, -2); /* the function */
}

/* Pushes the dump of the function at `index`. [0, +1] */
static void push_dump (lua_State *L, int index) {
  push_dumps(L);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) != LUA_TSTRING) {
    lua_pop(L, 1);
    push_new_dump(L, index);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  lua_remove(L, -2);
}

/*
** Globals.
*/

/* Pushes the raw value that the name has where the function at `index` looks for globals. [0, +1] */
static int push_global (lua_State *L, int index, const char *name, size_t length) {
  const char *upvalue;
  for (int i = 1; (upvalue = lua_getupvalue(L, index, i)) != NULL; i++) {
    if (strcmp(upvalue, "_ENV") == 0 && is_environment(L, upvalue)) {
      lua_pushlstring(L, name, length);
      lua_rawget(L, -2);
      lua_remove(L, -2);
      if (!lua_isnil(L, -1)) return 1;
    }
    lua_pop(L, 1);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushlstring(L, name, length);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return !lua_isnil(L, -1);
}

/* The name joins those whose values travel, unless it is there or needless. e->globals: [i] = name, [name] = value. */
static void note_global (Encoder *e, int index, const char *name, size_t length) {
  lua_State *L = e->L;
  bool known;
  encoder_table_used(e, e->globals);
  lua_pushlstring(L, name, length);
  known = lua_rawget(L, e->globals) != LUA_TNIL;
  lua_pop(L, 1);
  if (known) return;
  if (push_global(L, index, name, length) && !names_standard(L, name, length)) {
    lua_pushlstring(L, name, length);
    lua_pushvalue(L, -1);
    lua_rawseti(L, e->globals, ++e->global_count);
    lua_pushvalue(L, -2);
    lua_rawset(L, e->globals);
  }
  lua_pop(L, 1);
}

/*
** Encoding.
*/

/* The function at `index` with its dump at the top: the record's head, and the globals it names. [-1, 0] */
static void put_function (Encoder *e, int index, int nups) {
  lua_State *L = e->L;
  size_t total;
  const char *dump = lua_tolstring(L, -1, &total);
  uint64_t length = get64((const unsigned char *)dump + total - 8);
  unsigned char *p = encoder_room(e, 10 + length);
  p[0] = TAG_FUNCTION;
  p[1] = (unsigned char)nups;
  set64(p + 2, length);
  memcpy(p + 10, dump, length);
  if (e->root == ROOT_CALL)
    for (size_t at = length; at < total - 8; at += 1 + (unsigned char)dump[at])
      note_global(e, index, dump + at + 1, (unsigned char)dump[at]);
  lua_pop(L, 1);
}

bool encode_function (Encoder *e) {
  lua_State *L = e->L;
  const void *key = lua_topointer(L, -1);
  size_t record, seen;
  int index = lua_gettop(L), nups = 0;
  if (lua_iscfunction(L, -1)) {
    if (names_push(L, -1)) return encoder_named(e);
    encoder_fault(e, "cannot send a C function");
  }
  seen = encode_map_find(e, key);
  if (seen != 0) return encoder_reference(e, seen);
  record = e->length;
  while (lua_upvalueid(L, index, nups + 1) != NULL) nups++;
  push_dump(L, index);
  put_function(e, index, nups);
  encoder_note(e, record);
  encoder_open(e, IN_FUNCTION, record, (uint32_t)nups);
  return true;
}

bool encode_upvalue (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  const char *name;
  const void *cell;
  size_t seen;
  if (f->index == f->count) {
    encoder_close(e);
    return false;
  }
  f->index++;
  name = lua_getupvalue(L, f->base, (int)f->index);
  if (is_environment(L, name) && strcmp(name, "_ENV") == 0) {
    put_tag(e, TAG_GLOBALS);
    lua_pop(L, 1);
    return false;
  }
  cell = lua_upvalueid(L, f->base, (int)f->index);
  seen = encode_map_find(e, cell);
  if (seen != 0) {
    uint64_t value = seen;
    encoder_share(e, seen >> 8);
    put_tag64(e, TAG_CELL, &value);
    lua_pop(L, 1);
    return false;
  }
  encoder_remember(e, cell, f->record << 8 | f->index);
  return true;
}

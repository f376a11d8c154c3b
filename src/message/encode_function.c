/*
** encode_function.c - Lua functions and their captured locals.
**
** A function travels as its dump with debug information. Dumping costs more
** than all the rest and a thread's function is sent again and again, so a weak
** table keeps the dump of each, with the names of the globals it uses behind
** it: bytecode, names of globals (length:1, bytes), a zero, names of fields, then a
** DumpEnd. Which names they are depends on what its upvalues hold; when that
** changes, the dump is made anew.
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

/* Which upvalues of the function at `index` stand for the globals, a bit each. */
static void find_environments (lua_State *L, int index, uint32_t env[8]) {
  const char *name;
  memset(env, 0, 8 * sizeof *env);
  for (int i = 1; (name = lua_getupvalue(L, index, i)) != NULL; i++) {
    if (encode_is_environment(L, name)) { env[(i - 1) / 32] |= UINT32_C(1) << (i - 1) % 32; }
    lua_pop(L, 1);
  }
}

/* What stands at the end of a dump. */
typedef struct DumpEnd {
  uint32_t env[8];  /* bit i: upvalue i held the globals */
  uint64_t length;  /* of the bytecode */
  uint64_t assigns; /* WATCH_… */
} DumpEnd;

/* Pushes the dump of the function at `index`, made new. [0, +1] */
static void push_new_dump (lua_State *L, int index, const uint32_t env[8]) {
  Dump d = {.begun = false};
  DumpEnd end;
  luaL_Buffer names; /* its own: it may move while the dump is read */
  const char *code;
  lua_pushvalue(L, index);
  lua_dump(L, add_piece, &d, 0);
  memcpy(end.env, env, sizeof end.env);
  end.length = luaL_bufflen(&d.b);
  luaL_pushresult(&d.b);
  code = lua_tostring(L, -1);
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

/* The end of the dump at the top. */
static DumpEnd dump_end (lua_State *L) {
  size_t total;
  const char *dump = lua_tolstring(L, -1, &total);
  DumpEnd end;
  memcpy(&end, dump + total - sizeof end, sizeof end);
  return end;
}

/* Pushes the dump of the function at `index`. [0, +1] */
static void push_dump (lua_State *L, int index) {
  uint32_t env[8];
  find_environments(L, index, env);
  push_dumps(L);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) != LUA_TSTRING || memcmp(dump_end(L).env, env, sizeof env) != 0) {
    lua_pop(L, 1);
    push_new_dump(L, index, env);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
  }
  lua_remove(L, -2);
}

/*
** Encoding.
*/

/*
** The function at `index` with its dump at the top: the record's head, and the globals
** it names. [-1, 0]
*/
static void put_function (Encoder *e, int index, int nups, uint64_t id) {
  lua_State *L = e->L;
  size_t total;
  const char *dump = lua_tolstring(L, -1, &total);
  DumpEnd end = dump_end(L);
  uint64_t length = end.length;
  unsigned char *p = encoder_room(e, FUNCTION_HEAD + length);
  e->watched |= (uint8_t)end.assigns;
  p[0] = TAG_FUNCTION;
  set64(p + FUNCTION_ID, id);
  p[FUNCTION_NUPS] = (unsigned char)nups;
  set64(p + FUNCTION_LENGTH, length);
  memcpy(p + FUNCTION_HEAD, dump, length);
  if (e->root == ROOT_CALL) {
    size_t at = length;
    for (; dump[at] != 0; at += 1 + (unsigned char)dump[at])
      encode_note_global(e, index, dump + at + 1, (unsigned char)dump[at]);
    for (at++; at < total - sizeof(DumpEnd); at += 1 + (unsigned char)dump[at])
      encode_note_addition(e, dump + at + 1, (unsigned char)dump[at]);
  }
  lua_pop(L, 1);
}

/* Whether the function at the top is a field of a table that lasts. */
static bool is_method (Encoder *e) {
  const Frame *f = e->depth > 0 ? &e->frames[e->depth - 1] : NULL;
  return f != NULL && f->kind == IN_TABLE && (f->state == AT_ARRAY || f->state == AT_PAIRS)
         && (e->data[f->record] & TAG_KIND) == TAG_CLASS
         && get64(e->data + f->record + CLASS_ID) != 0;
}

/* The Lua function at the top, if it needs not be dumped. [-(1|0), 0] */
static bool encode_known_function (Encoder *e, uint64_t *id) {
  lua_State *L = e->L;
  bool lasts = is_method(e);
  if (names_push(L, -1)) {
    if (encoder_loadable(e)) return encoder_named(e);
    lua_pop(L, 1);
    lasts = true;
  }
  return (lasts || lasting_find(L, -1) != NULL) && encode_lasting(e, id);
}

/*
** The C function at the top, which has no name: its address serves where it comes with
** its module. [-1, 0, raises]
*/
static bool encode_bare (Encoder *e) {
  lua_CFunction f = lua_tocfunction(e->L, -1);
  if (e->root != ROOT_MODULES || lua_upvalueid(e->L, -1, 1) != NULL)
    encoder_fault(e, "cannot send a C function");
  put_tag64(e, TAG_BARE, &f);
  lua_pop(e->L, 1);
  return true;
}

bool encode_function (Encoder *e) {
  lua_State *L = e->L;
  size_t record, seen;
  uint64_t id = 0;
  int index = lua_gettop(L), nups = 0;
  if (lua_iscfunction(L, -1)) {
    if (names_push(L, -1) && (e->root != ROOT_MODULES || encoder_loadable(e)))
      return encoder_named(e);
    lua_settop(L, index);
    return encode_bare(e);
  }
  seen = encode_map_find(e, lua_topointer(L, -1));
  if (seen != 0) {
    if (is_method(e)) encode_give_id(e, seen);
    return encoder_reference(e, seen);
  }
  if (encode_known_function(e, &id)) return true;
  record = e->length;
  while (lua_upvalueid(L, index, nups + 1) != NULL) nups++;
  push_dump(L, index);
  put_function(e, index, nups, id);
  if (e->anchors_wanted) return false;
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
  name = lua_getupvalue(L, f->slots.base, (int)f->index);
  if (encode_is_environment(L, name) && strcmp(name, "_ENV") == 0) {
    put_tag(e, TAG_GLOBALS);
    lua_pop(L, 1);
    return false;
  }
  cell = lua_upvalueid(L, f->slots.base, (int)f->index);
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

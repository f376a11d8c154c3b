/*
** encode_function.c - Lua functions and their captured locals.
**
** A function travels as its dump with debug information (dump.c).
**
** A captured local is a cell that several functions may hold. The first one
** that is met carries its value, the others a CELL. `_ENV` is no such cell: it
** becomes the receiver's globals wherever it stands among the upvalues.
** An `_ENV` of the script's own making, without a metatable to reach the
** globals by, is a captured local like any other.
*/
#include "message/dump.h"
#include "message/private.h"

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

/* The Lua function at the top with its dump above it. [-1, 0] */
static bool open_function (Encoder *e, uint64_t id) {
  lua_State *L = e->L;
  size_t record = e->length;
  int index = lua_gettop(L) - 1, nups = 0;
  while (lua_upvalueid(L, index, nups + 1) != NULL) nups++;
  put_function(e, index, nups, id);
  if (e->anchors_wanted) return false;
  encoder_note(e, record);
  encoder_open(e, IN_FUNCTION, record, (uint32_t)nups);
  return true;
}

/* Whether the function at the top has a name, or lasts. [0, 0, -] */
static bool is_more_than_data (Encoder *e) {
  lua_State *L = e->L;
  bool named;
  lua_getiuservalue(L, e->state, NAMES_MAP);
  lua_pushvalue(L, -2);
  named = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return named || lasting_find_quickly(L, e->state) != NULL;
}

bool encode_plain_function (Encoder *e) {
  lua_State *L = e->L;
  size_t seen = encode_map_find(e, lua_topointer(L, -1));
  if (seen != 0) return encoder_reference(e, seen);
  return e->names != NULL && !e->names->stale && e->depth < PLAIN_DEPTH && e->here == e->to
         && e->root != ROOT_CALL && !lua_iscfunction(L, -1) && !is_more_than_data(e)
         && dump_push_kept(L, lua_gettop(L)) && open_function(e, 0);
}

bool encode_function (Encoder *e) {
  lua_State *L = e->L;
  size_t seen;
  uint64_t id = 0;
  int index = lua_gettop(L);
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
  dump_push(L, index);
  return open_function(e, id);
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

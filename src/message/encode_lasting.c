/*
** encode_lasting.c - classes, methods and modules that are sent to a thread once.
**
** The first message that one is in holds its contents, under its id; so do the
** messages that start a thread, which must have all as it is at that time.
** Any other message refers to a definition, which is encoded when there is none,
** when the class has got other fields, or when a thread has been made since.
**
** A definition holds all that lasts and is reached from its value, unless that
** has a definition already. So definitions refer to earlier ones only, and
** counting references to them is enough.
*/
#include "message/private.h"
#include "world/args.h"

#define LEVEL_MOST 40 /* definitions in a row: the decoder recurses */

/* A reference to the definition of the value at the top. [-1, 0] */
static bool put_lasting (Encoder *e, Lasting *l) {
  size_t at = e->length;
  unsigned char *p = encoder_room(e, LASTING_RECORD);
  Message *definition;
  encoder_note(e, at);
  definition = lasting_take_definition(l);
  p[0] = TAG_LASTING;
  put_bytes(p + COUNTED_POINTER, &definition, sizeof definition);
  set64(p + COUNTED_PREVIOUS, e->last_counted);
  set64(p + LASTING_ID, l->id);
  set64(p + LASTING_UPDATE, l->update);
  if (l->leads) e->leads = true;
  e->last_counted = at;
  if (e->level <= l->level) e->level = l->level + 1;
  lua_pop(e->L, 1);
  return true;
}

bool encode_lasting_plain (Encoder *e) {
  Lasting *l = e->root != ROOT_CALL ? lasting_find_quickly(e->L, e->state) : NULL;
  return l != NULL && !l->module && lasting_ready(e->L, l, e->to, e->state) && !l->gain.transfers
         && put_lasting(e, l);
}

/* (value, world) makes a definition for the value and for all in it that has none. */
static int make_definition (lua_State *L) {
  World *to = args_inner(L, 2);
  Message *m;
  int n;
  lua_settop(L, 1);
  lua_newtable(L);
  lasting_prepare(L);
  m = encode_definition(L, 1, to);
  n = (int)lua_rawlen(L, 2);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, i);
    lasting_define(L, -1, m, to);
    lua_pop(L, 1);
  }
  message_free(m);
  return 0;
}

void encode_defined (Encoder *e) {
  if (e->defined == 0) return;
  lasting_push_box(e->L, -1);
  lua_rawseti(e->L, e->defined, ++e->defined_count);
}

/*
** Whether the value at the top has a definition now. What cannot be sent has none.
** [0, 0, memory]
*/
static bool define (Encoder *e, Lasting *l) {
  lua_State *L = e->L;
  if (lasting_ready(L, l, e->to, e->state)) return true;
  if (e->definition) return false;
  lasting_look(L, l, e->state);
  lasting_undefine(l); /* should there be no new one */
  lua_pushcfunction(L, make_definition);
  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, e->to);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
  return lasting_ready(L, l, e->to, e->state);
}

bool encode_lasting (Encoder *e, uint64_t *id) {
  lua_State *L = e->L;
  Lasting *l = lasting_get(L, -1);
  bool first = e->definition && e->length == sizeof(Message);
  bool fresh = e->root == ROOT_CALL || e->root == ROOT_MODULES;
  *id = l->id;
  if (l->sent && !fresh && e->to == e->here && !first && define(e, l) && l->level < LEVEL_MOST)
    return put_lasting(e, l);
  if (!e->definition) lasting_look(L, l, e->state);
  l->sent = true;
  encode_defined(e);
  return false;
}

/*
** A class of another make: a callable table that keeps the metatable of its
** instances in a field of its own, `__base` or the like.
*/
static bool keeps_metatable (lua_State *L) {
  int table = lua_gettop(L);
  bool found = false;
  if (luaL_getmetafield(L, table, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  for (lua_pushnil(L); !found && lua_next(L, table); lua_pop(L, 1))
    found = lua_istable(L, -1) && lua_type(L, -2) == LUA_TSTRING
            && strncmp(lua_tostring(L, -2), "__", 2) == 0 && lasting_is_class(L, -1);
  lua_settop(L, table);
  return found;
}

bool encode_is_parent (Encoder *e) {
  const Frame *f = e->depth > 0 ? &e->frames[e->depth - 1] : NULL;
  int key;
  if (f == NULL || f->kind != IN_TABLE || f->state != AT_PAIRS) return false;
  key = f->slots.base + 1;
  return lua_type(e->L, key) == LUA_TSTRING && strcmp(lua_tostring(e->L, key), "__index") == 0;
}

bool encode_lasts (Encoder *e, bool module) {
  lua_State *L = e->L;
  Lasting *l = names_maybe(e->names, lua_topointer(L, -1)) ? lasting_find(L, -1) : NULL;
  if (l != NULL && !l->module) return true;
  if (e->metatable || encode_is_parent(e) || lasting_is_class(L, -1) || keeps_metatable(L)) {
    if (l != NULL) l->module = false;
    return true;
  }
  if (module && l == NULL) lasting_get(L, -1)->module = true;
  return module;
}

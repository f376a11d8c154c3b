/*
** slot.c - slots that hold more than a number, a boolean or a short string.
*/
#include "message/private.h"
#include "world/args.h"

/* (message) */
static int decode_protected (lua_State *L) { return message_decode(L, args_inner(L, 1)); }

/* Pushes the one value of m and drops the reference, also when it raises. [0, +1, raises] */
static void decode_owned (lua_State *L, Message *m) {
  int status;
  if (!lua_checkstack(L, 2)) {
    message_free(m);
    luaL_error(L, "stack overflow");
  }
  lua_pushcfunction(L, decode_protected);
  lua_pushlightuserdata(L, m);
  status = lua_pcall(L, 1, 1, 0);
  message_free(m);
  if (status != LUA_OK) lua_error(L);
}

static int push_object (lua_State *L) {
  object_push(L, args_inner(L, 1));
  return 1;
}

/* Pushes the proxy and drops the reference, also when it raises. [0, +1, memory] */
static void push_owned_object (lua_State *L, Object *o) {
  int status = LUA_ERRERR;
  if (lua_checkstack(L, 4)) {
    lua_pushcfunction(L, push_object);
    lua_pushlightuserdata(L, o);
    status = lua_pcall(L, 1, 1, 0);
  }
  object_drop(o);
  if (status == LUA_ERRERR) luaL_error(L, "stack overflow");
  if (status != LUA_OK) lua_error(L);
}

/* A proxy at `index` of `o` into the slot. */
static void slot_set_object (lua_State *L, int index, Object *o, Slot *s, World *to) {
  char buffer[64];
  if (o->world != to)
    luaL_error(L, "cannot send %s '%s' to another world (at item)", o->kind->name,
               object_name(o, buffer));
  if (o->kind->departing != NULL) message_depart(L, index);
  object_keep(o);
  s->u.object = o;
  s->length = o->kind->visit != NULL;
  s->tag = SLOT_OBJECT;
}

void slot_set_other (lua_State *L, int index, Slot *s, World *to) {
  size_t length;
  const char *text;
  Object *o;
  Message *m;
  switch (lua_type(L, index)) {
    case LUA_TNIL: s->tag = SLOT_NIL; return;
    case LUA_TLIGHTUSERDATA:
      s->u.light = lua_touserdata(L, index);
      s->tag = SLOT_LIGHT;
      return;
    case LUA_TSTRING:
      text = lua_tolstring(L, index, &length);
      m = message_of_string(L, text, length, to);
      break;
    case LUA_TUSERDATA:
      o = object_any(L, index);
      if (o != NULL) {
        slot_set_object(L, index, o, s, to);
        return;
      }
      /* FALLTHROUGH */
    default: m = message_encode(L, index, 1, ROOT_ITEM, to);
  }
  s->u.message = m;
  s->length = message_leads(m);
  s->tag = SLOT_MESSAGE;
}

void slot_push_other (lua_State *L, Slot *s, int owned) {
  switch (s->tag) {
    case SLOT_NIL: lua_pushnil(L); return;
    case SLOT_FALSE: lua_pushboolean(L, 0); return;
    case SLOT_LIGHT: lua_pushlightuserdata(L, s->u.light); return;
    case SLOT_OBJECT: {
      Object *o = s->u.object;
      if (owned) push_owned_object(L, o);
      else object_push(L, o);
      break;
    }
    case SLOT_MESSAGE:
      if (owned) decode_owned(L, s->u.message);
      else message_decode(L, s->u.message);
      break;
    default: slot_push(L, s);
  }
  if (owned) s->tag = SLOT_NIL;
}

void slot_visit (const Slot *s, CycleSearch *search) {
  if (s->tag == SLOT_OBJECT) cycles_object(search, s->u.object);
  else if (s->tag == SLOT_MESSAGE) message_visit(s->u.message, search);
}

void slot_free_other (Slot *s) {
  if (s->tag == SLOT_OBJECT) object_drop(s->u.object);
  else if (s->tag == SLOT_MESSAGE) message_free(s->u.message);
}

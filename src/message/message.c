/*
** message.c - messages as a whole, and slots.
**
** message_encode first tries without protection: plain data needs no call that
** could raise, so nothing has to be caught. Functions, metatables, names and
** errors need protected mode, where the whole is encoded again from the start;
** nobody has seen the first attempt.
*/
#include "message/private.h"
#include "world/thread.h"

/*
** Life.
*/

void message_drop_objects (unsigned char *data, size_t last) {
  while (last != 0) {
    Object *o;
    memcpy(&o, data + last + 1, sizeof o);
    memcpy(&last, data + last + 1 + sizeof o, sizeof last);
    object_drop(o);
  }
}

void message_keep (Message *m) {
  if (m != NULL) atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

/* Puts a new message in the care of the world it is for, where that owns its messages: a simulated one. */
static Message *give_to (Message *m, World *world) {
  if (world == NULL || !world->owns) return m;
  m->owner = world;
  m->next = world->messages;
  if (m->next != NULL) m->next->previous = m;
  world->messages = m;
  return m;
}

static void take_from_owner (Message *m) {
  if (m->owner == NULL) return;
  if (m->previous != NULL) m->previous->next = m->next;
  else m->owner->messages = m->next;
  if (m->next != NULL) m->next->previous = m->previous;
}

void message_free_all (World *world) {
  while (world->messages != NULL) {
    Message *m = world->messages;
    world->messages = m->next;
    free(m);
  }
}

void message_free (Message *m) {
  if (m == NULL || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1) return;
  take_from_owner(m);
  message_drop_objects((unsigned char *)m, m->last_object);
  free(m);
}

static void message_init (Message *m, int count, size_t length) {
  memset(m, 0, sizeof *m);
  atomic_init(&m->refs, 1);
  m->count = count;
  m->length = length;
}

Message *message_of_string (lua_State *L, const char *text, size_t length) {
  Message *m = length < SIZE_MAX / 4 ? malloc(sizeof *m + 9 + length) : NULL;
  unsigned char *p;
  if (m == NULL) {
    luaL_error(L, "not enough memory");
    return NULL;                  /* not reached */
  }
  message_init(m, 1, sizeof *m + 9 + length);
  p = (unsigned char *)(m + 1);
  p[0] = TAG_STRING;
  set64(p + 1, length);
  memcpy(p + 9, text, length);
  return m;
}

void message_prepare (lua_State *L) { names_get(L); }

/*
** Encoding.
*/

static void encoder_init (Encoder *e, lua_State *L, Root root, World *to) {
  e->L = L;
  e->names = names_peek(L);
  e->to = to;
  e->root = root;
  e->mode = MODE_PLAIN;
  e->fault = false;
  e->data = e->scratch;
  e->frames = e->few_frames;
  e->entries = e->few_entries;
  e->last_object = 0;
  encode_release(e);
}

static bool encode_plain (Encoder *e, int first, int n) {
  lua_State *L = e->L;
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 2 * PLAIN_DEPTH + LUA_MINSTACK)) return false;
  for (e->item = 1; e->item <= n; e->item++) {
    lua_pushvalue(L, first + e->item - 1);
    if (!encode_run(e)) {
      lua_settop(L, top);
      return false;
    }
  }
  return true;
}

/* (encoder, values...) encodes the values, or leaves e->item where another mode is called for. In protected mode. */
static int encode_protected (lua_State *L) {
  Encoder *e = lua_touserdata(L, 1);
  int n = lua_gettop(L) - 1;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushnil(L);
  e->spill = n + 2;
  e->anchors = n + 3;
  e->globals = n + 4;
  e->names = names_get(L);
  for (e->item = 1; e->item <= n; e->item++) {
    lua_pushvalue(L, 1 + e->item);
    if (!encode_run(e)) {
      e->again = true;
      return 0;
    }
  }
  if (e->root == ROOT_CALL && !encode_globals(e)) e->again = true;
  return 0;
}

/* Says at the head of the error at the top where the running C function was called. [-1, +1, memory] */
static void add_position (lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING) return;
  luaL_where(L, 1);
  lua_insert(L, -2);
  lua_concat(L, 2);
}

static void release_encoder (Holding *h) { encode_release((Encoder *)h); }

/* Encodes in protected mode; raises only after all has been let go. A __transfer may wait, and wait for ever. */
static void encode_any (Encoder *e, int first, int n) {
  lua_State *L = e->L;
  int status;
  holding_note(holdings_here(), &e->holding, release_encoder);
  do {
    encode_release(e);
    e->mode = e->mode == MODE_PLAIN ? MODE_FULL : MODE_ANCHORED;
    e->again = false;
    luaL_checkstack(L, n + 2, NULL);
    lua_pushcfunction(L, encode_protected);
    lua_pushlightuserdata(L, e);
    for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
    status = lua_pcall(L, n + 1, 0, 0);
  } while (status == LUA_OK && e->again);
  holding_forget(&e->holding);
  if (status == LUA_OK) return;
  encode_release(e);
  if (e->fault) add_position(L);
  lua_error(L);
}

/* The block as a message of its own size. */
static Message *encoder_message (Encoder *e, int n) {
  bool mine = e->data == e->scratch;
  Message *m = realloc(mine ? NULL : e->data, e->length);
  if (m == NULL) {
    encode_release(e);
    luaL_error(e->L, "not enough memory");
    return NULL;                  /* not reached */
  }
  if (mine) memcpy(m, e->scratch, e->length);
  message_init(m, n, e->length);
  m->globals = (uint32_t)e->global_count;
  m->shared = e->shared;
  m->depth = (uint32_t)e->deepest;
  m->home = e->names != NULL ? thread_self->unique : 0;
  m->last_object = e->last_object;
  e->data = e->scratch;           /* given away, with the objects */
  e->last_object = 0;
  if (e->frames != e->few_frames || e->entries != e->few_entries) encode_release(e);
  return m;
}

Message *message_encode (lua_State *L, int first, int n, Root root, World *to) {
  Encoder e;
  encoder_init(&e, L, root, to);
  first = lua_absindex(L, first);
  if (!encode_plain(&e, first, n)) encode_any(&e, first, n);
  return give_to(encoder_message(&e, n), to);
}

/*
** Decoding.
*/

int message_decode (lua_State *L, Message *m) {
  return decode_message(L, m, NULL);
}

/* (message, fault) */
static int decode_protected (lua_State *L) {
  Message *m = lua_touserdata(L, 1);
  bool *fault = lua_touserdata(L, 2);
  return decode_message(L, m, fault);
}

/* Pushes the one value of m and drops the reference, also when it raises. [0, +1, raises] */
static void decode_owned (lua_State *L, Message *m) {
  bool fault = false;
  int status;
  if (!lua_checkstack(L, 4)) {
    message_free(m);
    luaL_error(L, "stack overflow");
  }
  lua_pushcfunction(L, decode_protected);
  lua_pushlightuserdata(L, m);
  lua_pushlightuserdata(L, &fault);
  status = lua_pcall(L, 2, 1, 0);
  message_free(m);
  if (status == LUA_OK) return;
  if (fault) add_position(L);
  lua_error(L);
}

/*
** Slots.
*/

static int push_object (lua_State *L) {
  object_push(L, lua_touserdata(L, 1));
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
  if (o->world != to) {
    luaL_error(L, "cannot send %s '%s' to another world (at item)", o->kind->name, object_name(o, buffer));
    return;                       /* not reached */
  }
  if (o->kind->departing != NULL) o->kind->departing(L, index);
  object_keep(o);
  s->u.object = o;
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
      m = give_to(message_of_string(L, text, length), to);
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

void slot_free_other (Slot *s) {
  if (s->tag == SLOT_OBJECT) object_drop(s->u.object);
  else if (s->tag == SLOT_MESSAGE) message_free(s->u.message);
}

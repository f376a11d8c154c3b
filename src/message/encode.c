/*
** encode.c - from the Lua stack into a block of bytes.
**
** No recursion: a record whose contents are being written is a Frame, and its
** values stand on the Lua stack in the order of frames; encode_run advances the
** innermost one until none is left. Where values nest deeper than SPILL_DEPTH,
** the slots of the enclosing frame are moved to a Lua table until it goes on.
**
** Identity is a map from addresses to offsets. The second time a table or
** function is met it becomes a REF, and the record of the first time is marked
** TAG_SHARED, so that the receiver remembers only what it will need.
**
** A table that has a name in every state travels as that (names.c); a class, its
** methods and modules without a file are sent to a thread once (lasting.c).
*/
#include "message/block.h"
#include "message/private.h"
#include "world/args.h"
#include "world/thread_record.h"

/*
** Tables.
*/

/* The table at the top, in a message of plain data. */
static bool encode_plain_table (Encoder *e, const void *key) {
  lua_State *L = e->L;
  size_t record = e->length;
  bool meta;
  if (e->names == NULL || e->depth == PLAIN_DEPTH || e->here != e->to) return false;
  if (!names_surely_none(e->names, key)) return encode_lasting_plain(e);
  meta = lua_getmetatable(L, -1);
  if (meta) lua_pop(L, 1);
  encoder_room(e, TABLE_HEAD)[0] = (unsigned char)(TAG_TABLE | (meta ? TAG_META : 0));
  encoder_remember(e, key, record);
  encoder_open(e, IN_TABLE, record, 0);
  lua_pushnil(L);
  return true;
}

/*
** Pushes the name of the table at the top, if it has one, be it that of a module just
** loaded. [0, +(0|1)]
*/
static bool push_table_name (Encoder *e) {
  const void *key = lua_topointer(e->L, -1);
  if (!e->learnt) names_learn_modules(e->L, e->root == ROOT_CALL);
  e->learnt = true;
  return names_maybe(e->names, key) && names_push(e->L, -1);
}

/* The table at the top has the name of a module, or of a part of it. [0, 0, memory] */
static void put_module (Encoder *e) {
  size_t length;
  const char *bytes;
  unsigned char *p;
  Name n;
  if (!names_push(e->L, -1)) return;
  bytes = lua_tolstring(e->L, -1, &length);
  n = name_read(bytes, length);
  if (name_is_whole(&n)) {
    length = strlen(n.module);
    p = encoder_room(e, NAMED_HEAD + length);
    p[0] = TAG_MODULE;
    set32(p + NAMED_LENGTH, (uint32_t)length);
    memcpy(p + NAMED_HEAD, n.module, length);
  }
  lua_pop(e->L, 1);
}

/* The table at the top, whatever it is. */
static bool encode_full_table (Encoder *e) {
  lua_State *L = e->L;
  size_t record;
  uint64_t id = 0;
  bool meta, module = false, lasts;
  if (push_table_name(e)) {
    if (encoder_loadable(e)) return encoder_named(e);
    lua_pop(L, 1);
    module = true;
  }
  lasts = encode_lasts(e, module);
  e->metatable = false;
  meta = lua_getmetatable(L, -1);
  if (meta && encode_transfer_wanted(L)) return encode_transfer(e);
  if (meta) lua_pop(L, 1);
  if (lasts && encode_lasting(e, &id)) return true;
  if (module) put_module(e);
  record = e->length;
  encoder_room(e, CLASS_HEAD)[0] = (unsigned char)(TAG_CLASS | (meta ? TAG_META : 0));
  set64(e->data + record + CLASS_ID, id);
  encoder_note(e, record);
  encoder_open(e, IN_TABLE, record, 0);
  encode_order(e);
  lua_pushnil(L);
  return true;
}

void encode_give_id (Encoder *e, size_t record) {
  unsigned tag = e->data[record] & TAG_KIND;
  size_t at = record + (tag == TAG_CLASS ? CLASS_ID : FUNCTION_ID);
  Lasting *l;
  if ((tag != TAG_CLASS && tag != TAG_FUNCTION) || get64(e->data + at) != 0) return;
  l = lasting_get(e->L, -1);
  l->sent = true;
  set64(e->data + at, l->id);
  encode_defined(e);
}

/*
** The table at `index`, whose record is there, turns out to be one that lasts, and so
** do its methods.
*/
static void make_lasting (Encoder *e, size_t record, int index) {
  lua_State *L = e->L;
  size_t method;
  if ((e->data[record] & TAG_KIND) != TAG_CLASS || get64(e->data + record + CLASS_ID) != 0) return;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushvalue(L, index);
  encode_give_id(e, record);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    method = lua_isfunction(L, -1) ? encode_map_find(e, lua_topointer(L, -1)) : 0;
    if (method != 0) encode_give_id(e, method);
  }
  lua_pop(L, 1);
}

static bool encode_table (Encoder *e) {
  const void *key = lua_topointer(e->L, -1);
  size_t seen = encode_map_find(e, key);
  if (seen != 0) {
    if (e->mode != MODE_PLAIN && encode_is_parent(e)) make_lasting(e, seen, -1);
    return encoder_reference(e, seen);
  }
  return e->mode == MODE_PLAIN ? encode_plain_table(e, key) : encode_full_table(e);
}

/* Whether the key and value at the top make their table a class. [0, 0] */
static bool is_class_field (lua_State *L, const char *key, size_t length) {
  if (length < 4 || key[0] != '_' || key[1] != '_') return false;
  if (lua_istable(L, -1)) return strcmp(key, "__index") == 0;
  return lua_isfunction(L, -1) && lasting_is_event(key, length);
}

/*
** Encodes the key, a copy of which stays; false: it needs protected mode. A new frame
** means: it is not written yet.
*/
static bool encode_key (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  size_t length;
  const char *text;
  if (lua_type(L, -2) != LUA_TSTRING) {
    f->state = AT_KEY;
    lua_pushvalue(L, -2);
    return encode_top(e);
  }
  text = lua_tolstring(L, -2, &length);
  if (is_class_field(L, text, length)) {
    if (e->mode == MODE_PLAIN) return false;
    make_lasting(e, f->record, f->slots.base);
  }
  put_string(e, text, length);
  return true;
}

bool encode_plain_metatable (Encoder *e) {
  const void *key = lua_topointer(e->L, -1);
  size_t seen = encode_map_find(e, key);
  if (seen != 0 && (e->data[seen] & TAG_KIND) == TAG_LASTING) return encoder_reference(e, seen);
  return names_maybe(e->names, key) && encode_lasting_plain(e);
}

/* The table's contents are done, its metatable follows. */
static bool encode_metatable (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  const void *key;
  size_t record;
  int depth = e->depth;
  f->state = AT_META;
  lua_getmetatable(L, f->slots.base);
  if (e->mode == MODE_PLAIN) return encode_plain_metatable(e);
  key = lua_topointer(L, -1);
  lua_pushvalue(L, -1);
  e->metatable = true;
  if (!encode_top(e)) return false;
  e->metatable = false;
  record = encode_map_find(e, key);
  if (record != 0)
    make_lasting(e, record, e->depth > depth ? e->frames[e->depth - 1].slots.base : -1);
  return true;
}

static bool finish_table (Encoder *e, Frame *f) {
  unsigned char *p = e->data + f->record;
  bool wide = (p[0] & TAG_KIND) == TAG_CLASS;
  set32(p + (wide ? CLASS_NARR : TABLE_NARR), f->index);
  set32(p + (wide ? CLASS_NREC : TABLE_NREC), f->count);
  if (f->state != AT_META && (p[0] & TAG_META)) return encode_metatable(e, f);
  encoder_close(e);
  return true;
}

/* Encodes as many fields as it can without opening another record. */
static bool step_table (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  int depth = e->depth;
  if (f->state == AT_META) return finish_table(e, f);
  if (f->state == AT_KEY) { /* the key is written, its value waits at the top */
    f->state = AT_PAIRS;
    if (!encode_top(e)) return false;
  }
  while (e->depth == depth && encode_next(e, f)) {
    if (f->state == AT_ARRAY && lua_isinteger(L, -2)
        && lua_tointeger(L, -2) == (lua_Integer)f->index + 1)
      f->index++;
    else {
      f->count++;
      if (!encode_key(e, f)) return false;
      if (e->depth != depth) return true;
      f->state = AT_PAIRS;
    }
    if (!encode_top(e)) return false;
  }
  return e->depth != depth || finish_table(e, f);
}

/*
** All other values.
*/

static const char *kind_of_userdata (lua_State *L) {
  if (!lua_getmetatable(L, -1)) return NULL;
  lua_pushliteral(L, "__name");
  return lua_rawget(L, -2) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
}

static bool encode_object (Encoder *e, Object *o) {
  size_t at = e->length;
  unsigned char *p;
  char buffer[64];
  if (o->world != e->to) {
    if (e->mode == MODE_PLAIN) return false;
    encoder_fault(e, "cannot send %s '%s' to another world", o->kind->name, object_name(o, buffer));
  }
  p = encoder_room(e, OBJECT_RECORD);
  p[0] = TAG_OBJECT;
  put_bytes(p + COUNTED_POINTER, &o, sizeof o);
  set64(p + COUNTED_PREVIOUS, e->last_counted);
  object_keep(o);
  if (o->kind->visit != NULL) e->leads = true;
  e->last_counted = at;
  lua_pop(e->L, 1);
  return true;
}

/* A full userdata that is not ours. */
static bool encode_foreign (Encoder *e) {
  lua_State *L = e->L;
  int stream;
  size_t seen = encode_map_find(e, lua_topointer(L, -1));
  const char *name;
  if (seen != 0) return encoder_reference(e, seen);
  stream = names_stream(L, -1);
  if (stream >= 0) {
    unsigned char *p = encoder_room(e, 2);
    p[0] = TAG_STREAM;
    p[1] = (unsigned char)stream;
    lua_pop(L, 1);
    return true;
  }
  if (lua_getmetatable(L, -1)) {
    if (encode_transfer_wanted(L)) return encode_transfer(e);
    lua_pop(L, 1);
  }
  name = kind_of_userdata(L);
  if (name != NULL) encoder_fault(e, "cannot send a userdata '%s'", name);
  encoder_fault(e, "cannot send a userdata");
}

static bool encode_userdata (Encoder *e) {
  Object *o = object_any(e->L, -1);
  if (e->mode == MODE_PLAIN) return o != NULL && o->kind->departing == NULL && encode_object(e, o);
  if (o == NULL) return encode_foreign(e);
  if (o->kind->departing != NULL) e->departs = true;
  return encode_object(e, o);
}

static void put_number (Encoder *e) {
  if (lua_isinteger(e->L, -1)) {
    lua_Integer i = lua_tointeger(e->L, -1);
    put_tag64(e, TAG_INTEGER, &i);
  }
  else {
    lua_Number x = lua_tonumber(e->L, -1);
    put_tag64(e, TAG_FLOAT, &x);
  }
}

bool encode_top (Encoder *e) {
  lua_State *L = e->L;
  size_t length;
  const char *text;
  void *light;
  switch (lua_type(L, -1)) {
    case LUA_TNIL: put_tag(e, TAG_NIL); break;
    case LUA_TBOOLEAN: put_tag(e, lua_toboolean(L, -1) ? TAG_TRUE : TAG_FALSE); break;
    case LUA_TNUMBER: put_number(e); break;
    case LUA_TSTRING:
      text = lua_tolstring(L, -1, &length);
      put_string(e, text, length);
      break;
    case LUA_TLIGHTUSERDATA:
      light = lua_touserdata(L, -1);
      put_tag64(e, TAG_LIGHT, &light);
      break;
    case LUA_TTABLE: return encode_table(e);
    case LUA_TFUNCTION:
      return e->mode == MODE_PLAIN ? encode_plain_function(e) : encode_function(e);
    case LUA_TUSERDATA: return encode_userdata(e);
    default:
      if (e->mode == MODE_PLAIN) return false;
      encoder_fault(e, "cannot send a coroutine");
  }
  lua_pop(L, 1);
  return true;
}

bool encode_run (Encoder *e) {
  bool ok = encode_top(e);
  while (ok && e->depth > 0) {
    Frame *f = &e->frames[e->depth - 1];
    switch (f->kind) {
      case IN_TABLE: ok = step_table(e, f); break;
      case IN_FUNCTION: ok = !encode_upvalue(e, f) || encode_top(e); break;
      default: ok = !encode_argument(e, f) || encode_top(e);
    }
  }
  return ok;
}

/*
** Whole messages. First an attempt without protection: plain data needs no call that
** could raise, so nothing has to be caught. Functions, metatables, names and
** errors need protected mode, where the whole is encoded again from the start;
** nobody has seen the first attempt.
*/

void message_watch_modules (lua_State *L) { names_watch(L); }

void message_prepare (lua_State *L) { names_get(L); }

static void encoder_init (Encoder *e, lua_State *L, Root root, World *to) {
  e->definition = false;
  e->L = L;
  e->here = thread_self->object.world;
  e->to = to;
  e->root = root;
  e->mode = MODE_PLAIN;
  e->fault = e->part = false;
  e->data = e->scratch;
  e->frames = e->few_frames;
  e->entries = e->few_entries;
  e->last_counted = 0;
  encoder_release(e);
}

static bool encode_plain (Encoder *e, int first, int n) {
  lua_State *L = e->L;
  int top = lua_gettop(L);
  bool ok = true;
  if (!lua_checkstack(L, stack_needed(PLAIN_DEPTH))) return false;
  e->names = names_push_peeked(L);
  e->state = top + 1;
  for (e->item = n == 1 && encode_data(e, first) ? 2 : 1; ok && e->item <= n; e->item++) {
    lua_pushvalue(L, first + e->item - 1);
    ok = encode_run(e);
  }
  lua_settop(L, top);
  return ok;
}

/*
** (encoder, along, values...) encodes the values, or says that another mode is called
** for. In protected mode.
*/
static int encode_protected (lua_State *L) {
  Encoder *e = args_inner(L, 1);
  int top = lua_gettop(L), n = e->definition ? 1 : top - 2;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  e->names = names_push_state(L);
  lua_settop(L, top + 5);
  e->state = top + 1;
  e->spill = top + 2;
  e->anchors = top + 3;
  e->globals = top + 4;
  e->order = top + 5;
  e->defined = e->definition ? top : 0;
  for (int i = e->definition ? (int)lua_rawlen(L, top) : 0; i > 0; i--) { /* an attempt before */
    lua_pushnil(L);
    lua_rawseti(L, top, i);
  }
  for (e->item = 1; e->item <= n; e->item++) {
    lua_pushvalue(L, 2 + e->item);
    if (!encode_run(e)) {
      e->again = true;
      return 0;
    }
  }
  if (e->root == ROOT_CALL && !encode_globals(e)) e->again = true;
  else encoder_depart(e, 2);
  return 0;
}

/*
** Encodes in protected mode; raises only after all has been let go. A __transfer may
** wait, and wait for ever.
*/
static void encode_any (Encoder *e, int first, int n, int along) {
  lua_State *L = e->L;
  int status;
  do {
    encoder_release(e);
    e->mode = e->mode == MODE_PLAIN ? MODE_FULL : MODE_ANCHORED;
    e->again = e->departs = false;
    luaL_checkstack(L, n + 3, NULL);
    lua_pushcfunction(L, encode_protected);
    lua_pushlightuserdata(L, e);
    if (along != 0) lua_pushvalue(L, along);
    else lua_pushnil(L);
    for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
    status = lua_pcall(L, n + 2, 0, 0);
  } while (status == LUA_OK && e->again);
  if (status == LUA_OK) return;
  encoder_release(e);
  if (e->fault) args_add_position(L);
  lua_error(L);
}

/* The block as a message of its own size. */
static Message *encoder_message (Encoder *e, int n) {
  bool mine = e->data == e->scratch || e->here != e->to || e->length <= BLOCK_MOST;
  Message *m = mine ? block_alloc(e->to, e->length) : world_realloc(e->to, e->data, e->length);
  if (m == NULL) {
    encoder_release(e);
    args_no_memory(e->L);
  }
  if (mine) memcpy(m, e->data, e->length);
  if (mine && e->data != e->scratch) world_free(e->here, e->data);
  message_init(m, e->to, n, e->length);
  m->watched = e->root == ROOT_CALL ? e->watched : 0;
  m->globals = (uint32_t)e->global_count;
  m->shared = e->shared;
  m->depth = (uint32_t)e->deepest;
  m->level = e->level;
  m->home = e->names != NULL ? thread_self->unique : 0;
  m->last_counted = e->last_counted;
  m->leads = e->leads;
  m->plain = e->plain;
  e->data = e->scratch; /* given away, with the objects */
  e->last_counted = 0;
  if (e->frames != e->few_frames || e->entries != e->few_entries) encoder_release(e);
  return m;
}

static Message *encode (Encoder *e, int first, int n, int along) {
  first = lua_absindex(e->L, first);
  if (n == 0) e->names = NULL; /* most threads return nothing: that need not touch the stack */
  else if (!encode_plain(e, first, n)) encode_any(e, first, n, along);
  return encoder_message(e, n);
}

Message *message_encode (lua_State *L, int first, int n, Root root, World *to) {
  Encoder e;
  encoder_init(&e, L, root, to);
  return encode(&e, first, n, 0);
}

Message *message_encode_work (lua_State *L, int first, int n, int owner, World *to) {
  Encoder e;
  encoder_init(&e, L, ROOT_CALL, to);
  return encode(&e, first, n, owner);
}

Message *message_encode_part (lua_State *L, int first, int n, World *to, int along) {
  Encoder e;
  encoder_init(&e, L, ROOT_CALL, to);
  e.part = true;
  return encode(&e, first, n, along);
}

Message *encode_definition (lua_State *L, int index, World *to) {
  Encoder e;
  encoder_init(&e, L, ROOT_ITEM, to);
  e.definition = true;
  encode_any(&e, lua_absindex(L, index), 2, 0);
  return encoder_message(&e, 1);
}

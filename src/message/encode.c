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
** A table that serves as a metatable, or looks like one, has an id in the whole
** process (class.c). Where the receiver has it already, its record is skipped;
** unless something inside is referred to from behind it, which is found when
** the REF is written: then `skip` becomes 0.
*/
#include <stdarg.h>

#include "message/private.h"
#include "world/world.h"

/*
** Room.
*/

void encode_reserve (Encoder *e, size_t n) {
  size_t capacity = e->capacity * 2;
  bool mine = e->data == e->scratch;
  unsigned char *data;
  if (n > SIZE_MAX / 4) encode_no_memory(e);
  if (capacity - e->length < n) capacity = e->length + n + (n < SCRATCH ? SCRATCH : 64);
  data = realloc(mine ? NULL : e->data, capacity);
  if (data == NULL) encode_no_memory(e);
  if (mine) memcpy(data, e->scratch, e->length);
  e->data = data;
  e->capacity = capacity;
}

static void grow_frames (Encoder *e) {
  int capacity = e->frame_capacity * 2;
  bool mine = e->frames == e->few_frames;
  Frame *frames = realloc(mine ? NULL : e->frames, (size_t)capacity * sizeof *frames);
  if (frames == NULL) encode_no_memory(e);
  if (mine) memcpy(frames, e->few_frames, sizeof e->few_frames);
  e->frames = frames;
  e->frame_capacity = capacity;
}

void encode_release (Encoder *e) {
  message_drop_objects(e->data, e->last_object);
  if (e->data != e->scratch) free(e->data);
  if (e->frames != e->few_frames) free(e->frames);
  if (e->entries != e->few_entries) free(e->entries);
  e->data = e->scratch;
  e->capacity = SCRATCH;
  e->length = sizeof(Message);
  e->frames = e->few_frames;
  e->frame_capacity = PLAIN_DEPTH;
  e->entries = e->few_entries;
  e->entry_count = e->entry_mask = 0;
  e->depth = e->deepest = e->spilled = e->anchored = e->transfers = 0;
  e->global = e->global_count = 0;
  e->shared = 0;
  e->learnt = false;
  e->last_object = e->last_class = 0;
}

/*
** Errors.
*/

/* In plain mode nobody catches: what is held goes first. */
void encode_no_memory (Encoder *e) {
  lua_State *L = e->L;
  if (e->mode == MODE_PLAIN) encode_release(e);
  luaL_error(L, "not enough memory");
  abort();                        /* not reached */
}

void encode_fault (Encoder *e, const char *format, ...) {
  va_list arguments;
  lua_State *L = e->L;
  luaL_checkstack(L, 8, NULL);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  path_push(e);
  lua_pushfstring(L, "%s (at %s)", lua_tostring(L, -2), lua_tostring(L, -1));
  e->fault = true;
  lua_error(L);
  abort();                        /* not reached */
}

/*
** Frames.
*/

void encode_table_used (Encoder *e, int index) {
  if (!lua_isnil(e->L, index)) return;
  lua_newtable(e->L);
  lua_replace(e->L, index);
}

/* Moves the slots of the frame on top away from under the value at the top of the stack. */
static void spill (Encoder *e) {
  lua_State *L = e->L;
  Frame *f = &e->frames[e->depth - 1];
  encode_table_used(e, e->spill);
  f->spilled = lua_gettop(L) - f->base;
  f->spill_at = e->spilled;
  for (int i = 0; i < f->spilled; i++) {
    lua_pushvalue(L, f->base + i);
    lua_rawseti(L, e->spill, ++e->spilled);
  }
  lua_replace(L, f->base);
  lua_settop(L, f->base);
}

static void unspill (Encoder *e, Frame *f) {
  for (int i = 1; i <= f->spilled; i++) lua_rawgeti(e->L, e->spill, f->spill_at + i);
  e->spilled = f->spill_at;
  f->spilled = 0;
}

void encode_open (Encoder *e, FrameKind kind, size_t record, uint32_t count) {
  lua_State *L = e->L;
  Frame *f;
  if (e->mode != MODE_PLAIN) luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (e->depth == e->frame_capacity) grow_frames(e);
  if (e->depth >= SPILL_DEPTH) spill(e);
  f = &e->frames[e->depth++];
  f->kind = (uint8_t)kind;
  f->state = AT_ARRAY;
  f->base = lua_gettop(L);
  f->spilled = 0;
  f->index = 0;
  f->count = count;
  f->record = record;
  if (e->depth > e->deepest) e->deepest = e->depth;
}

void encode_close (Encoder *e) {
  Frame *f = &e->frames[--e->depth];
  lua_settop(e->L, f->base - 1);
  if (e->depth > 0 && f[-1].spilled != 0) unspill(e, f - 1);
}

/*
** References.
*/

/* Classes that hold the record and are closed must not be skipped. */
static void keep_classes (Encoder *e, size_t record) {
  for (size_t at = e->last_class; at != 0; at = (size_t)get64(e->data + at + 17)) {
    uint64_t skip = get64(e->data + at + 9);
    if (skip != 0 && record > at && record < at + CLASS_HEAD + skip) set64(e->data + at + 9, 0);
  }
}

bool encode_share (Encoder *e, size_t record) {
  if (!(e->data[record] & TAG_SHARED)) {
    e->data[record] |= TAG_SHARED;
    e->shared++;
  }
  keep_classes(e, record);
  return true;
}

bool encode_reference (Encoder *e, size_t target) {
  uint64_t offset = target;
  if ((e->data[target] & TAG_KIND) == TAG_OPEN) encode_fault(e, "cannot send a %s whose '__transfer' leads to itself", luaL_typename(e->L, -1));
  encode_share(e, target);
  put_tag64(e, TAG_REF, &offset);
  lua_pop(e->L, 1);
  return true;
}

void encode_note (Encoder *e, size_t record) {
  lua_State *L = e->L;
  map_add(e, lua_topointer(L, -1), record);
  if (e->mode != MODE_ANCHORED) return;
  encode_table_used(e, e->anchors);
  lua_pushvalue(L, -1);
  lua_rawseti(L, e->anchors, ++e->anchored);
}

bool encode_named (Encoder *e) {
  size_t length;
  const char *name = lua_tolstring(e->L, -1, &length);
  unsigned char *p = encode_room(e, 5 + length);
  p[0] = TAG_NAMED;
  set32(p + 1, (uint32_t)length);
  memcpy(p + 5, name, length);
  lua_pop(e->L, 2);
  return true;
}

/*
** Tables.
*/

/* The table at the top, in a message of plain data. */
static bool encode_plain_table (Encoder *e, const void *key) {
  lua_State *L = e->L;
  size_t record = e->length;
  if (e->names == NULL || !names_surely_none(e->names, key) || e->depth == PLAIN_DEPTH) return false;
  if (lua_getmetatable(L, -1)) return false;
  encode_room(e, TABLE_HEAD)[0] = TAG_TABLE;
  map_add(e, key, record);
  encode_open(e, IN_TABLE, record, 0);
  lua_pushnil(L);
  return true;
}

/* Whether the table at the top may be a module, be it one that has been loaded just now. */
static bool maybe_module (Encoder *e) {
  const void *key = lua_topointer(e->L, -1);
  if (names_maybe_module(e->names, key)) return true;
  if (e->learnt) return false;
  e->learnt = true;
  names_learn_modules(e->L);
  return names_maybe_module(e->names, key);
}

/* The table at the top, whatever it is. */
static bool encode_full_table (Encoder *e) {
  lua_State *L = e->L;
  size_t record = e->length;
  bool meta;
  if (maybe_module(e) && names_push(L, -1)) return encode_named(e);
  meta = lua_getmetatable(L, -1);
  if (meta && transfer_wanted(L)) return encode_transfer(e);
  if (meta) lua_pop(L, 1);
  memset(encode_room(e, CLASS_HEAD), 0, CLASS_HEAD);
  e->data[record] = (unsigned char)(TAG_CLASS | (meta ? TAG_META : 0));
  encode_note(e, record);
  encode_open(e, IN_TABLE, record, 0);
  lua_pushnil(L);
  return true;
}

static bool encode_table (Encoder *e) {
  const void *key = lua_topointer(e->L, -1);
  size_t seen = map_find(e, key);
  if (seen != 0) return encode_reference(e, seen);
  return e->mode == MODE_PLAIN ? encode_plain_table(e, key) : encode_full_table(e);
}

/* Gives the table at `index`, whose record is there, its id. */
static void make_class (Encoder *e, size_t record, int index) {
  if ((e->data[record] & TAG_KIND) == TAG_CLASS && get64(e->data + record + 1) == 0)
    set64(e->data + record + 1, class_id(e->L, index));
}

/* Encodes the key, a copy of which stays; false: it needs protected mode. A new frame means: it is not written yet. */
static bool encode_key (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  size_t length;
  const char *text;
  switch (lua_type(L, -2)) {
    case LUA_TSTRING:
      text = lua_tolstring(L, -2, &length);
      if (length >= 4 && text[0] == '_' && text[1] == '_' && class_key(text, length)) {
        if (e->mode == MODE_PLAIN) return false;
        make_class(e, f->record, f->base);
      }
      put_string(e, text, length);
      return true;
    default:
      f->state = AT_KEY;
      lua_pushvalue(L, -2);
      return encode_top(e);
  }
}

/* The table's contents are done: its metatable, or its end. */
static bool finish_table (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  unsigned char *p = e->data + f->record;
  bool wide = (p[0] & TAG_KIND) == TAG_CLASS;
  set32(p + (wide ? 25 : 1), f->index);
  set32(p + (wide ? 29 : 5), f->count);
  if (f->state != AT_META && (p[0] & TAG_META)) {
    const void *key;
    size_t record;
    int depth = e->depth;
    f->state = AT_META;
    lua_getmetatable(L, f->base);
    key = lua_topointer(L, -1);
    lua_pushvalue(L, -1);
    if (!encode_top(e)) return false;
    record = map_find(e, key);
    if (record != 0) make_class(e, record, e->depth > depth ? e->frames[e->depth - 1].base : -1);
    return true;
  }
  if (wide && get64(p + 1) != 0) {
    set64(p + 9, e->length - f->record - CLASS_HEAD);
    set64(p + 17, e->last_class);
    e->last_class = f->record;
  }
  encode_close(e);
  return true;
}

/* Encodes as many fields as it can without opening another record. */
static bool step_table (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  int depth = e->depth;
  if (f->state == AT_META) return finish_table(e, f);
  if (f->state == AT_KEY) {       /* the key is written, its value waits at the top */
    f->state = AT_PAIRS;
    if (!encode_top(e)) return false;
  }
  while (e->depth == depth && lua_next(L, f->base)) {
    if (f->state == AT_ARRAY && lua_isinteger(L, -2) && lua_tointeger(L, -2) == (lua_Integer)f->index + 1) f->index++;
    else {
      f->state = AT_PAIRS;
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
    encode_fault(e, "cannot send %s '%s' to another world", o->kind->name, object_name(o, buffer));
  }
  p = encode_room(e, OBJECT_RECORD);
  p[0] = TAG_OBJECT;
  put_bytes(p + 1, &o, sizeof o);
  put_bytes(p + 1 + sizeof o, &e->last_object, sizeof e->last_object);
  object_keep(o);
  e->last_object = at;
  lua_pop(e->L, 1);
  return true;
}

/* A full userdata that is not ours. */
static bool encode_foreign (Encoder *e) {
  lua_State *L = e->L;
  int stream;
  size_t seen = map_find(e, lua_topointer(L, -1));
  const char *name;
  if (seen != 0) return encode_reference(e, seen);
  stream = names_stream(L, -1);
  if (stream >= 0) {
    unsigned char *p = encode_room(e, 2);
    p[0] = TAG_STREAM;
    p[1] = (unsigned char)stream;
    lua_pop(L, 1);
    return true;
  }
  if (lua_getmetatable(L, -1)) {
    if (transfer_wanted(L)) return encode_transfer(e);
    lua_pop(L, 1);
  }
  name = kind_of_userdata(L);
  if (name != NULL) encode_fault(e, "cannot send a userdata '%s'", name);
  encode_fault(e, "cannot send a userdata");
}

static bool encode_userdata (Encoder *e) {
  Object *o = object_any(e->L, -1);
  if (e->mode == MODE_PLAIN) return o != NULL && o->kind->departing == NULL && encode_object(e, o);
  if (o == NULL) return encode_foreign(e);
  if (o->kind->departing != NULL) {
    e->fault = true;              /* what it raises lacks the position */
    o->kind->departing(e->L, lua_gettop(e->L));
    e->fault = false;
  }
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
    case LUA_TFUNCTION: return e->mode != MODE_PLAIN && encode_function(e);
    case LUA_TUSERDATA: return encode_userdata(e);
    default:
      if (e->mode == MODE_PLAIN) return false;
      encode_fault(e, "cannot send a coroutine");
  }
  lua_pop(L, 1);
  return true;
}

/* Encodes the value at the top with all that is in it. */
bool encode_run (Encoder *e) {
  bool ok = encode_top(e);
  while (ok && e->depth > 0) {
    Frame *f = &e->frames[e->depth - 1];
    switch (f->kind) {
      case IN_TABLE: ok = step_table(e, f); break;
      case IN_FUNCTION: ok = encode_upvalue(e, f); break;
      default: ok = encode_argument(e, f);
    }
  }
  return ok;
}

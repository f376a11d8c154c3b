/*
** decode.c - from a block of bytes onto the Lua stack.
**
** The mirror of encode.c: open records are frames, their values stand on the
** Lua stack, the slots of far outer ones in a table. How deep it goes is known
** beforehand, so nothing grows, and nothing is held outside of Lua: an error
** may pass through at any point.
**
** Each record ends up as one value at the top. The frame around it was left in
** a state that says what becomes of that value.
*/
#include "message/private.h"
#include "world/args.h"
#include "world/thread_record.h"

enum { AT_ITEM, GOT_ITEM, AT_FIELD, GOT_FIELD_KEY, GOT_FIELD, GOT_METATABLE };

static void decode_fault (Decoder *d, const char *shown) {
  lua_pushfstring(d->L, "cannot find '%s' in the receiving thread", shown);
  if (d->fault != NULL) *d->fault = true;
  else args_add_position(d->L);
  lua_error(d->L);
}

/*
** Frames.
*/

static void spill (Decoder *d) {
  lua_State *L = d->L;
  DecodedFrame *f = &d->frames[d->depth - 1];
  f->spilled = lua_gettop(L) - f->base;
  f->spill_at = d->spilled;
  for (int i = 0; i < f->spilled; i++) {
    lua_pushvalue(L, f->base + i);
    lua_rawseti(L, d->spill, ++d->spilled);
  }
  lua_replace(L, f->base);
  lua_settop(L, f->base);
}

/* The slots come back under the value at the top. */
static void unspill (Decoder *d, DecodedFrame *f) {
  lua_State *L = d->L;
  for (int i = 1; i <= f->spilled; i++) {
    lua_rawgeti(L, d->spill, f->spill_at + i);
    lua_pushnil(L);
    lua_rawseti(L, d->spill, f->spill_at + i);
  }
  lua_rotate(L, f->base, -1); /* the value was in the place of the first */
  d->spilled = f->spill_at;
  f->spilled = 0;
}

/* Opens a frame for the value at the top. */
static DecodedFrame *open_record (Decoder *d, unsigned tag, size_t record, uint32_t count) {
  DecodedFrame *f;
  if (d->depth >= SPILL_DEPTH) spill(d);
  f = &d->frames[d->depth++];
  f->tag = (uint8_t)tag;
  f->state = AT_ITEM;
  f->base = f->target = lua_gettop(d->L);
  f->spilled = 0;
  f->index = 0;
  f->count = count;
  f->pairs = 0;
  f->record = record;
  return f;
}

/* The record's value, at f->base, is complete; what stands above goes. */
static void close_record (Decoder *d) {
  DecodedFrame *f = &d->frames[--d->depth];
  lua_settop(d->L, f->base);
  if (d->depth > 0 && f[-1].spilled != 0) unspill(d, f - 1);
}

/* If something refers to the record, keeps the value at the top for it. */
static void keep (Decoder *d, unsigned tag, size_t record) {
  if (!(tag & TAG_SHARED)) return;
  lua_pushvalue(d->L, -1);
  lua_rawseti(d->L, d->refs, (lua_Integer)record);
}

/*
** Records.
*/

static int capped (uint32_t n) { return n < INT32_MAX / 64 ? (int)n : INT32_MAX / 64; }

static void open_table (Decoder *d, unsigned tag, size_t record) {
  uint32_t narr = get32(d->p), nrec = get32(d->p + 4);
  d->p += 8;
  lua_createtable(d->L, capped(narr), capped(nrec));
  keep(d, tag, record);
  open_record(d, tag, record, narr)->pairs = nrec;
}

/* False: the whole record has been skipped, the table being here already. */
static bool open_class (Decoder *d, unsigned tag, size_t record) {
  lua_State *L = d->L;
  uint64_t id = get64(d->p), skip = get64(d->p + 8);
  uint32_t narr = get32(d->p + 24), nrec = get32(d->p + 28);
  bool known = id != 0 && metatable_id_push(L, id);
  DecodedFrame *f;
  d->p += 32;
  if (!known) {
    lua_createtable(L, capped(narr), capped(nrec));
    if (id != 0) metatable_id_register(L, id);
  }
  keep(d, tag, record);
  if (known && skip != 0) {
    d->p += skip;
    return false;
  }
  f = open_record(d, tag, record, narr);
  f->pairs = nrec;
  if (known) {
    lua_newtable(L); /* takes the contents and goes */
    f->target = f->base + 1;
  }
  return true;
}

/* Loads the function of a FUNCTION record at d->p, which moves behind the bytecode. [0, +1, raises] */
static int decode_function (Decoder *d) {
  int nups = d->p[0];
  uint64_t length = get64(d->p + 1);
  const char *code = (const char *)d->p + 9;
  d->p += 9 + length;
  if (luaL_loadbufferx(d->L, code, length, "=message", "b") != LUA_OK) lua_error(d->L);
  return nups;
}

static void open_function (Decoder *d, unsigned tag, size_t record) {
  int nups = decode_function(d);
  keep(d, tag, record);
  open_record(d, tag, record, (uint32_t)nups);
}

static void open_transfer (Decoder *d, unsigned tag, size_t record) {
  uint32_t n = get32(d->p);
  d->p += 4;
  luaL_checkstack(d->L, (int)n + LUA_MINSTACK, "too many values in a transfer");
  lua_pushnil(d->L);
  open_record(d, tag, record, n);
}

static void read_object (Decoder *d) {
  Object *o;
  memcpy(&o, d->p, sizeof o);
  d->p += OBJECT_RECORD - 1;
  object_push(d->L, o);
}

static void read_named (Decoder *d) {
  uint32_t length = get32(d->p);
  char shown[128];
  const char *name = (const char *)d->p + 4;
  d->p += 4 + length;
  if (!names_resolve(d->L, name, length, shown)) decode_fault(d, shown);
}

/* Reads what is not a record with contents. */
static void read_other (Decoder *d, unsigned tag) {
  lua_State *L = d->L;
  void *light;
  switch (tag) {
    case TAG_LIGHT:
      memcpy(&light, d->p, sizeof light);
      d->p += 8;
      lua_pushlightuserdata(L, light);
      break;
    case TAG_OBJECT: read_object(d); break;
    case TAG_STREAM: names_push_stream(L, *d->p++); break;
    case TAG_NAMED: read_named(d); break;
    case TAG_GLOBALS: lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS); break;
    default: /* TAG_REF */ lua_rawgeti(L, d->refs, (lua_Integer)get64(d->p)); d->p += 8;
  }
}

static bool read_record (Decoder *d, unsigned tag) {
  size_t record = (size_t)(d->p - 1 - (const unsigned char *)d->m);
  switch (tag & TAG_KIND) {
    case TAG_TABLE: open_table(d, tag, record); return false;
    case TAG_CLASS: return !open_class(d, tag, record);
    case TAG_FUNCTION: open_function(d, tag, record); return false;
    case TAG_TRANSFER: open_transfer(d, tag, record); return false;
    default: read_other(d, tag); return true;
  }
}

/* Reads a value; false: it is a record whose contents come first, in a frame of its own. */
static bool read_value (Decoder *d) {
  lua_State *L = d->L;
  lua_Integer integer;
  lua_Number number;
  size_t length;
  unsigned tag = *d->p++;
  switch (tag) {
    case TAG_NIL: lua_pushnil(L); return true;
    case TAG_FALSE: lua_pushboolean(L, 0); return true;
    case TAG_TRUE: lua_pushboolean(L, 1); return true;
    case TAG_INTEGER:
      memcpy(&integer, d->p, 8);
      d->p += 8;
      lua_pushinteger(L, integer);
      return true;
    case TAG_FLOAT:
      memcpy(&number, d->p, 8);
      d->p += 8;
      lua_pushnumber(L, number);
      return true;
    case TAG_TEXT:
      length = *d->p;
      lua_pushlstring(L, (const char *)d->p + 1, length);
      d->p += 1 + length;
      return true;
    case TAG_STRING:
      length = (size_t)get64(d->p);
      lua_pushlstring(L, (const char *)d->p + 8, length);
      d->p += 8 + length;
      return true;
    default: return read_record(d, tag);
  }
}

/*
** Contents.
*/

/* The metatable, if one follows, then the end. */
static void finish_table (Decoder *d, DecodedFrame *f) {
  if (f->state != GOT_METATABLE && (f->tag & TAG_META)) {
    f->state = GOT_METATABLE;
    if (!read_value(d)) return;
  }
  if (f->state == GOT_METATABLE && f->target == f->base) lua_setmetatable(d->L, f->base);
  close_record(d);
}

/* Stores fields until one opens a record of its own. */
static void fill_table (Decoder *d, DecodedFrame *f) {
  lua_State *L = d->L;
  for (;;) {
    switch (f->state) {
      case AT_ITEM:
        if (f->index == f->count) {
          f->state = AT_FIELD;
          continue;
        }
        f->state = GOT_ITEM;
        if (!read_value(d)) return;
        /* FALLTHROUGH */
      case GOT_ITEM:
        lua_rawseti(L, f->target, ++f->index);
        f->state = AT_ITEM;
        continue;
      case AT_FIELD:
        if (f->pairs == 0) {
          finish_table(d, f);
          return;
        }
        f->pairs--;
        f->state = GOT_FIELD_KEY;
        if (!read_value(d)) return;
        /* FALLTHROUGH */
      case GOT_FIELD_KEY:
        f->state = GOT_FIELD;
        if (!read_value(d)) return;
        /* FALLTHROUGH */
      case GOT_FIELD:
        lua_rawset(L, f->target);
        f->state = AT_FIELD;
        continue;
      default: /* GOT_METATABLE */ finish_table(d, f); return;
    }
  }
}

/* Joins upvalue n of the function at `index` with the one the CELL value names. [0, 0, -] */
static void decode_cell (Decoder *d, int index, int n, uint64_t cell) {
  lua_State *L = d->L;
  lua_rawgeti(L, d->refs, (lua_Integer)(cell >> 8));
  if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1))
    lua_upvaluejoin(L, index, n, -1, (int)(cell & 255));
  lua_pop(L, 1);
}

/* Sets upvalues until one opens a record of its own. */
static void fill_function (Decoder *d, DecodedFrame *f) {
  if (f->state == GOT_ITEM) {
    lua_setupvalue(d->L, f->base, (int)++f->index);
    f->state = AT_ITEM;
  }
  while (f->index < f->count) {
    if (*d->p == TAG_CELL) {
      decode_cell(d, f->base, (int)++f->index, get64(d->p + 1));
      d->p += 9;
      continue;
    }
    f->state = GOT_ITEM;
    if (!read_value(d)) return;
    lua_setupvalue(d->L, f->base, (int)++f->index);
    f->state = AT_ITEM;
  }
  close_record(d);
}

/* Collects function and arguments on the stack, then calls. */
static void fill_transfer (Decoder *d, DecodedFrame *f) {
  lua_State *L = d->L;
  if (f->state == GOT_ITEM) f->index++;
  f->state = GOT_ITEM;
  for (; f->index < f->count; f->index++)
    if (!read_value(d)) return;
  lua_call(L, (int)f->count - 1, 1);
  lua_replace(L, f->base);
  keep(d, f->tag, f->record);
  close_record(d);
}

/* Pushes the next value with all that is in it. [0, +1, raises] */
static void decode_one (Decoder *d) {
  read_value(d);
  while (d->depth > 0) {
    DecodedFrame *f = &d->frames[d->depth - 1];
    switch (f->tag & TAG_KIND) {
      case TAG_FUNCTION: fill_function(d, f); break;
      case TAG_TRANSFER: fill_transfer(d, f); break;
      default: fill_table(d, f);
    }
  }
}

/* Sets the globals that came along; at home they are there already. */
static void decode_globals (Decoder *d) {
  lua_State *L = d->L;
  Names *names = names_peek(L);
  bool home = names != NULL && d->m->home == thread_self->unique;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  for (uint32_t i = 0; i < d->m->globals; i++) {
    read_value(d); /* its name */
    decode_one(d);
    if (home) lua_pop(L, 2);
    else lua_rawset(L, -3);
  }
  lua_pop(L, 1);
}

/* Helping tables below the results, as far as this message needs them. Returns how many. */
static int push_helpers (Decoder *d) {
  lua_State *L = d->L;
  int top = lua_gettop(L);
  if (d->m->shared != 0) {
    lua_createtable(L, 0, capped(d->m->shared));
    d->refs = lua_gettop(L);
  }
  if (d->m->depth > PLAIN_DEPTH)
    d->frames = lua_newuserdatauv(L, d->m->depth * sizeof *d->frames, 0);
  if (d->m->depth > SPILL_DEPTH) {
    lua_newtable(L);
    d->spill = lua_gettop(L);
  }
  return lua_gettop(L) - top;
}

int decode_message (lua_State *L, Message *m, bool *fault) {
  DecodedFrame few[PLAIN_DEPTH];
  Decoder d = {.L = L, .m = m, .p = (const unsigned char *)(m + 1), .frames = few, .fault = fault};
  int depth = m->depth < SPILL_DEPTH ? (int)m->depth : SPILL_DEPTH, helpers,
      first = lua_gettop(L) + 1;
  luaL_checkstack(L, m->count + 4 * depth + LUA_MINSTACK, "too many values in a message");
  helpers = push_helpers(&d);
  for (int i = 0; i < m->count; i++) decode_one(&d);
  if (m->globals != 0) decode_globals(&d);
  if (helpers > 0) {
    lua_rotate(L, first, -helpers);
    lua_pop(L, helpers);
  }
  return m->count;
}

int message_decode (lua_State *L, Message *m) { return decode_message(L, m, NULL); }

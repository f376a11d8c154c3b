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
#include "message/maker.h"
#include "message/private.h"
#include "world/args.h"
#include "world/thread_record.h"

static int decode_message (lua_State *L, Message *m, int kept);

enum { AT_ITEM, GOT_ITEM, AT_FIELD, GOT_FIELD_KEY, GOT_FIELD, GOT_METATABLE };

/*
** Frames.
*/

/* Opens a frame for the value at the top. */
static DecodedFrame *open_record (Decoder *d, unsigned tag, size_t record, uint32_t count) {
  DecodedFrame *f;
  if (d->depth >= SPILL_DEPTH)
    slots_spill(d->L, &d->frames[d->depth - 1].slots, d->spill, &d->spilled);
  f = &d->frames[d->depth++];
  f->tag = (uint8_t)tag;
  f->state = AT_ITEM;
  f->slots.base = f->target = lua_gettop(d->L);
  f->slots.spilled = 0;
  f->index = 0;
  f->count = count;
  f->pairs = 0;
  f->record = record;
  return f;
}

/* The record's value, in the first slot, is complete; what stands above goes. */
static void close_record (Decoder *d) {
  DecodedFrame *f = &d->frames[--d->depth];
  lua_settop(d->L, f->slots.base);
  if (d->depth > 0 && f[-1].slots.spilled != 0)
    slots_restore(d->L, &f[-1].slots, d->spill, &d->spilled);
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

static void open_table (Decoder *d, unsigned tag, size_t record) {
  const unsigned char *p = d->p - 1;
  uint32_t narr = get32(p + TABLE_NARR), nrec = get32(p + TABLE_NREC);
  d->p = p + TABLE_HEAD;
  lua_createtable(d->L, decode_capped(narr), decode_capped(nrec));
  keep(d, tag, record);
  open_record(d, tag, record, narr)->pairs = nrec;
}

/*
** The value at the top is the one of that id here; a definition keeps it alive until
** its receiver has it.
*/
static void register_lasting (Decoder *d, uint64_t id) {
  lasting_alias(d->L, id);
  if (d->kept == 0) return;
  lua_pushvalue(d->L, -1);
  lua_rawseti(d->L, d->kept, ++d->kept_count);
}

static void read_module (Decoder *d) {
  d->module = d->p - 1;
  d->p += NAMED_HEAD - 1 + get32(d->module + NAMED_LENGTH);
}

/*
** Where the table is here already, its contents go to another one, from which it learns
** what it lacks.
*/
static void open_class (Decoder *d, unsigned tag, size_t record) {
  lua_State *L = d->L;
  const unsigned char *p = d->p - 1;
  uint64_t id = get64(p + CLASS_ID);
  uint32_t narr = get32(p + CLASS_NARR), nrec = get32(p + CLASS_NREC);
  bool known = (id != 0 && lasting_push(L, id)) || decode_own_module(d);
  DecodedFrame *f;
  d->p = p + CLASS_HEAD;
  if (!known) {
    lua_createtable(L, decode_capped(narr), decode_capped(nrec));
    if (d->module != NULL) decode_load_module(d);
  }
  d->module = NULL;
  if (id != 0) register_lasting(d, id);
  keep(d, tag, record);
  f = open_record(d, tag, record, narr);
  f->pairs = nrec;
  if (known) {
    lua_newtable(L);
    f->target++;
  }
}

/* Loads the function of a FUNCTION record at `p`. [0, +1, raises] */
static void load_function (Decoder *d, const unsigned char *p) {
  uint64_t length = get64(p + FUNCTION_LENGTH);
  d->p = p + FUNCTION_HEAD + length;
  maker_push_function(d->L, p + FUNCTION_HEAD, length, p[FUNCTION_NUPS]);
}

/* Where the function is here already, another one takes the captured locals, and goes. */
static void open_function (Decoder *d, unsigned tag, size_t record) {
  const unsigned char *p = d->p - 1;
  uint64_t id = get64(p + FUNCTION_ID);
  bool known = id != 0 && lasting_push(d->L, id);
  DecodedFrame *f;
  if (!known) load_function(d, p);
  if (id != 0) register_lasting(d, id);
  keep(d, tag, record);
  f = open_record(d, tag, record, p[FUNCTION_NUPS]);
  if (known) {
    load_function(d, p);
    f->target++;
  }
}

/* The values stand on the stack beside whatever may be open inside the last of them. */
static void open_transfer (Decoder *d, unsigned tag, size_t record) {
  const unsigned char *p = d->p - 1;
  uint32_t n = get32(p + TRANSFER_COUNT);
  d->p = p + TRANSFER_HEAD;
  if (n > INT32_MAX / 2) luaL_error(d->L, "too many values in a transfer");
  luaL_checkstack(d->L, (int)n + stack_needed(d->m->depth), "too many values in a transfer");
  lua_pushnil(d->L);
  open_record(d, tag, record, n);
}

static void read_object (Decoder *d) {
  Object *o;
  memcpy(&o, d->p - 1 + COUNTED_POINTER, sizeof o);
  d->p += OBJECT_RECORD - 1;
  object_push(d->L, o);
}

/* Decodes the definition and pushes the value in it that has the id. [0, +1, raises] */
static void decode_definition (lua_State *L, Message *definition, uint64_t id) {
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_newtable(L);
  decode_message(L, definition, lua_gettop(L));
  lasting_keep(L);
  lua_pop(L, 1);
  if (!lasting_push(L, id)) lua_pushnil(L);
  lua_remove(L, -2); /* what has kept it alive */
}

static void read_lasting (Decoder *d, unsigned tag) {
  lua_State *L = d->L;
  const unsigned char *p = d->p - 1;
  uint64_t id = get64(p + LASTING_ID), update = get64(p + LASTING_UPDATE);
  bool known = lasting_push(L, id);
  d->p = p + LASTING_RECORD;
  if (known && update != 0) {
    known = lasting_push(L, update);
    lua_pop(L, 1);
  }
  if (!known) {
    Message *definition;
    memcpy(&definition, p + COUNTED_POINTER, sizeof definition);
    decode_definition(L, definition, id);
    if (update != 0) lasting_updated(L, update);
  }
  keep(d, tag, (size_t)(p - (const unsigned char *)d->m));
}

static void read_named (Decoder *d) {
  const unsigned char *p = d->p - 1;
  uint32_t length = get32(p + NAMED_LENGTH);
  d->p = p + NAMED_HEAD + length;
  names_resolve(d->L, (const char *)p + NAMED_HEAD, length);
}

/* Reads what is not a record with contents. */
static void read_other (Decoder *d, unsigned tag) {
  lua_State *L = d->L;
  void *light;
  lua_CFunction bare;
  switch (tag & TAG_KIND) {
    case TAG_BARE:
      memcpy(&bare, d->p, sizeof bare);
      d->p += 8;
      lua_pushcfunction(L, bare);
      break;
    case TAG_LIGHT:
      memcpy(&light, d->p, sizeof light);
      d->p += 8;
      lua_pushlightuserdata(L, light);
      break;
    case TAG_OBJECT: read_object(d); break;
    case TAG_LASTING: read_lasting(d, tag); break;
    case TAG_STREAM: names_push_stream(L, *d->p++); break;
    case TAG_NAMED: read_named(d); break;
    case TAG_GLOBALS: lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS); break;
    default: /* TAG_REF */
      lua_rawgeti(L, d->refs, (lua_Integer)get64(d->p - 1 + REF_TARGET));
      d->p += REF_RECORD - 1;
  }
}

static bool read_record (Decoder *d, unsigned tag) {
  size_t record = (size_t)(d->p - 1 - (const unsigned char *)d->m);
  switch (tag & TAG_KIND) {
    case TAG_TABLE: open_table(d, tag, record); return false;
    case TAG_CLASS: open_class(d, tag, record); return false;
    case TAG_MODULE: read_module(d); return decode_value(d);
    case TAG_FUNCTION: open_function(d, tag, record); return false;
    case TAG_TRANSFER: open_transfer(d, tag, record); return false;
    default: read_other(d, tag); return true;
  }
}

bool decode_value (Decoder *d) {
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

/*
** The table at `base` has been here before; the one above it came with the
** message. Fields that are not here yet come in. A function that has just got its
** id, where there is one of the same name, was that one all the time.
*/
static void learn_fields (lua_State *L, int base) {
  for (lua_pushnil(L); lua_next(L, base + 1);) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, base) == LUA_TNIL) { /* key value nil */
      lua_pop(L, 1);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, base);
      continue;
    }
    if (lua_isfunction(L, -1) && lua_isfunction(L, -2) && !lua_rawequal(L, -1, -2)) {
      const Lasting *l = lasting_find(L, -2);
      if (l != NULL && lasting_find(L, -1) == NULL) lasting_register(L, l->id);
    }
    lua_pop(L, 2);
  }
}

/* The metatable, if one follows, then the end. */
static void finish_table (Decoder *d, DecodedFrame *f) {
  bool known = f->target != f->slots.base;
  if (f->state != GOT_METATABLE && (f->tag & TAG_META)) {
    f->state = GOT_METATABLE;
    if (!decode_value(d)) return;
  }
  if (f->state == GOT_METATABLE && !known) lua_setmetatable(d->L, f->target);
  if (known) {
    lua_settop(d->L, f->target);
    learn_fields(d->L, f->slots.base);
  }
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
        if (!decode_value(d)) return;
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
        if (!decode_value(d)) return;
        /* FALLTHROUGH */
      case GOT_FIELD_KEY:
        f->state = GOT_FIELD;
        if (!decode_value(d)) return;
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
    lua_setupvalue(d->L, f->target, (int)++f->index);
    f->state = AT_ITEM;
  }
  while (f->index < f->count) {
    if (*d->p == TAG_CELL) {
      decode_cell(d, f->target, (int)++f->index, get64(d->p + REF_TARGET));
      d->p += REF_RECORD;
      continue;
    }
    f->state = GOT_ITEM;
    if (!decode_value(d)) return;
    lua_setupvalue(d->L, f->target, (int)++f->index);
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
    if (!decode_value(d)) return;
  lua_call(L, (int)f->count - 1, 1);
  lua_replace(L, f->slots.base);
  keep(d, f->tag, f->record);
  close_record(d);
}

/* Pushes the next value with all that is in it. [0, +1, raises] */
static void decode_one (Decoder *d) {
  decode_value(d);
  while (d->depth > 0) {
    DecodedFrame *f = &d->frames[d->depth - 1];
    switch (f->tag & TAG_KIND) {
      case TAG_FUNCTION: fill_function(d, f); break;
      case TAG_TRANSFER: fill_transfer(d, f); break;
      default: fill_table(d, f);
    }
  }
}

/* Sets the global whose name and value are at the top, or the addition to a library. [-2, 0] */
static void set_global (lua_State *L) {
  size_t length;
  const char *name = lua_tolstring(L, -2, &length);
  if (strlen(name) == length) {
    lua_rawset(L, -3);
    return;
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, name) == LUA_TTABLE) {
    lua_pushstring(L, name + strlen(name) + 1);
    lua_pushvalue(L, -4);
    lua_rawset(L, -3);
  }
  lua_pop(L, 4);
}

/* Sets the globals that came along; at home they are there already. */
static void decode_globals (Decoder *d) {
  lua_State *L = d->L;
  Names *names = names_peek(L);
  bool home = names != NULL && d->m->home == thread_self->unique;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  for (uint32_t i = 0; i < d->m->globals; i++) {
    decode_value(d); /* its name */
    decode_one(d);
    if (home) lua_pop(L, 2);
    else set_global(L);
  }
  lua_pop(L, 1);
}

/* Helping tables below the results, as far as this message needs them. Returns how many. */
static int push_helpers (Decoder *d) {
  lua_State *L = d->L;
  int top = lua_gettop(L);
  if (d->m->shared != 0) {
    lua_createtable(L, 0, decode_capped(d->m->shared));
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

/* Pushes the values; a definition's are kept alive in the table at `kept`. [0, +n, raises] */
static int decode_message (lua_State *L, Message *m, int kept) {
  DecodedFrame few[PLAIN_DEPTH];
  Decoder d = {.L = L, .m = m, .p = (const unsigned char *)(m + 1), .frames = few, .kept = kept};
  int helpers, first = lua_gettop(L) + 1;
  luaL_checkstack(L, m->count + stack_needed(m->depth), "too many values in a message");
  helpers = push_helpers(&d);
  if (m->plain) decode_data(&d);
  else
    for (int i = 0; i < m->count; i++) decode_one(&d);
  if (m->globals != 0) decode_globals(&d);
  if (helpers > 0) {
    lua_rotate(L, first, -helpers);
    lua_pop(L, helpers);
  }
  return m->count;
}

int message_decode (lua_State *L, Message *m) { return decode_message(L, m, 0); }

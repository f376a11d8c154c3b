/*
** record.c - on the way to the recorder: which world is recorded, and short forms of
** values. These are read off the Lua stack without anything that allocates, since a
** recorded run must be the same as one that is not.
*/
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "world/record.h"

atomic_int worlds_recorded;
void (*record_taker)(Recorder *recorder, const Record *r);
int (*record_ending)(World *world, const char *verdict, int code);

void record_take (const Record *r) {
  World *world = r->world;
  Recorder *recorder;
  if (world == NULL && thread_self != NULL) world = thread_self->object.world;
  if (world == NULL) return;
  recorder = atomic_load_explicit(&world->recorder, memory_order_acquire);
  if (recorder != NULL) record_taker(recorder, r);
}

Nanos record_now (void) { return thread_self != NULL ? world_now(thread_self->object.world) : 0; }

void record_take_op (Nanos time, OpKind op, void *object, int64_t a, int64_t b) {
  record_take(
      &(Record){.kind = RECORD_OP, .op = op, .object = object, .a = a, .b = b, .time = time});
}

void record_take_handed (const Waiter *w, int64_t a, int64_t b) {
  record_take(&(Record){
      .kind = RECORD_HANDED, .op = w->kind, .object = w->object, .who = w->thread, .a = a, .b = b});
}

void record_text (RecordKind kind, OpKind op, void *object, int64_t a, int64_t b, const char *text,
                  size_t length) {
  record_take(&(Record){
      .kind = kind, .op = op, .object = object, .a = a, .b = b, .text = text, .length = length});
}

void record_error (lua_State *L, int index) {
  char other[64];
  size_t length = 0;
  const char *text = other;
  if (!record_is_on()) return;
  if (lua_type(L, index) == LUA_TSTRING) text = lua_tolstring(L, index, &length);
  else {
    snprintf(other, sizeof other, "(error object is a %s value)", luaL_typename(L, index));
    length = strlen(other);
  }
  record_text(RECORD_ERR, OP_COUNT, NULL, 0, 0, text, length);
}

void record_taken (OpKind op, void *object, int64_t b, const char *how, Nanos deadline) {
  if (how == NULL && deadline != FOREVER && deadline != 0) how = "timeout";
  if (!record_is_on()) return;
  if (how == NULL) record_take_op(0, op, object, 1, b);
  else record_text(RECORD_OP, op, object, 1, b, how, strlen(how));
}

/*
** Short forms.
*/

#define LONGEST 22 /* bytes of a string */
#define FIELDS 3   /* of a table */

/* Room for a text that is cut where it does not fit. */
typedef struct Form {
  char *at, *end; /* the last byte is for the zero */
} Form;

static void add (Form *f, const char *text, size_t length) {
  size_t room = (size_t)(f->end - f->at);
  if (length > room) length = room;
  memcpy(f->at, text, length);
  f->at += length;
}

static void add_text (Form *f, const char *text) { add(f, text, strlen(text)); }

/* How many of the bytes are whole characters of UTF-8, where they are that at all. */
static size_t whole_characters (const char *text, size_t length, size_t most) {
  if (length <= most) return length;
  while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80) most--;
  return most;
}

static void add_string (Form *f, lua_State *L, int index) {
  size_t length, shown;
  const char *text = lua_tolstring(L, index, &length);
  shown = whole_characters(text, length, LONGEST);
  add_text(f, "'");
  for (size_t i = 0; i < shown; i++) {
    unsigned char c = (unsigned char)text[i];
    char code[8];
    if (c == '\n') add_text(f, "\\n");
    else if (c == '\'' || c == '\\') add(f, (char[2]){'\\', (char)c}, 2);
    else if (c < ' ' || c == 127) add(f, code, (size_t)snprintf(code, sizeof code, "\\%d", c));
    else add(f, text + i, 1);
  }
  add_text(f, shown < length ? "…'" : "'");
}

size_t record_integer (lua_Integer n, char text[RECORD_INTEGER]) {
  lua_Unsigned rest = n < 0 ? 0 - (lua_Unsigned)n : (lua_Unsigned)n;
  size_t length = n < 0 ? 2 : 1, count;
  for (lua_Unsigned most = rest; most >= 10; most /= 10) length++;
  count = length;
  do text[--count] = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (n < 0) text[0] = '-';
  return length;
}

static void add_number (Form *f, lua_State *L, int index) {
  char text[48];
  if (lua_isinteger(L, index)) {
    add(f, text, record_integer(lua_tointeger(L, index), text));
    return;
  }
  snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)lua_tonumber(L, index));
  add_text(f, text);
}

static void add_function (Form *f, lua_State *L, int index) {
  lua_Debug ar;
  char text[64];
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &ar);
  if (ar.linedefined > 0)
    snprintf(text, sizeof text, "function (%.40s:%d)", ar.short_src, ar.linedefined);
  else snprintf(text, sizeof text, "function");
  add_text(f, text);
}

static void add_object (Form *f, lua_State *L, int index) {
  Object *o = object_any(L, index);
  char buffer[64], text[96];
  if (o == NULL) {
    add_text(f, "userdata");
    return;
  }
  if (o->kind->copy_name != NULL) {
    o->kind->copy_name(o, buffer);
    snprintf(text, sizeof text, "%s '%.40s'", o->kind->name, buffer);
  }
  else if (o->name != NULL) snprintf(text, sizeof text, "%s '%.40s'", o->kind->name, o->name);
  else snprintf(text, sizeof text, "%s", object_name(o, buffer));
  add_text(f, text);
}

static void add_value (Form *f, lua_State *L, int index, bool inside);

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static bool is_word (const char *text, size_t length) {
  return strspn(text, LETTERS) > 0 && strspn(text, LETTERS "0123456789") == length
         && length <= LONGEST;
}

/*
** The key that lies below the value at the top; `next` is the place in a list that
** would need none.
*/
static void add_key (Form *f, lua_State *L, lua_Integer *next) {
  size_t length;
  const char *text = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
  if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == *next) {
    ++*next;
    return;
  }
  if (text != NULL && is_word(text, length)) add(f, text, length);
  else {
    add_text(f, "[");
    add_value(f, L, lua_gettop(L) - 1, true);
    add_text(f, "]");
  }
  add_text(f, "=");
}

/* Three stack slots are at hand in every C function, so the stack does not grow. */
static void add_table (Form *f, lua_State *L, int index) {
  lua_Integer next = 1;
  int n = 0;
  add_text(f, "{");
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    if (n > 0) add_text(f, ", ");
    if (n++ == FIELDS) {
      add_text(f, "…");
      lua_pop(L, 2);
      break;
    }
    add_key(f, L, &next);
    add_value(f, L, lua_gettop(L), true);
    lua_pop(L, 1);
  }
  add_text(f, "}");
}

static void add_value (Form *f, lua_State *L, int index, bool inside) {
  switch (lua_type(L, index)) {
    case LUA_TNIL: add_text(f, "nil"); break;
    case LUA_TBOOLEAN: add_text(f, lua_toboolean(L, index) ? "true" : "false"); break;
    case LUA_TNUMBER: add_number(f, L, index); break;
    case LUA_TSTRING: add_string(f, L, index); break;
    case LUA_TFUNCTION: add_function(f, L, index); break;
    case LUA_TUSERDATA: add_object(f, L, index); break;
    case LUA_TTABLE:
      if (inside) add_text(f, "{…}");
      else add_table(f, L, index);
      break;
    default: add_text(f, lua_typename(L, lua_type(L, index))); break;
  }
}

size_t record_value (lua_State *L, int index, char text[RECORD_VALUE]) {
  Form f = {text, text + RECORD_VALUE - 1};
  size_t length;
  add_value(&f, L, lua_absindex(L, index), false);
  length = (size_t)(f.at - text);
  if (f.at == f.end) length = whole_characters(text, length, length - 1);
  text[length] = '\0';
  return length;
}

size_t record_field (lua_State *L, int key, int value, char text[RECORD_FIELD]) {
  size_t length = 0;
  const char *name = lua_type(L, key) == LUA_TSTRING ? lua_tolstring(L, key, &length) : NULL;
  if (name != NULL && length <= LONGEST && memchr(name, '\0', length) == NULL)
    memcpy(text, name, length);
  else {
    text[0] = '[';
    length = 1 + record_value(L, key, text + 1);
    text[length++] = ']';
  }
  memcpy(text + length, " = ", 3);
  length += 3;
  if (lua_isinteger(L, value)) /* as most are: the shortest way */
    return length + record_integer(lua_tointeger(L, value), text + length);
  return length + record_value(L, value, text + length);
}

/*
** sent_compare.c - what a thread was sent beside what it has made of it.
**
** One walk through the bytes: each record is read, and where the value that it
** became is still at hand, the two are compared. Nothing is called, and only raw
** fields are read. A record is met once, so the walk ends; it does not go deeper than
** DEEPEST, and ends with the last change that there is room for.
*/
#include <lauxlib.h>

#include "message/private.h"

#define DEEPEST 50
#define WALKED_DEEPEST 100 /* what is nested deeper is not looked at at all: walk calls itself */
#define FIELDS_MOST 64     /* fields of a table that are told from new ones */
#define ITEMS_MOST 256     /* items of a list that are compared */
#define GROWN_MOST 4096    /* fields that are counted */

typedef struct SentWalk {
  lua_State *L;
  const unsigned char *p;
  Sent *out;
  SentChange at; /* where it is */
  size_t path;   /* how long that is */
  int depth;
} SentWalk;

/*
** Paths and texts.
*/

static bool is_full (const SentWalk *w) { return w->out->change_count == SENT_CHANGES; }

static bool is_identifier (const char *text, size_t length) {
  if (length == 0 || (*text >= '0' && *text <= '9')) return false;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

/* What a report says of the value at the top. [0, 0, -] */
static void describe (lua_State *L, char text[SENT_TEXT]) {
  size_t length;
  const char *s;
  switch (lua_type(L, -1)) {
    case LUA_TNIL: snprintf(text, SENT_TEXT, "nil"); break;
    case LUA_TBOOLEAN: snprintf(text, SENT_TEXT, lua_toboolean(L, -1) ? "true" : "false"); break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, -1)) snprintf(text, SENT_TEXT, LUA_INTEGER_FMT, lua_tointeger(L, -1));
      else snprintf(text, SENT_TEXT, LUA_NUMBER_FMT, lua_tonumber(L, -1));
      break;
    case LUA_TSTRING:
      s = lua_tolstring(L, -1, &length);
      if (length <= 24) snprintf(text, SENT_TEXT, "\"%s\"", s);
      else snprintf(text, SENT_TEXT, "\"%.20s…\"", s);
      for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ') *text = '?';
      break;
    default: snprintf(text, SENT_TEXT, "a %s", luaL_typename(L, -1));
  }
}

/* Adds the key at the top to the path; returns how long that was. [0, 0, -] */
static size_t go_into (SentWalk *w) {
  size_t before = w->path, room = SENT_PATH - before, length;
  const char *key;
  char text[SENT_TEXT];
  int n;
  w->at.field[0] = '\0';
  key = lua_type(w->L, -1) == LUA_TSTRING ? lua_tolstring(w->L, -1, &length) : NULL;
  if (key != NULL && is_identifier(key, length) && length < SENT_TEXT) {
    memcpy(w->at.field, key, length + 1);
    n = snprintf(w->at.path + before, room, ".%s", key);
  }
  else {
    describe(w->L, text);
    n = snprintf(w->at.path + before, room, "[%s]", text);
  }
  w->path = n > 0 && (size_t)n < room ? before + (size_t)n : SENT_PATH - 1;
  return before;
}

static void go_back (SentWalk *w, size_t before) {
  w->path = before;
  w->at.path[before] = '\0';
}

/* The value at the top is no longer what it was. [0, 0, -] */
static void note_change (SentWalk *w, const char *was) {
  SentChange *c = &w->out->changes[w->out->change_count];
  if (is_full(w)) return;
  *c = w->at;
  describe(w->L, c->is);
  snprintf(c->was, SENT_TEXT, "%s", was);
  c->added = strcmp(was, "nil") == 0;
  if (strcmp(c->was, c->is) != 0 || c->was[0] == '"') w->out->change_count++;
}

/*
** The walk. `here`: the value that the record became is at the top of the stack, and
** is popped.
*/

static void walk (SentWalk *w, bool here);

/*
** Pushes the scalar of that tag, whose bytes are next; false: it is something else. [0,
** +(0|1), memory]
*/
static bool push_scalar (SentWalk *w, unsigned tag) {
  lua_State *L = w->L;
  size_t length;
  lua_Integer integer;
  lua_Number number;
  switch (tag) {
    case TAG_NIL: lua_pushnil(L); return true;
    case TAG_FALSE: lua_pushboolean(L, 0); return true;
    case TAG_TRUE: lua_pushboolean(L, 1); return true;
    case TAG_INTEGER:
      memcpy(&integer, w->p, 8);
      lua_pushinteger(L, integer);
      w->p += 8;
      return true;
    case TAG_FLOAT:
      memcpy(&number, w->p, 8);
      lua_pushnumber(L, number);
      w->p += 8;
      return true;
    case TAG_TEXT:
      length = *w->p;
      lua_pushlstring(L, (const char *)w->p + 1, length);
      w->p += 1 + length;
      return true;
    case TAG_STRING:
      length = (size_t)get64(w->p);
      lua_pushlstring(L, (const char *)w->p + 8, length);
      w->p += 8 + length;
      return true;
    default: return false;
  }
}

/* Over a scalar or a record without contents, of that tag. */
static void skip_rest (SentWalk *w, unsigned tag) {
  switch (tag) {
    case TAG_INTEGER:
    case TAG_FLOAT:
    case TAG_LIGHT:
    case TAG_BARE:
    case TAG_REF:
    case TAG_CELL: w->p += 8; break;
    case TAG_TEXT: w->p += 1 + *w->p; break;
    case TAG_STRING: w->p += 8 + get64(w->p); break;
    case TAG_OBJECT: w->p += OBJECT_RECORD - 1; break;
    case TAG_LASTING: w->p += LASTING_RECORD - 1; break;
    case TAG_STREAM: w->p++; break;
    case TAG_MODULE:
    case TAG_NAMED: w->p += NAMED_HEAD - 1 + get32(w->p - 1 + NAMED_LENGTH); break;
    default: break;
  }
}

/* The value at the top was an object, or a table, or a function. [0, 0, -] */
static bool is_still (SentWalk *w, int type) {
  char was[SENT_TEXT];
  if (lua_type(w->L, -1) == type) return true;
  snprintf(was, sizeof was, "a %s", type == LUA_TUSERDATA ? "object" : lua_typename(w->L, type));
  note_change(w, was);
  return false;
}

/* The function whose record begins at `p`; the one that it became is at the top, if it is here. */
static void walk_function (SentWalk *w, const unsigned char *p, bool here) {
  SentChange outer = w->at;
  size_t path = w->path;
  uint64_t length = get64(p + FUNCTION_LENGTH);
  int number = w->out->function_count;
  if (number < SENT_FUNCTIONS
      && bytecode_place(p + FUNCTION_HEAD, length, &w->out->functions[number]))
    w->out->function_count++;
  w->p = p + FUNCTION_HEAD + length;
  here = here && is_still(w, LUA_TFUNCTION) && !lua_iscfunction(w->L, -1);
  for (int i = 1; i <= p[FUNCTION_NUPS]; i++) {
    const char *name = here ? lua_getupvalue(w->L, -1, i) : NULL;
    w->at = (SentChange){.root = SENT_LOCAL, .function = number};
    w->path = 0;
    if (name != NULL) snprintf(w->at.name, sizeof w->at.name, "%s", name);
    walk(w, name != NULL);
  }
  w->at = outer;
  w->path = path;
}

/* The names of the fields that a table came with. */
typedef struct SentFields {
  struct {
    const char *name;
    size_t length;
  } names[FIELDS_MOST];
  int count;
  uint32_t present; /* of all that came, those that are still there */
  bool unknown;     /* some keys are not looked up */
} SentFields;

static void fields_init (SentFields *f) {
  f->count = 0;
  f->present = 0;
  f->unknown = false;
}

/* Remembers the text that has just been read, which lies in the message and so stays. */
static void remember_name (SentWalk *w, SentFields *f, size_t length) {
  f->unknown = f->unknown || f->count == FIELDS_MOST;
  if (f->unknown) return;
  f->names[f->count].name = (const char *)w->p - length;
  f->names[f->count++].length = length;
}

static bool came_with (const SentFields *f, const char *name, size_t length) {
  for (int i = 0; i < f->count; i++)
    if (f->names[i].length == length && memcmp(f->names[i].name, name, length) == 0) return true;
  return false;
}

/* Whether the table at the top has more fields than are left of those it came with. [0, 0, -] */
static bool has_grown (SentWalk *w, const SentFields *f, uint32_t narr) {
  uint32_t n = 0;
  int type = lua_rawgeti(w->L, -1, (lua_Integer)narr + 1);
  lua_pop(w->L, 1);
  if (type != LUA_TNIL) return true;
  for (lua_pushnil(w->L); lua_next(w->L, -2); lua_pop(w->L, 1)) {
    if (++n > f->present || n > GROWN_MOST) {
      lua_pop(w->L, 2);
      return n > f->present;
    }
  }
  return false;
}

/*
** Pushes a key that the table at the top did not come with, and its value; false: none is
** found. [0, +(0|2), -]
*/
static bool push_new_field (SentWalk *w, const SentFields *f, uint32_t narr) {
  lua_State *L = w->L;
  size_t length;
  lua_pushinteger(L, (lua_Integer)narr + 1);
  if (lua_rawgeti(L, -2, (lua_Integer)narr + 1) != LUA_TNIL) return true;
  lua_pop(L, 2);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    if (name != NULL && !came_with(f, name, length)) return true;
  }
  return false;
}

/* The table at the top may have got fields. [0, 0, -] */
static void note_growth (SentWalk *w, const SentFields *f, uint32_t narr) {
  size_t before;
  if (is_full(w) || f->unknown || !has_grown(w, f, narr) || !push_new_field(w, f, narr)) return;
  lua_insert(w->L, -2);
  before = go_into(w);
  lua_insert(w->L, -2);
  note_change(w, "nil");
  go_back(w, before);
  lua_pop(w->L, 2);
}

/*
** Whether the next record is a scalar, and still the value at the top; goes over it then.
** [0, 0, memory]
*/
static bool is_same_scalar (SentWalk *w) {
  const unsigned char *start = w->p++;
  bool same = false;
  if (push_scalar(w, *start & TAG_KIND)) {
    same = lua_rawequal(w->L, -1, -2);
    lua_pop(w->L, 1);
  }
  if (!same) w->p = start;
  return same;
}

/* The value of the key at the top, which the table under it had; the key is popped. */
static void walk_field (SentWalk *w, SentFields *f) {
  lua_State *L = w->L;
  size_t before;
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) != LUA_TNIL) f->present++;
  if (is_same_scalar(w)) {
    lua_pop(L, 2);
    return;
  }
  lua_insert(L, -2);
  before = go_into(w);
  lua_pop(L, 1);
  walk(w, true);
  go_back(w, before);
}

static void walk_pair (SentWalk *w, SentFields *f, bool here) {
  size_t length;
  const unsigned char *start = w->p;
  unsigned tag = *w->p++ & TAG_KIND;
  bool known = here && push_scalar(w, tag);
  if (!known) {
    w->p = start;
    walk(w, false);
    walk(w, false);
    f->unknown = true;
    return;
  }
  if (lua_type(w->L, -1) == LUA_TSTRING) {
    lua_tolstring(w->L, -1, &length);
    remember_name(w, f, length);
  }
  walk_field(w, f);
}

/* How many of n items are left: all, or those before a border. [0, 0, -] */
static uint32_t count_items (lua_State *L, uint32_t n) {
  lua_Unsigned length = lua_rawlen(L, -1);
  return length < n ? (uint32_t)length : n;
}

/* The table whose record begins at `p`, likewise. */
static void walk_table (SentWalk *w, const unsigned char *p, bool here) {
  bool wide = (*p & TAG_KIND) == TAG_CLASS;
  uint32_t narr = get32(p + (wide ? CLASS_NARR : TABLE_NARR));
  uint32_t nrec = get32(p + (wide ? CLASS_NREC : TABLE_NREC));
  SentFields fields;
  fields_init(&fields);
  w->p = p + (wide ? CLASS_HEAD : TABLE_HEAD);
  here = here && is_still(w, LUA_TTABLE);
  for (uint32_t i = 1; i <= narr; i++) {
    if (here && i <= ITEMS_MOST) {
      lua_pushinteger(w->L, i);
      walk_field(w, &fields);
    }
    else walk(w, false);
  }
  if (here && narr > ITEMS_MOST) fields.present = count_items(w->L, narr);
  for (uint32_t i = 0; i < nrec; i++) walk_pair(w, &fields, here);
  if (here) note_growth(w, &fields, narr);
  if (*p & TAG_META) walk(w, false);
}

/* A scalar of that tag, which was the value at the top. */
static void compare_scalar (SentWalk *w, unsigned tag) {
  lua_State *L = w->L;
  char was[SENT_TEXT];
  if (!push_scalar(w, tag)) return;
  if (!lua_rawequal(L, -1, -2)) {
    describe(L, was);
    lua_pop(L, 1);
    note_change(w, was);
    return;
  }
  lua_pop(L, 1);
}

static bool is_argument_itself (const SentWalk *w) {
  return w->at.root == SENT_ARGUMENT && w->path == 0;
}

/* The record that is next, which begins to be read. */
static const unsigned char *past_module (SentWalk *w) {
  const unsigned char *p = w->p++;
  if (*p != TAG_MODULE) return p;
  skip_rest(w, TAG_MODULE);
  return w->p++;
}

static void walk (SentWalk *w, bool here) {
  const unsigned char *p = past_module(w);
  unsigned tag = *p & TAG_KIND;
  bool compared = here && !is_full(w) && w->depth < DEEPEST;
  w->depth++;
  switch (tag) {
    case TAG_FUNCTION: walk_function(w, p, compared); break;
    case TAG_TABLE:
    case TAG_CLASS: walk_table(w, p, compared); break;
    case TAG_TRANSFER:
      w->p = p + TRANSFER_HEAD;
      for (uint32_t n = get32(p + TRANSFER_COUNT); n > 0; n--) walk(w, false);
      break;
    case TAG_NIL:
    case TAG_FALSE:
    case TAG_TRUE:
    case TAG_INTEGER:
    case TAG_FLOAT:
    case TAG_TEXT:
    case TAG_STRING:
      if (compared && !is_argument_itself(w)) compare_scalar(w, tag);
      else skip_rest(w, tag);
      break;
    case TAG_OBJECT:
      if (compared && !is_argument_itself(w)) is_still(w, LUA_TUSERDATA);
      skip_rest(w, tag);
      break;
    default: skip_rest(w, tag);
  }
  w->depth--;
  if (here) lua_pop(w->L, 1);
}

/*
** Globals.
*/

/* One that came along, its name first; the table of globals is at the top. [0, 0, memory] */
static void walk_global (SentWalk *w, SentFields *came) {
  lua_State *L = w->L;
  size_t length;
  const char *name;
  push_scalar(w, *w->p++ & TAG_KIND);
  name = lua_tolstring(L, -1, &length);
  remember_name(w, came, length);
  w->at = (SentChange){.root = SENT_GLOBAL};
  w->path = 0;
  snprintf(w->at.name, sizeof w->at.name, "%s", name);
  if (strlen(name) != length) { /* an addition to a library */
    lua_pop(L, 1);
    walk(w, false);
    return;
  }
  lua_rawget(L, -2);
  walk(w, true);
}

static bool is_standard (const char *name) {
  return names_is_library(name) || names_is_basic(name) || strcmp(name, LUA_GNAME) == 0
         || strcmp(name, "_VERSION") == 0;
}

/* Those that the thread has made; the table of globals is at the top. [0, 0, memory] */
static void note_new_globals (SentWalk *w, const SentFields *came) {
  lua_State *L = w->L;
  size_t length;
  if (came->unknown) return;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    if (name == NULL || is_standard(name) || came_with(came, name, length)) continue;
    w->at = (SentChange){.root = SENT_GLOBAL};
    w->path = 0;
    snprintf(w->at.name, sizeof w->at.name, "%s", name);
    note_change(w, "nil");
  }
}

void message_functions (const Message *m, Sent *out) {
  SentWalk w = {.p = (const unsigned char *)(m + 1), .out = out};
  out->function_count = out->change_count = 0;
  if (m->depth > WALKED_DEEPEST) return;
  for (uint32_t i = 0; i < (uint32_t)m->count + 2 * m->globals; i++) walk(&w, false);
}

void message_compare (lua_State *L, const Message *m, Sent *out) {
  SentWalk w = {.L = L, .p = (const unsigned char *)(m + 1), .out = out};
  SentFields came;
  fields_init(&came);
  out->function_count = out->change_count = 0;
  if (m->depth > WALKED_DEEPEST) return;
  luaL_checkstack(L, 4 * (int)(m->depth < DEEPEST ? m->depth : DEEPEST) + LUA_MINSTACK, NULL);
  for (int i = 0; i < m->count; i++) {
    bool here = message_push_watched(L, i);
    w.at = (SentChange){.root = SENT_ARGUMENT, .argument = i};
    w.path = 0;
    walk(&w, here);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  for (uint32_t i = 0; i < m->globals; i++) walk_global(&w, &came);
  if (m->watched & WATCH_GLOBALS) note_new_globals(&w, &came);
  lua_pop(L, 1);
}

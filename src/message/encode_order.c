/*
** encode_order.c - the pairs of a table in an order that is the same in every process.
**
** lua_next follows hashes of strings and addresses, in which processes differ. A world
** that gets a message from outside would differ as well: in the order of its pairs, and
** in when a table of it grows, thus when its collector runs. So what goes from one world
** to another goes by sorted keys: what makes a list, other integers, floats, strings,
** booleans. Keys of other types have no order but lua_next's, and come last.
*/
#include "message/private.h"

typedef enum Rank { LISTED, INTEGER, FLOAT, STRING, BOOLEAN, OTHER } Rank;

typedef struct Key {
  Rank rank;
  int at; /* in lua_next's order, from 1 */
  lua_Integer integer;
  lua_Number number;
  const char *text; /* the table keeps it */
  size_t length;
} Key;

/* The key at `index`, which is the one at `at`. */
static Key read_key (lua_State *L, int index, int at) {
  Key k = {.rank = OTHER, .at = at};
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      k.integer = lua_tointeger(L, index);
      k.number = lua_tonumber(L, index);
      k.rank = !lua_isinteger(L, index) ? FLOAT : k.integer > 0 ? LISTED : INTEGER;
      break;
    case LUA_TSTRING:
      k.rank = STRING;
      k.text = lua_tolstring(L, index, &k.length);
      break;
    case LUA_TBOOLEAN:
      k.rank = BOOLEAN;
      k.integer = lua_toboolean(L, index);
      break;
    default: break;
  }
  return k;
}

static int compare_texts (const Key *a, const Key *b) {
  int way = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
  return way != 0 ? way : (a->length > b->length) - (a->length < b->length);
}

static int compare (const void *left, const void *right) {
  const Key *a = left, *b = right;
  if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
  switch (a->rank) {
    case FLOAT: return (a->number > b->number) - (a->number < b->number);
    case STRING: return compare_texts(a, b);
    case OTHER: return (a->at > b->at) - (a->at < b->at);
    default: return (a->integer > b->integer) - (a->integer < b->integer);
  }
}

/* How many keys the table at `table` has; 0: lua_next's order is the one. */
static int count_keys (lua_State *L, int table) {
  int count = 0;
  bool list = true;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    count++;
    list = list && lua_isinteger(L, -2) && lua_tointeger(L, -2) == count;
  }
  return list || count < 2 ? 0 : count;
}

/* Puts the keys of the table at the top behind what the encoder's list of keys holds. */
static void sort_keys (Encoder *e, Frame *f, int count) {
  lua_State *L = e->L;
  int table = lua_gettop(L), n = 0;
  Key *keys;
  encoder_table_used(e, e->order);
  lua_createtable(L, count, 0);
  keys = lua_newuserdatauv(L, (size_t)count * sizeof *keys, 0);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    n++;
    keys[n - 1] = read_key(L, -2, n);
    lua_pushvalue(L, -2);
    lua_rawseti(L, table + 1, n);
  }
  qsort(keys, (size_t)n, sizeof *keys, compare);
  for (int i = 0; i < n; i++) {
    lua_rawgeti(L, table + 1, keys[i].at);
    lua_rawseti(L, e->order, e->ordered + i + 1);
  }
  f->sorted = n;
  f->next = e->ordered;
  e->ordered += n;
  lua_settop(L, table);
}

void encode_order (Encoder *e) {
  int count = 0;
  if (e->definition || e->here != e->to) count = count_keys(e->L, lua_gettop(e->L));
  if (count > 0) sort_keys(e, &e->frames[e->depth - 1], count);
}

bool encode_next (Encoder *e, Frame *f) {
  lua_State *L = e->L;
  if (f->sorted == 0) return lua_next(L, f->slots.base);
  lua_pop(L, 1);
  for (; f->next < e->ordered; lua_pop(L, 2)) {
    lua_rawgeti(L, e->order, ++f->next);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, f->slots.base) != LUA_TNIL) return true; /* a __transfer may have taken it */
  }
  e->ordered -= f->sorted;
  return false;
}

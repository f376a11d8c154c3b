/*
** gain.c - marks on tables, which Lua takes away where a field is new.
**
** Going through the fields of a class tells whether there are others than before, but
** costs as much as there are fields. Lua itself notes in a byte of each table which
** metamethods that surely does not have, and forgets it when the table gets a field. So
** where the bits of __eq and __len have been set, as they may be when there are none, and
** are still set, there is no new field; or else Lua has looked for both of them since, in
** instances. Hence the fields are gone through now and then all the same.
**
** A table may be one of several classes. Who sets a mark anew on one of them counts it
** in its thread, and all others go through their fields again.
**
** That the byte is where all releases of 5.4 have it is tested once (probe). Where it
** is not, the fields are gone through each time.
*/
#include <string.h>

#include "base/probe.h"
#include "message/gain.h"
#include "message/insides.h"
#include "message/names.h"
#include "world/thread_record.h"

#define FLAGS 10 /* offset of that byte in struct Table on 64-bit machines */
#define NO_LEN (1 << 4)
#define NO_EQ (1 << 5)
#define ALL_FLAGS 0x3f
#define CHAIN_MOST 16 /* tables of a class */
#define FEWEST_ASKINGS 20
#define ASKINGS_A_FIELD 4 /* until its fields are gone through again */

static Probe flags_work;

/* The byte of the table at the top. */
static uint8_t *flags_of (lua_State *L) { return (uint8_t *)lua_topointer(L, -1) + FLAGS; }

/* Whether a new field takes the marks away, and looking for a metamethod sets its own. */
static int probe (lua_State *L) {
  bool works;
  lua_newtable(L);
  lua_newtable(L);
  works = (*flags_of(L) & ALL_FLAGS) == ALL_FLAGS;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "a");
  works = works && (*flags_of(L) & ALL_FLAGS) == 0;
  lua_pushvalue(L, -1);
  lua_setmetatable(L, -3);
  lua_len(L, -2);
  lua_pop(L, 1);
  works = works && (*flags_of(L) & NO_LEN) != 0;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "b");
  works = works && (*flags_of(L) & ALL_FLAGS) == 0;
  lua_pop(L, 2);
  lua_pushboolean(L, works);
  return 1;
}

void gain_prepare (void) {
  probe_run(&flags_work, probe);
  insides_prepare();
}

/* Whether the table at the top has the field that is that user value. [0, 0, -] */
static bool has_field (lua_State *L, int names, int key) {
  bool there;
  lua_getiuservalue(L, names, key);
  there = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 1);
  return there;
}

/*
** Replaces the table at the top by the next one of its class; false: there is none.
** `__index` is at `key`. [-1, +(0|1), -]
*/
static bool next_table (lua_State *L, int key) {
  bool there;
  lua_pushvalue(L, key);
  there = lua_rawget(L, -2) == LUA_TTABLE && lua_topointer(L, -1) != lua_topointer(L, -2);
  if (!there) {
    lua_pop(L, 1);
    there = lua_getmetatable(L, -1);
  }
  if (there) lua_replace(L, -2);
  else lua_pop(L, 1);
  return there;
}

/* What is to be marked on the table at the top. [0, 0, -] */
static uint8_t marks_for (lua_State *L, int names) {
  uint8_t marks = 0;
  if (!has_field(L, names, NAMES_LEN)) marks |= NO_LEN;
  if (!has_field(L, names, NAMES_EQ)) marks |= NO_EQ;
  return marks;
}

/* Over the tables of a class, one of which is at the top. */
typedef struct Walk {
  int key;        /* where `__index` is on the stack */
  int n;          /* tables so far */
  uint64_t chain; /* over them */
} Walk;

/* Begins at the table at `index`. [0, +2, -] */
static Walk walk (lua_State *L, int index, int names) {
  index = lua_absindex(L, index);
  lua_getiuservalue(L, names, NAMES_INDEX);
  lua_pushvalue(L, index);
  return (Walk){.key = lua_gettop(L) - 1};
}

/* Whether there is another table, which is at the top then; else all goes. [-(0|2), 0, -] */
static bool walk_on (lua_State *L, Walk *w) {
  w->chain = w->chain * 3 + (uintptr_t)lua_topointer(L, -1);
  if (++w->n == CHAIN_MOST) lua_pop(L, 1);
  else if (next_table(L, w->key)) return true;
  lua_pop(L, 1);
  return false;
}

static void set_marks (lua_State *L, int index, Gain *g, int names) {
  Walk w = walk(L, index, names);
  bool more = true, all = true;
  g->expected = 0;
  for (; more; more = walk_on(L, &w)) {
    unsigned marks = marks_for(L, names);
    uint8_t *flags = flags_of(L);
    if ((*flags & marks) != marks) thread_self->marks++;
    *flags |= (uint8_t)marks;
    all = all && marks != 0;
    g->expected |= (uint32_t)(marks / NO_LEN) << 2 * w.n;
  }
  g->chain = all ? w.chain : 0;
  g->marks = thread_self->marks;
}

/* The next table of a class; NULL: there is none. As next_table says. */
static const InsideTable *table_behind (const InsideTable *t, const void *key) {
  const InsideNode *n = inside_field(t, key);
  if (n != NULL && n->type == INSIDE_TABLE && n->value.object != t) return n->value.object;
  return t->metatable;
}

/* Whether all marks are there. Asked with each instance, so the tables are read in place. */
static bool has_marks (lua_State *L, int index, const Gain *g, int names) {
  const void *key = ((const Names *)lua_touserdata(L, names))->index;
  uint64_t chain = 0;
  int n = 0;
  for (const InsideTable *t = lua_topointer(L, index); t != NULL && n < CHAIN_MOST; n++) {
    unsigned marks = (g->expected >> 2 * n & 3) * NO_LEN;
    if ((t->flags & marks) != marks) return false;
    chain = chain * 3 + (uintptr_t)t;
    t = table_behind(t, key);
  }
  return chain == g->chain;
}

/*
** A sum over the fields of the class at `index`, functions and tables by identity; how
** many there are. [0, 0, -]
*/
static uint64_t sum_fields (lua_State *L, int index, int names, int *count) {
  Walk w = walk(L, index, names);
  uint64_t sum = 1;
  bool more = true;
  *count = 0;
  for (; more; more = walk_on(L, &w)) {
    sum *= 3;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
      uint64_t key = (uintptr_t)lua_topointer(L, -2);
      uint64_t value = lua_type(L, -1) > LUA_TSTRING ? (uintptr_t)lua_topointer(L, -1) : 0;
      sum += (key + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ value * UINT64_C(0xBF58476D1CE4E5B9);
      ++*count;
    }
  }
  return sum;
}

static bool looks_changed (lua_State *L, int index, Gain *g, int names) {
  int count;
  uint64_t sum = sum_fields(L, index, names, &count);
  bool changed = g->sum != sum;
  g->sum = sum;
  g->chain = 0;
  g->left = FEWEST_ASKINGS + ASKINGS_A_FIELD * count;
  lua_pushvalue(L, index);
  g->transfers = has_field(L, names, NAMES_TRANSFER);
  lua_pop(L, 1);
  if (probe_holds(&flags_work) && insides_known()) set_marks(L, index, g, names);
  return changed;
}

bool gain_has (lua_State *L, int index, Gain *g, int names) {
  Gain now = *g;
  if (!lua_istable(L, index)) return false;
  if (g->chain != 0 && g->marks == thread_self->marks && g->left-- > 0
      && has_marks(L, index, g, names))
    return false;
  if (looks_changed(L, index, &now, names)) return true;
  *g = now;
  return false;
}

bool gain_look (lua_State *L, int index, Gain *g, int names) {
  bool first = g->sum == 0;
  return lua_istable(L, index) && looks_changed(L, index, g, names) && !first;
}

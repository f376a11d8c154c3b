/*
** local_cycles.c - Locals whose fields lead back to them.
**
** A Local that lies in a queue may come back, so its fields are pinned in the state.
** If a field refers to that queue, both stay for ever, though nobody reaches them: the
** collector does not see what is in the queue, and the search for cycles (cycles.c) does
** not see who refers to the queue in the state.
**
** So now and then the two work together. The search says what this state alone keeps
** alive, in terms of its proxies: no other thread can reach that, so it stays as it is
** while no Lua code runs here. Of this, tables are made that refer to each other as the
** objects do, and each proxy leads to the table of its object, weakly. For one
** collection the Pins of such Locals hang on these tables instead of the registry. Those
** that it leaves are put back before any other finaliser runs.
*/
#include "base/registry.h"
#include "objects/kinds.h"
#include "objects/local.h"
#include "world/burden.h"
#include "world/thread_record.h"
#include "world/args.h"

#define PINS_ENOUGH 200 /* that are too few to be looked at without being asked */

static const char weak_key; /* weak keys: the table of a Local -> its Pin; nil most of the time */

typedef struct Inside {
  CycleSearch *search;
  Object **own; /* those with a proxy here */
  int count;
  bool some; /* there are Pins among what only this state keeps alive */
} Inside;

/* Puts the Pins that are left back to where they belong. */
static int put_back (lua_State *L) {
  int top = lua_gettop(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &weak_key) == LUA_TTABLE) {
    local_push_pins(L);
    for (lua_pushnil(L); lua_next(L, top + 1);) {
      lua_Integer number = ((Pin *)lua_touserdata(L, -1))->number;
      lua_rawseti(L, top + 2, number);
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &weak_key);
  }
  lua_settop(L, top);
  return 0;
}

/* Pushes a userdata whose finaliser is put_back. [0, +1, memory] */
static void push_first_finaliser (lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, put_back);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
}

static void push_weak_table (lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

/* Pushes a list with a table for each node that is inside; they refer to each other. [0, +1, memory] */
static void push_mirrors (lua_State *L, const CycleSearch *s) {
  size_t count = cycles_inside_count(s);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    if (!cycles_is_inside(s, i)) continue;
    lua_newtable(L);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  for (size_t i = 0; i < count; i++) {
    const uint32_t *to;
    lua_Integer n = 0;
    size_t edges = cycles_inside_edges(s, i, &to);
    if (!cycles_is_inside(s, i)) continue;
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    for (size_t k = 0; k < edges; k++) {
      lua_rawgeti(L, -2, (lua_Integer)to[k] + 1); /* nil, where it is not inside */
      lua_rawseti(L, -2, ++n);
    }
    lua_pop(L, 1);
  }
}

/*
** (Inside) makes the tables: leaves that from proxies to mirrors on the stack, and the
** weak Pins in the registry, beside the others still.
*/
static int prepare (lua_State *L) {
  Inside *in = args_inner(L, 1);
  push_weak_table(L); /* 2: proxies to mirrors */
  push_mirrors(L, in->search);
  for (int i = 0; i < in->count; i++) {
    size_t number = cycles_inside_number(in->own[i]);
    if (number == 0 || !cycles_is_inside(in->search, number - 1)) continue;
    object_push(L, in->own[i]);
    lua_rawgeti(L, 3, (lua_Integer)number);
    lua_rawset(L, 2);
  }
  push_weak_table(L); /* 4: mirrors to Pins */
  local_push_pins(L);
  for (size_t i = 0; i < cycles_inside_count(in->search); i++) {
    Object *o = cycles_is_inside(in->search, i) ? cycles_inside_object(in->search, i) : NULL;
    if (o == NULL || o->kind != &local_kind) continue;
    lua_rawgeti(L, 3, (lua_Integer)i + 1);
    if (lua_rawgeti(L, 5, o->number) == LUA_TUSERDATA) {
      lua_rawset(L, 4);
      in->some = true;
    }
    else lua_pop(L, 2);
  }
  lua_pushvalue(L, 4);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &weak_key);
  lua_settop(L, 2);
  return 1;
}

/* What is in the weak table is in the other one no more. [0, 0, -] */
static void weaken (lua_State *L) {
  int top = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &weak_key);
  local_push_pins(L);
  for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1)) {
    lua_Integer number = ((Pin *)lua_touserdata(L, -1))->number;
    lua_pushnil(L);
    lua_rawseti(L, top + 2, number);
  }
  lua_settop(L, top);
}

/* Pushes the list of objects that have a proxy here. [0, +1, memory] */
static void list_own (lua_State *L, Inside *in) {
  in->count = object_list(L, NULL, 0);
  in->own = lua_newuserdatauv(L, ((size_t)in->count + 1) * sizeof *in->own, 0);
  in->count = object_list(L, in->own, in->count);
}

/* In protected mode, while the collector stands still. */
static int look (lua_State *L) {
  World *world = thread_self->object.world;
  Inside in = {.some = false};
  bool ready;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  local_push_pins(L);
  push_first_finaliser(L); /* 2 */
  list_own(L, &in);
  in.search = cycles_inside_begin(world, in.own, in.count);
  if (in.search == NULL) return 0;
  lua_pushcfunction(L, prepare);
  lua_pushlightuserdata(L, &in);
  ready = lua_pcall(L, 1, 1, 0) == LUA_OK;
  cycles_inside_end(world, in.search);
  if (!ready || !in.some) return 0;
  weaken(L);
  lua_replace(L, 1); /* the table from proxies to mirrors is all that stays */
  lua_settop(L, 1);
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}

/*
** Pins whose finaliser has run are of no use: the proxies that lead to them have been
** marked once more, to be finalised as well. Returns how many others there are. [0, 0, -]
*/
static unsigned drop_finalised (lua_State *L) {
  int top = lua_gettop(L);
  unsigned left = 0;
  local_push_pins(L);
  for (lua_pushnil(L); lua_next(L, top + 1); lua_pop(L, 1)) {
    const Pin *pin = lua_touserdata(L, -1);
    if (pin->fate != NULL) {
      left++;
      continue;
    }
    lua_pushnil(L);
    lua_rawseti(L, top + 1, pin->number);
  }
  lua_settop(L, top);
  return left;
}

/* BurdenTrim. */
static void collect (lua_State *L) {
  Thread *self = thread_self;
  int top = lua_gettop(L);
  unsigned left = 0;
  if (lua_gc(L, LUA_GCISRUNNING) <= 0 || !lua_checkstack(L, LUA_MINSTACK)) return;
  lua_gc(L, LUA_GCCOLLECT); /* with all finalisers, so that none is due */
  lua_gc(L, LUA_GCSTOP);
  lua_pushcfunction(L, look);
  lua_pcall(L, 0, 0, 0);
  put_back(L);
  lua_gc(L, LUA_GCRESTART);
  lua_settop(L, top);
  left = drop_finalised(L);
  local_note_pins(left);
  self->pins_enough = 2 * left + PINS_ENOUGH;
}

void local_note_pins (unsigned count) { thread_self->pins = count; }

void local_note_pin (void) {
  Thread *self = thread_self;
  atomic_store_explicit(&burden_unpin, collect, memory_order_relaxed);
  if (self->pins_enough == 0) self->pins_enough = PINS_ENOUGH;
  if (++self->pins >= self->pins_enough) self->pins_due = true;
}

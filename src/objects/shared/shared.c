/*
** shared.c - Shared: a table that all threads see.
**
** Each read and write takes the table's mutex for as long as it takes to copy
** one cell in or out: values are encoded before and decoded after, old ones are
** freed after. So no Lua code, no finaliser and no long copy ever runs under it.
*/
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "message/message.h"
#include "world/memory.h"
#include "world/record.h"
#include "objects/shared/shared.h"
#include "world/args.h"

/*
** Keys and values.
*/

static const char *other_key (lua_State *L, int index, SharedKey *k, bool write) {
  Object *o;
  switch (lua_type(L, index)) {
    case LUA_TNIL: return write ? "table index is nil" : NULL;
    case LUA_TLIGHTUSERDATA: shared_key_light(k, lua_touserdata(L, index)); return NULL;
    case LUA_TUSERDATA:
      o = object_any(L, index);
      if (o == NULL || o->world != thread_self->object.world) break;
      shared_key_object(k, o);
      return NULL;
  }
  return lua_pushfstring(L, "cannot use a %s as a key of a Shared", luaL_typename(L, index));
}

const char *shared_key (lua_State *L, int index, SharedKey *k, bool write) {
  k->tag = SLOT_NIL;
  k->hash = 0;
  switch (lua_type(L, index)) {
    case LUA_TSTRING: {
      size_t length;
      const char *text = lua_tolstring(L, index, &length);
      shared_key_text(k, text, length);
      return NULL;
    }
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) shared_key_integer(k, lua_tointeger(L, index));
      else {
        lua_Number n = lua_tonumber(L, index);
        if (!isnan(n)) shared_key_number(k, n);
        else if (write) return "table index is NaN";
      }
      return NULL;
    case LUA_TBOOLEAN: shared_key_boolean(k, lua_toboolean(L, index)); return NULL;
    default: return other_key(L, index, k, write);
  }
}

void shared_push_key (lua_State *L, const Slot *cell) {
  if (cell->tag == SLOT_LONG)
    lua_pushlstring(L, shared_cell_text(cell)->text, shared_cell_text(cell)->length);
  else slot_push(L, cell);
}

void shared_check_key (lua_State *L, int index, SharedKey *k, bool write) {
  const char *unfit = shared_key(L, index, k, write);
  if (__builtin_expect(unfit != NULL, 0)) luaL_error(L, "%s", unfit);
}

void shared_set_value (lua_State *L, int index, Slot *cell, World *world) {
  if (lua_type(L, index) == LUA_TTABLE) {
    shared_convert(L, index, 0);
    lua_replace(L, index);
  }
  slot_set(L, index, cell, world);
}

/*
** One key.
*/

/* Takes a copy of the cell at a key. */
static inline SharedRefusal fetch (lua_State *L, Shared *s, const SharedKey *k, Slot *cell,
                                   SharedMoment *moment) {
  const Slot *found;
  SharedRefusal why = shared_enter(L, s, OP_READ);
  if (__builtin_expect(why != SHARED_ENTERED, 0)) return why;
  found = shared_table_get(&s->table, k);
  if (found == NULL) cell->tag = SLOT_NIL;
  else {
    *cell = *found;
    shared_cell_keep(cell);
  }
  shared_note(s, moment);
  shared_leave(s);
  return SHARED_ENTERED;
}

/* Stores the cell, which it consumes. [0, 0, raises] */
static inline void store (lua_State *L, Shared *s, const SharedKey *k, Slot *cell,
                          SharedMoment *moment) {
  Slot key;
  bool stored;
  SharedRefusal why;
  shared_hold(s, k, cell);
  why = shared_enter(L, s, OP_WRITE);
  if (__builtin_expect(why != SHARED_ENTERED, 0)) {
    shared_cell_free(cell);
    shared_refuse(L, why);
    return; /* not reached */
  }
  stored = shared_table_swap(&s->table, k, cell, &key);
  shared_note(s, moment);
  shared_leave(s);
  shared_cell_free(cell);
  shared_cell_free(&key);
  if (!stored) args_no_memory(L);
}

void shared_record (lua_State *L, OpKind op, Shared *s, int key, int value,
                    const SharedMoment *moment) {
  char text[RECORD_FIELD];
  if (__builtin_expect(moment->keys < 0, 1)) return;
  record_take(&(Record){.kind = RECORD_OP,
                        .op = op,
                        .object = s,
                        .a = !lua_isnil(L, value),
                        .b = moment->keys,
                        .time = moment->time,
                        .length = record_field(L, key, value, text),
                        .text = text});
}

static int shared_index (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  SharedKey key;
  Slot cell = {.tag = SLOT_NIL}; /* whole: a search compares stacks */
  SharedMoment moment = {0, -1};
  SharedRefusal why;
  shared_check_key(L, 2, &key, false);
  shared_announce(L, OP_READ, s, &key);
  why = fetch(L, s, &key, &cell, &moment);
  if (why != SHARED_ENTERED) return shared_refuse(L, why);
  slot_push_free(L, &cell);
  shared_record(L, OP_READ, s, 2, 3, &moment);
  return 1;
}

static int shared_newindex (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  SharedKey key;
  Slot cell = {.tag = SLOT_NIL};
  SharedMoment moment = {0, -1};
  shared_check_key(L, 2, &key, true);
  if (world_is_observed())
    world_announce(&(Op){.kind = OP_WRITE,
                         .object = &s->object,
                         .key = &key,
                         .removes = lua_isnil(L, 3),
                         .until = FOREVER,
                         .L = L});
  shared_set_value(L, 3, &cell, s->object.world);
  store(L, s, &key, &cell, &moment);
  shared_record(L, OP_WRITE, s, 2, 3, &moment);
  return 0;
}

bool shared_has_key (Object *o, const void *key) {
  Shared *s = (Shared *)o;
  const Slot *found;
  bool there;
  pthread_mutex_lock(&s->mu);
  found = shared_table_get(&s->table, key);
  there = found != NULL && found->tag != SLOT_NIL; /* a hole in the array is no key */
  pthread_mutex_unlock(&s->mu);
  return there;
}

bool shared_is_empty (Object *o) {
  Shared *s = (Shared *)o;
  size_t count;
  pthread_mutex_lock(&s->mu);
  count = shared_table_count(&s->table);
  pthread_mutex_unlock(&s->mu);
  return count == 0;
}

static unsigned shared_ready (Object *o, const Thread *t) {
  const Thread *updater = atomic_load(&((Shared *)o)->updater);
  return updater == NULL || updater == t ? READY_TAKE : 0;
}

static int shared_len (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  size_t length;
  SharedRefusal why;
  announce(L, OP_TRAVERSE, s);
  why = shared_enter(L, s, OP_READ);
  if (why != SHARED_ENTERED) return shared_refuse(L, why);
  length = shared_table_border(&s->table);
  shared_leave(s);
  record(OP_TRAVERSE, s, 0, 0);
  lua_pushinteger(L, (lua_Integer)length);
  return 1;
}

/*
** pairs: the keys as they were when it began, with the values of now.
*/

static void release (Cleanup *h) { shared_table_copy_free((SharedTableCopy *)h); }

void shared_free_snapshot (Snapshot *snapshot) {
  SharedTableCopy *copy = snapshot->copy;
  if (copy == NULL || snapshot->readers > 0) return;
  snapshot->copy = NULL;
  cleanup_forget(&copy->cleanup);
  shared_table_copy_free(copy);
}

static int holder_gc (lua_State *L) {
  Snapshot *snapshot = luaL_checkudata(L, 1, "luasync.Holder");
  if (!object_collector_calls(L)) return 0;
  snapshot->readers = 0;
  shared_free_snapshot(snapshot);
  return 0;
}

Snapshot *shared_new_snapshot (lua_State *L) {
  Snapshot *snapshot = lua_newuserdatauv(L, sizeof *snapshot, 1);
  *snapshot = (Snapshot){.copy = NULL};
  if (luaL_newmetatable(L, "luasync.Holder")) {
    lua_pushcfunction(L, holder_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
  return snapshot;
}

void shared_take (lua_State *L, Shared *s, Snapshot *snapshot, bool values) {
  OpKind kind = values ? OP_SNAPSHOT : OP_TRAVERSE; /* pairs reads its values one by one */
  SharedRefusal why;
  announce(L, kind, s);
  why = shared_enter(L, s, kind);
  if (why != SHARED_ENTERED) {
    shared_refuse(L, why);
    return; /* not reached */
  }
  snapshot->copy = shared_table_copy(&s->table, values);
  shared_leave(s);
  record(OP_TRAVERSE, s, 0, 0);
  if (snapshot->copy == NULL) args_no_memory(L);
  cleanup_note(&snapshot->copy->cleanup, release);
}

/* The next key of the copy; false at the end. */
static bool next_key (Snapshot *snapshot, SharedKey *k) {
  const SharedTableCopy *c = snapshot->copy;
  size_t i = snapshot->position++;
  if (c == NULL || i >= c->length + c->count) return false;
  if (i < c->length) shared_key_integer(k, (lua_Integer)i + 1);
  else shared_table_copy_key(c, i - c->length, k);
  return true;
}

/* Pushes the key that next_key has just passed. [0, +1, raises] */
static void push_passed (lua_State *L, const Snapshot *snapshot) {
  const SharedTableCopy *c = snapshot->copy;
  size_t i = snapshot->position - 1;
  if (i < c->length) lua_pushinteger(L, (lua_Integer)i + 1);
  else shared_push_key(L, &c->entries[i - c->length].key);
}

/*
** The iterator of pairs: (snapshot, previous key) -> key, value. Keys that have
** vanished are passed over.
*/
static int walk (lua_State *L) {
  Snapshot *snapshot = luaL_checkudata(L, 1, "luasync.Holder");
  Shared *s;
  SharedKey key;
  lua_getiuservalue(L, 1, 1);
  s = object_check(L, -1, &shared_kind);
  snapshot->readers++;
  while (next_key(snapshot, &key)) {
    Slot cell;
    SharedMoment moment = {0, -1};
    SharedRefusal why;
    push_passed(L, snapshot);
    shared_announce(L, OP_READ, s, &key);
    why = fetch(L, s, &key, &cell, &moment);
    if (why != SHARED_ENTERED) return shared_refuse(L, why);
    if (cell.tag != SLOT_NIL) {
      snapshot->readers--;
      slot_push_free(L, &cell);
      shared_record(L, OP_READ, s, -2, -1, &moment);
      return 2;
    }
    lua_pop(L, 1);
  }
  snapshot->readers--;
  shared_free_snapshot(snapshot);
  lua_pushnil(L);
  return 1;
}

static int shared_pairs (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  lua_pushcfunction(L, walk);
  shared_take(L, s, shared_new_snapshot(L), false);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_pushnil(L);
  return 3;
}

/*
** __keys(shared): its keys, as a list; nothing while it is being updated. Never waits
** and is no operation: for the prompt, which looks at it while something is typed.
*/
int shared_keys (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  Snapshot *snapshot = shared_new_snapshot(L);
  SharedKey key;
  lua_Integer n = 0;
  bool busy;
  pthread_mutex_lock(&s->mu);
  busy = atomic_load(&s->updater) != NULL;
  if (!busy) snapshot->copy = shared_table_copy(&s->table, false);
  pthread_mutex_unlock(&s->mu);
  if (busy) return 0;
  if (snapshot->copy == NULL) args_no_memory(L);
  cleanup_note(&snapshot->copy->cleanup, release);
  lua_newtable(L);
  while (next_key(snapshot, &key)) {
    push_passed(L, snapshot);
    lua_rawseti(L, -2, ++n);
  }
  shared_free_snapshot(snapshot);
  return 1;
}

/*
** Making and destroying.
*/

/* "3 items". [0, +1] */
static void describe (lua_State *L, Object *o) {
  Shared *s = (Shared *)o;
  size_t count;
  pthread_mutex_lock(&s->mu);
  count = shared_table_count(&s->table);
  pthread_mutex_unlock(&s->mu);
  lua_pushfstring(L, count == 1 ? "%I item" : "%I items", (LUAI_UACINT)count);
}

static void destroy (Object *o) {
  Shared *s = (Shared *)o;
  pthread_mutex_destroy(&s->mu);
  shared_table_free(&s->table);
}

/* Some cells at a time, so that no thread waits long; after a change the rest is not worth it. */
static uint64_t visit (Object *o, CycleSearch *search) {
  Shared *s = (Shared *)o;
  uint64_t version, first = 0;
  size_t next = 0;
  bool begun = false;
  do {
    if (search != NULL) cycles_reserve(search, 500);
    pthread_mutex_lock(&s->mu);
    version = s->table.changes;
    if (!begun) first = version;
    begun = true;
    next = search != NULL && version == first ? shared_table_visit(&s->table, next, search) : 0;
    pthread_mutex_unlock(&s->mu);
  } while (next != 0);
  return first;
}

static const luaL_Reg shared_meta[] = {{"__index", shared_index},
                                       {"__newindex", shared_newindex},
                                       {"__len", shared_len},
                                       {"__pairs", shared_pairs},
                                       {NULL, NULL}};

static void tidy (Object *o) { shared_table_tidy(&((Shared *)o)->table); }

const Kind shared_kind = {.name = "Shared",
                          .destroy = destroy,
                          .ready = shared_ready,
                          .visit = visit,
                          .describe = describe,
                          .tidy = tidy,
                          .meta = shared_meta};

Shared *shared_create (lua_State *L, int options) {
  Shared *s = object_new(L, sizeof *s, &shared_kind, options);
  pthread_mutex_init(&s->mu, NULL);
  s->table.world = s->object.world;
  return s;
}

/* Shared([t [, { name = … }]]) */
int shared_new (lua_State *L) {
  int before, options = 0;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    options = object_options(L, 2, &before);
  }
  if (lua_isnoneornil(L, 1)) shared_create(L, options);
  else {
    luaL_checktype(L, 1, LUA_TTABLE);
    shared_convert(L, 1, options);
  }
  return 1;
}

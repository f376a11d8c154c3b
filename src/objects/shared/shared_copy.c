/*
** shared_copy.c - whole trees of tables: plain ones that become Shared, Shared
** ones that become plain, and the Shared tables of a world that have names.
**
** Both ways go breadth first over a list of tables to be filled, so depth costs
** no C stack; a memo from source to copy keeps shared references and cycles.
*/
#include "message/message.h"
#include "objects/shared/shared.h"
#include "world/args.h"

#define PATH_MOST 12 /* keys shown of a long path */

/*
** Plain tables to Shared.
**
** Stack indices of the lists. WORK[i] is a plain table, FROM[i] the number of
** the one it was found in and KEYS[i] the key there: for the path in an error.
*/
typedef struct Job {
  int memo, work, from, keys; /* stack indices */
  lua_Integer count;          /* tables in work */
  World *world;
} Job;

/* Pushes `.name`, `[1]` or `[?]` for the key at `index`. [0, +1] */
static void push_step (lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING) lua_pushfstring(L, ".%s", lua_tostring(L, index));
  else if (lua_isinteger(L, index))
    lua_pushfstring(L, "[%I]", (LUAI_UACINT)lua_tointeger(L, index));
  else lua_pushfstring(L, "[%s]", luaL_typename(L, index));
}

/*
** Raises `message (at item.a[1])`: the key at `key` of table number `at`, 0: none.
** [0, 0, raises]
*/
static void fail_at (lua_State *L, const Job *job, const char *message, lua_Integer at, int key) {
  int steps = 0;
  if (key == 0) lua_pushliteral(L, "");
  else push_step(L, key);
  for (; at > 1 && steps < PATH_MOST; steps++) {
    lua_rawgeti(L, job->keys, at);
    push_step(L, lua_gettop(L));
    lua_remove(L, -2);
    lua_insert(L, -2);
    lua_concat(L, 2);
    lua_rawgeti(L, job->from, at);
    at = lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  if (*lua_tostring(L, -1) == '\0') luaL_error(L, "%s", message);
  luaL_error(L, "%s (at item%s%s)", message, at > 1 ? "..." : "", lua_tostring(L, -1));
}

/*
** Pushes the Shared that stands for the plain table at `index`, found in table
** `at` under the key at `key`. [0, +1, raises]
*/
static void adopt (lua_State *L, Job *job, int index, lua_Integer at, int key, int options) {
  lua_pushvalue(L, index);
  if (lua_rawget(L, job->memo) != LUA_TNIL) return;
  lua_pop(L, 1);
  if (lua_getmetatable(L, index)) luaL_error(L, "cannot share a table with a metatable");
  shared_create(L, options);
  lua_pushvalue(L, index);
  lua_pushvalue(L, -2);
  lua_rawset(L, job->memo);
  job->count++;
  lua_pushvalue(L, index);
  lua_rawseti(L, job->work, job->count);
  if (key == 0) return;
  lua_pushinteger(L, at);
  lua_rawseti(L, job->from, job->count);
  lua_pushvalue(L, key);
  lua_rawseti(L, job->keys, job->count);
}

/*
** Puts the pair at the top into the Shared, which no other thread has seen yet, unless it
** searches for cycles. [-1, 0, raises]
*/
static void fill_pair (lua_State *L, Job *job, lua_Integer at, Shared *s) {
  int key_index = lua_gettop(L) - 1;
  SharedKey key;
  Slot cell, key_out;
  const char *unfit = shared_key(L, key_index, &key, true);
  bool stored;
  if (unfit != NULL) fail_at(L, job, unfit, at, 0);
  if (lua_istable(L, -1)) {
    adopt(L, job, key_index + 1, at, key_index, 0);
    lua_replace(L, key_index + 1);
  }
  if (lua_isthread(L, -1)) fail_at(L, job, "cannot send a coroutine", at, key_index);
  slot_set(L, key_index + 1, &cell, job->world);
  shared_hold(s, &key, &cell);
  pthread_mutex_lock(&s->mu);
  stored = shared_table_swap(&s->table, &key, &cell, &key_out);
  pthread_mutex_unlock(&s->mu);
  if (!stored) {
    shared_cell_free(&cell);
    args_no_memory(L);
  }
  lua_pop(L, 1);
}

/* Fills the Shared of the plain table number `at`. [0, 0, raises] */
static void fill (lua_State *L, Job *job, lua_Integer at) {
  int source = lua_gettop(L) + 1;
  Shared *s;
  lua_rawgeti(L, job->work, at);
  lua_pushvalue(L, source);
  lua_rawget(L, job->memo);
  s = object_check(L, source + 1, &shared_kind);
  lua_pushnil(L);
  while (lua_next(L, source)) fill_pair(L, job, at, s);
  lua_settop(L, source - 1);
}

void shared_convert (lua_State *L, int index, int options) {
  Job job;
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  luaL_checkstack(L, 20, NULL);
  job.count = 0;
  job.world = thread_self->object.world;
  job.memo = top + 1;
  job.work = top + 2;
  job.from = top + 3;
  job.keys = top + 4;
  for (int i = 0; i < 4; i++) lua_newtable(L);
  adopt(L, &job, index, 0, 0, options);
  for (lua_Integer i = 1; i <= job.count; i++) fill(L, &job, i);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

/*
** Shared tables to plain ones: sync.snapshot. Each is copied at one moment; the
** list of proxies keeps them all alive, so that no address comes twice.
*/

enum { SNAP_MEMO = 2, SNAP_WORK, SNAP_HOLDER };

/* Pushes the plain table that stands for `o`, noting it as work if it is new. [0, +1, raises] */
static void push_plain (lua_State *L, Object *o, lua_Integer *count) {
  if (lua_rawgetp(L, SNAP_MEMO, o) != LUA_TNIL) return;
  lua_pop(L, 1);
  object_push(L, o);
  lua_rawseti(L, SNAP_WORK, ++*count);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, SNAP_MEMO, o);
}

static void push_plain_value (lua_State *L, const Slot *cell, lua_Integer *count) {
  if (cell->tag == SLOT_OBJECT && cell->u.object->kind == &shared_kind)
    push_plain(L, cell->u.object, count);
  else slot_push(L, cell);
}

/* Fills the plain table at the top from the copy. [0, 0, raises] */
static void fill_plain (lua_State *L, const SharedTableCopy *c, lua_Integer *count) {
  for (size_t i = 0; i < c->length; i++) {
    push_plain_value(L, &c->items[i], count);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  for (size_t i = 0; i < c->count; i++) {
    shared_push_key(L, &c->entries[i].key);
    push_plain_value(L, &c->entries[i].value, count);
    lua_rawset(L, -3);
  }
}

/* sync.snapshot(s) */
int shared_snapshot (lua_State *L) {
  lua_Integer count = 0;
  Object *first = object_check(L, 1, &shared_kind);
  Snapshot *snapshot;
  lua_settop(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  snapshot = shared_new_snapshot(L);
  push_plain(L, first, &count); /* the result */
  for (lua_Integer i = 1; i <= count; i++) {
    Shared *s;
    lua_rawgeti(L, SNAP_WORK, i);
    s = object_check(L, -1, &shared_kind);
    lua_pop(L, 1);
    shared_take(L, s, snapshot, true);
    lua_rawgetp(L, SNAP_MEMO, s);
    snapshot->readers++;
    fill_plain(L, snapshot->copy, &count);
    snapshot->readers--;
    shared_free_snapshot(snapshot);
    lua_pop(L, 1);
  }
  return 1;
}

/*
** Named tables: __named_shared(name) gives every thread of a world the same one.
*/

/* Pushes the world's table of named tables. [0, +1, raises] */
static Shared *push_named (lua_State *L) {
  World *world = thread_self->object.world;
  Shared *s = shared_create(L, 0); /* in case there is none: made before locking */
  Object *o;
  pthread_mutex_lock(&world->mu);
  if (world->named == NULL) {
    world->named = &s->object;
    object_keep(world->named);
  }
  o = world->named;
  pthread_mutex_unlock(&world->mu); /* it stays until the world ends */
  lua_pop(L, 1);
  object_push(L, o);
  return (Shared *)o;
}

/* Stores `mine` unless the name is taken. The one there now, with a reference; NULL: no memory. */
static Object *put_if_new (Shared *names, const SharedKey *k, Object *mine) {
  Slot cell = {.tag = SLOT_OBJECT}, key_out;
  const Slot *found;
  Object *o = NULL;
  cell.u.object = mine;
  object_keep(mine);
  pthread_mutex_lock(&names->mu);
  found = shared_table_get(&names->table, k);
  if (found != NULL) o = found->u.object;
  else if (shared_table_swap(&names->table, k, &cell, &key_out)) o = mine;
  if (o != NULL) object_keep(o);
  pthread_mutex_unlock(&names->mu);
  shared_cell_free(&cell);
  return o;
}

int shared_named (lua_State *L) {
  Shared *names, *mine;
  Object *o;
  SharedKey key;
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  shared_key(L, 1, &key, true);
  lua_newtable(L); /* options: the table is called by its name */
  lua_pushvalue(L, 1);
  lua_setfield(L, 2, "name");
  mine = shared_create(L, 2);
  names = push_named(L);
  o = put_if_new(names, &key, &mine->object);
  if (o == NULL) args_no_memory(L);
  object_push(L, o);
  object_drop(o); /* the table of names holds it */
  return 1;
}

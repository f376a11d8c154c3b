/*
** shared_update.c - sync.update: a read and a write with a Lua function between.
** How the others wait meanwhile is in shared_turn.c.
*/
#include "message/message.h"
#include "objects/shared/shared.h"
#include "world/args.h"

/*
** sync.update(s, key, fn, ...)
**
** The turn is a to-be-closed userdata, so that an error in fn ends the update
** and still shows where it came from.
*/

typedef struct UpdateTurn {
  Shared *s; /* NULL: not begun, or over */
} UpdateTurn;

static void turn_end (lua_State *L, UpdateTurn *turn) {
  Shared *s = turn->s;
  if (s == NULL) return;
  turn->s = NULL;
  thread_self->updating--;
  shared_set_innermost(L, s->outer); /* the field is there: no memory is needed */
  s->outer = NULL;
  pthread_mutex_lock(&s->mu);
  atomic_store(&s->updater, NULL);
  shared_leave(s);
  object_drop(&s->object);
}

static int turn_close (lua_State *L) {
  turn_end(L, luaL_checkudata(L, 1, "luasync.Turn"));
  return 0;
}

static UpdateTurn *push_turn (lua_State *L) {
  UpdateTurn *turn = lua_newuserdatauv(L, sizeof *turn, 0);
  turn->s = NULL;
  if (luaL_newmetatable(L, "luasync.Turn")) {
    lua_pushcfunction(L, turn_close);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, turn_close);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    shared_set_innermost(L, NULL);
  }
  lua_setmetatable(L, -2);
  return turn;
}

/* Makes the table ours and takes a copy of the cell. */
static SharedRefusal turn_begin (lua_State *L, UpdateTurn *turn, Shared *s, const SharedKey *k,
                                 Slot *cell) {
  const Slot *found;
  Shared *outer = shared_innermost(L);
  SharedRefusal why = shared_enter(L, s, OP_UPDATE);
  if (why != SHARED_ENTERED) return why;
  found = shared_table_get(&s->table, k);
  if (found == NULL) cell->tag = SLOT_NIL;
  else *cell = *found;
  shared_cell_keep(cell);
  atomic_store(&s->updater, thread_self);
  pthread_mutex_unlock(&s->mu);
  object_keep(&s->object);
  s->outer = outer;
  shared_set_innermost(L, s);
  thread_self->updating++;
  turn->s = s;
  return SHARED_ENTERED;
}

/* Stores the cell in the table that is ours. [0, 0, raises] */
static void put (lua_State *L, Shared *s, const SharedKey *k, Slot *cell, SharedMoment *moment) {
  Slot key;
  bool stored;
  shared_hold(s, k, cell);
  pthread_mutex_lock(&s->mu);
  stored = shared_table_swap(&s->table, k, cell, &key);
  shared_note(s, moment);
  pthread_mutex_unlock(&s->mu);
  shared_cell_free(cell);
  shared_cell_free(&key);
  if (!stored) args_no_memory(L);
}

int shared_update (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  SharedKey key;
  Slot cell;
  SharedMoment moment = {0, -1};
  UpdateTurn *turn;
  SharedRefusal why;
  shared_check_key(L, 2, &key, true);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  luaL_checkstack(L, 8, NULL);
  shared_announce(L, OP_UPDATE, s, &key);
  turn = push_turn(L);
  lua_insert(L, 3); /* s key turn fn ... */
  lua_toclose(L, 3);
  why = turn_begin(L, turn, s, &key, &cell);
  if (why != SHARED_ENTERED) return shared_refuse(L, why);
  slot_push_free(L, &cell);
  lua_insert(L, 5);
  lua_call(L, lua_gettop(L) - 4, 1); /* s key turn result */
  shared_set_value(L, 4, &cell, s->object.world);
  put(L, s, &key, &cell, &moment);
  shared_record(L, OP_UPDATE, s, 2, 4, &moment);
  turn_end(L, turn);
  return 1;
}

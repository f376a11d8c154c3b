/*
** shared_update.c - sync.update: a read and a write with a Lua function between.
**
** The mutex cannot be held while the function runs. Instead the table has an
** `updater`, and everybody else stands in line until it has gone. Whoever leaves
** a free table wakes the first in line, so the line drains whether its members
** came to read or to update. Who was woken and found the table taken again by a
** newcomer is starving, and is given the table directly the next time.
**
** An updater may have to wait for a second table. It does, unless that table's
** updater waits (over any number of tables) for one of his: then it would be
** for ever, and the one who notices gets an error.
*/
#include "objects/shared/shared.h"

static const char updating_key;   /* registry: the innermost table this state updates, light userdata */

/* Where the line of waiters for tables closes in on itself; never taken on the fast paths. */
static pthread_mutex_t circles_mu = PTHREAD_MUTEX_INITIALIZER;

/*
** Waiting for an update to end.
*/

/* Whether waiting for `target` would be waiting for oneself; if not, notes that we do. */
static bool closes_circle (Shared *target, Shared *own, Thread *self) {
  bool circle = false;
  pthread_mutex_lock(&circles_mu);
  for (Shared *s = target; s != NULL && !circle; s = s->awaited)
    circle = atomic_load(&s->updater) == self;
  for (; own != NULL && !circle; own = own->outer) own->awaited = target;
  pthread_mutex_unlock(&circles_mu);
  return circle;
}

static void forget_awaited (Shared *own) {
  pthread_mutex_lock(&circles_mu);
  for (; own != NULL; own = own->outer) own->awaited = NULL;
  pthread_mutex_unlock(&circles_mu);
}

/* The innermost table this state is updating, or NULL. [0, 0, -] */
static Shared *innermost (lua_State *L) {
  Shared *s;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &updating_key);
  s = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return s;
}

/* Waits in line until the table is free; under mu, before and after. False: interrupted. */
static bool stand_in_line (lua_State *L, Shared *s, OpKind kind) {
  Waiter w;
  waiter_init(&w, kind, s, FOREVER);
  line_join(&s->line, &w);
  for (;;) {
    Thread *updater;
    Wake wake;
    pthread_mutex_unlock(&s->mu);
    wake = line_wait(L, &w, &s->mu, FOREVER);
    pthread_mutex_lock(&s->mu);
    if (wake == WAKE_INTERRUPT) return false;
    updater = atomic_load(&s->updater);
    if (updater == w.thread) atomic_store(&s->updater, NULL);   /* given to us */
    if (updater == w.thread || updater == NULL) return true;
    w.starving = true;
    line_rejoin(&s->line, &w);
  }
}

/* Enters a table somebody updates; mu is held. */
Refusal shared_enter_late (lua_State *L, Shared *s, OpKind kind) {
  Thread *self = thread_self;
  Shared *own;
  Refusal why = TOUCHED;
  if (atomic_load(&s->updater) == self) goto out;
  own = self->updating > 0 ? innermost(L) : NULL;
  why = CIRCLE;
  if (own != NULL && closes_circle(s, own, self)) goto out;
  why = stand_in_line(L, s, kind) ? ENTERED : INTERRUPTED;
  if (own != NULL) forget_awaited(own);
out:
  if (why != ENTERED) pthread_mutex_unlock(&s->mu);
  return why;
}

/* Leaves a table others wait for; who starves gets it directly. */
void shared_pass_on (Shared *s) {
  Waiter *next = line_choose(&s->line);
  if (next != NULL && next->starving) atomic_store(&s->updater, next->thread);
  pthread_mutex_unlock(&s->mu);
  line_wake(next);
}

int shared_refuse (lua_State *L, Refusal why) {
  switch (why) {
    case TOUCHED: return luaL_error(L, "cannot touch the table being updated");
    case CIRCLE: return luaL_error(L, "cannot block inside update");
    default: thread_raise(L); return luaL_error(L, "interrupted");
  }
}

/*
** sync.update(s, key, fn, ...)
**
** The turn is a to-be-closed userdata, so that an error in fn ends the update
** and still shows where it came from.
*/

typedef struct Turn {
  Shared *s;                      /* NULL: not begun, or over */
} Turn;

static void set_innermost (lua_State *L, Shared *s) {
  lua_pushlightuserdata(L, s);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &updating_key);
}

static void turn_end (lua_State *L, Turn *turn) {
  Shared *s = turn->s;
  if (s == NULL) return;
  turn->s = NULL;
  thread_self->updating--;
  set_innermost(L, s->outer);     /* the field is there: no memory is needed */
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

static Turn *push_turn (lua_State *L) {
  Turn *turn = lua_newuserdatauv(L, sizeof *turn, 0);
  turn->s = NULL;
  if (luaL_newmetatable(L, "luasync.Turn")) {
    lua_pushcfunction(L, turn_close);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, turn_close);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    set_innermost(L, NULL);
  }
  lua_setmetatable(L, -2);
  return turn;
}

/* Makes the table ours and takes a copy of the cell. */
static Refusal turn_begin (lua_State *L, Turn *turn, Shared *s, const Key *k, Slot *cell) {
  const Slot *found;
  Shared *outer = innermost(L);
  Refusal why = shared_enter(L, s, OP_UPDATE);
  if (why != ENTERED) return why;
  found = table_get(&s->table, k);
  if (found == NULL) cell->tag = SLOT_NIL;
  else *cell = *found;
  cell_keep(cell);
  atomic_store(&s->updater, thread_self);
  pthread_mutex_unlock(&s->mu);
  object_keep(&s->object);
  s->outer = outer;
  set_innermost(L, s);
  thread_self->updating++;
  turn->s = s;
  return ENTERED;
}

/* Stores the cell in the table that is ours. [0, 0, raises] */
static void put (lua_State *L, Shared *s, const Key *k, Slot *cell) {
  Slot key;
  bool stored;
  pthread_mutex_lock(&s->mu);
  stored = table_swap(&s->table, k, cell, &key);
  pthread_mutex_unlock(&s->mu);
  cell_free(cell);
  cell_free(&key);
  if (!stored) luaL_error(L, "not enough memory");
}

int shared_update (lua_State *L) {
  Shared *s = object_check(L, 1, &shared_kind);
  Key key;
  Slot cell;
  Turn *turn;
  Refusal why;
  shared_check_key(L, 2, &key, true);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  luaL_checkstack(L, 8, NULL);
  shared_announce(L, OP_UPDATE, s, &key);
  turn = push_turn(L);
  lua_insert(L, 3);               /* s key turn fn ... */
  lua_toclose(L, 3);
  why = turn_begin(L, turn, s, &key, &cell);
  if (why != ENTERED) return shared_refuse(L, why);
  slot_push_free(L, &cell);
  lua_insert(L, 5);
  lua_call(L, lua_gettop(L) - 4, 1);   /* s key turn result */
  shared_set_value(L, 4, &cell, s->object.world);
  put(L, s, &key, &cell);
  turn_end(L, turn);
  return 1;
}

/*
** start.c - from a thread that has a target to one that runs.
**
** A thread that has not been started keeps its target and arguments as Lua
** values, in the user value of its proxy, so that a list changed before start()
** is seen (Python's rule TH03). They are encoded by start(), or when the handle is
** sent to another thread, which might start it there.
*/
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/message.h"
#include "thread/private.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/record.h"

#define ARGS_MOST 100000

/*
** Target and arguments.
*/

void thread_store_work (lua_State *L, int proxy, int target) {
  int n = lua_gettop(L) - target + 1;
  lua_createtable(L, n, 1);
  lua_insert(L, target);
  for (int i = n; i >= 1; i--) lua_rawseti(L, target, i);
  lua_pushinteger(L, n);
  lua_setfield(L, target, "n");
  lua_setiuservalue(L, proxy, 1);
}

int thread_count_args (lua_State *L, int arg) {
  lua_Integer n;
  bool counted = lua_getfield(L, -1, "n") != LUA_TNIL;
  if (counted && !lua_isinteger(L, -1))
    luaL_argerror(L, arg, "field 'args': its n must be an integer");
  n = counted ? lua_tointeger(L, -1) : luaL_len(L, -2);
  lua_pop(L, 1);
  if (n < 0) luaL_argerror(L, arg, "field 'args': its n must not be negative");
  luaL_argcheck(L, n < ARGS_MOST, arg, "field 'args': too many");
  return (int)n;
}

/*
** Pushes the arguments in the list that the work table at `index` keeps, if it has
** one; returns how many.
*/
static int push_listed (lua_State *L, int index) {
  int n = 0, list = lua_gettop(L) + 1;
  if (lua_getfield(L, index, "args") == LUA_TNIL) {
    lua_pop(L, 1);
    return 0;
  }
  n = thread_count_args(L, 1);
  luaL_checkstack(L, n + 4, "too many arguments");
  for (int i = 1; i <= n; i++) lua_geti(L, list, i);
  lua_remove(L, list);
  return n;
}

/* Pushes target and arguments as the proxy keeps them; returns how many, 0: it keeps none. */
static int push_work (lua_State *L, int proxy) {
  lua_Integer stored;
  int n, first = lua_gettop(L) + 1;
  if (lua_getiuservalue(L, proxy, 1) != LUA_TTABLE) {
    lua_pop(L, 1);
    return 0;
  }
  lua_getfield(L, first, "n");
  stored = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (stored < 1 || stored > LUAI_MAXSTACK)
    luaL_error(L, "not a thread's target and arguments"); /* debug.setuservalue */
  n = (int)stored;
  luaL_checkstack(L, n + 4, "too many arguments");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, first, i);
  n += push_listed(L, first);
  lua_remove(L, first);
  return n;
}

/* Before the handle leaves this state: the thread may be started where it arrives. */
void thread_departing (lua_State *L, int index, int along, bool again) {
  Thread *t = object_test(L, index, &thread_kind);
  int first = lua_gettop(L) + 1, n;
  Message *work;
  bool needed;
  if (t == NULL) return;
  pthread_mutex_lock(&t->mu);
  needed = atomic_load(&t->life) == LIFE_NEW && (again || t->work == NULL);
  pthread_mutex_unlock(&t->mu);
  n = needed ? push_work(L, index) : 0;
  if (n == 0 || lua_isnil(L, first)) return;
  work = message_encode_part(L, first, n, t->object.world, along);
  if (message_leads(work)) cycles_hold(&t->object);
  lua_settop(L, first - 1);
  pthread_mutex_lock(&t->mu);
  if (atomic_load(&t->life) == LIFE_NEW) { /* so no thread reads the old one */
    Message *old = t->work;
    t->work = work;
    work = old;
  }
  pthread_mutex_unlock(&t->mu);
  message_free(work);
}

/*
** Until somebody starts it.
*/

static void list_unstarted (Thread *t) {
  World *world = t->object.world;
  pthread_mutex_lock(&world->mu);
  t->next = world->unstarted;
  t->previous = NULL;
  if (t->next != NULL) t->next->previous = t;
  world->unstarted = t;
  pthread_mutex_unlock(&world->mu);
  t->is_unstarted = true;
}

void thread_await_start (lua_State *L, Thread *t) {
  if (!source_line_unmarked) source_line_here(L, &t->made_at);
  list_unstarted(t);
  t->was_unstarted = true;
}

void thread_await_start_no_more (Thread *t) {
  World *world = t->object.world;
  if (!t->is_unstarted) return;
  t->is_unstarted = false;
  pthread_mutex_lock(&world->mu);
  if (t->previous != NULL) t->previous->next = t->next;
  else world->unstarted = t->next;
  if (t->next != NULL) t->next->previous = t->previous;
  t->next = t->previous = NULL;
  pthread_mutex_unlock(&world->mu);
}

/*
** Starting.
*/

/*
** Marks t as started, once, however many threads try it at the same time. Its work becomes
** *work if it is `kept` here, otherwise it has crossed before. What is left over is
** in *work then.
*/
static bool claim (Thread *t, bool kept, Message **work) {
  bool claimed;
  pthread_mutex_lock(&t->mu);
  claimed = atomic_load(&t->life) == LIFE_NEW;
  if (claimed) atomic_store(&t->life, LIFE_STARTED);
  if (claimed && kept) {
    Message *old = t->work;
    t->work = *work;
    *work = old;
  }
  pthread_mutex_unlock(&t->mu);
  return claimed;
}

/* A start that was claimed has failed: the thread may be started again, and is not to be joined. */
static void unclaim (Thread *t) {
  Waiter *chain;
  pthread_mutex_lock(&t->mu);
  atomic_store(&t->life, LIFE_NEW);
  chain = line_choose_all(&t->joiners);
  pthread_mutex_unlock(&t->mu);
  line_wake(chain);
}

static void set_state (Thread *t, lua_State *L) {
  pthread_mutex_lock(&t->mu);
  t->L = L;
  pthread_mutex_unlock(&t->mu);
}

/* Opens the state and hands the thread to the driver; an errno where that fails. */
static int launch (lua_State *L, Thread *t) {
  World *world = t->object.world;
  lua_State *opened = world->driver->open(t, L);
  int error;
  if (opened == NULL) return ENOMEM;
  if (t->role != NULL && t->role->starting != NULL && !t->role->starting(t)) {
    world->driver->close(t, opened);
    return ENOMEM;
  }
  set_state(t, opened);
  object_keep(&t->object);
  thread_list_add(t);
  atomic_fetch_add(&world->awake, 1);
  record(OP_START, t, 1, 0);
  error = world->driver->spawn(t);
  if (error != 0) {
    atomic_fetch_sub(&world->awake, 1);
    set_state(t, NULL);
    thread_list_remove(t);
    world->driver->close(t, opened);
    if (t->role != NULL && t->role->ended != NULL) t->role->ended(t);
    object_drop(&t->object);
  }
  return error;
}

/* Encodes what the proxy at 1 keeps; NULL: nothing, or no target. *kept: it keeps something. */
static Message *encode_kept (lua_State *L, Thread *t, bool *kept) {
  Message *work = NULL;
  int n = atomic_load(&t->life) == LIFE_NEW ? push_work(L, 1) : 0;
  *kept = n > 0;
  if (n > 0 && !lua_isnil(L, 2)) work = message_encode_work(L, 2, n, 1, t->object.world);
  lua_settop(L, 1);
  return work;
}

/*
** start(). The work is encoded before the thread is claimed, since that may raise
** and run Lua code, which may start the thread too.
*/
int thread_start (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  Message *work;
  bool kept, listed;
  int error;
  lua_settop(L, 1);
  work = encode_kept(L, t, &kept);
  announce(L, OP_START, t);
  if (thread_self->is_main && atomic_load(&t->object.world->ending)) {
    message_free(work);
    return args_misuse(L, "can't start new thread: the program is ending");
  }
  if (!claim(t, kept, &work)) {
    message_free(work);
    return args_misuse(L, "threads can only be started once");
  }
  message_free(work);
  listed = t->is_unstarted;
  thread_await_start_no_more(t);
  error = launch(L, t);
  if (error != 0) {
    if (listed) list_unstarted(t);
    unclaim(t);
    return luaL_error(L, "can't start new thread (%s)", strerror(error));
  }
  lua_pushnil(L);
  lua_setiuservalue(L, 1, 1); /* target and arguments may go now */
  return 1;
}

/* spawn(fn, ...): a started thread. */
int thread_spawn (lua_State *L) {
  if (!args_is_callable(L, 1)) return luaL_typeerror(L, 1, "function");
  thread_new_apart(L);
  lua_insert(L, 1);
  return thread_start(L);
}

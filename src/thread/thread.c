/*
** thread.c - Thread: Python's, with a result. Its start is in start.c.
*/
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>

#include "message/message.h"
#include "thread/name.h"
#include "thread/private.h"
#include "thread/thread.h"
#include "world/args.h"
#include "world/record.h"
#include "world/memory.h"
#include "thread/hint.h"

/*
** Construction.
*/

Thread *thread_make (lua_State *L, size_t size, const Kind *kind) {
  Thread *t = object_begin(L, size, kind, 0);
  pthread_mutex_init(&t->mu, NULL);
  thread_number(t);
  t->daemon = thread_self->daemon;
  return t;
}

/* An option of Thread{...}, pushed. */
static int option (lua_State *L, const char *name) { return lua_getfield(L, 1, name); }

static int option_error (lua_State *L, const char *name, const char *expected) {
  return luaL_argerror(
      L, 1,
      lua_pushfstring(L, "field '%s': %s expected, got %s", name, expected, luaL_typename(L, -1)));
}

/* Pushes options.args, a list or nil. */
static void push_args (lua_State *L) {
  if (option(L, "args") == LUA_TNIL) return;
  if (!lua_istable(L, -1)) option_error(L, "args", "table");
  thread_count_args(L, 1);
}

static int new_from_options (lua_State *L) {
  static const char *const known[] = {"target", "args", "name", "daemon", NULL};
  Thread *t;
  lua_settop(L, 1);
  args_option_names(L, 1, known);
  if (option(L, "target") == LUA_TNIL) hint_unset(L, "target");
  else if (!args_is_callable(L, -1)) option_error(L, "target", "function");
  push_args(L); /* options target args */
  t = thread_make(L, sizeof *t, &thread_kind);
  lua_insert(L, 2); /* options thread target args */
  if (option(L, "name") == LUA_TNIL
      || (lua_isstring(L, -1) && lua_rawlen(L, -1) == 0 && lua_type(L, -1) == LUA_TSTRING))
    thread_name_default(L, t, 3);
  else if (!lua_isstring(L, -1)) option_error(L, "name", "string");
  else thread_rename(L, t, -1);
  lua_pop(L, 1);
  if (option(L, "daemon") == LUA_TNIL) hint_unset(L, "daemon");
  else t->daemon = lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_insert(L, 3); /* options thread args target */
  thread_store_work(L, 2, 4);
  lua_getiuservalue(L, 2, 1);
  lua_pushvalue(L, 3);
  lua_setfield(L, -2, "args");
  lua_settop(L, 2);
  object_ready(L, 2);
  return 1;
}

int thread_new_apart (lua_State *L) {
  Thread *t;
  if (lua_istable(L, 1) && !args_is_callable(L, 1)) return new_from_options(L);
  if (!lua_isnone(L, 1) && !args_is_callable(L, 1)) return luaL_typeerror(L, 1, "function");
  if (lua_gettop(L) == 0) lua_pushnil(L);
  t = thread_make(L, sizeof *t, &thread_kind);
  lua_insert(L, 1); /* thread target args... */
  thread_name_default(L, t, 2);
  thread_store_work(L, 1, 2);
  object_ready(L, 1);
  return 1;
}

/* Thread{ target=, args=, name=, daemon= } or Thread(fn, ...) */
int thread_new (lua_State *L) {
  thread_new_apart(L);
  thread_await_start(L, object_check(L, -1, &thread_kind));
  return 1;
}

void thread_destroy (Object *o) {
  Thread *t = (Thread *)o;
  thread_await_start_no_more(t);
  message_free(t->work);
  message_free(t->sent);
  message_free(t->outcome);
  message_free(t->interrupt);
  free(t->answer.traceback);
  pthread_mutex_destroy(&t->mu);
  spot_free(t->spot);
  if (t->owner != NULL) object_drop(t->owner);
}

/*
** What an unstarted thread is to call may be another by the next time, never one that
** has been before; what an ended one has come to stays.
*/
uint64_t thread_visit (Object *o, CycleSearch *search) {
  Thread *t = (Thread *)o;
  Message *m = NULL;
  uint64_t life;
  pthread_mutex_lock(&t->mu);
  life = (uint64_t)atomic_load(&t->life);
  if (life == LIFE_NEW) m = t->work;
  else if (life == LIFE_ENDED) m = t->outcome;
  message_visit(m, search);
  pthread_mutex_unlock(&t->mu);
  return (uint64_t)(uintptr_t)m ^ life << 62;
}

/*
** Joining.
*/

static void check_started (lua_State *L, Thread *t) {
  if (atomic_load(&t->life) == LIFE_NEW) args_misuse(L, "cannot join thread before it is started");
}

/* Waits for the end by `wait`; the timeout is argument 2. */
static bool wait_for_end (lua_State *L, Thread *t, Wake (*wait)(lua_State *, Thread *, Nanos)) {
  Nanos deadline;
  if (t == thread_self) args_misuse(L, "cannot join current thread");
  if (!args_is_timeout(L, 2)) check_started(L, t); /* which is told first */
  deadline = world_until(t->object.world, args_timeout(L, 2));
  announce_until(L, deadline == 0 ? OP_LOOK : OP_JOIN, t, deadline);
  check_started(L, t); /* which another thread may be about to change */
  if (atomic_load(&t->life) == LIFE_ENDED) return true;
  if (deadline == 0) return false;
  wait_allowed(L);
  switch (wait(L, t, deadline)) {
    case WAKE_CHOSEN: check_started(L, t); return true; /* its start may have failed */
    case WAKE_INTERRUPT: thread_raise(L);
    /* fall through */
    default: return atomic_load(&t->life) == LIFE_ENDED;
  }
}

static int thread_join (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  bool ended = wait_for_end(L, t, thread_wait_end);
  record(OP_JOIN, t, ended, 0);
  lua_pushboolean(L, ended);
  return 1;
}

/* result() has raised the error: it no longer counts for the exit code. */
static void take_error (Thread *t) {
  pthread_mutex_lock(&t->mu);
  if (t->error_counted) {
    t->error_counted = false;
    atomic_fetch_sub(&t->object.world->errors_untaken, 1);
  }
  pthread_mutex_unlock(&t->mu);
}

static int thread_result (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  bool ended = wait_for_end(L, t, thread_wait_result);
  record(OP_JOIN, t, ended, 0);
  if (!ended) {
    lua_pushnil(L);
    lua_pushliteral(L, "timeout");
    return 2;
  }
  lua_settop(L, 1);
  if (t->failed) take_error(t);
  if (t->outcome == NULL) {
    if (t->failed) args_no_memory(L);
    return 0;
  }
  if (!t->failed) return message_decode(L, t->outcome);
  message_decode(L, t->outcome);
  return lua_error(L);
}

/*
** Questions and properties.
*/

static int thread_is_alive (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  announce(L, OP_LOOK, t);
  lua_pushboolean(L, atomic_load(&t->life) == LIFE_STARTED);
  return 1;
}

static int thread_get_name (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  char some[64], *copy = some;
  size_t length, room = sizeof some;
  for (;;) { /* until the name fits that it has by then */
    pthread_mutex_lock(&t->mu);
    length = strlen(t->object.name);
    if (length <= room) memcpy(copy, t->object.name, length);
    pthread_mutex_unlock(&t->mu);
    if (length <= room) break;
    room = length;
    copy = lua_newuserdatauv(L, room, 0);
  }
  lua_pushlstring(L, copy, length);
  return 1;
}

static int thread_set_name (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  luaL_checkstring(L, 2);
  return thread_rename(L, t, 2);
}

static int thread_is_daemon (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  pthread_mutex_lock(&t->mu);
  bool daemon = t->daemon;
  pthread_mutex_unlock(&t->mu);
  lua_pushboolean(L, daemon);
  return 1;
}

static int thread_set_daemon (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  bool fresh, daemon = lua_toboolean(L, 2);
  pthread_mutex_lock(&t->mu);
  fresh = atomic_load(&t->life) == LIFE_NEW;
  if (fresh) t->daemon = daemon;
  pthread_mutex_unlock(&t->mu);
  if (!fresh) return args_misuse(L, "cannot set daemon status of active thread");
  return 0;
}

/*
** The kernel's number, 0 where there is none yet. A thread that has been handed to an
** OS thread has none for a moment. One whose start is still under way may never get
** there, and who asks may be a hook or a finaliser inside that very start.
*/
static int native_id (Thread *t) {
  while (atomic_load(&t->native_id) == 0) {
    bool handed_over;
    pthread_mutex_lock(&t->mu);
    handed_over = t->L != NULL;
    pthread_mutex_unlock(&t->mu);
    if (!handed_over) break; /* or it has ended meanwhile */
    sched_yield();
  }
  return atomic_load(&t->native_id);
}

/* __index for what is not a method: (self, key). */
int thread_property (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "name") == 0) return thread_get_name(L);
  if (strcmp(key, "daemon") == 0) return thread_is_daemon(L);
  if (strcmp(key, "ident") == 0 && atomic_load(&t->life) != LIFE_NEW)
    lua_pushinteger(L, (lua_Integer)t->serial);
  else if (strcmp(key, "native_id") == 0 && native_id(t) != 0) lua_pushinteger(L, native_id(t));
  else lua_pushnil(L);
  return 1;
}

/* __newindex: name and daemon (self, key, value). */
static int thread_set_property (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  const char *key = luaL_tolstring(L, 2, NULL);
  if (strcmp(key, "name") == 0) {
    if (lua_type(L, 3) != LUA_TSTRING && lua_type(L, 3) != LUA_TNUMBER)
      return luaL_error(L, "name must be a string, got %s", luaL_typename(L, 3));
    return thread_rename(L, t, 3);
  }
  if (strcmp(key, "daemon") == 0) {
    lua_pushvalue(L, 3);
    lua_replace(L, 2);
    return thread_set_daemon(L);
  }
  return luaL_error(L, "cannot set field '%s' of a Thread", key);
}

void thread_describe (lua_State *L, Object *o) {
  static const char *const words[] = {"initial", "started", "stopped"};
  Thread *t = (Thread *)o;
  pthread_mutex_lock(&t->mu);
  bool daemon = t->daemon;
  pthread_mutex_unlock(&t->mu);
  lua_pushfstring(L, "%s%s", words[atomic_load(&t->life)], daemon ? ", daemon" : "");
}

/* The wait that ends by it is over at once; under t->mu. */
static void record_interrupted (Thread *t) {
  Object *o = t->blocked.object;
  if (!record_is_on() || !t->blocked.active || t->blocked.kind == OP_REACQUIRE) return;
  if (t->blocked.kind == OP_SELECT) {
    if (!atomic_exchange(&t->selecting, false)) return;
    o = NULL;
  }
  if (o == NULL || atomic_load(&o->recorded) != 0)
    record_take(&(Record){.kind = RECORD_WAKE, .op = t->blocked.kind, .object = o, .other = t});
}

/*
** interrupt([message]): true, or false where t has ended.
*/
static int thread_interrupt (lua_State *L) {
  Thread *t = object_check(L, 1, &thread_kind);
  Message *message = NULL;
  int life;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) message = message_encode(L, 2, 1, ROOT_ERROR, t->object.world);
  announce(L, OP_INTERRUPT, t);
  record(OP_INTERRUPT, t, 1, 0);
  pthread_mutex_lock(&t->mu);
  life = atomic_load(&t->life);
  if (life == LIFE_STARTED && !(atomic_load(&t->alerts) & ALERT_INTERRUPT)) {
    record_interrupted(t);
    t->interrupt = message; /* one is pending at most: the first */
    message = NULL;
    thread_alert(t, ALERT_INTERRUPT);
    t->object.world->driver->poke(t);
  }
  pthread_mutex_unlock(&t->mu);
  message_free(message);
  if (life == LIFE_NEW) return args_misuse(L, "cannot interrupt thread before it is started");
  lua_pushboolean(L, life == LIFE_STARTED);
  return 1;
}

void thread_name_of_object (Object *o, char buffer[64]) { thread_copy_name((Thread *)o, buffer); }

uint64_t thread_awaited (Object *o) { return ((Thread *)o)->serial; }

static const luaL_Reg methods[] = {{"start", thread_start},
                                   {"join", thread_join},
                                   {"result", thread_result},
                                   {"is_alive", thread_is_alive},
                                   {"isAlive", thread_is_alive},
                                   {"getName", thread_get_name},
                                   {"setName", thread_set_name},
                                   {"isDaemon", thread_is_daemon},
                                   {"setDaemon", thread_set_daemon},
                                   {"interrupt", thread_interrupt},
                                   {NULL, NULL}};

const luaL_Reg thread_meta[] = {{"__newindex", thread_set_property}, {NULL, NULL}};

unsigned thread_ready (Object *o, const Thread *t) {
  int life = atomic_load(&((Thread *)o)->life);
  (void)t;
  return life == LIFE_ENDED ? READY_TAKE : life == LIFE_NEW ? READY_ERROR : 0;
}

const Kind thread_kind = {.name = "Thread",
                          .derived = &timer_kind,
                          .ready = thread_ready,
                          .destroy = thread_destroy,
                          .describe = thread_describe,
                          .methods = methods,
                          .meta = thread_meta,
                          .property = thread_property,
                          .departing = thread_departing,
                          .visit = thread_visit,
                          .values = 1,
                          .select = &thread_select,
                          .awaited = thread_awaited,
                          .copy_name = thread_name_of_object};

/*
** excepthook.c - what happens to an error that ends a thread.
**
** The hook runs in the failing thread, before it counts as ended (Python's
** rule). A hook set from Lua is kept encoded in the world, since the thread
** that fails has another state than the one that set it. An error left to the
** default hook makes the program exit with 1, unless somebody takes it with
** result().
*/
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "message/message.h"
#include "thread/excepthook.h"
#include "thread/hint.h"
#include "world/memory.h"
#include "thread/thread.h"
#include "world/record.h"
#include "world/args.h"

#define ERRORS_KEPT 64
#define MOMENT 200 /* milliseconds that a report of another thread gets */

static const char trace_key; /* registry: the traceback of the last error */

int excepthook_trace (lua_State *L) {
  luaL_traceback(L, L, NULL, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &trace_key);
  return 1;
}

/* Notes that the error of the running thread was left to the default hook. */
static void count_untaken (Thread *t) {
  pthread_mutex_lock(&t->mu);
  if (!t->error_counted) {
    t->error_counted = true;
    atomic_fetch_add(&t->object.world->errors_untaken, 1);
  }
  pthread_mutex_unlock(&t->mu);
}

/* (value) as tostring has it. */
static int to_text (lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Pushes the text of the error value at `index`; whatever that is, there is one. [0, +1, memory] */
static void push_error_text (lua_State *L, int index) {
  lua_pushcfunction(L, to_text);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  lua_pop(L, 1);
  lua_pushfstring(L, "(error object is a %s value, and its __tostring fails)",
                  luaL_typename(L, index));
}

/*
** A simulated world keeps the texts of some errors that nobody takes, for the report of the run:
** the first ones.
*/
static void keep_error (const Thread *self, const char *text, size_t length) {
  World *world = self->object.world;
  KeptError *e;
  if (!world_memory_is_own(world)) return;
  pthread_mutex_lock(&world->mu);
  e = world->errors_kept < ERRORS_KEPT ? world_alloc(world, sizeof *e + length + 1) : NULL;
  if (e != NULL) {
    KeptError **at = &world->errors;
    while (*at != NULL && (*at)->serial < self->serial) at = &(*at)->next;
    *e = (KeptError){.next = *at, .serial = self->serial};
    memcpy(e->text, text, length + 1);
    *at = e;
    if (world->errors_kept++ == 0) world->first_error = e->text;
  }
  pthread_mutex_unlock(&world->mu);
}

/*
** hook(thread, error, traceback): the default; one piece on stderr, unless somebody
** waits for the error.
*/
int excepthook_default (lua_State *L) {
  Thread *self = thread_self, *t;
  char name[64];
  size_t length;
  const char *text;
  lua_settop(L, 3);
  t = object_check(L, 1, &thread_kind);
  if (t == self && thread_result_awaited(t)) {
    count_untaken(t);
    return 0;
  }
  thread_copy_name(t, name);
  push_error_text(L, 2);
  record_error(L, -1);
  hint_append(L);
  lua_pushfstring(L, "Exception in thread %s:\n%s\n", name, lua_tostring(L, -1));
  if (lua_type(L, 3) == LUA_TSTRING)
    lua_pushfstring(L, "%s%s\n", lua_tostring(L, -1), lua_tostring(L, 3));
  text = lua_tolstring(L, -1, &length);
  keep_error(self, text, length);
  self->object.world->driver->write(self->object.world, 2, text, length);
  if (t == self) count_untaken(t); /* no exit code tells of what has not been said */
  return 0;
}

/*
** __untaken(thread): for a hook that keeps errors for later. In the thread
** itself it counts the error as the default hook does. In another thread it
** returns whether the error has not been taken by result() yet, and takes it.
*/
int excepthook_untaken (lua_State *L) {
  Thread *t = object_check(L, 1, thread_self->object.kind);
  bool untaken;
  if (t == thread_self) {
    count_untaken(t);
    return 0;
  }
  pthread_mutex_lock(&t->mu);
  untaken = t->error_counted;
  if (untaken) {
    t->error_counted = false;
    atomic_fetch_sub(&t->object.world->errors_untaken, 1);
  }
  pthread_mutex_unlock(&t->mu);
  lua_pushboolean(L, untaken);
  return 1;
}

/* set_excepthook(fn): returns the previous one. */
int excepthook_set (lua_State *L) {
  World *world = thread_self->object.world;
  Message *message = NULL;
  Slot previous = {.tag = SLOT_NIL};
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  if (!lua_isnil(L, 1) && lua_tocfunction(L, 1) != excepthook_default)
    message = message_encode(L, 1, 1, ROOT_CALL, world);
  pthread_mutex_lock(&world->mu);
  if (world->excepthook != NULL) {
    previous.tag = SLOT_MESSAGE;
    previous.u.message = world->excepthook;
  }
  world->excepthook = message;
  message_keep(message);
  pthread_mutex_unlock(&world->mu);
  message_free(message);
  if (previous.tag == SLOT_NIL) lua_pushcfunction(L, excepthook_default);
  else slot_push_free(L, &previous);
  return 1;
}

/*
** (message) pushes the hook and its arguments are called: (hook message or NULL,
** error, traceback).
*/
static int call_hook (lua_State *L) {
  Message *message = args_inner(L, 1);
  lua_remove(L, 1);
  if (message != NULL) message_decode(L, message);
  else lua_pushcfunction(L, excepthook_default);
  lua_insert(L, 1);
  object_push(L, &thread_self->object);
  lua_insert(L, 2);
  lua_call(L, 3, 0);
  return 0;
}

/* Calls the hook that `message` holds for (error at the top, traceback). [0, +1 if it fails] */
static bool try_hook (lua_State *L, Message *message) {
  lua_pushcfunction(L, call_hook);
  lua_pushlightuserdata(L, message);
  lua_pushvalue(L, -3);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &trace_key);
  return lua_pcall(L, 3, 0, 0) == LUA_OK;
}

/* The default hook; what is left where even that fails is said without any Lua. */
static void call_default (lua_State *L) {
  Thread *self = thread_self;
  char name[64], text[128];
  int n;
  if (try_hook(L, NULL)) return;
  lua_pop(L, 1);
  thread_copy_name(self, name);
  n = snprintf(text, sizeof text, "Exception in thread %s:\nnot enough memory\n", name);
  self->object.world->driver->write(self->object.world, 2, text, (size_t)n);
  count_untaken(self);
}

void excepthook_call (lua_State *L) {
  World *world = thread_self->object.world;
  Message *message;
  atomic_fetch_add(&world->reporting, 1);
  thread_self->reporting = true;
  pthread_mutex_lock(&world->mu);
  message = world->excepthook;
  message_keep(message);
  pthread_mutex_unlock(&world->mu);
  if (message == NULL) call_default(L);
  else if (!try_hook(L, message)) {
    const char *why = lua_tostring(L, -1);
    char text[512];
    int n = snprintf(text, sizeof text, "Exception in excepthook:\n%s\n",
                     why != NULL ? why : "(error object)");
    world->driver->write(world, 2, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
    lua_pop(L, 1);
    call_default(L);
  }
  message_free(message);
  lua_pop(L, 1);
  thread_self->reporting = false;
  atomic_fetch_sub(&world->reporting, 1);
}

void excepthook_wait (World *world) {
  const struct timespec millisecond = {0, 1000000};
  int own = thread_self != NULL && thread_self->reporting;
  for (int i = 0; i < MOMENT && atomic_load(&world->reporting) > own; i++)
    nanosleep(&millisecond, NULL);
}

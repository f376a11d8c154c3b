/*
** luasync.c - the module table.
*/
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world/args.h"
#include "observe/deadlock.h"
#include "observe/dump.h"
#include "observe/recorder.h"
#include "module/program.h"
#include "objects/kinds.h"
#include "module/luasync.h"
#include "explore/explore.h"
#include "sim/sim.h"
#include "thread/excepthook.h"
#include "thread/thread.h"

static int current_thread (lua_State *L) {
  object_push(L, &thread_self->object);
  return 1;
}

static int main_thread (lua_State *L) {
  object_push(L, &thread_self->object.world->main->object);
  return 1;
}

/* Whether enumerate() lists t; main for as long as anybody can ask, as in Python. */
static bool is_living (Thread *t) { return t->is_main || atomic_load(&t->life) == LIFE_STARTED; }

/* Living threads with a reference each, in an array of *n. NULL: no memory. */
static Thread **living (World *world, int *n) {
  Thread **list;
  *n = 0;
  pthread_mutex_lock(&world->mu);
  list = malloc(((size_t)world->alive + 1) * sizeof *list);
  for (Thread *t = list != NULL ? world->threads : NULL; t != NULL; t = t->next) {
    if (!is_living(t)) continue;
    object_keep(&t->object);
    list[(*n)++] = t;
  }
  pthread_mutex_unlock(&world->mu);
  return list;
}

/*
** (list, n) pushes a table of proxies; in protected mode, so that the references can
** be dropped after it.
*/
static int push_living (lua_State *L) {
  Thread **list = args_inner(L, 1);
  int n = (int)lua_tointeger(L, 2);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    object_push(L, &list[i]->object);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static int enumerate (lua_State *L) {
  int n, status;
  Thread **list;
  announce(L, OP_LOOK, NULL);
  list = living(thread_self->object.world, &n);
  if (list == NULL) args_no_memory(L);
  lua_pushcfunction(L, push_living);
  lua_pushlightuserdata(L, list);
  lua_pushinteger(L, n);
  status = lua_pcall(L, 2, 1, 0);
  for (int i = 0; i < n; i++) object_drop(&list[i]->object);
  free(list);
  return status == LUA_OK ? 1 : lua_error(L);
}

static int active_count (lua_State *L) {
  World *world = thread_self->object.world;
  int n = 0;
  announce(L, OP_LOOK, NULL);
  pthread_mutex_lock(&world->mu);
  for (Thread *t = world->threads; t != NULL; t = t->next) n += is_living(t);
  pthread_mutex_unlock(&world->mu);
  lua_pushinteger(L, n);
  return 1;
}

static int get_ident (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)thread_self->serial);
  return 1;
}

static int get_native_id (lua_State *L) {
  lua_pushinteger(L, atomic_load(&thread_self->native_id));
  return 1;
}

static int cpu_count (lua_State *L) {
  lua_pushinteger(L, sysconf(_SC_NPROCESSORS_ONLN));
  return 1;
}

/* sleep(seconds); nil or math.huge: for ever, until interrupted. */
static int sleep_for (lua_State *L) {
  World *world = thread_self->object.world;
  luaL_checkany(L, 1);
  Nanos deadline = world_deadline(world, args_timeout(L, 1));
  wait_allowed(L);
  announce_until(L, OP_SLEEP, NULL, deadline);
  if (world_sleep(L, deadline) == WAKE_INTERRUPT) thread_raise(L);
  return 0;
}

static int push_seconds (lua_State *L, Nanos nanos) {
  lua_pushnumber(L, (lua_Number)(nanos / NANOS) + (lua_Number)(nanos % NANOS) / NANOS);
  return 1;
}

static int time_now (lua_State *L) {
  World *world = thread_self->object.world;
  announce(L, OP_CLOCK, NULL);
  return push_seconds(L, world->driver->time(world));
}

static int monotonic (lua_State *L) {
  announce(L, OP_CLOCK, NULL);
  return push_seconds(L, world_now(thread_self->object.world));
}

static const luaL_Reg functions[] = {{"Thread", thread_new},
                                     {"spawn", thread_spawn},
                                     {"Lock", lock_new},
                                     {"RLock", rlock_new},
                                     {"Condition", condition_new},
                                     {"Event", event_new},
                                     {"Barrier", barrier_new},
                                     {"RWLock", rwlock_new},
                                     {"Semaphore", semaphore_new},
                                     {"BoundedSemaphore", bounded_new},
                                     {"Queue", queue_new},
                                     {"LifoQueue", lifo_new},
                                     {"PriorityQueue", priority_new},
                                     {"SimpleQueue", simple_new},
                                     {"select", select_from},
                                     {"settle", thread_settle},
                                     {"Timer", timer_new},
                                     {"Pool", pool_new},
                                     {"wait", future_wait_list},
                                     {"Scope", scope_new},
                                     {"scope", scope_call},
                                     {"Local", local_new},
                                     {"local", local_new},
                                     {"Atomic", atomic_new},
                                     {"Shared", shared_new},
                                     {"update", shared_update},
                                     {"snapshot", shared_snapshot},
                                     {"__named_shared", shared_named},
                                     {"__keys", shared_keys},
                                     {"current_thread", current_thread},
                                     {"currentThread", current_thread},
                                     {"main_thread", main_thread},
                                     {"enumerate", enumerate},
                                     {"active_count", active_count},
                                     {"activeCount", active_count},
                                     {"get_ident", get_ident},
                                     {"get_native_id", get_native_id},
                                     {"cpu_count", cpu_count},
                                     {"sleep", sleep_for},
                                     {"time", time_now},
                                     {"monotonic", monotonic},
                                     {"set_excepthook", excepthook_set},
                                     {"__excepthook", excepthook_default},
                                     {"__untaken", excepthook_untaken},
                                     {"__invariant", sim_invariant},
                                     {"__sometimes", sim_sometimes},
                                     {"__deadlock", deadlock_raises},
                                     {"simulate", simulate},
                                     {"explore", explore},
                                     {"threads", dump_threads},
                                     {"dump", dump_dump},
                                     {"__trace_start", recorder_start_for},
                                     {"__trace_stop", recorder_stop_for},
                                     {"__trace_save", recorder_save_for},
                                     {NULL, NULL}};

int luaopen_luasync (lua_State *L) {
  luaL_checkversion(L);
  if (!program_attach_stock(L, luaopen_luasync)) args_no_memory(L);
  luaL_newlib(L, functions);
  lua_createtable(L, 0, 3);
  lua_getfield(L, -2, "__trace_start"); /* the functions that can be sent by their names */
  lua_setfield(L, -2, "start");
  lua_getfield(L, -2, "__trace_stop");
  lua_setfield(L, -2, "stop");
  lua_getfield(L, -2, "__trace_save");
  lua_setfield(L, -2, "save");
  lua_setfield(L, -2, "trace");
  lua_pushliteral(L, LUASYNC_VERSION);
  lua_setfield(L, -2, "_VERSION");
  return 1;
}

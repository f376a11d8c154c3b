/*
** program.c - the beginning and the end of a program.
**
** At the end of the main script the non-daemon threads are joined, as in
** Python, and the state is closed. Daemon threads are left running: a process
** that ends takes them along, wherever they are. Then nothing may run that
** waits for them: not exit(), whose handlers they could disturb, not a flush of
** a stream whose lock one of them holds in io.read.
*/
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "observe/deadlock.h"
#include "observe/dump.h"
#include "module/program.h"
#include "objects/kinds.h"
#include "state/state.h"
#include "state/stdlib.h"
#include "thread/thread.h"
#include "real/real_driver.h"

_Noreturn void program_exit (int code) {
  thread_self->object.world->driver->exit(code);
  abort();
}

/* The main thread of the real world, and who watches it. */
static bool attach (lua_State *L) {
  World *world = real_world();
  Thread *main;
  object_kinds = all_kinds;
  world->observer = &deadlock_observer;
  main = thread_attach_main(L, world);
  if (main == NULL) return false;
  pthread_mutex_lock(&main->mu);
  main->os = pthread_self();
  main->signalable = true;
  pthread_mutex_unlock(&main->mu);
  atomic_store(&main->native_id, gettid());
  return true;
}

/*
** The C library gives each new thread an arena of its own, up to eight for each
** processor, and reserves 64 MiB of addresses for it: with a limit on those,
** fifty threads would be all. States have heaps of their own, so a few will do.
*/
static void spare_addresses (void) { mallopt(M_ARENA_MAX, (int)sysconf(_SC_NPROCESSORS_ONLN) + 1); }

lua_State *program_open (lua_CFunction module) {
  lua_State *L;
  spare_addresses();
  state_module = module;
  L = state_open();
  if (L == NULL) return NULL;
  if (!attach(L)) {
    lua_close(L);
    return NULL;
  }
  dump_install(); /* after whatever is costly once a process has two threads */
  return L;
}

void program_check_deadlocks (bool check) { real_world()->silent_deadlocks = !check; }

int program_close (lua_State *L, int status) {
  World *world = real_world();
  int daemons = thread_join_all(L);
  if (daemons < 0) {
    fputs("luasync: interrupted!\n", stderr);
    status = 1;
  }
  if (status == 0 && atomic_load(&world->errors_untaken) > 0) status = 1;
  thread_leave_state(thread_self);
  thread_close_state(L);
  if (daemons != 0) real_driver.exit(status);
  real_stop_workers();
  return status;
}

/*
** Stock Lua: the same at the closing of its main state, unless os.exit closes it,
** which waits for nobody.
*/
static int end_stock (lua_State *L) {
  if (thread_self != NULL && thread_self->is_main && thread_self->L != NULL) {
    int daemons = thread_join_all(L);
    thread_leave_state(thread_self);
    if (daemons == 0) real_stop_workers();
    else fflush(stdout);
  }
  return 0;
}

static void end_at_close (lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, end_stock);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, (void *)end_stock);
}

bool program_attach_stock (lua_State *L, lua_CFunction module) {
  lua_State *main;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  main = lua_tothread(L, -1);
  lua_pop(L, 1);
  state_module = module;
  if (!attach(main)) return false;
  state_equip(L);
  process_equip_exit(L);
  end_at_close(L);
  return true;
}

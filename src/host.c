/*
** host.c - the beginning and the end of a program.
**
** At the end of the main script the non-daemon threads are joined, as in
** Python, and the state is closed. Daemon threads are left running: a process
** that ends takes them along, wherever they are. Then nothing may run that
** waits for them: not exit(), whose handlers they could disturb, not a flush of
** a stream whose lock one of them holds in io.read.
*/
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "deadlock.h"
#include "host.h"
#include "sim.h"
#include "state.h"
#include "thread.h"
#include "world_real.h"

/*
** Flushing all streams, by a thread of its own since one of them may be held
** for ever by a reader: it is given a moment.
*/
static void *flush_all (void *ud) {
  fflush(NULL);
  atomic_store((atomic_bool *)ud, true);
  return NULL;
}

static void flush_patiently (void) {
  static atomic_bool done;
  struct timespec moment = {0, 1000000};
  pthread_t os;
  if (pthread_create(&os, NULL, flush_all, &done) != 0) return;
  pthread_detach(os);
  for (int i = 0; i < 200 && !atomic_load(&done); i++) nanosleep(&moment, NULL);
}

_Noreturn void host_exit (int code) {
  World *world = world_real();
  bool alone;
  if (sim_inside()) sim_exit(code);
  pthread_mutex_lock(&world->mu);
  alone = world->alive <= 1;
  pthread_mutex_unlock(&world->mu);
  if (alone && thread_self != NULL && thread_self->is_main) {
    real_stop_workers();
    exit(code);
  }
  flush_patiently();
  _exit(code);
}

/* os.exit([code [, close]]) as in Lua's own library, but safe among threads. */
static int os_exit (lua_State *L) {
  int code;
  if (lua_isboolean(L, 1)) code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  else code = (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
  if (lua_toboolean(L, 2) && thread_self->is_main) lua_close(thread_self->L);
  host_exit(code);
}

void host_equip (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "os") == LUA_TTABLE) {
    lua_pushcfunction(L, os_exit);
    lua_setfield(L, -2, "exit");
  }
  lua_pop(L, 2);
}

lua_State *host_open (void) {
  lua_State *L = state_open();
  if (L == NULL) return NULL;
  if (thread_attach_main(L, world_real()) == NULL) {
    lua_close(L);
    return NULL;
  }
  pthread_mutex_lock(&thread_self->mu);
  thread_self->os = pthread_self();
  thread_self->signalable = true;
  pthread_mutex_unlock(&thread_self->mu);
  atomic_store(&thread_self->native_id, getpid());
  return L;
}

void host_check_deadlocks (bool check) {
  world_real()->silent_deadlocks = !check;
}

void host_signal (int sig) {
  Thread *main = world_real()->main;
  (void)sig;
  if (thread_self != NULL && thread_self->object.world != world_real()) main = thread_self; /* a simulated one runs here */
  if (main == NULL) return;
  thread_alert(main, ALERT_SIGNAL);
  if (main == thread_self) thread_arm(main, main->running);
  else pthread_kill(main->os, SIGURG);
}

int host_close (lua_State *L, int status) {
  World *world = world_real();
  int daemons = thread_join_all(L);
  if (daemons < 0) {
    fputs("luasync: interrupted!\n", stderr);
    status = 1;
  }
  if (status == 0 && atomic_load(&world->errors_untaken) > 0) status = 1;
  pthread_mutex_lock(&thread_self->mu);
  thread_self->L = NULL;
  pthread_mutex_unlock(&thread_self->mu);
  thread_self->running = NULL;
  lua_close(L);
  if (daemons != 0) host_exit(status);
  real_stop_workers();
  return status;
}

/*
** Stock Lua: the same at the closing of its main state.
*/
static int end_stock (lua_State *L) {
  if (thread_self != NULL && thread_self->is_main) {
    int daemons = thread_join_all(L);
    if (daemons == 0) real_stop_workers();
    else fflush(stdout);
  }
  return 0;
}

void state_end_at_close (lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, end_stock);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, (void *)end_stock);
}

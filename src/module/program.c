/*
** program.c - the beginning and the end of a program.
**
** At the end of the main script the non-daemon threads are joined, as in
** Python, and the state is closed. Daemon threads are left running: a process
** that ends takes them along, wherever they are (real/exit.c).
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
#include "observe/recorder.h"
#include "observe/sigquit.h"
#include "module/program.h"
#include "objects/kinds.h"
#include "state/state.h"
#include "state/stdlib.h"
#include "thread/excepthook.h"
#include "thread/thread.h"
#include "world/cleanup.h"
#include "world/record.h"
#include "real/real_driver.h"

_Noreturn void program_exit (int code) {
  thread_self->object.world->driver->exit(code);
  abort();
}

/*
** The real world with its main thread, which need not have come to us yet, and with
** what it needs to know of the floors above; NULL: no memory.
*/
static World *prepare (void) {
  World *world = real_world();
  if (world->main != NULL) return world;
  object_kinds = all_kinds;
  world->observer = &deadlock_observer;
  return thread_attach_main(world) != NULL ? world : NULL;
}

#define LARGE (8 << 20) /* bytes of a block that goes back to the system as soon as it is freed */

/*
** The C library gives each new thread an arena of its own, up to eight for each
** processor, and reserves 64 MiB of addresses for it: with a limit on those,
** fifty threads would be all. States have heaps of their own, so a few will do.
*/
static void spare_addresses (void) {
  mallopt(M_ARENA_MAX, (int)sysconf(_SC_NPROCESSORS_ONLN) + 1);
  /* By itself the C library comes to keep freed blocks of up to 32 MiB, whoever needs them no more. */
  mallopt(M_MMAP_THRESHOLD, LARGE);
  mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
}

lua_State *program_open (lua_CFunction module) {
  lua_State *L;
  World *world;
  spare_addresses();
  state_module = module;
  L = state_open();
  if (L == NULL) return NULL;
  world = prepare();
  if (world == NULL) {
    lua_close(L);
    return NULL;
  }
  thread_bind(world->main, L);
  sigquit_install(); /* after whatever is costly once a process has two threads */
  return L;
}

void program_check_deadlocks (bool check) { real_world()->silent_deadlocks = !check; }

/* The main thread has come to its end. Returns the exit code. */
static int end_recording (bool whole, int status) {
  thread_record_end(thread_self);
  if (record_ending == NULL) return status;
  return record_ending(real_world(),
                       !whole        ? "interrupted"
                       : status == 0 ? "done"
                                     : "error",
                       status);
}

int program_close (lua_State *L, int status) {
  World *world = real_world();
  int daemons = thread_join_all(L);
  if (daemons < 0) {
    fputs("luasync: interrupted!\n", stderr);
    status = 1;
  }
  if (daemons > 0) excepthook_wait(world);
  if (status == 0 && atomic_load(&world->errors_untaken) > 0) status = 1;
  status = end_recording(daemons >= 0, status);
  thread_leave_state(thread_self);
  thread_close_state(L);
  if (daemons != 0) real_driver.exit(status);
  real_stop_workers();
  return status;
}

/*
** Stock Lua: the same at the closing of its main state, unless os.exit closes it,
** which waits for nobody.
**
** Other hosts may have OS threads with states of their own. The initial thread of
** the process is the main one, whichever comes first; all others are dummies, which
** end with their state, or with the OS thread where nobody closes that.
*/
static pthread_mutex_t attach_mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t foreign_key; /* the foreign thread that an OS thread is */
static bool foreign_key_made;     /* under attach_mu */

static bool has_ended (Thread *t) { return atomic_load(&t->life) == LIFE_ENDED; }

/* The OS thread ends. */
static void forget_foreign (void *ud) {
  Thread *t = ud;
  if (!has_ended(t)) thread_end_foreign(t);
  cleanup_release_all();
  thread_self = NULL;
  object_drop(&t->object);
}

/* Attaches the OS thread that calls as what it is; false: no memory. Under attach_mu. */
static bool attach (lua_State *L) {
  World *world = prepare();
  Thread *t;
  if (world == NULL) return false;
  if (gettid() == getpid() && world->main->L == NULL && !has_ended(world->main)) {
    thread_bind(world->main, L);
    return true;
  }
  if (!foreign_key_made && pthread_key_create(&foreign_key, forget_foreign) != 0) return false;
  foreign_key_made = true;
  t = thread_attach_foreign(world);
  if (t == NULL) return false;
  if (thread_self != NULL) object_drop(&thread_self->object); /* of a state that was closed */
  pthread_setspecific(foreign_key, t);
  thread_bind(t, L);
  return true;
}

static void nothing (void) {}

/*
** Records the program where LUASYNC_TRACE is set. That its script has failed, stock Lua
** tells nobody; other ends are known.
*/
static void record_stock (lua_State *L) {
  static RunInfo info = {.world = "real", .title = "real threads", .code = -1};
  int top = lua_gettop(L);
  RecorderEnd how = {.file = recorder_file_after_failure(),
                     .only_failures = true,
                     .info = &info,
                     .after = nothing};
  if (how.file == NULL || !thread_self->is_main || !recorder_start(real_world(), 0, true)) return;
  if (lua_getglobal(L, "arg") == LUA_TTABLE && lua_rawgeti(L, -1, 0) == LUA_TSTRING)
    info.script = strdup(lua_tostring(L, -1));
  lua_settop(L, top);
  recorder_at_end(&how);
}

static int end_stock (lua_State *L) {
  Thread *self = thread_self;
  if (self == NULL || self->L == NULL) return 0;
  if (self->is_main) {
    int daemons = thread_join_all(L);
    end_recording(daemons >= 0,
                  daemons < 0 || atomic_load(&self->object.world->errors_untaken) > 0);
    thread_leave_state(self);
    if (daemons == 0) real_stop_workers();
    else fflush(stdout);
  }
  else if (pthread_getspecific(foreign_key) == self) {
    const Thread *main = self->object.world->main;
    if (main->L == NULL && atomic_load(&main->life) == LIFE_STARTED)
      thread_join_foreground(L); /* the initial thread has no luasync: nobody else would */
    thread_end_foreign(self);
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
  bool attached;
  if (thread_self != NULL && (thread_self->is_main || !has_ended(thread_self))) return true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  main = lua_tothread(L, -1);
  lua_pop(L, 1);
  pthread_mutex_lock(&attach_mu);
  state_module = module;
  attached = attach(main);
  pthread_mutex_unlock(&attach_mu);
  if (!attached) return false;
  state_equip(L);
  state_note_warn(L);
  process_equip_exit(L);
  message_prepare(L); /* what has been loaded before */
  end_at_close(L);
  record_stock(L);
  return true;
}

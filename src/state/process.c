/*
** process.c - what of Lua's libraries concerns the whole process, made safe
** among threads.
**
** The stock os.exit calls exit(), which closes streams under the feet of
** threads that still run. The stock os.execute has the process ignore Ctrl-C and
** Ctrl-\ as long as the command runs, whatever other threads do meanwhile. And a
** thread's own program would inherit that threads leave signals to the main
** one: nothing but SIGKILL could end it.
*/
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "state/files.h"
#include "state/stdlib.h"
#include "thread/system.h"
#include "thread/thread.h"

extern char **environ;

/*
** os.exit([code [, close]]) as in Lua's own library, but safe among threads. A
** finaliser of the closing state may call it too: then Lua closes the state once
** more from there, which runs the finalisers that are left.
*/
static int os_exit (lua_State *L) {
  int code;
  if (lua_isboolean(L, 1)) code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  else code = (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
  announce(L, OP_EXIT, NULL); /* in front of which another thread may go on */
  if (lua_toboolean(L, 2) && thread_self->is_main) {
    lua_State *state = thread_leave_state(thread_self); /* NULL: it is being closed already */
    thread_close_state(state != NULL ? state : L);
  }
  thread_self->object.world->driver->exit(code);
  return 0;
}

/* Begins the command with all signals as they are for a new program; 0 or an errno. */
static int spawn_shell (const char *command, pid_t *pid) {
  char *const argv[] = {"sh", "-c", (char *)command, NULL};
  posix_spawnattr_t attributes;
  sigset_t none, usual;
  int error = posix_spawnattr_init(&attributes);
  if (error != 0) return error;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGQUIT);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  error = posix_spawn(pid, "/bin/sh", NULL, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  return error;
}

/*
** What system() would return, errno being 0; or -1 and errno. Ctrl-C is the command's
** alone where the main thread waits for it.
*/
static int run_shell (const char *command) {
  bool main = getpid() == gettid();
  struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
  pid_t pid, ended;
  int status = -1, error;
  if (main) sigaction(SIGINT, &ignore, &old);
  error = spawn_shell(command, &pid);
  if (error == 0) {
    do ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) error = errno;
  }
  if (main) sigaction(SIGINT, &old, NULL);
  errno = error;
  return error == 0 ? status : -1;
}

/* os.execute([command]) as in Lua's own library. */
static int os_execute (lua_State *L) {
  const char *command = luaL_optstring(L, 1, NULL);
  if (command != NULL) {
    int status;
    system_enter(L);
    files_flush_own();
    status = run_shell(command);
    system_leave();
    return luaL_execresult(L, status);
  }
  lua_pushboolean(L, access("/bin/sh", X_OK) == 0);
  return 1;
}

/* The end of a pipe, as io.close finds it in the file. */
static int pipe_close (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  int status;
  errno = 0;
  system_enter(L);
  status = pclose(s->f);
  system_leave();
  return luaL_execresult(L, status);
}

/*
** io.popen(program [, mode]) as in Lua's own library, but the program gets the
** signals of a new one, no program that another thread starts inherits the pipe
** (close() would wait for that one too), and of all files only the thread's own are
** flushed before it: a flush of the others would wait for a thread that reads one.
*/
static int io_popen (lua_State *L) {
  const char *program = luaL_checkstring(L, 1), *mode = luaL_optstring(L, 2, "r");
  luaL_Stream *s;
  sigset_t none, old;
  luaL_argcheck(L, (*mode == 'r' || *mode == 'w') && mode[1] == '\0', 2, "invalid mode");
  s = lua_newuserdatauv(L, sizeof *s, 0);
  s->closef = NULL; /* closed, as long as it is not open */
  luaL_setmetatable(L, LUA_FILEHANDLE);
  files_flush_own();
  errno = 0;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, &old);
  s->f = popen(program, *mode == 'r' ? "re" : "we");
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  s->closef = pipe_close;
  return s->f != NULL ? 1 : luaL_fileresult(L, 0, program);
}

void process_equip_exit (lua_State *L) { replace_function(L, LUA_OSLIBNAME, "exit", os_exit); }

void process_equip (lua_State *L) {
  process_equip_exit(L);
  replace_function(L, LUA_OSLIBNAME, "execute", os_execute);
  replace_function(L, LUA_IOLIBNAME, "popen", io_popen);
}

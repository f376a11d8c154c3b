/*
** files.c - the files that Lua code has written to, and calls that wait for one.
**
** The C library cannot say which streams there are, and its fflush(NULL) waits
** for each that a thread holds, for instance in io.read. So a file is noted when
** it is first written to, and forgotten when it is closed: its closing function
** is replaced.
*/
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lualib.h>

#include "state/files.h"
#include "state/stdlib.h"
#include "thread/system.h"

typedef struct NotedFile {
  struct NotedFile *next;
  FILE *file;
  const Thread *owner; /* no other thread writes to it, or closes it */
  lua_CFunction close; /* what Lua's library has put there */
} NotedFile;

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static NotedFile *noted; /* under mu */

/* Takes the file out of the list; returns the function that closes it. */
static lua_CFunction forget (FILE *file) {
  lua_CFunction close = NULL;
  NotedFile **at = &noted, *found;
  pthread_mutex_lock(&mu);
  while (*at != NULL && (*at)->file != file) at = &(*at)->next;
  found = *at;
  if (found != NULL) {
    close = found->close;
    *at = found->next;
  }
  pthread_mutex_unlock(&mu);
  free(found);
  return close;
}

/* In place of the library's function. */
static int close_noted (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  lua_CFunction close = forget(s->f);
  return close != NULL ? close(L) : 0;
}

void files_note (luaL_Stream *s) {
  NotedFile *n;
  if (s->closef == close_noted || s->f == stdout || s->f == stderr || s->f == stdin) return;
  if (thread_self == NULL || !world_is_parallel(thread_self->object.world)) return;
  n = malloc(sizeof *n);
  if (n == NULL) return;
  n->file = s->f;
  n->owner = thread_self;
  n->close = s->closef;
  pthread_mutex_lock(&mu);
  n->next = noted;
  noted = n;
  pthread_mutex_unlock(&mu);
  s->closef = close_noted;
}

void files_flush (int patience) {
  const struct timespec millisecond = {0, 1000000};
  pthread_mutex_lock(&mu); /* for good: nobody closes a file any more */
  for (NotedFile *n = noted; n != NULL; n = n->next) {
    int busy;
    while ((busy = ftrylockfile(n->file)) != 0 && patience-- > 0) nanosleep(&millisecond, NULL);
    if (busy != 0) continue;
    fflush(n->file);
    funlockfile(n->file);
  }
}

/* The first file of the running thread behind `last`, NULL being the beginning; NULL: no more. */
static FILE *next_own (const FILE *last) {
  FILE *file = NULL;
  pthread_mutex_lock(&mu);
  for (const NotedFile *n = noted; n != NULL && file == NULL; n = n->next) {
    if (n->owner != thread_self) continue;
    if (last == NULL) file = n->file;
    else if (n->file == last) last = NULL;
  }
  pthread_mutex_unlock(&mu);
  return file;
}

void files_flush_own (void) {
  fflush(stdout);
  for (FILE *file = next_own(NULL); file != NULL; file = next_own(file)) fflush(file);
}

/*
** Files among the arguments.
*/

luaL_Stream *files_check (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  if (s->closef == NULL) luaL_error(L, "attempt to use a closed file");
  return s;
}

luaL_Stream *files_default (lua_State *L, const char *which) {
  luaL_Stream *s;
  lua_pushfstring(L, "_IO_%s", which);
  lua_rawget(L, LUA_REGISTRYINDEX);
  s = luaL_testudata(L, -1, LUA_FILEHANDLE);
  if (s == NULL || s->closef == NULL) luaL_error(L, "default %s file is closed", which);
  return s;
}

void files_set_method (lua_State *L, const char *name, lua_CFunction f) {
  if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE
      && lua_getfield(L, -1, "__index") == LUA_TTABLE) {
    lua_pushcfunction(L, f);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/*
** Calls that may wait: a FIFO is opened when its other end is, a full pipe takes
** nothing.
*/

/* Whether `mode` is one of io.open: r, w or a, then +, then b. */
static bool is_mode (const char *mode) {
  if (*mode == '\0' || strchr("rwa", *mode++) == NULL) return false;
  if (*mode == '+') mode++;
  return mode[*mode == 'b'] == '\0';
}

static int close_plain (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  int result;
  errno = 0;
  system_enter(L);
  result = fclose(s->f);
  system_leave();
  return luaL_fileresult(L, result == 0, NULL);
}

FILE *files_open (lua_State *L, const char *name, const char *mode) {
  luaL_Stream *s = lua_newuserdatauv(L, sizeof *s, 0);
  s->closef = NULL; /* closed, as long as it is not open */
  luaL_setmetatable(L, LUA_FILEHANDLE);
  errno = 0;
  system_enter(L);
  s->f = fopen(name, mode);
  system_leave();
  s->closef = close_plain;
  return s->f;
}

/* io.open(name [, mode]) as in Lua's own library. */
static int io_open (lua_State *L) {
  const char *name = luaL_checkstring(L, 1), *mode = luaL_optstring(L, 2, "r");
  luaL_argcheck(L, is_mode(mode), 2, "invalid mode");
  return files_open(L, name, mode) != NULL ? 1 : luaL_fileresult(L, 0, name);
}

static int flush (lua_State *L, luaL_Stream *s) {
  int result;
  errno = 0;
  system_enter(L);
  result = fflush(s->f);
  system_leave();
  return luaL_fileresult(L, result == 0, NULL);
}

static int io_flush (lua_State *L) { return flush(L, files_default(L, "output")); }

static int file_flush (lua_State *L) { return flush(L, files_check(L)); }

void files_equip (lua_State *L) {
  replace_function(L, LUA_IOLIBNAME, "open", io_open);
  replace_function(L, LUA_IOLIBNAME, "flush", io_flush);
  files_set_method(L, "flush", file_flush);
}

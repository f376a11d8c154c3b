/*
** output.c - whole lines. The stock print and io.write hand each argument to
** the C library by itself, so the lines of two threads mix. Here all arguments
** of a call are joined first and leave in one piece, which stdio keeps whole;
** in a simulated world they go to the world.
*/
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "state/files.h"
#include "state/stdlib.h"
#include "thread/system.h"
#include "thread/thread.h"
#include "world/record.h"

/* The stream number of a file the world takes charge of, or 0. */
static int stream_of (FILE *f) { return f == stdout ? 1 : f == stderr ? 2 : 0; }

static bool write_piece (FILE *f, const char *text, size_t length) {
  World *world = thread_self != NULL ? thread_self->object.world : NULL;
  int stream = stream_of(f);
  if (stream == 0 || world == NULL) return fwrite(text, 1, length, f) == length;
  return world->driver->write(world, stream, text, length);
}

/* Writes one piece, and has it leave the process if `flushed`; false: errno is set. */
static bool emit (lua_State *L, FILE *f, const char *text, size_t length, bool flushed) {
  bool done;
  if (stream_of(f) != 0 && thread_self != NULL) announce(L, OP_OUTPUT, NULL);
  system_enter(L);
  done = write_piece(f, text, length);
  if (flushed) fflush(f);
  system_leave();
  if (record_is_on() && stream_of(f) != 0) {
    if (length > 0 && text[length - 1] == '\n') length--;
    record_text(RECORD_OUT, OP_OUTPUT, NULL, stream_of(f), 0, text, length);
  }
  return done;
}

static int print (lua_State *L) {
  int n = lua_gettop(L);
  luaL_Buffer b;
  size_t length;
  const char *text;
  for (int i = 1; i <= n; i++) { /* __tostring may fail or print: before the buffer */
    luaL_tolstring(L, i, NULL);
    lua_replace(L, i);
  }
  luaL_buffinit(L, &b);
  for (int i = 1; i <= n; i++) {
    if (i > 1) luaL_addchar(&b, '\t');
    lua_pushvalue(L, i);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, '\n');
  luaL_pushresult(&b);
  text = lua_tolstring(L, -1, &length);
  emit(L, stdout, text, length, true);
  return 0;
}

/* Whether the argument can be written; floats get the stock io.write's format, not tostring's. */
static bool is_piece (lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TNUMBER && !lua_isinteger(L, arg)) {
    char text[64];
    snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)lua_tonumber(L, arg));
    lua_pushstring(L, text);
    lua_replace(L, arg);
  }
  return lua_isstring(L, arg);
}

/* Joins arguments first..last. [0, +1, memory] */
static void join (lua_State *L, int first, int last) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = first; i <= last; i++) {
    lua_pushvalue(L, i);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
}

/*
** Writes arguments first..last to f as one piece; leaves the results of io.write, the file being
** at `file`. Those before one that cannot be written are written, as by the stock io.write.
*/
static int write_arguments (lua_State *L, FILE *f, int first, int last, int file) {
  size_t length;
  const char *text;
  int good = first - 1;
  bool done;
  while (good < last && is_piece(L, good + 1)) good++;
  if (first == good) lua_pushvalue(L, first);
  else join(L, first, good);
  text = lua_tolstring(L, -1, &length);
  done = length == 0 || emit(L, f, text, length, false);
  if (good < last) luaL_checkstring(L, good + 1);
  if (!done) return luaL_fileresult(L, 0, NULL);
  lua_pushvalue(L, file);
  return 1;
}

static int file_write (lua_State *L) {
  luaL_Stream *s = files_check(L);
  files_note(s);
  return write_arguments(L, s->f, 2, lua_gettop(L), 1);
}

static int io_write (lua_State *L) {
  int n = lua_gettop(L);
  luaL_Stream *s = files_default(L, "output");
  files_note(s);
  return write_arguments(L, s->f, 1, n, n + 1);
}

void output_equip (lua_State *L) {
  replace_function(L, LUA_GNAME, "print", print);
  replace_function(L, LUA_IOLIBNAME, "write", io_write);
  files_set_method(L, "write", file_write);
}

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

#include "state/stdlib.h"
#include "thread/thread.h"

/* The stream number of a file the world takes charge of, or 0. */
static int stream_of (FILE *f) { return f == stdout ? 1 : f == stderr ? 2 : 0; }

/* Writes one piece; false: errno is set. */
static bool emit (lua_State *L, FILE *f, const char *text, size_t length) {
  int stream = stream_of(f);
  if (stream == 0 || thread_self == NULL) return fwrite(text, 1, length, f) == length;
  announce(L, OP_OUTPUT, NULL);
  return thread_self->object.world->driver->write(thread_self->object.world, stream, text, length);
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
  emit(L, stdout, text, length);
  fflush(stdout);
  return 0;
}

/*
** Checks that the argument can be written; floats get the stock io.write's format,
** which is not tostring's.
*/
static void check_piece (lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TNUMBER && !lua_isinteger(L, arg)) {
    char text[64];
    snprintf(text, sizeof text, LUA_NUMBER_FMT, (LUAI_UACNUMBER)lua_tonumber(L, arg));
    lua_pushstring(L, text);
    lua_replace(L, arg);
  }
  else luaL_checklstring(L, arg, NULL);
}

/*
** Writes arguments first..last to f as one piece; leaves the results of io.write, the
** file being at `file`.
*/
static int write_arguments (lua_State *L, FILE *f, int first, int last, int file) {
  size_t length;
  const char *text;
  for (int i = first; i <= last; i++) check_piece(L, i);
  if (first < last) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = first; i <= last; i++) {
      lua_pushvalue(L, i);
      luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
  }
  else if (first == last) lua_pushvalue(L, first);
  else lua_pushliteral(L, "");
  text = lua_tolstring(L, -1, &length);
  if (length > 0 && !emit(L, f, text, length)) return luaL_fileresult(L, 0, NULL);
  lua_pushvalue(L, file);
  return 1;
}

static int file_write (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  if (s->closef == NULL) return luaL_error(L, "attempt to use a closed file");
  return write_arguments(L, s->f, 2, lua_gettop(L), 1);
}

static int io_write (lua_State *L) {
  int n = lua_gettop(L);
  luaL_Stream *s;
  lua_getfield(L, LUA_REGISTRYINDEX, "_IO_output");
  s = luaL_testudata(L, -1, LUA_FILEHANDLE);
  if (s == NULL || s->closef == NULL) return luaL_error(L, "default output file is closed");
  return write_arguments(L, s->f, 1, n, n + 1);
}

void output_equip (lua_State *L) {
  replace_function(L, LUA_GNAME, "print", print);
  replace_function(L, LUA_IOLIBNAME, "write", io_write);
  if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE
      && lua_getfield(L, -1, "__index") == LUA_TTABLE) {
    lua_pushcfunction(L, file_write);
    lua_setfield(L, -2, "write");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

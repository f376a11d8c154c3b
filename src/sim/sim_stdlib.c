/*
** sim_stdlib.c - what is different in the Lua states of a simulated world: time is
** the world's, asking the outside is noted, and objects with finalisers are, so
** that a state without any need not be closed.
*/
#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <lualib.h>

#include "objects/kinds.h"
#include "state/state.h"
#include "message/message.h"
#include "message/names.h"
#include "sim/sim.h"
#include "sim/sim_stdlib.h"

#define PATHS 1024 /* room for package.path and package.cpath, as the collector sees it */
#define ARGUMENTS \
  131072 /* the same for the command line: as long as the system allows one argument to be */

/*
** Does what the original does, which is the upvalue. One without upvalues runs
** in this very call, so that its errors name the function as it was called.
*/
static int call_original (lua_State *L) {
  int top = lua_gettop(L);
  if (lua_iscfunction(L, lua_upvalueindex(1)) && lua_getupvalue(L, lua_upvalueindex(1), 1) == NULL)
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
  lua_settop(L, top);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, top, LUA_MULTRET);
  return lua_gettop(L);
}

static Nanos seconds_now (lua_State *L) {
  World *world = thread_self->object.world;
  announce(L, OP_CLOCK, NULL);
  return world->driver->time(world) / NANOS;
}

/* os.time([table]). Upvalue: the original. */
static int os_time (lua_State *L) {
  if (!lua_isnoneornil(L, 1)) return call_original(L);
  lua_pushinteger(L, seconds_now(L));
  return 1;
}

/* os.date([format [, time]]). Upvalue: the original. */
static int os_date (lua_State *L) {
  if (lua_isnone(L, 1)) lua_pushliteral(L, "%c");
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushinteger(L, seconds_now(L));
    lua_replace(L, 2);
  }
  return call_original(L);
}

static int os_clock (lua_State *L) {
  announce(L, OP_CLOCK, NULL);
  lua_pushnumber(L, (lua_Number)world_now(thread_self->object.world) / NANOS);
  return 1;
}

/* Notes that the outside is asked. Upvalue: the original. */
static int ask_outside (lua_State *L) {
  sim_opened();
  return call_original(L);
}

/*
** The same, where the results may be a file: one more reason to close the state when
** its thread ends.
*/
static int open_outside (lua_State *L, bool is_pipe) {
  int n;
  sim_opened();
  thread_self->has_finalisers = true;
  n = call_original(L);
  for (int i = -n; i < 0; i++) sim_note_file(L, i, is_pipe);
  return n;
}

static int open_file (lua_State *L) { return open_outside(L, false); }
static int open_pipe (lua_State *L) { return open_outside(L, true); }

/* Whether the file is that of a library known to keep nothing in memory of its own. */
static bool is_plain (const char *path) {
  static const char *const plain[] = {"/lfs.so", "/lpeg.so", "/system/core.so", "/term/core.so",
                                      "/luasync.so"};
  size_t length = strlen(path);
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
    size_t n = strlen(plain[i]);
    if (length >= n && strcmp(path + length - n, plain[i]) == 0) return true;
  }
  return false;
}

/* Whether the state has loaded a library in C of which nothing is known. */
static bool has_libraries (lua_State *L) {
  int top = lua_gettop(L);
  bool has = false;
  if (lua_getfield(L, LUA_REGISTRYINDEX, "_CLIBS") == LUA_TTABLE) {
    lua_pushnil(L);
    while (!has && lua_next(L, -2) != 0) {
      has = lua_type(L, -2) == LUA_TSTRING && !is_plain(lua_tostring(L, -2));
      lua_pop(L, 1);
    }
  }
  lua_settop(L, top);
  return has;
}

/* require(name): modules in C may have something to finalise. */
static int require (lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  int n;
  if (strncmp(name, "luasync", 7) != 0) thread_self->has_finalisers = true;
  n = call_original(L);
  if (has_libraries(L)) sim_note_library();
  return n;
}

/* package.loadlib. Upvalue: the original. */
static int load_library (lua_State *L) {
  int n = call_original(L);
  if (has_libraries(L)) sim_note_library();
  return n;
}

/* __tostring of files: without the C library's address. */
static int file_tostring (lua_State *L) {
  luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  if (s->closef == NULL) lua_pushliteral(L, "file (closed)");
  else lua_pushfstring(L, "file (%p)", lua_topointer(L, 1));
  return 1;
}

/* setmetatable as in the base library, noting finalisers. */
static int set_metatable (lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) thread_self->has_finalisers = true;
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

/* Replaces the field of the table at the top by f, a closure over the original. */
static void wrap_field (lua_State *L, const char *name, lua_CFunction f) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, f, 1);
  lua_setfield(L, -2, name);
}

static void wrap (lua_State *L, const char *library, const char *name, lua_CFunction f) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, library) == LUA_TTABLE) wrap_field(L, name, f);
  lua_pop(L, 2);
  names_note_address(NULL, library, name);
}

/* The methods of files: those of stdin are at hand without io.open. */
static void wrap_files (lua_State *L) {
  if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
    lua_pushcfunction(L, file_tostring);
    lua_setfield(L, -2, "__tostring");
    if (lua_getfield(L, -1, "__index") == LUA_TTABLE) {
      wrap_field(L, "read", ask_outside);
      wrap_field(L, "lines", ask_outside);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/*
** How much memory strings take counts for the collector's pace: what varies between
** runs is filled up.
*/
static void pad_strings (lua_State *L, size_t length, size_t whole, const void *key) {
  static const char filling[ARGUMENTS];
  if (length >= whole) return;
  lua_pushlstring(L, filling, whole - length);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

#define HEADER 25 /* what a string takes beside its bytes */

static size_t string_size (lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING ? HEADER + lua_rawlen(L, index) : 0;
}

/* package.path and package.cpath */
static void pad_paths (lua_State *L) {
  static const char key;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "path");
  lua_getfield(L, -2, "cpath");
  pad_strings(L, string_size(L, -1) + string_size(L, -2), PATHS, &key);
  lua_settop(L, 0);
}

void sim_stdlib_pad_arguments (lua_State *L, char **argv, int argc) {
  static const char key;
  size_t length = 0;
  if (!sim_inside()) return;
  for (int i = 0; i < argc; i++) length += HEADER + strlen(argv[i]);
  pad_strings(L, length, ARGUMENTS, &key);
}

void sim_stdlib_keep_libraries (lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, "_CLIBS") == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setmetatable(L, -2);
  }
  lua_pop(L, 1);
}

int sim_stdlib_equip (lua_State *L) {
  static const struct {
    const char *library, *name;
    lua_CFunction f;
  } outside[] = {{"io", "open", open_file},     {"io", "popen", open_pipe},
                 {"io", "lines", open_file},    {"io", "input", open_file},
                 {"io", "output", open_file},   {"io", "tmpfile", open_file},
                 {"io", "read", ask_outside},   {"os", "execute", ask_outside},
                 {"os", "getenv", ask_outside}, {"os", "remove", ask_outside},
                 {"os", "rename", ask_outside}, {"os", "tmpname", ask_outside}};
  /* Kinds in the image need not be made, but each is copied into every state. */
  static const Kind *const usual[] = {&thread_kind, &lock_kind,  &condition_kind,
                                      &event_kind,  &queue_kind, &shared_kind};
  wrap(L, "os", "time", os_time);
  wrap(L, "os", "date", os_date);
  wrap(L, "os", "clock", os_clock);
  wrap(L, LUA_GNAME, "setmetatable", set_metatable);
  wrap(L, LUA_GNAME, "require", require);
  wrap(L, LUA_LOADLIBNAME, "loadlib", load_library);
  for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
    wrap(L, outside[i].library, outside[i].name, outside[i].f);
  wrap_files(L);
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
    object_metatable(L, usual[i]);
    lua_pop(L, 1);
  }
  object_prepare(L);
  luaL_requiref(L, "luasync", state_module, 0);
  message_prepare(L);
  pad_paths(L);
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);
  return 0;
}

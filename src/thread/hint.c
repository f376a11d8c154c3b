/*
** hint.c - the door to luasync.hints, which knows the cures for errors.
**
** Lua code is not trusted to succeed in the middle of an error: it is called
** in protected mode, and what it gives is added to a message that is there
** already.
*/
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/source_text.h"
#include "thread/hint.h"
#include "thread/thread.h"
#include "world/lua_module.h"
#include "world/args.h"

/* In the registry: "source:line:key" -> true, for the calls that hint_unset has looked at. */
#define SEEN "luasync.hints.seen"

/*
** read(path): its text, or nil. The text is not freed where Lua has no memory for it:
** the program is about to end.
*/
static int read_source (lua_State *L) {
  size_t length;
  char *text = source_text_of(lua_pushfstring(L, "=%s", luaL_checkstring(L, 1)), &length);
  if (text == NULL) text = source_text_of(lua_pushfstring(L, "@%s", lua_tostring(L, 1)), &length);
  if (text == NULL) return 0;
  lua_pushlstring(L, text, length);
  free(text);
  return 1;
}

/* (message) returns it with its cure. */
static int append (lua_State *L) {
  lua_module_push(L, "luasync.hints", "cure");
  lua_pushvalue(L, 1);
  lua_pushcfunction(L, read_source);
  lua_call(L, 2, 1);
  if (lua_type(L, -1) == LUA_TSTRING)
    lua_pushfstring(L, "%s\nhint: %s", lua_tostring(L, 1), lua_tostring(L, -1));
  else lua_pushvalue(L, 1);
  return 1;
}

/*
** What luasync.hints has cures for has one of these in it. A failed assert mostly has not;
** the module, which takes longer to load than most threads live, is left alone then.
*/
static bool may_have_cure (const char *message) {
  static const char *const marks[] = {"attempt to ",        "bad argument ", "bad 'for' limit",
                                      " on bad self",       " near ",        "unfinished ",
                                      "malformed ",         "<goto",         "no visible label",
                                      "cannot set field '", "module '",      NULL};
  for (const char *const *m = marks; *m != NULL; m++)
    if (strstr(message, *m) != NULL) return true;
  return false;
}

void hint_append (lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING || !may_have_cure(lua_tostring(L, -1))) return;
  if (!lua_checkstack(L, LUA_MINSTACK)) return;
  lua_pushcfunction(L, append);
  lua_pushvalue(L, -2);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) lua_remove(L, -2);
  else lua_pop(L, 1);
}

/* The part of a text from a line on. */
static const char *from_line (const char *text, int line) {
  while (text != NULL && --line > 0) {
    text = strchr(text, '\n');
    if (text != NULL) text++;
  }
  return text;
}

/*
** Whether the call that begins `text` names `key` before its first closing brace; most
** do not, and need no Lua.
*/
static bool is_named (const char *text, const char *key) {
  const char *end = strchr(text, '}'), *found = strstr(text, key);
  return found != NULL && end != NULL && found < end;
}

/* Pushes what luasync.hints says of the call at `text`, or nil. [0, +1, raises] */
static void push_warning (lua_State *L, const char *text, const char *key) {
  lua_module_push(L, "luasync.hints", "unset");
  lua_pushstring(L, text);
  lua_pushstring(L, key);
  lua_call(L, 2, 1);
}

/* (text, key, place) writes the warning, if there is one. */
static int warn (lua_State *L) {
  World *world = thread_self->object.world;
  size_t length;
  const char *said;
  push_warning(L, args_inner(L, 1), lua_tostring(L, 2));
  if (lua_type(L, -1) != LUA_TSTRING) return 0;
  lua_pushfstring(L, "luasync: warning: %s: %s\n", lua_tostring(L, 3), lua_tostring(L, -1));
  said = lua_tolstring(L, -1, &length);
  world->driver->write(world, 2, said, length);
  return 0;
}

/*
** Whether hint_unset has been here before; notes that it has. `place` is at the top.
** [0, 0, memory]
*/
static bool is_seen (lua_State *L, const char *key) {
  bool seen;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, SEEN);
  lua_pushfstring(L, "%s:%s", lua_tostring(L, -2), key);
  lua_pushvalue(L, -1);
  seen = lua_rawget(L, -3) != LUA_TNIL;
  lua_pop(L, 1);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return seen;
}

void hint_unset (lua_State *L, const char *key) {
  lua_Debug ar;
  char *text;
  const char *call;
  size_t length;
  int top = lua_gettop(L);
  if (!lua_getstack(L, 1, &ar) || !lua_getinfo(L, "Sl", &ar)) return;
  lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
  if (!is_seen(L, key) && (text = source_text_of(ar.source, &length)) != NULL) {
    call = from_line(text, ar.currentline);
    if (call != NULL && is_named(call, key)) {
      lua_pushcfunction(L, warn);
      lua_pushlightuserdata(L, (void *)call);
      lua_pushstring(L, key);
      lua_pushvalue(L, top + 1);
      lua_pcall(L, 3, 0, 0);
    }
    free(text);
  }
  lua_settop(L, top);
}

/*
** bundle.c - what a thread can require because its parent can: modules that are
** in no file.
**
** A script may put loaders into package.preload, tables into package.loaded, and
** functions into package.searchers. The thread that starts another packs them up, in one
** message; the new state unpacks it when `require` is asked for a module that it
** has not. What cannot be sent stays behind.
**
** The table that travels: { preload = {name = loader}, loaded = {name = module},
** searchers = {[position] = function} }.
*/
#include "message/bundle.h"

#include <lualib.h>

#include "message/private.h"
#include "world/args.h"

static const char bundle_key; /* a userdata: the message, not yet unpacked */
static const char offers_key; /* name -> module, of what was unpacked */
static const char plain_key;  /* the sum of package tables that had nothing to pack */

static const char *const parts[] = {"preload", "loaded", "searchers"};
enum { PRELOAD, LOADED, SEARCHERS, PARTS };

/* Pushes package.searchers, or nil. [0, +1, memory] */
static void push_searchers (lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushliteral(L, LUA_LOADLIBNAME);
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_pushliteral(L, "searchers");
    lua_rawget(L, -2);
    lua_remove(L, -2);
  }
  lua_remove(L, -2);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_pushnil(L);
}

/*
** Packing.
*/

/* Adds the keys and values of the table at the top to the sum. [-1, 0] */
static uint64_t add_sum (lua_State *L, uint64_t sum) {
  int table = lua_gettop(L);
  if (lua_istable(L, table))
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
      uint64_t key = (uintptr_t)lua_topointer(L, -2), value = (uintptr_t)lua_topointer(L, -1);
      sum += (value * UINT64_C(0x9E3779B97F4A7C15)) ^ (key * UINT64_C(0xBF58476D1CE4E5B9) >> 7);
    }
  lua_settop(L, table - 1);
  return sum;
}

static uint64_t sum_all (lua_State *L) {
  uint64_t sum = 1;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  sum = add_sum(L, sum);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  sum = add_sum(L, sum * 3);
  push_searchers(L);
  return add_sum(L, sum * 3);
}

/* Whether the state had nothing to pack when its package tables had this sum. [0, 0, -] */
static bool is_plain (lua_State *L, uint64_t sum) {
  bool yes;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &plain_key);
  yes = lua_isinteger(L, -1) && (uint64_t)lua_tointeger(L, -1) == sum;
  lua_pop(L, 1);
  return yes;
}

/*
** Copies into the table at `to` what is wanted of the table at the top. Returns how
** many. [-1, 0]
*/
static int gather (lua_State *L, int to, int part) {
  int from = lua_gettop(L), n = 0;
  if (lua_istable(L, from))
    for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
      bool wanted = part == SEARCHERS ? !lua_iscfunction(L, -1) && lua_isinteger(L, -2)
                                      : lua_type(L, -2) == LUA_TSTRING && lua_toboolean(L, -1);
      if (wanted && part == LOADED) wanted = !names_loadable(L, lua_tostring(L, -2));
      if (!wanted) continue;
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, to);
      n++;
    }
  lua_settop(L, from - 1);
  return n;
}

/* Pushes the table that is to travel; false: it is empty. [0, +1, memory] */
static bool push_contents (lua_State *L) {
  int contents, n = 0;
  lua_createtable(L, 0, PARTS);
  contents = lua_gettop(L);
  for (int part = 0; part < PARTS; part++) {
    lua_newtable(L);
    if (part == LOADED && lua_rawgetp(L, LUA_REGISTRYINDEX, &offers_key) == LUA_TTABLE)
      n += gather(L, contents + 1, LOADED);
    lua_settop(L, contents + 1);
    if (part == SEARCHERS) push_searchers(L);
    else
      luaL_getsubtable(L, LUA_REGISTRYINDEX,
                       part == PRELOAD ? LUA_PRELOAD_TABLE : LUA_LOADED_TABLE);
    n += gather(L, contents + 1, part);
    lua_setfield(L, contents, parts[part]);
  }
  return n > 0;
}

/* (value, world, where to put the message) */
static int encode (lua_State *L) {
  Message **to = args_inner(L, 3);
  *to = message_encode(L, 1, 1, ROOT_MODULES, args_inner(L, 2));
  return 0;
}

/* The value at the top as a message, or NULL: it cannot be sent. [-1, 0] */
static Message *try_encode (lua_State *L, World *to) {
  Message *m = NULL;
  lua_pushcfunction(L, encode);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, to);
  lua_pushlightuserdata(L, &m);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) lua_pop(L, 1);
  return m;
}

/*
** Takes away from the table of tables at the top what cannot be sent to that world.
** [0, 0, memory]
*/
static void drop_unsendable (lua_State *L, World *to) {
  int contents = lua_gettop(L);
  for (int part = 0; part < PARTS; part++) {
    lua_getfield(L, contents, parts[part]);
    for (lua_pushnil(L); lua_next(L, contents + 1);) {
      Message *m = try_encode(L, to);
      message_free(m);
      if (m != NULL) continue;
      lua_pushvalue(L, -1);
      lua_pushnil(L);
      lua_rawset(L, contents + 1);
    }
    lua_settop(L, contents);
  }
}

/* (world, where to put the message) */
static int pack (lua_State *L) {
  World *to = args_inner(L, 1);
  Message **m = args_inner(L, 2);
  uint64_t sum;
  bundle_open(L);
  sum = sum_all(L);
  if (is_plain(L, sum)) return 0;
  if (!push_contents(L)) {
    lua_pushinteger(L, (lua_Integer)sum);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &plain_key);
    return 0;
  }
  lua_pushvalue(L, -1);
  *m = try_encode(L, to);
  if (*m != NULL) return 0;
  drop_unsendable(L, to);
  *m = try_encode(L, to);
  return 0;
}

Message *bundle_pack (lua_State *L, World *to) {
  Message *m = NULL;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushcfunction(L, pack);
  lua_pushlightuserdata(L, to);
  lua_pushlightuserdata(L, &m);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1); /* the thread does without */
  return m;
}

/*
** Unpacking.
*/

/* __gc of the userdata that holds a message. */
static int free_message (lua_State *L) {
  Message **m = luaL_checkudata(L, 1, "luasync.Bundle");
  message_free(*m);
  *m = NULL;
  return 0;
}

/* (message) takes a reference of its own. */
static int give (lua_State *L) {
  Message *m = args_inner(L, 1), **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  if (luaL_newmetatable(L, "luasync.Bundle")) {
    lua_pushcfunction(L, free_message);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  message_keep(m);
  *box = m;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &bundle_key);
  return 0;
}

void bundle_give (lua_State *L, Message *m) {
  if (m == NULL) return;
  lua_pushcfunction(L, give);
  lua_pushlightuserdata(L, m);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/*
** Puts the functions of the table at the top into package.searchers, each at its place.
** [-1, 0, memory]
*/
static void add_searchers (lua_State *L) {
  int added = lua_gettop(L), list = added + 1;
  push_searchers(L);
  if (lua_istable(L, list))
    for (lua_Integer at = 1; lua_pushnil(L), lua_next(L, added); at++) {
      lua_pop(L, 2);
      if (lua_rawgeti(L, added, at) != LUA_TNIL) {
        for (lua_Integer i = (lua_Integer)lua_rawlen(L, list); i >= at; i--) {
          lua_rawgeti(L, list, i);
          lua_rawseti(L, list, i + 1);
        }
        lua_rawseti(L, list, at);
        lua_pushnil(L);
        lua_rawseti(L, added, at);
      }
      else lua_pop(L, 1);
    }
  lua_settop(L, added - 1);
}

/*
** Copies the loaders at the top to package.preload at `to`, but not of modules in the
** table at `loaded`. [-1, 0, memory]
*/
static void add_loaders (lua_State *L, int to, int loaded) {
  int from = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, from); lua_settop(L, from + 1)) { /* name loader */
    lua_pushvalue(L, from + 1);
    if (lua_rawget(L, to) != LUA_TNIL) continue;
    lua_pushvalue(L, from + 1);
    if (lua_rawget(L, loaded) != LUA_TNIL) continue;
    lua_pushvalue(L, from + 1);
    lua_pushvalue(L, from + 2);
    lua_rawset(L, to);
  }
  lua_settop(L, from - 1);
}

void bundle_inherit (lua_State *from, lua_State *to, World *world) {
  Message *m = bundle_pack(from, world);
  bundle_give(to, m);
  message_free(m);
}

void bundle_open (lua_State *L) {
  int top = lua_gettop(L);
  Message **box;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &bundle_key) != LUA_TUSERDATA) {
    lua_pop(L, 1);
    return;
  }
  box = lua_touserdata(L, -1);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &bundle_key); /* also if it fails: not again */
  message_decode(L, *box);
  message_free(*box);
  *box = NULL;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE); /* box contents preload */
  lua_getfield(L, top + 2, parts[LOADED]);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &offers_key);
  lua_getfield(L, top + 2, parts[PRELOAD]);
  add_loaders(L, top + 3, top + 4);
  lua_getfield(L, top + 2, parts[SEARCHERS]);
  add_searchers(L);
  lua_settop(L, top);
}

static int open_protected (lua_State *L) {
  bundle_open(L);
  return 0;
}

void bundle_unpack (lua_State *L, Message *m) {
  bundle_give(L, m);
  lua_pushcfunction(L, open_protected);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
}

/* The loader of a module that the parent had loaded. Upvalue: the module. */
static int offer (lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

int bundle_push_loader (lua_State *L, const char *name) {
  bundle_open(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &offers_key) == LUA_TTABLE) {
    lua_pushstring(L, name);
    if (lua_rawget(L, -2) != LUA_TNIL) {
      lua_pushcclosure(L, offer, 1);
      return 1;
    }
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  return 1;
}

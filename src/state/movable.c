/*
** movable.c - whether a Lua state can be moved to another address.
**
** Lua finds a key that is a table, a userdata, a closure or a coroutine by its
** address. In a state that has been moved such a key stands where its old address
** says, and is not found. So no table of the state may have one.
*/
#include <stdio.h>

#include <lauxlib.h>

#include "state/heap.h"
#include "world/args.h"

/* Whether the key at `index` is found by an address that lies in the state. */
static bool is_address (lua_State *L, int index, const Heap *h) {
  switch (lua_type(L, index)) {
    case LUA_TTABLE:
    case LUA_TUSERDATA:
    case LUA_TTHREAD:
    case LUA_TFUNCTION:
    case LUA_TLIGHTUSERDATA: return heap_holds(h, lua_topointer(L, index));
    default: return false;
  }
}

/* Adds the object at the top to the list, unless it is there or holds nothing. [-1, 0, memory] */
static void add (lua_State *L, int list) {
  int type = lua_type(L, -1);
  bool known = type != LUA_TTABLE && type != LUA_TUSERDATA && type != LUA_TFUNCTION;
  if (!known) {
    lua_pushvalue(L, -1);
    known = lua_rawget(L, list) != LUA_TNIL;
    lua_pop(L, 1);
  }
  if (!known) {
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, list);
    lua_pushvalue(L, -1);
    lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
  }
  lua_pop(L, 1);
}

/* Adds what the object at the top holds. False: a table has such a key. [0, 0, memory] */
static bool add_contents (lua_State *L, int list, const Heap *h) {
  int object = lua_gettop(L);
  bool movable = true;
  if (lua_getmetatable(L, object)) add(L, list);
  if (lua_istable(L, object)) {
    lua_pushnil(L);
    while (movable && lua_next(L, object)) {
      movable = !is_address(L, -2, h);
      add(L, list);
    }
  }
  else if (lua_isuserdata(L, object))
    for (int i = 1; lua_getiuservalue(L, object, i) != LUA_TNONE; i++) add(L, list);
  else
    for (int i = 1; lua_getupvalue(L, object, i) != NULL; i++) add(L, list);
  lua_settop(L, object);
  return movable;
}

/*
** (heap) -> whether the state is movable. Begins at the registry, which leads to
** everything that lives.
*/
static int walk (lua_State *L) {
  const Heap *h = args_inner(L, 1);
  bool movable = true;
  lua_settop(L, 1);
  lua_newtable(L); /* objects: at 1, 2, …, and each as a key */
  lua_pushvalue(L, LUA_REGISTRYINDEX);
  add(L, 2);
  for (int i = 1; movable && lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
    movable = add_contents(L, 2, h);
    lua_pop(L, 1);
  }
  lua_pushboolean(L, movable);
  return 1;
}

bool state_is_movable (lua_State *L, const Heap *h) {
  bool movable = false;
  lua_pushcfunction(L, walk);
  lua_pushlightuserdata(L, (void *)h);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
    movable = lua_toboolean(L, -1);
    if (!movable) fputs("luasync: a new state has a table that is keyed by an object\n", stderr);
  }
  lua_pop(L, 1);
  lua_gc(L, LUA_GCCOLLECT);
  return movable;
}

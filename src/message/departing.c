/*
** departing.c - handles cross by reference, and some have something to bring along.
**
** An unstarted thread may be started wherever its handle arrives, so its target and
** arguments must have been encoded by then. They may hold handles of other
** unstarted threads, and these lead back to it: a list of all workers does. So what
** a handle brings along is not encoded where the handle is met, but when the message
** itself is complete: a list takes up each handle once, however often it is found,
** and is worked off from its beginning to its end.
*/
#include "message/private.h"

/* Adds the proxy at the top to the list, unless it is there. [-1, 0, memory] */
static void add (lua_State *L, int along) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, along) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, along);
    lua_pushvalue(L, -2);
    lua_rawseti(L, along, (lua_Integer)lua_rawlen(L, along) + 1);
  }
  lua_pop(L, 2);
}

/*
** Adds the proxies of a chain of objects whose kinds want to know. Values that a
** message holds keep them alive.
*/
static void add_chain (lua_State *L, const unsigned char *data, size_t last, int along) {
  for (; last != 0; last = (size_t)get64(data + last + COUNTED_PREVIOUS)) {
    Object *o;
    if ((data[last] & TAG_KIND) != TAG_OBJECT) continue;
    memcpy(&o, data + last + COUNTED_POINTER, sizeof o);
    if (o->kind->departing == NULL) continue;
    object_push(L, o);
    add(L, along);
  }
}

/* Works off the list from entry `from` on. Those up to `direct` are in the message itself. */
static void follow (lua_State *L, int along, lua_Integer from, lua_Integer direct) {
  int top = lua_gettop(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  for (; lua_rawgeti(L, along, from) != LUA_TNIL; from++) {
    Object *o = object_any(L, -1);
    if (o != NULL) o->kind->departing(L, top + 1, along, from <= direct);
    lua_settop(L, top);
  }
  lua_settop(L, top);
}

/*
** What has crossed before is encoded anew only where the handle itself is sent, so
** that changes are seen; not for each of a thousand workers that are started with
** the list of all.
*/
void encoder_depart (Encoder *e, int along) {
  lua_State *L = e->L;
  lua_Integer from = 1;
  if (!e->departs) return;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (e->part) {
    add_chain(L, e->data, e->last_counted, along);
    return;
  }
  lua_newtable(L);
  if (!lua_isnil(L, along)) {
    lua_pushvalue(L, along);
    add(L, lua_gettop(L) - 1);
    from = 2;
  }
  add_chain(L, e->data, e->last_counted, lua_gettop(L));
  e->fault = true; /* what is raised from here lacks the position */
  follow(L, lua_gettop(L), from,
         e->root == ROOT_CALL ? 0 : (lua_Integer)lua_rawlen(L, lua_gettop(L)));
  e->fault = false;
}

void message_depart (lua_State *L, int index) {
  int top = lua_gettop(L);
  index = lua_absindex(L, index);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_newtable(L);
  lua_pushvalue(L, index);
  add(L, top + 1);
  follow(L, top + 1, 1, 1);
  lua_settop(L, top);
}

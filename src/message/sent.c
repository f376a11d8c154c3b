/*
** sent.c - what a thread was sent is kept: the message, and in the thread's state the values
** that it became. sent_compare.c compares them.
*/
#include <lauxlib.h>

#include "message/private.h"

#define KEPT_MOST (1 << 20) /* bytes of a message */

static const char watched_key; /* its address names the values in the registry */

Message *message_keep_sent (Message *m, bool again) {
  if (m->length <= KEPT_MOST && counted_refs(&m->counted) == 1) {
    if (again) m->watched &= (uint8_t)~WATCH_GLOBALS; /* which of them are new nobody knows */
    message_drop_counted((unsigned char *)m, m->last_counted);
    m->last_counted = 0;
    m->leads = false;
    return m;
  }
  message_free(m);
  return NULL;
}

bool message_is_watched (const Message *m) { return m->watched != 0; }

void message_watch_prepare (lua_State *L) {
  lua_pushboolean(L, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watched_key);
}

/* The function alone is kept as it is: it is on the stack anyway. */
void message_watch (lua_State *L, int first, int n) {
  bool tables = false;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  for (int i = 1; i < n; i++) tables = tables || lua_istable(L, first + i);
  if (!tables) {
    lua_pushvalue(L, first);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &watched_key);
    return;
  }
  lua_createtable(L, n, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  for (int i = 0; i < n; i++) {
    lua_pushvalue(L, first + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watched_key);
}

bool message_push_watched (lua_State *L, int i) {
  int type = lua_rawgetp(L, LUA_REGISTRYINDEX, &watched_key);
  if (type == LUA_TTABLE) {
    type = lua_rawgeti(L, -1, i + 1);
    lua_remove(L, -2);
  }
  else if (type != LUA_TFUNCTION || i > 0) type = LUA_TNIL;
  if (type == LUA_TNIL) lua_pop(L, 1);
  return type != LUA_TNIL;
}

/*
** encode_transfer.c - values that say themselves how they cross.
**
** __transfer(self) returns a function and its arguments, which the receiver
** calls for the value. They are encoded in place, like the fields of a table.
** It is the only code of the script's that runs in the middle of a message. It
** may drop values that have been encoded, and a new value at the same address
** would be taken for the old one; so before the first call the message starts
** anew in a mode that holds on to everything it meets.
*/
#include "message/private.h"
#include "world/args.h"

#define MOST_TRANSFERS 10000 /* one within the other */

bool encode_transfer_wanted (lua_State *L) {
  lua_pushliteral(L, "__transfer");
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  lua_remove(L, -2);
  return true;
}

/*
** Moves the n values at the top into the table of anchors. Returns the index of the
** first. [-n, 0]
*/
static int anchor (Encoder *e, int n) {
  lua_State *L = e->L;
  luaL_checkstack(L, 4, NULL);
  encoder_table_used(e, e->anchors);
  for (int i = n; i > 0; i--) lua_rawseti(L, e->anchors, e->anchored + i);
  e->anchored += n;
  return e->anchored - n + 1;
}

bool encode_transfer (Encoder *e) {
  lua_State *L = e->L;
  size_t record = e->length;
  int value = lua_gettop(L) - 1, n;
  if (e->mode != MODE_ANCHORED) return false;
  if (e->transfers == MOST_TRANSFERS) {
    lua_pop(L, 1);
    encoder_fault(e, "cannot send a %s: more than %d '__transfer' within one another",
                  luaL_typename(L, -1), MOST_TRANSFERS);
  }
  if (!args_is_callable(L, -1))
    encoder_fault(e, "cannot send a %s whose '__transfer' is a %s value", luaL_typename(L, value),
                  luaL_typename(L, -1));
  lua_settop(L, value + 1);
  lua_pushvalue(L, value);
  encoder_note(e, record);
  lua_call(L, 1, LUA_MULTRET);
  n = lua_gettop(L) - value;
  if (n == 0 || !lua_isfunction(L, value + 1)) {
    lua_settop(L, value);
    encoder_fault(e, "cannot send a %s whose '__transfer' returns no function",
                  luaL_typename(L, -1));
  }
  n = lua_gettop(L) - value;
  int first = anchor(e, n);
  unsigned char *p = encoder_room(e, TRANSFER_HEAD);
  p[0] = TAG_OPEN;
  set32(p + TRANSFER_COUNT, (uint32_t)n);
  e->transfers++;
  encoder_open(e, IN_TRANSFER, record, (uint32_t)n);
  e->frames[e->depth - 1].first = first;
  return true;
}

bool encode_argument (Encoder *e, Frame *f) {
  if (f->index < f->count) {
    lua_rawgeti(e->L, e->anchors, f->first + (int)f->index);
    f->index++;
    return true;
  }
  e->data[f->record] = (unsigned char)((e->data[f->record] & ~TAG_KIND) | TAG_TRANSFER);
  e->transfers--;
  encoder_close(e);
  return false;
}

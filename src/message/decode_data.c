/*
** decode_data.c - tables of plain data, which encode_data.c has written: no reference, no
** table deeper than PLAIN_DEPTH, a metatable at the outermost one only. So a few calls in
** one another do, and no frame is kept of what is open.
*/
#include "message/private.h"

static void push_table (Decoder *d);

/* Pushes the next value. [0, +1, memory] */
static inline void push_data (Decoder *d) {
  lua_State *L = d->L;
  lua_Integer integer;
  lua_Number number;
  size_t length;
  switch (*d->p++) {
    case TAG_INTEGER:
      memcpy(&integer, d->p, 8);
      d->p += 8;
      lua_pushinteger(L, integer);
      break;
    case TAG_FLOAT:
      memcpy(&number, d->p, 8);
      d->p += 8;
      lua_pushnumber(L, number);
      break;
    case TAG_TEXT:
      length = *d->p++;
      lua_pushlstring(L, (const char *)d->p, length);
      d->p += length;
      break;
    case TAG_STRING:
      length = (size_t)get64(d->p);
      lua_pushlstring(L, (const char *)d->p + 8, length);
      d->p += 8 + length;
      break;
    case TAG_TRUE: lua_pushboolean(L, 1); break;
    case TAG_FALSE: lua_pushboolean(L, 0); break;
    default: push_table(d);
  }
}

/* The tag of the table has been read. [0, +1, memory] */
static void push_table (Decoder *d) {
  lua_State *L = d->L;
  const unsigned char *p = d->p - 1;
  uint32_t narr = get32(p + TABLE_NARR), nrec = get32(p + TABLE_NREC);
  d->p = p + TABLE_HEAD;
  lua_createtable(L, decode_capped(narr), decode_capped(nrec));
  for (uint32_t i = 1; i <= narr; i++) {
    push_data(d);
    lua_rawseti(L, -2, i);
  }
  for (; nrec > 0; nrec--) {
    push_data(d);
    push_data(d);
    lua_rawset(L, -3);
  }
}

void decode_data (Decoder *d) {
  unsigned tag = *d->p++;
  push_table(d);
  if (!(tag & TAG_META)) return;
  decode_value(d);
  lua_setmetatable(d->L, -2);
}

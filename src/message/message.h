/*
** message.h - Lua values on their way between states.
**
** Values are encoded once, in the sender, into a flat buffer that no Lua state
** owns, and decoded in the receiver. Neither happens under a C mutex: both may
** raise, allocate and run finalisers. What cannot cross raises an error that
** says where, `cannot send a coroutine (at args[1].co)`, before anything is sent.
**
** A message holds references to the luasync objects in it. It may be decoded
** many times (a thread's results are) and is freed by its owner.
*/
#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include <stdint.h>
#include <string.h>
#include "world/object.h"

typedef struct Message Message;

/* What the encoded values are, for the paths of errors. */
typedef enum Root {
  ROOT_CALL, /* a function and its arguments: target, args[1], args[2] … ; script globals travel */
  ROOT_ITEM,    /* one value: item */
  ROOT_MODULES, /* modules for a new thread, see bundle.h; C functions of theirs by address */
  ROOT_RESULTS, /* results[1], results[2] … */
  ROOT_ERROR    /* one value: error */
} Root;

/*
** Encodes the n values from stack index `first` on, for receivers in world
** `to` (NULL: one yet to be made, into which no object can go). Leaves the stack
** as it was. [0, 0, raises]
*/
Message *message_encode (lua_State *L, int first, int n, Root root, World *to);

/*
** The same for target and arguments of an object that is about to start: its proxy is
** at `owner`. [0, 0, raises]
*/
Message *message_encode_work (lua_State *L, int first, int n, int owner, World *to);

/*
** departing.c: what belongs to a handle, and must be at hand wherever that
** arrives. message_depart has it encoded for the proxy at `index`, and for all that
** are found on the way, each once; message_encode_part, for Kind.departing, adds
** those to the list at `along` instead of following them. [0, 0, raises]
*/
void message_depart (lua_State *L, int index);
Message *message_encode_part (lua_State *L, int first, int n, World *to, int along);

/*
** Pushes the values, returns how many. Does not free the message, whatever happens.
** [0, +n, raises]
*/
int message_decode (lua_State *L, Message *m);

/*
** Messages are counted: message_encode returns the first reference. NULL is allowed; no
** Lua state needed.
*/
void message_keep (Message *m);
void message_free (Message *m); /* drops a reference; the last one frees */

/* Whether objects in it may hold further references; false where it is NULL. */
bool message_leads (const Message *m);
/* For Kind.visit: there is a reference to m, if it leads anywhere. */
void message_visit (Message *m, CycleSearch *search);

/* The same in the memory of another world; no object may be in it. NULL: no memory. */
Message *message_copy (const Message *m, World *owner);

/* For a state that is not closed, only left: drops what its definitions hold. [0, 0, -] */
void message_abandon (lua_State *L);

/* From now on this state learns what a module holds as soon as it is loaded. [0, 0, memory] */
void message_watch_modules (lua_State *L);
/* Learns what a state has by name, which would else be done at its first message. [0, 0, memory] */
void message_prepare (lua_State *L);

/*
** A slot holds one value: numbers, booleans, nil, light userdata, short strings
** and luasync objects lie in it, anything else in a message it points to. Plain
** data to be copied around by its owner; it must end in slot_push_free or slot_free.
*/
#define SLOT_TEXT 30
enum {
  SLOT_NIL,
  SLOT_FALSE,
  SLOT_TRUE,
  SLOT_INTEGER,
  SLOT_FLOAT,
  SLOT_LIGHT,
  SLOT_TEXT_IN,
  SLOT_OBJECT,
  SLOT_MESSAGE
};

typedef struct Slot {
  union {
    lua_Integer integer;
    lua_Number number;
    void *light;
    Object *object;
    Message *message;
    char text[SLOT_TEXT];
  } u;
  uint8_t length; /* of text; of an object or message: whether that leads to further ones */
  uint8_t tag;
} Slot;

/* Whether the value, made by slot_set, may hold further references, see cycles.h. */
static inline bool slot_leads (const Slot *s) { return s->tag >= SLOT_OBJECT && s->length != 0; }
/* For Kind.visit. */
void slot_visit (const Slot *s, CycleSearch *search);

void slot_set_other (lua_State *L, int index, Slot *s, World *to);
void slot_push_other (lua_State *L, Slot *s, int owned);
void slot_free_other (Slot *s);

/* Encodes the value at `index`; its path begins with `item`. [0, 0, raises] */
static inline void slot_set (lua_State *L, int index, Slot *s, World *to) {
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        s->tag = SLOT_INTEGER;
        s->u.integer = lua_tointeger(L, index);
      }
      else {
        s->tag = SLOT_FLOAT;
        s->u.number = lua_tonumber(L, index);
      }
      return;
    case LUA_TBOOLEAN: s->tag = lua_toboolean(L, index) ? SLOT_TRUE : SLOT_FALSE; return;
    case LUA_TSTRING: {
      size_t len;
      const char *text = lua_tolstring(L, index, &len);
      if (len <= SLOT_TEXT) {
        s->tag = SLOT_TEXT_IN;
        s->length = (uint8_t)len;
        memcpy(s->u.text, text, len);
        return;
      }
    }
  }
  slot_set_other(L, index, s, to);
}

/* Pushes the value and leaves the slot its own. [0, +1, raises] */
static inline void slot_push (lua_State *L, const Slot *s) {
  switch (s->tag) {
    case SLOT_INTEGER: lua_pushinteger(L, s->u.integer); return;
    case SLOT_FLOAT: lua_pushnumber(L, s->u.number); return;
    case SLOT_TEXT_IN: lua_pushlstring(L, s->u.text, s->length); return;
    case SLOT_TRUE: lua_pushboolean(L, 1); return;
    default: slot_push_other(L, (Slot *)s, 0);
  }
}

/* Pushes the value and frees the slot, also when decoding raises. [0, +1, raises] */
static inline void slot_push_free (lua_State *L, Slot *s) {
  if (s->tag < SLOT_OBJECT) slot_push(L, s);
  else slot_push_other(L, s, 1);
}

/* Clears the bytes that say nothing. */
static inline void slot_tidy (Slot *s) {
  size_t used = s->tag == SLOT_TEXT_IN ? s->length : s->tag < SLOT_INTEGER ? 0 : sizeof s->u.light;
  if (s->tag != SLOT_TEXT_IN) s->length = 0;
  memset(s->u.text + used, 0, sizeof s->u.text - used);
}

static inline void slot_free (Slot *s) {
  if (s->tag >= SLOT_OBJECT) slot_free_other(s);
  s->tag = SLOT_NIL;
}

#endif

/*
** lasting.h - tables and functions that are the same one whenever they arrive.
**
** A class, that is a table that serves as a metatable, or looks like one, its
** methods, and modules that a receiver cannot load *last*: each has an id, unique
** in the process, from the first time it leaves a state. Each state knows its
** values by id and the ids of its values, without keeping any of them alive.
**
** The first message that one is in holds its contents. From then on its sender
** keeps a *definition*, a message of its own, and sends a reference to it: what a
** message with an instance costs does not depend on the class. A receiver that
** does not know the id decodes the definition, once.
*/
#ifndef MESSAGE_LASTING_H
#define MESSAGE_LASTING_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include "message/gain.h"
#include "message/message.h"

/* What a state knows of one that lasts: a userdata that lives as long as the value. */
typedef struct Lasting {
  uint64_t id;
  uint64_t update;       /* the id of its latest change, which a receiver must know; 0: none */
  Message *definition;   /* NULL: none yet */
  unsigned stock;        /* references to that which no message has yet */
  unsigned level;        /* of that, as in a message */
  bool leads;            /* likewise */
  World *world;          /* where the definition may be sent */
  unsigned long threads; /* that this world had when it was made: a later one wants a fresh one */
  Gain gain;             /* what has been seen of its fields */
  bool sent;             /* its contents have been in a message */
  bool module;           /* it lasts only as long as it is a module of this state */
} Lasting;

/* The Lasting of the value at `index`, or NULL: it has none. [0, 0, -] */
Lasting *lasting_find (lua_State *L, int index);
/* The same for the value at the top, where the Names are at `names`. [0, 0, -] */
Lasting *lasting_find_quickly (lua_State *L, int names);
/* Pushes the table from values to Lastings. [0, +1, memory] */
void lasting_push_things (lua_State *L);
/* The same, made if it has none. [0, 0, memory] */
Lasting *lasting_get (lua_State *L, int index);
/* Pushes the value that has the id here. [0, +(0|1), -] */
bool lasting_push (lua_State *L, uint64_t id);
/* The value at the top is the one of that id here. [0, 0, memory] */
Lasting *lasting_register (lua_State *L, uint64_t id);
/* The same; if it has an id already, it keeps that and is known by the other one too. [0, 0, memory] */
void lasting_alias (lua_State *L, uint64_t id);
/* The value at the top has learnt that change. [0, 0, memory] */
void lasting_updated (lua_State *L, uint64_t update);
/*
** Keeps the value at the top alive until some hundred others have been kept: what has
** come by a definition comes again. [0, 0, memory]
*/
void lasting_keep (lua_State *L);
/* Tells the filter of names about all tables that last. [0, 0, -] */
void lasting_mark_all (lua_State *L);

/* Makes what definitions and instances need in this state. [0, 0, memory] */
void lasting_prepare (lua_State *L);
/* Pushes the Lasting of the value at `index`, which has one. [0, +1, -] */
void lasting_push_box (lua_State *L, int index);
/*
** Gives it the definition, for that world; takes a reference of its own. The Lasting is
** at `index`. After lasting_prepare. [0, 0, -]
*/
void lasting_define (lua_State *L, int index, Message *definition, World *world);
/* A reference to the definition, for a message. */
Message *lasting_take_definition (Lasting *l);
/* Drops the definition, if there is one. [0, 0, -] */
void lasting_undefine (Lasting *l);
/*
** Whether its definition may be sent to that world as it is: the class at the top has the
** fields that it had when that was made. The Names are at `names`. [0, 0, -]
*/
bool lasting_ready (lua_State *L, Lasting *l, World *world, int names);
/*
** Notes what fields the class at the top has; those it had not before make a change.
** [0, 0, memory]
*/
void lasting_look (lua_State *L, Lasting *l, int names);

/*
** Whether the table at `index` looks like a class: it has an `__index` that is one.
** [0, 0, memory]
*/
bool lasting_is_class (lua_State *L, int index);
/* Whether it is the name of a metamethod. */
bool lasting_is_event (const char *key, size_t length);

#endif

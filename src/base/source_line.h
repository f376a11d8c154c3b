/*
** place.h - where in the Lua code something happened.
*/
#ifndef PLACE_H
#define PLACE_H

#include <lua.h>

typedef struct Place {
  char source[LUA_IDSIZE];
  int line;                       /* -1: no Lua code on the stack; 0: never noted */
} Place;

/* The line of the innermost Lua function that runs in L. [0, 0, -] */
void place_here (lua_State *L, Place *place);

/* A place that is noted again and again, as a rule from the same line. */
typedef struct Mark {
  const void *instruction;
  Place place;
} Mark;

/*
** Notes the caller of the running C function. Finding a line costs as much as
** the call; so the instruction it was found for is remembered, and while the
** same one comes again nothing else is done. [0, 0, -]
*/
void mark_here (lua_State *L, Mark *mark);

/* Finds out whether marks can be quick in this Lua; in protected mode. [0, 0, memory] */
void place_probe (lua_State *L);

#endif

/*
** source_line.h - where in the Lua code something happened.
*/
#ifndef BASE_SOURCE_LINE_H
#define BASE_SOURCE_LINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "base/spinlock.h"

typedef struct SourceLine {
  char source[LUA_IDSIZE];
  int line; /* -1: no Lua code on the stack; 0: never noted */
} SourceLine;

/* The line of the innermost Lua function that runs in L. [0, 0, -] */
void source_line_here (lua_State *L, SourceLine *place);

/*
** A place that is noted again and again, as a rule from the same line. Several threads
** may note it at a time; then one of their lines is kept.
*/
typedef struct CallSite {
  _Atomic(const void *) instruction; /* of a line that is known, or NULL; written under spin */
  Spinlock spin;
  SourceLine place; /* under spin */
} CallSite;

/*
** Notes the caller of the running C function. Finding a line costs as much as
** the call; so the instruction it was found for is remembered, and while the
** same one comes again nothing else is done. [0, 0, -]
*/
void source_line_mark (lua_State *L, CallSite *mark);

/*
** Set while this OS thread runs a world in which marks would make states differ that are
** alike in all else: nothing is noted.
*/
extern _Thread_local bool source_line_unmarked;

/* The line that was noted last, which may happen meanwhile. */
void source_line_read (CallSite *mark, SourceLine *place);

/*
** The instruction that the caller of the running C function has come to, with its
** line in *line; NULL: the caller is no Lua function, or it cannot be told. Cheap. [0, 0, -]
*/
const void *source_line_instruction (lua_State *L, int *line);

/* Finds out whether marks can be quick in this Lua; in protected mode. [0, 0, memory] */
void source_line_probe (lua_State *L);

#endif

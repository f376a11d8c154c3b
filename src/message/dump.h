/*
** dump.h - what lua_dump makes of functions, kept for the next time.
**
** A dump is a Lua string: bytecode, the names of globals that it uses (length:1, bytes),
** a zero, names of fields, then a DumpEnd. Which names are globals depends on what the
** upvalues hold; when that changes, the dump is made anew.
*/
#ifndef MESSAGE_DUMP_H
#define MESSAGE_DUMP_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* What stands at the end of a dump. */
typedef struct DumpEnd {
  uint32_t env[8];  /* bit i: upvalue i held the globals */
  uint64_t length;  /* of the bytecode */
  uint64_t assigns; /* WATCH_… */
} DumpEnd;

/* Pushes the bytecode of the Lua function at the top, without debug information if `stripped`. [0, +1, memory] */
void dump_push_code (lua_State *L, bool stripped);
/* Pushes the dump of the Lua function at `index`. [0, +1, memory] */
void dump_push (lua_State *L, int index);
/* The same, if it is there already. [0, +(0|1), -] */
bool dump_push_kept (lua_State *L, int index);
/* The end of the dump at the top. [0, 0, -] */
DumpEnd dump_end (lua_State *L);

#endif

#ifndef SIMLIB_H
#define SIMLIB_H

#include <lua.h>

/* Turns a fresh state into one for simulated threads; in protected mode. [0, 0, memory] */
int simlib_equip (lua_State *L);

/* Makes the pace of the collector independent of how long the arguments of the command are. [0, 0, memory] */
void simlib_pad_arguments (lua_State *L, char **argv, int argc);

#endif

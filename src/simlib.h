#ifndef SIMLIB_H
#define SIMLIB_H

#include <lua.h>

/* Turns a fresh state into one for simulated threads; in protected mode. [0, 0, memory] */
int simlib_equip (lua_State *L);

#endif

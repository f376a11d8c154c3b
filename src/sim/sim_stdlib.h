#ifndef SIM_SIM_STDLIB_H
#define SIM_SIM_STDLIB_H

#include <lua.h>

/* Turns a fresh state into one for simulated threads; in protected mode. [0, 0, memory] */
int sim_stdlib_equip (lua_State *L);

/*
** Makes the pace of the collector independent of how long the arguments of the command
** are. [0, 0, memory]
*/
void sim_stdlib_pad_arguments (lua_State *L, char **argv, int argc);

/*
** The C libraries that the state has loaded stay open when it is closed. For searches: a
** state that is put back would close them once in each execution, but they have been
** opened once. [0, 0, -]
*/
void sim_stdlib_keep_libraries (lua_State *L);

#endif

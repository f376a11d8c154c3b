#ifndef STATE_OUTPUT_H
#define STATE_OUTPUT_H

#include <lua.h>

/*
** Replaces print, io.write and the write method of files by versions that emit one
** call as one piece. [0, 0, memory]
*/
void output_equip (lua_State *L);

#endif

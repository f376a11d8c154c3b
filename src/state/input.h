#ifndef STATE_INPUT_H
#define STATE_INPUT_H

#include <lua.h>

/*
** Replaces io.read and io.lines, and the methods of those names, by versions
** whose thread says that it waits for the system. [0, 0, memory]
*/
void input_equip (lua_State *L);

#endif

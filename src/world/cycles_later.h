/*
** cycles_later.h - a search for cycles when a Lua state is collected next.
*/
#ifndef WORLD_CYCLES_LATER_H
#define WORLD_CYCLES_LATER_H

#include <lua.h>

/*
** Has the world of the running thread searched with the next collection of L. In the real world
** each collection from then on does so, while there are holders. [0, 0, memory]
*/
void cycles_later (lua_State *L);

#endif

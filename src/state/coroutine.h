#ifndef STATE_COROUTINE_H
#define STATE_COROUTINE_H

#include <lua.h>

/* Replaces coroutine.resume and coroutine.wrap by versions that note which coroutine runs. [0, 0, memory] */
void coroutine_equip (lua_State *L);

#endif

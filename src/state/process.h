#ifndef STATE_PROCESS_H
#define STATE_PROCESS_H

#include <lua.h>

/* Replaces os.exit, os.execute and io.popen. [0, 0, memory] */
void process_equip (lua_State *L);

#endif

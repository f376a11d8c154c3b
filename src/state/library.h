/*
** library.h - functions of ours in Lua's own libraries.
*/
#ifndef STATE_LIBRARY_H
#define STATE_LIBRARY_H

#include <lua.h>

/*
** Puts f in place of the function of Lua's own library, unless somebody has put
** something else there. [0, 0, memory]
*/
void library_replace (lua_State *L, const char *library, const char *name, lua_CFunction f);

#endif

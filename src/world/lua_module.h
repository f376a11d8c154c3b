/*
** lua_module.h - functions that are written in Lua, from C.
*/
#ifndef WORLD_LUA_MODULE_H
#define WORLD_LUA_MODULE_H

#include <lua.h>

/*
** Pushes what the Lua module of ours has under that name, and loads it if that has not been
** done. [0, +1, raises]
*/
void lua_module_push (lua_State *L, const char *module, const char *name);

#endif

/*
** luasync.h - the Lua module.
*/
#ifndef MODULE_LUASYNC_H
#define MODULE_LUASYNC_H

#include <lua.h>

#define LUASYNC_VERSION "luasync 0.1.0"

#if defined(__GNUC__)
#define LUASYNC_EXPORT __attribute__((visibility("default")))
#endif

/*
** Opens the module in a state; the first one of a process becomes the main thread of
** the real world.
*/
LUASYNC_EXPORT int luaopen_luasync (lua_State *L);

#endif

/*
** stdlib.h - functions of Lua's own libraries that are replaced, because a
** thread needs more of them than a program with one thread does.
*/
#ifndef STATE_STDLIB_H
#define STATE_STDLIB_H

#include <lua.h>

/*
** replace.c: puts f in place of the function of Lua's own library, unless a
** script has put something else there. [0, 0, memory]
*/
void replace_function (lua_State *L, const char *library, const char *name, lua_CFunction f);

/* coroutine.c: resume, wrap and close that note which coroutine runs. [0, 0, memory] */
void coroutine_equip (lua_State *L);

/* debug_registry.c: debug.getregistry, which does not show what is ours. [0, 0, memory] */
void debug_registry_equip (lua_State *L);

/*
** output.c: print, io.write and the write method of files, which emit one call as one
** piece. [0, 0, memory]
*/
void output_equip (lua_State *L);

/*
** input.c: io.read and io.lines, and the methods of those names, whose thread says
** that it waits for the system. [0, 0, memory]
*/
void input_equip (lua_State *L);

/* process.c: os.execute and io.popen, and what process_equip_exit replaces. [0, 0, memory] */
void process_equip (lua_State *L);
/* process.c: os.exit, which waits for no thread. [0, 0, memory] */
void process_equip_exit (lua_State *L);

#endif

/*
** state.h - Lua states as luasync makes them.
*/
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <lua.h>

/* A state in memory of `alloc`, with `equip` called last where it is not NULL; NULL when memory is short. */
lua_State *state_make (lua_Alloc alloc, void *ud, lua_CFunction equip);

/* A state with the standard libraries and ours at hand; NULL when memory is short. */
lua_State *state_open (void);

/*
** Gives a state, in protected mode, what every state of ours has: `require
** "luasync"` and its Lua modules without a search path, whole-line print and
** io.write, coroutines that can be interrupted.
*/
int state_equip (lua_State *L);

/*
** Puts f in place of the function of Lua's own library, unless somebody has put
** something else there. Returns what was there, NULL: nothing was done. [0, 0, memory]
*/
lua_CFunction state_replace (lua_State *L, const char *library, const char *name, lua_CFunction f);

/* Whether warnings are shown, as warn("@on") and warn("@off") say. [0, 0, -] */
void state_set_warnings (lua_State *L, bool on);

/* Copies package.path and package.cpath from one state to another that no thread runs yet. */
void state_copy_paths (lua_State *from, lua_State *to);

#endif

/*
** state.h - Lua states as luasync makes them.
*/
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <lua.h>

/* What `require "luasync"` opens in any state of ours; set once, before the first is made. */
extern lua_CFunction state_module;

/*
** A state in memory of `alloc`, with `equip` called last where it is not NULL; NULL
** when memory is short.
*/
lua_State *state_make (lua_Alloc alloc, void *ud, lua_CFunction equip);

/* A state with the standard libraries and ours at hand; NULL when memory is short. */
lua_State *state_open (void);

/*
** Gives a state, in protected mode, what every state of ours has: `require
** "luasync"` and its Lua modules without a search path, whole-line print and
** io.write, coroutines that can be interrupted.
*/
int state_equip (lua_State *L);

/* In a state of stock Lua, warn("@off") is heard by our own warnings too. [0, 0, memory] */
void state_note_warn (lua_State *L);

/*
** -W: this state shows its warnings, and those that inherit from it or from others
** from now on. [0, 0, -]
*/
void state_turn_warnings_on (lua_State *L);

/* Copies package.path and package.cpath from one state to another that no thread runs yet. */
void state_copy_paths (lua_State *from, lua_State *to);
/* The same, and whatever else is the program's: -W. */
void state_inherit (lua_State *from, lua_State *to);

#endif

/*
** burden.h - what Lua's collector cannot see.
*/
#ifndef WORLD_BURDEN_H
#define WORLD_BURDEN_H

#include <lua.h>
#include <stdatomic.h>
#include <stddef.h>

/*
** So many bytes outside of Lua are about to hang on a value of this state. The
** collector moves on as if they were Lua's. It may run finalisers. [0, 0, -]
*/
void burden_weigh (lua_State *L, size_t bytes);

/*
** The running thread is about to wait: gives back what it has dropped, if that may be
** much. [0, 0, -]
*/
void burden_drop (lua_State *L);

/* Much has been freed outside of Lua: the system gets it back. */
void burden_give_back (void);

/* Gives back what else is free in the state; set by state/, NULL: nothing. [0, 0, -] */
typedef void (*BurdenTrim)(lua_State *L);
extern _Atomic(BurdenTrim) burden_trim;

/*
** Lets go of what is reached only from fields of Locals that nobody reaches; set by
** objects/. May run finalisers. [0, 0, -]
*/
extern _Atomic(BurdenTrim) burden_unpin;

#endif

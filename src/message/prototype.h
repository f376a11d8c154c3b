/*
** prototype.h - which Lua functions are the same code.
**
** Each run of `function … end` makes a closure; all of them share one prototype, which
** no call of Lua's interface tells about. Where it lies in a closure is tried once.
*/
#ifndef MESSAGE_PROTOTYPE_H
#define MESSAGE_PROTOTYPE_H

#include <lua.h>

/* Finds out whether prototypes can be told in this Lua. [0, 0, -] */
void prototype_prepare (void);
/*
** What all closures of one prototype have in common, and no other function as long as one
** of them lives. NULL: it cannot be told. The Lua function is at `index`. [0, 0, -]
*/
const void *prototype_of (lua_State *L, int index);

#endif

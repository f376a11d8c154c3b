/*
** bundle.h - modules that are in no file go along with a thread.
*/
#ifndef MESSAGE_BUNDLE_H
#define MESSAGE_BUNDLE_H

#include <lua.h>
#include "message/message.h"

/*
** What a thread of that world (NULL: of one yet to be made) needs to require what this
** state can; NULL: nothing. [0, 0, -]
*/
Message *bundle_pack (lua_State *L, World *to);
/* Leaves it with a new state, which keeps a reference of its own. NULL is allowed. [0, 0, -] */
void bundle_give (lua_State *L, Message *m);
/* Both at once, for a new thread of that world. [0, 0, -] */
void bundle_inherit (lua_State *from, lua_State *to, World *world);
/* Unpacks it in a new state at once. [0, 0, -] */
void bundle_unpack (lua_State *L, Message *m);
/* Unpacks what has been left here, if anything. [0, 0, raises] */
void bundle_open (lua_State *L);
/*
** Pushes the loader of the module that is not in package.preload, or nil. Leaves other
** values under it. [0, +n, raises]
*/
int bundle_push_loader (lua_State *L, const char *name);

#endif

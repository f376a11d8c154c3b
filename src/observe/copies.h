/*
** copies.h - threads that change copies of what they were sent.
*/
#ifndef OBSERVE_COPIES_H
#define OBSERVE_COPIES_H

#include "world/world.h"

/*
** For Observer.changed: compares what `self` was sent with what has become of it, and
** warns of what is lost that somebody else looks at. [0, 0, -]
*/
void copies_changed (lua_State *L, Thread *self);

/*
** t has been waited for for a while: warns if it asks its own copy of a variable, which
** others set in theirs, whether to go on.
*/
void copies_awaited (Thread *t);

/* Pushes what luasync.copies.causes.find wants to know of the world. [0, +1, raises] */
void copies_push_context (lua_State *L, World *world);

#endif

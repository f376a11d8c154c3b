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

/* A chunk that is no file has that text; both stay. Before there are threads. */
void copies_note_chunk (const char *name, const char *text);

#endif

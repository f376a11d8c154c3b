/*
** select.h - waiting for one of several objects, from C.
*/
#ifndef OBJECTS_SELECT_H
#define OBJECTS_SELECT_H

#include "objects/queue/queue_store.h"
#include "thread/thread.h"

/* sync.select of the list at 1, without its results. [0, 0, raises] */
void select_wait (lua_State *L, Nanos deadline);

/*
** Takes one of two objects, whichever is ready first, however long that takes; an
** interrupt stays pending. 0 or 1. [0, 0, raises]
*/
int select_of_two (lua_State *L, Object *a, Object *b, PriorityEntry *taken, Selected *how);

#endif

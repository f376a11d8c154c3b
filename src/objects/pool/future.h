/*
** future.h - the result of a task that a Pool is to run, for pool.c.
*/
#ifndef OBJECTS_POOL_FUTURE_H
#define OBJECTS_POOL_FUTURE_H

#include "message/message.h"
#include "thread/thread.h"

typedef struct Future Future;

/*
** Pushes a pending future of the call that the n values from stack index `first` on
** make. [0, +1, raises]
*/
Future *future_new (lua_State *L, int first, int n);

/* Calls it in the running thread, unless it has been cancelled. [0, 0, -] */
void future_run (lua_State *L, Future *f);

/* Cancels it if nobody has begun it; false: too late. */
bool future_cancel (Future *f);

/* Waits until it is done. [0, 0, -] */
Wake future_wait (lua_State *L, Future *f, Nanos deadline);
bool future_is_done (Future *f);
bool future_has_failed (Future *f); /* once it is done */

/*
** Pushes what a done future has come to: values, or nil and "cancelled"; raises its
** error. [0, +n, raises]
*/
int future_push (lua_State *L, Future *f);

#endif

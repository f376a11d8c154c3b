/*
** private.h - what the parts of the real driver tell each other.
*/
#ifndef REAL_PRIVATE_H
#define REAL_PRIVATE_H

#include "world/world.h"

/* Once, before any thread parks. */
void park_start (void);
/* Stops the caller until the spot is unparked or the deadline has come; may return early. */
void park_on (Spot *spot, Nanos deadline);
/* The driver's `park`, `unpark` and `patience`. */
void park_thread (Thread *self, Nanos deadline);
void park_unpark (Spot *spot);
int park_patience (World *world);

/* The driver's `spawn` and `close`. */
int workers_spawn (Thread *t);
void workers_close (Thread *t, lua_State *L);

/* The driver's `exit`. */
void exit_process (int code);
/* Stops the caller for good where another thread is ending the process. */
void exit_yield (void);

#endif

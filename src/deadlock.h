/*
** deadlock.h - nobody in a world can ever run again.
*/
#ifndef DEADLOCK_H
#define DEADLOCK_H

#include "world.h"

/*
** The caller was the last awake thread of its world and is about to park for
** ever. Where the program does not go on, this does not return.
*/
void deadlock_found (World *world);

/* `self` stands in line for ever: reports, once, a circle of threads that wait for each other. May park for a moment. */
void deadlock_watch (Thread *self, Waiter *w);

/* What there is to say of a world in which nobody can run, malloc'ed; NULL: no memory. */
char *deadlock_text (World *world);
/* The same of one that runs without getting anywhere; `looking`: its threads only look at things. */
char *livelock_text (World *world, bool looking);

#endif

/*
** deadlock.h - nobody in a world can ever run again.
*/
#ifndef OBSERVE_DEADLOCK_H
#define OBSERVE_DEADLOCK_H

#include "world/world.h"

/*
** Watches the real world: ends it where no thread can ever run again, reports
** circles, answers dumps.
*/
extern const Observer deadlock_observer;

/* Warns of the circle that t has closed by the wait it stands in, if it has. */
void deadlock_warn (Thread *t);
/*
** Interrupts the main thread and keeps the report, where __deadlock has asked for that;
** false: it has not.
*/
bool deadlock_interrupts (World *world);
/* The same with a report of another end, which is consumed. */
bool deadlock_interrupts_with (World *world, char *text);
/* Module function __deadlock(raises). */
int deadlock_raises (lua_State *L);

/* What there is to say of a world in which nobody can run, malloc'ed; NULL: no memory. */
char *deadlock_text (World *world);
/*
** The same for a world that runs without getting anywhere, and how: "looking", its threads
** only look at objects; "operations", there are too many; "round", they go round.
*/
char *livelock_text (World *world, const char *how);

#endif

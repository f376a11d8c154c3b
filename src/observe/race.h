/*
** race.h - races in an ordinary run, real or simulated: luasync --race.
**
** Each race is told on stderr when its second access is about to take effect: both
** threads, both lines. One line with another one is told once. Each counts as an error
** that nobody has taken, so the exit code is not 0.
*/
#ifndef OBSERVE_RACE_H
#define OBSERVE_RACE_H

#include "world/world.h"

typedef struct RaceWatch RaceWatch;

/* Watches the world, whose threads do not run yet; NULL: no memory. It must outlive the world. */
RaceWatch *race_watch (World *world);
void race_free (RaceWatch *r); /* NULL is allowed */

#endif

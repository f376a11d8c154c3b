/*
** replay.h - the line that repeats a simulated run.
*/
#ifndef REPLAY_H
#define REPLAY_H

#include "command/options.h"
#include "sim/sim.h"

/* Writes it to stderr, and a word on what could make another run differ. */
void replay_print (const Options *o, const SimReport *r);

#endif

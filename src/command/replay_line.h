/*
** replay_line.h - the line that repeats a simulated run.
*/
#ifndef COMMAND_REPLAY_LINE_H
#define COMMAND_REPLAY_LINE_H

#include "command/options.h"
#include "sim/sim.h"

/* Writes it to stderr, and a word on what could make another run differ. */
void replay_line_print (const Options *o, const SimReport *r);

#endif

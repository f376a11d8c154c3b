/*
** text.h - texts of the command, which are laid out in Lua (luasync.command).
*/
#ifndef COMMAND_TEXT_H
#define COMMAND_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "command/options.h"
#include "sim/sim.h"

/* Writes what --help says. False: no memory, and nothing is written. */
bool text_write_help (FILE *out, const Options *o);

/* Writes that line, to any file; false: no memory. */
bool text_put_replay (FILE *out, const Options *o, const SimReport *r);

/*
** Writes the line that repeats a simulated run, and a word on what could make
** another run differ, on stderr.
*/
void text_write_replay (const Options *o, const SimReport *r);

#endif

/*
** trace.h - --trace, --waits, --lock-order, --open, and LUASYNC_TRACE.
*/
#ifndef COMMAND_TRACE_H
#define COMMAND_TRACE_H

#include "command/options.h"
#include "sim/sim.h"

/* Whether the run is to be recorded. */
bool trace_is_wanted (const Options *o);
/* Says on stderr what will keep the file from being written. False: the run need not begin. */
bool trace_can_write (const Options *o);

/* The real world is recorded from now on, and written when the process ends. */
void trace_real (const Options *o);
/* A signal that ends the simulated run, which begins, leaves its recording. */
void trace_simulated_begins (const Options *o);
/*
** Writes what has been recorded of a simulated run, which ends the process with `code`;
** returns the code.
*/
int trace_simulated (const Options *o, const SimReport *report, int code);

/*
** Runs the script once more as an exploration has, after the schedule (NULL: in turn), and
** writes the recording, unless `file` is NULL. True: it has ended well.
*/
bool trace_replayed (const Options *o, const char *schedule, const char *file);
/* Lets the desktop open the file, if that is wanted. */
void trace_show (const Options *o);

/* Whether the script is a recording, to be written in another form. */
bool trace_converts (const Options *o);
/* Does that; the exit code. */
int trace_convert (const Options *o);

#endif

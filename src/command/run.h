/*
** run.h - running what the command line names.
*/
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "command/options.h"

/* OS threads and the wall clock. Returns the exit code. */
int run_real (const Options *o);
/*
** --virtual, --seed, --replay: says on stderr what went wrong, and the line that
** repeats it. Returns the exit code.
*/
int run_simulated (const Options *o);

/* What the main thread of any world does: 0 if all went well. ud: the Options. */
int run_main (lua_State *L, void *ud);

/* --explore, in explored.c: writes the report on stdout. Returns the exit code. */
int run_explored (const Options *o);

/* The versions of luasync and Lua, on stdout. */
void run_print_version (void);

#endif

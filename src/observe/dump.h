/*
** dump.h - what every thread of a world is doing: for dumps, for deadlock
** reports, for sync.threads().
*/
#ifndef OBSERVE_DUMP_H
#define OBSERVE_DUMP_H

#include "thread/thread.h"

/*
** Pushes the list of the world's threads, as threads() below returns it; in
** protected mode. [0, +1, raises]
*/
void dump_push_threads (lua_State *L, World *world);

/*
** Calls luasync.report's function `name` with the list of threads and `detail`
** (may be NULL) in a state of its own, and returns its text, malloc'ed; a
** plain sentence where that fails. No state of the program is touched, except
** that stacks of threads that stand still are read.
*/
char *dump_report (World *world, const char *name, const char *detail);

/* threads(): a list of { id=, name=, state=, … }; dump(): the same as text. */
int dump_threads (lua_State *L);
int dump_dump (lua_State *L);

/* Answers a request for the traceback of the running thread; from its hook. */
void dump_answer (lua_State *L, Thread *self);

#endif

#ifndef THREAD_NAME_H
#define THREAD_NAME_H

#include "thread/thread.h"

/* Gives t the name at `index`, also in the eyes of the system. [0, 0, raises] */
int thread_rename (lua_State *L, Thread *t, int index);

/* Names t, new and seen by nobody yet, by its number and its target at `target`: Thread-N, or Thread-N (f). [0, 0, memory] */
void thread_name_default (lua_State *L, Thread *t, int target);

/* t ends while it holds a lock: its name is remembered for reports. */
void thread_bury (Thread *t);
/* The name of the thread with this serial, alive or buried; into buffer. */
const char *thread_name_of (World *world, uint64_t serial, char buffer[64], bool *ended);

#endif

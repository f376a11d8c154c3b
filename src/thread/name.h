/*
** name.h - what threads are called, also after their end.
*/
#ifndef THREAD_NAME_H
#define THREAD_NAME_H

#include "thread/thread.h"

/* Gives t the name at `index`, also in the eyes of the system. [0, 0, raises] */
int thread_rename (lua_State *L, Thread *t, int index);

/*
** Names t, which no other thread has seen yet, by its number and its target at
** `target`: Thread-N, or Thread-N (f). [0, 0, memory]
*/
void thread_name_default (lua_State *L, Thread *t, int target);

/* t ends while it holds a lock: the world remembers its name for reports. */
void thread_bury (Thread *t);
/* Copies the name of the thread with this serial, alive or buried, into buffer; returns buffer. */
const char *thread_name_of (World *world, uint64_t serial, char buffer[64], bool *ended);

#endif

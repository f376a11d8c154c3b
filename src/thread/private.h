/*
** private.h - what the files of Thread's Lua side share.
*/
#ifndef THREAD_PRIVATE_H
#define THREAD_PRIVATE_H

#include "thread/thread.h"

/* Gives t its serial numbers. */
void thread_number (Thread *t);

/* start.c: the start method. */
int thread_start (lua_State *L);
/* start.c: Kind.departing. */
void thread_departing (lua_State *L, int index, int along, bool again);
/*
** start.c: replaces the values from stack index `target` (which may be nil) up to
** the top by a table of them in the proxy at `proxy`. [-n, 0, memory]
*/
void thread_store_work (lua_State *L, int proxy, int target);
/*
** start.c: how many arguments the list at the top holds: its n (table.pack), or its
** length. Raises about argument `arg`.
*/
int thread_count_args (lua_State *L, int arg);

#endif

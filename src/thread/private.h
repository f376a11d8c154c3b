/*
** private.h - what a Thread's kin need of it.
*/
#ifndef THREAD_PRIVATE_H
#define THREAD_PRIVATE_H

#include "thread/name.h"
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

/*
** Makes an unstarted thread, zeroed behind the Thread, and pushes its proxy, which
** is not ready yet. [0, +1, memory]
*/
Thread *thread_make (lua_State *L, size_t size, const Kind *kind);

/* The parts of thread_kind. */
void thread_destroy (Object *o);
void thread_describe (lua_State *L, Object *o);
int thread_property (lua_State *L);
uint64_t thread_awaited (Object *o);
void thread_name_of_object (Object *o, char buffer[64]);
extern const luaL_Reg thread_meta[];

#endif

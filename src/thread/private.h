/*
** private.h - what a Thread's kin need of it.
*/
#ifndef THREAD_PRIVATE_H
#define THREAD_PRIVATE_H

#include "thread/name.h"
#include "thread/thread.h"

/* Gives t its serial numbers. */
void thread_number (Thread *t);

/* thread.c: Thread(...), which nobody but the caller is to start. */
int thread_new_apart (lua_State *L);

/* start.c: Kind.departing. */
void thread_departing (lua_State *L, int index, int along, bool again);
/*
** start.c: how many arguments the list at the top holds: its n (table.pack), or its
** length. Raises about argument `arg`.
*/
int thread_count_args (lua_State *L, int arg);

/* The parts of thread_kind. */
void thread_destroy (Object *o);
uint64_t thread_visit (Object *o, CycleSearch *search);
void thread_describe (lua_State *L, Object *o);
int thread_property (lua_State *L);
uint64_t thread_awaited (Object *o);
unsigned thread_ready (Object *o, const Thread *t);
void thread_name_of_object (Object *o, char buffer[64]);
extern const luaL_Reg thread_meta[];

#endif

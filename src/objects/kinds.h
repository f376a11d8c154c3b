/*
** kinds.h - the kinds of objects and their constructors, one file each.
*/
#ifndef OBJECTS_KINDS_H
#define OBJECTS_KINDS_H

#include "world/object.h"
#include "thread/thread.h"

extern const Kind *const all_kinds[];                                /* kinds.c; NULL-terminated */
extern const Kind lock_kind, rlock_kind;                             /* lock.c */
extern const Kind condition_kind;                                    /* condition.c */
extern const Kind barrier_kind;                                      /* barrier.c */
extern const Kind pool_kind, future_kind;                            /* pool/ */
extern const Kind rwlock_kind;                                       /* rwlock.c */
extern const Kind event_kind;                                        /* event.c */
extern const Kind semaphore_kind, bounded_kind;                      /* semaphore.c */
extern const Kind queue_kind, lifo_kind, priority_kind, simple_kind; /* queue.c */
extern const Kind local_kind;                                        /* local.c */
extern const Kind shared_kind;                                       /* shared.c */
extern const Kind atomic_kind;                                       /* atomic.c */

int lock_new (lua_State *L);
int rlock_new (lua_State *L);
int condition_new (lua_State *L);
int event_new (lua_State *L);
int barrier_new (lua_State *L);
int rwlock_new (lua_State *L);
int pool_new (lua_State *L);
int future_wait_list (lua_State *L); /* wait(futures [, timeout [, "first"]]) */
int semaphore_new (lua_State *L);
int bounded_new (lua_State *L);
int queue_new (lua_State *L);
int select_from (lua_State *L);
int lifo_new (lua_State *L);
int priority_new (lua_State *L);
int simple_new (lua_State *L);
int local_new (lua_State *L);
int shared_new (lua_State *L);
int shared_update (lua_State *L);
int shared_snapshot (lua_State *L);
int shared_named (lua_State *L);
int shared_keys (lua_State *L);
int atomic_new (lua_State *L);

#endif

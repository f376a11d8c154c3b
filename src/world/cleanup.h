/*
** cleanup.h - memory outside all Lua states whose owner can vanish without freeing
** it: a simulated thread abandoned where it waits, or a proxy made while its state
** closes (Lua runs no new finalisers then). It is freed when the world ends or the
** state is gone.
**
** A Cleanup is never part of a state's own memory, which may be used anew before that.
*/
#ifndef WORLD_CLEANUP_H
#define WORLD_CLEANUP_H

#include <stdbool.h>

typedef struct Cleanup {
  void (*release)(struct Cleanup *h);
  struct Cleanup *next, *previous;
  struct Cleanup **list; /* NULL: not noted */
} Cleanup;

/*
** Notes in the list that release(h) is to be called, unless cleanup_forget(h) comes
** before. NULL: there is no need.
*/
void cleanup_note (Cleanup **list, Cleanup *h, void (*release)(Cleanup *h));
void cleanup_forget (Cleanup *h);
void cleanup_release_all (Cleanup **list);

/*
** The list of the running thread: its world's, or that of the state it closes; NULL:
** there is no need.
*/
Cleanup **cleanup_list (void);

/* The state that this OS thread has closed is gone: releases what its last finalisers have left. */
void cleanup_release_late (void);
/* Whether that list is the one here. */
bool cleanup_is_late (void);

#endif

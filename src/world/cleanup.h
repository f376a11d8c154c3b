/*
** cleanup.h - memory outside of all Lua states that one of them refers to, or a
** thread on its C stack, where nobody may come back to free it: a simulated
** thread can be abandoned wherever it waits, and while a state closes Lua
** finalises nothing new. It is released at the end of the simulated world, or
** when the state has gone.
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

/* Notes in the list that release(h) is to be called, unless cleanup_forget(h) comes before. NULL: there is no need. */
void cleanup_note (Cleanup **list, Cleanup *h, void (*release)(Cleanup *h));
void cleanup_forget (Cleanup *h);
void cleanup_release_all (Cleanup **list);

/* The list of the running thread: its world's, or that of the state it closes; NULL: there is no need. */
Cleanup **cleanup_list (void);

/* The state that this OS thread has closed is gone: releases what its last finalisers have left. */
void cleanup_release_late (void);
/* Whether that list is the one here. */
bool cleanup_is_late (void);

#endif

/*
** cleanup.h - memory outside all Lua states whose owner can vanish without
** freeing it: what a state's last finalisers make while it closes, because Lua
** runs no new finalisers then. It is freed when the state is gone.
**
** In a simulated world there is no need: its memory goes as a whole.
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

/* Whether what the running thread makes now must be noted: it closes its state. */
bool cleanup_is_due (void);
/* Notes, if that is so, that release(h) is to be called, unless cleanup_forget(h) comes before. */
void cleanup_note (Cleanup *h, void (*release)(Cleanup *h));
void cleanup_forget (Cleanup *h);

/* The state that this OS thread has closed is gone: releases what its last finalisers have left. */
void cleanup_release_all (void);

#endif

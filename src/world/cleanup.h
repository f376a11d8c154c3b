/*
** holding.h - memory outside of all Lua states that one of them refers to, or a
** thread on its C stack, where nobody may come back to free it: a simulated
** thread can be abandoned wherever it waits, and while a state closes Lua
** finalises nothing new. It is released at the end of the simulated world, or
** when the state has gone.
**
** A Holding is never part of a state's own memory, which may be used anew before that.
*/
#ifndef HOLDING_H
#define HOLDING_H

#include <stdbool.h>

typedef struct Holding {
  void (*release)(struct Holding *h);
  struct Holding *next, *previous;
  struct Holding **list;          /* NULL: not noted */
} Holding;

/* Notes in the list that release(h) is to be called, unless holding_forget(h) comes before. NULL: there is no need. */
void holding_note (Holding **list, Holding *h, void (*release)(Holding *h));
void holding_forget (Holding *h);
void holding_release_all (Holding **list);

/* The list of the running thread: its world's, or that of the state it closes; NULL: there is no need. */
Holding **holdings_here (void);

/* The state that this OS thread has closed is gone: releases what its last finalisers have left. */
void holdings_release_late (void);
/* Whether that list is the one here. */
bool holdings_are_late (void);

#endif

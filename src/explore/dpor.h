/*
** dpor.h - optimal dynamic partial order reduction: one execution for each trace.
**
** After Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction"
** (POPL 2014): executions that differ only in the order of independent operations
** are one trace; sleep sets say what has been tried in front of an event, wakeup
** trees what is still to be tried.
*/
#ifndef EXPLORE_DPOR_H
#define EXPLORE_DPOR_H

#include "explore/subject.h"

typedef struct Dpor Dpor;

typedef enum DporEnd {
  DPOR_LEAF,     /* a whole execution stands in the history: the caller looks at it */
  DPOR_COMPLETE, /* there is no other */
  DPOR_STOPPED,  /* as the options have said: there may be others */
  DPOR_STRAYED,  /* the program did something else than before: at dpor_depth */
  DPOR_BROKEN,   /* the subject cannot go on, or there is no memory */
} DporEnd;

typedef struct DporOptions {
  bool reduce;            /* false: plain depth-first search through every interleaving */
  size_t tree_bytes;      /* sequences are cut to their first step beyond so many; 0: never */
  int depth;              /* of an execution at most; what is longer is cut */
  bool (*stop)(void *ud); /* asked in long work: the search is to end, unfinished; NULL: never */
  void *ud;
} DporOptions;

Dpor *dpor_new (const Subject *subject, const DporOptions *options); /* NULL: no memory */
void dpor_free (Dpor *d);

/* Runs to the next leaf. */
DporEnd dpor_next (Dpor *d);
/* The leaf has been looked at: others may move the subject now. */
void dpor_leave (Dpor *d);

History *dpor_history (Dpor *d);
int dpor_depth (const Dpor *d);
/* Whether the execution at the leaf was cut at the depth bound. */
bool dpor_was_cut (const Dpor *d);
/* Executions ended because all that could run had been tried: none, unless sequences are cut. */
long dpor_blocked (const Dpor *d);
/* Whether sequences have been cut: no longer optimal, still complete. */
bool dpor_is_bounded (const Dpor *d);

#endif

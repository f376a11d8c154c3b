/*
** numbering.h - numbers for threads, objects and keys of a world that do not depend on
** the schedule, and what an operation touches, said in these numbers.
**
** An object's number comes from the number of the thread that has made it, and from how
** many that thread had made before.
*/
#ifndef EXPLORE_NUMBERING_H
#define EXPLORE_NUMBERING_H

#include "explore/footprint.h"
#include "explore/names.h"
#include "explore/watch.h"
#include "objects/shared/shared.h"
#include "thread/thread.h"
#include "world/op.h"

#define CLOCK_THREAD 1 /* its number; main is 0 */
#define CLOCK_OBJECT 0
#define WORLD_OBJECT 1 /* which threads are alive */
#define OUTPUT_OBJECT 2

typedef struct Numbering {
  NameTable *threads, *objects, *keys;
  int *number; /* by serial: the thread's number; -1: not known yet */
  int count;
  uint32_t capacity;
  uint32_t *made; /* numbers of the objects that each thread has made first, + 1; or 0 */
} Numbering;

bool numbering_init (Numbering *g); /* False: no memory; numbering_free is due all the same. */
void numbering_free (Numbering *g);

/* The number of a thread that has been started. -1: there is none, and *problem says why. */
int numbering_thread (Numbering *g, int serial, const Thread *t, const char **problem);
/* Threads with this serial and those after it have other numbers from now on. */
void numbering_forget (Numbering *g, int from);

uint32_t numbering_object (Numbering *g, const Object *o);
/* The same for what the thread with that serial has made as its nth. */
uint32_t numbering_made (Numbering *g, uint32_t maker, uint32_t nth);
/* The part of a Shared that a key is. */
uint32_t numbering_part (Numbering *g, const SharedKey *k);

/* What must be so before it can take effect, bits of Kind.ready; one try needs nothing. */
unsigned numbering_needs (const Op *op);
/* What an operation touches, at most ACCESSES_MOST; returns how many accesses. */
int numbering_accesses (Numbering *g, const Op *op, Access *a);
unsigned numbering_grips (Numbering *g, const Op *op);
/* Whether it waits for all threads of a scope or pool, *owner; NULL: all that main waits for at its end. */
bool numbering_joins_all (const Op *op, const Object **owner);

/* Whether a thread, an object or a key has got no number, for want of memory: what it touches is not true. */
bool numbering_is_short (const Numbering *g);

/* Whether the operation may come to something else where a thread has ended. Main's end is none. */
bool numbering_looks_at_life (const Op *op);
/*
** Whether it is a start or a join of a thread that another has made, which may start it as well, or not
** yet; a start of one that has been started; or a join of another's scope, where that may start threads.
*/
bool numbering_meets_start (const Op *op, int serial);
/* Whether it is a start, by a daemon, of a thread that main waits for at its end. */
bool numbering_is_waited_for (const Op *op, const Thread *self);
/*
** Whether it is a start that a join of its pool or scope may come before: it is made by
** another thread (the one with that serial) than the one that joins, as far as that can
** be told.
*/
bool numbering_starts_late (const Op *op, int serial);

/* The operation of `self`, as a watch is told of it; `among` is for the objects of a select. */
WatchedStep numbering_watched (Numbering *g, const Op *op, const Thread *self, int thread,
                               uint32_t among[ACCESSES_MOST]);

#endif
